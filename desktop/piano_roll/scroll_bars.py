"""Sets the scroll bars to what is on view."""

from math import ceil

from PySide6.QtWidgets import QScrollBar

from desktop.piano_roll.coordinates import Viewport


def show_view(across: QScrollBar, down: QScrollBar, view: Viewport, content_end: float) -> None:
    """Set both bars; the last second that something is at lies in the middle of the view at the latest.

    What covers the foot of the view can be scrolled off the lowest row.
    """
    pps = view.pixels_per_second
    span = max(content_end * pps - 0.5 * view.width, view.left * pps, 0)
    # In steps of a hundredth of the bar: a take that grows would else have both bars drawn anew all the time.
    step = max((span + view.width) // 100, 1)
    span = min(ceil(span / step) * step, 2**31 - 1)
    across.setRange(0, round(span))
    across.setPageStep(view.width)
    across.setSingleStep(40)
    across.setValue(round(view.left * pps))
    down.setRange(0, max(round(len(view.rows) * view.row / view.ratio - view.height + view.covered), 0))
    down.setPageStep(view.height)
    down.setSingleStep(24)
    down.setValue(round(view.top / view.ratio))
