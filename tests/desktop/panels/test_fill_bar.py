"""The bar of alternatives: whose the keys are."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.panels.fill_bar import FillBar
from desktop.widgets.palettes import palette_of
from desktop.widgets.theme import SHAPE_CONTRAST, contrast

KEYS = {"1": 1, "2": 2, "0": 0, "Right": 1, "Left": 2}


@pytest.mark.parametrize("key", KEYS)
def test_its_keys_wait_for_the_alternatives_and_are_no_commands_meanwhile(qtbot: QtBot, key: str) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    bar = FillBar(window)
    commands, chosen = [], []
    QShortcut(key, window).activated.connect(lambda: commands.append(key))
    bar.chosen.connect(chosen.append)
    bar.show_sampling()
    bar.show_progress(0.3)
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


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_the_one_that_is_shown_stands_out(qtbot: QtBot, scheme: Qt.ColorScheme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setPalette(palette_of(scheme))
    bar = FillBar(window)
    window.show()
    for shown in (1, 2):
        bar.show_alternatives(4, shown)
        grounds = [button.grab().toImage().pixelColor(6, button.height() // 2) for button in bar.numbers[:4]]
        chosen = grounds.pop(shown)
        assert all(contrast(chosen, other) > 1.3 for other in grounds)


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_it_shows_that_the_keys_are_its_own(qtbot: QtBot, scheme: Qt.ColorScheme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setPalette(palette_of(scheme))
    bar = FillBar(window)
    bar.show_tracks(["Melody"])
    bar.show_alternatives(4, 1)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    bar.setFocus()
    rim = bar.grab().toImage().pixelColor(1, bar.height() // 2)
    assert contrast(rim, bar.palette().window().color()) >= SHAPE_CONTRAST
    assert bar.accessibleDescription() == "Alternative 1 of 3. These tracks are made anew: Melody"


def test_its_words_have_room(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    QVBoxLayout(window)
    area = QWidget(window)
    window.layout().addWidget(area)  # type: ignore[union-attr]
    bar = FillBar(window)
    bar.lie_over(area)
    window.resize(1200, 600)
    with qtbot.waitExposed(window):
        window.show()
    bar.show_tracks(["Right hand", "Left hand"])
    for makes_more in (False, True):
        bar.show_alternatives(4, 1, is_sampling=makes_more)
        QApplication.processEvents()
        assert bar.tracks.toolTip() == ""  # all of it is seen
    window.resize(340, 600)
    bar.show_sampling()
    QApplication.processEvents()
    assert bar.words.isVisible()
    assert bar.words.width() >= bar.words.sizeHint().width()


def test_it_tells_how_much_it_covers_whatever_becomes_of_the_window(qtbot: QtBot) -> None:
    window, area = QWidget(), QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(area)
    bar = FillBar(window)
    bar.lie_over(area)
    covered: list[int] = []
    bar.covers.connect(covered.append)
    window.resize(1200, 600)
    with qtbot.waitExposed(window):
        window.show()
    bar.show_alternatives(4, 1)
    over = bar.height()
    assert len(covered) == 1
    assert over < covered[0] < 2 * over
    for width, expected in ((300, 0), (1200, covered[0])):
        window.resize(width, 600)
        QApplication.processEvents()
        assert covered[-1] == expected
    bar.end()
    assert covered == [covered[0], 0, covered[0], 0]
