"""What a prompt tells about how its takes should be: the notes of its end, their density, range, key and loops."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.codec.events import DEFAULT_VELOCITY, Prompt, decode
from core.codec.vocabulary import NOTE_ON, STEPS_PER_SECOND, from_bin, last_bin, shift_steps
from core.generation.constraints import Bounds, bounds_of
from core.midi.key import detect_key
from core.midi.score import TakeNote

LONGEST_LOOP = 32  # notes

_END_SECONDS = 20.0
# Seconds in which what a note counts for the density falls to 1 / e. So weighed it is nearer to that of the 20 seconds
# that follow: within 30 % of it after 73 % of the prompts of validation pieces (with all notes alike after 69 %).
_LATELY = 8.0
_FEWEST_NOTES = 8
_KEY_SECONDS = 30.0
_FEWEST_NOTES_OF_A_KEY = 16
# A prompt with this share of its notes outside its key is chromatic: no pitch class counts as outside its key.
_CHROMATIC = 0.1


class LoopCounter:
    """Counts repeated notes: `runs[lag - 1]` is how many in a row had the pitch of the note `lag` before them.

    A loop is a run of such notes: with lag 1 in a machine-gun run, with lag 4 in a broken chord that goes round and
    round. `recent` (LONGEST_LOOP) are the last pitches, the newest first; -1 where there is none yet.
    """

    def __init__(self) -> None:
        self.recent = np.full(LONGEST_LOOP, -1)
        self.runs = np.zeros(LONGEST_LOOP, np.int64)

    def observe(self, pitch: int) -> None:
        """Count the next note."""
        self.runs = np.where(self.recent == pitch, self.runs + 1, 0)
        self.recent[1:] = self.recent[:-1]
        self.recent[0] = pitch


@dataclass(frozen=True, slots=True, eq=False)
class PromptSummary:
    """What the logits processors and the grammar know of a prompt. Its arrays must not be changed.

    `notes` are those of the last 20 seconds, none if they are too few to tell anything; their times are right relative
    to each other, and `are_open` tells which of them go on across the marker. `density` is how many begin per step, of
    late above all (0 without notes), `mean_pitch` their mean (None without). `outside_key` (128) tells which pitches
    lie outside the prompt's key, and `key_weight`, 0 to 1, how strictly the prompt itself keeps to it; `tonic` is the
    key's, 0 to 11, None if no key can be told. `longest_runs` (LONGEST_LOOP) are a LoopCounter's longest runs over the
    prompt.

    What a take is to do otherwise than its prompt (see core.generation.knobs): notes `length_factor` times as long, as
    `notes` are then already; chords of `chord_factor` times as many notes; pitches `higher` semitones higher, as
    `mean_pitch` is then already; a rhythm `freer`, and a mode `brightness`, that many steps.
    """

    notes: tuple[TakeNote, ...]
    are_open: NDArray[np.bool_]
    density: float
    mean_pitch: float | None
    bounds: Bounds | None
    outside_key: NDArray[np.bool_]
    key_weight: float
    longest_runs: NDArray[np.int64]
    tonic: int | None = None
    length_factor: float = 1.0
    chord_factor: float = 1.0
    higher: float = 0.0
    freer: float = 0.0
    brightness: float = 0.0


@lru_cache(2)
def summarize(prompt: Prompt, window: tuple[int, ...] | None = None) -> PromptSummary:
    """The summary of a prompt, of which the model has read `window` (None: all its events).

    Key and loops are those of the window, the rest is of the whole prompt.
    """
    if window is None:
        window = prompt.events
    notes = end_notes(prompt)
    outside_key, key_weight, tonic = _key(window)
    return PromptSummary(
        notes,
        _are_open(notes, prompt),
        _density(notes),
        float(np.mean([note.pitch for note in notes])) if notes else None,
        bounds_of(prompt),
        outside_key,
        key_weight,
        _longest_runs([event - NOTE_ON.first for event in window if event in NOTE_ON]),
        tonic,
    )


def end_notes(prompt: Prompt) -> tuple[TakeNote, ...]:
    """The notes of a prompt's last 20 seconds, at 100 steps a second; none if they are too few to tell anything.

    Their times are right relative to each other.
    """
    first = _end_start(prompt)
    notes = decode(prompt.events[first:], _velocity_after(prompt.events[:first]))
    end = max((note.end for note in notes), default=0.0)
    late = tuple(note for note in notes if note.start >= end - _END_SECONDS)
    return late if len(late) >= _FEWEST_NOTES else ()


def _are_open(notes: Sequence[TakeNote], prompt: Prompt) -> NDArray[np.bool_]:
    """Which notes of a prompt's end go on: the last ones of the pitches that sound across the marker."""
    last = {note.pitch: i for i, note in enumerate(notes)}
    are_open = np.zeros(len(notes), bool)
    are_open[[last[pitch] for pitch, _ in prompt.sounding if pitch in last]] = True
    return are_open


def _end_start(prompt: Prompt) -> int:
    """Index of the first event that the last 20 seconds' notes are made of: a long prompt takes long to decode."""
    events = prompt.events
    first = len(events)
    while first and not prompt.sounding and shift_steps(events[first - 1]):  # silence after the last note
        first -= 1
    steps = 0
    while first and steps <= _END_SECONDS * STEPS_PER_SECOND:
        first -= 1
        steps += shift_steps(events[first])
    return first


def _velocity_after(events: Sequence[int]) -> int:
    """The MIDI velocity that holds after some events."""
    velocity_bin = last_bin(events)
    return DEFAULT_VELOCITY if velocity_bin is None else from_bin(velocity_bin)


def _density(notes: Sequence[TakeNote]) -> float:
    """Notes per step up to the last onset: a note counts the less, the longer ago it began."""
    if not notes:
        return 0.0
    ago = notes[-1].start - np.array([note.start for note in notes])  # seconds
    weights = np.exp(-ago[ago > 0] / _LATELY)
    return float(weights.sum() / (STEPS_PER_SECOND * _LATELY * (1 - np.exp(-max(ago[0], 1.0) / _LATELY))))


def _key(events: Sequence[int]) -> tuple[NDArray[np.bool_], float, int | None]:
    """Which pitches lie outside the key of the last 30 seconds, how strictly these keep to it (0 to 1), its tonic."""
    notes = decode(events)
    notes = [note for note in notes if note.start >= notes[-1].start - _KEY_SECONDS]
    if len(notes) < _FEWEST_NOTES_OF_A_KEY:
        return np.zeros(NOTE_ON.size, bool), 0.0, None
    key = detect_key(notes)
    share = sum(note.pitch % 12 not in key.pitch_classes for note in notes) / len(notes)
    outside = ~np.isin(np.arange(NOTE_ON.size) % 12, list(key.pitch_classes))
    return outside, max(0.0, 1 - share / _CHROMATIC), key.tonic


def _longest_runs(pitches: Sequence[int]) -> NDArray[np.int64]:
    counter = LoopCounter()
    longest = counter.runs
    for pitch in pitches:
        counter.observe(pitch)
        longest = np.maximum(longest, counter.runs)
    return longest
