"""TempoLane: the song's tempo as steps; its changes are added, moved and deleted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter

from core.midi.tempo_map import DEFAULT_TEMPO, Tempo
from desktop.piano_roll.lanes.lane import MARGIN, Lane, LaneGesture, LaneItem, LanePointer
from desktop.piano_roll.layers import fill, line_width, with_alpha
from desktop.piano_roll.view import PianoRoll

_REACH = 6.0  # view pixels to each side of a change that are meant by a press on it
_HEAD = 5.0  # view pixels around a change that belong to it
_SLOWEST, _FASTEST = 4.0, 1000.0  # quarters a minute
_AROUND = 1.35  # how many times the fastest tempo, and the slowest one, the lane reaches beyond them


class TempoChange(NamedTuple):
    """A tempo from a tick on, in quarters a minute; None: no change of it there."""

    tick: int
    bpm: float | None


class TempoLane(Lane):
    """Drag a change: its tempo, and its place on the grid. A double click adds one, or deletes it.

    The first, at the beginning, stays where it is. What is dragged is shown in the time that holds before.
    """

    tempo_set = Signal(object)  # list of TempoChange
    moves_along = False  # the tempo's name stays at the left edge

    def __init__(self, roll: PianoRoll) -> None:
        super().__init__("tempo", roll.tr("Tempo"), roll)
        self._shown: list[Tempo] | None = None  # while something is dragged
        self._range: tuple[float, float] | None = None  # held while something is dragged

    # What is there

    @property
    def tempos(self) -> list[Tempo]:
        """The changes, one at tick 0 among them."""
        tempos = list(self.roll.grid.tempo_map.tempos)
        return tempos if tempos and tempos[0].tick == 0 else [Tempo(0, DEFAULT_TEMPO), *tempos]

    @property
    def is_fixed(self) -> bool:
        """Whether the file counts in film frames: it has no tempo."""
        return self.roll.grid.tempo_map.is_smpte

    def change_at(self, at: LanePointer) -> Tempo | None:
        """The change there: near its point, or below its step's beginning."""
        view, seconds = self.roll.coordinates, self.roll.grid.tempo_map.seconds
        near = [tempo for tempo in self.tempos if abs(view.x(seconds(tempo.tick)) - at.x) <= _REACH]
        return min(near, key=lambda tempo: abs(self._y(tempo.bpm, at.height) - at.y), default=None)

    def held_at(self, seconds: float) -> Tempo:
        """The change that holds at a time."""
        tick = self.roll.grid.tempo_map.tick(seconds)
        return max((tempo for tempo in self.tempos if tempo.tick <= tick), key=lambda tempo: tempo.tick)

    def describe(self, at: LanePointer) -> str:
        """The tempo that holds there."""
        if self.is_fixed:
            return self.tr("This file counts its time in film frames, so it has no tempo.")
        return self.tr("Tempo {0:g} bpm").format(round(self.held_at(max(at.seconds, 0.0)).bpm, 2))

    @property
    def times(self) -> NDArray[np.float64]:
        """When the tempo changes."""
        ticks = [] if self.is_fixed else [tempo.tick for tempo in self.tempos]
        return self.roll.grid.tempo_map.seconds_array(ticks)

    def item(self, index: int, height: float) -> LaneItem:
        """A change."""
        tempo, at = self.tempos[index], float(self.times[index])
        box = QRectF(self.roll.coordinates.x(at) - _HEAD, self._y(tempo.bpm, height) - _HEAD, 2 * _HEAD, 2 * _HEAD)
        words = self.tr("Tempo {0:g} bpm, {1}").format(round(tempo.bpm, 2), self.roll.grid.position(at))
        return LaneItem(box, words)

    def change_item(self, index: int, by: int) -> None:
        """Faster or slower by so many quarters a minute."""
        tempo = self.tempos[index]
        self.tempo_set.emit([TempoChange(tempo.tick, min(max(round(tempo.bpm) + by, _SLOWEST), _FASTEST))])

    def move_item(self, index: int, by: float) -> float | None:
        """Let a change come later, or earlier, but not past the one after it or before. The first stays."""
        if index == 0:
            return None
        before, tempo, *later = self.tempos[index - 1 :]
        tempo_map = self.roll.grid.tempo_map
        to = max(tempo_map.tick(max(tempo_map.seconds(tempo.tick) + by, 0.0)), before.tick + 1)
        if later:
            to = min(to, later[0].tick - 1)
        if to == tempo.tick:
            return None
        self.tempo_set.emit([TempoChange(tempo.tick, None), TempoChange(to, tempo.bpm)])
        # Until it comes, the tempo before it holds.
        return tempo_map.seconds(before.tick) + (to - before.tick) / tempo_map.ticks_per_quarter * 60 / before.bpm

    def put_item(self, seconds: float) -> float | None:
        """A change to the tempo that holds there, to be changed then."""
        if self.is_fixed:
            return None
        tick = self.roll.grid.tempo_map.tick(seconds)
        held = self.held_at(seconds)
        if held.tick != tick:
            self.tempo_set.emit([TempoChange(tick, held.bpm)])
        return self.roll.grid.tempo_map.seconds(tick)

    def delete_item(self, index: int) -> None:
        """No change there."""
        self._delete(self.tempos[index])

    def bpm(self, at: LanePointer) -> float:
        """The tempo that the pointer's height means: whole, with Alt to a tenth."""
        low, high = self.range
        return min(max(round(low * (high / low) ** at.share, 1 if at.is_free else None), _SLOWEST), _FASTEST)

    @property
    def range(self) -> tuple[float, float]:
        """The slowest and the fastest tempo that there is room for."""
        if self._range is not None:
            return self._range
        values = [tempo.bpm for tempo in self.tempos]
        return max(min(values) / _AROUND, _SLOWEST / 2), min(max(values) * _AROUND, _FASTEST * 2)

    def _y(self, bpm: float, height: float) -> float:
        low, high = self.range
        share = np.log(bpm / low) / np.log(high / low)
        return MARGIN + (1 - share) * (height - 2 * MARGIN)

    def cursor(self, at: LanePointer) -> Qt.CursorShape:
        """A change, or its step, can be dragged."""
        if self.is_fixed:
            return Qt.CursorShape.ForbiddenCursor
        if self.erases(at) and self.change_at(at):
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.SizeAllCursor if self.change_at(at) else Qt.CursorShape.SizeVerCursor

    # Changing

    def begin(self, at: LanePointer) -> LaneGesture | None:
        """Drag a change, or a step up and down."""
        if self.is_fixed:
            return None
        change = self.change_at(at)
        if self.erases(at):
            if change is not None:
                self._delete(change)
            return None
        return DragTempo(self, at, change or self.held_at(max(at.seconds, 0.0)), is_placed=change is not None)

    def double_click(self, at: LanePointer) -> bool:
        """Delete the change there, or add one."""
        if self.is_fixed:
            return True
        change = self.change_at(at)
        if change is not None:
            self._delete(change)
        else:
            tick = self.roll.grid.tempo_map.tick(self.snapped(at))
            self.tempo_set.emit([TempoChange(tick, self.bpm(at))])
        return True

    def _delete(self, change: Tempo) -> None:
        if change.tick:  # with something the song must begin
            self.tempo_set.emit([TempoChange(change.tick, None)])

    def preview(self, without: Tempo, change: TempoChange, at: LanePointer) -> None:
        """Show a change in place of another."""
        self._range = self.range
        moved = Tempo(change.tick, round(60e6 / (change.bpm or 120.0)))
        kept = [tempo for tempo in self.tempos if tempo.tick not in (without.tick, change.tick)]
        self._shown = sorted([*kept, moved])
        self.say(at, self.tr("{0:g} bpm").format(change.bpm))

    def end(self, changes: Sequence[TempoChange]) -> None:
        """Ask for changes; none: all is as before."""
        self._range = None
        if changes:
            self.say(None)  # shown as they would be until they are
            self.tempo_set.emit(list(changes))
        else:
            self._shown = None
            self.say(None)

    def follow_tempo(self) -> None:
        """The song has its tempo now."""
        self._shown = None
        self.refresh()
        self.items_changed.emit()

    # Painting

    def paint(self, painter: QPainter, exposed: QRectF, height: float) -> None:
        """Steps with a head at each change, and its tempo where there is room."""
        if self.is_fixed:
            return
        view, theme = self.roll.coordinates, self.roll.theme
        ratio, width = view.ratio, line_width(view.ratio)
        tempos = self._shown or self.tempos
        seconds = self.roll.grid.tempo_map.seconds_array([tempo.tick for tempo in tempos])
        first = max(int(np.searchsorted(seconds, view.seconds(exposed.left() - 80), side="right")) - 1, 0)
        last = int(np.searchsorted(seconds, view.seconds(exposed.right() + MARGIN), side="right"))
        left, right = round((exposed.left() - 80) * ratio), round((exposed.right() + MARGIN) * ratio)
        bpm = np.array([tempo.bpm for tempo in tempos[first:last]])
        low, high = self.range
        y = np.rint((MARGIN + (1 - np.log(bpm / low) / np.log(high / low)) * (height - 2 * MARGIN)) * ratio)
        y = y.astype(np.int64)
        x = np.clip(np.rint(seconds[first : last + 1] * view.scale) - view.origin[0], left, right).astype(np.int64)
        ends = np.append(x[1:], right)[: last - first]
        x = x[: last - first]
        bottom = np.full_like(y, round(height * ratio))
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        fill(painter, np.column_stack((x, y, ends - 1, bottom)).astype(np.int32), with_alpha(theme.marker, 0.22))
        line = np.column_stack((x, y, np.maximum(ends - 1, x), y + 2 * width - 1))
        fill(painter, line.astype(np.int32), theme.marker)
        half = round(3 * ratio)
        heads = np.column_stack((x - half, y - half + width, x + half, y + half + width))
        fill(painter, heads[x > left].astype(np.int32), theme.marker)
        painter.restore()
        self._paint_names(painter, x / ratio, ends / ratio, y / ratio, bpm, height)
        self.paint_words(painter, height)

    def _paint_names(
        self, painter: QPainter, x: np.ndarray, ends: np.ndarray, y: np.ndarray, bpm: np.ndarray, height: float
    ) -> None:
        painter.setFont(self.roll.small_font)
        painter.setPen(self.roll.theme.text)
        metrics = painter.fontMetrics()
        for left, right, top, value in zip(x.tolist(), ends.tolist(), y.tolist(), bpm.tolist(), strict=True):
            words = f"{round(value, 1):g}"
            left = max(left, -2.0)  # of the step that reaches in from the left
            if right - left >= metrics.horizontalAdvance(words) + 12:
                baseline = top - 4 if top > metrics.height() + 2 else top + metrics.ascent() + 4
                painter.drawText(round(left + 6), round(min(baseline, height - 2)), words)


class DragTempo:
    """Drag a change: up and down its tempo, to the sides its place. A step that is dragged stays in its place."""

    def __init__(self, lane: TempoLane, at: LanePointer, tempo: Tempo, is_placed: bool) -> None:
        self._lane, self._start, self._tempo = lane, at, tempo
        self._is_placed = is_placed and tempo.tick > 0
        self._change: TempoChange | None = None

    def move(self, at: LanePointer) -> None:
        """Show it where it would be."""
        if self._change is None and abs(at.x - self._start.x) + abs(at.y - self._start.y) < 3:
            return
        low, high = self._lane.range
        bpm = self._tempo.bpm * (high / low) ** (at.share - self._start.share)
        bpm = min(max(round(bpm, 1 if at.is_free else None), _SLOWEST), _FASTEST)
        if abs(at.y - self._start.y) < 3:
            bpm = self._tempo.bpm  # to the side
        tick = self._tempo.tick
        if self._is_placed and abs(at.x - self._start.x) >= 3:
            tick = max(self._lane.roll.grid.tempo_map.tick(self._lane.snapped(at)), 1)
        self._change = TempoChange(tick, bpm)
        self._lane.preview(self._tempo, self._change, at)

    def release(self, at: LanePointer) -> None:
        """The song has it."""
        if self._change is None or self._change == (self._tempo.tick, self._tempo.bpm):
            self._lane.end([])
        elif self._change.tick == self._tempo.tick:
            self._lane.end([self._change])
        else:
            self._lane.end([TempoChange(self._tempo.tick, None), self._change])

    def cancel(self) -> None:
        """As before."""
        self._lane.end([])
