"""QuantiseDialog: asks where notes are to go on a grid, and how far."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from core.session.edits_quantise import QUANTISE_GRIDS, STRAIGHT, Edges, Quantisation
from desktop.widgets.fields import SliderSpin
from desktop.widgets.palettes import DropDown

_GRID = "The lines that notes move to the nearest of."
_WHAT = "Starts alone: notes keep their lengths."
_STRENGTH = "How far notes move, in per cent of the way to the line."
_SWING = "Where the second of two lines lies, in per cent: 50 is straight, 67 as triplets."
_WHATS: tuple[tuple[Edges, str], ...] = (
    ("starts", "Where notes start"),
    ("ends", "Where notes end"),
    ("both", "Starts and ends"),
)


class QuantiseDialog(QDialog):
    """Asks how to move so many notes to a grid; `wanted` is the answer. `changed` tells of every change of it.

    `listened` tells whether the notes are to be heard so.
    """

    changed = Signal()
    listened = Signal(bool)

    def __init__(
        self, notes: int, first: Quantisation | None = None, is_shown: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Quantise"))
        first = first or Quantisation()
        words = (
            self.tr("Move 1 note to the grid.") if notes == 1 else self.tr("Move {0} notes to the grid.").format(notes)
        )
        if not is_shown:
            words += self.tr(" There are too many to show beforehand what becomes of them.")
        label = QLabel(words)
        label.setWordWrap(True)
        self.choice = self._drop_down(
            self.tr("Grid"), _GRID, [(grid, grid_words(grid)) for grid in QUANTISE_GRIDS], first.grid
        )
        self.what = self._drop_down(self.tr("What moves"), _WHAT, _WHATS, first.what)
        self.strength = self._slider(self.tr("Strength"), _STRENGTH, 0, 100, first.strength)
        self.swing = self._slider(self.tr("Swing"), _SWING, STRAIGHT, 80, first.swing)
        buttons = QDialogButtonBox()
        self.accept_button = buttons.addButton(self.tr("Quantise"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setToolTip(self.tr("Move the notes so. It can be undone."))
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.listen = buttons.addButton(self.tr("&Listen"), QDialogButtonBox.ButtonRole.ActionRole)
        self.listen.setToolTip(self.tr("Hear the bars of these notes as they would be, again and again."))
        self.listen.setAutoDefault(False)
        self.listen.setCheckable(True)
        self.listen.setEnabled(is_shown)
        self.listen.toggled.connect(self.listened)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow(self.tr("Grid"), self.choice)
        form.addRow(self.tr("Move"), self.what)
        form.addRow(self.tr("Strength, %"), self.strength)
        form.addRow(self.tr("Swing, %"), self.swing)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(label)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.choice.setFocus()
        self._enable()

    def _drop_down(self, name: str, tip: str, entries: Sequence[tuple[str, str]], now: str) -> DropDown:
        choice = DropDown()
        for value, words in entries:
            choice.addItem(words, value)
        choice.setCurrentIndex(max(choice.findData(now), 0))
        choice.setAccessibleName(name)
        choice.setAccessibleDescription(tip)
        choice.setToolTip(tip)
        choice.currentIndexChanged.connect(self._on_change)
        return choice

    def _slider(self, name: str, tip: str, least: int, most: int, now: int) -> SliderSpin:
        slider = SliderSpin(least, most, most, 1, name, tip)
        slider.show_value(now)
        slider.value_changed.connect(self._on_change)
        return slider

    def _on_change(self) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.swing.setEnabled(not self.choice.currentData().endswith("t"))

    @property
    def wanted(self) -> Quantisation:
        """What is chosen."""
        strength, swing = round(self.strength.spin.value()), round(self.swing.spin.value())
        return Quantisation(self.choice.currentData(), self.what.currentData(), strength, swing)


def grid_words(grid: str) -> str:
    """ "1/8 notes", "1/8 triplets"."""
    tr = QCoreApplication.translate
    words = tr("QuantiseDialog", "{0} triplets") if grid.endswith("t") else tr("QuantiseDialog", "{0} notes")
    return words.format(grid.removesuffix("t"))
