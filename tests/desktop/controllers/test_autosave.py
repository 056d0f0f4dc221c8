"""What a crash may cost: the autosave follows every change, and one that failed is tried again."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from core.errors import WriteError
from core.midi.score import TakeNote
from core.session.recovery import Autosave, find_recoverable
from core.session.session import Session, TakeRecord
from desktop.adapters.task_worker import TaskWorker
from desktop.controllers import document as module
from desktop.controllers.document import Document
from tests.conftest import WAIT, wait_for

# Changes one thing after the other, without a pause in which an autosave could wait for its turn.
_EDITING = """
from PySide6.QtCore import QCoreApplication, QTimer
from core.session.session import Session
from desktop.adapters.task_worker import TaskWorker
from desktop.controllers.document import Document
app = QCoreApplication([])
document = Document(TaskWorker())
def edit():
    document.do("Move marker", document.session.with_marker(document.session.marker + 1.0))
timer = QTimer(interval=20)
timer.timeout.connect(edit)
timer.start()
app.exec()
"""


# A take grows by a note every 20 ms, and nothing else happens.
_SAMPLING = """
from PySide6.QtCore import QCoreApplication, QTimer
from core.midi.score import TakeNote
from core.session.session import TakeRecord
from desktop.adapters.task_worker import TaskWorker
from desktop.controllers.document import Document
app = QCoreApplication([])
document = Document(TaskWorker())
notes = []
def grow():
    notes.append(TakeNote(60, 80, len(notes) * 0.02, len(notes) * 0.02 + 0.02))
    document.show_growing(lambda: (TakeRecord(notes=tuple(notes), seconds=len(notes) * 0.02),), len(notes) == 1)
timer = QTimer(interval=20)
timer.timeout.connect(grow)
timer.start()
app.exec()
"""


@pytest.mark.posix
def test_killed_in_mid_take_what_there_was_of_it_is_back(homes: Path) -> None:
    folder = homes / "home" / "XDG_DATA_HOME" / "Continuo" / "autosave"
    kept: list[int] = []
    with subprocess.Popen([sys.executable, "-c", _SAMPLING]) as app:
        try:
            wait_for(lambda: bool(kept.extend(_notes(folder))) or max(kept, default=0) >= 100, "100 notes kept")
        finally:
            app.send_signal(signal.SIGKILL)
    assert len(set(kept)) > 1  # kept again and again while it grew
    (found,) = find_recoverable(folder)
    assert len(found.open().takes[0].notes) >= 100
    found.discard()


def _notes(folder: Path) -> list[int]:
    from core.session.storage import open_session

    return [len(open_session(path).takes[0].notes) for path in folder.glob("*.continuo")]


def test_in_mid_take_an_autosave_is_never_over_a_second_away(qtbot: QtBot, document: Document) -> None:
    take = TakeRecord(notes=(TakeNote(60, 80, 0.0, 1.0),), seconds=1.0)
    document.show_growing(lambda: (take,), is_first=True)
    due = document._timer.remainingTime()
    document.show_growing(lambda: (take,))
    assert document._timer.isActive()
    assert document._timer.remainingTime() <= due <= module.SOON <= 1000
    document.show_growing(None)


@pytest.mark.posix
def test_killed_while_editing_all_but_the_last_edits_are_back(homes: Path) -> None:
    folder = homes / "home" / "XDG_DATA_HOME" / "Continuo" / "autosave"
    with subprocess.Popen([sys.executable, "-c", _EDITING]) as app:
        try:
            wait_for(lambda: len(_markers(folder)) == 1 and _markers(folder)[0] >= 100, "100 edits to be kept")
        finally:
            app.send_signal(signal.SIGKILL)
    (found,) = find_recoverable(folder)
    assert found.open().marker >= 100
    found.discard()


def _markers(folder: Path) -> list[float]:
    from core.session.storage import open_session

    return [open_session(path).marker for path in folder.glob("*.continuo")]


def test_further_changes_do_not_put_the_autosave_off(qtbot: QtBot, document: Document) -> None:
    assert module.SOON <= 1000
    document.do("One", document.session.with_marker(1.0))
    due = document._timer.remainingTime()
    document.do("Two", document.session.with_marker(2.0))
    assert document._timer.remainingTime() <= due <= module.SOON  # further changes do not put it off


def test_an_autosave_that_failed_is_tried_again(
    qtbot: QtBot, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[Session] = []
    fails = [True, True, False]

    def save(self: Autosave, session: Session, path: str = "") -> None:
        if fails.pop(0):
            raise WriteError("The disk is full.")
        saved.append(session)

    monkeypatch.setattr(Autosave, "save", save)
    monkeypatch.setattr(module, "SOON", 1)
    monkeypatch.setattr(module, "RETRY", 1)
    messages: list[str] = []
    document.message.connect(messages.append)
    document.do("Move marker", document.session.with_marker(3.0))
    qtbot.waitUntil(lambda: bool(saved))
    assert saved == [document.session]
    assert messages == ["The disk is full."]


def test_a_file_on_a_disk_that_hangs_keeps_no_autosave_waiting(
    qtbot: QtBot, document: Document, files: TaskWorker, homes: Path
) -> None:
    mended = threading.Event()
    files.run("Opening song.mid", lambda task: mended.wait(WAIT))
    try:
        document.do("Move marker", document.session.with_marker(3.0))
        folder = homes / "home" / "XDG_DATA_HOME" / "Continuo" / "autosave"
        qtbot.waitUntil(lambda: _markers(folder) == [3.0])
        assert files.is_busy
    finally:
        mended.set()


@pytest.fixture
def files() -> Iterator[TaskWorker]:
    worker = TaskWorker()
    yield worker
    worker.close()


@pytest.fixture
def document(homes: Path, qtbot: QtBot, files: TaskWorker) -> Iterator[Document]:
    """With a file worker of its own."""
    document = Document(files)
    yield document
    files.close()
    document.close()
