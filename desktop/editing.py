"""Editing: the notes selected in the roll, changed in the session, with a name for Undo."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, Signal

from core.session import edits
from core.session.edits import Edited
from core.session.session import Session
from desktop.document import Document
from desktop.file_worker import FileWorker
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from desktop.roll_parts import RollParts, roll_ref, session_ref

MOST_AT_ONCE = 2000  # notes selected, or in the parts they are of, that are edited on the GUI thread

Refs = Sequence[NoteRef]
_Edit = Callable[[Session, list[edits.NoteRef]], Edited]


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
            parts = {roll_ref(edits.NoteRef(part, 0)).part: indices for part, indices in brought.items()}
            self._roll.select_indices(parts, {}, Qt.KeyboardModifier.NoModifier)

    def delete(self, refs: Refs) -> None:
        """Delete notes."""
        self._edit(self._name(refs, self.tr("Delete note"), self.tr("Delete {0} notes")), refs, edits.delete)

    def transpose(self, semitones: int) -> None:
        """Move the selected notes up or down."""
        refs = self._roll.selection()
        self._edit(self.tr("Transpose"), refs, lambda s, r: edits.transpose(s, r, semitones), "transpose")

    def move(self, refs: Refs, seconds: float, semitones: int) -> None:
        """Move notes in time and pitch, as they were dragged."""

        def edit(session: Session, chosen: list[edits.NoteRef]) -> Edited:
            moved = Edited(session, frozenset(chosen))
            if seconds:
                moved = edits.nudge_seconds(moved.session, moved.selection, seconds)
            if semitones:
                moved = edits.transpose(moved.session, moved.selection, semitones)
            return moved

        name = self.tr("Move notes") if seconds and semitones else self.tr("Nudge") if seconds else self.tr("Transpose")
        self._edit(name, refs, edit, name)

    def quantise(self, grid: str) -> None:
        """Move the selected notes to a grid."""
        self._edit(
            self.tr("Quantise to {0}").format(grid), self._roll.selection(), lambda s, r: edits.quantise(s, r, grid)
        )

    def _name(self, refs: Refs, one: str, many: str) -> str:
        return one if len(refs) == 1 else many.format(len(refs))

    def _edit(self, name: str, refs: Refs, edit: _Edit, merge: str = "") -> None:
        if not refs:
            return
        session = self._document.session

        def made() -> tuple[Session, Selection]:
            edited = edit(session, [session_ref(ref) for ref in refs])
            return edited.session, Selection.of(map(roll_ref, edited.selection))

        keys = {ref.part for ref in refs}
        involved = sum(len(edits.part_notes(session, session_ref(NoteRef(key, 0)).part)) for key in keys)
        if involved <= MOST_AT_ONCE:
            # Key presses on the same notes count as one step: the notes are part of what they merge by.
            self._finish(name, *made(), f"{merge} {len(refs)} {min(keys)}" if merge else "")
            return

        def work(task: object) -> tuple[Session, Selection]:
            edited, selection = made()
            self._parts.prepare(edited)
            return edited, selection

        def done(result: tuple[Session, Selection]) -> None:
            if self._document.session is session:
                self._finish(name, *result, "")
            else:
                self.said.emit(self.tr("The notes were changed meanwhile: please do that once more."))

        self._files.run(name, work, done)

    def _finish(self, name: str, edited: Session, selection: Selection, merge: str) -> None:
        self._document.do(name, edited, merge)
        self._roll.select_indices(selection.indices, {}, Qt.KeyboardModifier.NoModifier)
