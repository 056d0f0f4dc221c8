"""What the knobs ask for: a changed PromptSummary, the aim that logits processors compare a take with; and processors
for what no other one does: the size of chords, the mode, shorter notes, and the key in a changed take.
"""

from collections.abc import Sequence
from dataclasses import replace

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
)
from core.generation.constraints import Bounds
from core.generation.frequencies import logit
from core.generation.logits_processors import (
    CHORD_STEPS,
    Logits,
    LogitsProcessor,
    NoteLengths,
    Position,
    chord_sizes,
    with_notes_as_likely,
)
from core.generation.prompt_summary import PromptSummary
from core.midi.key import Key
from core.midi.score import TakeNote
from core.session.knobs import WORDS, Knobs

LOUDER = 9  # MIDI velocity a step, added to what is played (see core.generation.dynamics)

# What a step up multiplies.
_DENSITY = 1.4
_LONGER, _SHORTER = 2.0, 1.6  # the latter a step down divides by
_CHORD = 1.5  # notes that begin together
_SHORTER_WHEN_BUSY = 0.5  # the power of the density by which notes become shorter, as real ones do
_DENSER_WHEN_FULL = 0.5  # the power of the chords' size by which there are more notes a second
_HIGHER = 4  # semitones a step

_FINEST = 4  # of a step, how far a curve moves at once: what counts what was lately played begins anew each time


MOST_TOGETHER = 10  # notes of a chord; more count as that

_ONS = slice(NOTE_ON.first, NOTE_ON.end)
_SHIFTS = slice(TIME_SHIFT.first, TIME_SHIFT.end)
_VELOCITIES = slice(VELOCITY.first, VELOCITY.end)

# How bright a pitch class is over a tonic, which is how far it lies from it on the line of fifths: over C the raised
# F and B, E and A are bright, B flat, E flat and A flat dark. What major and minor share is neither.
_BRIGHTNESS = np.array([0, -0.5, 0, -1, 1, 0, 0.5, 0, -1, 1, -1, 1])


def knobs_at(parts: Sequence[Knobs], share: float) -> Knobs:
    """Where knobs stand once a `share` (0 to 1) of some parts is over, which follow each other and are equally long.

    They go steadily from the middle of each part to that of the next, gradual ones from their part's start to its end.
    """
    if len(parts) == 1 and not parts[0].gradual:
        return parts[0]
    return Knobs(**{name: _step_at(parts, name, share * len(parts)) for name in WORDS}, gradual=())


def _step_at(parts: Sequence[Knobs], name: str, time: float) -> float:
    """The steps of one knob at a time that is counted in parts."""
    times, steps = list[float](), [0.0]
    for part, knobs in enumerate(parts):
        wanted = getattr(knobs, name)
        is_gradual = name in knobs.gradual
        times += (part, part + 1) if is_gradual else (part + 0.5,)
        steps += (steps[-1], wanted) if is_gradual else (wanted,)
    return round(_FINEST * float(np.interp(time, times, steps[1:]))) / _FINEST


def aim(summary: PromptSummary, knobs: Knobs) -> PromptSummary:
    """What a take is to be like: the summary of a prompt, changed by the knobs."""
    if not knobs.turned():
        return summary
    busier, fuller = _DENSITY**knobs.busy, _CHORD**knobs.full
    longer = (_LONGER if knobs.long > 0 else _SHORTER) ** knobs.long * busier**-_SHORTER_WHEN_BUSY
    before = 0.0 if summary.mean_pitch is None else summary.mean_pitch
    higher = _HIGHER * knobs.high
    mean_pitch = float(np.clip(before + higher, 12, 115))
    return replace(
        summary,
        notes=tuple(_turned(note, busier, longer) for note in summary.notes),
        density=summary.density * busier * fuller**_DENSER_WHEN_FULL,
        mean_pitch=None if summary.mean_pitch is None else mean_pitch,
        outside_key=summary.outside_key & ~_parallel(summary, knobs.bright),
        bounds=summary.bounds and _loosened(summary.bounds, busier, longer, fuller, higher),
        length_factor=longer,
        chord_factor=fuller,
        higher=mean_pitch - before,
        freer=knobs.free,
        brightness=knobs.bright,
    )


def _turned(note: TakeNote, busier: float, longer: float) -> TakeNote:
    start = note.start / busier
    return replace(note, start=start, end=start + (note.end - note.start) * longer)


def _loosened(bounds: Bounds, busier: float, longer: float, fuller: float, higher: float) -> Bounds:
    """The bounds, moved as far as the knobs ask for, and never narrower than the prompt's."""
    more = max(1.0, busier * fuller)
    return Bounds(
        bounds.longest_note * max(1.0, longer),
        bounds.lowest + min(0, round(higher)),
        bounds.highest + max(0, round(higher)),
        round(bounds.most_at_once * max(more, more * longer)),
        round(bounds.most_in_window * more),
    )


def _parallel(summary: PromptSummary, bright: float) -> NDArray[np.bool_]:
    """The pitches of the parallel mode that the knob asks for: they do not count as outside the key."""
    if not bright or summary.tonic is None:
        return np.zeros_like(summary.outside_key)
    key = Key(summary.tonic, "major" if bright > 0 else "minor")
    return np.isin(np.arange(len(summary.outside_key)) % 12, list(key.pitch_classes))


def knob_processors(summary: PromptSummary) -> list[LogitsProcessor]:
    """The processors for knobs that are turned; none for a take that is to be like its prompt."""
    processors: list[LogitsProcessor] = []
    if summary.chord_factor != 1 and summary.notes:
        processors.append(Chords(summary))
    if summary.length_factor < 1:
        processors.append(ShorterNotes(summary))
    is_changed = summary.length_factor != 1 or summary.chord_factor != 1 or summary.higher or summary.freer
    if is_changed and summary.notes and summary.outside_key.any():
        processors.append(KeyShare(summary))
    if summary.brightness and summary.tonic is not None:
        processors.append(Brightness(summary.tonic, summary.brightness))
    return processors


def brightness(pitches: np.ndarray, tonic: int) -> float:
    """How bright some pitches are over a tonic, -1 to 1: 0 for what major and minor share, or for none."""
    return float(_BRIGHTNESS[(np.asarray(pitches) - tonic) % 12].mean()) if len(pitches) else 0.0


class Brightness:
    """Makes what is bright over the tonic likelier, and what is dark less likely, or the other way."""

    _NATS = 0.7  # a step

    def __init__(self, tonic: int, steps: float) -> None:
        self._nats = np.zeros(VOCABULARY_SIZE, np.float32)
        self._nats[_ONS] = self._NATS * steps * _BRIGHTNESS[(np.arange(NOTE_ON.size) - tonic) % 12]

    def observe(self, note: NoteMessage) -> None:
        """The tonic is the prompt's, whatever the take does."""

    def process(self, logits: Logits, position: Position) -> Logits:
        """Logits with that added; whether a note comes now stays as likely as it was."""
        return with_notes_as_likely(logits + self._nats, logits, position)


class KeyShare:
    """Keeps as many of a take's notes in the key as of its prompt's: one changed by knobs leaves it sooner."""

    _DECAY = 0.98  # of the counts, at each note
    _PSEUDOCOUNT = 1.0
    _STRENGTH = 0.5  # times the nats by which there are too many: it wins half of what would be lost
    _MOST_NATS = 4.0

    def __init__(self, summary: PromptSummary) -> None:
        self._outside = summary.outside_key
        self._target = float(np.mean([self._outside[note.pitch] for note in summary.notes]))
        self._counts = np.zeros(2)  # of notes inside, outside

    def observe(self, note: NoteMessage) -> None:
        """Count a note."""
        if note.velocity:
            self._counts *= self._DECAY
            self._counts[int(self._outside[note.pitch])] += 1

    def process(self, logits: Logits, position: Position) -> Logits:
        """After too many notes outside the key they are less likely; whether a note comes now stays as likely."""
        wanted = self._counts.sum() * self._target + self._PSEUDOCOUNT
        nats = self._STRENGTH * np.log(wanted / (self._counts[1] + self._PSEUDOCOUNT))
        if nats >= 0:
            return logits
        processed = logits.copy()
        processed[_ONS][self._outside] += max(nats, -self._MOST_NATS)
        return with_notes_as_likely(processed, logits, position)


class Chords:
    """Makes chords of more or fewer notes, by how often one is followed by another note at once.

    Of the prompt's chords of at least n notes, those that have more are counted, and of the take's. Where the take's
    are too seldom the next note becomes likelier, and a time shift where they are too often (a hazard, as in survival
    analysis: Cox, Regression Models and Life-Tables, 1972).
    """

    _DECAY = 0.98  # of the counts, at each chord
    _PRIOR = 4.0  # chords as the target has them, counted in
    _MOST_NATS = 3.0

    def __init__(self, summary: PromptSummary) -> None:
        sizes = chord_sizes(np.array([round(note.start * STEPS_PER_SECOND) for note in summary.notes]))
        # Every second one half a note more, so that single notes become two in half of the cases.
        wanted = np.maximum(np.floor(sizes * summary.chord_factor + np.arange(len(sizes)) % 2 / 2), 1)
        self._target, before = _hazards(wanted), _hazards(sizes)
        self._shift = _logit(self._target) - _logit(before)  # what a take like the prompt would need
        self._counts = np.zeros(MOST_TOGETHER + 1)
        self._first: int | None = None  # the step at which the newest chord began
        self._size = 0

    def observe(self, note: NoteMessage) -> None:
        """Count a note to its chord, and a chord once the next begins."""
        if not note.velocity:
            return
        if self._first is not None and note.step - self._first <= CHORD_STEPS:
            self._size += 1
            return
        if self._size:
            self._counts *= self._DECAY
            self._counts[min(self._size, MOST_TOGETHER)] += 1
        self._first, self._size = note.step, 1

    def process(self, logits: Logits, position: Position) -> Logits:
        """While a chord may still have another note, that note is likelier or less likely."""
        if self._first is None or position.step - self._first > CHORD_STEPS:
            return logits
        size = min(self._size, MOST_TOGETHER)
        target = self._target[size]
        hazard = (self._counts[size + 1 :].sum() + self._PRIOR * target) / (self._counts[size:].sum() + self._PRIOR)
        nats = self._shift[size] + _logit(target) - _logit(hazard)
        nats = np.clip(nats, -self._MOST_NATS, self._MOST_NATS)
        processed = logits.copy()
        processed[_ONS] += nats
        processed[_VELOCITIES] += nats
        return processed


class ShorterNotes:
    """Stops time where notes are to be let go sooner than a take like the prompt would.

    A model that lets a note go where the next begins goes there at once, past all steps at which a shorter note ends.
    Of all time shifts that come to a step, a share stops there (a hazard, as in `Chords`), which becomes likelier as a
    note-off does there. An onset where time has been stopped for this is as much less likely.
    """

    def __init__(self, summary: PromptSummary) -> None:
        self._lengths = NoteLengths(summary)
        self._step = 0  # at which the next event comes
        self._more = 0.0  # nats by which it had become likelier that time stops there
        self._stops = np.zeros(LONGEST_SHIFT)  # the same of the steps that follow

    def observe(self, note: NoteMessage) -> None:
        """How long notes last decides where they are to end."""
        self._lengths.observe(note)

    def process(self, logits: Logits, position: Position) -> Logits:
        """Time shifts that stop where what sounds is to end are likelier; whether time goes on stays as likely."""
        if position.step != self._step:
            shift = position.step - self._step
            self._more = self._stops[shift - 1] if 0 < shift <= LONGEST_SHIFT else 0.0
            self._step = position.step
        ends = [
            self._lengths.ahead(position.step - onset)
            for pitch, onset in position.sounding.items()
            if onset == position.step or position.allowed[NOTE_OFF.first + pitch]  # not what others hold
        ]
        nats = np.max([np.zeros(LONGEST_SHIFT), *ends], 0)
        processed = logits.copy()
        processed[_ONS] -= self._more
        processed[_VELOCITIES] -= self._more
        processed[_SHIFTS], self._stops = _stopped(logits[_SHIFTS], nats)
        return processed


def _stopped(shifts: Logits, nats: NDArray[np.float64]) -> tuple[Logits, NDArray[np.float64]]:
    """Time shifts (LONGEST_SHIFT), changed so that one that comes to a step is likelier to stop there by so many nats.

    All together stay as likely as before. Also returned is how many nats likelier a stop at each step has become for
    time that comes there: fewer than were given where it was likely already.
    """
    come = np.logaddexp.accumulate(shifts[::-1].astype(np.float64))[::-1]  # as far as there or further
    stops = np.exp(shifts - come)
    more = nats - np.log1p(stops * np.expm1(nats))
    stops = np.minimum(stops * np.exp(more), 1 - 1e-9)
    gone = np.append(0.0, np.cumsum(np.log1p(-stops[:-1])))
    return (come[0] + gone + np.log(stops)).astype(np.float32), more


def _hazards(sizes: np.ndarray) -> np.ndarray:
    """Of the chords of at least n notes, the share that has more; by n, 0 to MOST_TOGETHER."""
    counts = np.bincount(np.minimum(sizes.astype(int), MOST_TOGETHER), minlength=MOST_TOGETHER + 1)
    at_least = np.cumsum(counts[::-1])[::-1]
    more = np.append(at_least[1:], 0)
    return (more + 0.1) / (at_least + 0.2)


def _logit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return logit(np.clip(shares, 0.01, 0.99))
