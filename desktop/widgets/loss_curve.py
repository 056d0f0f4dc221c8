"""LossCurve: how a training goes, as a picture."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.widgets.fields import faint

_SMOOTH = 0.9  # weight of the past in the line that is drawn
_MARGIN = 8  # pixels


class LossCurve(QWidget):
    """The loss over the progress of a training, a line; a dot for each look at the songs held back."""

    def __init__(self) -> None:
        super().__init__()
        self._losses: list[tuple[float, float]] = []  # progress 0 to 1, smoothed loss in nats per event
        self._held_out: list[tuple[float, float]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._losses, self._held_out = [], []
        self._tell()

    def add(self, progress: float, loss: float, held_out: float | None) -> None:
        """Another point; a loss that is no number yet is left out."""
        if math.isfinite(loss):
            last = self._losses[-1][1] if self._losses else loss
            self._losses.append((progress, _SMOOTH * last + (1 - _SMOOTH) * loss))
        if held_out is not None:
            self._held_out.append((progress, held_out))
        self._tell()

    def sizeHint(self) -> QSize:
        """Room for a curve that says something."""
        return QSize(420, 160)

    def _tell(self) -> None:
        self.setAccessibleName(self.tr("Loss curve"))
        latest = f"{self._held_out[-1][1]:.3f}" if self._held_out else self.tr("none yet")
        self.setAccessibleDescription(self.tr("Loss on the songs held back: {0}").format(latest))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame with its scale, the line and the dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid)))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(area, 4, 4)
        values = [loss for _, loss in (*self._losses, *self._held_out)]
        text = faint(palette, QPalette.ColorRole.Base)
        painter.setPen(text)
        if not values:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.tr("Loss (lower is better)"))
            return
        least, most = min(values), max(values)
        room = max(most - least, 0.05)
        inner = area.adjusted(_MARGIN, 2.5 * _MARGIN, -_MARGIN, -2.5 * _MARGIN)

        def place(point: tuple[float, float]) -> QPointF:
            return QPointF(
                inner.left() + point[0] * inner.width(), inner.bottom() - (point[1] - least) / room * inner.height()
            )

        corners = area.adjusted(_MARGIN, 3, -_MARGIN, -3)
        painter.drawText(
            corners, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft, self.tr("{0:.2f} loss").format(most)
        )
        painter.drawText(corners, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, f"{least:.2f}")
        painter.drawText(
            corners, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight, self.tr("● songs held back")
        )
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1.5))
        painter.drawPolyline(QPolygonF([place(point) for point in self._losses]))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Text))
        for point in self._held_out:
            painter.drawEllipse(place(point), 3.5, 3.5)
