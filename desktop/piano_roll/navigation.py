"""RollNavigation: which place of the roll is on view, at which zoom; whether it follows the playhead."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.piano_roll.canvas import RollCanvas
from desktop.piano_roll.coordinates import ALL_ROWS, MIN_PIXELS_PER_SECOND, Viewport

_FOLLOW_AT, _FOLLOW_TO = 0.92, 0.08  # shares of the width: the page turns there, the playhead is then here
_TALLER = 1.25


class RollNavigation(RollCanvas):
    """A canvas that is scrolled and zoomed, by the user and by the music."""

    playhead_moved = Signal(object, object)  # from, to: seconds, or None
    follow_changed = Signal(bool)  # the user switched following, or scrolled out of it or back

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._follows, self._has_yielded = True, False
        self._unfolded: tuple[Viewport, Viewport] | None = None  # while folded: with all rows, and as it is

    @property
    def has_gesture(self) -> bool:
        """Whether a gesture is under way: the page does not turn under it."""
        return False

    def set_playhead(self, seconds: float | None) -> None:
        """Where the sound is. With following on the page turns when the playhead comes near its edge."""
        before = self.overlays.playhead
        super().set_playhead(seconds)
        if seconds != before:
            self.playhead_moved.emit(before, seconds)
        if seconds is None or not self._follows or self.has_gesture:
            return
        x = self.coordinates.x(seconds)
        is_seen = 0 <= x < self.coordinates.width
        if self._has_yielded:
            self._set_yielded(not is_seen)  # the user came back, or the music did
        elif not is_seen or x > _FOLLOW_AT * self.coordinates.width:
            self._set_coordinates(replace(self.coordinates, left=seconds - _FOLLOW_TO * self.visible_seconds))

    @property
    def follows(self) -> bool:
        """Whether the view follows the playhead at present."""
        return self._follows and not self._has_yielded

    @property
    def is_to_follow(self) -> bool:
        """Whether the user wants the playhead followed, even while they have scrolled away from it."""
        return self._follows

    def set_follow(self, follow: bool) -> None:
        """Follow the playhead. The user's own scrolling away from it suspends that until it is in view again."""
        before = self.follows
        self._follows, self._has_yielded = follow, False
        if self.follows != before:
            self.follow_changed.emit(self.follows)
        if follow:
            self.set_playhead(self.overlays.playhead)

    def catch_playhead(self) -> None:
        """Something begins to play: follow again, though the user has scrolled away, unless that is switched off."""
        self._set_yielded(False)

    # Place and zoom

    def set_covered(self, height: int) -> None:
        """So many view pixels at the foot of the notes lie under something: any row can be scrolled above it."""
        self._set_coordinates(replace(self.coordinates, covered=height))

    def set_folded(self, folds: bool) -> None:
        """Show only the rows that notes are in; then all, as high as before and, if one has not scrolled, in place."""
        before, was_folded = self.coordinates, self._folds
        super().set_folded(folds)
        if folds and not was_folded:
            self._unfolded = before, self.coordinates
        elif not folds and self._unfolded is not None:
            (unfolded, folded), self._unfolded = self._unfolded, None
            has_scrolled = (before.top, before.row, before.rows) != (folded.top, folded.row, folded.rows)
            middle = before.pitch(before.height / 2) if has_scrolled else None
            self._set_coordinates(self.coordinates.with_rows_of(unfolded, middle))

    def fit(self) -> None:
        """Show everything."""
        notes = [part for part in self._parts.values() if len(part)]
        low = min((int(part.pitch.min()) for part in notes), default=48)
        high = max((int(part.pitch.max()) for part in notes), default=84)
        end = self.content_end if self.content_end > 0 else 16.0
        self._show(lambda view: view.fitted(0.0, end * 1.04, max(low - 3, 0), min(high + 3, 127)))

    def show_stretch(self, start: float, seconds: float, low: int, high: int) -> None:
        """Show so many seconds from `start` on, and the pitches from `low` to `high` over the whole height."""
        self._show(lambda view: view.filled(start, seconds, low, high))

    def _show(self, change: Callable[[Viewport], Viewport]) -> None:
        """Show another place at another zoom; where only some rows are shown, all of them will be so once they are."""
        self._set_coordinates(change(self.coordinates))
        if self._folds:
            self._unfolded = change(replace(self.coordinates, rows=ALL_ROWS)), self.coordinates
        self._user_moved()

    def zoom_in(self) -> None:
        """Time, about the playhead if it is on view, else about the middle."""
        self.zoom_time(1.5, self._zoom_centre())

    def zoom_out(self) -> None:
        """As `zoom_in`."""
        self.zoom_time(1 / 1.5, self._zoom_centre())

    def zoom_time(self, factor: float, x: float) -> None:
        """Zoom about a view pixel; out until everything fills half of the width."""
        least = max(0.5 * self.coordinates.width / max(self.content_end, 30.0), MIN_PIXELS_PER_SECOND)
        pps = self.coordinates.pixels_per_second
        factor = max(factor, min(least / pps, 1.0))
        self._set_coordinates(self.coordinates.zoomed(factor, min(max(x, 0.0), self.coordinates.width)))
        self._user_moved(yields=False)

    def step_row_height(self, step: int) -> None:
        """Zoom pitch in (1) or out (-1), about the middle."""
        self.zoom_pitch(_TALLER**step, self.coordinates.height / 2)

    def zoom_pitch(self, factor: float, y: float) -> None:
        """Row height, about a view pixel."""
        self._set_coordinates(self.coordinates.pitch_zoomed(factor, min(max(y, 0.0), self.coordinates.height)))

    def scroll_by(self, dx: float, dy: float) -> None:
        """Scroll by view pixels."""
        self._set_coordinates(self.coordinates.scrolled(dx, dy))
        self._user_moved()

    def scroll_to(self, seconds: float) -> None:
        """Bring a time to the left edge."""
        self._set_coordinates(replace(self.coordinates, left=seconds))
        self._user_moved()

    def bring_in_view(self, seconds: float, pitch: int | None = None) -> None:
        """Scroll to a time, and to a pitch, each unless it is on view and not covered."""
        if not 0 <= self.coordinates.x(seconds) < self.coordinates.width:
            self.scroll_to(seconds - 0.3 * self.visible_seconds)
        view = self.coordinates
        room = view.height - view.covered - view.row_height
        if pitch is not None and not 0 <= view.y(pitch) <= room:
            self.scroll_by(0.0, view.y(pitch) - room / 2)

    def bring_rows_in_view(self, low: int, high: int, middle: int) -> None:
        """Scroll until the rows of these pitches are on view, none covered; too many for that: those about `middle`."""
        view = self.coordinates
        room = view.height - view.covered
        top, foot, row = view.y(high), view.y(low) + view.row_height, view.row_height
        if foot - top > room:
            top, foot = view.y(middle), view.y(middle) + row
        if not (top >= 0 and foot <= room):
            self.scroll_by(0.0, (top + foot - room) / 2)

    def _zoom_centre(self) -> float:
        x = self.coordinates.x(self.overlays.playhead) if self.overlays.playhead is not None else -1.0
        return x if 0 <= x <= self.coordinates.width else self.coordinates.width / 2

    def _user_moved(self, yields: bool = True) -> None:
        """The user came to the playhead, or left it out of view: unless that was by a zoom, it is not followed then."""
        if self._follows and self.overlays.playhead is not None:
            is_seen = 0 <= self.coordinates.x(self.overlays.playhead) < self.coordinates.width
            if is_seen or yields:
                self._set_yielded(not is_seen)

    def _set_yielded(self, has_yielded: bool) -> None:
        if has_yielded != self._has_yielded:
            self._has_yielded = has_yielded
            self.follow_changed.emit(self.follows)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The user moved a scroll bar."""
        if self._is_syncing:
            return
        view = self.coordinates
        if dx:
            view = replace(view, left=self.horizontalScrollBar().value() / view.pixels_per_second)
        if dy:
            view = replace(view, top=self.verticalScrollBar().value() * view.ratio)
        self._set_coordinates(view)
        self._user_moved()
