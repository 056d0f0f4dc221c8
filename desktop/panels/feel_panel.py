"""FeelPanel: how takes are to differ from the prompt, in words, by sliders, or by what was saved under a name."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from core.session.knobs import AS_THE_PROMPT, UNTURNED, WORDS, Knobs, knobs_words, turned_throughout
from desktop.panels.knob_sliders import KnobSliders
from desktop.widgets.announce import announce
from desktop.widgets.menu_words import add_named

_LONGEST = 200  # letters of a line of words


class WordLine(QLineEdit):
    """A line that keeps the keys when Return is pressed, as whoever writes words may write on."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return goes no further: with it the window takes the keys from fields."""
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class FeelPanel(QWidget):
    """A line for words, what was understood of it, the sliders, and the presets. It shows what it is told."""

    words_entered = Signal(str)  # once Return is pressed
    knobs_changed = Signal(object, object)  # Knobs, and a tuple of those of further parts, by the sliders
    preset_chosen = Signal(str)  # its name
    preset_wanted = Signal()  # to be saved, of the knobs as they stand
    preset_renamed = Signal(str)
    preset_dropped = Signal(str)
    now_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[Knobs, ...] = (AS_THE_PROMPT,)  # what the line's words mean, if it has any
        self._names: tuple[str, ...] | None = None  # of the presets, once they are shown
        self.words = WordLine()
        self.example = self.tr("slow and sad, then wilder")
        self.words.setPlaceholderText(self.example)
        self.words.setMaxLength(_LONGEST)
        self.words.setToolTip(
            self.tr("Say in English how it is to sound, and press Return: the sliders move as it was understood.")
        )
        self.words.setAccessibleName(self.tr("Feel, in words"))
        self.words.setAccessibleDescription(self.words.toolTip())
        self.understood = QLabel()
        self.understood.setWordWrap(True)
        self.understood.setTextFormat(Qt.TextFormat.PlainText)
        self.understood.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.understood.hide()
        self.knobs = KnobSliders()
        self.presets = QPushButton(self.tr("Presets"))
        self.presets.setToolTip(self.tr("Set the sliders as they were saved under a name, or save them."))
        self.presets.setMenu(QMenu(self))
        self.now = QPushButton(self.tr("Now"))
        self.now.setToolTip(
            self.tr("Sample anew what is not heard yet, so that a change is heard at once; the take so far is kept.")
        )
        for button in (self.presets, self.now):
            button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        last = QHBoxLayout()
        last.addWidget(self.presets)
        last.addStretch(1)
        last.addWidget(self.now)
        for widget in (self.words, self.understood, self.knobs):
            layout.addWidget(widget)
        layout.addLayout(last)
        self.words.returnPressed.connect(lambda: self.words_entered.emit(self.words.text()))
        self.knobs.knob_turned.connect(self._turn)
        self.now.clicked.connect(lambda: self.now_wanted.emit())
        self.show_presets(())

    def _turn(self, name: str, steps: int) -> None:
        """By hand: the knob stands there in all parts, and what was typed does not say any more what is."""
        parts = turned_throughout(self._parts, name, steps)
        self.forget_words()
        self.show_feel(parts)
        if _is_curve(parts):
            low, high = WORDS[name]
            words = Knobs().with_steps(name, steps).words or UNTURNED
            self.show_understood(
                self.tr("{0} or {1}: {2}, all through the take.").format(self.tr(low.capitalize()), high, words)
            )
        first, *then = parts
        self.knobs_changed.emit(first, tuple(then))

    def show_feel(self, parts: tuple[Knobs, ...]) -> None:
        """Show the knobs of a take's parts; emits nothing. Sliders are the first part's; words tell of a curve.

        The line keeps its own words as long as they are what was understood of them.
        """
        self.knobs.show_knobs(parts[0])
        if parts != self._parts:
            self._parts = parts
            self._set_words(knobs_words(parts) if _is_curve(parts) else "")

    def show_understood(self, words: str, parts: tuple[Knobs, ...] | None = None) -> None:
        """Show what was made of the words, empty to show nothing; with the knobs that they are taken to mean."""
        self._parts = self._parts if parts is None else parts
        self.understood.setText(words)
        self.understood.setVisible(bool(words))
        announce(self.words, words)

    def show_presets(self, names: Sequence[str]) -> None:
        """The names of the presets that there are."""
        if self._names == tuple(names):
            return
        self._names = tuple(names)
        menu = self.presets.menu()
        menu.clear()  # but not of the menus in it
        for inside in menu.findChildren(QMenu):
            inside.deleteLater()
        for name in names:
            add_named(menu, name).triggered.connect(lambda _=False, name=name: self.preset_chosen.emit(name))
        if names:
            menu.addSeparator()
        menu.addAction(self.tr("Save as …"), lambda: self.preset_wanted.emit())
        if names:
            for words, wanted in ((self.tr("Rename"), self.preset_renamed), (self.tr("Delete"), self.preset_dropped)):
                inside = menu.addMenu(words)
                for name in names:
                    add_named(inside, name).triggered.connect(lambda _=False, w=wanted, name=name: w.emit(name))

    def forget_words(self) -> None:
        """Clear the line and what was understood of it; emits nothing."""
        self._set_words("")

    def _set_words(self, words: str) -> None:
        with QSignalBlocker(self.words):
            self.words.setText(words)
            self.words.setCursorPosition(0)
        self.show_understood("")


def _is_curve(parts: tuple[Knobs, ...]) -> bool:
    """Whether the knobs change in the course of a take, which sliders cannot show."""
    return len(parts) > 1 or any(knobs.gradual for knobs in parts)
