"""LaneKeys: what the keys do in a lane that has the focus."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from desktop.piano_roll.lanes.lane import Lane
from desktop.piano_roll.pointer import ALT, SHIFT

_FAR = 10  # steps of a value with Shift


class LaneKeys:
    """Left and right go from thing to thing, up and down change its value, Delete takes it away.

    With Shift left and right make a span shorter and longer, with Alt they move it.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._current: int | None = None
        self._wanted: float | None = None  # where what is moved will begin, in seconds

    @property
    def current(self) -> int | None:
        """The thing that the keys act upon, by its place in `lane.times`; None before the first key."""
        count = len(self._lane.times)
        return None if self._current is None or not count else min(self._current, count - 1)

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key means; False if it means nothing here."""
        key, times, current = event.key(), self._lane.times, self.current
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        across = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key), 0)
        if len(times) and across and modifiers in (SHIFT, ALT):
            if current is not None:
                change = self._lane.lengthen_item if modifiers == SHIFT else self._lane.move_item
                self._wanted = change(current, across)
            return True
        if modifiers & ~SHIFT or not len(times):
            return False
        last = len(times) - 1
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Home: -last, Qt.Key.Key_End: last}
        if key in steps:
            first = min(int(np.searchsorted(times, self._lane.roll.coordinates.left)), last)
            self._current = first if current is None else min(max(current + steps[Qt.Key(key)], 0), last)
            self._lane.roll.bring_in_view(float(times[self._current]))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            if current is not None:
                step = _FAR if event.modifiers() & SHIFT else 1
                self._lane.change_item(current, step if key == Qt.Key.Key_Up else -step)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            if current is not None:
                self._lane.delete_item(current)
        else:
            return False
        return True

    def follow_items(self) -> None:
        """Other things are in the lane: what was moved may have another place among them."""
        if self._wanted is not None and len(self._lane.times):
            self._current = int(np.abs(self._lane.times - self._wanted).argmin())
        self._wanted = None
