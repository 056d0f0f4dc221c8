"""Held as long as the prompt's: the lengths of a take's notes are leaned to those of its prompt's.

A small model that has let its notes go early, and so plays thinner and thinner chords, goes on so; or it forgets to let
them go. Where notes have lately been let go too seldom after half a second, say, there a note-off becomes likelier.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt
from core.codec.vocabulary import NOTE_OFF, STEPS_PER_SECOND
from core.generation.ending import ending
from core.generation.frequencies import Frequencies

_BINS = 24
_LONGEST = 8 * STEPS_PER_SECOND  # steps; longer notes count as that
_EDGES = np.geomspace(1, _LONGEST, _BINS + 1)[:-1]
# The bin of a length, by steps; from one bin to the next it grows by 32 %.
_BIN = np.maximum(np.searchsorted(_EDGES, np.arange(_LONGEST + 1), "right") - 1, 0)
_BLUR = 0.25  # nobody plays like a clock


def _bin(steps: int) -> int:
    return int(_BIN[min(steps, _LONGEST)])


class Lengths:
    """Hears how long the notes of one take are held."""

    def __init__(self, prompt: Prompt) -> None:
        notes = ending(prompt)
        bins = np.array([_bin(round((note.end - note.start) * STEPS_PER_SECOND)) for note in notes])
        self._heard = Frequencies(bins, _BINS, _BLUR) if notes else None
        self._onsets: dict[int, int] = {}  # by pitch

    def hear(self, message: NoteMessage) -> None:
        """A note begins or ends."""
        if message.velocity:
            self._onsets[message.pitch] = message.step
        elif self._heard is not None and message.pitch in self._onsets:
            self._heard.hear(_bin(message.step - self._onsets.pop(message.pitch)))

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) as they are at a step: notes are let go sooner or later. `sounding` are pitches and onsets."""
        if self._heard is None:
            return logits
        leaned = logits.copy()
        for pitch, onset in sounding.items():
            leaned[NOTE_OFF.first + pitch] += self._heard.nats[_bin(step - onset)]
        return leaned
