"""Document: the open session with its history, its file, and the autosave that outlives a crash."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from core.errors import ContinuoError
from core.logs import sentence_for
from core.session.history import History
from core.session.session import GenerationSettings, Session, TakeRecord
from core.session.storage import save_session
from desktop.adapters.task_worker import Task, TaskWorker

if TYPE_CHECKING:
    from core.session.recovery import Autosave

# From a change to the beginning of its autosave, in ms. One of 100,000 notes takes 0.3 to 0.7 s, on a thread of its own
# (a file on a disk that hangs must not keep it waiting), so a crash loses less than 2 s.
SOON = 1000
RETRY = 5000  # ms from an autosave that failed to the next try
_BUSY = 100  # ms until it is looked again whether the autosave before this one is done

Stamp = tuple[int, int]  # when a file was last written, and its size


def file_stamp(path: str) -> Stamp | None:
    """What tells one state of a file from another; None if it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


class Document(QObject):
    """What the user works on. All changes go through `do` (a step to undo) or `amend` (none)."""

    changed = Signal()  # the session is another
    replaced = Signal()  # and it is another document altogether
    stepped = Signal(str)  # a step was taken back or done again: which, in words
    message = Signal(str)

    def __init__(self, files: TaskWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files = files
        self._autosaves = TaskWorker(self)
        self._history = History(Session())
        self.path = ""  # of the `.continuo` file, if it has one
        self.stamp: Stamp | None = None  # of the file it was read from or saved to, as we last saw it
        self._growing: Callable[[], tuple[TakeRecord, ...]] | None = None
        self._autosave: Autosave | None = None
        self._autosaved: tuple[Session, tuple[TakeRecord, ...]] | None = None
        self._is_autosaving = False
        self._problem = ""  # of the last autosave
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)  # a coarse one may be due 5 % late
        self._timer.timeout.connect(lambda: self.autosave())

    # The session and its history

    @property
    def session(self) -> Session:
        """The session now."""
        return self._history.session

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self._history.is_changed

    @property
    def undo_name(self) -> str:
        """What `undo` would take back, or empty."""
        return self._history.undo_name

    @property
    def redo_name(self) -> str:
        """What `redo` would do again, or empty."""
        return self._history.redo_name

    @property
    def undo_session(self) -> Session | None:
        """The session that `undo` would go back to, or None."""
        return self._history.undo_session

    @property
    def redo_session(self) -> Session | None:
        """The session that `redo` would go on to, or None."""
        return self._history.redo_session

    @property
    def source(self) -> str:
        """The file it stands for on disk: the session's own, else the MIDI file, else empty."""
        return self.path or self.session.source

    @property
    def name(self) -> str:
        """For the window's title."""
        if self.source:
            return Path(self.source).name
        score = self.session.score
        return score.name if score and score.name else self.tr("Untitled")

    def do(self, name: str, session: Session, merge: str = "") -> None:
        """Go on to `session`; `name` is what Undo says."""
        before = self.session
        self._history.do(name, session, merge)
        if self.session is not before:
            self._after_change()

    def amend(self, session: Session) -> None:
        """Go on to `session` without a step: what is shown, or a seed that was drawn."""
        if session != self.session:
            self._history.amend(session)
            self.changed.emit()

    def change_settings(self, settings: GenerationSettings) -> None:
        """What is sampled next: a setting, not a step. Something to save only where there is a session's file."""
        is_new = settings != self.session.settings
        self.amend(self.session.with_settings(settings))
        if is_new and self.path:
            self._history.mark_unsaved()
            self._after_change()

    def empty_bin(self) -> None:
        """Let go of the takes in the bin, which is something to save, but no step."""
        if self.session.bin:
            self._history.amend(self.session.with_empty_bin(), is_saved=False)
            self._after_change()

    def undo(self) -> None:
        """Take back the last step."""
        name = self.undo_name
        if self._history.undo():
            self._after_change()
            self.stepped.emit(self.tr("Undone: {0}").format(name))

    def redo(self) -> None:
        """Do the last step again that was taken back."""
        name = self.redo_name
        if self._history.redo():
            self._after_change()
            self.stepped.emit(self.tr("Done again: {0}").format(name))

    def replace(self, session: Session, path: str = "", is_saved: bool = True) -> None:
        """Open another document in this one's place."""
        self._history = History(session, is_saved)
        self.path = path
        self.stamp = file_stamp(self.source) if self.source else None
        self._growing = None
        self._forget_autosave()
        self.replaced.emit()
        self.changed.emit()
        if not is_saved:
            self._after_change()

    # Saving

    def save(self, path: str, then: Callable[[], object] = lambda: None) -> None:
        """Save as a `.continuo` file, off this thread; `then()` is called once it is safe."""
        session, history = self.session, self._history

        def done(stamp: Stamp | None) -> None:
            if history is self._history:  # else another document is open by now
                self.path, self.stamp = path, stamp
                history.mark_saved(session)
                if session is self.session:
                    self._forget_autosave()
                self.changed.emit()
            self.message.emit(self.tr("Saved as {0}.").format(Path(path).name))
            then()

        def work(task: Task) -> Stamp | None:
            save_session(session, path)
            return file_stamp(path)

        self._files.run(self.tr("Saving"), work, done)

    def mark_unsaved(self) -> None:
        """The file is gone: what is here is all there is of it."""
        self._history.mark_unsaved()
        self._after_change()

    # Autosave

    def _after_change(self) -> None:
        self.changed.emit()
        if not self._timer.isActive() or self._timer.remainingTime() > SOON:
            self._timer.start(SOON)

    def show_growing(self, takes: Callable[[], tuple[TakeRecord, ...]] | None, is_first: bool = False) -> None:
        """Save the takes that are being sampled, as `takes()` gives them, whenever it autosaves; None: no more."""
        self._growing = takes
        if takes is not None and (is_first or not self._timer.isActive()):
            self._timer.start(SOON)

    @property
    def is_autosave_due(self) -> bool:
        """Whether an autosave will come by itself."""
        return self._timer.isActive()

    def autosave(self, then: Callable[[], object] = lambda: None) -> None:
        """Write the autosave if something is new, off this thread; `then()` is called once it is written."""
        if self._is_autosaving:
            self._timer.start(_BUSY)
            return
        session, growing = self.session, self._growing() if self._growing else ()
        if (session, growing) == self._autosaved or not (self.is_changed or growing):
            return
        self._is_autosaving = True
        path = self.path

        def work(task: Task) -> str:
            from core.session.recovery import Autosave  # here, because the window comes first

            try:
                if self._autosave is None:
                    self._autosave = Autosave()
                kept = session
                for take in growing:
                    kept = kept.with_take(take)
                self._autosave.save(kept, path)
            except ContinuoError as error:
                return sentence_for(error, "autosaving")
            return ""

        def done(problem: str) -> None:
            if problem:
                failed(problem)
                return
            self._is_autosaving, self._problem = False, ""
            self._autosaved = (session, growing)
            then()

        def failed(problem: str) -> None:
            self._is_autosaving = False
            self._timer.start(RETRY)
            if problem != self._problem:  # said once, however often it is tried
                self.message.emit(problem)
            self._problem = problem

        self._autosaves.run(self.tr("Keeping a copy for recovery"), work, done, failed)

    def _forget_autosave(self) -> None:
        self._timer.stop()
        self._autosaved = None

        def work(task: Task) -> None:
            if self._autosave is not None:
                self._autosave.clear()

        self._autosaves.run(self.tr("Clearing the copy for recovery"), work)

    def close(self) -> None:
        """The app ends in good order, so there is nothing to recover. Call it after the file worker's `close`."""
        self._timer.stop()
        self._autosaves.close()
        if self._autosave is not None:
            self._autosave.close()
            self._autosave = None
