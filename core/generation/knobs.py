"""What the knobs ask for: what the logits processors compare a take with, its aim, a changed PromptSummary; and the
processors of those knobs that no other processor serves, chords and mode.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage
from core.codec.vocabulary import NOTE_ON, STEPS_PER_SECOND, VELOCITY, VOCABULARY_SIZE
from core.generation.constraints import Bounds
from core.generation.frequencies import logit
from core.generation.logits_processors import CHORD_STEPS, Logits, LogitsProcessor, Position, chord_sizes
from core.generation.prompt_summary import PromptSummary
from core.midi.key import Key
from core.midi.score import TakeNote
from core.session.knobs import Knobs

LOUDER = 9  # MIDI velocity a step, added to what is played (see core.generation.dynamics)

# What a step up multiplies.
_DENSITY = 1.4
_LENGTH = 2.2
_CHORD = 1.5  # notes that begin together
_VARIETY = 3.0  # by this power times between onsets that are rare become likelier
_SHORTER_WHEN_BUSY = 0.5  # the power of the density by which notes become shorter, as real ones do
_DENSER_WHEN_FULL = 0.5  # the power of the chords' size by which there are more notes a second
_HIGHER = 4  # semitones a step


MOST_TOGETHER = 10  # notes of a chord; more count as that

_ONS = slice(NOTE_ON.first, NOTE_ON.end)
_VELOCITIES = slice(VELOCITY.first, VELOCITY.end)

# How bright a pitch class is over a tonic, which is how far it lies from it on the line of fifths: over C the raised
# F and B, E and A are bright, B flat, E flat and A flat dark. What major and minor share is neither.
_BRIGHTNESS = np.array([0, -0.5, 0, -1, 1, 0, 0.5, 0, -1, 1, -1, 1])


def aim(summary: PromptSummary, knobs: Knobs) -> PromptSummary:
    """What a take is to be like: the summary of a prompt, changed by the knobs."""
    if not knobs.turned():
        return summary
    busier, fuller = _DENSITY**knobs.busy, _CHORD**knobs.full
    longer = _LENGTH**knobs.long * busier**-_SHORTER_WHEN_BUSY
    higher = _HIGHER * knobs.high
    return replace(
        summary,
        notes=tuple(_turned(note, busier, longer) for note in summary.notes),
        density=summary.density * busier * fuller**_DENSER_WHEN_FULL,
        mean_pitch=None if summary.mean_pitch is None else float(np.clip(summary.mean_pitch + higher, 12, 115)),
        outside_key=summary.outside_key & ~_parallel(summary, knobs.bright),
        bounds=summary.bounds and _loosened(summary.bounds, busier, longer, fuller, higher),
        length_factor=longer,
        chord_factor=fuller,
        rhythm_power=_VARIETY**-knobs.free,
        brightness=knobs.bright,
    )


def _turned(note: TakeNote, busier: float, longer: float) -> TakeNote:
    start = note.start / busier
    return replace(note, start=start, end=start + (note.end - note.start) * longer)


def _loosened(bounds: Bounds, busier: float, longer: float, fuller: float, higher: int) -> Bounds:
    """The bounds, moved as far as the knobs ask for, and never narrower than the prompt's."""
    more = max(1.0, busier * fuller)
    return Bounds(
        bounds.longest_note * max(1.0, longer),
        bounds.lowest + min(0, higher),
        bounds.highest + max(0, higher),
        round(bounds.most_at_once * max(more, more * longer)),
        round(bounds.most_in_window * more),
    )


def _parallel(summary: PromptSummary, bright: int) -> NDArray[np.bool_]:
    """The pitches of the parallel mode that the knob asks for: they do not count as outside the key."""
    if not bright or summary.tonic is None:
        return np.zeros_like(summary.outside_key)
    key = Key(summary.tonic, "major" if bright > 0 else "minor")
    return np.isin(np.arange(len(summary.outside_key)) % 12, list(key.pitch_classes))


def knob_processors(summary: PromptSummary) -> list[LogitsProcessor]:
    """Those of the knobs that are turned; none for a take that is to be like its prompt."""
    processors: list[LogitsProcessor] = []
    if summary.chord_factor != 1 and summary.notes:
        processors.append(Chords(summary))
    if summary.brightness and summary.tonic is not None:
        processors.append(Brightness(summary.tonic, summary.brightness))
    return processors


def brightness(pitches: np.ndarray, tonic: int) -> float:
    """How bright some pitches are over a tonic, -1 to 1: 0 for what major and minor share, or for none."""
    return float(_BRIGHTNESS[(np.asarray(pitches) - tonic) % 12].mean()) if len(pitches) else 0.0


class Brightness:
    """Makes what is bright over the tonic likelier, and what is dark less likely, or the other way."""

    _NATS = 0.7  # a step

    def __init__(self, tonic: int, steps: int) -> None:
        self._nats = np.zeros(VOCABULARY_SIZE, np.float32)
        self._nats[_ONS] = self._NATS * steps * _BRIGHTNESS[(np.arange(NOTE_ON.size) - tonic) % 12]

    def observe(self, note: NoteMessage) -> None:
        """The tonic is the prompt's, whatever the take does."""

    def process(self, logits: Logits, position: Position) -> Logits:
        """Logits with that added; whether a note comes now stays as likely as it was."""
        processed = logits + self._nats
        ons = position.allowed[_ONS]
        if ons.any():
            processed[_ONS] += np.logaddexp.reduce(logits[_ONS][ons]) - np.logaddexp.reduce(processed[_ONS][ons])
        return processed


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


def _hazards(sizes: np.ndarray) -> np.ndarray:
    """Of the chords of at least n notes, the share that has more; by n, 0 to MOST_TOGETHER."""
    counts = np.bincount(np.minimum(sizes.astype(int), MOST_TOGETHER), minlength=MOST_TOGETHER + 1)
    at_least = np.cumsum(counts[::-1])[::-1]
    more = np.append(at_least[1:], 0)
    return (more + 0.1) / (at_least + 0.2)


def _logit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return logit(np.clip(shares, 0.01, 0.99))
