"""How often a take does something, and how readily it ends it, against its prompt: what logits processors lean by."""

import numpy as np
from numpy.typing import NDArray


class Frequencies:
    """Compares how often a take does each of several things, its bins, with how often its prompt does.

    `nats` (bins), float32, is what to add to the logits: the logarithm of how many times as often each would have been
    done in the prompt, within bounds; all 0 at first.
    """

    _DECAY = 0.98  # of the counts, at each observation: what was long ago is forgotten
    _PSEUDOCOUNT = 2.0  # added to the counts of both: a few observations tell little
    _MOST_NATS = 2.0
    _AHEAD = 100.0  # observations of the prompt's and of what is wanted instead, which are compared ahead
    _MOST_AHEAD = 3.0

    def __init__(
        self, prompt: NDArray[np.int64], bins: int, blur: float, wanted: NDArray[np.float64] | None = None
    ) -> None:
        """`prompt` is what is done there, one bin each; `blur` is how much of each counts for either neighbour, too.

        The take is to do each as often as that, or as `wanted` (bins), in numbers of any sum.
        """
        self._blur = blur
        before = self._blurred(np.bincount(prompt, minlength=bins).astype(float))
        before /= before.sum()
        self._target = before if wanted is None else wanted / wanted.sum()
        needed = np.log((self._AHEAD * self._target + 1) / (self._AHEAD * before + 1))  # by a take like the prompt
        self._ahead = np.clip(needed, -self._MOST_AHEAD, self._MOST_AHEAD)
        self._counts = np.zeros(bins)
        self.nats: NDArray[np.float32] = self._ahead.astype(np.float32)

    def observe(self, bin: int) -> None:
        """Count what the take has done once more."""
        self._counts *= self._DECAY
        self._counts[bin] += 1
        counts = self._blurred(self._counts)
        ratios = np.log((counts.sum() * self._target + self._PSEUDOCOUNT) / (counts + self._PSEUDOCOUNT))
        self.nats = (np.clip(ratios, -self._MOST_NATS, self._MOST_NATS) + self._ahead).astype(np.float32)

    def _blurred(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.convolve(counts, (self._blur, 1, self._blur), "same")


class Hazards:
    """Teaches a take to end something as readily as its prompt does, by how long it has lasted, in bins.

    Of all that comes to a bin, a share ends in it: its hazard (Cox, Regression Models and Life-Tables, 1972). What goes
    on across the marker comes to its bins and ends in none (Kaplan and Meier, 1958). `nats` (bins), float32, is what to
    add to the logit of an end, within bounds; all 0 at first. Each end moves them by a little towards where the take's
    hazards are the prompt's (stochastic approximation: Robbins and Monro, 1951), so that what the model does wrong all
    the time is mended altogether, which to lean by how wrong it has been would only do in part.
    """

    _RATE = 0.6
    _DECAY = 0.99  # of what was learned, at each end: what was long ago is forgotten
    _MOST_NATS = 3.0

    def __init__(
        self,
        prompt: NDArray[np.int64],
        are_open: NDArray[np.bool_],
        bins: int,
        blur: float,
        wanted: NDArray[np.int64] | None = None,
    ) -> None:
        """`prompt` are the bins that things came to there, and ended in, but for those that `are_open`; `blur` is how
        much of each counts for either neighbour, too. `wanted` are the bins that they are to come to instead.
        """
        self._blur = (blur, 1, blur)
        before = self._hazards(prompt, are_open, bins)
        self._target = before if wanted is None else self._hazards(wanted, are_open, bins)
        self._ahead = logit(self._target) - logit(before)  # what a take like the prompt needs
        self._learned = np.zeros(bins)
        self.nats = self._within_bounds()

    def observe(self, bin: int) -> None:
        """Learn from an end in a bin: sooner ends would have been right where it came to, later ones where it ended."""
        ends, came = self._counted(np.arange(len(self.nats)) == bin)
        learned = self._DECAY * self._learned + self._RATE * (came * self._target - ends)
        self._learned = np.clip(learned, -self._MOST_NATS, self._MOST_NATS)
        self.nats = self._within_bounds()

    def _within_bounds(self) -> NDArray[np.float32]:
        return np.clip(self._ahead + self._learned, -self._MOST_NATS, self._MOST_NATS).astype(np.float32)

    def _hazards(self, places: NDArray[np.int64], are_open: NDArray[np.bool_], bins: int) -> NDArray[np.float64]:
        ends, _ = self._counted(np.bincount(places[~are_open], minlength=bins))
        _, came = self._counted(np.bincount(places, minlength=bins))
        return np.clip((ends + 0.1) / (came + 0.2), 0.005, 0.995)

    def _counted(self, counts: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How many end in each bin, and how many come to it."""
        ends = np.convolve(counts.astype(float), self._blur, "same")
        return ends, np.cumsum(ends[::-1])[::-1]


def logit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of how many times as often something happens as not; `shares` lie between 0 and 1."""
    return np.log(shares / (1 - shares))
