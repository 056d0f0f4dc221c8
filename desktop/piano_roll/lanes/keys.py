"""LaneKeys: what the keys do in a lane that has the focus."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from desktop.piano_roll.lanes.lane import Lane
from desktop.piano_roll.pointer import SHIFT

_FAR = 10  # steps of a value with Shift


class LaneKeys:
    """Left and right go from thing to thing, up and down change its value, Delete takes it away."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._current: int | None = None

    @property
    def current(self) -> int | None:
        """The thing that the keys act upon, by its place in `lane.times`; None before the first key."""
        count = len(self._lane.times)
        return None if self._current is None or not count else min(self._current, count - 1)

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key means; False if it means nothing here."""
        key, times, current = event.key(), self._lane.times, self.current
        if event.modifiers() & ~(SHIFT | Qt.KeyboardModifier.KeypadModifier) or not len(times):
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
