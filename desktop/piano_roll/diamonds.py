"""Paints drums: a diamond where each begins, all of them in one call."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QPolygonF

_Fragment = QPainter.PixmapFragment


def paint_diamonds(
    painter: QPainter,
    boxes: NDArray[np.int32],
    looks: NDArray[np.intp],
    insides: Sequence[QColor],
    edge: QColor,
    line: float,
) -> None:
    """Paint a diamond into each box, (n, 4) of first x, first y, last x, last y, all alike in size.

    `insides` are colours, `looks` (n,) which of them each has; `edge` is the colour of a line `line` wide around it.
    The painter's unit is device pixels. The fragments are written as Qt has them in memory: see `layers.fill`.
    """
    if not len(boxes):
        return
    size = int(boxes[0, 3] - boxes[0, 1] + 1)  # by heights: boxes far out at a side are cut
    fragments = np.ones((len(boxes), 10))
    fragments[:, 0] = boxes[:, 0] + size / 2  # middle of each on the canvas
    fragments[:, 1] = boxes[:, 1] + size / 2
    fragments[:, 2] = looks * size  # left top of its look
    fragments[:, 3] = 0
    fragments[:, 4:6] = size
    fragments[:, 8] = 0  # not turned
    first = cast(_Fragment, shiboken6.wrapInstance(fragments.ctypes.data, _Fragment))
    painter.drawPixmapFragments(first, len(boxes), _looks(size, insides, edge, line))


def has_inside(size: int, line: float) -> bool:
    """Whether a diamond is so large that more than the line around it is seen."""
    return size > 4 * line


def _looks(size: int, insides: Sequence[QColor], edge: QColor, line: float) -> QPixmap:
    """A diamond in each colour, side by side."""
    looks = QPixmap(size * len(insides), size)
    looks.fill(Qt.GlobalColor.transparent)
    painter = QPainter(looks)
    try:  # Qt crashes if a painter is left open, whatever went wrong
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for i, inside in enumerate(insides):
            _paint_one(painter, i * size, size, edge, 0.0)
            if has_inside(size, line):
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
                _paint_one(painter, i * size, size, inside, line * 1.4)
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    finally:
        painter.end()
    return looks


def _paint_one(painter: QPainter, left: float, size: int, colour: QColor, inset: float) -> None:
    middle, reach = size / 2, size / 2 - inset
    painter.setBrush(colour)
    painter.drawPolygon(
        QPolygonF(
            [
                QPointF(left + middle, middle - reach),
                QPointF(left + middle + reach, middle),
                QPointF(left + middle, middle + reach),
                QPointF(left + middle - reach, middle),
            ]
        )
    )
