"""Transport bar: with play, stop, return, loop, metronome, where the sound is, and in which tempo."""

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QAction, QFontDatabase, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from core.midi.tempo_map import TempoMap
from core.session.timeline import What
from desktop.piano_roll.grid import SNAPS, Snap
from desktop.widgets.buttons import FlatButton
from desktop.widgets.menu_words import plain
from desktop.widgets.palettes import DropDown

_LEAST = 3  # letters of a choice that are seen
_CHOICES: tuple[tuple[What, str], ...] = (("both", "Prompt and take"), ("prompt", "Score only"), ("take", "Take only"))


class TransportBar(QWidget):
    """Buttons of the actions it is given, a choice of what is played, and a clock."""

    what_chosen = Signal(str)
    tempo_clicked = Signal()
    snap_chosen = Signal(str)  # one of SNAPS

    def __init__(self, actions: list[QAction | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tempo_map = TempoMap()
        self._seconds = 0.0
        self._text = ""
        layout = self._line = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(2)
        for action in actions:
            if action is None:
                layout.addSpacing(10)
                continue
            button = FlatButton(self)
            button.setDefaultAction(action)
            button.setIconSize(button.iconSize().expandedTo(button.iconSize() * 1.25))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            action.changed.connect(lambda button=button, action=action: _name(button, action))
            _name(button, action)
            layout.addWidget(button)
        layout.addSpacing(10)
        self.snap = self._snap_choice()
        layout.addWidget(self.snap)
        layout.addSpacing(10)
        self.clock = QLabel(self)
        self.clock.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.clock.setAccessibleDescription(self.tr("Position"))  # its name is what it shows
        self.clock.setMinimumWidth(self.clock.fontMetrics().horizontalAdvance("000.0   00:00.0 "))
        layout.addWidget(self.clock)
        self.tempo = FlatButton(self)
        self.tempo.setToolTip(self.tr("Tempo in quarters a minute, and metre: click to change them"))
        self.tempo.setAccessibleDescription(self.tempo.toolTip())
        self.tempo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.tempo.clicked.connect(self.tempo_clicked)
        layout.addWidget(self.tempo)
        spring = QWidget(self)
        spring.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout.addWidget(spring)
        label = self._label = QLabel(self.tr("P&lay"), self)
        self._what = DropDown(self)
        for value, words in _CHOICES:
            self._what.addItem(self.tr(words), value)
        self._what.setToolTip(self.tr("What is played: the score up to the marker and then the take, or one of them"))
        self._what.setAccessibleName(self.tr("What is played"))
        self._what.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._what.activated.connect(lambda i: self.what_chosen.emit(self._what.itemData(i)))
        label.setBuddy(self._what)
        key = QKeySequence.mnemonic(label.text())
        self._key = QShortcut(key, self, lambda: self._what.setFocus(Qt.FocusReason.ShortcutFocusReason))
        for choice in (self.snap, self._what):
            choice.setMinimumContentsLength(_LEAST)  # in a small window; where there is room all is shown
        layout.addWidget(label)
        layout.addSpacing(4)
        layout.addWidget(self._what)
        self.show_position(0.0)

    def _snap_choice(self) -> DropDown:
        choice = DropDown(self)
        for snap in SNAPS:
            choice.addItem(self.tr(snap_words(snap)), snap)
        choice.setToolTip(
            self.tr(
                "What drags among the notes, and the playhead in the ruler, snap to (T: triplets, D: dotted); with Alt "
                "held to nothing"
            )
        )
        choice.set_name(self.tr("Snap"))
        choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        choice.activated.connect(lambda i: self.snap_chosen.emit(choice.itemData(i)))
        return choice

    def show_snap(self, snap: Snap) -> None:
        """Show what is snapped to."""
        self.snap.setCurrentIndex(self.snap.findData(snap))

    def show_what(self, what: What) -> None:
        """Show what is played."""
        self._what.setCurrentIndex(self._what.findData(what))

    def show_tempo_map(self, tempo_map: TempoMap) -> None:
        """The bars to count in."""
        self._tempo_map = tempo_map
        self.show_position(self._seconds)

    def show_position(self, seconds: float) -> None:
        """Where the playhead is: bar and beat, if there are any, and time."""
        self._seconds = seconds
        minutes, rest = divmod(seconds + 0.001, 60)
        text = f"{int(minutes):02}:{int(rest):02}.{int(rest * 10 % 10)}"
        if self._tempo_map.has_metre:
            bar, beat = self._tempo_map.bar_beat_read(self._tempo_map.tick(seconds))
            text = f"{bar + 1:3}.{int(beat) + 1}   {text}"
        if text != self._text:
            self._text = text
            self.clock.setText(text)
        tempo = tempo_words(self._tempo_map, self._tempo_map.tick(seconds))
        if tempo != self.tempo.text():
            self.tempo.setText(tempo)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a small window there is no room for all words."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The word before the choice of what is played goes first: the choice says enough."""
        least = self._line.minimumSize().width()
        if self._label.isHidden():
            least += self._label.sizeHint().width() + self._line.spacing()
        self._label.setVisible(least <= self.width())
        self._key.setEnabled(self._label.isHidden())  # whose key a label that is hidden does not hear


def _name(button: FlatButton, action: QAction) -> None:
    """What a screen reader calls a button: as its action, Play or Pause."""
    button.setAccessibleName(plain(action.text()))


def tempo_words(tempo_map: TempoMap, tick: int) -> str:
    """What holds at a tick: "90 bpm  3/4"; the metre only where there is one."""
    tr = QCoreApplication.translate
    words = "" if tempo_map.is_smpte else tr("TransportBar", "{0:.4g} bpm").format(60e6 / tempo_map.tempo_at(tick))
    if tempo_map.has_metre:
        metre = tempo_map.metre_at(tick)
        words += f"  {metre.numerator}/{metre.denominator}"
    return words.strip() or tr("TransportBar", "no tempo")


def snap_words(snap: Snap) -> str:
    """ "1/8T", "Adaptive", "No snap"."""
    if not snap.isalpha():
        return snap.upper()
    tr = QCoreApplication.translate
    return tr("TransportBar", "No snap") if snap == "off" else tr("TransportBar", snap.capitalize())
