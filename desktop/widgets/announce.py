"""What screen readers are told that Qt does not tell them."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent
from PySide6.QtWidgets import QAbstractItemView, QWidget


def announce(widget: QWidget, words: str) -> None:
    """Have a screen reader say words about a widget, once it has said what it is saying."""
    if words and QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))


def tell_of_current(view: QAbstractItemView) -> None:
    """Tell of the current item of a view that has just got the focus, once Qt has told of the view alone."""

    def tell() -> None:
        interface = QAccessible.queryAccessibleInterface(view) if view.hasFocus() else None
        item = interface.focusChild() if interface is not None else None
        if item is not None:
            QAccessible.updateAccessibility(QAccessibleEvent(item, QAccessible.Event.Focus))

    if QAccessible.isActive():
        QTimer.singleShot(0, view, tell)
