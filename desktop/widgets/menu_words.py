"""Names of the user's in menus: whole as far as there is room, and never a mnemonic."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QMenu

_WIDEST = 40  # heights of a line: a path's beginning and end then fit on any screen


def shown(name: str, metrics: QFontMetrics, elided: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> str:
    """As much of a name as menus have room for, as the text of an action."""
    return metrics.elidedText(name, elided, _WIDEST * metrics.height()).replace("&", "&&")


def add_named(menu: QMenu, name: str, elided: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> QAction:
    """An action of this name; one too long to be shown is told by the tooltip."""
    action = menu.addAction(shown(name, menu.fontMetrics(), elided))
    action.setToolTip(name)
    menu.setToolTipsVisible(True)
    return action
