"""TrackDialog: asks what a track is called and how it sounds."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from core.midi.messages import DEFAULT_PAN
from core.midi.meta_edits import track_pan, track_volume
from core.midi.score import Score, Track
from core.session.session import LONGEST_NAME
from desktop.widgets.fields import SliderSpin
from desktop.widgets.palettes import DropDown

_FAMILY = 8  # instruments of General MIDI
_WIDTH = 38  # characters


class TrackDialog(QDialog):
    """Name, General MIDI instrument, volume and pan of a track; `changes` is the answer once accepted."""

    def __init__(self, score: Score, track: Track, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Edit track"))
        volume, pan = track_volume(score, track), track_pan(score, track)
        self._before = {"name": track.name, "program": track.program, "volume": volume, "pan": pan}
        self.name = QLineEdit(track.name)
        self.name.setMaxLength(LONGEST_NAME)
        self.name.setAccessibleName(self.tr("Name"))
        self.name.setToolTip(self.tr("What the track is called, in saved files too."))
        self.instrument = self._instruments(track)
        self.volume = _slider(0, 127, volume, self.tr("Volume"), self.tr("0 is silent; files begin with 100."))
        self.pan = _slider(-64, 63, pan - DEFAULT_PAN, self.tr("Pan"), self.tr("Below 0 is left, above it right."))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.name.textChanged.connect(lambda text: ok.setEnabled(bool(text.strip())))
        form = QFormLayout()
        for words, field in (
            (self.tr("Name"), self.name),
            (self.tr("Instrument"), self.instrument),
            (self.tr("Volume"), self.volume),
            (self.tr("Pan"), self.pan),
        ):
            form.addRow(words, field)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        sharing = [other.name for other in score.tracks if other.place == track.place and other is not track]
        if sharing:
            words = QLabel(self.tr("Plays on one channel with {0}: they sound alike.").format(", ".join(sharing)))
            words.setTextFormat(Qt.TextFormat.PlainText)
            words.setWordWrap(True)
            layout.addWidget(words)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.resize(_WIDTH * self.fontMetrics().averageCharWidth() + 120, self.sizeHint().height())
        self.name.setFocus()
        self.name.selectAll()

    def changes(self) -> dict[str, Any]:
        """What is other than before, as `core.session.edits_song.change_track` takes it."""
        now = {
            "name": self.name.text(),
            "program": self.instrument.currentData() if self.instrument.isEnabled() else self._before["program"],
            "volume": round(self.volume.spin.value()),
            "pan": round(self.pan.spin.value()) + DEFAULT_PAN,
        }
        return {key: value for key, value in now.items() if value != self._before[key]}

    def _instruments(self, track: Track) -> DropDown:
        """The instruments of General MIDI, in its families of eight; a drum kit stays what it is."""
        import pretty_midi  # here: it takes 0.1 s

        tip = self.tr("The General MIDI instrument of the track's channel.")
        box = DropDown()
        box.setAccessibleName(self.tr("Instrument"))
        box.setMaxVisibleItems(20)
        box.setEnabled(not track.is_percussion)
        for program in range(128):
            if program and program % _FAMILY == 0:
                box.insertSeparator(box.count())
            box.addItem(f"{program + 1}  {pretty_midi.program_to_instrument_name(program)}", program)
        box.setCurrentIndex(box.findData(track.program))
        if track.is_percussion:
            box.addItem(self.tr("Drums"))
            box.setCurrentIndex(box.count() - 1)
            tip = self.tr("Drums stay drums.")
        box.setToolTip(tip)
        box.setAccessibleDescription(tip)
        return box


def _slider(least: int, most: int, value: int, name: str, tip: str) -> SliderSpin:
    field = SliderSpin(least, most, most, 1, name, tip)
    field.show_value(value)
    return field
