"""Pointer, and what a gesture is."""

import sys
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
_KEYS: dict[int, Qt.KeyboardModifier] = {Qt.Key.Key_Shift: SHIFT, Qt.Key.Key_Control: CTRL, Qt.Key.Key_Alt: ALT}
_STILL = 3.0  # view pixels that a hand trembles while it presses a button, at most
COPY = ALT if sys.platform == "darwin" else CTRL  # held while notes are dragged: copies of them are


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is: pixels from the note area's left top, in the roll's own terms, modifiers."""

    x: float
    y: float
    seconds: float
    pitch: int
    modifiers: Qt.KeyboardModifier

    @property
    def is_free(self) -> bool:
        """Whether Alt or Shift asks for no snapping."""
        return bool(self.modifiers & (ALT | SHIFT))


class Cancellable(Protocol):
    """What can be ended as if it had not been."""

    def cancel(self) -> None:
        """Escape, or the roll lost the pointer: all is as before."""
        ...


class Gesture(Cancellable, Protocol):
    """What the roll asks of a gesture."""

    def move(self, at: Pointer) -> None:
        """The pointer moved."""
        ...

    def release(self, at: Pointer) -> None:
        """The button was released: what was done counts."""
        ...


def has_moved(start: Pointer, at: Pointer) -> bool:
    """Whether the pointer went so far that what was taken hold of is dragged: it is no click."""
    return max(abs(at.x - start.x), abs(at.y - start.y)) >= _STILL


def has_gone(start: Pointer, at: Pointer) -> bool:
    """Whether a handle in the ruler that was taken hold of is dragged."""
    return abs(at.x - start.x) >= _STILL


def has_gone_far(start: Pointer, at: Pointer) -> bool:
    """Whether something is drawn where a click would put the playhead."""
    return abs(at.x - start.x) >= QGuiApplication.styleHints().startDragDistance()


def modifiers_after(event: QKeyEvent) -> Qt.KeyboardModifier | None:
    """The modifiers that are held once the key of one has gone down or up; None of any other key."""
    own = _KEYS.get(event.key())
    if own is None:
        return None
    # Not all systems tell of them as they are after the event.
    return event.modifiers() | own if event.type() == QEvent.Type.KeyPress else event.modifiers() & ~own
