"""BigButton, the one that matters most in a place; FlatButton, a small one without a frame; Fold, which shows more."""

from typing import Any

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleInterface,
    QAccessibleStateChangeEvent,
    QColor,
    QFont,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import (
    QAccessibleWidget,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOption,
    QStyleOptionButton,
    QStyleOptionToolButton,
    QToolButton,
    QWidget,
)

from desktop.widgets import icons
from desktop.widgets.theme import TEXT_CONTRAST, Theme, mix, with_contrast

_ARROW = 7  # pixels
_BESIDE = 12  # pixels between and beside icon and text


class BigButton(QPushButton):
    """Tall, and in the accent colour while it can be pressed. Give it text, and an icon by `icons.set_icon`."""

    def __init__(self) -> None:
        super().__init__()
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self.setFont(font)
        self.setAutoDefault(False)
        self.setIconSize(QSize(20, 20))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumHeight(round(self.fontMetrics().height() * 2.2))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second click of two says nothing: it would stop what the first has begun."""
        event.accept()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill it with the accent colour, which not every style does for a palette's Button."""
        if not self.isEnabled():
            super().paintEvent(event)
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        text = QColor("white")
        colour = with_contrast(Theme.of(self.palette()).accent, text, TEXT_CONTRAST)
        if option.state & QStyle.StateFlag.State_Sunken:
            colour = colour.darker(118)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            colour = colour.darker(107)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 5, 5)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(mix(colour, text, 0.75))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3.5, 3.5, -3.5, -3.5), 3, 3)
        option.palette.setColor(QPalette.ColorRole.ButtonText, text)
        option.icon = icons.icon(self.property("continuoIcon"), option.palette)
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonLabel, option, painter, self)


class FlatButton(QToolButton):
    """A tool button without a frame, which shows in light and dark that the keys are its own.

    Fusion's own sign of the focus, a tint, is hardly seen on a dark window, and its arrow of a menu stands below the
    text.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoRaise(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The style's button, in its middle the arrow of a menu, and a ring while it has the focus."""
        painter = QPainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.features &= ~QStyleOptionToolButton.ToolButtonFeature.HasMenu  # type: ignore[attr-defined]
        style = self.style()
        style.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
        if self.menu() is not None:
            arrow = QStyleOption()
            arrow.initFrom(self)
            arrow.rect = QRect(self.width() - _ARROW - 1, (self.height() - _ARROW) // 2 + 1, _ARROW, _ARROW)
            style.drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorArrowDown, arrow, painter, self)
        if not self.hasFocus():
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(Theme.of(self.palette()).accent, 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
        painter.end()


class _ReadFold(QAccessibleWidget):
    """A Fold for screen readers: a button that is expanded or collapsed. Qt would tell of a check box."""

    def __init__(self, fold: "Fold") -> None:
        super().__init__(fold, QAccessible.Role.Button)
        self._fold = fold

    def text(self, t: QAccessible.Text) -> str:
        """Its name is what stands on it, unless it has another."""
        return super().text(t) or (self._fold.text() if t == QAccessible.Text.Name else "")

    def state(self) -> QAccessible.State:
        """Whether it is open."""
        state = super().state()
        state.expandable, state.checkable, state.checked = True, False, False
        state.expanded, state.collapsed = self._fold.isChecked(), not self._fold.isChecked()
        return state

    def actionNames(self) -> list[str]:
        """It can be pressed."""
        return [QAccessibleActionInterface.pressAction(), *super().actionNames()]

    def doAction(self, name: str) -> None:
        """Open or close it, where that is asked for."""
        if name == QAccessibleActionInterface.pressAction():
            self._fold.click()
        else:
            super().doAction(name)


def _interface_of(key: str, thing: Any) -> QAccessibleInterface | None:
    if not isinstance(thing, Fold):
        return None
    thing.accessible = _ReadFold(thing)
    return thing.accessible


class Fold(FlatButton):
    """A heading that shows or hides what stands below it; `toggled` tells whether it is open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        QAccessible.installFactory(_interface_of)
        self.accessible: _ReadFold | None = None  # Qt does not keep it alive
        self.setText(text)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.toggled.connect(self._point)
        self._point(False)

    def minimumSizeHint(self) -> QSize:
        """Any width will do: what there is no room for ends in "…"."""
        return QSize(4 * self.fontMetrics().height(), super().minimumSizeHint().height())

    def initStyleOption(self, option: QStyleOptionToolButton) -> None:
        """As much of the text as there is room for beside the arrow."""
        super().initStyleOption(option)
        room = self.width() - option.iconSize.width() - _BESIDE  # pyright: ignore[reportAttributeAccessIssue]
        option.text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)  # pyright: ignore[reportAttributeAccessIssue]

    def _point(self, is_open: bool) -> None:
        self.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        if QAccessible.isActive():
            change = QAccessible.State()
            change.expanded = True
            QAccessible.updateAccessibility(QAccessibleStateChangeEvent(self, change))


def icon_button(name: str) -> FlatButton:
    """A button that shows an icon alone."""
    button = FlatButton()
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    icons.set_icon(button, name)
    return button
