"""TempoDialog: asks for tempo and metre, and from where on they hold."""

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.midi.tempo_map import TempoMap
from core.session.edits_song import DENOMINATORS, FASTEST, LONGEST_BAR, SLOWEST
from desktop.widgets.fields import PlainSpin
from desktop.widgets.palettes import DropDown


class TempoDialog(QDialog):
    """Asks for tempo and metre from the beginning, or from the bar around a tick on; from the tick if the tempo changes
    there, within the bar.

    Once accepted, `tick` is from where on, `bpm` quarters a minute and `metre` (numerator, denominator), both None
    where they are to stay as they are. `is_there`: from that bar on, unless something else is chosen. `is_removed` says
    that the change at `tick` is to go.
    """

    def __init__(self, tempo_map: TempoMap, tick: int, parent: QWidget | None = None, is_there: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Tempo and metre"))
        self._map = tempo_map
        self._there: tuple[float, tuple[int, int]] | None = None  # tempo and metre at the place chosen before
        bar, beat = tempo_map.bar_beat_read(tick) if tempo_map.has_metre else (0, 0.0)
        self._later = tempo_map.bar_tick(bar) if tempo_map.has_metre else tick
        self._is_in_bar = is_there and tick > self._later and any(tempo.tick == tick for tempo in tempo_map.tempos)
        where = self.tr("Bar {0}").format(bar + 1) if tempo_map.has_metre else self.tr("The playhead")
        if self._is_in_bar:
            self._later, where = tick, self.tr("Bar {0}, beat {1:g}").format(bar + 1, round(beat + 1, 2))
        self.from_start = QRadioButton(self.tr("The beginning"))
        self.from_here = QRadioButton(where)
        self.from_start.setChecked(not (is_there and self._later))
        self.from_here.setChecked(is_there and self._later > 0)
        self.is_removed = False
        self.tempo = PlainSpin()
        self.tempo.setRange(SLOWEST, FASTEST)
        self.tempo.setAccessibleName(self.tr("Tempo"))
        self.tempo.setEnabled(not tempo_map.is_smpte)
        self.has_bars = QCheckBox(self.tr("Bars"))
        self.has_bars.setChecked(True)
        self.has_bars.setVisible(not tempo_map.has_metre)
        self.beats = QSpinBox()
        self.beats.setRange(1, LONGEST_BAR)
        self.beats.setAccessibleName(self.tr("Beats in a bar"))
        self.unit = DropDown()
        for denominator in DENOMINATORS:
            self.unit.addItem(str(denominator), denominator)
        self.unit.set_name(self.tr("Note value of a beat"))
        self._explain()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.remove = buttons.addButton(self.tr("Remove Change"), QDialogButtonBox.ButtonRole.DestructiveRole)
        self.remove.setToolTip(self.tr("What holds before this place goes on behind it."))
        self.remove.clicked.connect(self._remove)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(self._form())
        words = QLabel(self.tr("They hold up to the next change. Notes keep their places in the bars."))
        words.setWordWrap(True)
        layout.addWidget(words)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.from_start.toggled.connect(self._show_there)
        self.has_bars.toggled.connect(self._show_there)
        self._show_there()
        self.tempo.setFocus()
        self.tempo.selectAll()

    def _explain(self) -> None:
        for widget, tip in (
            (self.from_start, self.tr("Change what the song begins with.")),
            (self.from_here, self.tr("Change it where the playhead stands, up to the next change.")),
            (self.tempo, self.tr("Quarter notes a minute.")),
            (self.has_bars, self.tr("The file says nothing of bars: give it some.")),
            (self.beats, self.tr("How many beats a bar has.")),
            (self.unit, self.tr("Which note value a beat is: 4 is a quarter, 8 an eighth.")),
        ):
            widget.setToolTip(tip)
            widget.setAccessibleDescription(tip)

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        places = QHBoxLayout()
        is_choice = self._later > 0
        for button in (self.from_start, self.from_here):
            places.addWidget(button)
            button.setVisible(is_choice)
        if not is_choice:
            places.addWidget(QLabel(self.from_start.text()))
        places.addStretch(1)
        form.addRow(self.tr("From"), places)
        tempo = QHBoxLayout()
        tempo.addWidget(self.tempo)
        tempo.addWidget(QLabel(self.tr("bpm")))
        tempo.addStretch(1)
        form.addRow(self.tr("Tempo"), tempo)
        metre = QHBoxLayout()
        for widget in (self.has_bars, self.beats, QLabel("/"), self.unit):
            metre.addWidget(widget)
        metre.addStretch(1)
        form.addRow(self.tr("Metre"), metre)
        return form

    def _remove(self) -> None:
        self.is_removed = True
        self.accept()

    def _show_there(self) -> None:
        """What holds at the place that is chosen now; what was set is kept."""
        changes = (*self._map.tempos, *self._map.metres)
        self.remove.setVisible(self.tick > 0 and any(change.tick == self.tick for change in changes))
        metre = self._map.metre_at(self.tick)
        if self._there is None or self.tempo.value() == self._there[0]:
            self.tempo.setValue(self._bpm_there)
        if self._there is None or (self.beats.value(), self.unit.currentData()) == self._there[1]:
            self.beats.setValue(metre.numerator)
            self.unit.setCurrentIndex(max(self.unit.findData(metre.denominator), 0))
        self._there = self._bpm_there, (metre.numerator, metre.denominator)
        for part in (self.beats, self.unit):  # a metre begins with a bar
            part.setEnabled(self.has_bars.isChecked() and not (self._is_in_bar and self.from_here.isChecked()))

    @property
    def _bpm_there(self) -> float:
        return round(60e6 / self._map.tempo_at(self.tick), 2)

    @property
    def tick(self) -> int:
        """From where on."""
        return 0 if self.from_start.isChecked() else self._later

    @property
    def bpm(self) -> float | None:
        """Quarters a minute; None: as it is."""
        return self.tempo.value() if self.tempo.isEnabled() and self.tempo.value() != self._bpm_there else None

    @property
    def metre(self) -> tuple[int, int] | None:
        """Numerator and denominator; None: as it is."""
        if not self.beats.isEnabled():
            return None
        chosen, there = (self.beats.value(), self.unit.currentData()), self._map.metre_at(self.tick)
        is_same = self._map.has_metre and chosen == (there.numerator, there.denominator)
        return None if is_same else chosen
