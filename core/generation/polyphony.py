"""With as many voices as the prompt: a take of fewer or more notes at once than its prompt is leaned back.

A small model that has let its chords go early, or let them pile up, goes on so. But it also forgets to let notes go:
none is held for the sake of many voices that has lasted longer than nine in ten of the prompt's.
"""

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_OFF, STEPS_PER_SECOND
from core.generation.ending import ending

_WINDOW = 10 * STEPS_PER_SECOND  # steps of the take that count
_PRIOR = 3 * STEPS_PER_SECOND  # steps with the prompt's polyphony, counted in: a take's beginning tells little
_PERCENTILE = 90
_NATS = 2.0  # by which a note-off becomes likelier for each factor e of notes too many


class Polyphony:
    """Hears how many notes of one take sound at once, at each step from its start."""

    def __init__(self, prompt: Prompt) -> None:
        notes = ending(prompt)
        self._wanted = 0.0  # notes at once
        self._long = 0.0  # steps
        if notes:
            self._long = STEPS_PER_SECOND * float(np.percentile([note.end - note.start for note in notes], _PERCENTILE))
            lasts = max(note.end for note in notes) - notes[0].start
            self._wanted = sum(note.end - note.start for note in notes) / max(lasts, 1.0)
        self._stretches: deque[tuple[int, int, int]] = deque()  # from one step to another so many notes sounded
        self._held = 0  # steps of all those notes together
        self._step = self._sounding = 0  # as they were last told

    def hear(self, step: int, pitch: int, velocity: int) -> None:
        """A note begins: `lean` is told how many sound then."""

    def excess(self, step: int) -> float:
        """How many times as many notes as in the prompt sounded lately, as a power of e: 0 as many, below 0 fewer."""
        if not self._wanted:
            return 0.0
        if step > self._step:
            self._stretches.append((self._step, step, self._sounding))
            self._held += (step - self._step) * self._sounding
            self._step = step
        while self._stretches and self._stretches[0][1] <= step - _WINDOW:
            first, last, sounding = self._stretches.popleft()
            self._held -= (last - first) * sounding
        lasted = step - self._stretches[0][0] if self._stretches else 0
        return float(np.log((self._held + self._wanted * _PRIOR) / (self._wanted * (lasted + _PRIOR))))

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) as they are at a step: after too many notes each is let go sooner, after too few later.

        `sounding` are the pitches that sound, with the steps of their onsets.
        """
        excess = self.excess(step)
        self._sounding = len(sounding)
        if not excess:
            return logits
        leaned = logits.copy()
        for pitch, onset in sounding.items():
            if excess > 0 or step - onset < self._long:
                leaned[NOTE_OFF.first + pitch] += _NATS * excess
        return leaned
