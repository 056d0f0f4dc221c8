"""FileController: opening, saving, exporting, recovering. What takes time happens on a file worker's thread."""

import math
import os
import re
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, Signal

from core.files import make_folder, write_atomically
from core.midi.ports import one_port_words
from core.resources import bundled, user_folder
from core.session.export import MidiContent, export_wav, midi_bytes, save_midi
from core.session.session import Session
from core.session.storage import SESSION_SUFFIX, is_session_file, open_any
from core.session.timeline import What
from desktop.adapters.gc_pause import gc_frozen
from desktop.adapters.task_worker import Task, TaskWorker
from desktop.controllers.document import Document, Stamp, file_stamp
from desktop.controllers.generation import GenerationController
from desktop.controllers.preferences import Preferences
from desktop.controllers.roll_parts import RollParts
from desktop.dialogs.questions import MIDI_FILES, SESSIONS, Dialogs
from desktop.panels.take_words import sound_words
from desktop.single_instance import open_window

if TYPE_CHECKING:
    from core.session.recovery import Recovery

MIDI_SUFFIXES = (".mid", ".midi", ".smf", ".kar", ".rmi")

_Leave = Callable[[Callable[[], object]], object]  # gives up the open document in some way, then goes on


class FileController(QObject):
    """Files of the one open document."""

    message = Signal(str)
    opened = Signal()  # a document is there: the window shows it
    saving = Signal()  # a session is about to be saved

    def __init__(
        self,
        document: Document,
        generation: GenerationController,
        parts: RollParts,
        preferences: Preferences,
        files: TaskWorker,
        exports: TaskWorker,
        dialogs: Dialogs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._generation, self._parts = document, generation, parts
        self._preferences, self._files, self._exports = preferences, files, exports
        self.dialogs = dialogs
        self.open_beside: Callable[[str], object] = open_window  # a file, in a window of its own
        self._recovered: Recovery | None = None  # open here, and not yet in an autosave of this window
        self._leaving: tuple[_Leave, Callable[[], object]] | None = None  # once the model has stopped: how, what then

    # Leaving what is open

    def leave(self, then: Callable[[], object]) -> None:
        """Go on with `then` once the open document may be given up: asks, then stops the model, then saves."""
        if self._leaving is not None:  # the model is stopping for an older wish: asking once is enough
            self._leaving = self._leaving[0], then
            return
        leave = self._ask_how_to_leave()
        if leave is None:
            return
        self._leaving = leave, then
        if self._generation.is_running:
            self._generation.stop()
        else:
            self.go_on_leaving()

    def go_on_leaving(self) -> None:
        """The model has stopped: do what waited for that."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leave, then = leaving
            leave(then)

    def _ask_how_to_leave(self) -> _Leave | None:
        """What is to be done with the open document, all questions asked; None if it is not to be left."""
        if not self._document.is_changed and not self._generation.is_running:
            return lambda then: then()
        answer = self.dialogs.about_to_leave(self._document.name)
        if answer != "save":
            return None if answer == "cancel" else lambda then: then()
        if self._document.path:
            return lambda then: self.save(lambda: self.leave(then))  # asks again if something new was made meanwhile
        path = self._ask_for_session()
        return (lambda then: self._save_to(path, lambda: self.leave(then))) if path else None

    def _leave_again(self, left: Session, then: Callable[[], object]) -> None:
        """Go on with `then`, for which `left` was given up; asks once more if something new was made since."""
        if self._document.session is left and not self._generation.is_running:
            then()
        else:
            self.leave(then)

    # Opening

    def new(self) -> None:
        """An empty session, to generate from nothing."""
        self.leave(lambda: self._show(Session(settings=self._preferences.now.generation), ""))

    def open(self) -> None:
        """Ask for a file and open it."""
        recent = self._preferences.now.recent
        if path := self.dialogs.file_to_open(str(Path(recent[0]).parent) if recent else str(Path.home())):
            self.open_path(path)

    def open_path(self, path: str | Path, then: Callable[[], object] = lambda: None) -> None:
        """Open a MIDI file or a session; `then` is called once it is there."""
        self.leave(lambda: self._open(str(path), then))

    def _open(self, path: str, then: Callable[[], object]) -> None:
        settings = self._preferences.now.generation
        left = self._document.session

        def work(task: Task) -> Session:
            with gc_frozen():
                session = open_any(path, settings)
                self._parts.prepare(session)
            return session

        def done(session: Session) -> None:
            self._leave_again(left, lambda: show(session))

        def show(session: Session) -> None:
            self._show(session, path if is_session_file(path) else "")
            self._remember(path)
            if session.score is not None:
                for sentence in filter(None, (one_port_words(session.score), *session.score.repairs[:1])):
                    self.message.emit(sentence)
            then()

        def failed(sentence: str) -> None:
            if file_stamp(path) is None:
                self._preferences.put(self._preferences.now.without_recent(path))
            self.dialogs.tell(sentence)

        name = Path(path).name
        cancelled = self.tr("{0} was not opened.").format(name)
        self._files.run(
            self.tr("Opening {0}").format(name), work, done, failed, cancelled=lambda: self.message.emit(cancelled)
        )

    def _show(self, session: Session, path: str, is_saved: bool = True) -> None:
        self._document.replace(session, path, is_saved)
        self.opened.emit()

    def _remember(self, path: str) -> None:
        self._preferences.put(self._preferences.now.with_recent(path))

    # Saving

    def save(self, then: Callable[[], object] = lambda: None) -> None:
        """Save as a session, where it was saved before or where the user says."""
        document, path = self._document, self._document.path
        if not path:
            self.save_as(then)
            return

        def seen(now: Stamp | None) -> None:
            if document.path != path:  # another document was opened in its place
                return
            if now in (None, document.stamp) or self.dialogs.save_over(Path(path).name):
                self.saving.emit()
                document.save(path, then)

        self._files.run(self.tr("Looking at the file"), lambda task: file_stamp(path), seen)

    def save_as(self, then: Callable[[], object] = lambda: None) -> None:
        """Save as a session where the user says."""
        if path := self._ask_for_session():
            self._save_to(path, then)

    def _ask_for_session(self) -> str:
        return self._ask(self.tr("Save session"), SESSION_SUFFIX, self.tr(SESSIONS), (SESSION_SUFFIX,))

    def _save_to(self, path: str, then: Callable[[], object]) -> None:
        def saved() -> None:
            self._remember(path)
            then()

        self.saving.emit()
        self._document.save(path, saved)

    def save_midi(self, content: MidiContent, take_id: str = "") -> None:
        """Write a MIDI file where the user says; without a take, of the score alone."""
        if content != "score" and not take_id and self._refuse_while_sampling():
            return
        if content == "score and take" and not take_id and self._document.session.current_take is None:
            content = "score"
        session, is_merged = self._document.session, self._preferences.now.merges_takes
        names = {"score": "-edited", "score and take": "-continued", "take": "-take", "all takes": "-takes"}
        path = self._ask(self.tr("Save MIDI file"), f"{names[content]}.mid", self.tr(MIDI_FILES), MIDI_SUFFIXES)
        if path:
            self._files.run(
                self.tr("Saving"),
                lambda task: save_midi(session, path, content, take_id, is_merged=is_merged),
                lambda _: self.message.emit(self.tr("Saved as {0}.").format(Path(path).name)),
                self.dialogs.tell,
            )

    def export_audio(self, what: What) -> None:
        """Write a WAV file where the user says."""
        if what != "prompt" and self._refuse_while_sampling():
            return
        session = self._document.session
        form = self.dialogs.sound_format(sound_words(session, what), self._preferences.now.sound)
        if form is None:
            return
        self._preferences.change(sound=form)
        path = self._ask(self.tr("Export audio"), ".wav", self.tr("Sound files (*.wav)"), (".wav",))
        if not path:
            return

        def done(peak: float | None) -> None:
            if peak is None:
                words = self.tr("The export was cancelled; {0} was not written.")
            elif peak > 1.0:
                words = self.tr(
                    "Exported {0}. It is too loud by {1:.1f} dB and was clipped: tick Normalise, or turn down."
                )
            else:
                words = self.tr("Exported {0}.")
            self.message.emit(words.format(Path(path).name, 20 * math.log10(max(peak or 0.0, 1.0))))

        self._exports.run(
            self.tr("Exporting {0}").format(Path(path).name),
            lambda task: export_wav(session, path, what, form, progress=task.progress, is_cancelled=task.is_cancelled),
            done,
            self.dialogs.tell,
        )

    def _refuse_while_sampling(self) -> bool:
        """Whether a take is still sampled, which is told: it would be missing from a file."""
        if self._generation.is_running:
            self.dialogs.tell(self.tr("A take is still being sampled: stop it or wait for its end, then export it."))
        return self._generation.is_running

    def _ask(self, title: str, ending: str, kinds: str, suffixes: tuple[str, ...]) -> str:
        source = Path(self._document.source or self._document.name)
        if source.parent in (Path(), bundled("examples")):  # not into the program's own folder
            source = _documents() / source.name
        path = self.dialogs.file_to_save(title, str(source.with_name(source.stem + ending)), kinds, suffixes)
        # The file that was opened is never altered.
        opened = self._document.session.source
        if path and opened and _is_same(Path(path), Path(opened)):
            self.dialogs.tell(self.tr("The file you opened stays as it is: please choose another name."))
            return ""
        return path

    def drag_out(self, take_id: str) -> Path:
        """A take as a MIDI file of its own, never changed or deleted: who takes it may refer to it for years.

        Raises ContinuoError.
        """
        session = self._document.session
        data = midi_bytes(session, "take", take_id)
        folder = user_folder("dragged out")
        name = f"{_file_name(Path(self._document.name).stem)} - {_file_name(session.take(take_id).name) or 'Take'}"
        numbered = (folder / f"{name}{f' ({number})' if number > 1 else ''}.mid" for number in count(1))
        path = next(path for path in numbered if not path.exists() or _holds(path, data))
        if not path.exists():
            make_folder(folder)
            write_atomically(path, data)
        return path

    # Recovery, and changes by others

    def look_for_recovery(self, path: str = "") -> None:
        """At the start: offer what a crash left behind. `path`, if any, is opened too: else here, then beside it."""

        def otherwise() -> None:
            if path:
                self.open_path(path)

        def found(recoveries: "list[Recovery]") -> None:
            if not recoveries:
                otherwise()
                return
            first, *others = recoveries
            for other in others:
                other.keep()
            when = time.strftime(
                "%H:%M" if time.time() - first.saved_at < 64800 else "%x %H:%M", time.localtime(first.saved_at)
            )
            answer = self.dialogs.recover(first.name, when, len(others))
            if answer == "recover":
                self._recover(first, path, otherwise)
                return
            self._files.run(
                self.tr("Clearing the copy for recovery"),
                lambda task: first.discard() if answer == "discard" else first.keep(),
            )
            otherwise()

        def look(task: Task) -> "list[Recovery]":
            from core.session.recovery import find_recoverable  # here, because the window comes first

            return find_recoverable()

        self._files.run(self.tr("Looking for sessions to recover"), look, found)

    def _recover(self, recovery: "Recovery", path: str, otherwise: Callable[[], object]) -> None:
        left = self._document.session

        def work(task: Task) -> Session:
            with gc_frozen():
                session = recovery.open()
                self._parts.prepare(session)
            return session

        def done(session: Session) -> None:
            self._leave_again(left, lambda: show(session))

        def show(session: Session) -> None:
            self._show(session, recovery.document, is_saved=False)
            self._recovered = recovery
            self._document.autosave(then=self.forget_recovered)
            self.message.emit(self.tr("The session is back. Save it to keep it."))
            known = [os.path.abspath(file) for file in (recovery.document, recovery.source) if file]
            if path and os.path.abspath(path) not in known:
                self.open_beside(path)

        def failed(sentence: str) -> None:
            kept = recovery.set_aside()
            self.dialogs.tell(self.tr("{sentence} It is kept as {kept}.").format(sentence=sentence, kept=kept))
            otherwise()

        self._files.run(self.tr("Recovering"), work, done, failed)

    def forget_recovered(self) -> None:
        """What was recovered stands in this window's own autosave, or the user has decided about it."""
        recovery, self._recovered = self._recovered, None
        if recovery is not None:
            self._files.run(self.tr("Recovering"), lambda task: recovery.discard())

    def look_at_disk(self) -> None:
        """The window came to the front: has someone else changed the file?"""
        document = self._document
        source, before = document.source, document.stamp
        if not source:
            return

        def seen(now: object) -> None:
            if source != document.source or before != document.stamp or now == before:
                return
            document.stamp = file_stamp(source)
            name = Path(source).name
            if now is None:
                document.mark_unsaved()
                self.message.emit(self.tr("{0} is no longer on the disk; save to keep what you see.").format(name))
            elif self.dialogs.read_again(name):
                self.open_path(source)

        self._files.run(self.tr("Looking at the file"), lambda task: file_stamp(source), seen)


def _is_same(path: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever links."""
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there
        return path.resolve() == other.resolve()


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file has just this in it."""
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _file_name(words: str) -> str:
    """As much of a name as half of a file's name can hold on any system."""
    name = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "-", words).encode(errors="ignore")[:120]
    return name.decode(errors="ignore").strip(". ")


def _documents() -> Path:
    """Where the user keeps what they make."""
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    return folder if folder.is_dir() else Path.home()
