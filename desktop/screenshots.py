"""Pictures of the window's main states: `python -m desktop.screenshots FOLDER`, written by `make screenshots`.

Each colour scheme and scale is drawn by a process of its own, as the scale is fixed when Qt starts. Folders of
the user's are not touched.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

SCHEMES = ("light", "dark")
SCALES = ("1", "1.25", "2")
SIZE = (1280, 800)
PATIENCE = 60.0  # seconds for a state to come
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


def take_all(folder: Path) -> None:
    """Every state in every scheme and scale."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in SCHEMES:
        for scale in SCALES:
            with tempfile.TemporaryDirectory() as home:
                homes = {name: os.path.join(home, name) for name in _FOLDERS}
                environment = {**os.environ, **homes, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
                command = [sys.executable, "-m", "desktop.screenshots", str(folder), scheme, scale]
                subprocess.run(command, env=environment, check=True)


def take(folder: Path, scheme: str, scale: str) -> None:
    """The states in one scheme and scale."""
    import time

    from PySide6.QtWidgets import QApplication, QWidget

    from core.live.outputs import NoOutput, PortInfo
    from desktop.about_dialog import AboutDialog
    from desktop.app import Application
    from desktop.empty_state import examples
    from desktop.logs import log_path
    from desktop.main_window import MainWindow
    from desktop.quantise_dialog import QuantiseDialog
    from desktop.sound_check_dialog import SoundCheckDialog

    app = Application(sys.argv[:1])
    app.setStyle("Fusion")
    window = MainWindow()
    window.resize(*SIZE)
    window.preferences.change(output=NoOutput(), theme=scheme)
    window.show()
    window.start(looks_for_recovery=False)

    def until(is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            QApplication.processEvents()
            if time.monotonic() > deadline:
                raise SystemExit("A state to be pictured did not come.")

    def picture(name: str, widget: QWidget) -> None:
        QApplication.processEvents()
        widget.grab().save(str(folder / f"{name}-{scheme}-{scale}x.png"))

    def settle(seconds: float) -> None:
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() > end)

    until(lambda: window.continuing.is_prepared and window.hub.description)
    settle(0.3)  # until the status bar has told of it
    picture("empty", window)
    window.filing.open_path(dict((title, path) for path, title in examples())["Greensleeves"])
    until(lambda: window.document.session.score is not None and window.continuing.is_prepared)
    window.status.clearMessage()
    picture("prompt", window)
    settings = replace(window.document.session.settings, seed=4, seed_locked=True, length=120.0)
    window.document.amend(window.document.session.with_settings(settings))
    window.proceed()
    until(lambda: window.playback.position > window.document.session.marker + 2.0)
    picture("generating", window)
    window.playback.stop()
    until(lambda: not window.continuing.is_running)
    settings = replace(settings, seed=7, length=16.0, takes=3)
    window.document.amend(window.document.session.with_settings(settings))
    window.proceed()
    until(lambda: not window.continuing.is_running)
    window.playback.stop()
    session = window.document.session
    session = session.star_take(session.takes[1].id, True).rename_take(session.takes[2].id, "The calm one")
    window.document.amend(session)
    window.roll.fit()
    window.status.clearMessage()
    settle(0.3)
    picture("takes", window)
    ports = (PortInfo("FLUID Synth", "ALSA"),)
    for name, dialog in (
        ("about", AboutDialog(log_path(), window)),
        ("quantise", QuantiseDialog(12, parent=window)),
        ("sound-check", SoundCheckDialog(NoOutput(), lambda _: None, lambda: None, ports, parent=window)),
        ("output-menu", window.output_menu),
    ):
        dialog.show()
        picture(name, dialog)
        dialog.hide()
    window.shut_down()


if __name__ == "__main__":
    if len(sys.argv) == 4:
        take(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    else:
        take_all(Path(sys.argv[1] if len(sys.argv) > 1 else "out/screenshots"))
