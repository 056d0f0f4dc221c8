"""In the prompt's rhythm: the times between a take's onsets are leaned to those between its prompt's.

Where they were too seldom a sixteenth apart, say, for a prompt that goes in sixteenths, there the next onset
becomes likelier a sixteenth after the last.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import LONGEST_SHIFT, NOTE_ON, STEPS_PER_SECOND, TIME_SHIFT, VELOCITY
from core.generation.ending import ending

_BINS = 24
_LONGEST = 4 * STEPS_PER_SECOND  # steps between two onsets; longer ones count as that
_EDGES = np.geomspace(1, _LONGEST, _BINS + 1)[:-1]
# The bin of a time between onsets, by steps; from one bin to the next it grows by 28 %.
_BIN = np.maximum(np.searchsorted(_EDGES, np.minimum(np.arange(2 * _LONGEST), _LONGEST), "right") - 1, 0)
_BLUR = 0.25  # of a bin's times count for either neighbour, too: nobody plays like a clock
_KEPT = 0.98  # of what was counted, with every onset: older ones are forgotten
_PRIOR = 16  # onsets in the prompt's rhythm, counted in: a take's first ones tell little
_NEW = 0.5  # onsets that each bin has, whatever the prompt: a take may do what its prompt did not
_STRENGTH = 1.0  # powers of how many times too seldom a time was, by which an onset becomes likelier
_MOST = 2.0  # nats
_SHIFT_STRENGTH = 0.5  # times that, by which a shift to there does


def _blurred(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.convolve(counts, (_BLUR, 1, _BLUR), "same")


class Rhythm:
    """Hears when the notes of one take begin, in steps from its start."""

    def __init__(self, prompt: Prompt) -> None:
        onsets = np.unique([round(note.start * STEPS_PER_SECOND) for note in ending(prompt)])
        counts = np.bincount(_BIN[np.minimum(np.diff(onsets), _LONGEST)], minlength=_BINS) if len(onsets) > 1 else None
        self._wanted = None if counts is None else _shares(counts)
        self._counts = np.zeros(_BINS)
        self._last: int | None = None  # the newest onset
        self._leaning = np.zeros(_BINS, np.float32)

    def hear(self, step: int, pitch: int, velocity: int) -> None:
        """A note begins."""
        if self._wanted is None or step == self._last:
            return
        if self._last is not None:
            self._counts *= _KEPT
            self._counts[_BIN[min(step - self._last, _LONGEST)]] += 1
            heard = _blurred(self._counts)
            shares = (heard + _PRIOR * self._wanted) / (heard.sum() + _PRIOR)
            leaning = _STRENGTH * np.log(self._wanted / shares)
            self._leaning = np.clip(leaning, -_MOST, _MOST).astype(np.float32)
        self._last = step

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) as they are at a step: an onset is likelier where its time from the last was too seldom."""
        if self._last is None:
            return logits
        since = min(step - self._last, _LONGEST)
        leaned = logits.copy()
        if since:
            now = self._leaning[_BIN[since]]
            leaned[NOTE_ON.first : NOTE_ON.end] += now
            leaned[VELOCITY.first : VELOCITY.end] += now  # each announces a note
        leaned[TIME_SHIFT.first : TIME_SHIFT.end] += (
            _SHIFT_STRENGTH * self._leaning[_BIN[since + 1 : since + 1 + LONGEST_SHIFT]]
        )
        return leaned


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of the times, how many each bin has."""
    blurred = _blurred(counts.astype(float)) + _NEW
    return blurred / blurred.sum()
