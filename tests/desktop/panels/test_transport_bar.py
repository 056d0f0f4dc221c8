"""The transport bar: its keys at every width of the window."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.panels.transport_bar import TransportBar
from desktop.widgets.buttons import FlatButton


def test_the_key_of_what_is_played_works_at_every_width(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = TransportBar([], window)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    line = QFontMetrics(bar.font()).height()
    narrow = bar.minimumSizeHint().width() - 1
    were_hidden: list[bool] = []
    for width in (narrow, 2 * narrow, narrow):
        bar.resize(QSize(width, 2 * line))
        QApplication.processEvents()
        were_hidden.append(bar._label.isHidden())
        bar.snap.setFocus()
        assert window.focusWidget() is bar.snap
        QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
        assert window.focusWidget() is bar._what
    assert were_hidden == [True, False, True]


def test_a_screen_reader_calls_a_button_what_it_does_now(qtbot: QtBot) -> None:
    action = QAction("&Play")
    bar = TransportBar([action])
    qtbot.addWidget(bar)
    (button,) = [button for button in bar.findChildren(FlatButton) if button.defaultAction() is action]
    assert button.accessibleName() == "Play"
    action.setText("&Pause")
    assert button.accessibleName() == "Pause"
