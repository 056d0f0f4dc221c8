"""F6 through the window, as with a keyboard."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from desktop.widgets.buttons import FlatButton
from desktop.widgets.focus_ring import FocusRing
from desktop.widgets.palettes import DropDown, palette_of
from desktop.widgets.theme import SHAPE_CONTRAST, contrast
from tests.desktop.windows import BACH, Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_f6_goes_through_the_parts_that_can_be_worked_in(desk: Callable[..., Desk]) -> None:
    at = desk()
    window = at.window

    def pressed(modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> str:
        QTest.keyClick(window, Qt.Key.Key_F6, modifiers)
        focus = window.focusWidget()
        parts = ("transport_bar", "tracks", "empty", "roll", "panel", "takes")
        return next(p for p in parts if getattr(window, p) is focus or getattr(window, p).isAncestorOf(focus))

    window.activateWindow()
    at.wait(window.isActiveWindow, "the window to be active")
    window.empty.example.setFocus()
    assert [pressed() for _ in range(3)] == ["panel", "transport_bar", "empty"]  # no track yet, nor take
    at.open(BACH)
    window.roll.setFocus()
    assert [pressed() for _ in range(4)] == ["panel", "transport_bar", "tracks", "roll"]
    at.sample(1.0)
    window.panel.length.setFocus()
    assert [pressed() for _ in range(5)] == ["takes", "transport_bar", "tracks", "roll", "panel"]
    assert window.panel.length.hasFocus()  # where it was last
    assert [pressed(SHIFT) for _ in range(5)] == ["roll", "tracks", "transport_bar", "takes", "panel"]
    window.splitter.setSizes([0, 900, 300])
    assert [pressed() for _ in range(4)] == ["takes", "transport_bar", "roll", "panel"]


def test_parts_at_the_sides_are_hidden_and_shown_by_keys(desk: Callable[..., Desk]) -> None:
    at = desk()
    window = at.window
    at.open(BACH)
    window.activateWindow()
    at.wait(window.isActiveWindow, "the window to be active")
    window.tracks.table.setFocus()
    before = window.splitter.sizes()
    for key, pane in ((Qt.Key.Key_F7, 0), (Qt.Key.Key_F8, 2)):
        QTest.keyClick(window, key)
        assert window.splitter.sizes()[pane] == 0
        assert window.splitter.sizes()[1] > before[1]
        focus = window.focusWidget()
        assert focus is not None
        assert window.splitter.widget(pane) is not focus.parentWidget()
        assert not window.tracks.table.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_F7)
    QTest.keyClick(window, Qt.Key.Key_F8)
    assert window.splitter.sizes() == before
    window.splitter.setSizes([0, 1000, 300])  # dragged together
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert window.splitter.sizes()[0] == before[0]


def test_nothing_is_lost_where_f6_passes_a_focus_ring(desk: Callable[..., Desk]) -> None:
    at = desk()
    window = at.window
    FocusRing(window)
    at.open(BACH)
    window.activateWindow()
    at.wait(window.isActiveWindow, "the window to be active")
    for widget in [box for box in window.findChildren(DropDown) if box.isVisible()]:
        for modifiers in (Qt.KeyboardModifier.NoModifier, SHIFT):
            widget.setFocus()
            for _ in range(5):
                QApplication.processEvents()  # a ring comes
                QTest.keyClick(window, Qt.Key.Key_F6, modifiers)
                QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # and is gone
    assert [child for child in window.findChildren(QObject) if not isValid(child)] == []
    assert [name for name, child in vars(window).items() if isinstance(child, QObject) and not isValid(child)] == []


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_a_flat_button_shows_that_it_has_the_focus(qtbot: QtBot, scheme: Qt.ColorScheme) -> None:
    button = FlatButton()
    qtbot.addWidget(button)
    button.setPalette(palette_of(scheme))
    button.resize(40, 30)
    button.show()
    button.activateWindow()
    qtbot.waitUntil(button.isActiveWindow)
    button.setFocus()
    rim = button.grab().toImage().pixelColor(1, 15)
    assert contrast(rim, button.palette().window().color()) >= SHAPE_CONTRAST
