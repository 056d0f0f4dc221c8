"""Work on a thread of its own: in order, told of on the GUI thread, and never a reason not to end."""

import logging
import subprocess
import sys
import threading

import pytest
from pytestqt.qtbot import QtBot

from desktop.adapters.task_worker import Task, TaskWorker

STUCK = """
import threading
from PySide6.QtCore import QCoreApplication
from desktop.adapters import task_worker
app = QCoreApplication([])
task_worker._CLOSING = 0.01
worker = task_worker.TaskWorker()
worker.run("Saving song.mid", lambda _: threading.Event().wait())
worker.close()
print("closed")
"""


def test_tasks_are_done_in_order_and_told_of_on_the_gui_thread(qtbot: QtBot) -> None:
    worker = TaskWorker()
    seen: list[object] = []
    worker.run("One", lambda _: "done", lambda result: seen.append((result, threading.get_ident())))
    worker.run("Two", lambda _: 1 // 0, failed=seen.append)
    worker.run("Three", lambda _: 3, seen.append)
    qtbot.waitUntil(lambda: len(seen) == 3)
    assert seen[0] == ("done", threading.get_ident())
    assert isinstance(seen[1], str)
    assert seen[2] == 3
    worker.close()
    assert not worker._thread.is_alive()
    assert worker.run("Four", lambda _: 4, seen.append) is None


def test_closing_waits_for_what_is_being_written_and_cancels_what_can_be(qtbot: QtBot) -> None:
    worker = TaskWorker()
    began, written, told = threading.Event(), threading.Event(), []

    def write(task: Task) -> None:
        began.set()
        while not task.is_cancelled():  # close has been called, and waits
            threading.Event().wait(0.001)
        written.set()

    worker.run("Saving", write, told.append, always=True)
    assert began.wait(60)
    worker.close()
    assert written.is_set()
    qtbot.waitUntil(lambda: told == [None])


def test_a_disk_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("desktop.adapters.task_worker._CLOSING", 0.01)
    worker = TaskWorker()
    mended = threading.Event()
    worker.run("Saving song.mid", lambda _: mended.wait(60))
    with caplog.at_level(logging.WARNING):
        worker.close()
    assert "Not waited for any longer: Saving song.mid" in caplog.text
    mended.set()
    worker._thread.join(60)
    assert not worker._thread.is_alive()


def test_a_disk_that_hangs_does_not_keep_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (0, "closed\n"), ended.stderr
