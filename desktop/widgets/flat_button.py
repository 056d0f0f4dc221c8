"""FlatButton: a tool button without a frame, which shows in light and dark that the keys are its own."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from desktop.widgets.theme import Theme


class FlatButton(QToolButton):
    """Fusion's own sign of the focus, a tint, is hardly seen on a dark window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoRaise(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The style's button, and a ring while it has the focus."""
        super().paintEvent(event)
        if not self.hasFocus():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(Theme.of(self.palette()).accent, 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
        painter.end()
