"""Lane: what is shown and drawn in under the roll; LanePointer: where the pointer is in it."""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QPainter

from desktop.piano_roll.view import PianoRoll


@dataclass(frozen=True)
class LanePointer:
    """Where the pointer is: view pixels from the lane's left top, the time there, the lane's height, modifiers."""

    x: float
    y: float
    seconds: float
    height: float
    modifiers: Qt.KeyboardModifier

    @property
    def share(self) -> float:
        """How high it is: 0 at the bottom to 1 at the top."""
        return min(max(1 - self.y / max(self.height, 1.0), 0.0), 1.0)


class LaneGesture(Protocol):
    """What the lane's area asks of a gesture."""

    def move(self, at: LanePointer) -> None:
        """The pointer moved."""
        ...

    def release(self, at: LanePointer) -> None:
        """The button was released: what was done counts."""
        ...

    def cancel(self) -> None:
        """Escape, or other notes are shown: all is as before."""
        ...


class Lane(QObject):
    """One lane. Each kind is a subclass."""

    stale = Signal(float, float)  # to be painted again from one view pixel to another

    def __init__(self, name: str, title: str, roll: PianoRoll) -> None:
        super().__init__(roll)
        self.name, self.title, self.roll = name, title, roll

    def follow_notes(self) -> None:
        """The roll shows other notes, or others are selected."""

    def paint(self, painter: QPainter, exposed: QRectF, height: float) -> None:
        """Paint the part `exposed` (view pixels); 0, 0 is the lane's left top, at the roll's left edge of time."""
        raise NotImplementedError

    def begin(self, at: LanePointer) -> LaneGesture | None:
        """The gesture that a press of the left button starts."""
        raise NotImplementedError

    def describe(self, at: LanePointer) -> str:
        """What is there, in words; empty: nothing to say."""
        return ""
