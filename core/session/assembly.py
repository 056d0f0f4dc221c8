"""A take put together from bars of several."""

from dataclasses import replace

from core.errors import UsageError
from core.midi.score import TakeNote
from core.session.arrangement import take_length
from core.session.edits import SHORTEST_NOTE, Edited, put, with_notes
from core.session.session import Session, TakeRecord, in_order


def use_bars(session: Session, source_id: str, target_id: str, start: float, end: float) -> Edited:
    """Let a take play what another plays from `start` to `end` (seconds of the song), in place of its own.

    What sounds across either edge ends there. Each note keeps the id of the take that it came from, and the target is
    shown. The notes that came are chosen. Raises UsageError for a take that is not there, for one and the same take,
    and for bars that the source plays nothing in, or that lie before the target. Bars in which the source is not there,
    before it begins or behind its end, stay as they are.
    """
    source, target = session.take(source_id), session.take(target_id)
    if source is target:
        raise UsageError("These bars are of this take already.")
    start = max(start, source.marker, target.marker)
    edge, end = end, min(end, source.marker + take_length(source, session.tempo_map))
    new = [_moved(note, source, target, edge) for note in source.notes if start <= source.marker + note.start < end]
    if not new:
        raise UsageError("Nothing of the take that is shown begins in these bars, or the other take begins later.")
    first, last = start - target.marker, end - target.marker
    kept: list[TakeNote] = []
    for note in target.notes:
        if note.start < first < note.end:
            kept.append(replace(note, end=max(first, note.start + SHORTEST_NOTE)))
        elif not first <= note.start < last:
            kept.append(note)
    session = with_notes(session, target_id, in_order(kept))
    session = session.with_changed_take(_with_controls(session.take(target_id), source, start, end))
    session, chosen = put(session, target_id, [], new)
    return Edited(session.select_take(target_id), chosen)


def _with_controls(target: TakeRecord, source: TakeRecord, start: float, end: float) -> TakeRecord:
    """A take with the controllers that another has from `start` to `end` (seconds of the song), for its own there.

    What it had at the end it has there again.
    """
    by = source.marker - target.marker
    first, last = start - target.marker, end - target.marker
    new = [control._replace(at=control.at + by) for control in source.controls]
    played = [control for control in new if first <= control.at < last]
    kept = [control for control in target.controls if not first <= control.at < last]
    if not played and len(kept) == len(target.controls):
        return target
    held = {(c.number, c.track): c._replace(at=last) for c in target.controls if c.at <= last}
    now = {(c.number, c.track): c.value for c in [*(c for c in kept if c.at < first), *played]}
    back = [control for key, control in held.items() if now.get(key) != control.value]
    both = sorted([*kept, *played, *back], key=lambda control: control.at)
    return replace(target, controls=tuple(both))


def _moved(note: TakeNote, source: TakeRecord, target: TakeRecord, end: float) -> TakeNote:
    """A note of one take as it stands in another, not past `end` (seconds of the song)."""
    at = max(source.marker + note.start - target.marker, 0.0)
    last = max(min(source.marker + note.end, end) - target.marker, at + SHORTEST_NOTE)
    origin = note.take or source.id
    return replace(note, start=at, end=last, take="" if origin == target.id else origin)
