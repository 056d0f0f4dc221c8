"""Marks in the lower half of the ruler: where the song's metre or tempo changes, and to what."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from core.midi.tempo_map import TempoMap
from desktop.piano_roll.coordinates import Viewport
from desktop.widgets.theme import Theme

_TOP, _HEIGHT = 19, 15  # beside the flags
_INDENT = 4
_GAP = 10.0  # view pixels from a mark to the next, at least


class RulerMark(NamedTuple):
    """A metre, a tempo or both, such as "3/4  90 bpm", that hold from a tick on."""

    tick: int
    seconds: float
    words: str
    has_metre: bool


class RulerMarks:
    """The marks of one song: all changes of metre, and those of tempo that there is room for."""

    def __init__(self, tempo_map: TempoMap) -> None:
        metres, tempos = _metres(tempo_map), _tempos(tempo_map)
        ticks = sorted({*metres, *tempos})
        self.all = [
            RulerMark(tick, tempo_map.seconds(tick), "  ".join(filter(None, words)), bool(words[0]))
            for tick in ticks
            for words in [(metres.get(tick, ""), tempos.get(tick, ""))]
        ]
        self._seconds = [mark.seconds for mark in self.all]
        self._zoom = 0.0, 0.0
        self._shown: list[RulerMark] = []

    def shown(self, pixels_per_second: float, width: Callable[[str], float]) -> list[RulerMark]:
        """Those that do not touch at a zoom, `width` pixels wide; the same wherever the view is."""
        zoom = pixels_per_second, width("0")
        if zoom != self._zoom:
            self._zoom, self._shown = zoom, self._with_room(pixels_per_second, width)
        return self._shown

    def _with_room(self, pixels_per_second: float, width: Callable[[str], float]) -> list[RulerMark]:
        metres = [mark.seconds for mark in self.all if mark.has_metre]
        found: list[RulerMark] = []
        place = 0
        while place < len(self.all):
            mark = self.all[place]
            end = mark.seconds + (width(mark.words) + _GAP) / pixels_per_second
            after = bisect_right(metres, mark.seconds)
            if mark.has_metre or after == len(metres) or end <= metres[after]:
                found.append(mark)
                place = max(bisect_left(self._seconds, end), place + 1)
            else:  # the next is that metre
                place = bisect_left(self._seconds, metres[after])
        return found

    def at(self, x: float, y: float, viewport: Viewport, font: QFont) -> RulerMark | None:
        """The mark at a view pixel; y counts from the ruler's top."""
        return next(
            (m for m, box in self._boxes(x, x, viewport, font) if box.adjusted(-4, 0, 4, 0).contains(x, y)), None
        )

    def _boxes(self, left: float, right: float, viewport: Viewport, font: QFont) -> list[tuple[RulerMark, QRectF]]:
        """The marks that may lie between two view pixels, and where."""
        metrics = QFontMetricsF(font)
        shown = self.shown(viewport.pixels_per_second, metrics.horizontalAdvance)
        first = max(bisect_right(shown, viewport.seconds(left), key=lambda mark: mark.seconds) - 1, 0)
        last = bisect_right(shown, viewport.seconds(right + 2 * _INDENT), key=lambda mark: mark.seconds)
        return [
            (
                mark,
                QRectF(viewport.line_x(mark.seconds) + _INDENT, _TOP, metrics.horizontalAdvance(mark.words), _HEIGHT),
            )
            for mark in shown[first:last]
        ]

    def paint(self, painter: QPainter, exposed: QRectF, viewport: Viewport, theme: Theme, font: QFont) -> None:
        """Paint those in the part `exposed` of the ruler."""
        painter.setFont(font)
        painter.setPen(theme.text)
        ascent = QFontMetricsF(font).capHeight()
        for mark, box in self._boxes(exposed.left(), exposed.right(), viewport, font):
            if box.intersects(exposed):
                painter.drawText(QPointF(box.left(), round(box.center().y() + ascent / 2)), mark.words)


def _metres(tempo_map: TempoMap) -> dict[int, str]:
    """The song's changes of metre by their ticks; what is stated again is none."""
    found: dict[int, str] = {}
    before = ""
    for tick, numerator, denominator in tempo_map.metres:
        words = f"{numerator}/{denominator}"
        if words != before:
            found[tick] = before = words
    return found


def _tempos(tempo_map: TempoMap) -> dict[int, str]:
    """Its changes of tempo, and the first; none where it stays as it is."""
    found: dict[int, str] = {}
    before = ""
    for tick in {0: None} | dict.fromkeys(tempo.tick for tempo in tempo_map.tempos):
        bpm = round(60e6 / tempo_map.tempo_at(tick), 1)
        words = QCoreApplication.translate("Ruler", "{0:.6g} bpm").format(bpm)
        if words != before:
            found[tick] = before = words
    return found if len(found) > 1 and not tempo_map.is_smpte else {}
