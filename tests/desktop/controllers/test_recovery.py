"""A crash in mid-take gives the session back."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conftest import wait_for
from tests.desktop.windows import Desk

CRASH = """
import sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
from tests.desktop.windows import Desk
at = Desk()
at.open()
at.wait_until_ready()
at.sample(1.0)
at.set(length=600.0)
at.window.proceed()
at.window._may_close = True
app.exec()
"""


def test_kill_in_mid_take_gives_session_and_take_back(desk: Callable[..., Desk], homes: Path) -> None:
    app = subprocess.Popen([sys.executable, "-c", CRASH])
    folder = homes / "home" / "XDG_DATA_HOME" / "Continuo" / "autosave"
    try:
        from core.session.storage import open_session

        def is_take_kept() -> bool:
            assert app.poll() is None
            files = list(folder.glob("*.continuo"))
            return bool(files) and len(open_session(files[0]).takes) == 2

        wait_for(is_take_kept, "the autosave", 60)
    finally:
        app.send_signal(signal.SIGKILL)
        app.wait()
    left = set(folder.glob("*.continuo"))
    at = desk(looks_for_recovery=True)
    at.wait(lambda: len(at.takes) == 2, "the session to come back")
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
