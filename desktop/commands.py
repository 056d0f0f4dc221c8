"""Commands: changes of the session that take more than one call: takes taken further, notes that are clicked."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from core.errors import ContinuoError
from core.session.edits import note_at
from core.session.forks import accept_take
from core.session.session import Session
from desktop.continuing import Continuing
from desktop.document import Document
from desktop.file_worker import FileWorker, Task
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.view import PianoRoll
from desktop.playback import Playback
from desktop.player_hub import PlayerHub
from desktop.roll_parts import RollParts, session_ref

KEY_VELOCITY = 80  # of the keyboard beside the roll


class Commands(QObject):
    """What panels and menus ask for. What cannot be is said in a sentence, and `refused`."""

    said = Signal(str)
    refused = Signal()  # a panel shows what was wished, not what is

    def __init__(
        self,
        document: Document,
        continuing: Continuing,
        playback: Playback,
        hub: PlayerHub,
        roll: PianoRoll,
        parts: RollParts,
        files: FileWorker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._continuing, self._playback = document, continuing, playback
        self._hub, self._roll, self._parts, self._files = hub, roll, parts, files
        self._pressed: dict[NoteRef | int, tuple[int, int]] = {}  # what is held down: pitch and channel

    def change(self, name: str, change: Callable[[Session], Session], merge: str = "") -> None:
        """Change the session, with a name for Undo; what cannot be is told."""
        try:
            self._document.do(name, change(self._document.session), merge)
        except ContinuoError as error:
            self.said.emit(str(error))
            self.refused.emit()

    def attempt(self, deed: Callable[[str], object], take_id: str) -> None:
        """Do something with a take; what cannot be is told."""
        try:
            deed(take_id)
        except ContinuoError as error:
            self.said.emit(str(error))

    def select_take(self, take_id: str) -> None:
        """Show a take, and hear it from now on."""
        if take_id != self._document.session.current:
            self.attempt(lambda take: self._document.amend(self._document.session.select_take(take)), take_id)

    def fork_take(self, take_id: str) -> None:
        """Continue a take from its note that is selected, else from the playhead if it stands in it, else its end."""
        session = self._document.session
        take = next((take for take in session.takes if take.id == take_id), None)
        if take is None:
            return
        chosen = [ref for ref in map(session_ref, self._roll.selection()) if ref.part == take_id]
        notes = [note for ref in chosen if (note := note_at(session, ref)) is not None]
        inside = self._playback.position - take.marker
        otherwise = inside if 0 < inside < take.seconds else take.seconds
        at = max((note.end for note in notes), default=otherwise)
        self.attempt(lambda take_id: self._continuing.fork(take_id, at), take_id)

    def fork_here(self) -> None:
        """Continue the take of the notes selected, else the current one."""
        parts = [ref.part for ref in map(session_ref, self._roll.selection()) if isinstance(ref.part, str)]
        self.fork_take(parts[0] if parts else self._document.session.current)

    def accept(self, take_id: str) -> None:
        """Make a take part of the score. Reading the new score takes a while, so not on this thread."""
        session = self._document.session

        def work(task: Task) -> Session:
            accepted = accept_take(session, take_id)
            self._parts.prepare(accepted)
            return accepted

        def done(accepted: Session) -> None:
            if self._document.session is session:
                self._document.do(self.tr("Make {0} part of the score").format(session.take(take_id).name), accepted)
            else:  # something was changed meanwhile
                self.accept(take_id)

        self._files.run(self.tr("Making the take part of the score"), work, done, self.said.emit)

    # Notes that are clicked

    def press_note(self, ref: NoteRef) -> None:
        """Sound a note of the roll."""
        session, at = self._document.session, session_ref(ref)
        note = note_at(session, at)
        if note is not None:
            score = session.score
            channel = score.tracks[at.part].channel if score is not None and isinstance(at.part, int) else 0
            self._press(ref, note.pitch, note.velocity, channel)

    def press_key(self, pitch: int) -> None:
        """Sound a key of the keyboard."""
        self._press(pitch, pitch, KEY_VELOCITY, 0)

    def _press(self, key: NoteRef | int, pitch: int, velocity: int, channel: int) -> None:
        self._pressed[key] = pitch, channel
        self._hub.note(pitch, velocity, channel)

    def release(self, key: NoteRef | int) -> None:
        """End what was pressed."""
        if key in self._pressed:
            pitch, channel = self._pressed.pop(key)
            self._hub.note(pitch, 0, channel)

    def play_from(self, ref: NoteRef) -> None:
        """Play from a note on."""
        note = note_at(self._document.session, session_ref(ref))
        part = session_ref(ref).part
        if note is not None:
            take = next((take for take in self._document.session.takes if take.id == part), None)
            self._playback.play(note.start + (take.marker if take else 0.0))
