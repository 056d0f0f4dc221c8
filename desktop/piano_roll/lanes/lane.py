"""Lane: what is shown and drawn in under the roll; LanePointer: where the pointer is in it."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter

from desktop.piano_roll.pointer import ALT, CTRL
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import OWN, PartKind

MARGIN = 5  # view pixels above the highest value and below the lowest
SAME = 1e-4  # seconds within which two times are one: less than a tick


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
        """How high it is between the lowest value (0) and the highest (1)."""
        return min(max(1 - (self.y - MARGIN) / max(self.height - 2 * MARGIN, 1.0), 0.0), 1.0)

    @property
    def is_free(self) -> bool:
        """Whether Alt asks for no snapping. Shift has a meaning of its own in lanes."""
        return bool(self.modifiers & ALT)


class LaneItem(NamedTuple):
    """One thing in a lane, for keys and screen readers: where it is painted, in view pixels, and what it is."""

    box: QRectF
    words: str


class LaneGesture(Protocol):
    """What the lane's row asks of a gesture."""

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
    items_changed = Signal()  # other things are in it, or they have other values
    has_items = True  # keys and screen readers find things in it
    moves_along = True  # what is painted stays as it is when the roll is scrolled
    run = ""  # what the edits of a key have in common that is pressed again and again, as one step; empty of others

    def __init__(self, name: str, title: str, roll: PianoRoll) -> None:
        super().__init__(roll)
        self.name, self.title, self.roll = name, title, roll
        self.label = title  # on its button
        self.look: tuple[PartKind, int] = "prompt", OWN  # whose colour it has
        self.owner = ""  # whose it is, in words; empty: the song's, or all notes'
        self._words: tuple[QPointF, str] | None = None

    def follow_notes(self) -> None:
        """The roll shows other notes, or others are selected."""

    def paint(self, painter: QPainter, exposed: QRectF, height: float) -> None:
        """Paint the part `exposed` (view pixels); 0, 0 is the lane's left top, at the roll's left edge of time."""
        raise NotImplementedError

    def is_dense(self) -> bool:
        """Whether so much is on view that it is painted otherwise than a little would be."""
        return False

    def begin(self, at: LanePointer) -> LaneGesture | None:
        """The gesture that a press of the left button starts."""
        raise NotImplementedError

    def double_click(self, at: LanePointer) -> bool:
        """What a double click does; False: it is a press like any other."""
        return False

    def cursor(self, at: LanePointer) -> Qt.CursorShape:
        """How the pointer looks there."""
        return Qt.CursorShape.ArrowCursor

    def describe(self, at: LanePointer) -> str:
        """What is there, in words; empty: nothing to say."""
        return ""

    # Its things, for keys and screen readers

    @property
    def times(self) -> NDArray[np.float64]:
        """When each thing in it begins, in order, in seconds (n,)."""
        return np.empty(0)

    def item(self, index: int, height: float) -> LaneItem:
        """One of them."""
        raise NotImplementedError

    def change_item(self, index: int, by: int) -> None:
        """Let one have a higher or lower value, by steps."""

    def lengthen_item(self, index: int, by: int) -> float | None:
        """Let one that lasts end later, or earlier, by steps of the grid; where it begins then, or None."""

    def move_item(self, index: int, by: float) -> float | None:
        """Let one begin so many seconds later, or earlier, and end as much later, if it lasts; as `lengthen_item`."""

    def put_item(self, seconds: float) -> float | None:
        """Put one at a time, where none is yet, that changes nothing so far; where it begins, or None."""

    def delete_item(self, index: int) -> None:
        """Take one away."""

    @property
    def has_words(self) -> bool:
        """Whether `say` says something."""
        return self._words is not None

    # For the kinds of lanes

    def erases(self, at: LanePointer) -> bool:
        """Whether a drag from there erases: with the eraser, or with Ctrl."""
        return self.roll.tool == "eraser" or bool(at.modifiers & CTRL)

    def snapped(self, at: LanePointer, seconds: float | None = None) -> float:
        """The time meant by the pointer, or a time that it drags, on the grid unless Alt is held."""
        seconds = max(at.seconds if seconds is None else seconds, 0.0)
        return seconds if at.is_free else self.roll.grid.nearest_line(seconds)

    def refresh(self) -> None:
        """Paint all of it again."""
        self.stale.emit(0.0, self.roll.coordinates.width)

    def say(self, at: LanePointer | None, words: str = "") -> None:
        """Show words at the pointer while something is dragged; None: no more."""
        self._words = None if at is None else (QPointF(at.x, at.y), words)
        self.refresh()

    def paint_words(self, painter: QPainter, height: float) -> None:
        """Paint what `say` says."""
        if self._words is None:
            return
        at, words = self._words
        theme = self.roll.theme
        painter.setFont(self.roll.small_font)
        metrics = QFontMetricsF(self.roll.small_font)
        width = metrics.horizontalAdvance(words) + 8
        left = min(max(at.x() + 12, 0.0), self.roll.coordinates.width - width)
        top = min(max(at.y() - metrics.height(), 0.0), height - metrics.height())
        box = QRectF(round(left), round(top), width, metrics.height())
        painter.fillRect(box, theme.text)
        painter.setPen(theme.on(theme.text))
        painter.drawText(QPointF(box.left() + 4, box.top() + metrics.ascent()), words)
