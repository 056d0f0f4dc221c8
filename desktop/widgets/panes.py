"""Panes: the parts of a window by keys. F6 goes from one to the next, so that no one has to press Tab twenty times."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QSplitter, QWidget


class Panes:
    """The parts of a window in the order in which F6 goes through them."""

    def __init__(self, panes: Sequence[QWidget]) -> None:
        self._panes = panes
        self._widths: dict[QWidget, int] = {}  # of parts that are folded

    def step(self, by: int) -> None:
        """Give the focus to the next part (1) or the one before (-1), where it was in there last."""
        focus = self._panes[0].window().focusWidget()
        has_focus = [pane is focus or pane.isAncestorOf(focus) for pane in self._panes] if focus else []
        start = has_focus.index(True) if any(has_focus) else -1 if by > 0 else 0
        for i in range(1, len(self._panes) + 1):
            widget = _widget_for_focus(self._panes[(start + i * by) % len(self._panes)])
            if widget is not None:
                widget.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def fold(self, pane: QWidget) -> None:
        """Push a part beside others together, as dragging its edge does, or give it its width again."""
        splitter = pane.parentWidget()
        assert isinstance(splitter, QSplitter)
        at, sizes = splitter.indexOf(pane), splitter.sizes()
        self._widths[pane] = sizes[at] or self._widths.get(pane, pane.sizeHint().width())
        sizes[at] = 0 if sizes[at] else self._widths[pane]
        splitter.setSizes(sizes)
        focus = pane.window().focusWidget()
        if not sizes[at] and focus is not None and pane.isAncestorOf(focus):
            self.step(1)


def _widget_for_focus(pane: QWidget) -> QWidget | None:
    """What had the focus last in a pane, else what is nearest to its top left; None if nothing in it can have it."""
    if not _is_seen(pane):
        return None
    last = pane.focusWidget()
    if last is not None and _can_have_focus(last):
        return last
    # Not by nextInFocusChain: PySide takes what it returns for a child, and to be gone when the widget before it goes.
    inside = [widget for widget in pane.findChildren(QWidget) if _can_have_focus(widget)]
    first = min(inside, key=lambda widget: widget.mapTo(pane, QPoint()).manhattanLength(), default=None)
    return pane if first is None and _can_have_focus(pane) else first


def _can_have_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


def _is_seen(pane: QWidget) -> bool:
    """Not pushed together by the user: that counts as visible, but lies beside its parent."""
    widget, parent = pane, pane.parentWidget()
    while parent is not None:
        if not parent.rect().intersects(widget.geometry()):
            return False
        widget, parent = parent, parent.parentWidget()
    return pane.isVisible()
