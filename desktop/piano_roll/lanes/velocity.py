"""VelocityLane: how loud each note is, as bars with heads, and the gestures that change it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from desktop.piano_roll.coordinates import Viewport
from desktop.piano_roll.lanes.lane import MARGIN, Lane, LaneGesture, LanePointer
from desktop.piano_roll.layers import fill
from desktop.piano_roll.notes import RollPart
from desktop.piano_roll.pointer import SHIFT
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import OWN, Shade

_HEAD = 5  # view pixels: height of a head, and how near to it a press takes hold of it
_REACH = 4.0  # view pixels to each side of a bar that are meant by a press on it
_MANY = 1500  # bars on view from which one for each column of pixels is drawn, without heads
_SELECTED = 1 << 12  # among the looks
_TAKE = 1 << 10
_BEHIND = 1 << 13  # taken from the look of notes behind the track in front: they are drawn first, and faint

DrawnVelocities = dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]  # part -> indices and velocities, (n,) each


class _Bars(NamedTuple):
    """Bars to draw, (n,) each: device pixel from the left of the lane, velocity, and which colour."""

    x: NDArray[np.int64]
    velocity: NDArray[np.int64]
    look: NDArray[np.int64]


class VelocityLane(Lane):
    """Drag a head: that note and those selected with it. Drag elsewhere: a ramp over the notes in between."""

    has_items = False  # notes are found in the roll

    def __init__(self, roll: PianoRoll) -> None:
        super().__init__("velocity", roll.tr("Velocity"), roll)
        self._changed: dict[str, NDArray[np.int64]] = {}  # part -> velocities by index, while they are changed
        self._selected: dict[str, NDArray[np.bool_]] = {}  # part -> which are selected, by index

    def follow_notes(self) -> None:
        """The roll shows other notes, or others are selected."""
        self._changed = {}
        self._selected = {}
        lengths = {part.key: len(part) for part in self.roll.parts}
        # The roll shows its new notes before it lets those that are gone out of the selection.
        for key, indices in self.roll.selection.within(self.roll.parts).indices.items():
            mask = np.zeros(lengths[key], np.bool_)
            mask[indices] = True
            self._selected[key] = mask

    # What is there

    def notes_between(self, start: float, end: float) -> Iterator[tuple[RollPart, NDArray[np.intp]]]:
        """The notes that can be edited here and begin in [start, end]: each part, and places in its arrays."""
        for part, places in self._shown_between(start, end):
            yield part, places[part.is_selectable[places]]

    def _shown_between(self, start: float, end: float) -> Iterator[tuple[RollPart, NDArray[np.intp]]]:
        """The same, and those behind the track in front."""
        for part in self.roll.parts:
            if part.kind == "other":
                continue
            first, last = np.searchsorted(part.start, (start, np.nextafter(end, np.inf)))
            places = np.arange(first, last)
            is_seen = part.shade[places] != Shade.SILENT
            if part.key in self._selected:
                is_seen |= self._selected[part.key][part.index[places]]
            yield part, places if is_seen.all() else places[is_seen]

    def velocity(self, part: RollPart, places: NDArray[np.intp]) -> NDArray[np.int64]:
        """The velocities of notes as they are shown, (n,)."""
        changed = self._changed.get(part.key)
        return part.velocity[places].astype(np.int64) if changed is None else changed[part.index[places]]

    def is_selected(self, part: RollPart, places: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of the notes are selected, (n,)."""
        mask = self._selected.get(part.key)
        return np.zeros(len(places), np.bool_) if mask is None else mask[part.index[places]]

    def head_at(self, at: LanePointer) -> tuple[RollPart, int] | None:
        """The note whose head lies there, a selected one before others: its part, and its place in its arrays."""
        view, found = self.roll.coordinates, None
        best = np.inf
        for part, places in self.notes_between(view.seconds(at.x - _REACH), view.seconds(at.x + _REACH)):
            away = np.abs(_top(self.velocity(part, places), at.height) - at.y)
            away = np.where(self.is_selected(part, places), away - _HEAD, away)
            if len(away) and away.min() < min(best, _HEAD):
                best = float(away.min())
                found = part, int(places[away.argmin()])
        return found

    def describe(self, at: LanePointer) -> str:
        """The velocity of the note there."""
        head = self.head_at(at)
        return self.tr("Velocity {0}").format(int(head[0].velocity[head[1]])) if head else ""

    # Changing

    def begin(self, at: LanePointer) -> LaneGesture:
        """A head is dragged by itself, else a ramp is drawn."""
        head = self.head_at(at)
        return DragVelocities(self, at, *head) if head and not at.modifiers & SHIFT else RampVelocities(self, at)

    def show_changed(self, velocities: DrawnVelocities, at: LanePointer, words: str) -> None:
        """Show notes with other velocities while they are changed, and words at the pointer."""
        self._changed = {part.key: _by_index(part) for part in self.roll.parts if part.key in velocities}
        for key, (indices, values) in velocities.items():
            self._changed[key][indices] = values
        self.say(at, words)

    def end_change(self, velocities: DrawnVelocities | None) -> None:
        """Ask for these velocities to be set; None: all is as before."""
        if velocities:
            self.roll.velocities_set.emit(velocities)  # shown as they are until the roll shows the new notes
        else:
            self._changed = {}
        self.say(None)

    # Painting

    def is_dense(self) -> bool:
        """Whether there are so many notes on view that they share columns."""
        view = self.roll.coordinates
        parts = (part for part in self.roll.parts if part.kind != "other")
        return sum(int(np.diff(np.searchsorted(part.start, (view.left, view.right)))[0]) for part in parts) > _MANY

    def paint(self, painter: QPainter, exposed: QRectF, height: float) -> None:
        """Bars with heads; from some density on the loudest bar of each column of pixels alone."""
        view = self.roll.coordinates
        bars = self._bars(view, exposed)
        painter.save()
        painter.scale(1 / view.ratio, 1 / view.ratio)
        if len(bars.x) and self.is_dense():
            self._paint_columns(painter, bars, view, height)
        else:
            self._paint_bars(painter, bars, view, height)
        painter.restore()
        self.paint_words(painter, height)

    def _bars(self, view: Viewport, exposed: QRectF) -> _Bars:
        start, end = view.seconds(exposed.left() - 2 * _HEAD), view.seconds(exposed.right() + 2 * _HEAD)
        all_of_them = [_Bars(*(np.empty(0, np.int64) for _ in range(3)))]
        for part, places in self._shown_between(start, end):
            x = np.rint(part.start[places] * view.scale).astype(np.int64) - view.origin[0]
            look = part.colour[places].astype(np.int64) % _TAKE + (_TAKE if part.kind == "take" else 0)
            look += np.where(self.is_selected(part, places), _SELECTED, 0) - _BEHIND * part.is_behind[places]
            all_of_them.append(_Bars(x, self.velocity(part, places), look))
        return _Bars(*(np.concatenate(column) for column in zip(*all_of_them, strict=True)))

    def _paint_bars(self, painter: QPainter, bars: _Bars, view: Viewport, height: float) -> None:
        ratio = view.ratio
        half, head, width = round(3 * ratio), round(_HEAD * ratio), max(round(ratio), 1)
        top = np.rint(_top(bars.velocity, height) * ratio).astype(np.int64)
        bottom = np.full_like(bars.x, round(height * ratio))
        stems = np.column_stack((bars.x, top, bars.x + width - 1, bottom))
        heads = np.column_stack((bars.x - half, top - head // 2, bars.x + half + width - 1, top + head // 2))
        looks = np.unique(bars.look).tolist()
        for boxes in (stems, heads):
            for look in looks:  # the selected last
                fill(painter, boxes[bars.look == look].astype(np.int32), self._colour(look))

    def _paint_columns(self, painter: QPainter, bars: _Bars, view: Viewport, height: float) -> None:
        rank = np.where(bars.look < 0, 0, bars.velocity + np.where(bars.look >= _SELECTED, 128, 0))
        order = np.argsort(rank.astype(np.uint8), kind="stable")  # the last in a column stays
        left = int(bars.x.min())
        last = np.full(int(bars.x.max()) - left + 1, -1, np.int64)
        last[bars.x[order] - left] = order
        shown = last[last >= 0]
        x, look = bars.x[shown], bars.look[shown]
        top = np.rint(_top(bars.velocity[shown], height) * view.ratio).astype(np.int64)
        boxes = np.column_stack(
            (x, top, x + max(round(view.ratio), 1) - 1, np.full_like(x, round(height * view.ratio)))
        )
        for each in np.unique(look).tolist():
            fill(painter, boxes[look == each].astype(np.int32), self._colour(each))

    def _colour(self, look: int) -> QColor:
        theme = self.roll.theme
        if look >= _SELECTED:
            return theme.accent
        is_behind, look = look < 0, look % _BEHIND
        kind, colour = "take" if look & _TAKE else "prompt", look % _TAKE
        colour = colour if colour < _TAKE - 1 else OWN
        return theme.edge(kind, colour, Shade.BEHIND) if is_behind else theme.part(kind, colour)


def _by_index(part: RollPart) -> NDArray[np.int64]:
    """The velocities of a part in the order in which it was given."""
    velocities = np.empty(len(part), np.int64)
    velocities[part.index] = part.velocity
    return velocities


def _top(velocity: NDArray[np.int64], height: float) -> NDArray[np.float64]:
    """View pixels from the lane's top to where a note of that velocity ends; a head has room at either end."""
    return MARGIN + (1 - velocity / 127) * (height - 2 * MARGIN)


def _value(at: LanePointer) -> float:
    """The velocity that the pointer's height means, 1 to 127, not whole."""
    return max(at.share * 127, 1.0)


class DragVelocities:
    """Drag a head up and down: the note, and if it is selected all that are, become louder or softer by as much."""

    def __init__(self, lane: VelocityLane, at: LanePointer, part: RollPart, place: int) -> None:
        self._lane, self._start = lane, at
        self._before = int(part.velocity[place])
        roll = lane.roll
        is_selected = bool(lane.is_selected(part, np.array([place]))[0])
        chosen = roll.selection.indices if is_selected else {part.key: np.array([part.index[place]], np.int64)}
        parts = {each.key: each for each in roll.parts}
        self._velocities: DrawnVelocities = {}
        for key, indices in chosen.items():
            it = parts[key]
            self._velocities[key] = indices, _by_index(it)[indices]

    def _changed(self, at: LanePointer) -> tuple[int, DrawnVelocities]:
        by = round(_value(at) - _value(self._start))
        by = min(max(by, 1 - self._before), 127 - self._before)
        return by, {key: (i, np.clip(v + by, 1, 127)) for key, (i, v) in self._velocities.items()}

    def move(self, at: LanePointer) -> None:
        """Show them as loud as they would be."""
        by, velocities = self._changed(at)
        self._lane.show_changed(velocities, at, f"{self._before + by} ({by:+})")

    def release(self, at: LanePointer) -> None:
        """They are as loud."""
        by, velocities = self._changed(at)
        self._lane.end_change(velocities if by else None)

    def cancel(self) -> None:
        """They are as loud as before."""
        self._lane.end_change(None)


class RampVelocities:
    """Press: the notes there, as loud as the pointer is high. Drag: those in between, along a line.

    Where notes are selected, they alone are changed.
    """

    def __init__(self, lane: VelocityLane, at: LanePointer) -> None:
        self._lane, self._start = lane, at
        self._is_among_selected = lane.roll.has_selection
        self.move(at)

    def _changed(self, at: LanePointer) -> DrawnVelocities:
        view = self._lane.roll.coordinates
        first, last = sorted((view.x(self._start.seconds), at.x))
        low, high = view.seconds(first - _REACH), view.seconds(last + _REACH)
        span = at.seconds - self._start.seconds
        is_line = abs(at.x - view.x(self._start.seconds)) > _REACH
        velocities: DrawnVelocities = {}
        for part, places in self._lane.notes_between(low, high):
            if self._is_among_selected:
                places = places[self._lane.is_selected(part, places)]
            if not len(places):
                continue
            share = np.clip((part.start[places] - self._start.seconds) / span, 0, 1) if is_line else 1.0
            values = _value(self._start) + (_value(at) - _value(self._start)) * share
            values = np.broadcast_to(np.rint(values).astype(np.int64), places.shape)
            velocities[part.key] = part.index[places].astype(np.int64), values
        return velocities

    def move(self, at: LanePointer) -> None:
        """Show the line's velocities."""
        ends = f"{round(_value(self._start))} – {round(_value(at))}"
        is_line = abs(at.x - self._start.x) > _REACH
        self._lane.show_changed(self._changed(at), at, ends if is_line else str(round(_value(at))))

    def release(self, at: LanePointer) -> None:
        """The notes have them."""
        self._lane.end_change(self._changed(at))

    def cancel(self) -> None:
        """They are as loud as before."""
        self._lane.end_change(None)
