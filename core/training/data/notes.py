"""Notes as arrays, at a sixteenth of the codec's step, and their events in a few array operations.

Augmentation works on these: a tempo change before the rounding to steps is exact, after it is not.
The rules of the events are the codec's (core.codec.events); tests hold the two together.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.codec.events import LONGEST_PEDAL, Conventions
from core.codec.vocabulary import (
    BOUNDARY,
    LONGEST_SHIFT,
    NOTE_OFF,
    NOTE_ON,
    STEPS_PER_SECOND,
    TIME_SHIFT,
    VELOCITY,
    Kind,
)
from core.midi.score import Score, Track

TICKS = 16  # per step
# Start and end in ticks (the pedal folded into the end), pitch, MIDI velocity, which of the piece's tracks: six words.
NOTE = np.dtype([("start", "<u4"), ("end", "<u4"), ("pitch", "u1"), ("velocity", "u1"), ("track", "<u2")])

_OURS = Conventions()

Notes = NDArray[np.void]  # (N) of NOTE
Events = NDArray[np.uint16]  # (T) ids


def are_of(ids: NDArray[np.integer], kind: Kind) -> NDArray[np.bool_]:
    """Which ids are of a kind, (T)."""
    return (ids >= kind.first) & (ids < kind.end)


def shifted(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """The steps of each id, (T): a time shift's, else 0."""
    return np.where(are_of(ids, TIME_SHIFT), ids.astype(np.int64) - TIME_SHIFT.first + 1, 0)


def score_notes(score: Score) -> Notes:
    """The notes of all tracks but percussion, by start, then pitch; silence before the first is cut off.

    Notes with one pitch and one onset, and re-strikes, are still apart: they meet on the grid only
    once the tempo is known.
    """
    tracks = [track for track in score.tracks if not track.is_percussion and track.notes]
    parts = [_track_notes(track, number) for number, track in enumerate(tracks)]
    if not parts:
        return np.empty(0, NOTE)
    notes = np.concatenate(parts)
    notes = notes[np.lexsort((notes["end"], notes["velocity"], notes["pitch"], notes["start"]))]
    lead_in = int(notes["start"][0]) // TICKS * TICKS
    notes["start"] -= lead_in
    notes["end"] -= lead_in
    return notes


def _track_notes(track: Track, number: int) -> Notes:
    starts = np.array([n.start for n in track.notes])
    releases = np.array([n.end for n in track.notes])
    silent = releases.copy()
    if track.pedals:
        pedal_starts = np.array([p.start for p in track.pedals])
        pedal_ends = np.array([p.end for p in track.pedals])
        first = np.searchsorted(pedal_ends, releases, "right")  # the first pedal that goes on after the release
        held = first < len(pedal_ends)
        held[held] = pedal_starts[first[held]] <= releases[held]
        silent[held] = np.minimum(pedal_ends[first[held]], releases[held] + LONGEST_PEDAL)
    notes = np.empty(len(starts), NOTE)
    # Half a step is added first, so that a whole division by TICKS rounds as the codec does.
    notes["start"] = (starts * STEPS_PER_SECOND + 0.5) * TICKS
    notes["end"] = (silent * STEPS_PER_SECOND + 0.5) * TICKS
    notes["pitch"] = [n.pitch for n in track.notes]
    notes["velocity"] = [n.velocity for n in track.notes]
    notes["track"] = number
    return notes


def to_steps(ticks: NDArray[np.integer], tempo: float) -> NDArray[np.int64]:
    """The steps that ticks fall into, from 0 on, at a tempo."""
    if tempo == 1.0:
        return (ticks // TICKS).astype(np.int64)
    middle = (ticks.astype(np.float64) + 0.5) / TICKS - 0.5  # steps, half a tick off at most
    return (middle / tempo + 0.5).astype(np.int64)


def note_events(
    notes: Notes,
    conventions: Conventions = _OURS,
    *,
    tempo: float = 1.0,
    transpose: int = 0,
    louder: int = 0,
    boundary: bool = False,
) -> Events:
    """Events of notes sorted by start; time is counted from the first.

    `tempo` 1.1 plays a tenth faster; `transpose` in semitones must leave all pitches in 0 to 127;
    `louder` is added to every velocity. `boundary` puts one in front if the conventions know it.
    """
    first = [BOUNDARY] if boundary and conventions.starts_with_boundary else []
    if not len(notes):
        return np.array(first, np.uint16)
    grid = on_grid(notes, tempo, transpose, louder).cut()
    return np.concatenate((np.array(first, np.uint16), serialise(grid, grid, conventions)))


NoteColumn = NDArray[np.int64]
Mask = NDArray[np.bool_]


class GridNotes(NamedTuple):
    """Columns (N) of notes on the grid, one for each pitch and onset, by start, then pitch; velocities are MIDI's.

    `chosen` are those of which all notes that they were made of were chosen.
    """

    start: NoteColumn
    end: NoteColumn
    pitch: NoteColumn
    velocity: NoteColumn
    chosen: Mask

    def where(self, mask: Mask) -> "GridNotes":
        """Some of them."""
        return GridNotes(self.start[mask], self.end[mask], self.pitch[mask], self.velocity[mask], self.chosen[mask])

    def since(self, step: int) -> "GridNotes":
        """The same with steps counted from another."""
        return self._replace(start=self.start - step, end=self.end - step)

    def cut(self) -> "GridNotes":
        """The same, where a re-strike ends the note that sounds."""
        end = self.end.copy()
        by_pitch = np.argsort(self.pitch, kind="stable")  # each pitch's notes in order of onset
        now, after = by_pitch[:-1], by_pitch[1:]
        same = self.pitch[now] == self.pitch[after]
        end[now[same]] = np.minimum(end[now[same]], self.start[after[same]])
        return self._replace(end=end)


def on_grid(
    notes: Notes, tempo: float = 1.0, transpose: int = 0, louder: int = 0, chosen: Mask | None = None
) -> GridNotes:
    """Notes as `note_events` puts them on the grid, not `cut` yet: louder velocity and later end at one onset."""
    start, end = to_steps(notes["start"], tempo), to_steps(notes["end"], tempo)
    start, end = start - start[0], end - start[0]
    pitch = notes["pitch"].astype(np.int64) + transpose
    velocity = np.clip(notes["velocity"].astype(np.int64) + louder, 1, 127)
    end = np.maximum(end, start + 1)
    key = start * 128 + pitch
    order = np.argsort(key, kind="stable")
    key = key[order]
    heads = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    start, pitch = key[heads] // 128, key[heads] % 128
    end = np.maximum.reduceat(end[order], heads)
    velocity = np.maximum.reduceat(velocity[order], heads)
    both = np.zeros(len(heads), bool) if chosen is None else np.logical_and.reduceat(chosen[order], heads)
    return GridNotes(start, end, pitch, velocity, both)


def serialise(begins: GridNotes, ends: GridNotes, conventions: Conventions, seam: int | None = None) -> Events:
    """The ids of the begins of notes and the ends of others, all from step 0 on.

    Within a step note-offs, then note-ons, by pitch; before each its time shifts and velocity. No time shift leads
    over the step `seam`: the events reach at least to there.
    """
    n, m = len(begins.start), len(ends.start)
    bins = begins.velocity // 4
    spoken = np.ones(n, bool)  # notes with a velocity event of their own
    if conventions.velocity == "change":
        spoken[1:] = bins[1:] != bins[:-1]
    seams = np.array([] if seam is None else [seam], np.int64)
    key = np.concatenate((begins.start * 512 + 256 + begins.pitch, ends.end * 512 + 128 + ends.pitch, seams * 512))
    if not len(key):
        return np.empty(0, np.uint16)
    order = np.argsort(key, kind="stable")
    step = key[order] // 512
    is_on, is_note = order < n, order < n + m
    wait = np.diff(step, prepend=0)
    seconds, rest = wait // LONGEST_SHIFT, wait % LONGEST_SHIFT
    speaks = np.zeros(len(key), bool)
    speaks[is_on] = spoken[order[is_on]]
    last = np.cumsum(seconds + (rest > 0) + speaks + is_note) - 1  # place of each note-on or note-off
    ids = np.full(last[-1] + 1, TIME_SHIFT.end - 1, np.uint16)  # whole seconds, unless written over
    # Of note-ons 256 + pitch is left of the key, of note-offs 128 + pitch.
    ids[last[is_note]] = key[order][is_note] % 512 - np.where(is_on[is_note], 256 - NOTE_ON.first, 128 - NOTE_OFF.first)
    ids[last[speaks] - 1] = VELOCITY.first + bins[order[speaks]]
    short = rest > 0
    ids[(last - speaks - is_note)[short]] = TIME_SHIFT.first + rest[short] - 1
    return ids
