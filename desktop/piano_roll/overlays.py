"""Paints what lies over the tiles: what is selected, moved, drawn and sampled, and the heads."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

from core.midi.tempo_map import TempoMap
from desktop.piano_roll import layers
from desktop.piano_roll.coordinates import Viewport
from desktop.piano_roll.diamonds import paint_diamonds
from desktop.piano_roll.layers import (
    CUT_REACH,
    STRENGTHS,
    NoteColumns,
    Overlays,
    boxes_within,
    fill,
    line_width,
    span_tint,
    with_alpha,
)
from desktop.widgets.theme import Theme

_GHOST = 0.6  # how much notes that are moved fade where they stand


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
    _paint_cut(painter, viewport, overlays, theme)
    _paint_heads(painter, near, viewport, overlays, theme)
    if overlays.band is not None:
        painter.setPen(theme.accent)
        painter.setBrush(with_alpha(theme.accent, 0.15))
        painter.drawRect(overlays.band)


def _paint_sounding(painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    head = overlays.sampling_head
    if head is None:
        return
    first, last = _seconds_of(exposed, viewport)
    for note in [note._replace(end=max(head, note.start)) for note in overlays.sounding] + list(overlays.ended):
        if note.start >= last or note.end <= first:
            continue  # most often: the head is far ahead of what is on view
        if note.is_drum:
            boxes = _shown(viewport.diamonds([note.start], [note.pitch]), viewport)
            inside = theme.velocities("take", note.colour)[STRENGTHS[note.velocity]]
            _paint_diamonds(painter, boxes, inside, theme.edge("take", note.colour), viewport)
            continue
        boxes = viewport.boxes([note.start], [note.end], [note.pitch])
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
    return boxes_within(boxes, _view_area(viewport))


def _seconds_of(exposed: QRectF, viewport: Viewport) -> tuple[float, float]:
    """From when to when a note must sound to show there, however short it is."""
    hair = (max(viewport.shortest, viewport.half_diamond) + 2) / viewport.scale
    return viewport.seconds(exposed.left()) - hair, viewport.seconds(exposed.right()) + hair


def gone_to(overlays: Overlays, tempo_map: TempoMap) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Starts and ends (seconds) of the selected notes where they are moved or stretched to; None if they are not."""
    if overlays.preview is None and overlays.stretch is None:
        return None
    notes, by = overlays.selected, overlays.preview[0] if overlays.preview else 0.0
    start_by, end_by = overlays.stretch or (by, by)
    start = tempo_map.seconds_array(tempo_map.exact_ticks_array(notes.start) + start_by)
    end = tempo_map.seconds_array(tempo_map.exact_ticks_array(notes.end) + end_by)
    if overlays.stretch is not None:
        start = np.minimum(start, np.maximum(notes.end, notes.start))
    return start, np.maximum(end, start)


def _up(overlays: Overlays) -> int:
    """By how many rows the selected notes are moved."""
    return overlays.preview[1] if overlays.preview is not None else 0


def selected_area(viewport: Viewport, overlays: Overlays) -> QRectF:
    """View pixels in which selected notes are painted, where they stand and where they are moved to; empty of none."""
    start, end, pitch, _ = overlays.selected
    if not len(start):
        return QRectF()
    outer = np.array([pitch.min(), pitch.max()])
    lines = viewport.rows.lines[[*outer, *viewport.rows.moved(outer, _up(overlays))]]
    starts, ends = overlays.gone or (start, end)
    left, right = viewport.x(min(start.min(), starts.min())), viewport.x(max(end.max(), ends.max()))
    height, above = viewport.row_height, viewport.origin[1] / viewport.ratio
    top, bottom = int(lines.min()) * height - above, (int(lines.max()) + 1) * height - above
    room = height + 4  # a diamond reaches to each side, a line around every note a little
    area = QRectF(left, top, right - left, bottom - top).adjusted(-room, -4, room, 4)
    return area & QRectF(0, 0, viewport.width, viewport.height)


def _paint_selected(painter: QPainter, exposed: QRectF, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    notes = overlays.selected
    if not len(notes.start):
        return
    span = _seconds_of(exposed, viewport)
    if overlays.gone is None:
        _paint_notes(painter, notes, span, viewport, theme.selected_edge, theme.selected, has_gone=False)
        return
    if not overlays.is_copy or overlays.stretch is not None:
        _paint_ghosts(painter, notes, span, viewport, theme.background)
    moved = NoteColumns(*overlays.gone, viewport.rows.moved(notes.pitch, _up(overlays)), notes.is_drum)
    _paint_notes(painter, moved, span, viewport, theme.selected_edge, theme.selected, has_gone=True)


def _paint_notes(
    painter: QPainter,
    notes: NoteColumns,
    span: tuple[float, float],
    viewport: Viewport,
    edge: QColor,
    inside: QColor,
    has_gone: bool,
) -> None:
    """Selected notes between two times: with a line round them or, where they have gone somewhere, whole."""
    start, end, pitch, is_drum = notes
    seen = (start < span[1]) & (np.where(is_drum, start, end) > span[0])
    drums = seen & is_drum
    boxes = _shown(viewport.diamonds(start[drums], pitch[drums]), viewport)
    if has_gone:
        _paint_diamonds(painter, boxes, inside, edge, viewport)
    else:
        _paint_diamonds(painter, boxes, QColor(0, 0, 0, 0), inside, viewport)
    seen &= ~is_drum
    is_dot = viewport.are_shortest(start, end) & seen  # all edge, no inside
    if np.count_nonzero(is_dot) > layers.MANY_DOTS:
        dots = start[is_dot], pitch[is_dot], np.zeros(np.count_nonzero(is_dot), np.uint8)
        layers.paint_dots(painter, *dots, [edge], viewport, _view_area(viewport))
        seen &= ~is_dot

    def bars(which: NDArray[np.bool_]) -> NDArray[np.int32]:
        return viewport.boxes(start[which], end[which], pitch[which])

    is_framed = seen & (is_dot | has_gone)
    _paint_framed(painter, bars(is_framed), viewport, edge, inside)
    _paint_outlined(painter, bars(seen & ~is_framed), viewport, inside)  # stands out from every track's colour


def _paint_ghosts(
    painter: QPainter, notes: NoteColumns, span: tuple[float, float], viewport: Viewport, paper: QColor
) -> None:
    """Let notes that have gone somewhere be faint where they stand: all alike, those too that lie over each other."""
    start, end, pitch, is_drum = notes
    seen = (start < span[1]) & (np.where(is_drum, start, end) > span[0])
    ghost = with_alpha(paper, _GHOST)
    drums, bars = seen & is_drum, seen & ~is_drum
    _paint_diamond_ghosts(painter, _shown(viewport.diamonds(start[drums], pitch[drums]), viewport), viewport, paper)
    is_dot = viewport.are_shortest(start, end) & bars
    if (count := np.count_nonzero(is_dot)) > layers.MANY_DOTS:
        dots = start[is_dot], pitch[is_dot], np.zeros(count, np.uint8)
        layers.paint_dots(painter, *dots, [ghost], viewport, _view_area(viewport))
        bars &= ~is_dot
    boxes = _shown(viewport.boxes(start[bars], end[bars], pitch[bars]), viewport)
    fill(painter, _apart(boxes), ghost)


def _apart(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The same pixels as boxes of one height, which meet along their rows alone, each pixel once."""
    if not len(boxes):
        return boxes
    boxes = boxes[np.lexsort((boxes[:, 0], boxes[:, 1]))]
    row = boxes[:, 1].astype(np.int64) << 32  # so that no box reaches into another row
    reached = np.maximum.accumulate(row + boxes[:, 2])
    is_first = np.append(True, (row + boxes[:, 0])[1:] > reached[:-1])
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(boxes)) - 1
    right = (reached[last] - row[last]).astype(np.int32)
    return np.column_stack((boxes[first, 0], boxes[first, 1], right, boxes[first, 3]))


def _paint_diamond_ghosts(painter: QPainter, boxes: NDArray[np.int32], viewport: Viewport, paper: QColor) -> None:
    """The same of drums. Those that meet are painted beside the screen first, and from there all at once."""
    if len(_apart(boxes)) == len(boxes):
        ghost = with_alpha(paper, _GHOST)
        _paint_diamonds(painter, boxes, ghost, ghost, viewport)
        return
    left, top = boxes[:, :2].min(0).tolist()
    right, bottom = boxes[:, 2:].max(0).tolist()
    beside = QPixmap(right - left + 1, bottom - top + 1)
    beside.fill(Qt.GlobalColor.transparent)
    inside = QPainter(beside)
    try:  # Qt crashes if a painter is left open, whatever went wrong
        _paint_diamonds(inside, boxes - np.array((left, top, left, top), np.int32), paper, paper, viewport)
    finally:
        inside.end()
    painter.setOpacity(_GHOST)
    painter.drawPixmap(QPointF(left, top), beside)
    painter.setOpacity(1.0)


def _paint_diamonds(
    painter: QPainter, boxes: NDArray[np.int32], inside: QColor, edge: QColor, viewport: Viewport
) -> None:
    """Diamonds of one look, with as strong a line around as bars have."""
    width = max(1, round(1.5 * viewport.ratio))
    paint_diamonds(painter, boxes, np.zeros(len(boxes), np.intp), [inside], edge, width)


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
        if note.is_drum:
            box = _shown(viewport.diamonds([note.start], [note.pitch]), viewport)
            _paint_diamonds(painter, box, theme.selected, theme.selected_edge, viewport)
            return
        box = viewport.boxes([note.start], [note.end], [note.pitch])
        _paint_framed(painter, box, viewport, theme.selected_edge, theme.selected)


def _paint_cut(painter: QPainter, viewport: Viewport, overlays: Overlays, theme: Theme) -> None:
    """A line through every note that would be divided, with a rim that stands out from notes of any colour."""
    if overlays.cut is None:
        return
    x, height = viewport.line_x(overlays.cut.seconds), viewport.row_height
    for left, width, colour in ((x - 2, 4, theme.background), (x - 1, 2, theme.text)):
        for pitch in overlays.cut.pitches:
            painter.fillRect(QRectF(left, viewport.y(pitch) - CUT_REACH, width, height + 2 * CUT_REACH - 1), colour)


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
