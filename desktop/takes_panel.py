"""TakesPanel: each continuation as a card, to hear, keep, take further or drag away."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from core.midi.write import TakeNote
from core.session.session import TakeRecord


class TakesPanel(QWidget):
    """The takes of a session. `export_for_drag(id)` writes one as .mid and returns where."""

    selected = Signal(str)
    hear = Signal(str)
    renamed = Signal(str, str)
    starred = Signal(str, bool)
    duplicated = Signal(str)
    deleted = Signal(str)
    fork_requested = Signal(str)
    regenerate_requested = Signal(str)
    accept_requested = Signal(str)
    problem = Signal(str)  # a sentence: a card could not be dragged out

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.export_for_drag: Callable[[str], Path] | None = None

    def show_takes(self, takes: Sequence[TakeRecord], current: str | None) -> None:
        """Show the takes of a session; growing cards stay until `end_growing` or a take with their id."""

    def show_growing(self, take_id: str, notes: Sequence[TakeNote], seconds: float) -> None:
        """Show a take in the making: all its notes so far, and its length so far."""

    def end_growing(self) -> None:
        """Remove the cards of takes in the making."""
