"""Paints paper and notes of a tile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from core.midi.scale import Scale
from desktop.piano_roll.coordinates import PITCHES, Viewport
from desktop.piano_roll.diamonds import has_inside, paint_diamonds
from desktop.piano_roll.grid import GridLines
from desktop.piano_roll.note_names import NAME_REACH, NAMED_ROW, NoteNames
from desktop.piano_roll.notes import RollNote, RollPart
from desktop.widgets.theme import VELOCITY_STEPS, Shade, Theme

_IS_BLACK = np.isin(np.arange(PITCHES) % 12, (1, 3, 6, 8, 10))
_HAS_LINE_BELOW = np.isin(np.arange(PITCHES) % 12, (0, 5))  # where two white keys meet
_PART_ORDER = ("other", "prompt", "take")  # the last on top
_EDGED_ROW = 5.0  # view pixels; lower rows have no room for an edge
STRENGTHS = np.clip((np.arange(128) - 1) * VELOCITY_STEPS // 127, 0, VELOCITY_STEPS - 1).astype(np.uint8)  # by velocity
MANY_DOTS = 1000  # notes of the least width in one tile from which drawing them into an array is faster


@dataclass(frozen=True)
class Paper:
    """What tiles show, position and zoom aside."""

    parts: tuple[RollPart, ...]
    grid: GridLines
    theme: Theme
    font: QFont
    scale: Scale | None = None  # whose rows are light, and outside of which notes are marked
    is_list: bool = False  # rows that are no keyboard's: of drums, or those in use


class NoteColumns(NamedTuple):
    """Some notes of several parts, (n,) each."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int32]
    is_drum: NDArray[np.bool_]


NO_NOTES = NoteColumns(np.empty(0), np.empty(0), np.empty(0, np.int32), np.empty(0, np.bool_))


CUT_REACH = 5  # view pixels that a cut reaches out of its row


class Cut(NamedTuple):
    """Where the knife would divide notes: when, in seconds, and of which pitches they are."""

    seconds: float
    pitches: tuple[int, ...]


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
    ended: tuple[RollNote, ...] = ()  # sampled, and in no part yet
    selected: NoteColumns = NO_NOTES
    preview: tuple[float, int] | None = None  # by how many ticks and rows the selected are being moved
    is_copy: bool = False  # what is moved are copies
    stretch: tuple[float, float] | None = None  # by how many ticks the starts and the ends of the selected go
    gone: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None  # starts and ends of the selected then
    drawn: RollNote | None = None  # being drawn
    cut: Cut | None = None
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
    """What is painted of parts, in that order: notes of one colour and shade each, what is heard over what is not.

    Drums that are heard lie over all that is long.
    """

    def place(layer: RollPart) -> tuple[int, bool, int]:
        shade = int(layer.shade[0])
        return _PART_ORDER.index(layer.kind), bool(layer.is_drum[0]) and shade <= Shade.UNREAD, -shade

    return sorted((layer for part in parts for layer in part.layers if len(layer)), key=place)


def line_width(ratio: float) -> int:
    """Device pixels of a thin line."""
    return max(1, int(ratio))


# Tiles


def paint_tile(painter: QPainter, area: QRect, viewport: Viewport, paper: Paper) -> None:
    """Paint the content pixels `area`; the painter's 0, 0 is the area's left top, its unit device pixels."""
    _paint_rows(painter, area, viewport, paper)
    _paint_lines(painter, area, viewport, paper)
    names = NoteNames(viewport, paper.font) if viewport.row_height >= NAMED_ROW else None
    for part in paper.parts:
        if part.is_drum[0]:
            _paint_drums(painter, area, viewport, paper, part, names)
        else:
            _paint_bars(painter, area, viewport, paper, part, names)
    if names is not None:
        names.paint(painter, paper.theme)


def _pitches_in(area: QRect, viewport: Viewport) -> tuple[int, int]:
    """The lowest and the highest pitch of the rows in an area."""
    return viewport.rows.pitch(area.bottom() // viewport.row), viewport.rows.pitch(area.top() // viewport.row)


def _with_rows(part: RollPart, places: NDArray[np.intp], viewport: Viewport) -> NDArray[np.intp]:
    """Those of a part's notes whose pitches have a row."""
    if not viewport.rows.is_folded:
        return places
    return places[viewport.rows.lines[part.pitch[places]] < len(viewport.rows)]


def _reach(names: NoteNames | None, viewport: Viewport) -> int:
    """How far beside an area notes may lie over names in it, in device pixels."""
    return 0 if names is None else round(NAME_REACH * viewport.ratio)


def _paint_drums(
    painter: QPainter, area: QRect, viewport: Viewport, paper: Paper, part: RollPart, names: NoteNames | None
) -> None:
    reach = (viewport.half_diamond + 1 + _reach(names, viewport)) / viewport.scale
    start, end = area.left() / viewport.scale - reach, (area.right() + 1) / viewport.scale + reach
    places = _with_rows(part, part.begun_between(start, end, *_pitches_in(area, viewport)), viewport)
    if not len(places):
        return
    kind, colour, shade = part.kind, int(part.colour[0]), Shade(int(part.shade[0]))
    boxes = boxes_within(viewport.diamonds(part.start[places], part.pitch[places]), area)
    looks = STRENGTHS[part.velocity[places]].astype(np.intp)
    colours, edge = paper.theme.velocities(kind, colour, shade), paper.theme.edge(kind, colour, shade)
    line = line_width(viewport.ratio)
    if shade == Shade.FULL and not has_inside(2 * viewport.half_diamond + 1, line):
        edge = paper.theme.part(kind, colour)  # which is all of it that is seen
    paint_diamonds(painter, boxes, looks, colours, edge, line)
    if kind != "other" and shade <= Shade.UNREAD:
        _mark_origins(painter, boxes, part.origin[places], viewport, paper.theme, is_apart=False)
    if names is not None:
        names.add(part.pitch[places], lambda: boxes)


def _paint_bars(
    painter: QPainter, area: QRect, viewport: Viewport, paper: Paper, part: RollPart, names: NoteNames | None
) -> None:
    edge_width, reach = line_width(viewport.ratio), _reach(names, viewport)
    start = (area.left() - viewport.shortest - 1 - reach) / viewport.scale
    end = (area.right() + 2 + reach) / viewport.scale
    is_edged = viewport.row_height >= _EDGED_ROW
    places = _with_rows(part, part.between(start, end, *_pitches_in(area, viewport)), viewport)
    strength = STRENGTHS[part.velocity[places]]
    look = part.kind, int(part.colour[0]), Shade(int(part.shade[0]))
    colours = paper.theme.velocities(*look)
    # There is no room to show a dot hollow: it is drawn as it is, or drums at a distance would look unheard.
    dot_colours = paper.theme.velocities(*look[:2]) if look[2] == Shade.UNREAD else colours
    if len(places) > MANY_DOTS:
        is_dot = viewport.are_shortest(part.start[places], part.end[places])
        if np.count_nonzero(is_dot) > MANY_DOTS:
            dots = places[is_dot]
            paint_dots(painter, part.start[dots], part.pitch[dots], strength[is_dot], dot_colours, viewport, area)
            if names is not None:
                names.add(part.pitch[dots], lambda: boxes_within(_bars(part, dots, viewport), area))
            places, strength = places[~is_dot], strength[~is_dot]
    if not len(places):
        return
    order = np.argsort(strength, kind="stable")  # soft to loud, so that each colour is one stretch
    places, strength = places[order], strength[order]
    boxes = boxes_within(_bars(part, places, viewport), area)
    width = boxes[:, 2] - boxes[:, 0] + 1
    is_dot = width == viewport.shortest  # drawn as paint_dots would: without an edge
    has_edge = (width >= 4 * edge_width) & is_edged & ~is_dot
    _fill_by_strength(painter, boxes[is_dot], strength[is_dot], dot_colours)
    fill(painter, boxes[has_edge], paper.theme.edge(*look))
    is_near = part.kind != "other" and look[2] <= Shade.UNREAD
    if names is not None and is_near:
        names.add_named(part.pitch[places], boxes, colours, strength)
    elif names is not None:
        names.add(part.pitch[places], lambda: boxes)
    inside = boxes + has_edge[:, None] * np.array((1, 1, -1, -1), np.int32) * np.int32(edge_width)
    _fill_by_strength(painter, inside[~is_dot], strength[~is_dot], colours)
    if has_edge.any() and is_near:
        if (origins := part.origin[places]).any():
            _mark_origins(painter, inside[has_edge], origins[has_edge], viewport, paper.theme)
        if paper.scale is not None:
            is_off = has_edge & ~paper.scale.contains(part.pitch[places])
            _mark_off_scale(painter, inside[is_off], viewport, paper.theme)


def _bars(part: RollPart, places: NDArray[np.intp], viewport: Viewport) -> NDArray[np.int32]:
    return viewport.boxes(part.start[places], part.end[places], part.pitch[places])


def _mark_origins(
    painter: QPainter,
    boxes: NDArray[np.int32],
    origins: NDArray[np.int16],
    viewport: Viewport,
    theme: Theme,
    is_apart: bool = True,
) -> None:
    """A line along the foot of each note that came from another take, in that one's colour."""
    height = round(2 * viewport.ratio)
    for origin in np.unique(origins[origins > 0]).tolist():
        marks = boxes[origins == origin]
        foot = marks[:, 3] - height + 1
        if is_apart:  # from what it lies on
            marks[:, 1] = np.maximum(foot - line_width(viewport.ratio), marks[:, 1])
            fill(painter, marks, theme.background)
        marks[:, 1] = np.maximum(foot, marks[:, 1])
        fill(painter, marks, theme.origin(origin))


def _mark_off_scale(painter: QPainter, boxes: NDArray[np.int32], viewport: Viewport, theme: Theme) -> None:
    """A bar at the beginning of each note that is not of the scale."""
    width = round(3 * viewport.ratio)
    gap = line_width(viewport.ratio)
    boxes = boxes[boxes[:, 2] - boxes[:, 0] >= 2 * width]
    right = boxes[:, 0] + width
    fill(painter, np.column_stack((boxes[:, 0], boxes[:, 1], right + gap - 1, boxes[:, 3])), theme.background)
    fill(painter, np.column_stack((boxes[:, 0], boxes[:, 1], right - 1, boxes[:, 3])), theme.off_scale)


def _fill_by_strength(
    painter: QPainter, boxes: NDArray[np.int32], strength: NDArray[np.uint8], colours: list[QColor]
) -> None:
    bounds = np.searchsorted(strength, np.arange(VELOCITY_STEPS + 1))
    for colour, first, last in zip(colours, bounds[:-1], bounds[1:], strict=True):
        fill(painter, boxes[first:last], colour)


def paint_dots(
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
    line = viewport.rows.lines[pitch] - first
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


def boxes_within(boxes: NDArray[np.int32], area: QRect, margin: int = 256) -> NDArray[np.int32]:
    """Boxes relative to an area, cut where they reach far out of it: Qt's own sums are 32 bits wide."""
    moved = boxes.astype(np.int64) - (area.left(), area.top(), area.left(), area.top())
    x_only = np.clip(moved[:, [0, 2]], -margin, area.width() + margin)
    moved[:, 0], moved[:, 2] = x_only[:, 0], x_only[:, 1]
    return moved.astype(np.int32)


def _paint_rows(painter: QPainter, area: QRect, viewport: Viewport, paper: Paper) -> None:
    width, row, theme, count = area.width(), viewport.row, paper.theme, len(viewport.rows)
    painter.fillRect(0, 0, width, area.height(), theme.background)
    below = count * row - area.top()
    if below < area.height():
        painter.fillRect(0, below, width, area.height() - below, theme.window)
    pitches = np.array(viewport.rows.pitches)[::-1]
    top = np.arange(count) * row - area.top()
    rows = np.column_stack((np.zeros_like(top), top, np.full_like(top, width - 1), top + row - 1)).astype(np.int32)
    scale = paper.scale
    if scale is not None:
        fill(painter, rows[~scale.contains(pitches)], theme.black_row)
        fill(painter, rows[pitches % 12 == scale.tonic], theme.tonic_row)
    elif not paper.is_list:
        fill(painter, rows[_IS_BLACK[pitches]], theme.black_row)
    rows[:, 1] = rows[:, 3] - line_width(viewport.ratio) + 1
    fill(painter, rows if paper.is_list else rows[_HAS_LINE_BELOW[pitches]], theme.row_line)


def _paint_lines(painter: QPainter, area: QRect, viewport: Viewport, paper: Paper) -> None:
    width = line_width(viewport.ratio)
    start, end = (area.left() - width - 1) / viewport.scale, (area.right() + 2) / viewport.scale
    lines = paper.grid.lines(start, end, viewport.pixels_per_second)
    height = min(area.height(), len(viewport.rows) * viewport.row - area.top())
    if not lines or height <= 0:
        return
    x = np.rint(np.array([line.seconds for line in lines]) * viewport.scale).astype(np.int64) - area.left()
    strength = np.array([line.strength for line in lines])
    boxes = np.column_stack((x, np.zeros_like(x), x + width - 1, np.full_like(x, height - 1))).astype(np.int32)
    for step, colour in enumerate(paper.theme.lines):
        fill(painter, boxes[strength == step], colour)
