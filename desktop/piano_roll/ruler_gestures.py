"""The gestures of the ruler: the playhead, the prompt's ends, the loop and the span."""

from desktop.piano_roll.pointer import ALT, SHIFT, Gesture, Pointer, has_gone, has_gone_far
from desktop.piano_roll.ruler import spot_at
from desktop.piano_roll.surface import RollSurface


def begin_in_ruler(roll: RollSurface, at: Pointer) -> Gesture:
    """The gesture that a press in the ruler starts."""
    spot = spot_at(at.x, at.y + roll.ruler_height, roll.coordinates, roll.overlays, roll.small_font)
    if spot == "marker":
        return MovePromptEdge(roll, at, is_marker=True)
    if spot == "prompt start":
        return MovePromptEdge(roll, at, is_marker=False)
    if spot == "end marker":
        return MoveEndMarker(roll, at)
    loop, span = roll.overlays.loop, roll.overlays.span
    if loop is not None and spot in ("loop start", "loop end"):
        return DrawLoop(roll, at, loop[1] if spot == "loop start" else loop[0])
    if spot in ("strip", "loop") or at.modifiers & SHIFT:
        return DrawLoop(roll, at, None)
    if spot == "playhead":
        return Seek(roll, at)
    if span is not None and spot in ("span start", "span end"):
        return SelectSpan(roll, at, span[1] if spot == "span start" else span[0])
    return SelectSpan(roll, at, None)


def _on_ruler(roll: RollSurface, at: Pointer, is_stretch: bool = False) -> float:
    """What time a place on the ruler means: for the playhead on the grid, for a stretch at a bar until that is wide."""
    if at.modifiers & ALT:  # Shift is how a loop is drawn in the lower half
        return max(at.seconds, 0.0)
    line = roll.grid.nearest_line_on_ruler(at.seconds, roll.coordinates.pixels_per_second, is_stretch)
    return roll.snapped(at.x) if line is None else line


class Seek:
    """Drag the playhead's handle: it scrubs from line to line; with Alt freely."""

    def __init__(self, roll: RollSurface, at: Pointer) -> None:
        self._roll, self._start, self._before = roll, at, roll.overlays.playhead
        self._is_dragging = False

    def move(self, at: Pointer) -> None:
        """Put the playhead under the pointer, or on the line next to it."""
        self._is_dragging = self._is_dragging or has_gone(self._start, at)
        if self._is_dragging:
            self._roll.seek_requested.emit(_on_ruler(self._roll, at))

    def release(self, at: Pointer) -> None:
        """The playhead is there already."""

    def cancel(self) -> None:
        """Put it back."""
        if self._is_dragging and self._before is not None:
            self._roll.seek_requested.emit(self._before)


class MovePromptEdge:
    """Drag the continue-from flag, or the prompt's start; both snap to bars."""

    def __init__(self, roll: RollSurface, at: Pointer, is_marker: bool) -> None:
        assert roll.overlays.prompt is not None
        self._roll, self._start, self._is_marker = roll, at, is_marker
        self._before = self._now = roll.overlays.prompt
        self._is_dragging = False

    def move(self, at: Pointer) -> None:
        """Show it under the pointer, or at the bar next to it. Start and marker never pass each other."""
        self._is_dragging = self._is_dragging or has_gone(self._start, at)
        if not self._is_dragging:
            return
        start, marker = self._before
        seconds = max(at.seconds if at.is_free else self._roll.snapped(at.x), 0.0)
        self._now = (start, max(seconds, start)) if self._is_marker else (min(seconds, marker), marker)
        self._roll.set_prompt(*self._now)

    def release(self, at: Pointer) -> None:
        """Tell, if it has moved."""
        if self._now == self._before:
            return
        self._roll.set_prompt(*self._now)  # a take may have come meanwhile, and the prompt with it
        if self._is_marker:
            self._roll.marker_moved.emit(self._now[1])
        else:
            self._roll.prompt_start_moved.emit(self._now[0])

    def cancel(self) -> None:
        """Put it back."""
        self._roll.set_prompt(*self._before)


class MoveEndMarker:
    """Drag the flag of the take's end; it snaps to bars. Dragged to the marker or before it, it is gone."""

    def __init__(self, roll: RollSurface, at: Pointer) -> None:
        self._roll, self._start = roll, at
        self._before = self._now = roll.overlays.end_marker
        self._is_dragging = False

    def move(self, at: Pointer) -> None:
        """Show it under the pointer, or at the bar next to it."""
        self._is_dragging = self._is_dragging or has_gone(self._start, at)
        if self._is_dragging:
            self._now = max(at.seconds if at.is_free else self._roll.snapped(at.x), 0.0)
            self._roll.set_end_marker(self._now)

    def release(self, at: Pointer) -> None:
        """Tell, if it has moved."""
        if self._now is not None and self._now != self._before:
            self._roll.set_end_marker(self._now)
            self._roll.end_marker_moved.emit(self._now)

    def cancel(self) -> None:
        """Put it back."""
        self._roll.set_end_marker(self._before)


class DrawLoop:
    """Draw a loop, or drag one of its edges (then `anchor` is the other). A click clears or seeks."""

    def __init__(self, roll: RollSurface, at: Pointer, anchor: float | None) -> None:
        self._roll, self._start = roll, at
        self._before = self._now = roll.overlays.loop
        self._is_edge = anchor is not None
        self._is_dragging = False
        self._anchor = anchor if anchor is not None else _on_ruler(roll, at, is_stretch=True)

    def move(self, at: Pointer) -> None:
        """Stretch it to the pointer."""
        goes = has_gone if self._is_edge else has_gone_far
        self._is_dragging = self._is_dragging or goes(self._start, at)
        if self._is_dragging:
            first, last = sorted((self._anchor, _on_ruler(self._roll, at, is_stretch=True)))
            self._now = (first, last) if last > first else None
            self._roll.set_loop(self._now)

    def release(self, at: Pointer) -> None:
        """Tell. A click inside the loop clears it, beside it puts the playhead there."""
        if not self._is_edge and not self._is_dragging:
            if self._before is None or not self._before[0] <= at.seconds <= self._before[1]:
                self._roll.seek_requested.emit(_on_ruler(self._roll, at))
                return
            self._roll.set_loop(None)
            self._roll.loop_changed.emit(None)
        elif self._now != self._before:
            self._roll.set_loop(self._now)
            self._roll.loop_changed.emit(self._now)

    def cancel(self) -> None:
        """As before."""
        self._roll.set_loop(self._before)


class SelectSpan:
    """Drag in the lower half: select a span of bars, or move one of its edges (then `anchor` is the other).

    A click puts the playhead there, and the span is no longer selected if it lies outside.
    """

    def __init__(self, roll: RollSurface, at: Pointer, anchor: float | None) -> None:
        self._roll, self._start = roll, at
        self._before = roll.span
        self._is_edge = anchor is not None
        self._is_dragging = False
        self._anchor = anchor if anchor is not None else _on_ruler(roll, at, is_stretch=True)

    def move(self, at: Pointer) -> None:
        """Stretch it to the pointer."""
        goes = has_gone if self._is_edge else has_gone_far
        self._is_dragging = self._is_dragging or goes(self._start, at)
        if self._is_dragging:
            first, last = sorted((self._anchor, _on_ruler(self._roll, at, is_stretch=True)))
            self._roll.set_span((first, last) if last > first else None)

    def release(self, at: Pointer) -> None:
        """The span stands; a click seeks."""
        if self._is_dragging:
            return
        span = self._before
        if span is not None and not self._is_edge and not span[0] <= at.seconds <= span[1]:
            self._roll.set_span(None)
        self._roll.seek_requested.emit(_on_ruler(self._roll, at))

    def cancel(self) -> None:
        """As before."""
        self._roll.set_span(self._before)
