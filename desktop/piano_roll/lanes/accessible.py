"""What lies in lanes, for screen readers: children of the lane's row."""

from collections.abc import Hashable
from typing import cast

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtWidgets import QWidget

from desktop.piano_roll.accessible import ListItem, PaintedList, offer
from desktop.piano_roll.lanes.row import LaneRow


class _Item(ListItem):
    """One thing in a lane."""

    def __init__(self, row: LaneRow, index: int, parent: PaintedList) -> None:
        super().__init__(parent)
        self._row, self._index = row, index

    def is_there(self) -> bool:
        return self._index < len(self._row.lane.times)

    def words(self) -> str:
        return self._row.lane.item(self._index, self._row.height()).words

    def box(self) -> tuple[QWidget, QRectF]:
        return self._row, self._row.item_box(self._index)

    def is_chosen(self) -> bool:
        return self._row.keys.current == self._index


class _Row(PaintedList):
    """A lane: what the keys act upon, one before, one after; before the first key the first three on view."""

    def __init__(self, row: LaneRow) -> None:
        super().__init__(row)
        self._row = row

    def keys(self) -> list[int]:
        times, current = self._row.lane.times, self._row.keys.current
        on_view = int(np.searchsorted(times, self._row.lane.roll.coordinates.left))
        first = on_view if current is None else current - 1
        return list(range(max(first, 0), min(first + 3, len(times))))

    def focus_key(self) -> int | None:
        return self._row.keys.current if self._row.hasFocus() else None

    def summary(self) -> str:
        if not self._row.lane.has_items:
            return super().summary()
        count, tr = len(self._row.lane.times), QCoreApplication.translate
        words = tr("Lanes", "{0} in it. {1}") if count else tr("Lanes", "Nothing in it. {1}")
        return words.format(count, super().summary())

    def make(self, key: Hashable) -> ListItem:
        return _Item(self._row, cast(int, key), self)


def install() -> None:
    """Let screen readers see what lies in lanes."""
    offer(LaneRow, _Row)
