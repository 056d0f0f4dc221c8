"""Logits processors: each changes the model's logits so that a take stays like its prompt in one respect.

A small model drifts: what it has just played is what it believes in. Each processor observes the notes of one take,
compares them with a PromptSummary, and adds to the logits what pulls the take back. All are soft: no event is ruled
out (that is the grammar's part, core.generation.constraints).

On 100 validation prompts, `Density`, with top-p 0.98 instead of 0.95, brought the takes within 30 % of the true
music's density from 50 to 72 (the prompts themselves: 81), and their mean distance to the true music
(core.midi.statistics.apart) from 0.414 to 0.371.

To add one: write a class of the Protocol here, and name it in `logits_processors`.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage
from core.codec.vocabulary import (
    LONGEST_SHIFT,
    NOTE_OFF,
    NOTE_ON,
    STEPS_PER_SECOND,
    TIME_SHIFT,
    VELOCITY,
    VOCABULARY_SIZE,
    to_bin,
)
from core.generation.frequencies import Frequencies, Hazards, Variety
from core.generation.options import Sampling
from core.generation.prompt_summary import LONGEST_LOOP, LoopCounter, PromptSummary

Logits = NDArray[np.float32]  # (vocab)

CHORD_STEPS = 3  # steps from a chord's first onset to its last, at most, as players spread them

_ONS = slice(NOTE_ON.first, NOTE_ON.end)
_SHIFTS = slice(TIME_SHIFT.first, TIME_SHIFT.end)
_VELOCITIES = slice(VELOCITY.first, VELOCITY.end)  # each announces a note


@dataclass(frozen=True, slots=True)
class Position:
    """Where a take is when its next event is sampled.

    `step` counts from the take's start; `sounding` maps the pitches that sound to the steps of their onsets;
    `allowed` (vocab) is the grammar's mask.
    """

    step: int
    sounding: Mapping[int, int]
    allowed: NDArray[np.bool_]


class LogitsProcessor(Protocol):
    """Changes the logits of one take."""

    def observe(self, note: NoteMessage) -> None:
        """Take in that a note of the take began or (velocity 0) ended."""

    def process(self, logits: Logits, position: Position) -> Logits:
        """The changed logits (vocab); those given stay as they are."""
        ...


def logits_processors(summary: PromptSummary, key_strength: float, are_velocities_free: bool) -> list[LogitsProcessor]:
    """All processors of one take but its Density and Repetition, in the order in which they are applied.

    `key_strength` is in nats. If a take may not have every velocity, notes would be lost to those it may not have:
    velocities are then left alone.
    """
    processors: list[LogitsProcessor] = [
        KeyPenalty(summary, key_strength),
        Rhythm(summary),
        NoteLengths(summary),
        Register(summary),
    ]
    return [*processors, Velocities(summary)] if are_velocities_free else processors


def with_notes_as_likely(processed: Logits, logits: Logits, position: Position) -> Logits:
    """Processed logits, changed in place so that whether a note comes now stays as likely as it was."""
    ons = position.allowed[_ONS]
    if ons.any():
        processed[_ONS] += np.logaddexp.reduce(logits[_ONS][ons]) - np.logaddexp.reduce(processed[_ONS][ons])
    return processed


class KeyPenalty:
    """Makes notes outside the prompt's key less likely, by up to `strength` nats, the more it keeps to it itself."""

    def __init__(self, summary: PromptSummary, strength: float) -> None:
        self._penalties = np.zeros(VOCABULARY_SIZE, np.float32)
        self._penalties[_ONS][summary.outside_key] = -strength * summary.key_weight

    def observe(self, note: NoteMessage) -> None:
        """The key is the prompt's, whatever the take does."""

    def process(self, logits: Logits, position: Position) -> Logits:
        """Logits with the penalties added."""
        return logits + self._penalties


class Density:
    """Keeps a take as busy as its prompt, in notes per second.

    A small model that has played a fast run believes in fast music and goes on so. The pull is soft: over a few
    seconds a take does what it likes. A pull by how busy a take has lately been would leave a part of what the model
    does wrong all the time as it is, so what it takes against that is learned (proportional-integral control).
    """

    _WINDOW = 15 * STEPS_PER_SECOND  # steps of the take in which notes are counted
    _PRIOR = 3 * STEPS_PER_SECOND  # steps as dense as the prompt, counted in: a take's first notes tell little
    _LEARNING = 5 * STEPS_PER_SECOND  # steps of the same excess after which as much has been learned
    _MOST_LEARNED = 1.0  # as an excess, either way
    _NATS = 3.0  # by which a note becomes less likely for each factor e of density too many
    # By which a time shift becomes more likely for that and for each factor e of its length over 0.1 s.
    _SHIFT_NATS = 2.0
    _LENGTHS = np.log(np.arange(1, LONGEST_SHIFT + 1) / 10).astype(np.float32)

    def __init__(self, density: float) -> None:
        """`density` is what is wanted, in notes per step; 0: none."""
        self._target = density
        self._onsets: deque[int] = deque()  # steps
        self._since = 0  # the step from which on notes are counted
        self._last = 0  # the step up to which the model has been learned from
        self._learned = 0.0

    def change(self, density: float, step: int) -> None:
        """From a step on, keep the take as busy as that; what is known of the model stays."""
        if density == self._target:
            return
        self._target = density
        self._onsets.clear()
        self._since = self._last = step

    def observe(self, note: NoteMessage) -> None:
        """Count a note's onset."""
        if not note.velocity:
            return
        learned = self._learned + self.excess(note.step) * (note.step - self._last) / self._LEARNING
        self._learned = min(max(learned, -self._MOST_LEARNED), self._MOST_LEARNED)
        self._last = note.step
        self._onsets.append(note.step)

    def excess(self, step: int) -> float:
        """How many times as busy as its prompt the take has been lately, as a power of e: 0 as busy, below 0 calmer."""
        if not self._target:
            return 0.0
        while self._onsets and self._onsets[0] <= step - self._WINDOW:
            self._onsets.popleft()
        steps = min(step - self._since, self._WINDOW) + self._PRIOR
        return float(np.log((len(self._onsets) + self._target * self._PRIOR) / (self._target * steps)))

    def process(self, logits: Logits, position: Position) -> Logits:
        """After too many notes, fewer are likely, and longer time shifts."""
        excess = self.excess(position.step) + self._learned
        if not excess:
            return logits
        processed = logits.copy()
        processed[_ONS] -= self._NATS * excess
        processed[_VELOCITIES] -= self._NATS * excess
        processed[_SHIFTS] += self._SHIFT_NATS * excess * self._LENGTHS
        return processed


_TIME_BINS = 24
_TIME_BLUR = 0.25  # nobody plays like a clock


def chord_onsets(steps: NDArray[np.int64], within: int = CHORD_STEPS) -> NDArray[np.int64]:
    """The first onset of each chord in turn; `steps` are the onsets of notes, in any order."""
    firsts: list[int] = []
    for step in np.unique(steps).tolist():
        if not firsts or step - firsts[-1] > within:
            firsts.append(step)
    return np.array(firsts, np.int64)


def chord_sizes(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many notes begin together, at each onset in turn; `steps` are their onsets, in any order."""
    firsts = chord_onsets(steps)
    return np.bincount(np.searchsorted(firsts, steps, "right") - 1, minlength=len(firsts)).astype(np.int64)


def _time_bins(longest: int, steps: int) -> NDArray[np.int64]:
    """The bin of each time from 0 to `steps` - 1; bins are even on a logarithmic scale up to `longest` steps."""
    edges = np.geomspace(1, longest, _TIME_BINS + 1)[:-1]
    return np.maximum(np.searchsorted(edges, np.minimum(np.arange(steps), longest), "right") - 1, 0)


class Rhythm:
    """Keeps the times between a take's onsets like those between its prompt's.

    Where they were too seldom a sixteenth apart, say, for a prompt that goes in sixteenths, the next onset becomes
    likelier a sixteenth after the last. For a rhythm that is to be steadier or freer chords count as one onset.
    """

    _LONGEST = 4 * STEPS_PER_SECOND  # steps between two onsets; longer ones count as that
    _BINS = _time_bins(_LONGEST, 2 * _LONGEST)  # from one bin to the next, the time grows by 28 %
    _SHIFT_STRENGTH = 0.5  # times as much as an onset a shift to there becomes likelier; 1 for another rhythm
    _TIMES = np.geomspace(1, _LONGEST, _TIME_BINS)  # steps, of each bin

    def __init__(self, summary: PromptSummary) -> None:
        freer = summary.freer
        # Steps from an onset in which further notes belong to it, and the strength.
        self._chord, self._strength = (CHORD_STEPS, 1.0) if freer else (0, self._SHIFT_STRENGTH)
        onsets = chord_onsets(np.array([round(note.start * STEPS_PER_SECOND) for note in summary.notes]), self._chord)
        times = np.diff(onsets)
        bins = self._BINS[np.minimum(times, self._LONGEST)]
        self._frequencies: Frequencies | Variety | None = None
        if len(bins) and freer:
            # On a scale of ratios all times equally often, long ones less, so that there are about as many onsets.
            free = np.where(self._chord < self._TIMES, np.exp(-self._TIMES / (5 * times.mean())), 0.0)
            self._frequencies = Variety(bins, free, freer)
        elif len(bins):
            self._frequencies = Frequencies(bins, _TIME_BINS, _TIME_BLUR)
        self._last: int | None = None  # the step of the newest onset

    def observe(self, note: NoteMessage) -> None:
        """Count the time since the last onset; a chord is one onset."""
        if self._frequencies is None or not note.velocity:
            return
        if self._last is not None:
            if note.step - self._last <= self._chord:
                return
            self._frequencies.observe(int(self._BINS[min(note.step - self._last, self._LONGEST)]))
        self._last = note.step

    def process(self, logits: Logits, position: Position) -> Logits:
        """An onset is likelier where its time from the last was too seldom, and so are time shifts that lead there.

        Whether time goes on stays as likely as it was: otherwise notes would be let go sooner, or later.
        """
        if self._frequencies is None or self._last is None:
            return logits
        since = min(position.step - self._last, self._LONGEST)
        nats = self._frequencies.nats
        processed = logits.copy()
        if since > self._chord:
            processed[_ONS] += nats[self._BINS[since]]
            processed[_VELOCITIES] += nats[self._BINS[since]]
        within = max(0, self._chord - since)  # shifts that end within the chord
        bins = self._BINS[since + 1 + within : since + 1 + LONGEST_SHIFT]
        processed[_SHIFTS][within:] += self._strength * nats[bins]
        processed[_SHIFTS] += np.logaddexp.reduce(logits[_SHIFTS]) - np.logaddexp.reduce(processed[_SHIFTS])
        return processed


class NoteLengths:
    """Keeps the lengths of a take's notes like those of its prompt's.

    A small model that has let its notes go early, and so plays thinner and thinner chords, goes on so; or it forgets to
    let them go. Where too few of its notes that came to half a second, say, have lately been let go then, a note-off
    becomes likelier there.
    """

    _LONGEST = 8 * STEPS_PER_SECOND  # steps; longer notes count as that
    _BINS = _time_bins(_LONGEST, _LONGEST + 1)  # from one bin to the next, the length grows by 32 %

    def __init__(self, summary: PromptSummary) -> None:
        self._hazards: Hazards | None = None
        if summary.notes:
            wanted = np.array([note.end - note.start for note in summary.notes]) * STEPS_PER_SECOND
            before, after = (
                self._BINS[np.minimum(np.rint(steps).astype(int), self._LONGEST)]
                for steps in (wanted / summary.length_factor, wanted)
            )
            self._hazards = Hazards(before, summary.are_open, _TIME_BINS, _TIME_BLUR, after, summary.length_factor)
        self._onsets: dict[int, int] = {}  # steps by pitch

    def ahead(self, steps: int) -> NDArray[np.float32]:
        """By what a note that has lasted so many steps is let go after each of the time shifts (LONGEST_SHIFT).

        It is 0 as long as that is what it is let go by now.
        """
        if self._hazards is None:
            return np.zeros(LONGEST_SHIFT, np.float32)
        bins = self._BINS[np.minimum(steps + np.arange(1, LONGEST_SHIFT + 1), self._LONGEST)]
        return self._hazards.nats[bins] * (bins > self._bin(steps))

    def _bin(self, steps: int) -> int:
        return int(self._BINS[min(steps, self._LONGEST)])

    def observe(self, note: NoteMessage) -> None:
        """Count a note's length when it ends."""
        if note.velocity:
            self._onsets[note.pitch] = note.step
        elif self._hazards is not None and note.pitch in self._onsets:
            self._hazards.observe(self._bin(note.step - self._onsets.pop(note.pitch)))

    def process(self, logits: Logits, position: Position) -> Logits:
        """Notes that sound are let go sooner or later."""
        if self._hazards is None:
            return logits
        processed = logits.copy()
        for pitch, onset in position.sounding.items():
            processed[NOTE_OFF.first + pitch] += self._hazards.nats[self._bin(position.step - onset)]
        return processed


class Register:
    """Keeps a take as high as its prompt: a small model drifts, and ends in one corner of the keyboard."""

    _NOTES = 48  # of the take, whose mean pitch counts
    _PRIOR = 12  # notes of the prompt's mean pitch, counted in: a take's first notes tell little
    _NATS = 3.0  # by which a note an octave further on becomes less likely for each octave that the take is off
    _PRIOR_ASKED, _NATS_ASKED = 3, 6.0  # where a take is to lie higher or lower, from its first note on

    def __init__(self, summary: PromptSummary) -> None:
        self._target = summary.mean_pitch
        self._higher = summary.higher
        is_asked = self._higher != 0
        self._prior, self._nats = (self._PRIOR_ASKED, self._NATS_ASKED) if is_asked else (self._PRIOR, self._NATS)
        if summary.bounds and self._target is not None:
            # No note beyond the bounds, where a user lets those come, is likelier than the last ones within.
            within = np.clip(np.arange(NOTE_ON.size), summary.bounds.lowest, summary.bounds.highest)
            self._octaves = ((within - self._target) / 12).astype(np.float32)
        self._pitches: deque[int] = deque(maxlen=self._NOTES)

    def observe(self, note: NoteMessage) -> None:
        """Count a note's pitch."""
        if note.velocity:
            self._pitches.append(note.pitch)

    @property
    def off(self) -> float:
        """How far the take's notes have lately lain above the prompt's, in octaves; below 0 under them."""
        if self._target is None:
            return 0.0
        off = sum(pitch - self._target for pitch in self._pitches) - self._prior * self._higher
        return off / (12 * (len(self._pitches) + self._prior))

    def process(self, logits: Logits, position: Position) -> Logits:
        """The higher the take has been, the less likely its higher notes."""
        off = self.off
        if self._target is None or not off:
            return logits
        processed = logits.copy()
        processed[_ONS] -= self._nats * off * self._octaves
        return processed


class Velocities:
    """Keeps the velocities of a take's notes like those of its prompt's.

    Where a velocity has lately been too seldom, the next note becomes likelier to have it. Whether a note begins at all
    is left as it was.
    """

    _BLUR = 0.5  # nobody plays like a machine

    def __init__(self, summary: PromptSummary) -> None:
        bins = np.array([to_bin(note.velocity) for note in summary.notes])
        self._frequencies = Frequencies(bins, VELOCITY.size, self._BLUR) if summary.notes else None
        self._bin: int | None = None  # the newest note's

    def observe(self, note: NoteMessage) -> None:
        """Count a note's velocity."""
        if self._frequencies is not None and note.velocity:
            self._bin = to_bin(note.velocity)
            self._frequencies.observe(self._bin)

    def process(self, logits: Logits, position: Position) -> Logits:
        """A note-on, which keeps the velocity, and the velocities are likelier if they were too seldom.

        All that begins a note is together as likely as before, so that a take stays as dense.
        """
        if self._frequencies is None or self._bin is None:
            return logits
        processed = logits.copy()
        processed[_ONS] += self._frequencies.nats[self._bin]
        processed[_VELOCITIES] += self._frequencies.nats
        more = _logsumexp_of_onsets(processed) - _logsumexp_of_onsets(logits)
        processed[_ONS] -= more
        processed[_VELOCITIES] -= more
        return processed


def _logsumexp_of_onsets(logits: Logits) -> np.float32:
    """Of all events that begin a note: the logarithm of the sum of their exponentials."""
    begins = np.concatenate([logits[_ONS], logits[_VELOCITIES]])
    return begins.max() + np.log(np.exp(begins - begins.max()).sum())


class Repetition:
    """Breaks loops: a take that repeats itself more than its prompt does is loosened until it stops."""

    _NATS = 0.5  # by which each repeated note too many makes the next less likely
    _HOTTER = 1.2  # times the temperature
    _LAGS = np.arange(1, LONGEST_LOOP + 1)
    # Repeated notes that are too many: of a single pitch, of short loops, then of three more times round. Of real music
    # (the pieces held out of training) fewer than 6 notes in 1000 come in longer loops.
    _ALWAYS_ALLOWED = np.maximum(3 * _LAGS, np.where(_LAGS == 1, 8, 12))

    def __init__(self, summary: PromptSummary) -> None:
        self._loops = LoopCounter()
        self._most = np.maximum(summary.longest_runs, self._ALWAYS_ALLOWED)
        self._excess = 0  # repeated notes too many

    def observe(self, note: NoteMessage) -> None:
        """Count a note of the take."""
        if note.velocity:
            self._loops.observe(note.pitch)
            self._excess = int((self._loops.runs - self._most).max()) + 1

    @property
    def is_too_much(self) -> bool:
        """Whether the take should be broken out of a loop now."""
        return self._excess > 0

    def process(self, logits: Logits, position: Position) -> Logits:
        """In a loop, other notes are likelier, the more the longer it goes on.

        Whether a note comes now stays as likely as it was: a loop is broken by another note, not by silence.
        """
        if not self.is_too_much:
            return logits
        expected = NOTE_ON.first + self._loops.recent[self._loops.runs >= self._most]
        processed = logits.copy()
        processed[expected] = logits[expected] - self._NATS * self._excess
        return with_notes_as_likely(processed, logits, position)

    def loosen(self, params: Sampling) -> Sampling:
        """The sampling parameters, in a loop with a higher temperature and top-p."""
        if not self.is_too_much:
            return params
        temperature = min(10, params.temperature * self._HOTTER)
        return replace(params, temperature=temperature, top_p=(1 + params.top_p) / 2)
