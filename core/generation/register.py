"""As high as the prompt: a take whose notes lie higher or lower than its prompt's is leaned back towards them.

A small model drifts, and ends in one corner of the keyboard.
"""

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt
from core.codec.vocabulary import NOTE_ON
from core.generation.bounds import bounds_of
from core.generation.ending import ending

_NOTES = 48  # of the take, whose mean pitch counts
_PRIOR = 12  # notes of the prompt's mean pitch, counted in: a take's first notes tell little
_NATS = 3.0  # by which a note an octave further on becomes less likely for each octave that the take is off


class Register:
    """Hears the pitches of one take."""

    def __init__(self, prompt: Prompt) -> None:
        pitches = [note.pitch for note in ending(prompt)]
        self._wanted = float(np.mean(pitches)) if pitches else None
        bounds = bounds_of(prompt)
        if bounds and self._wanted is not None:
            # No note beyond the bounds, where a user lets those come, is likelier than the last ones within.
            within = np.clip(np.arange(NOTE_ON.size), bounds.lowest, bounds.highest)
            self._octaves = ((within - self._wanted) / 12).astype(np.float32)
        self._pitches: deque[int] = deque(maxlen=_NOTES)

    def hear(self, message: NoteMessage) -> None:
        """A note begins or ends."""
        if message.velocity:
            self._pitches.append(message.pitch)

    @property
    def off(self) -> float:
        """How far the take's notes have lately lain above the prompt's, in octaves; below 0 under them."""
        if self._wanted is None:
            return 0.0
        return sum(pitch - self._wanted for pitch in self._pitches) / (12 * (len(self._pitches) + _PRIOR))

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) after that: the higher the take has been, the less likely its higher notes."""
        off = self.off
        if self._wanted is None or not off:
            return logits
        leaned = logits.copy()
        leaned[NOTE_ON.first : NOTE_ON.end] -= _NATS * off * self._octaves
        return leaned
