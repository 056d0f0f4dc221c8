"""On how many threads an event is decoded."""

from collections import deque
from statistics import median

FIRST_STRETCH = 24  # events on one thread before more are tried
LONGEST_STRETCH = 1536
STAKE = 8.0  # how many events' time on one thread a trial may lose


class ThreadChoice:
    """One thread, or `most`, where these have been faster of late.

    A second thread gains a quarter on a machine with nothing else to do. Where another program has its core, every
    operation waits for it, and an event can take ten times as long. So more threads are tried for as long as they
    lose no more than `STAKE`, counted from their best moment (a one-sided CUSUM, Page, Biometrika 41, 1954); then one
    thread has its turn, each time for twice as long where the trial gained nothing to speak of.
    """

    def __init__(self, most: int) -> None:
        self.threads = 1
        self._most = most
        self._alone: deque[float] = deque(maxlen=FIRST_STRETCH)  # seconds of the latest events on one thread
        self._usual = 0.0  # their median when the trial began
        self._stretch = FIRST_STRETCH
        self._left = self._stretch  # events until the next trial
        self._gain = self._best_gain = 0.0  # seconds, of this trial

    def took(self, seconds: float) -> None:
        """Count an event that was decoded on `threads`, in so many seconds; `threads` then says how to go on."""
        if self.threads > 1:
            self._gain += self._usual - seconds
            self._best_gain = max(self._best_gain, self._gain)
            if self._best_gain - self._gain > STAKE * self._usual:
                was_worth_it = self._gain > STAKE * self._usual
                self._stretch = FIRST_STRETCH if was_worth_it else min(2 * self._stretch, LONGEST_STRETCH)
                self.threads, self._left = 1, self._stretch
            return
        self._alone.append(seconds)
        self._left -= 1
        if self._left <= 0 and self._most > 1:
            self.threads = self._most
            self._usual = median(self._alone)
            self._gain = self._best_gain = 0.0
