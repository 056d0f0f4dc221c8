"""Notes as arrays, at a sixteenth of the codec's step, and their events in a few array operations.

Augmentation works on these: a tempo change before the rounding to steps is exact, after it is not.
The rules of the events are the codec's (core.codec.events); tests hold the two together.
"""

import numpy as np
from numpy.typing import NDArray

from core.codec.events import LONGEST_PEDAL, Conventions
from core.codec.vocabulary import BOUNDARY, LONGEST_SHIFT, NOTE_OFF, NOTE_ON, STEPS_PER_SECOND, TIME_SHIFT, VELOCITY
from core.midi.score import Score, Track

TICKS = 16  # per step
# Start and end in ticks (the pedal folded into the end), pitch and MIDI velocity: five uint16 words.
NOTE = np.dtype([("start", "<u4"), ("end", "<u4"), ("pitch", "u1"), ("velocity", "u1")])

_OURS = Conventions()

Notes = NDArray[np.void]  # (N) of NOTE
Events = NDArray[np.uint16]  # (T) ids


def score_notes(score: Score) -> Notes:
    """The notes of all tracks but percussion, by start, then pitch; silence before the first is cut off.

    Notes with one pitch and one onset, and re-strikes, are still apart: they meet on the grid only
    once the tempo is known.
    """
    parts = [_track_notes(track) for track in score.tracks if not track.is_percussion and track.notes]
    if not parts:
        return np.empty(0, NOTE)
    notes = np.concatenate(parts)
    notes = notes[np.lexsort((notes["end"], notes["velocity"], notes["pitch"], notes["start"]))]
    lead_in = int(notes["start"][0]) // TICKS * TICKS
    notes["start"] -= lead_in
    notes["end"] -= lead_in
    return notes


def _track_notes(track: Track) -> Notes:
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
    return notes


def _steps(ticks: NDArray[np.uint32], tempo: float) -> NDArray[np.int64]:
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
    start, end = _steps(notes["start"], tempo), _steps(notes["end"], tempo)
    start, end = start - start[0], end - start[0]
    pitch = notes["pitch"].astype(np.int64) + transpose
    velocity = np.clip(notes["velocity"].astype(np.int64) + louder, 1, 127)
    start, end, pitch, velocity = _on_grid(start, end, pitch, velocity)
    return np.concatenate((np.array(first, np.uint16), _serialise(start, end, pitch, velocity // 4, conventions)))


_Column = NDArray[np.int64]


def _on_grid(start: _Column, end: _Column, pitch: _Column, velocity: _Column) -> tuple[_Column, ...]:
    """One note per pitch and onset (louder velocity, later end); a re-strike ends the sounding note."""
    end = np.maximum(end, start + 1)
    key = start * 128 + pitch
    order = np.argsort(key, kind="stable")
    key = key[order]
    heads = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    start, pitch = key[heads] // 128, key[heads] % 128
    end = np.maximum.reduceat(end[order], heads)
    velocity = np.maximum.reduceat(velocity[order], heads)
    by_pitch = np.argsort(pitch, kind="stable")  # each pitch's notes in order of onset
    now, after = by_pitch[:-1], by_pitch[1:]
    same = pitch[now] == pitch[after]
    end[now[same]] = np.minimum(end[now[same]], start[after[same]])
    return start, end, pitch, velocity


def _serialise(start: _Column, end: _Column, pitch: _Column, bins: _Column, conventions: Conventions) -> Events:
    """The ids: within a step note-offs, then note-ons, by pitch; before each its time shifts and velocity."""
    n = len(start)
    spoken = np.ones(n, bool)  # notes with a velocity event of their own
    if conventions.velocity == "change":
        spoken[1:] = bins[1:] != bins[:-1]
    key = np.concatenate((start * 256 + 128, end * 256)) + np.concatenate((pitch, pitch))
    order = np.argsort(key, kind="stable")
    step = key[order] // 256
    is_on = order < n
    wait = np.diff(step, prepend=0)
    seconds, rest = wait // LONGEST_SHIFT, wait % LONGEST_SHIFT
    speaks = np.zeros(2 * n, bool)
    speaks[is_on] = spoken[order[is_on]]
    last = np.cumsum(seconds + (rest > 0) + speaks + 1) - 1  # place of each note-on or note-off
    ids = np.full(last[-1] + 1, TIME_SHIFT.end - 1, np.uint16)  # whole seconds, unless written over
    note = order % n
    ids[last] = pitch[note] + np.where(is_on, NOTE_ON.first, NOTE_OFF.first)
    ids[last[speaks] - 1] = VELOCITY.first + bins[note[speaks]]
    short = rest > 0
    ids[(last - speaks - 1)[short]] = TIME_SHIFT.first + rest[short] - 1
    return ids
