"""ListOrWords: a list, or while it is empty some words in its place."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget


class ListOrWords(QStackedLayout):
    """Shows one of the two: the `words` at first."""

    def __init__(self, rows: QWidget, words: str) -> None:
        super().__init__()
        self._rows = rows
        self.words = QLabel(words)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self.words.setMargin(12)
        self.addWidget(self.words)
        self.addWidget(rows)

    def show_list(self, has_rows: bool) -> None:
        """Show the list if there is something in it."""
        self.setCurrentWidget(self._rows if has_rows else self.words)
