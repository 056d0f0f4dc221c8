"""Edits of selected notes, of the score's tracks and of takes alike.

Each takes a session and the notes selected and returns the new session with the same notes selected,
wherever they now stand. References to notes that are not there are passed over.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.codec.vocabulary import STEPS_PER_SECOND
from core.errors import UsageError
from core.midi.score import Note
from core.midi.tempo_map import TempoMap
from core.midi.write import TakeNote
from core.session.session import LATEST, Session, take_note_order

GRIDS = ("1/4", "1/4T", "1/8", "1/8T", "1/16", "1/16T", "1/32", "1/32T")  # T: triplets
LATEST_TICK = 1 << 36  # nothing is moved later than this either, however fast the tempo
_STEP = 1 / STEPS_PER_SECOND  # seconds: no note of a take is made shorter

Part = int | str  # a track (index of `score.tracks`), or a take (its id)
_Ticks = NDArray[np.float64]
_AnyNote = TypeVar("_AnyNote", Note, TakeNote)


class NoteRef(NamedTuple):
    """One note: `index` among the notes of a part."""

    part: Part
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]


class Edited(NamedTuple):
    """The session after an edit, and the notes that were selected, in their new places."""

    session: Session
    selection: frozenset[NoteRef]


@dataclass(frozen=True)
class _Selected:
    """The selected notes of one part, as columns: `start` and `end` in ticks (a take's are not whole).

    `places` are their indices, in order; before the tick `first` the part can have no notes.
    """

    part: Part
    places: list[int]
    pitch: list[int]
    velocity: list[int]
    start: _Ticks
    end: _Ticks
    first: float


_Change = Callable[[list[_Selected]], list[_Selected]]


def note_at(session: Session, ref: NoteRef) -> Note | TakeNote | None:
    """The note that is referred to, or None if it is not there."""
    notes = part_notes(session, ref.part)
    return notes[ref.index] if 0 <= ref.index < len(notes) else None


def part_notes(session: Session, part: Part) -> tuple[Note, ...] | tuple[TakeNote, ...]:
    """The notes of a part; none if there is no such part."""
    if isinstance(part, str):
        return next((take.notes for take in session.takes if take.id == part), ())
    tracks = session.score.tracks if session.score else ()
    return tracks[part].notes if 0 <= part < len(tracks) else ()


def new_notes(before: Session, after: Session) -> dict[Part, list[int]] | None:
    """The notes of `after` that `before` has not, by part, where both have the part; None if no part differs."""
    pairs: list[tuple[Part, Any, Any]] = [
        (take.id, part_notes(before, take.id), take.notes)
        for take in after.takes
        if any(old.id == take.id for old in before.takes)
    ]
    if before.score and after.score and before.score.chunks is after.score.chunks:  # one reading of one file
        pairs += [
            (i, old.notes, new.notes)
            for i, (old, new) in enumerate(zip(before.score.tracks, after.score.tracks, strict=True))
        ]
    differing = [(part, old, new) for part, old, new in pairs if old is not new]
    # Edits keep the very notes that they leave alone.
    ids = ((part, *(np.fromiter(map(id, notes), np.int64, len(notes)) for notes in pair)) for part, *pair in differing)
    fresh = {part: np.flatnonzero(np.isin(new, old, invert=True)).tolist() for part, old, new in ids}
    return fresh if differing else None


def delete(session: Session, refs: Iterable[NoteRef]) -> Edited:
    """Remove notes; nothing is selected then."""
    for part, places in _by_part(session, refs).items():
        notes: Any = part_notes(session, part)
        session = _with_notes(session, part, tuple(_without(notes, places)))
    return Edited(session, frozenset())


def transpose(session: Session, refs: Iterable[NoteRef], semitones: int) -> Edited:
    """Move notes up or down by semitones: all by the same, as far as the outermost can go (0 to 127)."""

    def change(parts: list[_Selected]) -> list[_Selected]:
        pitches = [pitch for part in parts for pitch in part.pitch]
        by = min(max(semitones, -min(pitches)), 127 - max(pitches))
        return [replace(part, pitch=[pitch + by for pitch in part.pitch]) for part in parts]

    return _edited(session, refs, change)


def set_velocity(session: Session, refs: Iterable[NoteRef], velocity: int) -> Edited:
    """Give notes one velocity, 1 to 127 (what is beyond counts as that)."""
    velocity = min(max(velocity, 1), 127)
    return _edited(session, refs, lambda parts: [replace(p, velocity=[velocity] * len(p.places)) for p in parts])


def nudge(session: Session, refs: Iterable[NoteRef], ticks: int) -> Edited:
    """Move notes in time by ticks: all by the same, none before the start of its part or past a week."""
    limit = min(session.tempo_map.exact_tick(LATEST), LATEST_TICK)

    def change(parts: list[_Selected]) -> list[_Selected]:
        room_before = min(part.start.min() - part.first for part in parts)
        room_after = max(limit - max(part.end.max() for part in parts), 0.0)
        by = float(max(min(ticks, room_after), -room_before))
        return [replace(part, start=part.start + by, end=part.end + by) for part in parts]

    return _edited(session, refs, change)


def nudge_seconds(session: Session, refs: Iterable[NoteRef], seconds: float) -> Edited:
    """As `nudge`, by seconds: where the tempo changes, notes keep their length in seconds."""
    to_seconds, to_ticks = session.tempo_map.seconds_array, session.tempo_map.exact_ticks_array

    def change(parts: list[_Selected]) -> list[_Selected]:
        room_before = min(float(to_seconds(p.start).min() - to_seconds(p.first)) for p in parts)
        room_after = max(LATEST - max(float(to_seconds(p.end).max()) for p in parts), 0.0)
        by = max(min(seconds, room_after), -room_before)

        def moved(at: _Ticks) -> _Ticks:
            return np.minimum(to_ticks(to_seconds(at) + by), np.maximum(at, LATEST_TICK))

        return [replace(part, start=moved(part.start), end=moved(part.end)) for part in parts]

    return _edited(session, refs, change)


def quantise(session: Session, refs: Iterable[NoteRef], grid: str) -> Edited:
    """Move note onsets to the nearest line of a grid (one of GRIDS), counted from their bar's start.

    Notes keep their length in ticks. A take's first line is the first at or after its marker.
    Raises UsageError for another grid.
    """
    if grid not in GRIDS:
        raise UsageError(f'"{grid}" is not a grid: use one of {", ".join(GRIDS)}.')
    tempo_map = session.tempo_map
    step = tempo_map.ticks_per_quarter * 4 / int(grid.removesuffix("T").removeprefix("1/"))
    if grid.endswith("T"):
        step *= 2 / 3

    def change(parts: list[_Selected]) -> list[_Selected]:
        lines = [_nearest_lines(tempo_map, part.start, step, part.first) for part in parts]
        return [replace(p, start=line, end=p.end + (line - p.start)) for p, line in zip(parts, lines, strict=True)]

    return _edited(session, refs, change)


def _nearest_lines(tempo_map: TempoMap, ticks: _Ticks, step: float, first: float) -> _Ticks:
    """For each tick (in order) the nearest line of the grid at or after `first`."""
    lines = np.empty_like(ticks)
    low = high = 0  # the bar that holds the tick at hand
    for i, tick in enumerate(ticks.tolist()):
        if not low <= tick < high:
            bar = tempo_map.bar_beat(int(tick))[0]
            low, high = tempo_map.bar_tick(bar), tempo_map.bar_tick(bar + 1)
        k = round((tick - low) / step)
        line = low + round(k * step)
        if high - tick < abs(line - tick):  # a bar line is a line, whatever the metre
            line = high
        if line < first:
            line = min(low + round((k + 1) * step), high)
        lines[i] = line
    return lines


# Which notes


def _by_part(session: Session, refs: Iterable[NoteRef]) -> dict[Part, list[int]]:
    """The indices of the notes that are there, in order, by part."""
    sets: dict[Part, set[int]] = {}
    for part, index in refs:
        sets.setdefault(part, set()).add(index)
    chosen: dict[Part, list[int]] = {}
    for part, places in sets.items():
        count = len(part_notes(session, part))
        if there := sorted(i for i in places if 0 <= i < count):
            chosen[part] = there
    return chosen


def _selected(session: Session, part: Part, places: list[int]) -> _Selected:
    notes: Any = part_notes(session, part)
    chosen = [notes[i] for i in places]
    first = 0.0
    if isinstance(part, str):
        marker = session.take(part).marker
        first = session.tempo_map.exact_tick(marker)
        start, end = (
            session.tempo_map.exact_ticks_array(marker + np.array(times, np.float64))
            for times in ([n.start for n in chosen], [n.end for n in chosen])
        )
    else:
        start = np.array([n.start_tick for n in chosen], np.float64)
        end = np.array([n.end_tick for n in chosen], np.float64)
    return _Selected(part, places, [n.pitch for n in chosen], [n.velocity for n in chosen], start, end, first)


# Changing some notes and keeping the order of all


def _edited(session: Session, refs: Iterable[NoteRef], change: _Change) -> Edited:
    """Change the columns of the selected notes, all parts at once, and put them back in order."""
    before = [_selected(session, part, places) for part, places in _by_part(session, refs).items()]
    if not before:
        return Edited(session, frozenset())
    selection: list[NoteRef] = []
    for old, new in zip(before, change(before), strict=True):
        part = old.part
        if isinstance(part, str):
            notes, places = _merged(
                session.take(part).notes, old.places, _take_notes(session, old, new), take_note_order
            )
        else:
            assert session.score is not None  # or there would be no such part
            track = session.score.tracks[part]
            notes, places = _merged(track.notes, old.places, _score_notes(session.tempo_map, new), note_order)
        session = _with_notes(session, part, notes)
        selection += [NoteRef(part, i) for i in places]
    return Edited(session, frozenset(selection))


def _score_notes(tempo_map: TempoMap, new: _Selected) -> list[Note]:
    first = np.maximum(np.rint(new.start), 0).astype(np.int64)
    last = np.maximum(np.rint(new.end).astype(np.int64), first)
    seconds = tempo_map.seconds_array(first).tolist(), tempo_map.seconds_array(last).tolist()
    return list(map(Note, new.pitch, new.velocity, *seconds, first.tolist(), last.tolist()))


def _take_notes(session: Session, old: _Selected, new: _Selected) -> list[TakeNote]:
    take = session.take(str(old.part))
    if new.start is old.start:  # times that were not touched stay as they are, to the last bit
        times = [take.notes[i] for i in old.places]
        starts, ends = [n.start for n in times], [n.end for n in times]
    else:
        begin = np.maximum(session.tempo_map.seconds_array(new.start) - take.marker, 0.0)
        end = np.maximum(session.tempo_map.seconds_array(new.end) - take.marker, begin + _STEP)
        starts, ends = begin.tolist(), end.tolist()
    return list(map(TakeNote, new.pitch, new.velocity, starts, ends))


def note_order(note: Note) -> tuple[int, int, int, int]:
    """The key that a track's notes are sorted by."""
    return note.start_tick, note.pitch, note.end_tick, note.velocity


def _without(notes: Sequence[_AnyNote], places: list[int]) -> list[_AnyNote]:
    """The notes but those at `places` (in order)."""
    rest: list[_AnyNote] = []
    last = 0
    for i in places:
        rest += notes[last:i]
        last = i + 1
    rest += notes[last:]
    return rest


def _merged(
    notes: Sequence[_AnyNote], places: list[int], new: list[_AnyNote], order: Callable[[_AnyNote], Any]
) -> tuple[tuple[_AnyNote, ...], list[int]]:
    """The notes with `new` ones for those at `places`, in order, and where the new ones then stand."""
    rest = _without(notes, places)
    new = sorted(new, key=order)
    if not rest:
        return tuple(new), places
    merged: list[_AnyNote] = []
    moved: list[int] = []
    last = 0
    for note in new:
        here = bisect_right(rest, order(note), lo=last, key=order)
        merged += rest[last:here]
        last = here
        moved.append(len(merged))
        merged.append(note)
    merged += rest[last:]
    return tuple(merged), moved


def _with_notes(session: Session, part: Part, notes: Any) -> Session:
    """The session with other notes in a part that is there."""
    if isinstance(part, str):
        take = session.take(part)
        seconds = max([take.seconds, *(note.end for note in notes)])
        return session.with_changed_take(replace(take, notes=notes, seconds=seconds))
    score = session.score
    assert score is not None  # or there would be no such part
    track = replace(score.tracks[part], notes=notes)
    score = replace(score, tracks=(*score.tracks[:part], track, *score.tracks[part + 1 :]))
    return replace(session, score=score, edited=session.edited | {part})
