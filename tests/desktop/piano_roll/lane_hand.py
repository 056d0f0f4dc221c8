"""The mouse in the lanes under a roll."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.piano_roll.lanes.kinds import USUAL_LANES, make_lane
from desktop.piano_roll.lanes.lane import MARGIN
from desktop.piano_roll.lanes.lanes import LaneHeight, Lanes
from desktop.piano_roll.lanes.row import GRIP, LaneRow
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import NONE


def lanes_of(roll: PianoRoll, *choices: LaneHeight) -> Lanes:
    """Lanes under a roll, some of them shown."""
    lanes = Lanes(roll, USUAL_LANES, lambda name: make_lane(roll, name))
    lanes.show_lanes(choices)
    QApplication.processEvents()
    return lanes


class LaneHand:
    """The mouse in a row, in seconds and values from 0 to `most`."""

    def __init__(self, roll: PianoRoll, row: LaneRow, most: float = 127) -> None:
        self.roll, self.row, self.most = roll, row, most

    def at(self, seconds: float, value: float) -> QPoint:
        height = self.row.height() - GRIP
        y = MARGIN + (1 - value / self.most) * (height - 2 * MARGIN)
        return QPointF(self.roll.keyboard_width + self.roll.coordinates.x(seconds), GRIP + y).toPoint()

    def press(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.row, Qt.MouseButton.LeftButton, modifiers, point)

    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(point),
            QPointF(self.row.mapToGlobal(point)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            modifiers,
        )
        QApplication.sendEvent(self.row, event)

    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseRelease(self.row, Qt.MouseButton.LeftButton, modifiers, point)

    def drag(self, start: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.press(start, modifiers)
        self.move((start + end) / 2, modifiers)
        self.move(end, modifiers)
        self.release(end, modifiers)

    def double_click(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(self.row, Qt.MouseButton.LeftButton, modifiers, point)
        QTest.mouseDClick(self.row, Qt.MouseButton.LeftButton, modifiers, point)
