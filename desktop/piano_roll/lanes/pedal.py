"""PedalLane: when the sustain pedal is down, as spans, and the gestures that press, move and lift it."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter

from desktop.piano_roll.lanes.lane import MARGIN, SAME, Lane, LaneGesture, LaneItem, LanePointer
from desktop.piano_roll.layers import fill, line_width, with_alpha
from desktop.piano_roll.view import PianoRoll

_EDGE = 5.0  # view pixels from an edge within which it is dragged
_SHORTEST = 0.01  # seconds of a pedal

PedalSpan = tuple[float, float]  # seconds; an infinite end: nothing lifts it


class PedalLane(Lane):
    """Drag: press the pedal for a while. Drag a span: move it, or by an edge change it. A double click lifts it."""

    pressed = Signal(float, float)  # from, until
    moved = Signal(float, float, float)  # the span that begins there: from, until
    deleted = Signal(float)  # the span that begins there
    erased = Signal(float, float)  # what is down between two times

    def __init__(self, roll: PianoRoll) -> None:
        super().__init__("pedal", roll.tr("Pedal"), roll)
        self._spans: list[PedalSpan] = []
        self._times = np.empty(0)
        self._shown: list[PedalSpan] | None = None  # while something is dragged
        self._drawn: PedalSpan | None = None

    def show_spans(self, spans: Sequence[PedalSpan]) -> None:
        """Show these spans, in order."""
        self._spans, self._shown, self._drawn = list(spans), None, None
        self._times = np.array([span[0] for span in spans])
        self.refresh()
        self.items_changed.emit()

    @property
    def is_changing(self) -> bool:
        """Whether something is shown that may not come to be."""
        return self._shown is not None

    # What is there

    def span_at(self, at: LanePointer) -> PedalSpan | None:
        """The span there, its edges' surroundings included."""
        view = self.roll.coordinates
        inside = [s for s in self._spans if view.x(s[0]) - _EDGE <= at.x <= view.x(self._end(s)) + _EDGE]
        return min(inside, key=lambda s: not s[0] <= at.seconds <= s[1], default=None)

    def edge_at(self, at: LanePointer) -> tuple[PedalSpan, bool] | None:
        """The span whose edge lies there, and whether it is its end."""
        view, span = self.roll.coordinates, self.span_at(at)
        if span is None:
            return None
        first, last = abs(view.x(span[0]) - at.x), abs(view.x(self._end(span)) - at.x)
        reach = min(_EDGE, (view.x(self._end(span)) - view.x(span[0])) / 3) if span[0] < at.seconds < span[1] else _EDGE
        return None if min(first, last) > reach else (span, last < first)

    def _end(self, span: PedalSpan) -> float:
        return min(span[1], max(self.roll.content_end, span[0] + 1.0))

    def describe(self, at: LanePointer) -> str:
        """How long the pedal there is down."""
        span = self.span_at(at)
        return self.title if span is None else self._words_of(span)

    def _words_of(self, span: PedalSpan) -> str:
        start = self.roll.grid.position(span[0])
        if span[1] == float("inf"):
            return self.tr("Pedal down from {0}, never lifted").format(start)
        return self.tr("Pedal down from {0}, {1:.2f} s long").format(start, span[1] - span[0])

    @property
    def times(self) -> NDArray[np.float64]:
        """When the pedal goes down."""
        return self._times

    def item(self, index: int, height: float) -> LaneItem:
        """A span."""
        view, span = self.roll.coordinates, self._spans[index]
        left, right = view.x(span[0]), view.x(self._end(span))
        return LaneItem(QRectF(left, MARGIN, right - left, height - 2 * MARGIN), self._words_of(span))

    def lengthen_item(self, index: int, by: int) -> float:
        """Lift the pedal later, or earlier."""
        start, end = self._spans[index]
        end, grid = self._end((start, end)), self.roll.grid
        wanted = max(grid.shifted(end, by * grid.step_ticks(end)), start + _SHORTEST)
        self.moved.emit(start, start, wanted)
        return start

    def move_item(self, index: int, by: float) -> float:
        """Press it later, or earlier, for as long."""
        span = self._spans[index]
        to = max(span[0] + by, 0.0)
        self.moved.emit(span[0], *self.moved_to(span, to))
        return to

    def moved_to(self, span: PedalSpan, start: float) -> PedalSpan:
        """A span that begins somewhere else: it lasts as long in the bars, whatever the tempo there."""
        if span[1] == float("inf"):
            return start, span[1]
        grid = self.roll.grid
        return start, grid.shifted(start, grid.ticks_between(*span))

    def put_item(self, seconds: float) -> float:
        """Press it for a step of the grid, unless it is down."""
        for start, end in self._spans:
            if start - SAME < seconds < end:
                return start
        self.pressed.emit(seconds, seconds + self.roll.grid.step(seconds))
        return seconds

    def delete_item(self, index: int) -> None:
        """Take a span away."""
        self.deleted.emit(self._spans[index][0])

    def cursor(self, at: LanePointer) -> Qt.CursorShape:
        """An edge can be dragged, a span moved."""
        if self.erases(at):
            return Qt.CursorShape.PointingHandCursor
        if self.edge_at(at) is not None:
            return Qt.CursorShape.SizeHorCursor
        return Qt.CursorShape.ArrowCursor if self.span_at(at) else Qt.CursorShape.CrossCursor

    # Changing

    def begin(self, at: LanePointer) -> LaneGesture:
        """Press, move, resize or erase."""
        if self.erases(at):
            return ErasePedals(self, at)
        edge = self.edge_at(at)
        if edge is not None:
            return ResizePedal(self, at, *edge)
        span = self.span_at(at)
        return MovePedal(self, at, span) if span is not None else DrawPedal(self, at)

    def double_click(self, at: LanePointer) -> bool:
        """Take away the span there."""
        span = self.span_at(at)
        if span is not None:
            self.deleted.emit(span[0])
        return span is not None

    def preview(self, without: PedalSpan | None, drawn: PedalSpan | None, at: LanePointer) -> None:
        """Show one span less, and one that is drawn."""
        self._shown = [span for span in self._spans if span != without]
        self._drawn = drawn
        self.say(at, "" if drawn is None else f"{drawn[1] - drawn[0]:.2f} s")

    def preview_erased(self, start: float, end: float) -> None:
        """Show those spans alone that are not down in between."""
        self._shown = [span for span in self._spans if not (span[0] < end and span[1] > start)]
        self.refresh()

    def give_up(self) -> None:
        """All is as before."""
        self._shown = self._drawn = None
        self.say(None)

    # Painting

    def paint(self, painter: QPainter, exposed: QRectF, height: float) -> None:
        """A bar for each span."""
        view, theme = self.roll.coordinates, self.roll.theme
        colour = theme.part(*self.look)
        spans = self._spans if self._shown is None else self._shown
        painter.save()
        painter.scale(1 / view.ratio, 1 / view.ratio)
        self._paint_spans(painter, spans, exposed, height, colour)
        if self._drawn is not None:
            self._paint_spans(painter, [self._drawn], exposed, height, theme.accent)
        painter.restore()
        if self._words is not None and self._words[1]:
            self.paint_words(painter, height)

    def _paint_spans(
        self, painter: QPainter, spans: Sequence[PedalSpan], exposed: QRectF, height: float, colour: QColor
    ) -> None:
        view = self.roll.coordinates
        left, right = view.seconds(exposed.left() - _EDGE), view.seconds(exposed.right() + _EDGE)
        ratio, width = view.ratio, line_width(view.ratio)
        first = bisect_right(spans, left, key=itemgetter(1))
        seen = np.array(spans[first : bisect_left(spans, right, lo=first, key=itemgetter(0))])
        if not len(seen):
            return
        x = np.rint(np.clip(seen, left, right) * view.scale).astype(np.int64) - view.origin[0]
        top, bottom = round(MARGIN * ratio), round((height - MARGIN) * ratio)
        first, last = x[:, 0], np.maximum(x[:, 1] - width, x[:, 0] + width)  # a line stays free before the next
        is_new = np.append(True, (first[1:] != first[:-1]) | (last[1:] != last[:-1]))  # far out many are alike
        first, last = first[is_new], last[is_new]
        full = np.full_like(first, top), np.full_like(first, bottom)
        fill(painter, np.column_stack((first, full[0], last, full[1])).astype(np.int32), with_alpha(colour, 0.45))
        edge = 2 * width - 1
        for box in (
            (first, full[0], first + edge, full[1]),
            (last - edge, full[0], last, full[1]),
            (first, full[0], last, full[0] + edge),
        ):
            fill(painter, np.column_stack(box).astype(np.int32), colour)


class DrawPedal:
    """Drag over an empty place: the pedal is down from here to there."""

    def __init__(self, lane: PedalLane, at: LanePointer) -> None:
        self._lane, self._anchor = lane, lane.snapped(at)
        self._span: PedalSpan | None = None

    def move(self, at: LanePointer) -> None:
        """Show the span."""
        first, last = sorted((self._anchor, self._lane.snapped(at)))
        self._span = (first, last) if last - first >= _SHORTEST else None
        self._lane.preview(None, self._span, at)

    def release(self, at: LanePointer) -> None:
        """The pedal is pressed; a click does nothing."""
        self._lane.say(None)
        if self._span is not None:
            self._lane.pressed.emit(*self._span)
        else:
            self._lane.give_up()

    def cancel(self) -> None:
        """As before."""
        self._lane.give_up()


class MovePedal:
    """Drag a span: it goes along the grid."""

    def __init__(self, lane: PedalLane, at: LanePointer, span: PedalSpan) -> None:
        self._lane, self._start, self._old, self._new = lane, at, span, span

    def move(self, at: LanePointer) -> None:
        """Show it where it would go."""
        by = at.seconds - self._start.seconds
        if abs(at.x - self._start.x) < 3 and self._new == self._old:
            return
        first = max(self._lane.snapped(at, self._old[0] + by), 0.0)
        self._new = self._lane.moved_to(self._old, first)
        self._lane.preview(self._old, self._new, at)

    def release(self, at: LanePointer) -> None:
        """It stands there."""
        self._lane.say(None)
        if self._new != self._old:
            self._lane.moved.emit(self._old[0], *self._new)
        else:
            self._lane.give_up()

    def cancel(self) -> None:
        """As before."""
        self._lane.give_up()


class ResizePedal(MovePedal):
    """Drag an edge of a span."""

    def __init__(self, lane: PedalLane, at: LanePointer, span: PedalSpan, is_end: bool) -> None:
        super().__init__(lane, at, span)
        self._is_end = is_end

    def move(self, at: LanePointer) -> None:
        """Show it as long as it would be; never shorter than nothing."""
        if abs(at.x - self._start.x) < 3 and self._new == self._old:
            return
        first, last = self._old
        if self._is_end:
            last = max(self._lane.snapped(at), first + _SHORTEST)
        else:
            first = min(self._lane.snapped(at), last - _SHORTEST)
        self._new = first, last
        self._lane.preview(self._old, self._new, at)


class ErasePedals:
    """Drag with Ctrl or the eraser: what is down anywhere in between is gone."""

    def __init__(self, lane: PedalLane, at: LanePointer) -> None:
        self._lane, self._start, self._end = lane, at.seconds, at.seconds
        self.move(at)

    def move(self, at: LanePointer) -> None:
        """Show the others alone."""
        self._start, self._end = min(self._start, at.seconds), max(self._end, at.seconds)
        self._lane.preview_erased(self._start - 1e-6, self._end + 1e-6)

    def release(self, at: LanePointer) -> None:
        """They are gone."""
        self._lane.erased.emit(max(self._start, 0.0), max(self._end, 0.0) + 1e-6)

    def cancel(self) -> None:
        """As before."""
        self._lane.give_up()
