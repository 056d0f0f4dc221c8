"""LaneKeys: what the keys do in a lane that has the focus."""

from itertools import count
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from desktop.piano_roll.lanes.lane import SAME, Lane
from desktop.piano_roll.pointer import ALT, SHIFT

_FAR = 10  # steps of a value with Shift
_FINE = 0.01  # seconds of a move with Shift
_NONE = Qt.KeyboardModifier.NoModifier
_ACROSS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_UP = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
_PUTS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_DELETES = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
_ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)
_runs = count(1)


class _Press(NamedTuple):
    """A key, and how often it was pressed."""

    key: Qt.Key
    modifiers: Qt.KeyboardModifier
    times: int = 1


class LaneKeys:
    """Left and right go from thing to thing, up and down change its value, Delete takes it away, Return puts one.

    With Alt left and right move it by steps of the grid, with Shift besides finely; with Shift alone they make a span
    shorter and longer. A key pressed again and again makes one step to undo. While the lane `waits` for what it is to
    show, keys are kept: what they do rests on it.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.waits = False
        self._kept: list[_Press] = []
        self._current: int | None = None
        self._wanted: float | None = None  # where what is moved or put will begin, in seconds
        self._run = "", ""  # what the keys pressed last do to a thing, and the name of that

    @property
    def current(self) -> int | None:
        """The thing that the keys act upon, by its place in `lane.times`; None before the first key."""
        count = len(self._lane.times)
        return None if self._current is None or not count else min(self._current, count - 1)

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key means, now or once the lane waits no longer; False if it means nothing here."""
        if not self.means(event):
            return False
        if self.waits:
            self._keep(_press_of(event))
        else:
            self._do(_press_of(event))
        return True

    def means(self, event: QKeyEvent) -> bool:
        """Whether a key means something here, whatever it does elsewhere."""
        key, modifiers, _ = _press_of(event)
        if not self._lane.has_items:
            return False
        if key in _PUTS:
            return modifiers == _NONE
        if not len(self._lane.times) and not self.waits:
            return False
        if key in _ACROSS:
            return modifiers in (_NONE, SHIFT, ALT, SHIFT | ALT)
        return modifiers in (_NONE, SHIFT) and key in (*_UP, *_ENDS, *_DELETES)

    def _keep(self, press: _Press) -> None:
        """Do it later: a key that is held as often as it came, all at once."""
        last = self._kept[-1] if self._kept else None
        if last is None or last[:2] != press[:2] or press.key in _DELETES:
            self._kept.append(press)
        else:
            self._kept[-1] = last._replace(times=last.times + 1)

    def go_on(self) -> None:
        """Do what was kept, unless the lane waits."""
        while self._kept and not self.waits:
            self._do(self._kept.pop(0))

    def _do(self, press: _Press) -> None:
        key, modifiers, times = press
        if key in _ACROSS and modifiers:
            self._edit("lengthen" if modifiers == SHIFT else "move", press)
        elif key in _UP:
            self._edit("change", press)
        else:
            self.end_run()
            if key in _PUTS:
                self._put()
            elif key in _DELETES and self.current is not None:
                self._lane.delete_item(self.current)
            elif len(self._lane.times) and key not in _DELETES:
                self._step(key, times)

    def _step(self, key: Qt.Key, times: int) -> None:
        """Go from thing to thing; first to the first on view."""
        starts, last = self._lane.times, len(self._lane.times) - 1
        first = min(int(np.searchsorted(starts, self._lane.roll.coordinates.left)), last)
        steps = {Qt.Key.Key_Home: -last, Qt.Key.Key_End: last}.get(key) or _ACROSS.get(key, 0) * times
        self._current = first if self.current is None else min(max(self.current + steps, 0), last)
        self._lane.roll.bring_in_view(float(starts[self._current]))

    def _edit(self, kind: str, press: _Press) -> None:
        """Change the thing that the keys act upon; all that is done to it alike in a row is one step."""
        if (current := self.current) is None:
            return
        if self._run[0] != kind:
            self._run = kind, f"{self._lane.name} {next(_runs)}"
        self._lane.run = self._run[1]
        key, modifiers, times = press
        if kind == "change":
            self._lane.change_item(current, _UP[key] * times * (_FAR if modifiers & SHIFT else 1))
        elif kind == "lengthen":
            self._go_to(self._lane.lengthen_item(current, _ACROSS[key] * times))
        else:
            steps = _ACROSS[key] * times
            by = steps * _FINE if modifiers & SHIFT else self._seconds(float(self._lane.times[current]), steps)
            self._go_to(self._lane.move_item(current, by))
        self._lane.run = ""

    def end_run(self) -> None:
        """What comes next is a step of its own."""
        self._run = "", ""

    def _seconds(self, at: float, steps: int) -> float:
        """By how many seconds a time moves with so many steps of the grid, alike in ticks at every tempo."""
        grid = self._lane.roll.grid
        return max(grid.shifted(at, steps * grid.step_ticks(at)), 0.0) - at

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


def _press_of(event: QKeyEvent) -> _Press:
    return _Press(Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier)
