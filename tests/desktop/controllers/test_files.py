"""Files in the window: dropped, cancelled, changed by others, not to be written, saved and opened again whole."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from core.resources import bundled
from core.session import edits
from core.session.session import View
from core.session.storage import open_session, save_session
from desktop.controllers import document
from desktop.controllers import files as files_module
from desktop.controllers.files import MIDI_SUFFIXES
from desktop.dialogs.questions import MIDI_FILES, Dialogs, Leaving
from tests.conftest import WAIT
from tests.desktop.windows import BACH, Desk

MakeDesk = Callable[..., Desk]
NO_KEYS = Qt.KeyboardModifier.NoModifier


def drop(at: Desk, path: Path) -> bool:
    """Drag a file over the window and let it go; whether the window would have it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    enter = QDragEnterEvent(QPoint(200, 200), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NO_KEYS)
    QApplication.sendEvent(at.window, enter)
    if enter.isAccepted():
        let_go = QDropEvent(QPointF(200, 200), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NO_KEYS)
        QApplication.sendEvent(at.window, let_go)
    return enter.isAccepted()


def test_a_file_that_is_dropped_opens(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    assert not drop(at, homes / "letter.pdf")
    assert drop(at, BACH)
    at.wait(lambda: at.window.document.session.score is not None, "the file to open")
    assert at.window.centre.currentWidget() is at.window.roll
    assert at.window.windowTitle() == "bwv846.mid[*] – Continuo"


def test_opening_can_be_cancelled(desk: MakeDesk) -> None:
    at = desk()
    at.settle()
    at.window.files.started.connect(lambda task: task.can_cancel and task.cancel())
    at.window.file_controller.open_path(BACH)
    at.wait(lambda: at.messages, "a sentence")
    assert at.messages == ["bwv846.mid was not opened."]
    assert at.window.document.session.score is None


def test_a_session_comes_back_whole(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    window = at.window
    window.roll.zoom_time(3.0, 100.0)
    window.roll.zoom_pitch(1.6, 100.0)
    window.roll.scroll_to(4.0)
    window.roll.set_follow(False)
    window.tracks.mute_changed.emit(0, True)
    window.tracks.in_prompt_changed.emit(1, False)
    window.roll.marker_moved.emit(12.0)
    window.roll.prompt_start_moved.emit(2.0)
    at.set(temperature=0.8, scale="D minor", length=4.0, unit="bars")
    view = window.display.view()
    at.answers.path = path = str(homes / "song.continuo")
    window.actions_["save as"].trigger()
    at.settle()
    saved = window.document.session
    assert saved.view == view
    window.file_controller.new()
    assert window.display.view() != view
    at.open(path)
    assert window.document.session == saved
    again = window.display.view()
    assert again.start == pytest.approx(view.start, abs=0.05)
    assert again.seconds == pytest.approx(view.seconds, rel=0.01)
    assert abs(again.low - view.low) <= 1
    assert abs(again.high - view.high) <= 1
    assert not again.follow
    assert isinstance(again, View)


def test_a_session_changed_by_others_is_not_saved_over_unasked(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.answers.path = path = str(homes / "song.continuo")
    at.window.actions_["save as"].trigger()
    at.settle()
    theirs = at.window.document.session.with_marker(3.0)
    save_session(theirs, path)
    at.window.roll.marker_moved.emit(6.0)
    at.window.actions_["save"].trigger()
    at.settle()
    assert at.answers.told == ["song.continuo was changed"]
    assert open_session(path).marker == 3.0
    assert at.window.document.is_changed
    at.answers.saves_over = True
    at.window.actions_["save"].trigger()
    at.settle()
    assert open_session(path).marker == 6.0
    assert not at.window.document.is_changed
    at.window.roll.marker_moved.emit(8.0)
    at.window.actions_["save"].trigger()  # nobody else was there: nothing is asked
    at.settle()
    assert open_session(path).marker == 8.0
    assert len(at.answers.told) == 2


@pytest.mark.posix
@pytest.mark.parametrize("command", ["save as", "save score", "export"])
def test_where_nothing_can_be_written_says_so(desk: MakeDesk, command: str) -> None:
    at = desk()
    at.open()
    at.answers.path = "/proc/song"  # not even root may
    at.window.actions_[command].trigger()
    at.settle()
    assert len(at.answers.told) == 1
    assert "/proc" in at.answers.told[0]
    assert "Traceback" not in at.answers.told[0]


def test_where_to_save_is_suggested(desk: MakeDesk, homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk()
    suggested: list[Path] = []
    monkeypatch.setattr(at.answers, "file_to_save", lambda _, path, *more: suggested.append(Path(path)) or "")
    source = homes / "mine.mid"
    source.write_bytes(BACH.read_bytes())
    for path in (BACH, source):
        at.open(path)
        at.window.actions_["save as"].trigger()
        at.window.actions_["save score"].trigger()
    names = ["bwv846.continuo", "bwv846-edited.mid", "mine.continuo", "mine-edited.mid"]
    assert [path.name for path in suggested] == names
    assert suggested[0].parent != BACH.parent  # the program's own folder
    assert suggested[2].parent == homes


def test_a_file_that_is_gone_leaves_the_recent_ones(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    source = homes / "mine.mid"
    source.write_bytes(BACH.read_bytes())
    at.open(source)
    assert [a.text() for a in at.window._recent_menu.actions()] == [str(source)]
    source.unlink()
    at.open(source)
    assert "mine.mid" in at.answers.told[0]
    assert not at.window._recent_menu.isEnabled()


def answer(kind: type[QWidget], deed: Callable[[QWidget], object]) -> None:
    """Once a dialog of this kind is open, do something to it."""

    def look() -> None:
        found = QApplication.activeModalWidget()
        if isinstance(found, kind):
            deed(found)
        else:
            QTimer.singleShot(5, look)

    QTimer.singleShot(0, look)


def choose(name: str) -> Callable[[QWidget], object]:
    def deed(dialog: QWidget) -> None:
        assert isinstance(dialog, QFileDialog)
        dialog.selectFile(name)
        dialog.accept()

    return deed


def test_names_without_a_suffix_get_one_and_never_replace_unasked(qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    dialogs = Dialogs(window)

    def save(name: str) -> str:
        answer(QFileDialog, choose(name))
        return dialogs.file_to_save("Save", str(tmp_path / "song.mid"), MIDI_FILES, MIDI_SUFFIXES)

    assert save("new") == str(tmp_path / "new.mid")
    assert save("new.MIDI") == str(tmp_path / "new.MIDI")
    assert save("No.2") == str(tmp_path / "No.2.mid")
    (tmp_path / "No.2.mid").touch()
    answer(QMessageBox, lambda box: box.reject())  # type: ignore[attr-defined]
    assert save("No.2") == ""


# What is done while files are read and written


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Files are read and written once this is set."""
    free = threading.Event()
    for name in ("open_any", "file_stamp"):
        real = getattr(files_module, name)
        monkeypatch.setattr(files_module, name, lambda *given, real=real: free.wait(WAIT) and real(*given))
    real_save = document.save_session
    monkeypatch.setattr(document, "save_session", lambda *given: free.wait(WAIT) and real_save(*given))
    yield free
    free.set()


def test_what_is_changed_while_another_file_is_read_is_asked_about(
    desk: MakeDesk, homes: Path, slow: threading.Event
) -> None:
    slow.set()
    at = desk()
    at.open()
    slow.clear()
    at.answers.leaving = "cancel"
    at.window.file_controller.open_path(bundled("examples", "nocturne.mid"))
    at.window.roll.marker_moved.emit(6.0)
    slow.set()
    at.settle()
    assert at.window.document.name == "bwv846.mid"
    assert at.window.document.session.marker == 6.0
    at.answers.leaving = "discard"
    at.open(bundled("examples", "nocturne.mid"))
    assert at.window.document.name == "nocturne.mid"


def test_a_take_begun_while_another_file_is_read_stays_with_its_own(
    desk: MakeDesk, homes: Path, slow: threading.Event
) -> None:
    slow.set()
    at = desk()
    at.open()
    at.wait_until_ready()
    slow.clear()
    at.set(length=600.0)
    at.answers.leaving, at.answers.path = "save", str(homes / "bach.continuo")
    at.window.document._history.mark_saved()
    opened: list[bool] = []
    at.window.file_controller.open_path(bundled("examples", "nocturne.mid"), lambda: opened.append(True))
    at.window.proceed()
    at.wait(lambda: at.window.generation.in_progress and at.window.generation.in_progress[0].notes, "notes")
    slow.set()
    at.wait(lambda: opened, "the other file")
    assert at.window.document.name == "nocturne.mid"
    assert not at.window.generation.is_running
    assert at.takes == ()
    assert len(open_session(at.answers.path).takes) == 1


def test_nothing_ends_before_it_is_answered_and_is_asked_once(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    window, asked = at.window, list[str]()

    def about_to_leave(name: str) -> Leaving:
        asked.append(name)
        assert window.generation.is_running
        assert window.transport.is_playing
        return at.answers.leaving

    monkeypatch.setattr(at.answers, "about_to_leave", about_to_leave)
    at.set(length=600.0)
    window.proceed()
    at.wait(lambda: window.generation.in_progress and window.generation.in_progress[0].notes, "notes")
    ways = (window.actions_["quit"].trigger, window.actions_["new"].trigger, window.close)
    answers: tuple[Leaving, ...] = ("cancel", "save")  # the latter without a file chosen to save to
    for at.answers.leaving in answers:
        for leave in ways:
            before = len(window.generation.in_progress[0].notes)
            leave()
            at.wait(lambda before=before: len(window.generation.in_progress[0].notes) > before, "more notes")
            assert window.isVisible()
            assert at.takes == ()
    assert asked == ["bwv846.mid"] * 6
    at.answers.leaving = "discard"
    window.close()
    window.close()
    assert len(asked) == 7
    at.wait(lambda: not window.isVisible(), "the window to close")


@pytest.mark.parametrize("command", ["save as", "save"])
def test_a_new_session_while_the_old_one_is_saved_has_no_file_of_its_own(
    desk: MakeDesk, homes: Path, slow: threading.Event, command: str
) -> None:
    slow.set()
    at = desk()
    at.open()
    path = at.answers.path = str(homes / "bach.continuo")
    if command == "save":
        at.window.file_controller.save_as()
        at.settle()
        at.window.roll.marker_moved.emit(6.0)
    slow.clear()
    at.window.actions_[command].trigger()
    at.window.actions_["new"].trigger()
    slow.set()
    at.settle()
    assert at.window.document.path == ""
    assert at.window.document.name == "Untitled"
    assert open_session(path).score is not None
    assert at.answers.told == []


def test_a_take_of_any_name_is_dragged_out_and_what_was_dragged_out_stays(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    take = at.sample(1.0)
    at.window.commands.change("Rename take", lambda s: s.rename_take(take.id, "Ω/" * 100))
    path = at.window.file_controller.drag_out(take.id)
    assert path.name.startswith("bwv846 - Ω-Ω-")
    first = path.read_bytes()
    assert first[:4] == b"MThd"
    assert at.window.file_controller.drag_out(take.id) == path
    at.window.commands.change("Transpose", lambda s: edits.transpose(s, {take.id: range(len(take.notes))}, 1).session)
    other = at.window.file_controller.drag_out(take.id)
    assert other.name == f"{path.stem} (2).mid"
    assert path.read_bytes() == first != (changed := other.read_bytes())
    shutil.rmtree(path.parent)
    assert at.window.file_controller.drag_out(take.id).read_bytes() == changed
