"""Edits of selected notes, of the score's tracks and of takes alike.

Each takes a session and the notes chosen and returns the new session with the same notes chosen,
wherever they now stand. Notes that are not there are passed over.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.codec.vocabulary import STEPS_PER_SECOND
from core.midi.score import Note, TakeNote
from core.midi.tempo_map import TempoMap
from core.session.session import LATEST, Session, take_note_order

LATEST_TICK = 1 << 36  # nothing is moved later than this either, however fast the tempo
SHORTEST_NOTE = 1 / STEPS_PER_SECOND  # seconds: no note of a take is made shorter

Part = int | str  # a track (index of `score.tracks`), or a take (its id)
Chosen = Mapping[Part, Sequence[int] | NDArray[np.int64]]  # indices of notes among those of each part
Ticks = NDArray[np.float64]
_Numbers = NDArray[np.int64]
_AnyNote = TypeVar("_AnyNote", Note, TakeNote)


class SessionNoteRef(NamedTuple):
    """One note: `index` among the notes of a part."""

    part: Part
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]


class Edited(NamedTuple):
    """The session after an edit, and the notes that were chosen, in their new places (each part's in order)."""

    session: Session
    chosen: dict[Part, list[int]]


@dataclass(frozen=True)
class Columns:
    """The chosen notes of one part, as columns: `start` and `end` in ticks (a take's are not whole).

    `places` are their indices, in order; before the tick `first` the part can have no notes.
    """

    part: Part
    places: list[int]
    pitch: _Numbers
    velocity: _Numbers
    start: Ticks
    end: Ticks
    first: float


Change = Callable[[list[Columns]], list[Columns]]


def note_at(session: Session, ref: SessionNoteRef) -> Note | TakeNote | None:
    """The note that is referred to, or None if it is not there."""
    notes = part_notes(session, ref.part)
    return notes[ref.index] if 0 <= ref.index < len(notes) else None


def part_notes(session: Session, part: Part) -> tuple[Note, ...] | tuple[TakeNote, ...]:
    """The notes of a part; none if there is no such part."""
    if isinstance(part, str):
        take = session.find_take(part)
        return take.notes if take else ()
    return session.tracks[part].notes if 0 <= part < len(session.tracks) else ()


def differing(before: Session, after: Session) -> list[tuple[Part, Sequence[object], Sequence[object]]]:
    """The parts that both sessions have with different notes: each part, its notes before and after."""
    pairs: list[tuple[Part, Any, Any]] = [
        (take.id, part_notes(before, take.id), take.notes) for take in after.takes if before.find_take(take.id)
    ]
    if before.score and after.score and len(before.score.tracks) == len(after.score.tracks):
        is_one_reading = before.score.chunks is after.score.chunks
        pairs += [
            (i, old.notes, new.notes)
            for i, (old, new) in enumerate(zip(before.score.tracks, after.score.tracks, strict=True))
            if is_one_reading or _are_kept(old.notes, new.notes)
        ]
    return [(part, old, new) for part, old, new in pairs if old is not new]


def _are_kept(old: Sequence[object], new: Sequence[object]) -> bool:
    """Whether two readings of a file have the very same notes, but for those that were edited."""
    return old is new or not old or not new or not {*map(id, old)}.isdisjoint(map(id, new))


def new_notes(before: Session, after: Session) -> dict[Part, _Numbers] | None:
    """The notes of `after` that `before` has not, by part, where both have the part; None if no part differs."""
    return {part: _not_among(old, new) for part, old, new in differing(before, after)} or None


def moved_places(before: Session, after: Session, chosen: Chosen) -> dict[Part, list[int]]:
    """Where the chosen notes of `before` stand in `after`, by part; those that are gone are left out.

    Only of parts that have more notes or fewer: in others each note has its old place, whatever it has become.
    """
    moved: dict[Part, list[int]] = {}
    for part, places in notes_there(before, chosen).items():
        old, new = part_notes(before, part), part_notes(after, part)
        if len(old) != len(new):
            by_id = {id(note): i for i, note in enumerate(new)}
            by_sound: dict[object, int] = {}
            if any(id(old[i]) not in by_id for i in places):
                by_sound = {_sound(note): i for i, note in enumerate(new)}
            found = (by_id.get(id(old[i]), by_sound.get(_sound(old[i]))) for i in places)
            moved[part] = sorted({i for i in found if i is not None})
    return moved


def same_notes(before: Session, after: Session, chosen: Chosen) -> dict[Part, list[int]] | None:
    """Where the chosen notes of `before` stand in `after`, in the order that they are given in; None if one is gone."""
    found: dict[Part, list[int]] = {}
    for part, places in chosen.items():
        old, new = part_notes(before, part), part_notes(after, part)
        wanted = [i for i in np.asarray(places, np.int64).tolist() if 0 <= i < len(old)]
        by_id = {id(note): i for i, note in enumerate(new)} if old is not new else {}
        by_sound = {_sound(note): i for i, note in enumerate(new)} if old is not new else {}
        there = wanted if old is new else [by_id.get(id(old[i]), by_sound.get(_sound(old[i]))) for i in wanted]
        found[part] = [i for i in there if i is not None]
        if len(found[part]) < len(there):
            return None
    return found


def _sound(note: Note | TakeNote) -> tuple[object, ...]:
    """What tells a note from others, read anew, too."""
    if isinstance(note, TakeNote):
        return note.pitch, note.start, note.end, note.track
    return note.pitch, note.start_tick, note.end_tick


def _not_among(old: Sequence[object], new: Sequence[object]) -> _Numbers:
    """Indices of the new that are none of the old: edits keep the very notes that they leave alone."""
    # For 100,000 notes sorting their ids takes a third of the time that a set of them does.
    ids, kept = (np.fromiter(map(id, notes), np.int64, len(notes)) for notes in (new, old))
    kept = np.append(np.sort(kept), -1)  # no object has that id
    return np.flatnonzero(kept[np.searchsorted(kept[:-1], ids)] != ids)


def delete(session: Session, chosen: Chosen) -> Edited:
    """Remove notes; none are chosen then."""
    for part, places in notes_there(session, chosen).items():
        notes: Any = part_notes(session, part)
        session = with_notes(session, part, tuple(_without(notes, places)))
    return Edited(session, {})


def transpose(session: Session, chosen: Chosen, semitones: int) -> Edited:
    """Move notes up or down by semitones: all by the same, as far as the outermost can go (0 to 127)."""

    def change(parts: list[Columns]) -> list[Columns]:
        lowest, highest = min(part.pitch.min() for part in parts), max(part.pitch.max() for part in parts)
        by = min(max(semitones, -lowest), 127 - highest)
        return [replace(part, pitch=part.pitch + by) for part in parts]

    return change_notes(session, chosen, change)


def set_velocity(session: Session, chosen: Chosen, velocity: int) -> Edited:
    """Give notes one velocity, 1 to 127 (what is beyond counts as that)."""
    velocity = min(max(velocity, 1), 127)

    def change(parts: list[Columns]) -> list[Columns]:
        return [replace(part, velocity=np.full_like(part.velocity, velocity)) for part in parts]

    return change_notes(session, chosen, change)


def nudge(session: Session, chosen: Chosen, ticks: float) -> Edited:
    """Move notes in time by ticks: all by the same, none before the start of its part or past a week.

    So rhythm and places on the grid stay where the tempo changes. Where a track is among the parts, ticks are whole.
    """
    limit = min(session.tempo_map.exact_tick(LATEST), LATEST_TICK)

    def change(parts: list[Columns]) -> list[Columns]:
        room_before = min(part.start.min() - part.first for part in parts)
        room_after = max(limit - max(part.end.max() for part in parts), 0.0)
        by = float(max(min(ticks, room_after), -room_before))
        by = float(round(by)) if any(isinstance(part.part, int) for part in parts) else by
        return [replace(part, start=part.start + by, end=part.end + by) for part in parts]

    return change_notes(session, chosen, change)


# Which notes


def notes_there(session: Session, chosen: Chosen) -> dict[Part, list[int]]:
    """The indices of the notes that are there, each once and in order, by part."""
    there: dict[Part, list[int]] = {}
    for part, indices in chosen.items():
        count = len(part_notes(session, part))
        if places := sorted({i for i in np.asarray(indices, np.int64).tolist() if 0 <= i < count}):
            there[part] = places
    return there


def _columns(session: Session, part: Part, places: list[int]) -> Columns:
    notes: Any = part_notes(session, part)
    chosen = [notes[i] for i in places]

    def column(name: str, kind: type[np.number[Any]]) -> NDArray[Any]:
        return np.fromiter(map(attrgetter(name), chosen), kind, len(chosen))

    first = 0.0
    if isinstance(part, str):
        marker = session.take(part).marker
        first = session.tempo_map.exact_tick(marker)
        start, end = (
            session.tempo_map.exact_ticks_array(marker + column(name, np.float64)) for name in ("start", "end")
        )
    else:
        start, end = column("start_tick", np.float64), column("end_tick", np.float64)
    return Columns(part, places, column("pitch", np.int64), column("velocity", np.int64), start, end, first)


# Changing some notes and keeping the order of all


def change_notes(session: Session, chosen: Chosen, change: Change) -> Edited:
    """Change the columns of the chosen notes, all parts at once, and put them back in order.

    A column that the change leaves alone must be the very same array: then the times stay exact.
    """
    before = [_columns(session, part, places) for part, places in notes_there(session, chosen).items()]
    if not before:
        return Edited(session, {})
    moved: dict[Part, list[int]] = {}
    for old, new in zip(before, change(before), strict=True):
        part = old.part
        if isinstance(part, str):
            notes, places = merged(
                session.take(part).notes, old.places, _take_notes(session, old, new), take_note_order
            )
        else:
            track = session.tracks[part]
            releases = [track.notes[i].release for i in old.places]
            notes, places = merged(track.notes, old.places, _score_notes(session.tempo_map, new, releases), note_order)
        session = with_notes(session, part, notes)
        moved[part] = places
    return Edited(session, moved)


def _score_notes(tempo_map: TempoMap, new: Columns, releases: list[int]) -> list[Note]:
    first = np.maximum(np.rint(new.start), 0).astype(np.int64)
    # A note that lasts, lasts a tick at least: both its edges may round to one.
    last = np.maximum(np.rint(new.end).astype(np.int64), first + (new.end > new.start))
    seconds = tempo_map.seconds_array(first).tolist(), tempo_map.seconds_array(last).tolist()
    return list(map(Note, new.pitch.tolist(), new.velocity.tolist(), *seconds, first.tolist(), last.tolist(), releases))


def _take_notes(session: Session, old: Columns, new: Columns) -> list[TakeNote]:
    take = session.take(str(old.part))
    notes = [take.notes[i] for i in old.places]
    begin, end = np.array([n.start for n in notes]), np.array([n.end for n in notes])
    # Times that were not touched stay as they are, to the last bit.
    if new.start is not old.start:
        begin = np.maximum(session.tempo_map.seconds_array(new.start) - take.marker, 0.0)
    if new.end is not old.end:
        end = np.maximum(session.tempo_map.seconds_array(new.end) - take.marker, begin + SHORTEST_NOTE)
    starts, ends = begin.tolist(), end.tolist()
    tracks, takes = [n.track for n in notes], [n.take for n in notes]
    return list(map(TakeNote, new.pitch.tolist(), new.velocity.tolist(), starts, ends, tracks, takes))


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


def merged(
    notes: Sequence[_AnyNote], places: list[int], new: list[_AnyNote], order: Callable[[_AnyNote], Any]
) -> tuple[tuple[_AnyNote, ...], list[int]]:
    """The notes with `new` ones (as many as may be) for those at `places`, in order, and where the new ones stand."""
    rest = _without(notes, places)
    new = sorted(new, key=order)
    if not rest:
        return tuple(new), list(range(len(new)))
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


def with_notes(session: Session, part: Part, notes: Any) -> Session:
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


def put(session: Session, part: Part, places: list[int], new: list[Any]) -> Edited:
    """The session with `new` notes of a part for those at `places`; the new ones are chosen."""
    old: Any = part_notes(session, part)
    order: Any = take_note_order if isinstance(part, str) else note_order
    notes, at = merged(old, places, new, order)
    return Edited(with_notes(session, part, notes), {part: at})
