"""ExportDialog: asks how sound is to be written."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from core.session.export import SAMPLE_RATES, SOUND_FORMAT, SoundFormat
from desktop.widgets.palettes import DropDown

_TIPS = {
    "normalise": "Make it as loud as it can be without distortion: the loudest moment comes to -1 dB.",
    "rate": "44.1 kHz is that of CDs, 48 kHz that of films and of most projects.",
    "bits": "16 bit is for listening, 24 bit for working on.",
}


class ExportDialog(QDialog):
    """Asks for a SoundFormat, `first` until another is chosen; `form` is the answer once accepted. `words` say what is
    written.
    """

    def __init__(self, parent: QWidget | None = None, words: str = "", first: SoundFormat = SOUND_FORMAT) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export Audio"))
        self.words = QLabel(words)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.words.setVisible(bool(words))
        self.normalise = QCheckBox(self.tr("&Normalise"))
        self.normalise.setChecked(first.is_normalised)
        self.normalise.setToolTip(self.tr(_TIPS["normalise"]))
        self.normalise.setAccessibleDescription(self.tr(_TIPS["normalise"]))
        self.rate, self.bits = DropDown(), DropDown()
        for rate in SAMPLE_RATES:
            self.rate.addItem(self.tr("{0:g} kHz").format(rate / 1000), rate)
        for bits in (16, 24):
            self.bits.addItem(self.tr("{0} bit").format(bits), bits)
        form = QFormLayout()
        for box, name, label, chosen in (
            (self.rate, "rate", self.tr("Sample &rate"), first.sample_rate),
            (self.bits, "bits", self.tr("&Resolution"), first.bits),
        ):
            box.setCurrentIndex(box.findData(chosen))
            box.setToolTip(self.tr(_TIPS[name]))
            box.setAccessibleName(label.replace("&", ""))
            box.setAccessibleDescription(self.tr(_TIPS[name]))
            form.addRow(label, box)
        buttons = QDialogButtonBox()
        export = buttons.addButton(self.tr("Export …"), QDialogButtonBox.ButtonRole.AcceptRole)
        export.setToolTip(self.tr("Choose where to, and write the file."))
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.words)
        layout.addLayout(form)
        layout.addWidget(self.normalise)
        layout.addStretch(1)
        layout.addWidget(buttons)

    @property
    def form(self) -> SoundFormat:
        """What was chosen."""
        return SoundFormat(self.rate.currentData(), self.bits.currentData(), self.normalise.isChecked())
