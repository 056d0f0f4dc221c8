"""LaneKeys: what the keys do in a lane that has the focus."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from desktop.piano_roll.lanes.lane import SAME, Lane
from desktop.piano_roll.pointer import ALT, SHIFT

_FAR = 10  # steps of a value with Shift
_FINE = 0.01  # seconds of a move with Shift


class LaneKeys:
    """Left and right go from thing to thing, up and down change its value, Delete takes it away, Return puts one.

    With Alt left and right move it by steps of the grid, with Shift besides finely; with Shift alone they make a span
    shorter and longer.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._current: int | None = None
        self._wanted: float | None = None  # where what is moved or put will begin, in seconds

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
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not modifiers:
            self._put()
            return True
        if len(times) and across and modifiers in (SHIFT, ALT, SHIFT | ALT):
            if current is not None and modifiers == SHIFT:
                self._go_to(self._lane.lengthen_item(current, across))
            elif current is not None:
                by = across * _FINE if modifiers & SHIFT else self._step(float(times[current]), across)
                self._go_to(self._lane.move_item(current, by))
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

    def _step(self, seconds: float, count: int) -> float:
        """By how many seconds a time moves with so many steps of the grid, alike in ticks at every tempo."""
        grid = self._lane.roll.grid
        return max(grid.shifted(seconds, count * grid.step_ticks(seconds)), 0.0) - seconds

    def _put(self) -> None:
        """Put one at the playhead, on the grid, and go to it."""
        roll = self._lane.roll
        self._go_to(self._lane.put_item(roll.grid.nearest_line(roll.overlays.playhead or 0.0)))

    def _go_to(self, wanted: float | None) -> None:
        """Act upon what begins there: at once if it is there, else when it comes."""
        self._wanted = wanted
        if wanted is not None:
            self._lane.roll.bring_in_view(wanted)
            if len(self._lane.times) and np.abs(self._lane.times - wanted).min() < SAME:
                self.follow_items()

    def follow_items(self) -> None:
        """Other things are in the lane: what was moved or put may have another place among them."""
        if self._wanted is not None and len(self._lane.times):
            self._current = int(np.abs(self._lane.times - self._wanted).argmin())
        self._wanted = None
