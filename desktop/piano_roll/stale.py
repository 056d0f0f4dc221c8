"""Which view pixels are out of date once other things lie over the tiles, or the same elsewhere."""

from collections.abc import Iterator
from typing import TypeVar

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont

from desktop.piano_roll.coordinates import Viewport
from desktop.piano_roll.layers import CUT_REACH, Cut, Overlays
from desktop.piano_roll.notes import RollNote
from desktop.piano_roll.ruler import end_flag, marker_flag

_HEAD_REACH = 10.0  # view pixels that a head's handle reaches to each side of its line
_FLAG_REACH = 4.0  # beside a flag

_T = TypeVar("_T")


def strips(view: Viewport, before: Overlays, after: Overlays, font: QFont) -> Iterator[tuple[float, float]]:
    """From one view pixel to another, over ruler and notes; `font` is that of the flags."""
    for name in ("prompt", "loop", "span", "in_hand"):
        for first, last in _parts_of_one(getattr(before, name), getattr(after, name)):
            left, right = sorted((view.x(first), view.x(last)))
            yield left - _HEAD_REACH, right + _HEAD_REACH
    for name in ("playhead", "sampling_head", "take_end"):
        for seconds in _of_one(getattr(before, name), getattr(after, name)):
            yield view.x(seconds) - _HEAD_REACH, view.x(seconds) + _HEAD_REACH
    flags = [marker_flag(view, prompt[1], font) for prompt in _of_one(before.prompt, after.prompt)]
    flags += [end_flag(view, seconds, font) for seconds in _of_one(before.end_marker, after.end_marker) if seconds]
    for flag in flags:
        yield flag.left() - _FLAG_REACH, flag.right() + _FLAG_REACH


def boxes(view: Viewport, before: Overlays, after: Overlays) -> Iterator[QRectF]:
    """Boxes among the notes."""
    head = after.sampling_head if after.sampling_head is not None else before.sampling_head
    for note in set(before.sounding) ^ set(after.sounding) if head is not None else ():
        yield _box(view, note, max(head or 0.0, note.start))
    for note in set(before.ended) ^ set(after.ended):
        yield _box(view, note, note.end)
    for note in _of_one(before.drawn, after.drawn):
        yield _box(view, note, note.end)
    for band in _of_one(before.band, after.band):
        yield band.adjusted(-2, -2, 2, 2)
    for cut in _of_one(before.cut, after.cut):
        yield _cut_box(view, cut)


def _of_one(before: _T | None, after: _T | None) -> list[_T]:
    """Those of two that are there, if they differ."""
    return [] if before == after else [each for each in (before, after) if each is not None]


def _parts_of_one(before: tuple[float, float] | None, after: tuple[float, float] | None) -> list[tuple[float, float]]:
    """Where one of two spans is and the other is not."""
    if before is None or after is None:
        return _of_one(before, after)
    return [edge for edge in zip(before, after, strict=True) if edge[0] != edge[1]]


def _box(view: Viewport, note: RollNote, end: float) -> QRectF:
    """Around a note that lasts until then, or its diamond."""
    left, height = view.x(note.start), view.row_height
    return QRectF(left, view.y(note.pitch), view.x(end) - left, height).adjusted(-height, -1, height, 1)


def _cut_box(view: Viewport, cut: Cut) -> QRectF:
    rows = [view.y(pitch) for pitch in cut.pitches]
    box = QRectF(view.x(cut.seconds), min(rows), 0, max(rows) - min(rows) + view.row_height)
    return box.adjusted(-CUT_REACH, -CUT_REACH, CUT_REACH, CUT_REACH)
