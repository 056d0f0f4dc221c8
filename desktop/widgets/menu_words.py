"""Names of the user's in menus: whole as far as there is room, and never a mnemonic."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

_WIDEST = 40  # heights of a line: a path's beginning and end then fit on any screen


def add_named(menu: QMenu, name: str, elided: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> QAction:
    """An action of this name; one too long to be shown is told by the tooltip."""
    metrics = menu.fontMetrics()
    words = metrics.elidedText(name, elided, _WIDEST * metrics.height())
    action = menu.addAction(words.replace("&", "&&"))
    action.setToolTip(name)
    menu.setToolTipsVisible(True)
    return action
