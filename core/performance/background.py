"""Background: calls made one after the other on a thread of its own, for which nobody waits without a limit."""

import queue
import threading
from collections.abc import Callable
from typing import Any

Work = Callable[[], object]


class Background:
    """Makes the calls it is given in order; the thread starts with the first. Safe to use from several threads."""

    def __init__(self, name: str, failed: Callable[[Exception], object]) -> None:
        self._name, self._failed = name, failed
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._undone = 0
        self._closed = False

    @property
    def is_busy(self) -> bool:
        """Whether a call is being made or waits."""
        return self._undone > 0

    def do(self, work: Callable[..., object], *arguments: Any) -> None:
        """Call `work(*arguments)` after all that was given before; after `close` nothing is called any more."""
        with self._lock:
            if self._closed:
                return
            self._undone += 1
            if self._thread is None:
                # A daemon, so that what hangs in there keeps nobody from ending.
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
        self._queue.put(lambda: work(*arguments))

    def close(self, patience: float) -> bool:
        """Drop the calls that wait. Whether the one being made ended within `patience` (seconds)."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._queue.put(None)
        if thread is None:
            return True
        thread.join(patience)
        return not thread.is_alive()

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                if not self._closed:
                    work()
            except Exception as error:  # of whatever kind: the thread goes on, and the user is told
                self._failed(error)
            finally:
                with self._lock:
                    self._undone -= 1
