"""One window per user and desktop session: a second start hands its file to the window that is open.

The first start listens on a local socket (a named pipe on Windows) whose name stands for the user's data folder and
the screen. A later one sends the path there and waits for the answer.
"""

import base64
import hashlib
import os
import subprocess
import sys
from contextlib import suppress

from filelock import FileLock, Timeout
from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from core.resources import user_folder

_CONNECTING = 500  # ms
_ANSWERING = 10_000  # ms; a window that is just starting or busy answers late
_LOCKING = 5.0  # s, for the other of two starts at once to begin listening
_TAKEN = b"taken\n"


def server_name() -> str:
    """The socket's name: another user, screen or data folder has another."""
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "")
    digest = hashlib.sha256(os.fsencode(f"{user_folder()}\n{screen}")).hexdigest()
    return f"continuo-{digest[:16]}"


def open_window(path: str) -> None:
    """Open a file in another window, of a process of its own."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop.app"]
    with suppress(OSError):  # where no process can be started, the file can still be opened by hand
        subprocess.Popen([*program, "--new-window", path], start_new_session=True)


class SingleInstance(QObject):
    """This start's place among others. `handed_over` brings a path, or nothing: the window is to come to the front."""

    handed_over = Signal(object)  # a str; as one of Qt's it would lose what is not UTF-8

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._connected: list[QLocalSocket] = []  # other starts that have not said all
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._receive)

    def hand_over_or_listen(self, path: str) -> bool:
        """Whether a window that is open has taken `path` (may be empty). If there is none, this start listens."""
        lock = FileLock(user_folder("window.lock"))
        with suppress(OSError, Timeout):  # without the lock, two starts at once open two windows
            user_folder().mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=_LOCKING)
        try:
            return not self._is_alone(path)
        finally:
            lock.release()

    def _is_alone(self, path: str) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(server_name())
        if not socket.waitForConnected(_CONNECTING):
            QLocalServer.removeServer(server_name())  # left over by a crash
            self._server.listen(server_name())
            return True
        absolute = os.path.abspath(path) if path else ""
        socket.write(base64.b64encode(os.fsencode(absolute)) + b"\n")  # a name may have anything in it
        taken = socket.waitForReadyRead(_ANSWERING) and socket.readAll().data() == _TAKEN
        return not taken

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _receive(self) -> None:
        while socket := self._server.nextPendingConnection():
            self._connected.append(socket)
            socket.readyRead.connect(self._take)
        self._take()

    def _take(self) -> None:
        """Take what other starts have to hand over, where all of it has come: nobody is waited for."""
        for socket in [socket for socket in self._connected if socket.canReadLine()]:
            self._connected.remove(socket)
            with suppress(ValueError):  # of another program, it may be anything
                path = os.fsdecode(base64.b64decode(socket.readLine().data()))
                socket.write(_TAKEN)
                socket.flush()
                self.handed_over.emit(path)
            socket.disconnectFromServer()
