"""Quantising: asks how, and shows in the roll what becomes of the notes while it asks."""

from PySide6.QtWidgets import QWidget

from core.session import edits
from core.session.edits_quantise import Quantisation, quantise
from core.session.session import Session
from desktop.controllers.document import Document
from desktop.controllers.notes import MOST_AT_ONCE, Editing, as_selection
from desktop.controllers.roll import RollDisplay
from desktop.controllers.roll_parts import session_part
from desktop.dialogs.quantise import QuantiseDialog
from desktop.piano_roll.view import PianoRoll


class Quantising:
    """The command Quantise. It begins with what was chosen last."""

    def __init__(
        self, document: Document, roll: PianoRoll, editing: Editing, display: RollDisplay, window: QWidget
    ) -> None:
        self._document, self._roll, self._editing, self._display = document, roll, editing, display
        self._window = window
        self._last = Quantisation()

    def ask(self) -> None:
        """Ask, and move the selected notes. Nothing is changed before the answer."""
        notes = self._roll.selection
        if not len(notes):
            return
        chosen = {session_part(key): indices for key, indices in notes.indices.items()}
        parts = sum(len(edits.part_notes(self._document.session, part)) for part in chosen)
        is_shown = parts <= MOST_AT_ONCE
        dialog = QuantiseDialog(len(notes), self._last, is_shown, self._window)

        def show() -> None:
            wanted = dialog.wanted

            def edit(session: Session) -> Session:
                return quantise(session, chosen, wanted).session

            self._display.preview(edit)
            self._roll.select(as_selection(quantise(self._document.session, chosen, wanted).chosen))

        if is_shown:
            dialog.changed.connect(show)
            show()
        try:
            is_wanted = dialog.exec()
        finally:
            self._display.preview(None)
            self._roll.select(notes)
        if is_wanted:
            self._last = dialog.wanted
            self._editing.quantise(self._last)
