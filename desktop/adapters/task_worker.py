"""Work that takes long, on a thread of its own: reading, saving, exporting, large edits, finding chords."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from core.logs import sentence_for

T = TypeVar("T")
_CLOSING = 60.0  # seconds for what is under way to end: a file on a slow disk may take as long
_log = logging.getLogger(__name__)


class Task:
    """One piece of work: the worker reports to it, the window may cancel it."""

    def __init__(self, words: str, report: Callable[["Task", float], None], can_cancel: bool = False) -> None:
        self.words = words  # what is being done, for the user
        self.can_cancel = can_cancel  # from the beginning; else once it tells of progress
        self._report = report
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask it to end early; work that cannot, goes on."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Whether it should end early."""
        return self._cancelled.is_set()

    def progress(self, share: float) -> None:
        """The share that is done, 0 to 1. From any thread."""
        self._report(self, share)


class TaskWorker(QObject):
    """Does one task after the other on one thread; callbacks come back on the GUI thread."""

    started = Signal(object)  # Task
    progressed = Signal(object, float)  # Task, share
    ended = Signal(object)  # Task
    failed = Signal(str)  # a sentence, of a task without a callback of its own for that
    _came_back = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # Not of a pool, which Python waits for at its end without limit: a disk that hangs would keep the app alive.
        self._thread = threading.Thread(target=self._live, name="continuo-task", daemon=True)
        self._wanted: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._tasks: set[Task] = set()
        self._closed = False
        self._came_back.connect(self._call, Qt.ConnectionType.QueuedConnection)

    @property
    def is_busy(self) -> bool:
        """Whether a task is under way or waits."""
        return bool(self._tasks)

    def run(
        self,
        words: str,
        work: Callable[[Task], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[str], object] | None = None,
        always: bool = False,
        cancelled: Callable[[], object] | None = None,
    ) -> Task | None:
        """Do `work` on the thread, then `done` with what it returned, or `failed` with a sentence, here.

        Work that is given `cancelled` can be cancelled by the user: that is then called in place of `done`.
        After `close` nothing is done any more, and callbacks of what was under way are called only if `always`.
        """
        if self._closed:
            return None
        task = Task(words, self.progressed.emit, cancelled is not None)
        self._tasks.add(task)
        self.started.emit(task)

        def whole() -> None:
            try:
                result = work(task)
            except Exception as error:  # whatever it is, the user hears of it and the log has it
                sentence = sentence_for(error, words)
                self._came_back.emit((task, failed or self.failed.emit, sentence, always))
            else:
                callback = done if cancelled is None or not task.is_cancelled() else lambda _, tell=cancelled: tell()
                self._came_back.emit((task, callback, result, always))

        self._wanted.put(whole)
        if not self._thread.is_alive():
            self._thread.start()
        return task

    def _live(self) -> None:
        while (whole := self._wanted.get()) is not None:
            whole()

    @Slot(object)
    def _call(self, what: tuple[Task, Callable[[Any], object] | None, Any, bool]) -> None:
        task, callback, value, always = what
        self._tasks.discard(task)
        self.ended.emit(task)
        if callback is not None and (always or not self._closed):
            callback(value)

    def close(self) -> None:
        """Cancel what can be cancelled, wait for the rest, end the thread; after _CLOSING nobody waits for it.

        What is being written then is in a file beside its target, which stays as it was.
        """
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self._wanted.put(None)
        if self._thread.is_alive():
            self._thread.join(_CLOSING)
        if self._thread.is_alive():
            _log.warning("Not waited for any longer: %s", ", ".join(task.words for task in self._tasks))
