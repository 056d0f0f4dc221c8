"""The window as a musician uses it: open, continue, hear, edit, undo, save."""

import itertools
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest

from core.errors import NotFound
from core.generation import engine
from core.live.outputs import BuiltInSynth
from core.midi.read import read_score
from core.midi.statistics import apart, music, stretch
from core.session.storage import open_session
from desktop.controllers import generation
from desktop.piano_roll.notes import NoteRef
from tests.desktop.looking import reachable, squeezed
from tests.desktop.windows import BACH, Desk

MakeDesk = Callable[..., Desk]


def test_continues_and_undoes_to_the_start(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    document = at.window.document
    opened = document.session
    take = at.sample(2.0)
    assert take.notes
    assert document.session.current == take.id
    assert take.marker == opened.marker
    assert document.undo_name == "Continue"
    assert len([part for part in at.window.roll.parts if part.kind == "take"]) == 1
    roll = at.window.roll
    roll.set_selection([NoteRef(f"take:{take.id}", 0), NoteRef(f"take:{take.id}", 1)])
    at.window.actions_["octave up"].trigger()
    assert document.undo_name == "Transpose"
    raised = document.session.take(take.id)
    assert sorted(n.pitch for n in raised.notes) != sorted(n.pitch for n in take.notes)
    roll.set_selection([NoteRef("track:0", 0)])
    roll.delete_selected()
    assert document.undo_name == "Delete note"
    assert document.session.score
    assert opened.score
    assert document.session.score.notes == opened.score.notes - 1
    assert at.window.isWindowModified()
    while document.undo_name:
        at.window.actions_["undo"].trigger()
    assert document.session.score is opened.score
    assert not document.session.takes
    while document.redo_name:
        at.window.actions_["redo"].trigger()
    assert document.session.score.notes == opened.score.notes - 1


def test_all_takes_of_a_batch_are_kept_best_first_and_the_one_heard_is_chosen(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.set(takes=3, seed=5, seed_locked=True)
    best = at.sample(1.5, takes=3, seed=5, seed_locked=True)
    assert sorted(take.seed for take in at.takes) == [5, 6, 7]
    assert {take.name: take.seed for take in at.takes} == {"Take 1": 5, "Take 2": 6, "Take 3": 7}  # as they were begun
    (heard,) = (take for take in at.takes if take.seed == 5)
    assert at.window.document.session.current == heard.id
    score = at.window.document.session.score
    assert score is not None
    end = music([n for t in score.tracks for n in t.notes], best.marker)
    end = stretch(end, max(0.0, best.marker - 20), best.marker)
    distances = [apart(music(take.notes, take.seconds), end) for take in at.takes]
    assert distances == pytest.approx(sorted(distances), abs=0.02)  # the best first; the prompt was rounded to steps
    assert "3 takes" in at.window.document.undo_name
    at.window.document.undo()
    assert not at.takes


def test_stop_keeps_what_was_sampled(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    at.set(length=600.0)
    at.window.proceed()
    at.wait(lambda: len(at.window.generation.in_progress[0].notes) > 5, "a few notes")
    QTest.keyClick(at.window.roll, Qt.Key.Key_Escape)
    at.wait(lambda: not at.window.generation.is_running, "the run to end")
    assert len(at.takes) == 1
    assert 5 < len(at.takes[0].notes) < 5000
    assert not at.window.playback.is_playing


def test_forks_regenerates_and_accepts(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    take = at.sample(3.0)
    note = take.notes[len(take.notes) // 2]
    at.window.roll.set_selection([NoteRef(f"take:{take.id}", len(take.notes) // 2)])
    at.window.actions_["fork"].trigger()
    at.wait(lambda: not at.window.generation.is_running, "the fork")
    fork = at.takes[-1]
    assert fork.parent == take.id
    assert fork.forked_at == pytest.approx(note.end, abs=0.006)
    assert [n for n in fork.notes if n.end < fork.forked_at] == [n for n in take.notes if n.end < fork.forked_at]
    assert fork.seconds > fork.forked_at + 2.9
    at.window.generation.another_take(take.id)
    at.wait(lambda: not at.window.generation.is_running, "another take")
    again = at.takes[-1]
    assert (again.marker, len(at.takes)) == (take.marker, 3)
    assert again.seed != take.seed
    before = at.window.document.session
    at.window.takes.accept_requested.emit(take.id)
    at.wait(lambda: at.window.document.session.score is not before.score, "the take in the score")
    session = at.window.document.session
    assert session.score
    assert len(session.score.tracks) == len(before.flags)  # on the tracks that it plays on
    assert session.score.end == pytest.approx(take.marker + max(n.end for n in take.notes), abs=0.01)
    assert session.marker == pytest.approx(take.marker + take.end)
    assert "part of the score" in at.window.document.undo_name


def test_generates_from_nothing(desk: MakeDesk) -> None:
    at = desk()
    at.window.file_controller.new()
    take = at.sample(3.0)
    assert take.marker == 0
    assert take.notes


def test_saves_and_opens_again_the_same(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.answers.path = path = str(homes / "song.continuo")
    at.window.actions_["save as"].trigger()
    at.settle()
    saved = at.window.document.session
    assert not at.window.document.is_changed
    assert at.window.document.path == path
    assert open_session(path) == saved
    at.window.file_controller.new()
    at.open(path)
    assert at.window.document.session.takes == saved.takes
    assert path in at.window.preferences.now.recent


def test_saves_midi_and_never_over_the_file_that_was_opened(desk: MakeDesk, homes: Path) -> None:
    source = homes / "mine.mid"
    source.write_bytes(BACH.read_bytes())
    at = desk()
    at.open(source)
    take = at.sample(1.5)
    at.answers.path = str(source)
    at.window.actions_["save score and take"].trigger()
    at.settle()
    assert source.read_bytes() == BACH.read_bytes()
    assert at.answers.told
    for name, notes in (("save take", len(take.notes)), ("save all takes", None), ("save score and take", None)):
        at.answers.path = str(homes / f"{name}.mid")
        at.window.actions_[name].trigger()
        at.settle()
        score = read_score(Path(at.answers.path))
        assert notes is None or score.notes == notes
    dragged = at.window.file_controller.drag_out(take.id)
    assert mido.MidiFile(dragged).length == pytest.approx(max(n.end for n in take.notes), abs=0.3)


def test_exports_audio_and_can_be_cancelled(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.answers.path = str(homes / "song.wav")
    at.window.playback.set_what("take")
    at.window.actions_["export"].trigger()
    at.settle()
    with wave.open(at.answers.path) as sound:
        assert sound.getnframes() > 48000
        assert any(sound.readframes(48000))
    at.answers.path = str(homes / "never.wav")
    at.window.exports.started.connect(lambda task: task.cancel())
    at.window.actions_["export"].trigger()
    at.settle()
    assert not Path(at.answers.path).exists()
    assert "cancelled" in at.messages[-1]


def test_closing_while_sound_is_exported_is_asked_about(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.answers.path = str(homes / "song.wav")
    at.window.actions_["export"].trigger()
    at.window.close()
    assert at.answers.told == ["still being exported"]
    assert at.window.isVisible()
    at.settle()
    assert Path(at.answers.path).exists()
    at.answers.path, at.answers.gives_up_export = str(homes / "never.wav"), True
    at.window.exports.started.connect(lambda task: task.cancel())  # else it might be done before
    at.window.actions_["export"].trigger()
    at.window.close()
    at.wait(lambda: not at.window.isVisible(), "the window to close")
    assert not Path(at.answers.path).exists()


def test_moving_the_marker_reads_the_prompt_again(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    window = at.window
    for marker in (4.0, 6.0, 8.0):  # the ones in between may be given up
        window.roll.marker_moved.emit(marker)
        assert not window.generation.is_prepared
    at.wait_until_ready()
    assert window.worker._prepared is not None
    assert window.worker._prepared[0].marker == 8.0
    assert window.document.undo_name == "Move marker"
    window.document.undo()
    assert window.document.undo_name == ""
    at.wait_until_ready()
    assert at.sample(1.0).marker == window.document.session.default_marker


def test_the_bundled_model_takes_the_place_of_one_that_is_gone(desk: MakeDesk) -> None:
    at = desk(model="/models/mine.safetensors")
    at.open()
    at.wait_until_ready()
    assert any("There is no model file" in message for message in at.messages)
    panel = at.window.panel
    assert panel.model.currentText() == "mine (missing)"
    assert panel.settings().model == "/models/mine.safetensors"
    assert "mine" not in at.sample(1.0).model
    at.set(model="")
    at.wait_until_ready()
    assert "missing" not in panel.model.currentText()


def test_without_the_model_all_else_works(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    open_engine, gone = engine.open_engine, [NotFound('There is no model called "nonesuch".')]

    def opened(model: str | None, device: str, say: Callable[[str], None]) -> Any:
        if gone:
            raise gone[0]
        return open_engine(model, device, say)

    monkeypatch.setattr(engine, "open_engine", opened)
    at = desk()
    at.open()
    at.wait(lambda: at.messages, "a sentence")
    assert 'no model called "nonesuch"' in at.messages[0]
    at.messages.clear()
    at.window.proceed()
    assert not at.window.generation.is_running
    assert 'no model called "nonesuch"' in at.messages[0]
    at.wait_until_open()
    QTest.keyClick(at.window.roll, Qt.Key.Key_Space)
    at.wait(lambda: at.window.playback.position > 0.2, "the score to play")
    gone.clear()
    at.set(model="continuo-base")
    at.wait_until_ready()


def test_a_damaged_session_is_told_of_and_changes_nothing(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    before = at.window.document.session
    bad = homes / "bad.continuo"
    bad.write_bytes(b"PK\x03\x04 nothing of the kind")
    at.open(bad)
    assert at.answers.told
    assert "bad.continuo" in at.answers.told[0]
    assert at.window.document.session is before


@pytest.mark.linux
def test_without_an_audio_device_it_plays_silently(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PULSE_SERVER", "JACK_DEFAULT_SERVER", "ALSA_CONFIG_PATH"):  # whatever this machine has
        monkeypatch.setenv(variable, "/nowhere")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    at = desk(BuiltInSynth())
    at.open()
    at.wait_until_open()
    at.wait(lambda: at.messages, "a sentence")
    assert "No audio device" in at.messages[0]
    at.wait(lambda: "silent" in at.window.status.output.text(), "the status bar to say so")
    take = at.sample(1.0)
    assert take.notes
    at.wait(lambda: at.window.playback.position > take.marker, "the playhead")


def test_keys_of_the_transport(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_open()
    at.wait_until_ready()
    window, playback = at.window, at.window.playback
    window.activateWindow()
    QTest.keyClick(window.roll, Qt.Key.Key_Space)
    assert playback.is_playing
    at.wait(lambda: playback.position > 0.3, "the playhead")
    QTest.keyClick(window.roll, Qt.Key.Key_Space)
    assert not playback.is_playing
    paused = playback.position
    QTest.keyClick(window.roll, Qt.Key.Key_Space)
    at.wait(lambda: playback.position > paused, "the playhead to go on")
    QTest.keyClick(window.roll, Qt.Key.Key_Home)
    at.wait(lambda: playback.position < paused, "the playhead to return")
    QTest.keyClick(window.roll, Qt.Key.Key_Escape)
    assert not playback.is_playing
    QTest.keyClick(window.roll, Qt.Key.Key_M)
    assert playback.has_metronome
    QTest.keyClick(window.roll, Qt.Key.Key_L)
    assert playback.is_looping
    at.set(length=1.0)
    QTest.keyClick(window.roll, Qt.Key.Key_C)
    assert window.generation.is_running
    at.wait(lambda: at.takes, "the take")


def test_a_loop_starts_over(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_open()
    playback = at.window.playback
    at.window.roll.loop_changed.emit((1.0, 1.4))
    playback.play(1.0)
    seen: list[float] = []
    playback.moved.connect(seen.append)
    at.wait(lambda: sum(b < a for a, b in itertools.pairwise(seen)) >= 3, "three rounds")
    assert all(0.99 <= position <= 1.41 for position in seen)
    playback.set_looping(False)
    at.wait(lambda: playback.position > 1.6, "the playhead to leave the loop")


def test_a_file_changed_by_another_program_is_read_again(desk: MakeDesk, homes: Path) -> None:
    source = homes / "mine.mid"
    source.write_bytes(BACH.read_bytes())
    at = desk()
    at.open(source)
    first = at.window.document.session
    source.write_bytes((BACH.parent / "ragtime.mid").read_bytes())
    at.answers.reads_again = True
    at.window.file_controller.look_at_disk()
    at.wait(lambda: at.window.document.session.score is not first.score, "the other score")
    at.settle()
    source.unlink()
    at.window.file_controller.look_at_disk()
    at.wait(lambda: any("no longer" in sentence for sentence in at.messages), "a sentence")


def test_leaving_asks_and_saves(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    takes = at.takes
    at.answers.leaving = "cancel"
    at.window.close()
    assert at.window.isVisible()
    assert at.takes == takes
    at.answers.leaving, at.answers.path = "save", str(homes / "kept.continuo")
    at.window.close()
    at.wait(lambda: not at.window.isVisible(), "the window to close")
    assert open_session(at.answers.path).takes == takes


def test_the_models_that_may_not_be_sold_with_say_so(desk: MakeDesk) -> None:
    at = desk()
    at.wait(lambda: at.window.panel.model.count() > 1, "the list of models")
    names = [at.window.panel.model.itemText(i) for i in range(at.window.panel.model.count())]
    assert names[0] == "Continuo Base"
    assert "Continuo Concert (non-commercial)" in names


def test_it_opens_no_larger_than_the_screen(desk: MakeDesk) -> None:
    window = desk().window
    window.fit_in(QSize(1920, 1040))
    assert window.size() == QSize(1320, 820)
    window.fit_in(QSize(1280, 680))  # of a laptop's full HD screen at 150 %
    assert window.size() == QSize(1264, 632)


def test_on_the_smallest_screen_nothing_is_squeezed(desk: MakeDesk) -> None:
    at = desk()
    window = at.window
    window.resize(900, 560)
    at.wait(lambda: not squeezed(window), "room for everything")
    window.fit_in(QSize(960, 540))  # full HD at 200 %
    assert window.size() == QSize(900, 492)
    at.wait(lambda: not squeezed(window), "room for everything")
    at.open()
    at.sample(1.0)
    at.wait(lambda: not squeezed(window), "room for everything")


def test_recent_files_with_long_paths_show_where_they_begin_and_end(desk: MakeDesk, homes: Path) -> None:
    window = desk().window
    path = str(homes / ("folder & " * 40) / "song.mid")
    window.preferences.put(window.preferences.now.with_recent(path))
    menu = window._recent_menu
    (action,) = menu.actions()
    assert action.text().startswith(path[0])
    assert action.text().endswith("song.mid")
    assert menu.sizeHint().width() < 800
    assert action.toolTip() == path


def test_silence_is_not_said_to_have_been_stopped(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    options_for = generation.options_for

    def nothing(*given: Any) -> Any:
        return lambda key: replace(options_for(*given)(key), seconds=0.01)

    monkeypatch.setattr(generation, "options_for", nothing)
    at.window.roll.marker_moved.emit(500.0)  # long after the last note
    at.wait_until_ready()
    at.window.proceed()
    at.wait(lambda: not at.window.generation.is_running, "the end")
    assert at.takes == ()
    assert at.messages[-1].startswith("No note came in that time")


def test_a_session_whose_file_is_gone_is_not_left_unasked(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.answers.path = str(homes / "kept.continuo")
    at.window.file_controller.save_as()
    at.settle()
    assert not at.window.isWindowModified()
    (homes / "kept.continuo").unlink()
    at.window.file_controller.look_at_disk()
    at.wait(lambda: any("no longer" in sentence for sentence in at.messages), "a sentence")
    assert at.window.isWindowModified()
    at.answers.leaving = "cancel"
    at.window.close()
    assert at.window.isVisible()
    at.window.file_controller.save()
    at.settle()
    assert len(open_session(at.answers.path).takes) == 1
    assert not at.window.isWindowModified()


def test_the_keys_begin_at_the_first_thing_to_do(desk: MakeDesk) -> None:
    window = desk().window
    empty = window.empty
    assert window.focusWidget() is empty.example
    order = reachable(empty)
    assert order == [empty.example, empty.open, empty.new, *empty.examples]


def test_the_colours_chosen_once_more_stay_chosen(desk: MakeDesk) -> None:
    actions = desk().window.actions_
    for name in ("theme dark", "theme dark", "theme system", "theme system"):
        actions[name].trigger()
        assert [n for n in ("theme system", "theme light", "theme dark") if actions[n].isChecked()] == [name]
