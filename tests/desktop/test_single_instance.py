"""A second start hands its file to the window that is open."""

import base64
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from desktop.app import bring_to_front
from desktop.single_instance import SingleInstance, server_name
from tests.conftest import WAIT
from tests.desktop.windows import BACH, Desk

CONTINUO = Path(sysconfig.get_path("scripts"), "continuo")

pytestmark = pytest.mark.usefixtures("homes")


DYING = """
import os
from PySide6.QtCore import QCoreApplication
from desktop.single_instance import SingleInstance
app = QCoreApplication([])
first = SingleInstance()
first.hand_over_or_listen("")
os.kill(os.getpid(), 9)
"""


def start_again(qtbot: QtBot, first: SingleInstance, *arguments: bytes) -> tuple[int, str]:
    """Start the app once more: its exit status, and the path that the first one was handed."""
    with qtbot.waitSignal(first.handed_over) as told:
        second = subprocess.Popen([os.fsencode(CONTINUO), *arguments])
    assert told.args is not None
    return second.wait(WAIT), told.args[0]


def test_its_file_goes_to_the_first(qtbot: QtBot) -> None:
    first = SingleInstance()
    assert not first.hand_over_or_listen("")
    assert start_again(qtbot, first, os.fsencode(BACH)) == (0, str(BACH))
    assert start_again(qtbot, first) == (0, "")
    first.close()


@pytest.mark.posix
def test_a_name_that_is_not_utf_8_arrives_as_it_is(qtbot: QtBot, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9 \n.mid"
    first = SingleInstance()
    assert not first.hand_over_or_listen("")
    status, path = start_again(qtbot, first, name)
    assert (status, os.fsencode(path)) == (0, name)
    first.close()


def test_what_a_crash_left_behind_is_no_window(qtbot: QtBot) -> None:
    subprocess.run([sys.executable, "-c", DYING], check=False, timeout=WAIT)
    first = SingleInstance()
    assert not first.hand_over_or_listen("")
    assert start_again(qtbot, first)[0] == 0
    first.close()


def test_nobody_waits_for_who_connects_and_has_nothing_to_say_yet(qtbot: QtBot) -> None:
    first, handed = SingleInstance(), list[str]()
    first.handed_over.connect(handed.append)
    assert not first.hand_over_or_listen("")
    slow, strange = QLocalSocket(), QLocalSocket()
    for socket in (slow, strange):
        with qtbot.waitSignal(first._server.newConnection):
            socket.connectToServer(server_name())
    with qtbot.waitSignal(strange.disconnected):
        strange.write(b"abc\n")  # which no start says
    slow.write(base64.b64encode(b"/song.mid"))
    qtbot.waitUntil(lambda: not slow.bytesToWrite())
    slow.write(b"\n")
    qtbot.waitUntil(lambda: handed == ["/song.mid"])
    qtbot.waitUntil(slow.canReadLine)
    assert slow.readLine().data() == b"taken\n"
    first.close()


def test_another_screen_has_another_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":1")
    here = server_name()
    monkeypatch.setenv("DISPLAY", ":2")
    assert server_name() != here


def test_the_window_opens_what_it_is_handed(desk: Callable[..., Desk], qtbot: QtBot) -> None:
    window = desk().window
    bring_to_front(window, str(BACH))
    qtbot.waitUntil(lambda: window.document.session.score is not None)
    assert "bwv846" in window.windowTitle()
