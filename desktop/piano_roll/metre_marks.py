"""Metre marks in the lower half of the ruler: where the song's metre changes, and to what."""

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from core.midi.tempo_map import TempoMap
from desktop.piano_roll.coordinates import Viewport
from desktop.widgets.theme import Theme

_TOP, _HEIGHT = 19, 15  # beside the flags
_INDENT = 4


class MetreMark(NamedTuple):
    """A metre such as "3/4" that holds from a tick on."""

    tick: int
    words: str


def metre_marks(tempo_map: TempoMap) -> list[MetreMark]:
    """The song's changes of metre; what is stated again is none."""
    marks: list[MetreMark] = []
    for tick, numerator, denominator in tempo_map.metres:
        words = f"{numerator}/{denominator}"
        if not marks or marks[-1].words != words:
            marks.append(MetreMark(tick, words))
    return marks


def _box(mark: MetreMark, tempo_map: TempoMap, viewport: Viewport, font: QFont) -> QRectF:
    width = QFontMetricsF(font).horizontalAdvance(mark.words)
    return QRectF(viewport.line_x(tempo_map.seconds(mark.tick)) + _INDENT, _TOP, width, _HEIGHT)


def mark_at(x: float, y: float, tempo_map: TempoMap, viewport: Viewport, font: QFont) -> MetreMark | None:
    """The mark at a view pixel; y counts from the ruler's top."""
    marks = metre_marks(tempo_map)
    return next((m for m in marks if _box(m, tempo_map, viewport, font).adjusted(-4, 0, 4, 0).contains(x, y)), None)


def paint_metre_marks(
    painter: QPainter, exposed: QRectF, viewport: Viewport, tempo_map: TempoMap, theme: Theme, font: QFont
) -> None:
    """Paint those in the part `exposed` of the ruler."""
    painter.setFont(font)
    painter.setPen(theme.text)
    ascent = QFontMetricsF(font).capHeight()
    for mark in metre_marks(tempo_map):
        box = _box(mark, tempo_map, viewport, font)
        if box.intersects(exposed):
            painter.drawText(QPointF(box.left(), round(box.center().y() + ascent / 2)), mark.words)
