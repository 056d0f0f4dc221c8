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
NAME_REACH = 40.0  # view pixels from where a note begins that its name takes at most
_NAMED_WIDTH = 26.0  # view pixels of a note that has a name, at least
_INDENT = 4.0  # view pixels from where a note begins to its name
_PAIRS = 1 << 18  # of a name and a note that are looked at together

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
        self._least, self._most = _NAMED_WIDTH * viewport.ratio, NAME_REACH * viewport.ratio
        self._indent = round(_INDENT * viewport.ratio)
        self._font = QFont(font)
        self._font.setPixelSize(max(round(min(viewport.row * 0.66, 13 * viewport.ratio)), 1))
        self._metrics = QFontMetricsF(self._font)
        self._known: dict[int, tuple[str, int]] = {}  # names by pitch, and how wide they are
        self._pitches: list[NDArray[np.int32]] = []
        self._boxes: list[Callable[[], _Boxes]] = []
        self._names: list[_Name] = []
        self._count = 0

    def add(self, pitches: NDArray[np.int32], boxes: Callable[[], _Boxes]) -> None:
        """Notes without names, (n,), that were painted over all before; their boxes are made where they are needed."""
        self._pitches.append(pitches)
        self._boxes.append(boxes)
        self._count += len(pitches)

    def add_named(
        self, pitches: NDArray[np.int32], boxes: _Boxes, colours: Sequence[QColor], looks: NDArray[np.uint8]
    ) -> None:
        """The same of notes that have names, if they are wide enough; `looks`: which of some colours is in each."""
        wide = np.flatnonzero(boxes[:, 2] - boxes[:, 0] >= self._least)
        columns = wide.tolist(), pitches[wide].tolist(), boxes[wide].tolist(), looks[wide].tolist()
        for place, pitch, (first, top, last, bottom), look in zip(*columns, strict=True):
            left = first + self._indent
            right = left + self._words(pitch)[1]
            if right <= last and right - first <= self._most:
                name = _Name(pitch, self._count + place, left, right, (top + bottom + 1) / 2, colours[look])
                self._names.append(name)
        self.add(pitches, lambda: boxes)

    def _words(self, pitch: int) -> tuple[str, int]:
        known = self._known.get(pitch)
        if known is None:
            words = pitch_name(pitch)
            known = self._known[pitch] = words, round(self._metrics.horizontalAdvance(words))
        return known

    def paint(self, painter: QPainter, theme: Theme) -> None:
        """Write the names that can be read."""
        if not self._names:
            return
        painter.setFont(self._font)
        cap = self._metrics.capHeight()
        pens: dict[int, QColor] = {}
        for name, is_hidden in zip(self._names, self._are_hidden(), strict=True):
            if not is_hidden:
                rgb = name.colour.rgb()
                if rgb not in pens:
                    pens[rgb] = theme.on(name.colour)
                painter.setPen(pens[rgb])
                painter.drawText(QPointF(name.left, round(name.middle + cap / 2)), self._words(name.pitch)[0])

    def _are_hidden(self) -> list[bool]:
        """Which of the names lie under a note that was painted later, if only in part."""
        row = np.concatenate(self._pitches).astype(np.int64) << 32  # so that no note reaches into another row
        boxes = np.concatenate([make() for make in self._boxes])
        first, last = row + boxes[:, 0], row + boxes[:, 2]
        order = np.argsort(first)
        if (first[order[1:]] > last[order[:-1]]).all():  # most often nothing lies over anything
            return [False] * len(self._names)
        pitch, place, left, right = np.array([name[:4] for name in self._names], np.int64).T
        left, right, notes = (pitch << 32) + left, (pitch << 32) + right, np.arange(len(row))
        hidden: list[bool] = []
        for k in np.array_split(np.arange(len(pitch))[:, None], len(pitch) * len(row) // _PAIRS + 1):
            hidden += ((notes > place[k]) & (first <= right[k]) & (last >= left[k])).any(1).tolist()
        return hidden
