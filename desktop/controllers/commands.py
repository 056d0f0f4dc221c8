"""Commands: changes that panels, menus and roll ask for: of takes, marker, loop, tempo."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

from core.errors import ContinuoError
from core.midi.score import TakeNote
from core.session.edits import note_at
from core.session.edits_song import with_metre, with_tempo
from core.session.forks import accept_take
from core.session.session import RestOfSong, Session, TakeRecord
from desktop.adapters.gc_pause import gc_frozen
from desktop.adapters.task_worker import Task, TaskWorker
from desktop.controllers.document import Document
from desktop.controllers.generation import GenerationController
from desktop.controllers.roll_parts import RollParts, roll_key, session_part, session_ref
from desktop.controllers.transport import TransportController
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.view import PianoRoll


class Commands(QObject):
    """What cannot be done is told in a sentence, and `refused`."""

    message = Signal(str)
    refused = Signal()  # a change, which a panel may show as if it were made
    rereading = Signal(bool)  # the song's file is being read anew, or all that was to be read has been

    def __init__(
        self,
        document: Document,
        generation: GenerationController,
        transport: TransportController,
        roll: PianoRoll,
        parts: RollParts,
        files: TaskWorker,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._generation, self._transport = document, generation, transport
        self._roll, self._parts, self._files = roll, parts, files
        self._rereads = 0  # under way
        self._after: list[Callable[[], object]] = []  # what waits for them

    def change(self, name: str, change: Callable[[Session], Session], merge: str = "") -> None:
        """Change the session, with a name for Undo; what cannot be is told. `merge`: see `History.do`."""
        try:
            self._document.do(name, change(self._document.session), merge)
        except ContinuoError as error:
            self.message.emit(str(error))
            self.refused.emit()

    def attempt(self, deed: Callable[[str], object], take_id: str) -> None:
        """Do something with a take; what cannot be is told."""
        try:
            deed(take_id)
        except ContinuoError as error:
            self.message.emit(str(error))

    def select_take(self, take_id: str) -> None:
        """Show a take, and hear it from now on."""
        if take_id != self._document.session.current:
            self.attempt(lambda take: self._document.amend(self._document.session.select_take(take)), take_id)

    def set_rest(self, rest: RestOfSong) -> None:
        """Let the take that is shown treat the rest of the song as the settings now do."""
        take = self._document.session.current_take
        if take is not None and take.rest != rest:
            name = self.tr("The rest of the song under {0}").format(take.name)
            self.change(name, lambda s: s.with_changed_take(replace(take, rest=rest)))

    def fork_take(self, take_id: str) -> None:
        """Continue a take from its notes that are selected, else from its end."""
        take = self._document.session.find_take(take_id)
        if take is not None:
            self._fork(take, self._end_of_selection(take, otherwise=take.seconds))

    def fork_here(self) -> None:
        """Continue the take of the notes selected, else the current one: from the playhead if it stands in it."""
        parts = map(session_part, self._roll.selection.indices)
        takes = [part for part in parts if isinstance(part, str)]
        take = self._document.session.find_take(takes[0] if takes else self._document.session.current)
        if take is not None:
            inside = self._transport.position - take.marker
            otherwise = inside if 0 < inside < take.seconds else take.seconds
            self._fork(take, self._end_of_selection(take, otherwise))

    def fork_at(self, seconds: float) -> None:
        """Continue the current take from a place in the score: from the end of the selected note there, if any."""
        take = self._document.session.current_take
        if take is not None:
            inside = seconds - take.marker
            under = [note for note in self._selected_notes(take) if note.start <= inside <= note.end]
            self._fork(take, max((note.end for note in under), default=inside))

    def can_fork_at(self, seconds: float) -> bool:
        """Whether `fork_at` has something to continue there."""
        take = self._document.session.current_take
        return take is not None and not self._generation.is_running and 0 < seconds - take.marker <= take.seconds

    def _fork(self, take: TakeRecord, at: float) -> None:
        self.attempt(lambda take_id: self._generation.fork(take_id, at), take.id)

    def _selected_notes(self, take: TakeRecord) -> list[TakeNote]:
        indices = self._roll.selection.indices.get(roll_key(take.id), ())
        return [take.notes[i] for i in indices if i < len(take.notes)]

    def _end_of_selection(self, take: TakeRecord, otherwise: float) -> float:
        return max((note.end for note in self._selected_notes(take)), default=otherwise)

    # The playhead, and what is put where it stands

    def step(self, bars: int) -> None:
        """Move the playhead to the bar line after it (1) or before it (-1)."""
        self._transport.go_to(self._roll.grid.neighbour_bar(self._transport.position, bars))

    def put_marker(self) -> None:
        """Continue from the playhead, or the bar next to it."""
        self.put_marker_at(self._transport.position)

    def put_marker_at(self, seconds: float) -> None:
        """Continue from a place, or the bar next to it."""
        at = self._snapped(seconds)
        self.change(self.tr("Move marker"), lambda s: s.with_marker(at))

    def put_end_marker(self, seconds: float) -> None:
        """Let takes end at a place, or the bar next to it; at the marker or before it: as long as the settings say."""
        session = self._document.session
        at = self._snapped(seconds) if seconds > session.marker else 0.0
        at = at if at > session.marker else 0.0
        if at == session.end_marker == 0.0:
            self.message.emit(self.tr("Put the playhead behind the marker first: takes end there then."))
        name = self.tr("Move end of takes") if at else self.tr("Remove end of takes")
        self.change(name, lambda s: s.with_end_marker(at))

    def put_prompt_start(self) -> None:
        """Let the prompt begin at the playhead, or the bar next to it."""
        at = self._snapped(self._transport.position)
        self.change(self.tr("Move prompt start"), lambda s: s.with_prompt_start(at))

    def put_loop_edge(self, is_end: bool) -> None:
        """Let the loop begin or end at the bar next to the playhead; the other edge stays, if it lies beyond it."""
        if loop := self._with_edge(self._transport.loop, is_end):
            self._transport.set_loop(loop)

    def put_span_edge(self, is_end: bool) -> None:
        """Let the selected span begin or end at the bar next to the playhead; the other edge stays, as in a loop."""
        if span := self._with_edge(self._roll.span, is_end):
            self._roll.set_span(span)

    def loop_span(self) -> None:
        """Loop the selected span."""
        if self._roll.span is not None:
            self._transport.set_loop(self._roll.span)

    def _with_edge(self, span: tuple[float, float] | None, is_end: bool) -> tuple[float, float] | None:
        """A span (None: all there is) with its start or end at the playhead; None if nothing is left of it."""
        at = self._snapped(self._transport.position)
        first, last = span or self._transport.range
        if is_end:
            first, last = first if first < at else 0.0, at
        else:
            first, last = at, last if last > at else self._transport.range[1]
        return (first, last) if last > first else None

    def _snapped(self, seconds: float) -> float:
        """A place as a drag in the roll would snap it; with Alt held, as it is."""
        is_free = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.AltModifier
        return seconds if is_free else self._roll.snapped_time(seconds)

    def accept(self, take_id: str) -> None:
        """Make a take part of the score."""
        name = self.tr("Make {0} part of the score").format(self._document.session.take(take_id).name)
        self.change_song(name, lambda session: accept_take(session, take_id))

    def set_tempo(self, tick: int, bpm: float | None, metre: tuple[int, int] | None) -> None:
        """Set tempo and metre from a tick on; None leaves it as it is."""

        def change(session: Session) -> Session:
            changed = session if bpm is None else with_tempo(session, tick, bpm)
            return changed if metre is None else with_metre(changed, tick, metre)

        if bpm is not None or metre is not None:
            self.change_song(self.tr("Tempo and metre"), change)

    def remove_tempo(self, tick: int) -> None:
        """No change of tempo or metre at a tick."""
        name = self.tr("Remove change of tempo and metre")
        self.change_song(name, lambda session: with_metre(with_tempo(session, tick, None), tick, None))

    def change_song(self, name: str, change: Callable[[Session], Session], merge: str = "") -> None:
        """`change` of the song's file. Reading it anew takes a while, so not on this thread."""
        session = self._document.session
        self._count_rereads(1)

        def work(task: Task) -> Session:
            with gc_frozen():
                changed = change(session)
                self._parts.prepare(changed)
            return changed

        def done(changed: Session) -> None:
            if self._document.session is session:
                self._document.do(name, changed, merge)
            else:  # something was changed meanwhile
                self.change_song(name, change, merge)
            self._count_rereads(-1)

        def failed(sentence: str) -> None:
            self.message.emit(sentence)
            self.refused.emit()
            self._count_rereads(-1)

        self._files.run(name, work, done, failed)

    def _count_rereads(self, by: int) -> None:
        before, self._rereads = self._rereads, self._rereads + by
        if bool(before) != bool(self._rereads):
            self.rereading.emit(self._rereads > 0)
        while self._after and not self._rereads:
            self._after.pop(0)()

    def after_rereading(self, call: Callable[[], object]) -> None:
        """Do something once the song's file is as was asked for before: undo takes back what was done last."""
        self._after.append(call)
        self._count_rereads(0)

    def play_from(self, ref: NoteRef) -> None:
        """Play from a note on."""
        at = session_ref(ref)
        note = note_at(self._document.session, at)
        if note is not None:
            take = self._document.session.find_take(at.part) if isinstance(at.part, str) else None
            self._transport.play(note.start + (take.marker if take else 0.0))
