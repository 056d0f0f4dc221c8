"""Small input fields that panels and dialogs share. What they are given by `show_...` they do not report back."""

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QObject,
    QRegularExpression,
    QSignalBlocker,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegularExpressionValidator,
    QResizeEvent,
    QValidator,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QWidget,
)

from core.midi.pitch_names import parse_pitch, pitch_name
from desktop.widgets.theme import TEXT_CONTRAST, mix, with_contrast

SMALL_TEXT = 0.9  # share of the usual size, of text that is less important


class SliderSpin(QWidget):
    """A slider for the hand and a number for the exact value, which may lie beyond the slider."""

    value_changed = Signal(float)  # by the user

    def __init__(self, least: float, most: float, slider_most: float, step: float, name: str, words: str) -> None:
        super().__init__()
        self._step = step
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(least / step), round(slider_most / step))
        self.slider.setPageStep(max(1, round((slider_most - least) / step / 10)))
        self.slider.setMinimumWidth(40)
        self.spin = QDoubleSpinBox()
        self.spin.setRange(least, most)
        self.spin.setSingleStep(step)
        self.spin.setDecimals(0 if step == round(step) else 2)
        self.spin.setKeyboardTracking(False)
        self._fit()
        for widget, kind in ((self.slider, "slider"), (self.spin, "value")):
            widget.setAccessibleName(f"{name}, {kind}")
            widget.setAccessibleDescription(words)
            widget.setToolTip(words)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.spin)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(lambda steps: self._set(steps * self._step))
        self.spin.valueChanged.connect(self._set)

    def changeEvent(self, event: QEvent) -> None:
        """The number needs as much room as the font does."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def show_value(self, value: float) -> None:
        """Show a value."""
        with QSignalBlocker(self.slider), QSignalBlocker(self.spin):
            self.slider.setValue(round(value / self._step))
            show_number(self.spin, value)

    def _fit(self) -> None:
        # Alike in all rows, unless a large font and the frame's style ask for more.
        self.spin.setFixedWidth(max(_spin_width(self, "00.00"), self.spin.minimumSizeHint().width()))

    def _set(self, value: float) -> None:
        self.show_value(value)
        self.value_changed.emit(round(self.spin.value(), 2))


class PlainSpin(QDoubleSpinBox):
    """A number with up to two decimals that shows no noughts it does not need; as narrow as "000.00"."""

    def minimumSizeHint(self) -> QSize:
        """Not wide enough for the largest number there is, but for those that are likely."""
        width = _spin_width(self, "000.00")
        return QSize(width, super().minimumSizeHint().height())

    def textFromValue(self, value: float) -> str:
        """Qt asks for what to show."""
        return self.locale().toString(value, "f", 2).rstrip("0").rstrip(self.locale().decimalPoint())


class PitchSpin(QSpinBox):
    """A MIDI pitch, shown and typed as a note name ("C4" is 60) or typed as a number."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 127)
        self.setKeyboardTracking(False)  # "72" is no 7 on its way
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def textFromValue(self, value: int) -> str:
        """Qt asks for what to show."""
        return pitch_name(value)

    def valueFromText(self, text: str) -> int:
        """Qt asks for what was typed."""
        pitch = parse_pitch(text)
        return self.value() if pitch is None else pitch

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Qt asks whether it may be typed; anything short may, and Qt falls back to the value before."""
        good = QValidator.State.Acceptable if parse_pitch(text) is not None else QValidator.State.Intermediate
        return (good if len(text) <= 4 else QValidator.State.Invalid, text, position)


class NumberEdit(QLineEdit):
    """A whole number of up to 18 digits: more than a spin box can hold."""

    def __init__(self) -> None:
        super().__init__()
        # Nothing is allowed too: else it would not be told to whoever puts back what was there.
        self.setValidator(QRegularExpressionValidator(QRegularExpression(r"\d{0,18}"), self))

    def sizeHint(self) -> QSize:
        """Narrow enough for a narrow panel."""
        return QSize(self.fontMetrics().horizontalAdvance("0" * 9) + 12, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Room for the seeds that the dice throws."""
        return QSize(self.fontMetrics().horizontalAdvance("0" * 6) + 12, super().minimumSizeHint().height())


class FaintLabel(QLabel):
    """A line of quiet text that ends in "…" where there is no room, and then tells all in its tooltip."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        """Show another text."""
        super().setText(text)
        self._tell_all()

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(0, self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Whether it fits may have changed."""
        super().resizeEvent(event)
        self._tell_all()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much as there is room for."""
        painter = QPainter(self)
        painter.setPen(faint(self.palette()))
        painter.drawText(self.contentsRect(), self.alignment(), self._elided())

    def _elided(self) -> str:
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width())

    def _tell_all(self) -> None:
        self.setToolTip(self.text() if self._elided() != self.text() else "")


class Caption(FaintLabel):
    """The heading of a panel."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * SMALL_TEXT)
        font.setBold(True)
        self.setFont(font)
        self.setContentsMargins(10, 0, 10, 0)
        self.setFixedHeight(self.fontMetrics().height() + 12)


class WheelGuard(QObject):
    """Keeps the wheel from changing fields that have not the focus: it scrolls what they stand in instead."""

    def watch(self, root: QWidget) -> None:
        """Guard the fields in `root`; a click takes the keys only where it goes into what is typed."""
        for kind in (QAbstractSpinBox, QComboBox, QAbstractSlider):
            for field in root.findChildren(kind):
                if not isinstance(field, QScrollBar):
                    field.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                    field.installEventFilter(self)
        for field in root.findChildren(QAbstractSpinBox):
            for typed in field.findChildren(QLineEdit):
                typed.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass the wheel by; give the focus to a field whose text is clicked."""
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(watched, QLineEdit):
            watched.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


class UprightScroll(QScrollArea):
    """Scrolls up and down only: never narrower than what is in it."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setWidget(content)
        self._content = content
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What is in it has got another size."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """The height of all of its content."""
        return QSize(super().sizeHint().width(), self._content.sizeHint().height())

    def follow(self, fold: QAbstractButton, inside: QWidget) -> None:
        """Scroll to what a fold opens, as much of it as there is room for."""

        def show() -> None:
            for widget in (inside, fold):
                self.ensureWidgetVisible(widget, 0, 0)

        later = QTimer(self, singleShot=True, interval=0)  # once it has its place
        later.timeout.connect(show)
        fold.toggled.connect(lambda is_open: later.start() if is_open else later.stop())

    def minimumSizeHint(self) -> QSize:
        """The width of its content beside a scroll bar."""
        width = self._content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())


def show_number(spin: QSpinBox | QDoubleSpinBox, value: float) -> None:
    """Show a number; where it is shown already, what is being typed is left alone."""
    if spin.value() != value:
        spin.setValue(value)  # pyright: ignore[reportArgumentType]


def forget_typed(spin: QSpinBox | QDoubleSpinBox) -> None:
    """Show the number that holds, not what is being typed."""
    spin.setValue(spin.value())  # pyright: ignore[reportArgumentType]


def _spin_width(widget: QWidget, text: str) -> int:
    """Pixels that a spin box needs for a text and its buttons, in a widget's font."""
    metrics = widget.fontMetrics()
    return metrics.horizontalAdvance(text) + round(1.2 * metrics.height()) + 14


def faint(palette: QPalette, role: QPalette.ColorRole = QPalette.ColorRole.Window) -> QColor:
    """Quieter than text, and readable on what `role` names."""
    background = palette.color(role)
    return with_contrast(mix(background, palette.color(QPalette.ColorRole.WindowText), 0.65), background, TEXT_CONTRAST)


def notes_words(count: int) -> str:
    """ "1 note", "1 200 notes"."""
    tr = QCoreApplication.translate
    words = tr("Fields", "1 note") if count == 1 else tr("Fields", "{0} notes")
    return words.format(f"{count:,}".replace(",", "\u202f"))
