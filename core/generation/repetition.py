"""Breaking out of loops: a take that repeats itself more than its prompt does is loosened until it stops.

A loop is a run of notes in which each has the pitch of the note so many notes before: one before in a
machine-gun run, four before in a broken chord that goes round and round.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.codec.vocabulary import NOTE_ON
from core.generation.sampler import Sampling

LONGEST_LOOP = 32  # notes
_NATS = 0.5  # by which each repeated note too many makes the next less likely
_HOTTER = 1.2  # times the temperature

_LAGS = np.arange(1, LONGEST_LOOP + 1)
# Repeated notes that are too many: of a single pitch, of short loops, then of three more times round. Of real music
# (the pieces held out of training) fewer than 6 notes in 1000 come in longer loops.
_PLENTY = np.maximum(3 * _LAGS, np.where(_LAGS == 1, 8, 12))


class Repetition:
    """Hears the notes of one take, and what may loop on for how long in it, by the prompt's pitches."""

    def __init__(self, prompt: Sequence[int]) -> None:
        self._recent = np.full(LONGEST_LOOP, -1)  # pitches, the newest first
        self._runs = np.zeros(LONGEST_LOOP, np.int64)  # repeated notes so far, by lag
        self._most = longest = np.zeros(LONGEST_LOOP, np.int64)
        for pitch in prompt:
            self.hear(pitch)
            longest = np.maximum(longest, self._runs)
        self._recent[:] = -1
        self._runs[:] = 0
        self._most = np.maximum(longest, _PLENTY)
        self._excess = 0

    def hear(self, pitch: int) -> None:
        """The next note of the take."""
        self._runs = np.where(self._recent == pitch, self._runs + 1, 0)
        self._recent[1:] = self._recent[:-1]
        self._recent[0] = pitch
        self._excess = int((self._runs - self._most).max()) + 1

    @property
    def is_too_much(self) -> bool:
        """Whether the take should be broken out of a loop now."""
        return self._excess > 0

    def loosen(
        self, logits: NDArray[np.float32], allowed: NDArray[np.bool_], how: Sampling
    ) -> tuple[NDArray[np.float32], Sampling]:
        """Logits (vocab) and sampling that favour other notes, the more the longer the loop goes on.

        Whether a note comes now stays as likely as it was: a loop is broken by another note, not by silence.
        """
        expected = NOTE_ON.first + self._recent[self._runs >= self._most]
        loosened = logits.copy()
        loosened[expected] = logits[expected] - _NATS * self._excess
        ons = allowed[NOTE_ON.first : NOTE_ON.end]
        if ons.any():
            before, after = (each[NOTE_ON.first : NOTE_ON.end][ons] for each in (logits, loosened))
            loosened[NOTE_ON.first : NOTE_ON.end] += np.logaddexp.reduce(before) - np.logaddexp.reduce(after)
        return loosened, replace(how, temperature=min(10, how.temperature * _HOTTER), top_p=(1 + how.top_p) / 2)
