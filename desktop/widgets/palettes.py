"""Light and dark on systems that cannot be asked for them: a palette of our own, where Qt has none to give."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from desktop.widgets.theme import TEXT_CONTRAST, luminance, mix, with_contrast

_Role = QPalette.ColorRole
_COLOURS = {
    Qt.ColorScheme.Light: ("#efefef", "#ffffff", "#f6f6f6", "#1b1d20", "#2a77ab", "#ffffff"),
    Qt.ColorScheme.Dark: ("#2b2d31", "#1f2124", "#3a3d42", "#e8e9eb", "#2e7bb0", "#ffffff"),
}

_FRAMED = "#a8a8a8"  # Fusion draws it a third darker


def show_in(scheme: Qt.ColorScheme) -> None:
    """Show the app in light or dark; Unknown: as the system does."""
    QGuiApplication.styleHints().setColorScheme(scheme)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    app.setPalette(QPalette())  # the system's
    if scheme != Qt.ColorScheme.Unknown and _is_dark(app) != (scheme == Qt.ColorScheme.Dark):
        app.setPalette(palette_of(scheme))
    mend_palette()


def mend_palette() -> None:
    """Make readable what the system's palette, or its style, leaves hard to read.

    Selected text, and what stands in an empty field, may stand out too little from what is behind them; and Fusion
    frames switches, in menus and dialogs, a shade darker than Window, which is not seen in the dark.
    """
    app = QApplication.instance()
    if isinstance(app, QApplication):
        now = app.palette()
        ink, paper = now.color(_Role.HighlightedText), now.color(_Role.Base)
        changed = {
            _Role.Highlight: with_contrast(now.color(_Role.Highlight), ink, TEXT_CONTRAST),
            _Role.PlaceholderText: with_contrast(mix(paper, now.color(_Role.Text), 0.5), paper, TEXT_CONTRAST),
        }
        if any(now.color(role) != colour for role, colour in changed.items()):  # else it would be told again for ever
            palette = QPalette(now)  # all other roles follow the system, if they did
            for role, colour in changed.items():
                palette.setColor(role, colour)
            app.setPalette(palette)
        palette = QPalette()
        if _is_dark(app) and app.style().name() == "fusion":
            palette.setColor(_Role.Window, QColor(_FRAMED))  # menus themselves are painted in Base, switches not at all
        for kind in ("QMenu", "QRadioButton", "QCheckBox"):
            app.setPalette(palette, kind)  # pyright: ignore[reportArgumentType]


def _is_dark(app: QApplication) -> bool:
    return luminance(app.palette().color(_Role.Window)) < 0.18


def palette_of(scheme: Qt.ColorScheme) -> QPalette:
    """Our own light or dark palette."""
    window, base, button, text, accent, on_accent = map(QColor, _COLOURS[scheme])
    palette = QPalette(button, window)
    for role, colour in (
        (_Role.Base, base),
        (_Role.AlternateBase, window),
        (_Role.ToolTipBase, button),
        (_Role.ToolTipText, text),
        (_Role.WindowText, text),
        (_Role.Text, text),
        (_Role.ButtonText, text),
        (_Role.Highlight, accent),
        (_Role.HighlightedText, on_accent),
        (_Role.Accent, accent),
        (_Role.Link, accent),
    ):
        palette.setColor(role, colour)
    faint = QColor(text)
    faint.setAlphaF(0.45)
    for role in (_Role.WindowText, _Role.Text, _Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    palette.setColor(_Role.PlaceholderText, faint)
    return palette


class DropDown(QComboBox):
    """A combo box whose list is painted as a list: Qt would paint it as a menu, on the grey that frames switches.

    What is chosen ends in "…" where there is no room for it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(QStyledItemDelegate(self))
        self._label = QLabel()

    def set_name(self, words: str) -> None:
        """What a screen reader calls it where no label is seen: on Linux it has its name from a label alone."""
        self.setAccessibleName(words)
        self._label.setText(words)
        self._label.setBuddy(self)
        self._label.setParent(self.parentWidget())
        self._label.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the words as there is room for."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        kind, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(kind, option, part, self).width() - 2
        words = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        option.currentText = words  # pyright: ignore[reportAttributeAccessIssue]
        painter = QStylePainter(self)
        painter.setPen(self.palette().color(_Role.Text))
        painter.drawComplexControl(kind, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()  # else Qt may find it open where this is destroyed late

    def event(self, event: QEvent) -> bool:
        """The label is found beside it."""
        if event.type() == QEvent.Type.ParentChange and self._label.buddy() is self:
            self._label.setParent(self.parentWidget())
        return super().event(event)
