"""Pictures of the window's main states, written by `make screenshots`; with --readme the two in the README.

    python -m desktop.dev.screenshots FOLDER
    python -m desktop.dev.screenshots --readme FOLDER

Each colour scheme and scale is drawn by a process of its own, as the scale is fixed when Qt starts. Folders of
the user's are not touched.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from math import sin
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from core.live.outputs import NoOutput, VirtualPort
from core.live.port_info import PortInfo
from core.logs import log_path
from core.midi.controllers import BEND, BEND_CENTRE, Point
from core.session.edits_controls import Owner, draw_curve, draw_pedal
from core.session.edits_song import with_metre, with_tempo
from desktop.app import Application
from desktop.connections import connected_window, shortcuts_of
from desktop.dialogs.about import AboutDialog
from desktop.dialogs.export import ExportDialog
from desktop.dialogs.finetune import FineTuneDialog
from desktop.dialogs.pages import PageDialog, manual_page
from desktop.dialogs.quantise import QuantiseDialog
from desktop.dialogs.questions import leaving_box, recovery_box
from desktop.dialogs.sound_check import SoundCheckDialog
from desktop.dialogs.tempo import TempoDialog
from desktop.dialogs.track import TrackDialog
from desktop.panels.empty_state import examples
from desktop.panels.take_words import sound_words
from desktop.piano_roll.layers import Cut
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.selection import Selection

SCHEMES = ("light", "dark")
SCALES = ("1", "1.25", "2")
_SIZE = (1280, 800)
_PATIENCE = 60.0  # seconds for a state to come
README = (("takes", "light", "window.png"), ("generating", "dark", "window-dark.png"))
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


class Studio:
    """A window that is brought from one state to the next, and pictured in each."""

    def __init__(self, folder: Path, scheme: str, scale: str) -> None:
        self._app = Application(sys.argv[:1])
        self._app.setStyle("Fusion")
        self._folder, self._ending = folder, f"-{scheme}-{scale}x.png"
        self._window = connected_window()
        self._window.resize(*_SIZE)
        self._window.preferences.change(output=NoOutput(), theme=scheme)
        self._window.show()
        self._window.start(looks_for_recovery=False)

    def picture_all(self) -> None:
        """Every state, one after the other."""
        try:
            self._empty()
            self._prompt()
            self._lanes()
            self._generating()
            self._takes()
            self._rows()
            self._alternatives()
            self._dialogs()
        finally:
            self._window.shut_down()

    def _empty(self) -> None:
        window = self._window
        self._until(lambda: window.generation.is_prepared and window.playback.output.description)
        self._settle(0.4)  # until the status bar has told of it
        self._picture("empty", window)

    def _prompt(self) -> None:
        window = self._window
        window.file_controller.open_path(dict((title, path) for path, title in examples())["Greensleeves"])
        self._until(lambda: window.document.session.score is not None and window.generation.is_prepared)
        window.status.clearMessage()
        self._picture("prompt", window)

    def _lanes(self) -> None:
        window, before = self._window, self._window.document.session
        session, owner = before, Owner(0)
        for start, end in ((1.0, 2.4), (3.0, 4.9), (5.0, 6.2), (6.4, 9.0)):
            session = draw_pedal(session, owner, start, end)
        bend = [Point(1 + i / 50, round(8192 + 6000 * sin(i / 20))) for i in range(300)]
        session = draw_curve(session, owner, BEND, 1.0, 9.0, [*bend, Point(7.1, BEND_CENTRE)])
        session = draw_curve(
            session, owner, 11, 0.0, 9.0, [Point(i / 20, round(64 + 60 * sin(i / 30))) for i in range(180)]
        )
        bar = session.tempo_map.bar_tick
        session = with_metre(with_tempo(with_tempo(session, bar(4), 140), bar(6), 100), bar(5), (4, 4))
        window.document.amend(session)
        window.lanes.show_lanes([("velocity", 70), ("pedal", 50), ("bend", 80), ("cc11", 70), ("tempo", 60)])
        window.lane_display.show_document()
        window.roll.zoom_time(2.0, 0.0)
        self._settle(0.2)
        self._picture("lanes", window)
        window.document.amend(before)
        window.lanes.show_lanes([("velocity", 90)])
        window.roll.fit()

    def _generating(self) -> None:
        window = self._window
        self._set(seed=4, seed_locked=True, length=120.0, unit="seconds")
        window.proceed()
        self._until(lambda: window.transport.position > window.document.session.marker + 3.0)
        self._picture("generating", window)
        self._stop()

    def _takes(self) -> None:
        window = self._window
        for seed in (22, 21, 20):  # one by one: the speed that is shown is that of a take alone
            self._set(seed=seed, unit="auto")
            window.proceed()
            self._until(lambda: not window.generation.is_running)
            self._stop()
        session = window.document.session
        session = session.star_take(session.takes[1].id, True).rename_take(session.takes[2].id, "The calm one")
        window.document.amend(session)
        window.roll.fit()
        window.status.clearMessage()
        self._settle(0.4)
        self._picture("takes", window)
        window.roll.set_selection([NoteRef("track:0", i) for i in range(20, 40)])
        window.transport.set_loop((8.0, 16.0))
        window.tracks.mute_changed.emit(1, True)
        self._picture("editing", window)

    def _rows(self) -> None:
        window = self._window
        window.roll.clear_selection()
        window.tracks.mute_changed.emit(1, False)
        front = window.tracks.model.tracks[-1].key
        for key, name in ((front, "front"), (None, "")):
            window.tracks.show_in_front(key)
            window.tracks.brought_forward.emit(key)
            if name:
                self._picture(name, window)
        for name in ("scale", "chords", "fold"):
            window.actions_[name].trigger()
            self._settle(0.5)  # until scale and chords are found
            self._picture(f"rows-{name}", window)
        for name in ("scale", "chords", "fold"):
            window.actions_[name].trigger()
        self._picture("rows-unfolded", window)
        window.actions_["knife"].trigger()
        window.roll.split_requested.emit(Selection.of([NoteRef("track:0", 6)]), 4.3)
        note = window.roll.note(NoteRef("track:0", 2))
        window.roll.set_cut(Cut((note.start + note.end) / 2, (note.pitch,)))
        self._picture("knife", window)
        window.actions_["pointer"].trigger()
        window.editing.undo()
        window.roll.clear_selection()

    def _alternatives(self) -> None:
        window = self._window
        window.transport.set_loop(None)
        window.roll.clear_selection()
        window.roll.set_span((9.0, 15.0))
        window.actions_["regenerate"].trigger()
        self._until(lambda: window.fill.run is not None and window.fill.run.head > 1.0)
        self._picture("regenerating", window)
        self._until(lambda: window.fill.is_choosing)
        window.transport.stop()
        window.status.clearMessage()
        self._settle(0.4)
        self._picture("alternatives", window)
        window.fill.drop()

    def _dialogs(self) -> None:
        window, ports = self._window, (PortInfo("FLUID Synth", "ALSA"), PortInfo("FP-10 MIDI 1", "ALSA"))
        window.output_menu.show_outputs(ports, VirtualPort(), True)
        score, before = window.document.session.score, window.document.session
        assert score is not None
        changed = with_tempo(before, before.tempo_map.bar_tick(4), 140).tempo_map
        for name, dialog in (
            ("about", AboutDialog(log_path(), window)),
            ("export", ExportDialog(window, sound_words(window.document.session, "both"))),
            ("fine-tune", FineTuneDialog(window)),
            ("manual", PageDialog("Manual", manual_page, window)),
            ("shortcuts", PageDialog("Keyboard Shortcuts", lambda: shortcuts_of(window), window)),
            ("quantise", QuantiseDialog(20, parent=window)),
            ("tempo", TempoDialog(changed, 0, window)),
            ("tempo-later", TempoDialog(changed, changed.bar_tick(4), window, is_there=True)),
            ("track", TrackDialog(score, score.tracks[0], window)),
            ("sound-check", SoundCheckDialog(VirtualPort(), lambda _: None, lambda: True, ports, parent=window)),
            ("sound-check-windows", SoundCheckDialog(NoOutput(), lambda _: None, lambda: None, platform="win32")),
            ("leaving", leaving_box(window, "Greensleeves.mid")),
            ("recovery", recovery_box(window, "Greensleeves.mid", "16:20", 1)[0]),
            (
                "problem",
                QMessageBox(QMessageBox.Icon.Warning, "Continuo", 'There is no file "song.mid".', parent=window),
            ),
            ("output-menu", window.output_menu),
        ):
            dialog.show()
            self._picture(name, dialog)
            dialog.hide()

    def _set(self, **settings: object) -> None:
        document = self._window.document
        changed = replace(document.session.settings, **settings)  # type: ignore[arg-type]
        document.amend(document.session.with_settings(changed))

    def _stop(self) -> None:
        self._window.transport.stop()
        self._until(lambda: not self._window.generation.is_running)

    def _until(self, is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not is_so():
            # Waiting, the window wakes it up; asking all the time would slow down the model.
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            if time.monotonic() > deadline:
                raise SystemExit("A state to be pictured did not come.")

    def _settle(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._until(lambda: time.monotonic() > end)

    def _picture(self, name: str, widget: QWidget) -> None:
        QApplication.processEvents()
        widget.grab().save(str(self._folder / f"{name}{self._ending}"))


def take(folder: Path, scheme: str, scale: str) -> None:
    """The states in one scheme and scale, by a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        homes = {name: os.path.join(home, name) for name in _FOLDERS}
        environment = {**os.environ, **homes, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": scale}
        command = [sys.executable, "-m", "desktop.dev.screenshots", str(folder), scheme, scale]
        subprocess.run(command, env=environment, check=True)


def take_for_readme(folder: Path) -> None:
    """The README's two pictures."""
    with tempfile.TemporaryDirectory() as pictures:
        for state, scheme, name in README:
            take(Path(pictures), scheme, "2")
            shutil.copyfile(Path(pictures, f"{state}-{scheme}-2x.png"), folder / name)


def main(arguments: list[str]) -> None:
    """See the module's docstring; with a scheme and a scale it is the process for them."""
    if arguments[:1] == ["--readme"]:
        take_for_readme(Path(arguments[1]))
    elif len(arguments) == 3:
        Studio(Path(arguments[0]), *arguments[1:]).picture_all()
    else:
        for scheme in SCHEMES:
            for scale in SCALES:
                take(Path(arguments[0]), scheme, scale)


if __name__ == "__main__":
    main(sys.argv[1:])
