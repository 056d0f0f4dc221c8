"""Seconds and pitches <-> pixels. No Qt.

Two systems of pixels occur. *Content* pixels are device pixels counted from 0 s and the top of pitch
127; notes and tiles have whole ones, so that they are crisp on every screen and fit together without
seams. *View* pixels are Qt's own, counted from the left top corner of the note area.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, floor

import numpy as np
from numpy.typing import ArrayLike, NDArray

PITCHES = 128
MIN_PIXELS_PER_SECOND = 0.02  # ten hours in 720 pixels: all of any recording fits into a small window
MAX_PIXELS_PER_SECOND = 4000.0  # a millisecond in four pixels
MIN_ROW, MAX_ROW = 3.0, 40.0  # height of a pitch in view pixels
_SHORTEST_NOTE = 2.0  # width that any note has at least, in view pixels


@dataclass(frozen=True)
class Rows:
    """The pitches that have a row, the lowest first: all, or those in use."""

    pitches: tuple[int, ...] = tuple(range(PITCHES))

    def __len__(self) -> int:
        return len(self.pitches)

    @property
    def is_folded(self) -> bool:
        """Whether some pitches have none."""
        return len(self.pitches) < PITCHES

    @cached_property
    def _shown(self) -> NDArray[np.int64]:
        return np.array(self.pitches, np.int64)

    @cached_property
    def lines(self) -> NDArray[np.int64]:
        """For each pitch its row, counted from the top, (128,). Those without one lie far below all others."""
        lines = np.full(PITCHES, 4 * PITCHES, np.int64)
        lines[self._shown] = np.arange(len(self))[::-1]
        return lines

    def pitch(self, line: int) -> int:
        """The pitch of a row counted from the top; of one that is not there, that of the row next to it."""
        return self.pitches[min(max(len(self) - 1 - line, 0), len(self) - 1)]

    def places(self, pitches: ArrayLike) -> NDArray[np.int64]:
        """How many rows lie below each pitch."""
        return np.searchsorted(self._shown, pitches).astype(np.int64)

    def room(self, low: int, high: int) -> tuple[int, int]:
        """By how many rows pitches from `low` to `high` can go down (0 or less) and up."""
        first, last = self.places((low, high)).tolist()
        return -first, len(self) - 1 - last

    def moved(self, pitches: NDArray[np.int32], by: int) -> NDArray[np.int32]:
        """Pitches so many rows up (below 0: down), as far as there are rows."""
        places = np.clip(self.places(pitches) + by, 0, len(self) - 1)
        return self._shown[places].astype(np.int32) if by else pitches


ALL_ROWS = Rows()


@dataclass(frozen=True)
class Viewport:
    """The stretch of time and pitch on view.

    `left` is the second at the left edge, `top` the content pixel at the upper edge, `row` the height
    of a pitch in device pixels; `width` and `height` of the note area are view pixels, each of them
    `ratio` device pixels. `rows` says which pitches are shown; `covered` view pixels at the foot lie under something.
    """

    left: float = 0.0
    pixels_per_second: float = 100.0
    top: float = 0.0
    row: int = 12
    width: int = 800
    height: int = 600
    ratio: float = 1.0
    rows: Rows = ALL_ROWS
    covered: int = 0

    # Time

    @property
    def scale(self) -> float:
        """Device pixels per second."""
        return self.pixels_per_second * self.ratio

    @property
    def origin(self) -> tuple[int, int]:
        """The content pixel at the left top corner."""
        return round(self.left * self.scale), round(self.top)

    @property
    def right(self) -> float:
        """The second at the right edge."""
        return self.seconds(self.width)

    def x(self, seconds: float) -> float:
        """View pixel of a time, not rounded."""
        return (seconds * self.scale - self.origin[0]) / self.ratio

    def line_x(self, seconds: float) -> float:
        """View pixel of the left edge of a line at a time, on a whole device pixel."""
        return (round(seconds * self.scale) - self.origin[0]) / self.ratio

    def seconds(self, x: float) -> float:
        """The time at a view pixel."""
        return (x * self.ratio + self.origin[0]) / self.scale

    # Pitch

    @property
    def row_height(self) -> float:
        """Height of a pitch in view pixels."""
        return self.row / self.ratio

    def y(self, pitch: int) -> float:
        """View pixel of the upper edge of a pitch's row."""
        return (int(self.rows.lines[pitch]) * self.row - self.origin[1]) / self.ratio

    def line(self, y: float) -> float:
        """How many rows lie above a view pixel, parts of one included."""
        return (y * self.ratio + self.origin[1]) / self.row

    def pitch(self, y: float) -> int:
        """The pitch at a view pixel, 0 to 127."""
        return self.rows.pitch(floor(self.line(y)))

    @property
    def pitches(self) -> tuple[int, int]:
        """The lowest and the highest pitch on view."""
        return self.pitch(self.height - 1 / self.ratio), self.pitch(0)

    # Notes

    @property
    def shortest(self) -> int:
        """The width in device pixels that any note has at least."""
        return max(1, round(_SHORTEST_NOTE * self.ratio))

    def boxes(self, start: ArrayLike, end: ArrayLike, pitch: ArrayLike) -> NDArray[np.int32]:
        """Content pixels that notes cover: (n,) each -> (n, 4) of first x, first y, last x, last y.

        The last line of a row stays free, so that neighbours in pitch stand apart. Positions beyond
        32 bits (two weeks, at 200 %) are held there.
        """
        x = np.rint(np.asarray(start, np.float64) * self.scale)
        after = np.maximum(np.rint(np.asarray(end, np.float64) * self.scale), x + self.shortest)
        y = self.rows.lines[np.asarray(pitch, np.int64)] * self.row
        boxes = np.column_stack((x, y, after - 1, y + self.row - 2))
        return np.clip(boxes, -(2**31), 2**31 - 1).astype(np.int32)

    @property
    def half_diamond(self) -> int:
        """How far a drum's diamond reaches to each side of its middle, in device pixels."""
        return max((self.row - 2) // 2, 1)

    def diamonds(self, start: ArrayLike, pitch: ArrayLike) -> NDArray[np.int32]:
        """Content pixels of the squares around drums' diamonds, as `boxes`: each in the middle of where it begins."""
        half = self.half_diamond
        x = np.rint(np.asarray(start, np.float64) * self.scale)
        y = self.rows.lines[np.asarray(pitch, np.int64)] * self.row + max((self.row - 1) // 2, half)
        boxes = np.column_stack((x - half, y - half, x + half, y + half))
        return np.clip(boxes, -(2**31), 2**31 - 1).astype(np.int32)

    def are_shortest(self, start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which notes are drawn with the least width, (n,)."""
        return np.rint(end * self.scale) - np.rint(start * self.scale) <= self.shortest

    # Moving the view

    def scrolled(self, dx: float, dy: float) -> "Viewport":
        """Moved by view pixels; positive shows later times and lower pitches."""
        return replace(self, left=self.left + dx / self.pixels_per_second, top=self.top + dy * self.ratio)

    def zoomed(self, factor: float, x: float) -> "Viewport":
        """Time zoomed in by `factor` (below 1: out); the time at view pixel `x` stays where it is."""
        pps = min(max(self.pixels_per_second * factor, MIN_PIXELS_PER_SECOND), MAX_PIXELS_PER_SECOND)
        return replace(self, pixels_per_second=pps, left=self.left + x / self.pixels_per_second - x / pps)

    def pitch_zoomed(self, factor: float, y: float) -> "Viewport":
        """Pitch zoomed by `factor`, at least by a device pixel; the pitch at view pixel `y` stays."""
        wanted = round(self.row * factor)
        if wanted == self.row and factor != 1:
            wanted += 1 if factor > 1 else -1
        row = self._row(wanted)
        return replace(self, row=row, top=(self.top + y * self.ratio) * row / self.row - y * self.ratio)

    def fitted(self, start: float, end: float, low: int, high: int) -> "Viewport":
        """Shows [start, end] s over the whole width and pitches `low` to `high` in the middle.

        Rows become as high as fits, up to twice their usual height.
        """
        span = max(end - start, 0.5)
        pps = min(max(self.width / span, MIN_PIXELS_PER_SECOND), MAX_PIXELS_PER_SECOND)
        lowest, above = self.rows.places((low, high + 1)).tolist()
        row = self._row(min(floor(self.height * self.ratio / max(above - lowest, 1)), round(18 * self.ratio)))
        middle = (len(self.rows) - (lowest + above) / 2) * row
        return replace(self, left=start, pixels_per_second=pps, row=row, top=middle - self.height * self.ratio / 2)

    def filled(self, start: float, seconds: float, low: int, high: int) -> "Viewport":
        """Shows so many seconds from `start` on, and the rows from `high` down to `low`, over the whole area."""
        pps = min(max(self.width / seconds, MIN_PIXELS_PER_SECOND), MAX_PIXELS_PER_SECOND)
        lowest, above = self.rows.places((low, high + 1)).tolist()
        row = self._row(round(self.height * self.ratio / max(above - lowest, 1)))
        return replace(self, left=start, pixels_per_second=pps, row=row, top=float((len(self.rows) - above) * row))

    def resized(self, width: int, height: int, ratio: float) -> "Viewport":
        """Another size of note area or other device pixels; left top corner and row height stay."""
        resized = replace(self, width=width, height=height, ratio=ratio)
        row = resized._row(round(self.row_height * ratio))
        return replace(resized, row=row, top=self.top * row / self.row)

    def with_rows(self, rows: Rows) -> "Viewport":
        """Other rows: of few all that fit, of many those about the pitch that was in the middle."""
        if rows.is_folded:
            fitted = replace(self, rows=rows).fitted(0.0, 1.0, rows.pitches[0], rows.pitches[-1])
            return replace(fitted, left=self.left, pixels_per_second=self.pixels_per_second)
        other = replace(self, rows=rows)
        return replace(other, top=other._top_around(self.pitch(self.height / 2)))

    def _top_around(self, pitch: int) -> float:
        """`top` with a pitch in the middle."""
        return (int(self.rows.lines[pitch]) + 0.5) * self.row - self.height * self.ratio / 2

    def with_rows_of(self, other: "Viewport", middle: int | None = None) -> "Viewport":
        """The same time with the rows of another, as high, and at the same place or about a pitch."""
        resized = other.resized(self.width, self.height, self.ratio)
        top = resized.top if middle is None else resized._top_around(middle)
        return replace(self, row=resized.row, top=top)

    def clamped(self, end: float) -> "Viewport":
        """Moved back so that neither times below 0, nor above `end`, nor pitches that are none show uncovered."""
        left = max(min(self.left, end - self.width / self.pixels_per_second), 0.0)
        lowest = max(len(self.rows) * self.row - (self.height - self.covered) * self.ratio, 0)
        return replace(self, left=left, top=min(max(self.top, 0.0), lowest))

    def _row(self, wanted: int) -> int:
        """The nearest height that a row may have; all rows together fill the view."""
        least = max(round(MIN_ROW * self.ratio), ceil(self.height * self.ratio / PITCHES))
        return min(max(wanted, least), round(MAX_ROW * self.ratio))
