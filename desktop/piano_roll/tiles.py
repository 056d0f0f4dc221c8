"""Keeps painted tiles, so that a scrolled roll is copied rather than painted again.

Tiles are painted ahead of need, one at a time. What has none yet (after a zoom all of it) is painted onto the
widget as one piece, which takes a third of the time that the tiles for it would.
"""

from collections import OrderedDict
from math import ceil, floor

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from desktop.piano_roll.coordinates import Rows, Viewport
from desktop.piano_roll.layers import Paper, paint_tile

_HAIR = 1 / 1024  # of a device pixel
_WIDTH, _HEIGHT = 256, 512  # device pixels; half a MB each, and painted in a part of a frame's time

_Key = tuple[int, int]  # column and row


class TileCache:
    """The tiles of one zoom. A tile is painted by `prepare`, and again only where it is out of date."""

    def __init__(self) -> None:
        self._tiles: OrderedDict[_Key, QPixmap] = OrderedDict()  # least recently shown first
        self._spare: list[QPixmap] = []  # to be painted over: fresh memory costs half as much as painting
        self._stale: dict[_Key, tuple[int, int]] = {}  # first and last content x to paint again
        self._zoom: tuple[float, int, float, Rows] | None = None
        self.painted = 0  # tiles painted as a whole so far
        self.mended = 0  # tiles painted in part so far

    def __len__(self) -> int:
        return len(self._tiles)

    def clear(self) -> None:
        """Forget all tiles."""
        self._spare += self._tiles.values()
        self._tiles.clear()
        self._stale.clear()

    def mark_stale(self, first: int, last: int) -> None:
        """The content pixels from column `first` to `last` have changed, in every row."""
        for key in self._tiles:
            left = key[0] * _WIDTH
            if first < left + _WIDTH and last >= left:
                before = self._stale.get(key, (first, last))
                self._stale[key] = min(before[0], first), max(before[1], last)

    def paint(self, painter: QPainter, exposed: QRectF, viewport: Viewport, paper: Paper) -> None:
        """Paint the part `exposed` (view pixels) of the note area."""
        self._keep_to(viewport)
        x, y = viewport.origin
        ratio = viewport.ratio
        missing = QRect()
        for key in _tiles_in(exposed, viewport):
            column, row = key
            if key in self._tiles:
                tile = self._tile(key, viewport, paper)
                painter.drawPixmap(QPointF((column * _WIDTH - x) / ratio, (row * _HEIGHT - y) / ratio), tile)
            else:
                missing = missing.united(QRect(column * _WIDTH, row * _HEIGHT, _WIDTH, _HEIGHT))
        if not missing.isEmpty():
            seen = QRectF(exposed.topLeft() * ratio, exposed.size() * ratio).translated(x, y).toAlignedRect()
            self._paint_onto(painter, missing & seen, viewport, paper)
        across = viewport.width * ratio / _WIDTH + 2
        down = viewport.height * ratio / _HEIGHT + 2
        while len(self._tiles) > max(3 * across * down, 48):
            key, tile = self._tiles.popitem(last=False)
            self._spare.append(tile)
            self._stale.pop(key, None)

    def prepare(self, viewport: Viewport, paper: Paper, dx: float, dy: float) -> bool:
        """Paint one tile that shows, or will if the view goes on by (dx, dy); False if none is missing."""
        self._keep_to(viewport)
        seen = _tiles_in(QRectF(0, 0, viewport.width, viewport.height), viewport)
        columns, rows = [column for column, _ in seen], [row for _, row in seen]
        wanted = seen
        if dx:
            next_column = max(columns) + 1 if dx > 0 else min(columns) - 1
            wanted = [*wanted, *((next_column, row) for row in range(min(rows), max(rows) + 1))]
        if dy:
            next_row = max(rows) + 1 if dy > 0 else min(rows) - 1
            wanted = [*wanted, *((column, next_row) for column in range(min(columns), max(columns) + 1))]
        missing = (key for key in wanted if key not in self._tiles and key[0] >= 0 and key[1] >= 0)
        key = next(missing, None)
        if key is not None:
            self._tile(key, viewport, paper)
        return key is not None

    def _keep_to(self, viewport: Viewport) -> None:
        """Forget the tiles of another zoom."""
        zoom = (viewport.scale, viewport.row, viewport.ratio, viewport.rows)
        if zoom != self._zoom:
            self.clear()
            self._zoom = zoom

    @staticmethod
    def _paint_onto(painter: QPainter, area: QRect, viewport: Viewport, paper: Paper) -> None:
        """Paint the content pixels `area` onto the note area itself."""
        x, y = viewport.origin
        painter.save()
        painter.scale(1 / viewport.ratio, 1 / viewport.ratio)
        # There and back by 1.5 a whole pixel becomes 120.99999, which Qt cuts to 120: hence a hair more.
        painter.translate(area.left() - x + _HAIR, area.top() - y + _HAIR)
        painter.setClipRect(0, 0, area.width(), area.height(), Qt.ClipOperation.IntersectClip)
        paint_tile(painter, area, viewport, paper)
        painter.restore()

    def _tile(self, key: _Key, viewport: Viewport, paper: Paper) -> QPixmap:
        left, top = key[0] * _WIDTH, key[1] * _HEIGHT
        tile = self._tiles.get(key)
        if tile is None:
            tile = self._spare.pop() if self._spare else QPixmap(_WIDTH, _HEIGHT)
            tile.setDevicePixelRatio(1)
            self._draw(tile, QRect(left, top, _WIDTH, _HEIGHT), left, viewport, paper)
            tile.setDevicePixelRatio(viewport.ratio)
            self._tiles[key] = tile
            self.painted += 1
        elif key in self._stale:
            first, last = self._stale.pop(key)
            first, last = max(first, left), min(last, left + _WIDTH - 1)
            tile.setDevicePixelRatio(1)
            self._draw(tile, QRect(first, top, last - first + 1, _HEIGHT), left, viewport, paper)
            tile.setDevicePixelRatio(viewport.ratio)
            self.mended += 1
        self._tiles.move_to_end(key)
        return tile

    @staticmethod
    def _draw(tile: QPixmap, area: QRect, left: int, viewport: Viewport, paper: Paper) -> None:
        painter = QPainter(tile)
        try:  # Qt crashes if a painter is left open, whatever went wrong
            painter.setClipRect(area.left() - left, 0, area.width(), area.height())
            painter.translate(area.left() - left, 0)
            paint_tile(painter, area, viewport, paper)
        finally:
            painter.end()


def _tiles_in(part: QRectF, viewport: Viewport) -> list[_Key]:
    """The tiles that a part (view pixels) of the note area lies on."""
    x, y = viewport.origin
    ratio = viewport.ratio
    columns = _tiles_between(x + part.left() * ratio, x + part.right() * ratio, _WIDTH)
    rows = _tiles_between(y + part.top() * ratio, y + part.bottom() * ratio, _HEIGHT)
    return [(column, row) for column in columns for row in rows]


def _tiles_between(first: float, end: float, size: int) -> range:
    return range(floor(first) // size, (ceil(end) - 1) // size + 1)
