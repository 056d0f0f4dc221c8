"""The bar of alternatives: whose the keys are."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.panels.fill_bar import FillBar

KEYS = {"1": 1, "2": 2, "0": 0, "Right": 1, "Left": 2}


@pytest.mark.parametrize("key", KEYS)
def test_its_keys_wait_for_the_alternatives_and_are_no_commands_meanwhile(qtbot: QtBot, key: str) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = FillBar(window)
    commands, chosen = [], []
    QShortcut(key, window).activated.connect(lambda: commands.append(key))
    bar.chosen.connect(chosen.append)
    bar.show_sampling(0.3)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    bar.setFocus()
    code = getattr(Qt.Key, f"Key_{key}")
    QTest.keyClick(bar, code)
    assert (commands, chosen) == ([], [])
    bar.show_alternatives(3, 0)
    QTest.keyClick(bar, code)
    assert (commands, chosen) == ([], [KEYS[key]])
