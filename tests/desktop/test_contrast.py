"""Every text of the window and its dialogs can be read on what is painted behind it, in light and in dark."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from core.live.outputs import VirtualPort
from core.live.port_info import PortInfo
from core.midi.score import TakeNote
from core.session.session import TakeRecord
from desktop.connections import shortcuts_of
from desktop.dialogs.about import AboutDialog
from desktop.dialogs.export import ExportDialog
from desktop.dialogs.finetune import FineTuneDialog
from desktop.dialogs.pages import PageDialog, manual_page
from desktop.dialogs.quantise import QuantiseDialog
from desktop.dialogs.questions import leaving_box, recovery_box
from desktop.dialogs.sound_check import SoundCheckDialog
from desktop.dialogs.tempo import TempoDialog
from desktop.dialogs.track import TrackDialog
from desktop.main_window import MainWindow
from desktop.piano_roll.chord_strip import ChordStrip
from desktop.piano_roll.notes import NoteRef
from desktop.widgets.palettes import show_in
from desktop.widgets.theme import TEXT_CONTRAST
from tests.desktop.painted_text import PaintedText, painted_texts
from tests.desktop.test_song import nine_tracks
from tests.desktop.windows import Desk

PORTS = (PortInfo("FLUID Synth", "ALSA"), PortInfo("FP-10 MIDI 1", "ALSA"))


@pytest.fixture(params=[Qt.ColorScheme.Light, Qt.ColorScheme.Dark], ids=["light", "dark"])
def scheme(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[Qt.ColorScheme]:
    show_in(request.param)
    yield request.param
    show_in(Qt.ColorScheme.Unknown)


def unreadable(root: QWidget) -> list[str]:
    """What of a widget cannot be read, disabled parts aside."""
    QApplication.processEvents()
    texts = painted_texts(root)
    assert texts
    return sorted({_words(text) for text in texts if text.is_enabled and text.contrast < TEXT_CONTRAST})


def _words(text: PaintedText) -> str:
    return f"{text.words}: {text.colour.name()} on {text.behind.name()}, {text.contrast:.2f}"


def test_what_cannot_be_read_is_found(qtbot: QtBot) -> None:
    label = QLabel("Hard to read")
    qtbot.addWidget(label)
    label.setStyleSheet("color: #909090; background: #c0c0c0")
    label.show()
    assert unreadable(label) == ["Hard to read: #909090 on #c0c0c0, 1.75"]
    label.setEnabled(False)
    assert not unreadable(label)


def with_takes(at: Desk) -> None:
    """Nine tracks, one muted, one hidden, one not in the prompt; two takes, one starred; a selection and a loop."""
    window = at.window
    notes = tuple(TakeNote(60 + k, 80, k / 2, k / 2 + 0.4, (1, 0)) for k in range(8))
    session = window.document.session.with_marker(16.0)
    for k in range(3):
        session = session.with_take(TakeRecord(notes, seconds=4.0, marker=16.0, end=4.0, id=f"t{k}", name=f"Take {k}"))
    session = session.star_take("t1", True).delete_takes(["t0"])
    session = session.with_flags(1, mute=True).with_flags(2, hidden=True).with_flags(3, in_prompt=False)
    window.document.do("Make takes", session)
    window.roll.set_selection([NoteRef("track:0", i) for i in range(4)])
    window.transport.set_loop((4.0, 8.0))


def dialogs(window: MainWindow) -> list[QWidget]:
    score = window.document.session.score
    assert score is not None
    return [
        AboutDialog(Path("continuo.log"), window),
        ExportDialog(window),
        FineTuneDialog(window),
        PageDialog("Manual", manual_page, window),
        PageDialog("Keyboard Shortcuts", lambda: shortcuts_of(window), window),
        QuantiseDialog(20, parent=window),
        SoundCheckDialog(VirtualPort(), lambda _: None, lambda: True, PORTS, parent=window),
        TempoDialog(score.tempo_map, 0, window),
        TrackDialog(score, score.tracks[0], window),
        leaving_box(window, "Song.mid"),
        recovery_box(window, "Song.mid", "16:20", 1)[0],
        QMessageBox(QMessageBox.Icon.Warning, "Continuo", 'There is no file "song.mid".', parent=window),
    ]


def test_every_text_of_the_window_and_its_dialogs(
    desk: Callable[..., Desk], homes: Path, scheme: Qt.ColorScheme
) -> None:
    at = desk()
    window = at.window
    window.preferences.change(theme="light" if scheme == Qt.ColorScheme.Light else "dark")
    bad = {"the first page": unreadable(window)}
    (homes / "song.mid").write_bytes(nine_tracks())
    at.open(homes / "song.mid")
    with_takes(at)
    window.status.say("Something was done.")
    bad["a song"] = unreadable(window)
    window.panel.show_unfolded(("feel", "more"))
    for scroll in window.findChildren(QScrollArea):
        scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum())
    bad["a song, scrolled"] = unreadable(window)
    window.fill_bar.show_alternatives(4, 2)
    bad["alternatives"] = unreadable(window.fill_bar)
    window.fill_bar.end()
    for name in ("scale", "chords", "fold"):
        window.actions_[name].trigger()
    at.wait(lambda: window.findChildren(ChordStrip)[0].names, "the chords")
    bad["scale, chords, rows in use"] = unreadable(window)
    window.roll.set_drum_keys("track:0")
    bad["names of drums"] = unreadable(window)
    window.output_menu.show_outputs(PORTS, VirtualPort(), True)
    for action in window.menuBar().actions():
        menu = action.menu()
        assert isinstance(menu, QWidget)
        menu.resize(menu.sizeHint())
        bad[action.text()] = unreadable(menu)
    window.output_menu.resize(window.output_menu.sizeHint())
    bad["outputs"] = unreadable(window.output_menu)
    for dialog in dialogs(window):
        dialog.show()
        bad[f"{type(dialog).__name__} {dialog.windowTitle()}"] = unreadable(dialog)
        dialog.close()
        dialog.deleteLater()
    assert {place: words for place, words in bad.items() if words} == {}
