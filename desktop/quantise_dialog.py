"""QuantiseDialog: asks for the grid to move notes to."""

from PySide6.QtWidgets import QDialog, QWidget

from core.session.edits import GRIDS


class QuantiseDialog(QDialog):
    """Asks for one of `core.session.edits.GRIDS`; `grid` is the answer once accepted."""

    def __init__(self, notes: int, grid: str = GRIDS[0], parent: QWidget | None = None) -> None:
        super().__init__(parent)

    @property
    def grid(self) -> str:
        """The grid chosen."""
        return GRIDS[0]
