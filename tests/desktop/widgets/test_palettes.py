"""Light and dark as the View menu chooses them."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QApplication, QCheckBox, QRadioButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.panels.output_menu import OutputMenu
from desktop.widgets.palettes import DropDown, palette_of, show_in
from desktop.widgets.theme import TEXT_CONTRAST, contrast


@pytest.fixture(autouse=True)
def as_the_system_again(qtbot: QtBot) -> Iterator[None]:
    yield
    show_in(Qt.ColorScheme.Unknown)


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_a_switch_that_is_off_is_seen(qtbot: QtBot, scheme: Qt.ColorScheme) -> None:
    show_in(scheme)
    menu = OutputMenu()
    qtbot.addWidget(menu)
    menu.resize(menu.sizeHint())
    menu.setActiveAction(menu.panic)
    box = menu.actionGeometry(menu.programs)
    picture = menu.grab(box).toImage()
    ground = picture.pixelColor(picture.width() // 2, 0)
    row = [picture.pixelColor(x, picture.height() // 2) for x in range(round(20 * picture.devicePixelRatio()))]
    assert max(contrast(colour, ground) for colour in row) > 1.5


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
@pytest.mark.parametrize("kind", [QRadioButton, QCheckBox])
def test_a_switch_of_a_dialog_that_is_off_is_seen(
    qtbot: QtBot, scheme: Qt.ColorScheme, kind: type[QRadioButton | QCheckBox]
) -> None:
    before = QApplication.style().name()
    QApplication.setStyle("Fusion")
    try:
        show_in(scheme)
        dialog = QWidget()
        qtbot.addWidget(dialog)
        switch = kind("Off", dialog)
        dialog.resize(100, 40)
        picture = dialog.grab(QRect(0, 0, 20, switch.sizeHint().height())).toImage()
    finally:
        QApplication.setStyle(before)
    ground = dialog.palette().color(QPalette.ColorRole.Window)
    shown = [picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height())]
    assert max(contrast(colour, ground) for colour in shown) > 1.5


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
def test_the_list_of_a_drop_down_can_be_read(qtbot: QtBot, scheme: Qt.ColorScheme) -> None:
    show_in(scheme)
    box = DropDown()
    qtbot.addWidget(box)
    box.addItems(["One", "Two", "Three"])
    box.show()
    box.showPopup()
    view = box.view()
    picture = view.viewport().grab(view.visualRect(box.model().index(2, 0))).toImage()  # not the chosen one
    ground = picture.pixelColor(picture.width() - 2, picture.height() // 2)
    shown = [picture.pixelColor(x, y) for x in range(picture.width()) for y in range(picture.height())]
    assert max(contrast(colour, ground) for colour in shown) >= TEXT_CONTRAST


def test_a_choice_that_has_no_room_ends_in_an_ellipsis(qtbot: QtBot) -> None:
    def painted(words: str) -> QImage:
        box = DropDown()
        qtbot.addWidget(box)
        box.addItem(words)
        box.setFixedWidth(90)
        box.show()
        return box.grab().toImage()

    words = "8 bars, or 20 seconds"
    assert painted(words) in [painted(f"{words[:count]}…") for count in range(1, len(words))]


_R = QPalette.ColorRole


@pytest.mark.parametrize("scheme", [Qt.ColorScheme.Light, Qt.ColorScheme.Dark])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        (_R.WindowText, _R.Window),
        (_R.Text, _R.Base),
        (_R.Text, _R.AlternateBase),
        (_R.ButtonText, _R.Button),
        (_R.ToolTipText, _R.ToolTipBase),
        (_R.HighlightedText, _R.Highlight),
    ],
)
def test_every_text_of_our_palettes_can_be_read(scheme: Qt.ColorScheme, ink: _R, ground: _R) -> None:
    palette = palette_of(scheme)
    assert contrast(palette.color(ink), palette.color(ground)) >= TEXT_CONTRAST
