"""What a roll has painted, and how much of it anew."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint
from PySide6.QtGui import QImage, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication

from desktop.piano_roll.view import PianoRoll


def pixels(roll: PianoRoll) -> NDArray[np.uint32]:
    """What is on the screen: (height, width) of 0xffrrggbb, not painted anew for the test."""
    QApplication.processEvents()
    window = roll.window()
    store = window.backingStore().paintDevice()
    assert isinstance(store, QImage)
    image = store.convertToFormat(QImage.Format.Format_RGB32)
    if image.isNull():
        pytest.fail("this platform shows no window to look at")
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4).copy()


def colour_at(roll: PianoRoll, shown: NDArray[np.uint32], point: QPoint) -> int:
    """The pixel of `shown` at a place of the viewport."""
    ratio = roll.devicePixelRatioF()
    return int(shown[int((point.y() + 0.5) * ratio), int((point.x() + 0.5) * ratio)])


def afresh(roll: PianoRoll) -> NDArray[np.uint32]:
    """The same, with every pixel painted anew, without tiles."""
    roll.tiles.clear()
    roll.viewport().update()
    return pixels(roll)


def tiled(roll: PianoRoll) -> NDArray[np.uint32]:
    """The same, all of it copied from tiles, which usually are painted one by one in idle time."""
    painted = -1
    shown = pixels(roll)
    while painted != roll.tiles.painted:  # on a busy machine the window is given its size late
        painted = roll.tiles.painted
        while roll.tiles.prepare(roll.coordinates, roll._paper, *roll._scrolled):
            pass
        roll.viewport().update()
        shown = pixels(roll)
    return shown


class PaintWatch(QObject):
    """The region that was painted since the last look."""

    def __init__(self, watched: QObject) -> None:
        super().__init__(watched)
        self._region = QRegion()
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self._region = self._region.united(event.region())
        return False

    def look(self) -> int:
        """Number of pixels."""
        QApplication.processEvents()
        region, self._region = self._region, QRegion()
        return sum(rect.width() * rect.height() for rect in region)  # type: ignore[attr-defined]
