"""Editing: the notes selected in the roll, changed in the session, with a name for Undo."""

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.errors import ContinuoError
from core.midi.score import TrackKey
from core.session import assembly, edits, edits_notes, edits_pitch, edits_velocity
from core.session.edits import Chosen, Edited
from core.session.edits_quantise import Quantisation, quantise
from core.session.session import Session
from desktop.adapters.gc_pause import gc_frozen
from desktop.adapters.task_worker import TaskWorker
from desktop.controllers import edit_queue
from desktop.controllers.document import Document
from desktop.controllers.edit_queue import Edit, EditQueue, EditRequest, Repeated
from desktop.controllers.roll_parts import RollParts, as_chosen, as_selection, session_part
from desktop.piano_roll.notes import RollNote
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll


class Editing(QObject):
    """Edits of notes. Large ones are made on the file worker's thread."""

    message = Signal(str)

    def __init__(
        self, document: Document, roll: PianoRoll, parts: RollParts, files: TaskWorker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._roll, self._parts, self._files = document, roll, parts, files
        self._queue = EditQueue(document, parts, files, self._show, lambda: as_chosen(roll.selection), self._tell)
        roll.delete_requested.connect(self.delete)
        roll.moved.connect(self.move)
        roll.nudged.connect(self.nudge)
        roll.transposed.connect(self.transpose)
        roll.drawn.connect(self.draw)
        roll.resized.connect(self.resize)
        roll.lengthened.connect(self.lengthen)
        roll.split_requested.connect(self.split)
        roll.velocities_set.connect(self.set_velocities)
        roll.velocity_changed.connect(self.change_velocity)

    @property
    def in_front(self) -> TrackKey | None:
        """The track in front, which notes that are written into a take are of."""
        return self._parts.in_front

    def undo(self) -> None:
        """Take back the last step."""
        self._queue.do_after(partial(self._step, self._document.undo, lambda: self._document.undo_session))

    def redo(self) -> None:
        """Do again the last step that was taken back."""
        self._queue.do_after(partial(self._step, self._document.redo, lambda: self._document.redo_session))

    def _step(self, step: Callable[[], None], target: Callable[[], Session | None], ended: Callable[[], None]) -> None:
        """Go a step of the history, and select the notes that it brings: where they stand now, they are others."""
        before, after = self._document.session, target()
        if after is None:
            ended()
            return
        if sum(len(new) for _, _, new in edits.differing(before, after)) <= edit_queue.MOST_AT_ONCE:
            step()
            if (brought := edits.new_notes(before, after)) is not None:
                self._roll.select(as_selection(brought), brings_forward=True)
            ended()
            return

        def work(task: object) -> Selection:
            with gc_frozen():
                self._parts.prepare(after)
                return as_selection(edits.new_notes(before, after) or {})

        def done(brought: Selection) -> None:
            if self._document.session is before and target() is after:
                step()
                self._roll.select(brought, brings_forward=True)
            else:  # what was done since is not taken back unasked
                self._tell()
            ended()

        def failed(sentence: str) -> None:
            self._files.failed.emit(sentence)
            ended()

        self._files.run(self.tr("Undo or redo"), work, done, failed)

    def delete(self, notes: Selection) -> None:
        """Delete notes."""
        name = self.tr("Delete note") if len(notes) == 1 else self.tr("Delete {0} notes").format(len(notes))
        self._edit(name, notes, edits.delete)

    def transpose(self, notes: Selection, semitones: int) -> None:
        """Move notes up or down, as long as none leaves the range."""

        def edit(session: Session, chosen: Chosen, times: int) -> Edited:
            return edits_pitch.transpose_often(session, chosen, semitones, times)

        self._press(self.tr("Transpose"), notes, ("transpose", semitones), edit)

    def move(self, notes: Selection, ticks: float, rows: int) -> None:
        """Move notes in time and among the pitches that are shown, as they were dragged."""
        move = self._moving(ticks, rows)
        self._edit(self._name_of_move(ticks, rows), notes, lambda session, chosen: move(session, chosen, 1))

    def nudge(self, notes: Selection, ticks: float, rows: int) -> None:
        """The same by keys: presses that follow each other are one step."""
        kind = "move" if ticks else "rows"
        self._press(self._name_of_move(ticks, rows), notes, (kind, ticks, rows), self._moving(ticks, rows))

    def _moving(self, ticks: float, rows: int) -> Repeated:
        shown = self._roll.coordinates.rows.pitches

        def edit(session: Session, chosen: Chosen, times: int) -> Edited:
            if not ticks:
                return edits_pitch.transpose_by_rows(session, chosen, shown, rows * times)
            moved = edits.nudge(session, chosen, ticks * times)
            return edits_pitch.transpose_by_rows(*moved, shown, rows * times) if rows else moved

        return edit

    def _name_of_move(self, ticks: float, rows: int) -> str:
        return self.tr("Move notes") if ticks and rows else self.tr("Nudge") if ticks else self.tr("Transpose")

    def draw(self, key: str, note: RollNote) -> None:
        """Add a note to a part of the roll."""

        def edit(session: Session, chosen: Chosen) -> Edited:
            part = session_part(key)
            return edits_notes.draw(session, part, note.pitch, note.velocity, note.start, note.end, self.in_front)

        self.apply(self.tr("Draw note"), {session_part(key): []}, edit)

    def resize(self, notes: Selection, start_by: float, end_by: float) -> None:
        """Move starts and ends of notes by ticks."""
        self._edit(self._name_of_lengths(notes), notes, lambda s, c: edits_notes.resize(s, c, start_by, end_by))

    def lengthen(self, notes: Selection, start_by: float, end_by: float) -> None:
        """The same by keys."""

        def edit(session: Session, chosen: Chosen, times: int) -> Edited:
            return edits_notes.resize(session, chosen, start_by * times, end_by * times)

        self._press(self._name_of_lengths(notes), notes, ("lengthen", start_by, end_by), edit)

    def _name_of_lengths(self, notes: Selection) -> str:
        return self.tr("Change length") if len(notes) == 1 else self.tr("Change {0} lengths").format(len(notes))

    def split(self, notes: Selection, seconds: float) -> None:
        """Divide notes at a time."""
        self._edit(self.tr("Split"), notes, lambda s, c: edits_notes.split(s, c, seconds))

    def set_velocities(self, velocities: dict[str, tuple[Any, Any]]) -> None:
        """Give notes velocities: by part of the roll, their indices and as many velocities."""
        chosen = {session_part(key): indices for key, (indices, _) in velocities.items()}
        wanted = {session_part(key): values for key, (_, values) in velocities.items()}

        def edit(session: Session, now: Chosen) -> Edited:
            return edits_velocity.set_velocities(session, {part: (now[part], wanted[part]) for part in now})

        self.apply(self.tr("Velocity"), chosen, edit, selects=False)

    def change_velocity(self, notes: Selection, by: int) -> None:
        """Make notes louder by so much, or softer."""

        def edit(session: Session, chosen: Chosen, times: int) -> Edited:
            return edits_velocity.change_velocity(session, chosen, by * times)

        self._press(self.tr("Velocity"), notes, ("velocity", by), edit)

    def use_bars(self, take_id: str) -> None:
        """Put the selected span of the take that is shown into another take, and show that."""
        span, current = self._roll.span, self._document.session.current
        if span is None:
            self.message.emit(
                self.tr("Select the bars first: drag in the lower half of the ruler, or press I and O at their ends.")
            )
            return

        def edit(session: Session, chosen: Chosen) -> Edited:
            return assembly.use_bars(session, current, take_id, *span)

        try:
            self.apply(self.tr("Use bars"), {current: [], take_id: []}, edit)
        except ContinuoError as error:
            self.message.emit(str(error))

    def quantise(self, to: Quantisation) -> None:
        """Move the selected notes to a grid."""
        self._edit(self.tr("Quantise to {0}").format(to.grid), self._roll.selection, lambda s, c: quantise(s, c, to))

    def edit(self, name: str, edit: Edit) -> None:
        """Make an edit of the selected notes one step."""
        self._edit(name, self._roll.selection, edit)

    def _edit(self, name: str, notes: Selection, edit: Edit) -> None:
        """Make an edit of notes one step."""
        if len(notes):
            self.apply(name, as_chosen(notes), edit)

    def _press(self, name: str, notes: Selection, press: tuple[object, ...], edit: Repeated) -> None:
        """Make what a key does one step with what it does next to the same notes; see `EditRequest`."""
        if len(notes):
            self._queue.do(EditRequest(name, self._document.session, as_chosen(notes), edit, press))

    def apply(self, name: str, chosen: Chosen, edit: Edit, selects: bool = True, is_large: bool = False) -> None:
        """Make an edit of these notes one step, and select what it has chosen then, unless it leaves the selection.

        `is_large`: it takes long, however few the notes. Raises what a small edit raises.
        """

        def once(session: Session, notes: Chosen, times: int) -> Edited:
            return edit(session, notes)

        self._queue.do(EditRequest(name, self._document.session, chosen, once, selects=selects, is_large=is_large))

    def _show(self, chosen: Chosen) -> Selection:
        """Select what was edited, so that it is seen, whatever track is in front; of hidden ones say that they are."""
        self._roll.select(as_selection(chosen), brings_forward=True)
        self._roll.show_selected()
        session = self._document.session
        tracks = [part for part, places in chosen.items() if isinstance(part, int) and len(places)]
        hidden = [session.tracks[i].name for i in tracks if session.flags[i].hidden]
        if hidden:
            self.message.emit(
                self.tr("These notes are on a hidden track, {0}: its menu in the list of tracks shows it.").format(
                    ", ".join(hidden)
                )
            )
        return self._roll.selection

    def _tell(self, sentence: str = "") -> None:
        """Say why something was not done, and let lanes show what is."""
        self._roll.notes_changed.emit()
        self.message.emit(sentence or self.tr("Something was changed meanwhile: please do that once more."))
