"""The ruler: loop strip and bar numbers above; flags, heads and beats below. Painting, and what lies where."""

from typing import Literal

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPolygonF

from desktop.piano_roll.coordinates import Viewport
from desktop.piano_roll.grid import BAR, GridLines, Line
from desktop.piano_roll.layers import Overlays, fill, line_width, with_alpha
from desktop.piano_roll.ruler_marks import RulerMarks
from desktop.widgets.theme import Theme

RULER_HEIGHT = 44  # whole device pixels at 125, 150 and 175 % too
STRIP_HEIGHT = 18  # the upper part, where a loop is drawn
_FLAG_TOP, _FLAG_HEIGHT = 19, 15
_FLAG_REACH = 400  # view pixels from its line that no flag reaches beyond, whatever the font
_HANDLE = 10  # width and height of the prompt start's and the playhead's triangles
_LABEL_ROOM = 64  # view pixels that a label needs to the right of its line
_TICKS = np.array((4, 6, 9))  # heights, by the strength of the line
_EDGE_REACH = 5  # how near the pointer must be to a loop's edge

RulerSpot = Literal[
    "marker",
    "prompt start",
    "end marker",
    "loop start",
    "loop end",
    "loop",
    "strip",
    "playhead",
    "span start",
    "span end",
    "time",
]


def _marker_text() -> str:
    return QCoreApplication.translate("Ruler", "Continue")


def _end_text() -> str:
    return QCoreApplication.translate("Ruler", "End")


def marker_flag(viewport: Viewport, seconds: float, font: QFont) -> QRectF:
    """Where the continue-from flag stands: left of its line, or right where it would be cut off."""
    width = round(QFontMetricsF(font).horizontalAdvance(_marker_text())) + 14
    x = viewport.line_x(seconds)
    left = x if x >= 0 > x - width + 2 else x - width + 2
    return QRectF(left, _FLAG_TOP, width, _FLAG_HEIGHT)


def end_flag(viewport: Viewport, seconds: float, font: QFont) -> QRectF:
    """Where the flag of the take's end stands: right of its line."""
    width = round(QFontMetricsF(font).horizontalAdvance(_end_text())) + 14
    return QRectF(viewport.line_x(seconds), _FLAG_TOP, width, _FLAG_HEIGHT)


def _is_on_start(x: float, y: float, viewport: Viewport, seconds: float) -> bool:
    """Whether a view pixel is on the triangle of the prompt's start, or next to it: beside it spans are drawn."""
    across, down = x - viewport.line_x(seconds), abs(y - (RULER_HEIGHT - _HANDLE / 2))
    return -2 <= across <= _HANDLE and down <= (_HANDLE - across) / 2 + 1


def spot_at(x: float, y: float, viewport: Viewport, overlays: Overlays, font: QFont) -> RulerSpot:
    """What of the ruler lies at a view pixel; x counts from the note area's left edge, y from the ruler's top."""
    if overlays.prompt is not None:
        start, marker = overlays.prompt
        if marker_flag(viewport, marker, font).adjusted(-1, 0, 1, 0).contains(x, y):
            return "marker"
        if _is_on_start(x, y, viewport, start):
            return "prompt start"
        if y >= _FLAG_TOP and abs(x - viewport.line_x(marker)) <= 3:
            return "marker"
    if overlays.end_marker is not None:
        flag = end_flag(viewport, overlays.end_marker, font)
        if flag.adjusted(-3, 0, 1, RULER_HEIGHT - flag.bottom() if x < flag.left() + 3 else 0).contains(x, y):
            return "end marker"
    if y >= STRIP_HEIGHT:
        return _spot_below(x, y, viewport, overlays)
    if overlays.loop is not None:
        first, last = (viewport.x(seconds) for seconds in overlays.loop)
        if abs(x - last) <= _EDGE_REACH:
            return "loop end"
        if abs(x - first) <= _EDGE_REACH:
            return "loop start"
        if first < x < last:
            return "loop"
    return "strip"


def _spot_below(x: float, y: float, viewport: Viewport, overlays: Overlays) -> RulerSpot:
    """What of the lower half lies there, the prompt's flags aside."""
    head = overlays.playhead
    if head is not None and y >= RULER_HEIGHT - _HANDLE and abs(x - viewport.line_x(head)) <= _HANDLE / 2 + 1:
        return "playhead"
    if overlays.span is not None:
        first, last = (viewport.x(seconds) for seconds in overlays.span)
        if abs(x - last) <= _EDGE_REACH:
            return "span end"
        if abs(x - first) <= _EDGE_REACH:
            return "span start"
    return "time"


def paint_ruler(
    painter: QPainter,
    exposed: QRectF,
    viewport: Viewport,
    overlays: Overlays,
    grid: GridLines,
    marks: RulerMarks,
    theme: Theme,
    font: QFont,
) -> None:
    """Paint the part `exposed` of the ruler; 0, 0 is its left top above the note area's left edge."""
    painter.fillRect(exposed, theme.panel)
    painter.fillRect(QRectF(exposed.left(), 0, exposed.width(), STRIP_HEIGHT), theme.strip)
    if overlays.loop is not None:
        left, right = (viewport.line_x(seconds) for seconds in overlays.loop)
        bar = QRectF(left, 0, max(right - left, 1), STRIP_HEIGHT)
        painter.fillRect(bar, theme.loop)
        for x in (left, right - 2):
            painter.fillRect(QRectF(x, 0, 2, STRIP_HEIGHT), theme.loop_edge)
    for span, colour in ((overlays.prompt, theme.marker), (overlays.in_hand, theme.sampling_head)):
        if span is not None:
            left, right = (viewport.line_x(seconds) for seconds in span)
            lower = QRectF(left, STRIP_HEIGHT, right - left, RULER_HEIGHT - STRIP_HEIGHT)
            painter.fillRect(lower, with_alpha(colour, 0.3))
    if overlays.span is not None:
        left, right = (viewport.line_x(seconds) for seconds in overlays.span)
        lower = QRectF(left, STRIP_HEIGHT, right - left, RULER_HEIGHT - STRIP_HEIGHT)
        painter.fillRect(lower, with_alpha(theme.accent, 0.45))
        for x in (left, right - 2):
            painter.fillRect(QRectF(x, STRIP_HEIGHT, 2, RULER_HEIGHT - STRIP_HEIGHT), theme.accent)
    _paint_lines(painter, exposed, viewport, overlays, grid, theme, font)
    painter.fillRect(QRectF(exposed.left(), RULER_HEIGHT - 1, exposed.width(), 1), theme.lines[BAR])
    marks.paint(painter, exposed, viewport, theme, font)
    _paint_flags(painter, exposed, viewport, overlays, theme, font)


def _paint_lines(
    painter: QPainter,
    exposed: QRectF,
    viewport: Viewport,
    overlays: Overlays,
    grid: GridLines,
    theme: Theme,
    font: QFont,
) -> None:
    first, last = viewport.seconds(exposed.left() - _LABEL_ROOM), viewport.seconds(exposed.right() + 1)
    lines = grid.lines(first, last, viewport.pixels_per_second)
    if not lines:
        return
    _paint_ticks(painter, lines, viewport, theme)
    painter.setFont(font)
    baseline = round((STRIP_HEIGHT + QFontMetricsF(font).capHeight()) / 2)
    loop = overlays.loop
    for seconds, _, label in lines:
        if label and (x := viewport.line_x(seconds)) >= -1:  # one cut off at the left would be read as another number
            is_in_loop = loop is not None and loop[0] <= seconds < loop[1]
            painter.setPen(theme.on(theme.loop) if is_in_loop else theme.faint_text)
            painter.drawText(QPointF(x + 4, baseline), label)


def _paint_ticks(painter: QPainter, lines: list[Line], viewport: Viewport, theme: Theme) -> None:
    """A tick for each line, and one in the strip for each bar that has a number."""
    ratio, width = viewport.ratio, line_width(viewport.ratio)
    x = np.rint(np.array([line.seconds for line in lines]) * viewport.scale).astype(np.int64) - viewport.origin[0]
    top = np.rint((RULER_HEIGHT - _TICKS[[line.strength for line in lines]]) * ratio)
    ticks = np.column_stack((x, top, x + width - 1, np.full_like(x, round(RULER_HEIGHT * ratio) - 1)))
    x = x[[line.strength == BAR and line.label != "" for line in lines]]
    top, bottom = np.full_like(x, round(2 * ratio)), np.full_like(x, round(STRIP_HEIGHT * ratio) - 1)
    painter.save()
    painter.scale(1 / ratio, 1 / ratio)
    boxes = np.concatenate((ticks, np.column_stack((x, top, x + width - 1, bottom))))
    fill(painter, boxes.astype(np.int32), theme.faint_text)
    painter.restore()


def _paint_flags(
    painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme, font: QFont
) -> None:
    def is_near(x: float, reach: float = _HANDLE) -> bool:
        return exposed.left() - reach <= x <= exposed.right() + reach

    painter.setPen(Qt.PenStyle.NoPen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    bottom = RULER_HEIGHT
    if overlays.prompt is not None:
        start, marker = overlays.prompt
        painter.setBrush(theme.marker)
        if is_near(x := viewport.line_x(start)):
            tip = QPointF(x + _HANDLE, bottom - _HANDLE / 2)
            painter.drawPolygon(QPolygonF([QPointF(x, bottom - _HANDLE), tip, QPointF(x, bottom)]))
        if is_near(x := viewport.line_x(marker), _FLAG_REACH):
            painter.fillRect(QRectF(x, _FLAG_TOP, 2, bottom - _FLAG_TOP), theme.marker)
            flag = marker_flag(viewport, marker, font)
            painter.drawRoundedRect(flag, 2, 2)
            painter.setPen(theme.on(theme.marker))
            painter.setFont(font)
            painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, _marker_text())
            painter.setPen(Qt.PenStyle.NoPen)
    if overlays.end_marker is not None and is_near(x := viewport.line_x(overlays.end_marker), _FLAG_REACH):
        painter.setBrush(theme.marker)
        painter.fillRect(QRectF(x, _FLAG_TOP, 2, bottom - _FLAG_TOP), theme.marker)
        flag = end_flag(viewport, overlays.end_marker, font)
        painter.drawRoundedRect(flag, 2, 2)
        painter.setPen(theme.on(theme.marker))
        painter.setFont(font)
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, _end_text())
        painter.setPen(Qt.PenStyle.NoPen)
    if overlays.take_end is not None and is_near(x := viewport.line_x(overlays.take_end)):
        painter.fillRect(QRectF(x, _FLAG_TOP, 2, bottom - _FLAG_TOP), theme.sampling_head)
        painter.setBrush(theme.sampling_head)
        points = QPointF(x, _FLAG_TOP), QPointF(x, _FLAG_TOP + _HANDLE), QPointF(x - _HANDLE, _FLAG_TOP + _HANDLE / 2)
        painter.drawPolygon(QPolygonF(points))  # it points back at the take
    if overlays.sampling_head is not None and is_near(x := viewport.line_x(overlays.sampling_head)):
        painter.fillRect(QRectF(x, STRIP_HEIGHT, 1, bottom - STRIP_HEIGHT), theme.sampling_head)
        painter.setBrush(theme.sampling_head)
        painter.drawPolygon(_pointer(x + 0.5, bottom, 4))
    if overlays.playhead is not None and is_near(x := viewport.line_x(overlays.playhead)):
        painter.setBrush(theme.playhead)
        painter.drawPolygon(_pointer(x + 1, bottom, _HANDLE / 2 + 1))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _pointer(x: float, bottom: float, half: float) -> QPolygonF:
    """A triangle that points down at `x`."""
    return QPolygonF(
        [QPointF(x - half, bottom - 1.6 * half), QPointF(x + half, bottom - 1.6 * half), QPointF(x, bottom)]
    )
