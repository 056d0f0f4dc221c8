"""One thread or two for decoding, whichever has been faster lately.

Decoding is bound by memory, and two cores read more of it than one. But where another program has one of the
cores (a DAW, say), every operation on two threads waits for it, and one event can take ten times as long. So
the second thread is tried now and then, kept while it pays, and given up at once when it does not.
"""

from math import inf

PAYS = 0.95  # of the time on one thread, at most
STRIKES = 2  # events that it has not paid for, until it is given up
LOOK = 4  # events on one thread that tell how long one takes
KEPT = 64  # events on two threads until one is looked at again: an event takes the longer the more are in the cache
RARELY = 1024  # events from one try to the next, at most


class ThreadChoice:
    """Told how long each event took, it says on how many threads to decode the next one."""

    def __init__(self) -> None:
        self.threads = 1
        self._left = LOOK  # events until the other number is tried
        self._pause = LOOK
        self._on_one = inf  # seconds that an event takes on one thread
        self._strikes = 0

    def tell(self, seconds: float) -> None:
        """An event has taken so long."""
        self._left -= 1
        if self.threads == 1:
            self._on_one = min(self._on_one, seconds)
            if self._left == 0:
                self.threads, self._left, self._strikes = 2, KEPT, 0
            return
        self._strikes = self._strikes + 1 if seconds > PAYS * self._on_one else max(0, self._strikes - 1)
        if self._strikes == STRIKES:  # the more often, the less is it worth another try
            self._pause = min(2 * self._pause, RARELY)
            self._back_to_one(self._pause)
        elif self._left == 0:
            self._pause = LOOK
            self._back_to_one(LOOK)

    def _back_to_one(self, events: int) -> None:
        self.threads, self._left, self._on_one = 1, events, inf
