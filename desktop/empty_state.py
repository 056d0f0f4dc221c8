"""EmptyState: what stands in the window before there is anything: invites to a file, an example, or nothing at all."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.resources import bundled
from desktop.theme import TEXT_CONTRAST, mix, with_contrast

EXAMPLES = (
    ("bwv846.mid", "Bach, Prelude in C"),
    ("nocturne.mid", "Nocturne"),
    ("ragtime.mid", "Ragtime"),
    ("greensleeves.mid", "Greensleeves"),
    ("pop-loop.mid", "Pop loop"),
)


def examples() -> list[tuple[Path, str]]:
    """The example prompts that are bundled: path and title."""
    paths = [(bundled("examples", name), title) for name, title in EXAMPLES]
    return [(path, title) for path, title in paths if path.is_file()]


class EmptyState(QWidget):
    """An invitation. What was chosen comes as signals."""

    open_clicked = Signal()
    hear_clicked = Signal()  # open an example and continue it at once
    new_clicked = Signal()
    example_chosen = Signal(object)  # Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._drop = QFrame(self)
        self._drop.setObjectName("drop")
        self._drop.setFixedWidth(520)
        inside = QVBoxLayout(self._drop)
        inside.setContentsMargins(36, 32, 36, 32)
        inside.setSpacing(14)
        title = QLabel(self.tr("Drop a MIDI file here"), self)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        font.setBold(True)
        title.setFont(font)
        words = QLabel(self.tr("Continuo plays on from where it stops. Your file is never changed."), self)
        words.setWordWrap(True)
        self._words = words
        for label in (title, words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            inside.addWidget(label)
        self.hear = self._button(self.tr("Hear a continuation"), self.hear_clicked.emit)
        self.hear.setDefault(True)
        self.hear.setToolTip(self.tr("Opens an example and plays on from it"))
        self.open = self._button(self.tr("Open a file …"), self.open_clicked.emit)
        self.new = self._button(self.tr("Start from nothing"), self.new_clicked.emit)
        self.new.setToolTip(self.tr("The model begins with silence"))
        inside.addSpacing(6)
        inside.addWidget(self.hear)
        row = QHBoxLayout()
        row.addWidget(self.open)
        row.addWidget(self.new)
        inside.addLayout(row)
        inside.addSpacing(10)
        caption = QLabel(self.tr("Or try an example"), self)
        caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        inside.addWidget(caption)
        self._caption = caption
        self.examples: list[QPushButton] = []
        rows = [QHBoxLayout(), QHBoxLayout()]
        for i, (path, name) in enumerate(examples()):
            button = self._button(self.tr(name), lambda path=path: self.example_chosen.emit(path))
            self.examples.append(button)
            rows[i >= 3].addWidget(button)
        for layout in rows:
            inside.addLayout(layout)
        across = QHBoxLayout()
        across.addStretch()
        across.addWidget(self._drop)
        across.addStretch()
        down = QVBoxLayout(self)
        down.addStretch()
        down.addLayout(across)
        down.addStretch()
        self._colour()

    def _button(self, text: str, clicked: object) -> QPushButton:
        button = QPushButton(text, self)
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

    def changeEvent(self, event: object) -> None:
        """The system went from light to dark."""
        super().changeEvent(event)  # type: ignore[arg-type]
        if event.type() == event.Type.PaletteChange:  # type: ignore[attr-defined]
            self._colour()
