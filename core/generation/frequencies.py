"""How often a take does something, and how readily it ends it, compared with its prompt: what is added to logits."""

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

    def __init__(self, prompt: NDArray[np.int64], bins: int, blur: float) -> None:
        """`prompt` is what is done there, one bin each; `blur` is how much of each counts for either neighbour, too."""
        self._blur = blur
        self._target = self._blurred(np.bincount(prompt, minlength=bins).astype(float))
        self._target /= self._target.sum()
        self._counts = np.zeros(bins)
        self.nats: NDArray[np.float32] = np.zeros(bins, np.float32)

    def observe(self, bin: int) -> None:
        """Count what the take has done once more."""
        self._counts *= self._DECAY
        self._counts[bin] += 1
        counts = self._blurred(self._counts)
        ratios = np.log((counts.sum() * self._target + self._PSEUDOCOUNT) / (counts + self._PSEUDOCOUNT))
        self.nats = np.clip(ratios, -self._MOST_NATS, self._MOST_NATS).astype(np.float32)

    def _blurred(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.convolve(counts, (self._blur, 1, self._blur), "same")


class Variety:
    """Makes what a take does, in bins, more various than what its prompt does, or more alike.

    `nats` (bins), float32, is what to add to the logits, within bounds: by how often each has been done in the prompt
    and, more and more, in the take, so that one that has come to do something else does that more alike.
    """

    _PROMPT_FREER, _PROMPT_STEADIER = 15.0, 40.0  # observations that the prompt counts as
    _DECAY = 0.98  # of the counts of the take, at each observation
    _RARE = 0.02  # of all that is done, how much of each counts as done at least
    _MOST_NATS = 5.0
    _FREER = 1.3  # a step; times the nats by which each is done less often than wanted
    _STEADIER = 4.0  # a step; times those by which it is done less often than what is done most

    def __init__(self, prompt: NDArray[np.int64], wanted: NDArray[np.float64], steps: float) -> None:
        """`prompt` is what is done there, one bin each. A take that is `steps` more various comes nearer to doing each
        as often as `wanted` (bins), in numbers of any sum; one that is more alike, nearer to doing the same always.
        """
        counts = np.bincount(prompt, minlength=len(wanted))
        self._prompt = (self._PROMPT_FREER if steps > 0 else self._PROMPT_STEADIER) * counts / counts.sum()
        self._wanted = self._shares(wanted, self._RARE / 4)
        self._steps = steps
        self._counts = np.zeros(len(wanted))
        self.nats = self._compared()

    def observe(self, bin: int) -> None:
        """Count what the take has done once more."""
        self._counts *= self._DECAY
        self._counts[bin] += 1
        self.nats = self._compared()

    def _compared(self) -> NDArray[np.float32]:
        done = self._shares(self._prompt + self._counts, self._RARE)
        if self._steps > 0:
            nats = self._FREER * self._steps * np.log(self._wanted / done)
        else:
            nats = self._STEADIER * -self._steps * np.log(done / done.max())
        nats = np.clip(nats, -self._MOST_NATS, self._MOST_NATS)
        nats -= np.log(done @ np.exp(nats))  # all of it together stays as likely
        return np.clip(nats, -self._MOST_NATS, self._MOST_NATS).astype(np.float32)

    def _shares(self, counts: NDArray[np.float64], least: float) -> NDArray[np.float64]:
        shares = counts / counts.sum() + least
        return shares / shares.sum()


class Hazards:
    """Makes a take end something as readily as its prompt does, by how long it has lasted, in bins.

    Of all that lasts up to a bin, a share ends in it: its hazard (Cox, Regression Models and Life-Tables, 1972). What
    goes on across the marker lasts up to its bin and ends in none (Kaplan and Meier, 1958). `nats` (bins), float32, is
    what to add to the logit of an end, within bounds; all 0 at first. Each end moves them a little towards those at
    which the take's hazards are the prompt's (stochastic approximation: Robbins and Monro, 1951). So what a model does
    wrong all the time is put right altogether; nats in proportion to the present fault would do that only in part.
    """

    _RATE = 0.6
    _DECAY = 0.99  # of what was learned, at each end: what was long ago is forgotten
    _MOST_NATS = 3.0
    _MOST_SOONER = 6.0  # where the take is to end things sooner than its prompt
    _RATE_LATER, _MOST_LATER = 2.0, 8.0  # or later

    def __init__(
        self,
        prompt: NDArray[np.int64],
        are_open: NDArray[np.bool_],
        bins: int,
        blur: float,
        wanted: NDArray[np.int64],
        factor: float,
    ) -> None:
        """`prompt` are the bins up to which things lasted there; all but those that `are_open` ended in them. `blur` is
        how much of each counts for either neighbour, too. Things are to last `factor` times as long; `wanted` are the
        bins up to which they last then.
        """
        self._blur = (blur, 1, blur)
        self._target = before = self._hazards(prompt, are_open, bins, 0.1)
        self._rate, self._least, self._most = self._RATE, -self._MOST_NATS, self._MOST_NATS
        if factor != 1:
            self._target = self._hazards(wanted, are_open, bins, 0.2)  # what lasts longer than any is to end
        if factor > 1:
            self._rate, self._least, self._most = self._RATE_LATER, -self._MOST_LATER, self._MOST_LATER
        elif factor < 1:
            self._least, self._most = 0.0, self._MOST_SOONER  # nothing is held to be let go sooner
        self._ahead = logit(self._target) - logit(before)  # what a take like the prompt needs
        self._learned = np.zeros(bins)
        self.nats = self._within_bounds()

    def observe(self, bin: int) -> None:
        """Learn from an end in a bin: sooner ends would have been right where it came to, later ones where it ended."""
        ends, came = self._counted(np.arange(len(self.nats)) == bin)
        learned = self._DECAY * self._learned + self._rate * (came * self._target - ends)
        self._learned = np.clip(learned, -self._most, self._most)
        self.nats = self._within_bounds()

    def _within_bounds(self) -> NDArray[np.float32]:
        return np.clip(self._ahead + self._learned, self._least, self._most).astype(np.float32)

    def _hazards(
        self, places: NDArray[np.int64], are_open: NDArray[np.bool_], bins: int, ended: float
    ) -> NDArray[np.float64]:
        ends, _ = self._counted(np.bincount(places[~are_open], minlength=bins))
        _, came = self._counted(np.bincount(places, minlength=bins))
        return np.clip((ends + ended) / (came + 0.2), 0.005, 0.995)

    def _counted(self, counts: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How many end in each bin, and how many come to it."""
        ends = np.convolve(counts.astype(float), self._blur, "same")
        return ends, np.cumsum(ends[::-1])[::-1]


def logit(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of how many times as often something happens as not; `shares` lie between 0 and 1."""
    return np.log(shares / (1 - shares))
