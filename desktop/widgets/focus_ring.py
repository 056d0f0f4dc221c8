"""FocusRing: a ring around what the keys act upon, where the style shows that hardly, or only after Tab was pressed."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QFocusFrame,
    QLineEdit,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from desktop.widgets.buttons import BigButton, FlatButton
from desktop.widgets.theme import SHAPE_CONTRAST, Theme, with_contrast

_RINGED = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QTextEdit)
_OWN = (BigButton, FlatButton)  # they show it themselves, as lists and the notes do
_WIDTH = 2  # pixels


class FocusRing(QObject):
    """Follows the focus in all windows of the app."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ring: _Ring | None = None  # which may have gone with what it surrounds
        # Later, and without being told of whom: the focus goes from widgets that are being destroyed, too.
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._follow)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._soon)

    def _soon(self) -> None:
        self._later.start()

    def _follow(self) -> None:
        now = QApplication.focusWidget()
        if self._ring is not None and isValid(self._ring):
            self._ring.hide()
            self._ring.deleteLater()
        self._ring = None
        if isinstance(now, _RINGED) and not isinstance(now, _OWN) and now.parentWidget() is not None:
            self._ring = _Ring(now)


class _Ring(QFocusFrame):
    """Around a widget, in the nearest one above with room. Of a QFocusFrame it has that screen readers pass it by."""

    def __init__(self, around: QWidget) -> None:
        self._around = around
        parent, between = _room(around)
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        for widget in between:
            widget.installEventFilter(self)
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        parent = self.parentWidget()  # kept by name, a dialog would be destroyed along with its own child, and crash
        if parent is not None:
            self.setGeometry(_surrounding(self._around, parent))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What it surrounds has another size or place. (Where it is hidden the focus goes, too.)"""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ring, and nothing inside of it."""
        window = self.palette().color(QPalette.ColorRole.Window)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(with_contrast(Theme.of(self.palette()).accent, window, SHAPE_CONTRAST), _WIDTH))
        half = _WIDTH / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 3, 3)
        painter.end()


def _surrounding(around: QWidget, parent: QWidget) -> QRect:
    """The ring's place in `parent`, which is above `around`."""
    place = QRect(around.mapTo(parent, QPoint()), around.size())
    return place.adjusted(-_WIDTH, -_WIDTH, _WIDTH, _WIDTH)


def _room(around: QWidget) -> tuple[QWidget, list[QWidget]]:
    """Where a ring is not cut off, and what can move `around` in it; at most what is scrolled, or the window."""
    between = [around]
    while True:
        last = between[-1]
        parent = last.parentWidget()
        assert parent is not None
        is_scrolled = isinstance(parent.parentWidget(), QAbstractScrollArea)
        if parent.rect().contains(_surrounding(around, parent)) or parent.isWindow() or is_scrolled:
            return parent, between
        between.append(parent)
