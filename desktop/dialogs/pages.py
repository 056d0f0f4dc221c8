"""Pages of Help that are read beside the window: the manual, and the list of keyboard shortcuts."""

from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby
from operator import itemgetter

from PySide6.QtCore import QEvent
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from core.resources import bundled
from desktop.widgets.page import Page

_LINES, _COLUMNS = 38, 84  # of text, at first


class PageDialog(QDialog):
    """Shows one page of HTML; it does not keep from working on in the window."""

    def __init__(self, title: str, page: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._page = page
        self.text = Page(title)
        self.text.document().setDocumentMargin(14)
        self.text.setHtml(page())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)
        metrics = self.fontMetrics()
        self.resize(_COLUMNS * metrics.averageCharWidth() + 60, _LINES * metrics.height())
        self.text.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        """The page is written in the palette's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.text.setHtml(self._page())


def manual_page() -> str:
    """The manual."""
    document = QTextDocument()
    document.setMarkdown(bundled("manual", "manual.md").read_text("utf-8"))
    return document.toHtml()


def shortcuts_page(rows: Sequence[tuple[str, str, str]]) -> str:
    """A table for each menu or part of the window, of rows (menu or part, keys, what they do)."""
    tables = []
    for title, group in groupby(rows, itemgetter(0)):
        lines = "".join(
            f'<tr><td width="38%" style="padding:2px 14px 2px 0"><b>{escape(keys)}</b></td>'
            f'<td style="padding:2px 0">{escape(words)}</td></tr>'
            for _, keys, words in group
        )
        tables.append(f'<h3>{escape(title)}</h3><table width="100%">{lines}</table>')
    return "".join(tables)
