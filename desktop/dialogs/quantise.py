"""QuantiseDialog: asks for the grid to move notes to."""

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from core.session.edits import QUANTISE_GRIDS
from desktop.widgets.palettes import DropDown

DEFAULT_GRID = "1/16"
_TIP = "The notes' starts move to the nearest of these lines; their lengths stay as they are."


class QuantiseDialog(QDialog):
    """Asks for one of `edits.QUANTISE_GRIDS` to move so many notes to; `grid` is the answer once accepted."""

    def __init__(self, notes: int, grid: str = DEFAULT_GRID, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Quantise")
        words = QLabel(f"Move the {'start of 1 note' if notes == 1 else f'starts of {notes} notes'} to the grid.")
        self.choice = DropDown()
        for each in QUANTISE_GRIDS:
            self.choice.addItem(grid_words(each), each)
        self.choice.setCurrentIndex(max(self.choice.findData(grid), 0))
        self.choice.setAccessibleName("Grid")
        self.choice.setAccessibleDescription(_TIP)
        self.choice.setToolTip(_TIP)
        buttons = QDialogButtonBox()
        self.accept_button = buttons.addButton("Quantise", QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setToolTip("Move the notes to these lines. It can be undone.")
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow("Grid", self.choice)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(words)
        layout.addLayout(form)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.choice.setFocus()

    @property
    def grid(self) -> str:
        """The grid chosen."""
        return self.choice.currentData()


def grid_words(grid: str) -> str:
    """ "1/8 notes", "1/8 triplets"."""
    return f"{grid.removesuffix('t')} {'triplets' if grid.endswith('t') else 'notes'}"
