"""Page: a page of HTML to be read, with the mouse, by keys and by screen readers."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTextBrowser


class Page(QTextBrowser):
    """It has a cursor, with which the keys go through it and a screen reader reads it line by line."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setOpenLinks(False)
        self.setTextInteractionFlags(self.textInteractionFlags() | Qt.TextInteractionFlag.TextSelectableByKeyboard)
