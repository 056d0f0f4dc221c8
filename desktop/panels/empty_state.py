"""EmptyState: what stands in the window before there is anything: invites to a file, an example, or nothing at all."""

from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.resources import bundled
from desktop.widgets import icons
from desktop.widgets.buttons import BigButton
from desktop.widgets.theme import TEXT_CONTRAST, mix, with_contrast

EXAMPLES = (
    ("bwv846.mid", "Bach, Prelude in C"),
    ("nocturne.mid", "Nocturne"),
    ("ragtime.mid", "Ragtime"),
    ("greensleeves.mid", "Greensleeves"),
    ("pop-loop.mid", "Pop loop"),
)
_WIDTH = 480  # of the frame that a file is dropped into, at most
_ROOMY = 33  # lines of text high: then there is room for the picture
_BESIDE = 3  # examples side by side


def examples() -> list[tuple[Path, str]]:
    """The example prompts that are bundled: path and title."""
    paths = [(bundled("examples", name), title) for name, title in EXAMPLES]
    return [(path, title) for path, title in paths if path.is_file()]


class EmptyState(QWidget):
    """An invitation. What was chosen comes as signals."""

    open_clicked = Signal()
    example_clicked = Signal()  # open an example and continue it at once
    new_clicked = Signal()
    example_chosen = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.example = BigButton()
        self.example.setText(self.tr("Hear a continuation"))
        self.example.setToolTip(self.tr("Opens an example and continues it"))
        self.example.clicked.connect(self.example_clicked)
        icons.set_icon(self.example, "play")
        self.open = self._button(self.tr("Open a file …"), self.open_clicked.emit)
        self.open.setToolTip(self.tr("A MIDI file to continue, or a session that you saved"))
        self.new = self._button(self.tr("Start from nothing"), self.new_clicked.emit)
        self.new.setToolTip(self.tr("The model begins with silence"))
        self.examples = [
            self._button(self.tr(title), lambda path=path: self.example_chosen.emit(path)) for path, title in examples()
        ]
        for button in self.examples:
            button.setToolTip(self.tr("Opens this example; then press Continue"))
        self._words = _centred(self.tr("Continuo continues it. Your file is never changed."))
        self._caption = _centred(self.tr("Or try an example"))
        self._drop = QFrame(self)
        self._drop.setObjectName("drop")
        self._drop.setMaximumWidth(_WIDTH)
        self._lay_out()
        self._colour()

    def _lay_out(self) -> None:
        title = _centred(self.tr("Drop a MIDI file here"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        font.setBold(True)
        title.setFont(font)
        icon = QIcon(str(bundled("icons", "continuo.png")))
        self._picture = _centred("")
        self._picture.setPixmap(icon.pixmap(QSize(64, 64), self.devicePixelRatio()))
        inside = QVBoxLayout(self._drop)
        inside.setContentsMargins(28, 28, 28, 32)
        inside.setSpacing(10)
        for widget, space in ((self._picture, 6), (title, 0), (self._words, 14), (self.example, 0)):
            inside.addWidget(widget)
            inside.addSpacing(space)
        row = QHBoxLayout()
        row.addWidget(self.open)
        row.addWidget(self.new)
        inside.addLayout(row)
        inside.addSpacing(16)
        inside.addWidget(self._caption)
        grid = QGridLayout()
        grid.setSpacing(10)
        for i, button in enumerate(self.examples):
            grid.addWidget(button, *divmod(i, _BESIDE))
        for column in range(_BESIDE):
            grid.setColumnStretch(column, 1)
        inside.addLayout(grid)
        outside = QGridLayout(self)
        outside.addWidget(self._drop, 1, 1)
        for row_or_column in (0, 2):
            outside.setRowStretch(row_or_column, 1)
            outside.setColumnStretch(row_or_column, 1)
        outside.setColumnStretch(1, 1000)
        for before, after in pairwise((self.example, self.open, self.new, *self.examples)):
            self.setTabOrder(before, after)

    def _button(self, text: str, clicked: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.setMinimumHeight(30)
        button.clicked.connect(clicked)  # type: ignore[arg-type]
        return button

    def _colour(self) -> None:
        palette = self.palette()
        window, text = palette.window().color(), palette.windowText().color()
        line = mix(window, text, 0.35).name()
        self._drop.setStyleSheet(f"#drop {{ border: 2px dashed {line}; border-radius: 12px; }}")
        faint = with_contrast(mix(window, text, 0.7), window, TEXT_CONTRAST).name()
        for label in (self._words, self._caption):
            label.setStyleSheet(f"color: {faint}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the picture makes way."""
        super().resizeEvent(event)
        self._picture.setVisible(event.size().height() >= _ROOMY * self.fontMetrics().height())

    def changeEvent(self, event: QEvent) -> None:
        """The system went from light to dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()


def _centred(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    label.setWordWrap(True)
    return label
