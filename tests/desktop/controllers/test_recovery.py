"""A crash in mid-take gives the session back."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.resources import bundled
from core.session.recovery import Autosave, autosave_folder
from core.session.session import session_from_midi
from tests.conftest import wait_for
from tests.desktop.windows import BACH, Answers, Desk

CRASH = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from tests.desktop.windows import BACH, Answers, Desk
at = Desk()
at.open()
at.wait_until_ready()
at.sample(1.0)
at.set(length=600.0)
at.window.proceed()
at.window._may_close = True
app.exec()
"""


@pytest.mark.posix
def test_kill_in_mid_take_gives_session_and_take_back(desk: Callable[..., Desk], homes: Path) -> None:
    app = subprocess.Popen([sys.executable, "-c", CRASH])
    folder = homes / "home" / "XDG_DATA_HOME" / "Continuo" / "autosave"
    try:
        from core.session.storage import open_session

        def is_take_kept() -> bool:
            assert app.poll() is None
            files = list(folder.glob("*.continuo"))
            return bool(files) and len(open_session(files[0]).takes) == 2

        wait_for(is_take_kept, "the autosave")
    finally:
        app.send_signal(signal.SIGKILL)
        app.wait()
    left = set(folder.glob("*.continuo"))
    at = desk(looks_for_recovery=True)
    at.wait(lambda: len(at.takes) == 2, "the session to come back")
    assert at.answers.recovered == BACH.name
    finished, growing = at.takes
    assert finished.notes
    assert growing.notes
    assert at.window.document.is_changed

    def own() -> set[Path]:
        return set(folder.glob("*.continuo"))

    at.wait(lambda: own() and not own() & left, "an autosave of its own in the place of the other")
    at.answers.leaving = "discard"
    at.window.close()
    at.wait(lambda: not at.window.isVisible(), "the window to close")
    assert not list(folder.glob("*"))


def leave_behind(source: Path) -> None:
    """What a program that was killed leaves of a session."""
    autosave = Autosave()
    autosave.save(session_from_midi(source.read_bytes(), source.name, source=str(source)))
    autosave._files.lock.release()


@pytest.mark.parametrize("answer", ["recover", "later"])
def test_the_file_that_was_named_is_opened_whatever_becomes_of_the_recovered_session(
    desk: Callable[..., Desk], answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(BACH)
    monkeypatch.setattr(Answers, "recovering", answer)
    other = str(bundled("examples", "ragtime.mid"))
    at = desk(looks_for_recovery=True, path=other)
    at.wait(lambda: at.window.document.session.score is not None, "a session to be shown")
    at.settle()
    here, beside = (BACH.name, [other]) if answer == "recover" else ("ragtime.mid", [])
    assert at.window.document.name == here
    assert at.opened_beside == beside


def test_the_recovered_session_of_the_file_that_was_named_is_enough(desk: Callable[..., Desk]) -> None:
    leave_behind(BACH)
    at = desk(looks_for_recovery=True, path=str(BACH))
    at.wait(lambda: at.window.document.session.score is not None, "the session to come back")
    at.settle()
    assert at.opened_beside == []
    assert at.window.document.is_changed


def test_an_unreadable_recovery_does_not_keep_the_file_from_being_opened(desk: Callable[..., Desk]) -> None:
    leave_behind(BACH)
    (kept,) = autosave_folder().glob("*.continuo")
    kept.write_bytes(b"damaged")
    at = desk(looks_for_recovery=True, path=str(BACH))
    at.wait(lambda: at.window.document.session.score is not None, "the file to be opened")
    assert "It is kept as" in at.answers.told[0]
