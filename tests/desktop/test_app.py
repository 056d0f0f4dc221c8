"""The app's start."""

import configparser
import enum
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from desktop.app import NO_DISPLAY
from tests.conftest import WAIT
from tests.desktop.windows import BACH

CONTINUO = Path(sysconfig.get_path("scripts"), "continuo")


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run([CONTINUO, *arguments], env=environment, capture_output=True, text=True, timeout=WAIT)


def test_without_a_display_it_says_what_works() -> None:
    ended = start("song.mid")
    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (1, "", NO_DISPLAY)


def test_it_tells_its_version_without_a_display() -> None:
    assert start("--version").stdout.startswith("Continuo ")


def test_no_module_is_read_as_source_at_the_start() -> None:
    command = "import linecache, desktop.connections; print(*linecache.cache)"  # what `inspect.getsource` has read
    ended = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=WAIT)
    assert ended.returncode == 0, ended.stderr
    read = {path for path in ended.stdout.split() if "PySide6" not in path and "shiboken6" not in path}
    assert read <= {enum.__file__}  # of which Qt's are made


def run_script(script: str, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python code in a process of its own, for a user whose folders are in `home`."""
    homes = {name: str(home) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env={**os.environ, **homes}, capture_output=True, text=True, timeout=WAIT)


HANDED_OVER = """
import sys
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
from desktop.app import build

app, window, _ = build([])
window.show()
window.start("", looks_for_recovery=False)
QApplication.sendEvent(app, QFileOpenEvent(sys.argv[1]))
while window.document.session.score is None:
    app.processEvents()
print(window.windowTitle())
window.shut_down()
"""


def test_a_file_that_the_system_hands_over_is_opened(tmp_path: Path) -> None:
    ended = run_script(HANDED_OVER, tmp_path, str(BACH))
    assert ended.returncode == 0, ended.stderr
    assert "bwv846" in ended.stdout


INTERRUPTED = """
import os, signal, sys
from PySide6.QtCore import QTimer
from desktop import app

create = app.create_window

def created(application):
    window = create(application)
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGINT))
    return window

app.create_window = created
sys.exit(app.main([]))
"""


@pytest.mark.posix
def test_ctrl_c_closes_the_window_quietly(tmp_path: Path) -> None:
    ended = run_script(INTERRUPTED, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


WITH_A_RING = """
import sys
from PySide6.QtCore import QTimer
from desktop import app
from desktop.widgets.focus_ring import FocusRing

create = app.create_window

def created(application):
    window = create(application)
    print(len(window.findChildren(FocusRing)))
    QTimer.singleShot(0, window.close)
    return window

app.create_window = created
sys.exit(app.main([]))
"""


def test_the_app_shows_where_the_keys_go(tmp_path: Path) -> None:
    ended = run_script(WITH_A_RING, tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "1\n"), ended.stderr


@pytest.mark.linux
def test_double_click_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    monkeypatch.setenv("XDG_DATA_DIRS", "/usr/share")
    said = start("--associate")
    assert said.returncode == 0, said.stderr
    file = tmp_path / "my data" / "applications" / "continuo.desktop"
    assert str(file) in said.stdout
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(file)
    entry = dict(parser["Desktop Entry"])
    assert Path(entry["Icon"]).is_file()
    program, placeholder = shlex.split(entry["Exec"])
    assert (Path(program), placeholder) == (CONTINUO, "%f")
    kind = subprocess.run(
        [sys.executable, "-c", "from PySide6.QtCore import QMimeDatabase as D;"
         "print(D().mimeTypeForFile('song.continuo', D.MatchMode.MatchExtension).name())"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert kind in entry["MimeType"].split(";")


def test_a_program_with_an_odd_path_is_quoted_as_the_entry_wants_it() -> None:
    from desktop.association import _quoted

    assert _quoted("/opt/my apps/continuo") == '"/opt/my apps/continuo"'
    assert _quoted('/a"b/c$d/100%') == '"/a\\\\"b/c\\\\$d/100%%"'


@pytest.mark.linux
def test_a_menu_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    said = start("--associate")
    assert said.returncode == 1
    assert "cannot be made" in said.stderr
    assert "Traceback" not in said.stderr
