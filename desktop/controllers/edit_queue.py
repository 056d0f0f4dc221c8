"""EditQueue: edits of notes, one after the other, however long each takes."""

from collections.abc import Callable
from typing import NamedTuple

from core.errors import ContinuoError
from core.session import edits
from core.session.edits import Chosen, Edited
from core.session.session import Session
from desktop.adapters.gc_pause import gc_frozen
from desktop.adapters.task_worker import Task, TaskWorker
from desktop.controllers.document import Document
from desktop.controllers.roll_parts import RollParts, as_selection
from desktop.piano_roll.selection import Selection

MOST_AT_ONCE = 2000  # notes selected, or in the parts they are of, that are edited on the GUI thread

Edit = Callable[[Session, Chosen], Edited]  # of the notes chosen
Job = Callable[[Callable[[], None]], None]  # something else to be done; is given what it calls at its end
Repeated = Callable[[Session, Chosen, int], Edited]  # an edit, made so many times


class EditRequest(NamedTuple):
    """An edit that is asked for, with its name for Undo, and the notes of a session that it is of.

    `press` is of a key, and tells what that does: presses of one kind (the first in it) that follow each other are one
    step. With `selects` what is edited is selected then. `is_large`: it takes long, however few the notes.
    """

    name: str
    session: Session
    chosen: Chosen
    edit: Repeated
    press: tuple[object, ...] = ()
    times: int = 1
    selects: bool = True
    is_large: bool = False

    def goes_on_from(self, other: "EditRequest") -> bool:
        """Whether it is another press of the same key, for the same notes."""
        is_same_key = self.press != () and self.press == other.press
        return is_same_key and self.session is other.session and self.is_of(other.chosen)

    def is_of(self, chosen: Chosen) -> bool:
        """Whether these are its notes."""
        return as_selection(self.chosen) == as_selection(chosen)


class _Run(NamedTuple):
    """Presses of a key that are one step: their kind, a number of their own, the session and notes after the last."""

    kind: object = ""
    number: int = 0
    session: Session | None = None
    notes: Selection = Selection()


class EditQueue:
    """Makes small edits at once, and large ones on the file worker's thread. What is asked for meanwhile comes after.

    So no press of a key that is held is lost: those that wait are made as one.
    """

    def __init__(
        self,
        document: Document,
        parts: RollParts,
        files: TaskWorker,
        show: Callable[[Chosen], Selection],
        selected: Callable[[], Chosen],
        tell: Callable[[str], object],
    ) -> None:
        self._document, self._parts, self._files = document, parts, files
        self._show = show  # selects notes, and says which are selected then
        self._selected = selected  # the notes that are selected
        self._tell = tell  # says why an edit that had waited cannot be; empty: its notes have changed
        self._current: EditRequest | Job | None = None  # under way
        self._waiting: list[EditRequest | Job] = []
        self._run = _Run()
        document.replaced.connect(self._forget)

    @property
    def is_busy(self) -> bool:
        """Whether an edit is under way, or waits."""
        return self._current is not None or bool(self._waiting)

    def do(self, request: EditRequest) -> None:
        """Make an edit, or let it wait. Raises what a small edit raises."""
        if not self.is_busy:
            self._start(request)
            return
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, EditRequest) and request.goes_on_from(last):
            self._waiting[-1] = last._replace(times=last.times + request.times)
        else:
            self._waiting.append(request)

    def do_after(self, job: Job) -> None:
        """Do something else, such as undo, once all edits that were asked for before are made."""
        self._waiting.append(job)
        self._go_on()

    def _forget(self) -> None:
        """Another document: nothing of the one before is edited."""
        self._current, self._run = None, _Run()
        self._waiting.clear()

    def _start(self, request: EditRequest) -> None:
        session = self._document.session
        chosen: Chosen | None = request.chosen
        if session is not request.session:
            chosen = edits.same_notes(request.session, session, request.chosen)
        if chosen is None:
            self._tell("")
            return
        count = sum(len(edits.part_notes(session, part)) for part in chosen)
        if not request.is_large and count <= MOST_AT_ONCE:
            self._finish(request, session, chosen, request.edit(session, chosen, request.times))
            return
        self._current = request

        def work(task: Task) -> Edited:
            with gc_frozen():
                edited = request.edit(session, chosen, request.times)
                self._parts.prepare(edited.session)
                return edited

        def done(edited: Edited) -> None:
            if self._current is not request:
                return
            self._current = None
            if self._document.session is session:
                self._finish(request, session, chosen, edited)
            else:  # something else was changed meanwhile
                self._waiting.insert(0, request)
            self._go_on()

        def failed(sentence: str) -> None:
            self._files.failed.emit(sentence)
            if self._current is request:
                self._current = None
                self._go_on()

        self._files.run(request.name, work, done, failed)

    def _finish(self, request: EditRequest, session: Session, chosen: Chosen, edited: Edited) -> None:
        """The document has what was edited, and those that wait for the same notes have them where they are now."""
        run, kind, notes = self._run, request.press[0] if request.press else "", as_selection(chosen)
        goes_on = kind == run.kind and session is run.session and notes == run.notes
        number = run.number + (not goes_on)
        if edited.session is not session:
            self._document.do(request.name, edited.session, f"{kind} {number}" if kind else "")
        shown = self._show(edited.chosen) if request.selects else notes
        now = self._document.session
        self._run = _Run(kind, number, now, shown)
        if request.selects:
            self._follow(request.session, request.chosen, edited.chosen)

    def _follow(self, session: Session, chosen: Chosen, now: Chosen) -> None:
        """Those that wait for these notes of a session have them where they are now."""
        for place, other in enumerate(self._waiting):
            if isinstance(other, EditRequest) and other.session is session and other.is_of(chosen):
                self._waiting[place] = other._replace(session=self._document.session, chosen=now)

    def _do(self, job: Job) -> None:
        before, selected = self._document.session, self._selected()
        self._current = job

        def ended() -> None:
            if self._current is job:
                self._current = None
                self._follow(before, selected, self._selected())
                self._go_on()

        try:
            job(ended)
        except BaseException:
            self._current = None  # or nothing would ever be edited again
            raise

    def _go_on(self) -> None:
        """Make what has waited."""
        while self._waiting and self._current is None:
            request = self._waiting.pop(0)
            if not isinstance(request, EditRequest):
                self._do(request)
                continue
            try:
                self._start(request)
            except ContinuoError as error:
                self._tell(str(error))
