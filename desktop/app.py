"""The app: `continuo [FILE]`. Shows the window first; what takes long starts once it is on screen."""

import argparse
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from core.logs import install_hooks, start_logging
from core.resources import bundled
from desktop.adapters.gc_pause import gc_frozen
from desktop.crash_report import record_crashes
from desktop.single_instance import SingleInstance

if TYPE_CHECKING:
    from desktop.main_window import MainWindow


NO_DISPLAY = (
    "There is no display here to open a window on; on the command line Continuo works without one: "
    "continuo-cli continue FILE -o OUTPUT."
)


class Application(QApplication):
    """The Qt application; `file_opened` when the system hands over a file (macOS)."""

    file_opened = Signal(str)

    def event(self, event: QEvent) -> bool:
        """A file was double-clicked while the app runs, or dropped on its icon."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self.file_opened.emit(event.file())
            return True
        return super().event(event)


class _Crier(QObject):
    """Brings sentences about errors to the GUI thread, one dialog at a time."""

    told = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_open = False
        self.told.connect(self._show)

    def _show(self, sentence: str) -> None:
        if not self._is_open:
            self._is_open = True
            QMessageBox.warning(None, "Continuo", sentence)  # type: ignore[arg-type]
            self._is_open = False


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="continuo", description="Plays on from your MIDI: a Music Transformer on your own machine."
    )
    parser.add_argument("file", nargs="?", default="", help="a MIDI file or .continuo session to open")
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--new-window", action="store_true", help="open a window of its own beside one that is open")
    parser.add_argument(
        "--associate", action="store_true", help="put Continuo into this user's menu and open sessions with it (Linux)"
    )
    chosen = parser.parse_known_args(list(arguments))[0]
    if chosen.version:
        from importlib.metadata import version  # here, because the window comes first

        print(f"Continuo {version('continuo')}")
        sys.exit()
    return chosen


def has_display() -> bool:
    """Whether there is a screen to open a window on."""
    return sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    )


def build(arguments: Sequence[str]) -> "tuple[Application, MainWindow, str]":
    """The app, its window (not shown yet) and the file to open, if any."""
    chosen = _parse(arguments)
    app = create_application()
    return app, create_window(app), chosen.file


def _associate() -> int:
    from core.errors import ContinuoError
    from desktop.association import associate

    try:
        print(f'Continuo is in your menu now, and under "Open with" of MIDI files and sessions ({associate()}).')
    except ContinuoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def create_application() -> Application:
    """The application, with its log and what becomes of errors; ends the program where there is no display."""
    # Painting on several threads waits for them with Python's lock in its hand, while the model has the cores.
    os.environ.setdefault("QT_NO_GUI_THREADPOOL", "1")
    # A thread that runs Python hands the lock over after so long, and painting asks for it many times a frame.
    sys.setswitchinterval(0.0001)
    if not has_display():  # Qt would abort without a word that helps
        sys.exit(NO_DISPLAY)
    start_logging()
    record_crashes()
    app = Application(sys.argv[:1])
    app.setApplicationName("Continuo")
    app.setApplicationDisplayName("Continuo")
    app.setDesktopFileName("continuo")
    app.setQuitOnLastWindowClosed(False)  # the window ends the app once all is silent and saved
    icon = bundled("icons", "continuo.png")
    if icon.is_file():
        app.setWindowIcon(QIcon(str(icon)))
    crier = _Crier(app)
    install_hooks(crier.told.emit)
    return app


def create_window(app: Application) -> "MainWindow":
    """The window, not shown yet."""
    with gc_frozen():
        from desktop.connections import connected_window
        from desktop.widgets.focus_ring import FocusRing
        from desktop.widgets.palettes import mend_palette

        mend_palette()
        app.styleHints().colorSchemeChanged.connect(lambda _: mend_palette())
        window = connected_window()
        FocusRing(window)
        window.fit_in(window.screen().availableSize())
        app.file_opened.connect(window.file_controller.open_path)
        app.commitDataRequest.connect(lambda _: window.document.autosave())
    return window


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app until its window is closed; returns the exit status."""
    multiprocessing.freeze_support()
    chosen = _parse(sys.argv[1:] if arguments is None else arguments)
    if chosen.associate:
        return _associate()
    app = create_application()
    instance = SingleInstance(app)
    if not chosen.new_window and instance.hand_over_or_listen(chosen.file):
        return 0
    window = create_window(app)
    instance.handed_over.connect(lambda path: bring_to_front(window, path))
    # Ctrl-C closes the window, which asks if something would be lost. Qt swallows what Python raises of itself.
    signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, window.close))
    window.show()
    QTimer.singleShot(0, lambda: window.start(chosen.file))
    try:
        return app.exec()
    finally:
        instance.close()
        window.shut_down()


def bring_to_front(window: "MainWindow", path: str) -> None:
    """A later start has handed its file over: open it here, if there is one, and come to the front."""
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.raise_()
    window.activateWindow()
    if path:
        window.file_controller.open_path(path)


if __name__ == "__main__":
    sys.exit(main())
