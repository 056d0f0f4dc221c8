"""Editing: the notes selected in the roll, changed in the session, with a name for Undo."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from core.session import edits
from core.session.edits import Chosen, Edited
from core.session.session import Session
from desktop.collector import what_stays
from desktop.document import Document
from desktop.file_worker import FileWorker
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from desktop.roll_parts import RollParts, roll_key, session_part

MOST_AT_ONCE = 2000  # notes selected, or in the parts they are of, that are edited on the GUI thread

_Edit = Callable[[Session, Chosen], Edited]


class Editing(QObject):
    """Edits of notes. Large ones are made on the file worker's thread."""

    said = Signal(str)

    def __init__(
        self, document: Document, roll: PianoRoll, parts: RollParts, files: FileWorker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._roll, self._parts, self._files = document, roll, parts, files
        roll.delete_requested.connect(self.delete)
        roll.moved.connect(self.move)

    def undo(self) -> None:
        """Take back the last step."""
        self._step(self._document.undo)

    def redo(self) -> None:
        """Do again the last step that was taken back."""
        self._step(self._document.redo)

    def _step(self, step: Callable[[], None]) -> None:
        """Go a step of the history, and select the notes that it brings: where they stand now, they are others."""
        before = self._document.session
        step()
        brought = edits.new_notes(before, self._document.session)
        if brought is not None:
            self._select(brought)

    def delete(self, notes: Selection) -> None:
        """Delete notes."""
        name = self.tr("Delete note") if len(notes) == 1 else self.tr("Delete {0} notes").format(len(notes))
        self._edit(name, notes, edits.delete)

    def transpose(self, semitones: int) -> None:
        """Move the selected notes up or down."""
        self._edit(
            self.tr("Transpose"), self._roll.selection, lambda s, c: edits.transpose(s, c, semitones), "transpose"
        )

    def move(self, notes: Selection, seconds: float, semitones: int) -> None:
        """Move notes in time and pitch, as they were dragged."""

        def edit(session: Session, chosen: Chosen) -> Edited:
            if not seconds:
                return edits.transpose(session, chosen, semitones)
            moved = edits.nudge_seconds(session, chosen, seconds)
            return edits.transpose(*moved, semitones) if semitones else moved

        name = self.tr("Move notes") if seconds and semitones else self.tr("Nudge") if seconds else self.tr("Transpose")
        self._edit(name, notes, edit, name)

    def quantise(self, grid: str) -> None:
        """Move the selected notes to a grid."""
        self._edit(
            self.tr("Quantise to {0}").format(grid), self._roll.selection, lambda s, c: edits.quantise(s, c, grid)
        )

    def _edit(self, name: str, notes: Selection, edit: _Edit, merge: str = "") -> None:
        if not len(notes):
            return
        session = self._document.session
        chosen = {session_part(key): indices for key, indices in notes.indices.items()}
        if sum(len(edits.part_notes(session, part)) for part in chosen) <= MOST_AT_ONCE:
            # Key presses on the same notes count as one step: the notes are part of what they merge by.
            self._finish(name, edit(session, chosen), f"{merge} {len(notes)} {min(notes.indices)}" if merge else "")
            return

        def work(task: object) -> Edited:
            with what_stays():
                edited = edit(session, chosen)
                self._parts.prepare(edited.session)
            return edited

        def done(edited: Edited) -> None:
            if self._document.session is session:
                self._finish(name, edited, "")
            else:
                self.said.emit(self.tr("The notes were changed meanwhile: please do that once more."))

        self._files.run(name, work, done)

    def _finish(self, name: str, edited: Edited, merge: str) -> None:
        self._document.do(name, edited.session, merge)
        self._select(edited.chosen)

    def _select(self, chosen: Chosen) -> None:
        indices = {roll_key(part): places for part, places in chosen.items()}
        self._roll.select_indices(indices, {}, Qt.KeyboardModifier.NoModifier)
