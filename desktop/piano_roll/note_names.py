"""Writes the names of notes into them, where nothing that is painted over them hides a part of the name."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from core.midi.pitch_names import pitch_name
from desktop.piano_roll.coordinates import Viewport
from desktop.widgets.theme import Theme

NAMED_ROW = 14.0  # view pixels; notes in lower rows have no room for a name
NAME_REACH = 48.0  # view pixels from where a note begins that its name takes at most
_NAMED_WIDTH = 26.0  # view pixels of a note that has a name, at least
_INDENT = 4.0  # view pixels from where a note begins to its name

_Boxes = NDArray[np.int32]  # (n, 4) of first x, first y, last x, last y


class _Name(NamedTuple):
    """A name, and how many notes were painted before the one that it is of."""

    pitch: int
    place: int
    left: int
    right: int
    middle: float
    colour: QColor  # that it stands on


class NoteNames:
    """Is told of the notes of an area in the order in which they are painted, and then writes their names.

    All is in device pixels, counted from where the painter's are.
    """

    def __init__(self, viewport: Viewport, font: QFont) -> None:
        self._ratio = viewport.ratio
        self._font = QFont(font)
        self._font.setPixelSize(max(round(min(viewport.row * 0.66, 13 * viewport.ratio)), 1))
        self._metrics = QFontMetricsF(self._font)
        self._pitches: list[NDArray[np.int32]] = []
        self._boxes: list[Callable[[], _Boxes]] = []
        self._names: list[_Name] = []
        self._count = 0

    def add(self, pitches: NDArray[np.int32], boxes: Callable[[], _Boxes]) -> None:
        """Notes without names, (n,), that were painted over all before; their boxes are made where they are needed."""
        self._pitches.append(pitches)
        self._boxes.append(boxes)
        self._count += len(pitches)

    def add_named(self, pitches: NDArray[np.int32], boxes: _Boxes, colours: Sequence[QColor]) -> None:
        """The same of notes that have names, if they are wide enough, with what each is filled with."""
        for i in np.flatnonzero(boxes[:, 2] - boxes[:, 0] >= _NAMED_WIDTH * self._ratio).tolist():
            pitch, (first, top, last, bottom) = int(pitches[i]), boxes[i].tolist()
            left = first + round(_INDENT * self._ratio)
            right = left + round(self._metrics.horizontalAdvance(pitch_name(pitch)))
            if right <= last:
                self._names.append(_Name(pitch, self._count + i, left, right, (top + bottom + 1) / 2, colours[i]))
        self.add(pitches, lambda: boxes)

    def paint(self, painter: QPainter, theme: Theme) -> None:
        """Write the names that can be read."""
        if not self._names:
            return
        painter.setFont(self._font)
        cap = self._metrics.capHeight()
        for name, is_hidden in zip(self._names, self._are_hidden().tolist(), strict=True):
            if not is_hidden:
                painter.setPen(theme.on(name.colour))
                painter.drawText(QPointF(name.left, round(name.middle + cap / 2)), pitch_name(name.pitch))

    def _are_hidden(self) -> NDArray[np.bool_]:
        """Which of the names lie under a note that was painted later, if only in part, (k,)."""
        pitch, boxes = np.concatenate(self._pitches), np.concatenate([make() for make in self._boxes])
        first, last = boxes[:, 0], boxes[:, 2]
        order = np.lexsort((first, pitch))
        before, after = order[:-1], order[1:]
        overlaps = (pitch[after] == pitch[before]) & (first[after] <= last[before])
        of, place, left, right = np.array([name[:4] for name in self._names]).T
        are_hidden = np.zeros(len(of), np.bool_)
        for each in np.unique(pitch[after][overlaps]).tolist():  # most often there are none
            names, notes = np.flatnonzero(of == each), np.flatnonzero(pitch == each)
            later = notes > place[names, None]
            meets = (first[notes] <= right[names, None]) & (last[notes] >= left[names, None])
            are_hidden[names] = (later & meets).any(1)
        return are_hidden
