"""Quantising: asks how, and while it asks shows in the roll what becomes of the notes, and lets it be heard."""

from PySide6.QtWidgets import QWidget

from core.session import edits
from core.session.edits_quantise import Quantisation, quantise
from core.session.session import Session
from desktop.controllers.document import Document
from desktop.controllers.edit_queue import MOST_AT_ONCE
from desktop.controllers.editing import Editing
from desktop.controllers.roll import RollDisplay
from desktop.controllers.roll_parts import as_chosen, as_selection
from desktop.controllers.transport import TransportController
from desktop.dialogs.quantise import QuantiseDialog
from desktop.piano_roll.view import PianoRoll


class Quantising:
    """The command Quantise. It begins with what was chosen last."""

    def __init__(
        self,
        document: Document,
        roll: PianoRoll,
        editing: Editing,
        display: RollDisplay,
        transport: TransportController,
        window: QWidget,
    ) -> None:
        self._document, self._roll, self._editing, self._display = document, roll, editing, display
        self._transport, self._window = transport, window
        self._last = Quantisation()

    def ask(self) -> None:
        """Ask, and move the selected notes. Nothing is changed before the answer."""
        notes = self._roll.selection
        if not len(notes):
            return
        chosen = as_chosen(notes)
        parts = sum(len(edits.part_notes(self._document.session, part)) for part in chosen)
        is_shown = parts <= MOST_AT_ONCE
        dialog = QuantiseDialog(len(notes), self._last, is_shown, self._window)

        def show() -> None:
            wanted = dialog.wanted

            def edit(session: Session) -> Session:
                return quantise(session, chosen, wanted).session

            moved = quantise(self._document.session, chosen, wanted)
            self._display.preview(edit)
            self._roll.select(as_selection(moved.chosen), brings_forward=True)
            self._transport.go_on_with(moved.session)

        def listen(is_on: bool) -> None:
            if is_on:
                moved = quantise(self._document.session, chosen, dialog.wanted)
                self._transport.play_around(moved.session, bars)
            else:
                self._transport.end_around()

        if is_shown:
            bars = self._bars()
            dialog.listen.setEnabled(not self._transport.is_sampling)
            dialog.listened.connect(listen)
            dialog.changed.connect(show)
            show()
        try:
            is_wanted = dialog.exec()
        finally:
            self._transport.end_around()
            self._transport.go_on_with(self._document.session)
            self._display.preview(None)
            self._roll.select(notes, brings_forward=True)
        if is_wanted:
            self._last = dialog.wanted
            self._editing.quantise(self._last)

    def _bars(self) -> tuple[float, float]:
        """From the bar that the selected notes begin in to the end of the one that they end in; seconds."""
        start, end, *_ = self._roll.overlays.selected
        first, last, tempo_map = float(start.min()), float(end.max()), self._document.session.tempo_map
        if not tempo_map.has_metre:
            return first, last
        begin, _ = tempo_map.bar_around(tempo_map.tick(first))
        _, after = tempo_map.bar_around(tempo_map.tick(max(last - 0.001, first)))
        return tempo_map.seconds(begin), tempo_map.seconds(after)
