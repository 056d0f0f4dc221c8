"""What tests of panels and dialogs ask of any widget."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QImage, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QSlider,
    QWidget,
)

from desktop.widgets.theme import SHAPE_CONTRAST


def reachable(root: QWidget) -> list[QWidget]:
    """The widgets that Tab reaches, in their order. Nothing has the focus then.

    PySide takes the next in the focus chain for a child: with a focus ring in the chain it would go when the ring goes.
    """
    focus = root.window().focusWidget()
    if focus is not None:
        focus.clearFocus()
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    widgets = [w for w in root.findChildren(QWidget) if _takes_tab(w)]
    order: list[QWidget] = []
    at: QWidget | None = root.nextInFocusChain()
    while at is not None and at is not root:
        if at in widgets:
            order.append(at)
        at = at.nextInFocusChain()
    return order


def _takes_tab(widget: QWidget) -> bool:
    if isinstance(widget, QScrollBar) or widget.focusProxy() is not None or not widget.isEnabled():
        return False
    if isinstance(widget, QLineEdit) and isinstance(widget.parent(), QAbstractSpinBox):
        return False
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isVisible()


def unnamed(root: QWidget) -> list[QWidget]:
    """Widgets that Tab reaches and that a screen reader has no name for."""
    return [w for w in reachable(root) if not _name(w)]


def _name(widget: QWidget) -> str:
    """What a screen reader calls it; on Linux that is a label beside it for combo boxes, whose name is their text."""
    if not isinstance(widget, QComboBox):
        return widget.accessibleName() or getattr(widget, "text", lambda: "")()
    interface = QAccessible.queryAccessibleInterface(widget)
    labels = [other for other, how in interface.relations() if how == QAccessible.RelationFlag.Label]
    return labels[0].text(QAccessible.Text.Name) if len(labels) == 1 else ""


def untold(root: QWidget) -> list[QWidget]:
    """Buttons and fields without a tooltip, but for those that Qt makes inside of others."""
    kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, QSlider)
    widgets = [w for w in root.findChildren(QWidget) if isinstance(w, kinds) and not w.objectName().startswith("qt_")]
    return [w for w in widgets if not w.toolTip() and not isinstance(w.parent(), QLineEdit)]  # which clears it


def cut_off(root: QWidget) -> list[str]:
    """Widgets that reach out of `root` sideways, or are narrower than they can be."""
    bad = []
    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget.parent(), QAbstractSpinBox):
            continue
        left = widget.mapTo(root, QPoint(0, 0)).x()
        if left < 0 or left + widget.width() > root.width() or widget.width() < widget.minimumSizeHint().width():
            bad.append(f"{type(widget).__name__} {widget.accessibleName()} {left}+{widget.width()} of {root.width()}")
    return bad


def squeezed(root: QWidget) -> list[QWidget]:
    """Widgets that are lower than they can be."""
    widgets = [w for w in root.findChildren(QWidget) if w.isVisible() and not w.objectName().startswith("qt_")]
    return [w for w in widgets if w.height() < _least_height(w)]


def _least_height(widget: QWidget) -> int:
    if widget.hasHeightForWidth():
        return widget.heightForWidth(widget.width())
    return widget.minimumSizeHint().height()


def dark() -> QPalette:
    """A dark palette."""
    return QPalette(QColor("#3a3d41"), QColor("#2b2d30"))


def focus_pixels(widget: QWidget) -> int:
    """How many pixels in it and around it tell that a widget has the focus: by SHAPE_CONTRAST other than without it."""
    window = widget.window()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert window.focusWidget() is (widget.focusProxy() or widget), widget
    around = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()).adjusted(-4, -4, 4, 4) & window.rect()
    pictures = [_luminances(window, around)]
    widget.clearFocus()
    QApplication.processEvents()
    pictures.append(_luminances(window, around))
    low, high = np.minimum(*pictures), np.maximum(*pictures)
    return int(((high + 0.05) / (low + 0.05) >= SHAPE_CONTRAST).sum())


def _luminances(widget: QWidget, rect: QRect) -> NDArray[np.float64]:
    """The relative luminance (WCAG 2) of each pixel in a part of a widget, (height, width)."""
    picture = widget.grab(rect).toImage().convertToFormat(QImage.Format.Format_RGB32)
    octets = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    blue, green, red, _ = np.moveaxis(octets[:, : 4 * picture.width()].reshape(picture.height(), -1, 4), 2, 0) / 255
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
