"""CurveLane: a controller or the pitch bend over time, as steps, and the gestures that draw in it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter

from core.midi.controllers import BEND, BEND_CENTRE, Point, most
from core.midi.messages import DEFAULT_EXPRESSION, DEFAULT_PAN, DEFAULT_VOLUME, EXPRESSION, PAN, VOLUME
from desktop.piano_roll.lanes.lane import MARGIN, SAME, Lane, LaneGesture, LaneItem, LanePointer
from desktop.piano_roll.layers import fill, line_width, with_alpha
from desktop.piano_roll.pointer import SHIFT
from desktop.piano_roll.view import PianoRoll

_FINEST = 0.005  # seconds from one value that is drawn to the next, at least
_CATCH = 3.0  # view pixels to each side of the centre that mean the centre
_HEAD = 4.0  # view pixels around a value that belong to it
_USUAL = {VOLUME: DEFAULT_VOLUME, PAN: DEFAULT_PAN, EXPRESSION: DEFAULT_EXPRESSION}  # of others 0, or the centre
_MANY = 100  # points on view from which they are drawn without heads


class CurveLane(Lane):
    """Drag: draw freely; with Shift: a straight line; with Ctrl or the eraser: erase."""

    drawn = Signal(float, float, object)  # the values in [start, end], as points over seconds; none: they are erased
    moved = Signal(float, object)  # the value that stands at a time: the Point that it becomes, none passed on the way

    def __init__(self, name: str, title: str, number: int, roll: PianoRoll) -> None:
        super().__init__(name, title, roll)
        self.number = number
        self._most = most(number)
        self._at, self._values = np.empty(0), np.empty(0, np.int64)  # as given, in order of time
        self._shown: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None  # while something is drawn

    @property
    def has_centre(self) -> bool:
        """Whether values count from the middle."""
        return self.number == BEND

    def show_points(self, points: Sequence[Point]) -> None:
        """Show these values, in order of time in seconds."""
        columns = np.array(points, np.float64).reshape(-1, 2)
        self._at, self._values, self._shown = columns[:, 0].copy(), columns[:, 1].astype(np.int64), None
        self.refresh()
        self.items_changed.emit()

    @property
    def is_changing(self) -> bool:
        """Whether something is shown that may not come to be."""
        return self._shown is not None

    # What is there

    def words(self, value: int) -> str:
        """A value as musicians count it."""
        if not self.has_centre:
            return str(value)
        return f"{value - BEND_CENTRE:+}" if value != BEND_CENTRE else "0"

    def value_at(self, seconds: float) -> int | None:
        """What holds at a time; None before the first value."""
        at, values = self._shown or (self._at, self._values)
        place = int(np.searchsorted(at, seconds, side="right")) - 1
        return int(values[place]) if place >= 0 else BEND_CENTRE if self.has_centre else None

    def describe(self, at: LanePointer) -> str:
        """The value that holds there."""
        value = self.value_at(at.seconds)
        return self.title if value is None else f"{self.title} {self.words(value)}"

    def value(self, at: LanePointer) -> int:
        """The value that the pointer's height means."""
        value = round(at.share * self._most)
        if self.has_centre and not at.is_free and abs(self._y(BEND_CENTRE, at.height) - at.y) <= _CATCH:
            return BEND_CENTRE
        return value

    def _y(self, value: float, height: float) -> float:
        """View pixels from the lane's top to a value."""
        return MARGIN + (1 - value / self._most) * (height - 2 * MARGIN)

    @property
    def times(self) -> NDArray[np.float64]:
        """When the value changes."""
        return self._at

    def item(self, index: int, height: float) -> LaneItem:
        """A value."""
        at, value = float(self._at[index]), int(self._values[index])
        box = QRectF(self.roll.coordinates.x(at) - _HEAD, self._y(value, height) - _HEAD, 2 * _HEAD, 2 * _HEAD)
        return LaneItem(box, f"{self.title} {self.words(value)}, {self.roll.grid.position(at)}")

    def change_item(self, index: int, by: int) -> None:
        """Another value; of a bend 128 steps are all there is room for."""
        at, value = float(self._at[index]), int(self._values[index])
        changed = min(max(value + by * ((self._most + 1) // 128), 0), self._most)
        self.drawn.emit(at, at, [Point(at, changed)])

    def move_item(self, index: int, by: float) -> float | None:
        """Let a value hold from later on, or earlier, but not past the one after it or before."""
        at = float(self._at[index])
        if by > 0:
            last = self._at[index + 1] - self._gap(self._at[index + 1]) if index + 1 < len(self._at) else np.inf
            to = max(float(min(at + by, last)), at)
        else:
            first = self._at[index - 1] + self._gap(self._at[index - 1]) if index else 0.0
            to = min(float(max(at + by, first)), at)
        if abs(to - at) < SAME:
            return None
        self.moved.emit(at, Point(to, int(self._values[index])))
        return to

    def _gap(self, at: float) -> float:
        """Seconds that values stand apart there at least: a tick of the file's, or what is drawn."""
        tempo_map = self.roll.grid.tempo_map
        tick = tempo_map.tick(at)
        return max(tempo_map.seconds(tick + 1) - tempo_map.seconds(tick), _FINEST)

    def put_item(self, seconds: float) -> float:
        """The value that holds there, to be changed then."""
        if not len(self._at) or np.abs(self._at - seconds).min() >= SAME:
            value = self.value_at(seconds)
            self.drawn.emit(seconds, seconds, [Point(seconds, _USUAL.get(self.number, 0) if value is None else value)])
        return seconds

    def delete_item(self, index: int) -> None:
        """Take a value away: the one before it goes on."""
        at = float(self._at[index])
        self.drawn.emit(at, at, [])

    def cursor(self, at: LanePointer) -> Qt.CursorShape:
        """A cross to draw with."""
        return Qt.CursorShape.PointingHandCursor if self.erases(at) else Qt.CursorShape.CrossCursor

    # Changing

    def begin(self, at: LanePointer) -> LaneGesture:
        """Draw, or erase."""
        if self.erases(at):
            return EraseCurve(self, at)
        return DrawLine(self, at) if at.modifiers & SHIFT else DrawFreely(self, at)

    def preview(self, start: float, end: float, points: Sequence[Point]) -> None:
        """Show what would be there."""
        new = np.array(points, np.float64).reshape(-1, 2)
        before, after = self._at < start, self._at > end
        at = np.concatenate((self._at[before], new[:, 0], self._at[after]))
        values = np.concatenate((self._values[before], new[:, 1].astype(np.int64), self._values[after]))
        self._shown = at, values
        self.refresh()

    def finish(self, start: float, end: float, points: Sequence[Point]) -> None:
        """Ask for these values; they are shown until others are."""
        self.say(None)
        self.drawn.emit(start, end, thinned(points))

    def give_up(self) -> None:
        """All is as before."""
        self._shown = None
        self.say(None)

    def step(self) -> float:
        """Seconds from one value that is drawn to the next."""
        return max(1 / self.roll.coordinates.pixels_per_second, _FINEST)

    # Painting

    def is_dense(self) -> bool:
        """Whether there are so many points on view that they have no heads."""
        view = self.roll.coordinates
        first, last = np.searchsorted((self._shown or (self._at,))[0], (view.left, view.right))
        return bool(last - first > _MANY)

    def paint(self, painter: QPainter, exposed: QRectF, height: float) -> None:
        """Steps, filled down to the bottom or the centre, with heads where values change."""
        view, theme = self.roll.coordinates, self.roll.theme
        ratio, width = view.ratio, line_width(view.ratio)
        colour = theme.part(*self.look)
        base = round(self._y(BEND_CENTRE if self.has_centre else 0, height) * ratio)
        at, values = self._shown or (self._at, self._values)
        first = max(int(np.searchsorted(at, view.seconds(exposed.left() - MARGIN), side="right")) - 1, 0)
        last = int(np.searchsorted(at, view.seconds(exposed.right() + MARGIN), side="right"))
        left, right = round((exposed.left() - MARGIN) * ratio), round((exposed.right() + MARGIN) * ratio)
        x = np.rint(at[first : last + 1] * view.scale) - view.origin[0]
        x = np.clip(x, left, right).astype(np.int64)
        ends = np.append(x[1:], right)[: last - first]
        x, shown = x[: last - first], values[first:last]
        if self.has_centre and (not len(x) or x[0] > left):  # in the middle, until it is told otherwise
            x, ends = np.insert(x, 0, left), np.insert(ends, 0, x[0] if len(x) else right)
            shown = np.insert(shown, 0, BEND_CENTRE)
        y = np.rint((MARGIN + (1 - shown / self._most) * (height - 2 * MARGIN)) * ratio).astype(np.int64)
        x, ends, y, verticals = _by_column(x, ends, y)
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        fill(painter, verticals, colour)
        if self.has_centre:
            painter.fillRect(QRectF(left, base, right - left, width), theme.faint_text)
        inside = np.column_stack((x, np.minimum(y, base), ends - 1, np.maximum(y, base)))
        fill(painter, inside[ends > x].astype(np.int32), with_alpha(colour, 0.3))
        tops = np.column_stack((x, y, np.maximum(ends - 1, x), y + 2 * width - 1))
        fill(painter, tops.astype(np.int32), colour)
        if not self.is_dense():
            half = round(2 * ratio)
            is_point = (x > left) & (x < right)
            heads = np.column_stack((x - half, y - half + width, x + half, y + half + width))
            fill(painter, heads[is_point].astype(np.int32), colour)
        painter.restore()
        self.paint_words(painter, height)


def _by_column(
    x: NDArray[np.int64], ends: NDArray[np.int64], y: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Steps, one for each column of pixels: the last in it, and a line from the highest to the lowest of several."""
    is_first = np.append(True, x[1:] != x[:-1])[: len(x)]
    if is_first.all():
        return x, ends, y, np.empty((0, 4), np.int32)
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(x)) - 1
    high, low = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    several = high < low
    columns = x[first]
    verticals = np.column_stack((columns, high, columns, low))[several]
    return columns, ends[last], y[last], verticals.astype(np.int32)


def thinned(points: Sequence[Point]) -> list[Point]:
    """The points without those that change nothing."""
    kept: list[Point] = []
    for point in points:
        if not kept or point.value != kept[-1].value:
            kept.append(point)
    return kept


def line(start: Point, end: Point, step: float) -> list[Point]:
    """The values along a straight line, so many seconds apart, both ends included."""
    if end.at < start.at:
        start, end = end, start
    count = max(int((end.at - start.at) / step), 1)
    at, values = np.linspace(start.at, end.at, count + 1), np.linspace(start.value, end.value, count + 1)
    return list(map(Point, at.tolist(), np.rint(values).astype(int).tolist()))


class DrawFreely:
    """Drag: the values are where the pointer went; a click sets one."""

    def __init__(self, lane: CurveLane, at: LanePointer) -> None:
        self._lane = lane
        self._last = Point(lane.snapped(at), lane.value(at))  # a click sets a value on the grid
        self._points = [self._last]
        self._show(at)

    def move(self, at: LanePointer) -> None:
        """Draw on, without gaps; where the pointer goes back it draws anew."""
        new = Point(max(at.seconds, 0.0), self._lane.value(at))
        stroke = line(self._last, new, self._lane.step())
        first, last = stroke[0].at, stroke[-1].at
        before, after = [p for p in self._points if p.at < first], [p for p in self._points if p.at > last]
        self._points, self._last = [*before, *stroke, *after], new
        self._show(at)

    def _show(self, at: LanePointer) -> None:
        self._lane.preview(self._points[0].at, self._points[-1].at, self._points)
        self._lane.say(at, self._lane.words(self._last.value))

    def release(self, at: LanePointer) -> None:
        """The values stand."""
        self._lane.finish(self._points[0].at, self._points[-1].at, self._points)

    def cancel(self) -> None:
        """As before."""
        self._lane.give_up()


class DrawLine:
    """Drag with Shift: the values lie on a straight line between two lines of the grid; with Alt anywhere."""

    def __init__(self, lane: CurveLane, at: LanePointer) -> None:
        self._lane = lane
        self._start = Point(lane.snapped(at), lane.value(at))
        self._points = [self._start]

    def move(self, at: LanePointer) -> None:
        """Show the line."""
        end = Point(self._lane.snapped(at), self._lane.value(at))
        self._points = line(self._start, end, self._lane.step()) if end.at != self._start.at else [end]
        self._lane.preview(self._points[0].at, self._points[-1].at, self._points)
        self._lane.say(at, f"{self._lane.words(self._start.value)} – {self._lane.words(end.value)}")

    def release(self, at: LanePointer) -> None:
        """The line stands."""
        self._lane.finish(self._points[0].at, self._points[-1].at, self._points)

    def cancel(self) -> None:
        """As before."""
        self._lane.give_up()


class EraseCurve:
    """Drag with Ctrl or the eraser: the values in between are gone, and what held before them goes on."""

    def __init__(self, lane: CurveLane, at: LanePointer) -> None:
        self._lane = lane
        reach = 4 / lane.roll.coordinates.pixels_per_second
        self._start, self._end = at.seconds - reach, at.seconds + reach
        self.move(at)

    def move(self, at: LanePointer) -> None:
        """Show the lane without them."""
        self._start, self._end = min(self._start, at.seconds), max(self._end, at.seconds)
        self._lane.preview(self._start, self._end, [])

    def release(self, at: LanePointer) -> None:
        """They are gone."""
        self._lane.finish(max(self._start, 0.0), max(self._end, 0.0), [])

    def cancel(self) -> None:
        """As before."""
        self._lane.give_up()
