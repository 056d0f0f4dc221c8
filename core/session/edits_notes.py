"""Edits that make, divide and lengthen notes; as those of `edits`, on tracks and takes alike."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.midi.score import Note, TakeNote, TrackKey
from core.session.edits import (
    LATEST_TICK,
    SHORTEST_NOTE,
    Chosen,
    Columns,
    Edited,
    Part,
    change_notes,
    new_notes,
    notes_there,
    nudge,
    part_notes,
    put,
)
from core.session.session import LATEST, Session


def draw(
    session: Session,
    part: Part,
    pitch: int,
    velocity: int,
    start: float,
    end: float,
    track: TrackKey | None = None,
) -> Edited:
    """Add a note, `start` and `end` in seconds of the song; it alone is chosen. In a take it is of this track.

    What lies before the part's start, or past the latest time there is, is cut off. Nothing is added if nothing
    is left, or if there is no such part.
    """
    end = min(end, LATEST)
    pitch, velocity = min(max(pitch, 0), 127), min(max(velocity, 1), 127)
    note: Note | TakeNote
    if isinstance(part, str):
        take = session.find_take(part)
        if take is None or end <= max(start, take.marker):
            return Edited(session, {})
        begin = max(start - take.marker, 0.0)
        note = TakeNote(pitch, velocity, begin, max(end - take.marker, begin + SHORTEST_NOTE), track=track)
    else:
        if not 0 <= part < len(session.tracks) or end <= max(start, 0.0):
            return Edited(session, {})
        tempo_map = session.tempo_map
        first = tempo_map.tick(max(start, 0.0))
        last = max(tempo_map.tick(end), first + 1)
        note = Note(pitch, velocity, tempo_map.seconds(first), tempo_map.seconds(last), first, last)
    return put(session, part, [], [note])


def resize(session: Session, chosen: Chosen, start_by: float, end_by: float) -> Edited:
    """Move the starts and the ends of notes by ticks: those of all notes by the same.

    Each note keeps a shortest length (a tick and a hundredth of a second), unless it was shorter; none begins before
    the start of its part.
    """
    to_seconds, to_ticks = session.tempo_map.seconds_array, session.tempo_map.exact_ticks_array

    def change(parts: list[Columns]) -> list[Columns]:
        return [_ended(_started(part)) for part in parts]

    def _whole(part: Columns, ticks: float) -> float:
        return float(round(ticks)) if isinstance(part.part, int) else ticks

    def _started(part: Columns) -> Columns:
        if not start_by:
            return part
        last = np.minimum(to_ticks(np.maximum(to_seconds(part.end) - SHORTEST_NOTE, 0.0)), part.end - 1)
        wanted = part.start + _whole(part, start_by)
        return replace(part, start=np.clip(wanted, part.first, np.maximum(last, part.start)))

    def _ended(part: Columns) -> Columns:
        if not end_by:
            return part
        first = np.maximum(to_ticks(to_seconds(part.start) + SHORTEST_NOTE), part.start + 1)
        latest = np.maximum(min(session.tempo_map.exact_tick(LATEST), LATEST_TICK), part.end)
        wanted = part.end + _whole(part, end_by)
        return replace(part, end=np.clip(wanted, np.minimum(first, part.end), latest))

    return change_notes(session, chosen, change)


def split(session: Session, chosen: Chosen, seconds: float) -> Edited:
    """Divide the notes that sound at a time (seconds of the song) in two there; both halves are chosen."""
    now: dict[Part, list[int]] = {}
    for part, places in notes_there(session, chosen).items():
        notes: Any = part_notes(session, part)
        pieces = [piece for i in places for piece in _pieces(session, part, notes[i], seconds)]
        session, at = put(session, part, places, pieces) if len(pieces) > len(places) else (session, {part: places})
        now |= at
    return Edited(session, now)


def _pieces(session: Session, part: Part, note: Note | TakeNote, seconds: float) -> Sequence[Note | TakeNote]:
    if isinstance(note, TakeNote):
        at = seconds - session.take(str(part)).marker
        is_inside = note.start + SHORTEST_NOTE <= at <= note.end - SHORTEST_NOTE
        return (replace(note, end=at), replace(note, start=at)) if is_inside else (note,)
    tick = session.tempo_map.tick(max(seconds, 0.0))
    if not note.start_tick < tick < note.end_tick:
        return (note,)
    at = session.tempo_map.seconds(tick)
    return replace(note, end=at, end_tick=tick), replace(note, start=at, start_tick=tick)


def copy(session: Session, chosen: Chosen) -> Edited:
    """Put a copy of each note in its place; the copies are chosen, to be moved by another edit."""
    now: dict[Part, list[int]] = {}
    for part, places in notes_there(session, chosen).items():
        notes: Any = part_notes(session, part)
        session, at = put(session, part, [], [replace(notes[i]) for i in places])
        now |= at
    return Edited(session, now)


def repeat(session: Session, chosen: Chosen, ticks: int, times: int) -> Edited:
    """Copy notes so many times, each time `ticks` later than before; all the copies are chosen."""
    last = Edited(session, dict(notes_there(session, chosen)))
    for _ in range(times):
        last = nudge(*copy(*last), ticks)
    made = new_notes(session, last.session) or {}
    return Edited(last.session, {part: places.tolist() for part, places in made.items()})
