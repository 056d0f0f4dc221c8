"""How often a take does each of several things, against its prompt: what it does too seldom is to become likelier."""

import numpy as np
from numpy.typing import NDArray

_KEPT = 0.98  # of what was counted, with everything that is done: what was long ago is forgotten
_DOUBT = 2.0  # times that each is counted more often, done and to be done: a few times tell little
_MOST = 2.0  # nats


class Frequencies:
    """Hears what is done, as bins from 0 on.

    `nats` (bins), float32, is the leaning: the logarithm of how many times as often each would have been done in the
    prompt, within bounds; all 0 at first.
    """

    def __init__(self, prompt: NDArray[np.int64], bins: int, blur: float) -> None:
        """`prompt` is what is done there, one bin each; `blur` is how much of each counts for either neighbour, too."""
        self._blur = blur
        wanted = self._blurred(np.bincount(prompt, minlength=bins).astype(float))
        self._wanted = wanted / wanted.sum()
        self._counts = np.zeros(bins)
        self.nats: NDArray[np.float32] = np.zeros(bins, np.float32)

    def hear(self, bin: int) -> None:
        """It is done once more."""
        self._counts *= _KEPT
        self._counts[bin] += 1
        heard = self._blurred(self._counts)
        leaning = np.log((heard.sum() * self._wanted + _DOUBT) / (heard + _DOUBT))
        self.nats = np.clip(leaning, -_MOST, _MOST).astype(np.float32)

    def _blurred(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.convolve(counts, (self._blur, 1, self._blur), "same")
