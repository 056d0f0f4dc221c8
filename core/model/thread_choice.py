"""On how many threads an event is decoded."""

from collections import deque
from statistics import median

FIRST_STRETCH = 24  # events on one thread before more are tried
LONGEST_STRETCH = 1536
STAKE = 8.0  # how many events' time on one thread a trial may lose
CHECK = 24  # one in so many events of a trial is decoded on one thread


class ThreadChoice:
    """One thread, or `most`, where these have been faster of late.

    A second thread gains a quarter on a machine with nothing else to do. Where another program has its core, every
    operation waits for it, and an event can take ten times as long. So more threads are tried for as long as they
    lose no more than `STAKE`, counted from their best moment (a one-sided CUSUM, Page, Biometrika 41, 1954); then one
    thread has its turn, each time for twice as long where the trial gained nothing to speak of. What an event takes
    on one thread, which grows with the cache, is looked at again now and then.
    """

    def __init__(self, most: int) -> None:
        self.threads = 1
        self._most = most
        self._alone: deque[float] = deque(maxlen=5)  # seconds of the latest events on one thread
        self._stretch = FIRST_STRETCH
        self._left = self._stretch  # events until the next trial; from 0 down, those of the trial
        self._gain = self._best_gain = 0.0  # seconds, of this trial

    def record(self, seconds: float) -> None:
        """Count an event that was decoded on `threads`, in so many seconds; `threads` then says how to go on."""
        if self.threads == 1:
            self._alone.append(seconds)
        elif self._has_lost(seconds, median(self._alone)):
            self._left = self._stretch
        self._left -= 1
        if self._left == 0:
            self._gain = self._best_gain = 0.0
        self.threads = 1 if self._left > 0 or self._left % CHECK == CHECK - 1 else self._most

    def _has_lost(self, seconds: float, usual: float) -> bool:
        self._gain += usual - seconds
        self._best_gain = max(self._best_gain, self._gain)
        if self._best_gain - self._gain <= STAKE * usual:
            return False
        was_worth_it = self._gain > STAKE * usual
        self._stretch = FIRST_STRETCH if was_worth_it else min(2 * self._stretch, LONGEST_STRETCH)
        return True
