"""As loud as the prompt: the velocities of a take's notes are leaned to those of its prompt's.

Where a velocity has lately been too seldom, the next note becomes likelier to have it. Whether a note begins at all
is left as it was.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt
from core.codec.vocabulary import NOTE_ON, VELOCITY, to_bin
from core.generation.ending import ending
from core.generation.frequencies import Frequencies

_BLUR = 0.5  # nobody plays like a machine


class Velocities:
    """Hears the velocities of one take's notes."""

    def __init__(self, prompt: Prompt) -> None:
        notes = ending(prompt)
        bins = np.array([to_bin(note.velocity) for note in notes])
        self._heard = Frequencies(bins, VELOCITY.size, _BLUR) if notes else None
        self._bin: int | None = None  # the newest note's

    def hear(self, message: NoteMessage) -> None:
        """A note begins or ends."""
        if self._heard is not None and message.velocity:
            self._bin = to_bin(message.velocity)
            self._heard.hear(self._bin)

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) after that: a note-on, which keeps the velocity, and velocities that were too seldom or often.

        All that begins a note is together as likely as before, so that a take stays as dense.
        """
        if self._heard is None or self._bin is None:
            return logits
        leaned = logits.copy()
        leaned[NOTE_ON.first : NOTE_ON.end] += self._heard.nats[self._bin]
        leaned[VELOCITY.first : VELOCITY.end] += self._heard.nats
        more = _together(leaned) - _together(logits)
        leaned[NOTE_ON.first : NOTE_ON.end] -= more
        leaned[VELOCITY.first : VELOCITY.end] -= more
        return leaned


def _together(logits: NDArray[np.float32]) -> np.float32:
    """Of all events that begin a note: the logarithm of the sum of their exponentials."""
    begins = np.concatenate([logits[kind.first : kind.end] for kind in (NOTE_ON, VELOCITY)])
    return begins.max() + np.log(np.exp(begins - begins.max()).sum())
