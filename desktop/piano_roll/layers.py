"""Paints what lies in the note area: paper and notes of a tile, and what lies over the tiles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from core.midi.pitch_names import pitch_name
from desktop.piano_roll.coordinates import PITCHES, Viewport
from desktop.piano_roll.grid import Grid
from desktop.piano_roll.notes import RollNote, RollPart
from desktop.widgets.theme import VELOCITY_STEPS, Shade, Theme

_IS_BLACK = np.isin(np.arange(PITCHES) % 12, (1, 3, 6, 8, 10))
_HAS_LINE_BELOW = np.isin(np.arange(PITCHES) % 12, (0, 5))  # where two white keys meet
_PART_ORDER = ("other", "prompt", "take")  # the last on top
_EDGED_ROW = 5.0  # view pixels; lower rows have no room for an edge
STRENGTHS = np.clip((np.arange(128) - 1) * VELOCITY_STEPS // 127, 0, VELOCITY_STEPS - 1).astype(np.uint8)  # by velocity
_MANY_DOTS = 1000  # notes of the least width in one tile from which drawing them into an array is faster
_NAMED_ROW, _NAMED_WIDTH = 14.0, 26.0  # notes as large as that carry their name


@dataclass(frozen=True)
class Paper:
    """What tiles show, position and zoom aside."""

    parts: tuple[RollPart, ...]
    grid: Grid
    theme: Theme
    font: QFont


class Columns(NamedTuple):
    """Some notes of several parts, (n,) each."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int32]


NO_NOTES = Columns(np.empty(0), np.empty(0), np.empty(0, np.int32))


@dataclass
class Overlays:
    """What lies over the tiles, times in seconds; None is not there."""

    prompt: tuple[float, float] | None = None
    loop: tuple[float, float] | None = None
    span: tuple[float, float] | None = None  # selected in the ruler
    end_marker: float | None = None  # where the next take is to end
    take_end: float | None = None  # where the take ends and the song comes back
    playhead: float | None = None
    sampling_head: float | None = None
    sounding: tuple[RollNote, ...] = ()  # begun by the model and not yet ended: they reach to the sampling head
    selected: Columns = NO_NOTES
    preview: tuple[float, int] | None = None  # by how many seconds and semitones the selected are being moved
    is_copy: bool = False  # what is moved are copies
    stretch: tuple[float, float] | None = None  # by how many seconds the starts and the ends of the selected go
    drawn: RollNote | None = None  # being drawn
    band: QRectF | None = None  # rubber band in view pixels
    lit: frozenset[int] = field(default_factory=frozenset)
    hovered: int | None = None

    @property
    def in_hand(self) -> tuple[float, float] | None:
        """What is sampled and not yet heard."""
        if self.sampling_head is None:
            return None
        start = self.playhead if self.playhead is not None else 0.0
        if self.prompt is not None:
            start = max(start, self.prompt[1])
        return (start, self.sampling_head) if self.sampling_head > start else None


def is_black(pitch: int) -> bool:
    """Whether a pitch is a black key."""
    return bool(_IS_BLACK[pitch])


def fill(painter: QPainter, boxes: NDArray[np.int32], colour: QColor) -> None:
    """Fill boxes, (n, 4) of first x, first y, last x, last y, in one call without a Python object each.

    The array's rows lie in memory just as Qt's QRects do; a list of QRects takes 20 times as long.
    """
    if not len(boxes):
        return
    boxes = np.ascontiguousarray(boxes, np.int32)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRects(cast(QRect, shiboken6.wrapInstance(boxes.ctypes.data, QRect)), len(boxes))


def with_alpha(colour: QColor, alpha: float) -> QColor:
    """A colour that much (0 to 1) opaque."""
    faint = QColor(colour)
    faint.setAlphaF(alpha)
    return faint


def span_tint(theme: Theme) -> QColor:
    """Over the span of time that is selected."""
    return with_alpha(theme.accent, 0.12)


def painted_parts(parts: Sequence[RollPart]) -> list[RollPart]:
    """What is painted of parts, in that order: notes of one colour and shade each, what is heard over what is not."""
    layers = [layer for part in parts for layer in part.layers if len(layer)]
    return sorted(layers, key=lambda layer: (_PART_ORDER.index(layer.kind), -int(layer.shade[0])))


def line_width(ratio: float) -> int:
    """Device pixels of a thin line."""
    return max(1, int(ratio))


# Tiles


def paint_tile(painter: QPainter, area: QRect, viewport: Viewport, paper: Paper) -> None:
    """Paint the content pixels `area`; the painter's 0, 0 is the area's left top, its unit device pixels."""
    _paint_rows(painter, area, viewport, paper.theme)
    _paint_lines(painter, area, viewport, paper)
    edge_width = line_width(viewport.ratio)
    start = (area.left() - viewport.shortest - 1) / viewport.scale
    end = (area.right() + 2) / viewport.scale
    high = PITCHES - 1 - area.top() // viewport.row
    low = PITCHES - 1 - area.bottom() // viewport.row
    is_edged = viewport.row_height >= _EDGED_ROW
    for part in paper.parts:
        places = part.between(start, end, low, high)
        strength = STRENGTHS[part.velocity[places]]
        look = part.kind, int(part.colour[0]), Shade(int(part.shade[0]))
        colours = paper.theme.velocities(*look)
        # There is no room to show a dot hollow: it is drawn as it is, or drums at a distance would look unheard.
        dot_colours = paper.theme.velocities(*look[:2]) if look[2] == Shade.UNREAD else colours
        if len(places) > _MANY_DOTS:
            is_dot = viewport.are_shortest(part.start[places], part.end[places])
            if np.count_nonzero(is_dot) > _MANY_DOTS:
                dots = places[is_dot]
                _paint_dots(painter, part.start[dots], part.pitch[dots], strength[is_dot], dot_colours, viewport, area)
                places, strength = places[~is_dot], strength[~is_dot]
        if not len(places):
            continue
        order = np.argsort(strength, kind="stable")  # soft to loud, so that each colour is one stretch
        places, strength = places[order], strength[order]
        boxes = _inside(viewport.boxes(part.start[places], part.end[places], part.pitch[places]), area)
        width = boxes[:, 2] - boxes[:, 0] + 1
        is_dot = width == viewport.shortest  # drawn as _paint_dots would: without an edge
        has_edge = (width >= 4 * edge_width) & is_edged & ~is_dot
        _fill_by_strength(painter, boxes[is_dot], strength[is_dot], dot_colours)
        fill(painter, boxes[has_edge], paper.theme.edge(*look))
        boxes = boxes + has_edge[:, None] * np.array((1, 1, -1, -1), np.int32) * np.int32(edge_width)
        _fill_by_strength(painter, boxes[~is_dot], strength[~is_dot], colours)
        if viewport.row_height >= _NAMED_ROW and part.kind != "other" and look[2] <= Shade.UNREAD:
            _paint_names(painter, boxes, part.pitch[places], [colours[s] for s in strength], viewport, paper)


def _fill_by_strength(
    painter: QPainter, boxes: NDArray[np.int32], strength: NDArray[np.uint8], colours: list[QColor]
) -> None:
    bounds = np.searchsorted(strength, np.arange(VELOCITY_STEPS + 1))
    for colour, first, last in zip(colours, bounds[:-1], bounds[1:], strict=True):
        fill(painter, boxes[first:last], colour)


def _paint_dots(
    painter: QPainter,
    start: NDArray[np.float64],
    pitch: NDArray[np.int32],
    strength: NDArray[np.uint8],
    colours: list[QColor],
    viewport: Viewport,
    area: QRect,
) -> None:
    """The same pixels as `_fill_by_strength` for notes of the least width, in a time that hardly grows with them.

    Far out they lie over each other by the thousand. They are drawn into an array of one line per row,
    where the loudest stays, which is then stretched to the height of the rows.
    """
    row, dot, width = viewport.row, viewport.shortest, area.width()
    first, last = area.top() // row, area.bottom() // row
    x = np.rint(start * viewport.scale).astype(np.int64) - (area.left() - dot)
    line = (PITCHES - 1 - first) - pitch
    is_inside = (x > 0) & (x < width + dot) & (line >= 0) & (line <= last - first)
    level = np.zeros((last - first + 1) * (width + dot), np.uint8)
    np.maximum.at(level, (line * (width + dot) + x)[is_inside], strength[is_inside] + np.uint8(1))
    level = level.reshape(-1, width + dot)
    # A dot reaches to the right of its place: there, too, the loudest stays.
    level = np.max([level[:, dot - i : dot - i + width] for i in range(dot)], axis=0)
    palette = np.array([0, *map(_premultiplied, colours)], np.uint32)
    lines = np.repeat(palette[level], row, axis=0)
    lines[row - 1 :: row] = 0  # see Viewport.boxes
    image = QImage(lines.data, width, len(lines), 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(0, first * row - area.top(), image)


def _premultiplied(colour: QColor) -> int:
    red, green, blue, alpha = cast(tuple[float, float, float, float], colour.getRgbF())
    return QColor.fromRgbF(red * alpha, green * alpha, blue * alpha, alpha).rgba()


def _inside(boxes: NDArray[np.int32], area: QRect, margin: int = 256) -> NDArray[np.int32]:
    """Boxes relative to an area, cut where they reach far out of it: Qt's own sums are 32 bits wide."""
    moved = boxes.astype(np.int64) - (area.left(), area.top(), area.left(), area.top())
    x_only = np.clip(moved[:, [0, 2]], -margin, area.width() + margin)
    moved[:, 0], moved[:, 2] = x_only[:, 0], x_only[:, 1]
    return moved.astype(np.int32)


def _paint_rows(painter: QPainter, area: QRect, viewport: Viewport, theme: Theme) -> None:
    width, row = area.width(), viewport.row
    painter.fillRect(0, 0, width, area.height(), theme.background)
    below = PITCHES * row - area.top()
    if below < area.height():
        painter.fillRect(0, below, width, area.height() - below, theme.window)
    top = (PITCHES - 1 - np.arange(PITCHES)) * row - area.top()
    rows = np.column_stack((np.zeros_like(top), top, np.full_like(top, width - 1), top + row - 1)).astype(np.int32)
    fill(painter, rows[_IS_BLACK], theme.black_row)
    rows[:, 1] = rows[:, 3] - line_width(viewport.ratio) + 1
    fill(painter, rows[_HAS_LINE_BELOW], theme.row_line)


def _paint_lines(painter: QPainter, area: QRect, viewport: Viewport, paper: Paper) -> None:
    width = line_width(viewport.ratio)
    start, end = (area.left() - width - 1) / viewport.scale, (area.right() + 2) / viewport.scale
    lines = paper.grid.lines(start, end, viewport.pixels_per_second)
    height = min(area.height(), PITCHES * viewport.row - area.top())
    if not lines or height <= 0:
        return
    x = np.rint(np.array([line.seconds for line in lines]) * viewport.scale).astype(np.int64) - area.left()
    strength = np.array([line.strength for line in lines])
    boxes = np.column_stack((x, np.zeros_like(x), x + width - 1, np.full_like(x, height - 1))).astype(np.int32)
    for step, colour in enumerate(paper.theme.lines):
        fill(painter, boxes[strength == step], colour)


def _paint_names(
    painter: QPainter,
    boxes: NDArray[np.int32],
    pitches: NDArray[np.int32],
    colours: list[QColor],
    viewport: Viewport,
    paper: Paper,
) -> None:
    font = QFont(paper.font)
    font.setPixelSize(max(round(min(viewport.row * 0.66, 13 * viewport.ratio)), 1))
    painter.setFont(font)
    indent = round(3 * viewport.ratio)
    ascent = QFontMetricsF(font).capHeight()
    for (left, top, right, bottom), pitch, colour in zip(boxes.tolist(), pitches.tolist(), colours, strict=True):
        if right - left >= _NAMED_WIDTH * viewport.ratio:
            painter.setPen(paper.theme.on(colour))
            painter.drawText(QPointF(left + indent, round((top + bottom + 1 + ascent) / 2)), pitch_name(pitch))


# Over the tiles


def paint_overlays(painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    """Paint what lies over the tiles inside `exposed`; the painter's unit is view pixels.

    The painter must be clipped to `exposed`: at fractional scales only a clip has the same edges for all.
    """
    near = exposed.adjusted(-4, -4, 4, 4)
    for span, tint in (
        (overlays.prompt, theme.prompt_tint),
        (overlays.in_hand, theme.in_hand_tint),
        (overlays.span, span_tint(theme)),
    ):
        if span is not None:
            left, right = viewport.line_x(span[0]), viewport.line_x(span[1])
            painter.fillRect(QRectF(left, 0, right - left, viewport.height) & near, tint)
    painter.save()
    painter.scale(1 / viewport.ratio, 1 / viewport.ratio)
    _paint_sounding(painter, exposed, viewport, overlays, theme)
    _paint_selected(painter, exposed, viewport, overlays, theme)
    _paint_drawn(painter, viewport, overlays, theme)
    painter.restore()
    _paint_heads(painter, near, viewport, overlays, theme)
    if overlays.band is not None:
        painter.setPen(theme.accent)
        painter.setBrush(with_alpha(theme.accent, 0.15))
        painter.drawRect(overlays.band)


def _paint_sounding(painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    head = overlays.sampling_head
    if not overlays.sounding or head is None:
        return
    first, last = _seconds_of(exposed, viewport)
    for note in overlays.sounding:
        if note.start >= last or max(head, note.start) <= first:
            continue  # most often: the head is far ahead of what is on view
        boxes = viewport.boxes([note.start], [max(head, note.start)], [note.pitch])
        boxes = _shown(boxes, viewport)
        fill(painter, boxes, theme.edge("take", note.colour))
        inside = boxes + np.array((1, 1, -1, -1), np.int32) * line_width(viewport.ratio)
        fill(
            painter,
            inside[inside[:, 2] >= inside[:, 0]],
            theme.velocities("take", note.colour)[STRENGTHS[note.velocity]],
        )


def _view_area(viewport: Viewport) -> QRect:
    """The content pixels on view."""
    return QRect(*viewport.origin, round(viewport.width * viewport.ratio), round(viewport.height * viewport.ratio))


def _shown(boxes: NDArray[np.int32], viewport: Viewport) -> NDArray[np.int32]:
    return _inside(boxes, _view_area(viewport))


def _seconds_of(exposed: QRectF, viewport: Viewport) -> tuple[float, float]:
    """From when to when a note must sound to show there, however short it is."""
    hair = (viewport.shortest + 2) / viewport.scale
    return viewport.seconds(exposed.left()) - hair, viewport.seconds(exposed.right()) + hair


def _paint_selected(painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    start, end, pitch = overlays.selected
    by, up = overlays.preview or (0.0, 0)
    by_start, by_end = overlays.stretch or (by, by)
    if not len(start):
        return
    first, last = _seconds_of(exposed, viewport)

    def draw(start: NDArray[np.float64], end: NDArray[np.float64], up: int, edge: QColor, inside: QColor) -> None:
        seen = (start < last) & (end > first) & (pitch + up >= 0) & (pitch + up < PITCHES)
        is_dot = viewport.are_shortest(start, end) & seen  # all edge, no inside
        if np.count_nonzero(is_dot) > _MANY_DOTS:
            dots = start[is_dot], pitch[is_dot] + up, np.zeros(np.count_nonzero(is_dot), np.uint8)
            _paint_dots(painter, *dots, [edge], viewport, _view_area(viewport))
            seen &= ~is_dot

        def boxes(which: NDArray[np.bool_]) -> NDArray[np.int32]:
            return viewport.boxes(start[which], end[which], pitch[which] + up)

        is_framed = seen & (is_dot | has_gone)
        _paint_framed(painter, boxes(is_framed), viewport, edge, inside)
        _paint_outlined(painter, boxes(seen & ~is_framed), viewport, inside)  # stands out from every track's colour

    has_gone = overlays.preview is not None or overlays.stretch is not None
    if (overlays.preview is not None and not overlays.is_copy) or overlays.stretch is not None:
        ghost = with_alpha(theme.background, 0.6)
        draw(start, end, 0, ghost, ghost)
    moved = np.minimum(start + by_start, np.maximum(end, start)) if overlays.stretch else start + by_start
    draw(moved, np.maximum(end + by_end, moved), up, theme.selected_edge, theme.selected)


def _paint_framed(
    painter: QPainter, boxes: NDArray[np.int32], viewport: Viewport, edge: QColor, inside: QColor
) -> None:
    boxes = _shown(boxes, viewport)
    fill(painter, boxes, edge)
    boxes = boxes + np.array((1, 1, -1, -1), np.int32) * max(1, round(1.5 * viewport.ratio))
    fill(painter, boxes[(boxes[:, 2] >= boxes[:, 0]) & (boxes[:, 3] >= boxes[:, 1])], inside)


def _paint_outlined(painter: QPainter, boxes: NDArray[np.int32], viewport: Viewport, edge: QColor) -> None:
    """A line round each box, so that the colour and velocity of the note in it stay to be seen."""
    boxes = _shown(boxes, viewport)
    width = max(1, round(1.5 * viewport.ratio))
    left, top, right, bottom = (boxes + np.array((-width, -width, width, width), np.int32)).T
    for line in (
        (left, top, right, top + width - 1),
        (left, bottom - width + 1, right, bottom),
        (left, top, left + width - 1, bottom),
        (right - width + 1, top, right, bottom),
    ):
        fill(painter, np.stack(line, 1), edge)


def _paint_drawn(painter: QPainter, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    if (note := overlays.drawn) is not None:
        box = viewport.boxes([note.start], [note.end], [note.pitch])
        _paint_framed(painter, box, viewport, theme.selected_edge, theme.selected)


def _paint_heads(painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    def line(seconds: float, colour: QColor, width: float) -> None:
        x = viewport.line_x(seconds)
        painter.fillRect(QRectF(x, 0, width, viewport.height) & exposed, colour)

    if overlays.prompt is not None:
        line(overlays.prompt[0], with_alpha(theme.marker, 0.6), 1)
        line(overlays.prompt[1], theme.marker, 2)
    if overlays.end_marker is not None:
        line(overlays.end_marker, theme.marker, 2)
    for edge in overlays.span or ():
        line(edge, with_alpha(theme.accent, 0.7), 1)
    if overlays.take_end is not None:
        line(overlays.take_end, theme.sampling_head, 2)
    if overlays.sampling_head is not None:
        line(overlays.sampling_head, theme.sampling_head, 1)
    if overlays.playhead is not None:
        line(overlays.playhead, theme.playhead, 2)
