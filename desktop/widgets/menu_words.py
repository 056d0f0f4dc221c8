"""Texts of menus: names that the user gave, shortened and without mnemonics; and a command's words for elsewhere."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QMenu

_WIDEST = 40  # heights of a line: a path's beginning and end then fit on any screen


def shown(name: str, metrics: QFontMetrics, elided: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> str:
    """As much of a name as menus have room for, as the text of an action."""
    return metrics.elidedText(name, elided, _WIDEST * metrics.height()).replace("&", "&&")


def plain(text: str) -> str:
    """The text of an action without its mnemonic, and without the dots of one that asks something first."""
    return text.replace("&", "").removesuffix(" …")


def add_named(menu: QMenu, name: str, elided: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> QAction:
    """An action of this name; one too long to be shown is told by the tooltip."""
    action = menu.addAction(shown(name, menu.fontMetrics(), elided))
    action.setToolTip(name)
    menu.setToolTipsVisible(True)
    return action
