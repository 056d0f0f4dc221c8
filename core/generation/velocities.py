"""As loud as the prompt: the velocities of a take's notes are leaned to those of its prompt's.

Where a velocity has lately been too seldom, the next note becomes likelier to have it. Whether a note begins at all
is left as it was.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_ON, VELOCITY, to_bin
from core.generation.ending import ending

_BLUR = 0.5  # of a bin's notes count for either neighbour, too: nobody plays like a machine
_KEPT = 0.98  # of what was counted, with every note: older ones are forgotten
_PRIOR = 16  # notes as loud as the prompt's, counted in: a take's first ones tell little
_NEW = 0.5  # notes that each bin has, whatever the prompt: a take may be as loud as its prompt never was
_MOST = 2.0  # nats


class Velocities:
    """Hears the velocities of one take's notes, as its events say them."""

    def __init__(self, prompt: Prompt) -> None:
        notes = ending(prompt)
        bins = np.bincount([to_bin(note.velocity) for note in notes], minlength=VELOCITY.size) if notes else None
        self._wanted = None if bins is None else _shares(bins)
        self._counts = np.zeros(VELOCITY.size)
        self._bin = 0  # the newest note's
        self._leaning: NDArray[np.float32] | None = None  # by bins, in nats

    def hear(self, step: int, pitch: int, velocity: int) -> None:
        """A note begins."""
        if self._wanted is None:
            return
        self._bin = to_bin(velocity)
        self._counts *= _KEPT
        self._counts[self._bin] += 1
        heard = _blurred(self._counts)
        shares = (heard + _PRIOR * self._wanted) / (heard.sum() + _PRIOR)
        self._leaning = np.clip(np.log(self._wanted / shares), -_MOST, _MOST).astype(np.float32)

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) after that: a note-on, which keeps the velocity, and velocities that were too seldom or often.

        All that begins a note is together as likely as before, so that a take stays as dense.
        """
        if self._leaning is None:
            return logits
        leaned = logits.copy()
        leaned[NOTE_ON.first : NOTE_ON.end] += self._leaning[self._bin]
        leaned[VELOCITY.first : VELOCITY.end] += self._leaning
        more = _together(leaned) - _together(logits)
        leaned[NOTE_ON.first : NOTE_ON.end] -= more
        leaned[VELOCITY.first : VELOCITY.end] -= more
        return leaned


def _blurred(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.convolve(counts, (_BLUR, 1, _BLUR), "same")


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of the notes, how many each bin has."""
    blurred = _blurred(counts.astype(float)) + _NEW
    return blurred / blurred.sum()


def _together(logits: NDArray[np.float32]) -> np.float32:
    """Of all events that begin a note: the logarithm of the sum of their exponentials."""
    begins = np.concatenate([logits[kind.first : kind.end] for kind in (NOTE_ON, VELOCITY)])
    return begins.max() + np.log(np.exp(begins - begins.max()).sum())
