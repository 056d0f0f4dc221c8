"""The window by keyboard alone: from opening a file to leaving, and where the keys go is always seen."""

from collections.abc import Callable
from pathlib import Path

import mido
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFocusFrame,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QStyle,
    QStyleOptionSpinBox,
    QTableView,
    QWidget,
)

from core.session.edits import part_notes
from desktop.widgets.focus_ring import FocusRing
from tests.desktop.looking import focus_pixels, reachable
from tests.desktop.test_contrast import dialogs, with_takes
from tests.desktop.test_song import nine_tracks
from tests.desktop.windows import Desk

CTRL, SHIFT, NONE = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.NoModifier,
)


LEFT = Qt.MouseButton.LeftButton
LEAST_SEEN = 24  # pixels that change where the focus comes: a short line


def unseen(root: QWidget) -> list[str]:
    """The widgets that the keys can go to and that do not show it."""
    found: list[str] = []
    for widget in reachable(root):
        for area in root.findChildren(QScrollArea):
            if area.isAncestorOf(widget):
                area.ensureWidgetVisible(widget)
        pixels = focus_pixels(widget)
        if pixels < LEAST_SEEN:
            found.append(f"{type(widget).__name__} {widget.accessibleName()}: {pixels}")
    return found


def cut(root: QWidget) -> list[str]:
    """The widgets whose ring has no room on one of its sides, or stays behind as they move."""
    found: list[str] = []
    for widget in reachable(root):
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        for ring in [ring for ring in root.findChildren(QFocusFrame) if ring.isVisible()]:
            parent = ring.parentWidget()
            assert parent is not None
            inside = QRect(widget.mapTo(parent, QPoint()), widget.size())
            if not ring.geometry().contains(inside.adjusted(-1, -1, 1, 1)) or not parent.rect().contains(
                ring.geometry()
            ):
                found.append(f"{type(widget).__name__} {widget.accessibleName()}")
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_where_the_keys_go_is_seen(desk: Callable[..., Desk], homes: Path, theme: str) -> None:
    at = desk()
    window = at.window
    FocusRing(window)
    window.preferences.change(theme=theme)
    window.activateWindow()
    at.wait(window.isActiveWindow, "the window to be active")
    bad = {"the first page": unseen(window.empty)}
    (homes / "song.mid").write_bytes(nine_tracks())
    at.open(homes / "song.mid")
    with_takes(at)
    window.panel.show_unfolded(("feel", "more"))
    bad["a song"] = unseen(window)
    window.fill_bar.show_alternatives(4, 2)
    bad["alternatives"] = unseen(window.fill_bar)
    window.fill_bar.end()
    for dialog in dialogs(window):
        dialog.show()
        dialog.activateWindow()
        at.wait(dialog.isActiveWindow, "the dialog to be active")
        name = f"{type(dialog).__name__} {dialog.windowTitle()}"
        bad[name] = unseen(dialog)
        bad[f"{name}, cut off"] = cut(dialog)
        dialog.resize(dialog.width() + 40, dialog.height() + 40)
        bad[f"{name}, larger"] = cut(dialog)
        dialog.close()
        dialog.deleteLater()
    window.preferences.change(theme="system")
    assert {place: widgets for place, widgets in bad.items() if widgets} == {}


class Fingers:
    """Press keys where the focus of a window is."""

    def __init__(self, at: Desk) -> None:
        self._window = at.window
        at.window.activateWindow()
        at.wait(at.window.isActiveWindow, "the window to be active")

    def __call__(self, *keys: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        for key in keys:
            focus = self._window.focusWidget()
            assert focus is not None
            QTest.keyClick(focus, key, modifiers)


def choose_another(at: Desk, press: Fingers) -> None:
    """Regenerate the fifth bar, and keep the second alternative."""
    window, roll, take = at.window, at.window.roll, at.takes[0]
    press(Qt.Key.Key_Escape, Qt.Key.Key_Home, *[Qt.Key.Key_Period] * 4, Qt.Key.Key_I, Qt.Key.Key_Period, Qt.Key.Key_O)
    assert roll.span is not None
    press(Qt.Key.Key_R)
    at.wait(lambda: window.fill.is_choosing, "alternatives")
    assert "choose by the arrow keys or 0 to 3; Return keeps" in at.messages[-1]
    assert window.fill_bar.hasFocus()
    press(Qt.Key.Key_Right)
    assert window.fill.shown == 2
    before = part_notes(window.fill.alternatives[0], take.id)
    press(Qt.Key.Key_Return)
    assert not window.fill.is_choosing
    assert window.document.session.take(take.id).notes != before
    assert roll.hasFocus()


def test_a_song_is_continued_edited_and_saved_by_keys_alone(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    window, roll, press = at.window, at.window.roll, Fingers(at)
    (homes / "song.mid").write_bytes(nine_tracks())
    at.answers.path = str(homes / "song.mid")
    press(Qt.Key.Key_O, modifiers=CTRL)
    at.settle()
    session = window.document.session
    assert session.score is not None
    assert roll.hasFocus()

    press(Qt.Key.Key_F6, modifiers=SHIFT)  # to the tracks
    press(Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert window.tracks.model.in_front == session.score.tracks[1].key
    press(Qt.Key.Key_Return, Qt.Key.Key_F6)  # all alike again, and back to the notes
    assert (window.tracks.model.in_front, roll.hasFocus()) == (None, True)

    press(*[Qt.Key.Key_Period] * 4, Qt.Key.Key_K)
    bar = session.tempo_map.seconds(session.tempo_map.bar_tick(4))
    assert window.document.session.marker == pytest.approx(bar)
    press(*[Qt.Key.Key_Period] * 2)
    press(Qt.Key.Key_E, modifiers=SHIFT)
    end = session.tempo_map.seconds(session.tempo_map.bar_tick(6))
    assert window.document.session.end_marker == pytest.approx(end)

    at.wait_until_ready()
    press(Qt.Key.Key_C)
    at.wait(lambda: window.generation.in_progress and window.generation.in_progress[0].notes, "notes")
    at.wait(lambda: not window.generation.is_running, "the take")
    press(Qt.Key.Key_Escape)
    (take,) = at.takes
    assert max(note.start for note in take.notes) < end - bar

    press(Qt.Key.Key_End, modifiers=CTRL)
    press(Qt.Key.Key_Left, modifiers=CTRL)
    (ref,) = roll.selection.refs
    pitch = roll.note(ref).pitch
    press(Qt.Key.Key_Up, Qt.Key.Key_Up)
    (ref,) = roll.selection.refs
    assert roll.note(ref).pitch == pitch + 2

    choose_another(at, press)
    at.answers.path = str(homes / "continued.mid")
    press(Qt.Key.Key_E, modifiers=CTRL)
    at.settle()
    assert len(mido.MidiFile(at.answers.path).tracks) > len(session.score.tracks)
    press(Qt.Key.Key_Q, modifiers=CTRL)
    at.wait(lambda: not window.isVisible(), "the window to close")


def spot_in(table: QTableView, row: int) -> QPoint:
    return table.visualRect(table.model().index(row, 0)).center()


def step_up(spin: QSpinBox) -> QPoint:
    option = QStyleOptionSpinBox()
    spin.initStyleOption(option)
    kind, part = QStyle.ComplexControl.CC_SpinBox, QStyle.SubControl.SC_SpinBoxUp
    return spin.style().subControlRect(kind, option, part, spin).center()


def test_the_mouse_in_lists_and_fields_leaves_the_keys_to_the_notes(desk: Callable[..., Desk], homes: Path) -> None:
    (homes / "song.mid").write_bytes(nine_tracks())
    at = desk()
    at.open(homes / "song.mid")
    window, roll, press = at.window, at.window.roll, Fingers(at)
    table, takes = window.tracks.table, window.panel.takes
    QTest.mouseClick(table.viewport(), LEFT, pos=spot_in(table, 1))
    assert window.tracks.model.in_front is not None
    count = len(window.document.session.tracks[1].notes)
    press(Qt.Key.Key_A, modifiers=CTRL)
    assert len(roll.selection) == count
    press(Qt.Key.Key_Space)
    assert (window.transport.is_playing, window.document.session.flags[1].mute) == (True, False)
    press(Qt.Key.Key_Delete)
    assert not window.document.session.tracks[1].notes

    before = takes.value()
    QTest.mouseClick(takes, LEFT, pos=step_up(takes))
    assert (takes.value(), roll.hasFocus()) == (before + 1, True)
    (typed,) = takes.findChildren(QLineEdit)
    QTest.mouseClick(typed, LEFT)
    assert takes.hasFocus()
    QTest.keyClick(takes, Qt.Key.Key_7)
    press(Qt.Key.Key_Escape)  # it goes on playing
    assert (takes.value(), takes.text(), roll.hasFocus()) == (before + 1, str(before + 1), True)
    assert window.transport.is_playing
    press(Qt.Key.Key_Escape)
    assert not window.transport.is_playing
    QTest.mouseClick(typed, LEFT)
    typed.selectAll()
    QTest.keyClick(takes, Qt.Key.Key_3)
    press(Qt.Key.Key_Return)
    assert (takes.value(), roll.hasFocus()) == (3, True)


def test_return_enter_and_space_choose_in_an_open_list(desk: Callable[..., Desk]) -> None:
    at = desk()
    window, press = at.window, Fingers(at)
    panel = window.panel
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
        for box in (window.transport_bar.snap, panel.drums, panel.rest, panel.unit):
            before = box.currentIndex()
            step = Qt.Key.Key_Up if before else Qt.Key.Key_Down
            box.setFocus()
            press(Qt.Key.Key_Space)
            assert box.view().isVisible()
            QTest.keyClick(box.view(), step)
            QTest.keyClick(box.view(), key)
            assert not box.view().isVisible()
            assert box.currentIndex() == before + (-1 if before else 1)
    assert not window.transport.is_playing
    assert window.roll.grid.snap == window.transport_bar.snap.currentData()
    assert window.document.session.settings.unit == panel.unit.currentData()
