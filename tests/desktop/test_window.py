"""The window as a musician uses it: open, continue, hear, edit, undo, save."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSplitterHandle, QWidget

from core.errors import NotFound
from core.generation import engine
from core.live.outputs import BuiltInSynth
from core.midi.statistics import apart, excerpt, music
from core.session.edits_song import with_metre, with_tempo
from core.session.knobs import Knobs
from core.settings import Preset
from desktop.controllers import generation
from desktop.piano_roll.notes import NoteRef
from tests.desktop.looking import cut_off, reachable, squeezed
from tests.desktop.windows import Desk

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
    end = excerpt(end, max(0.0, best.marker - 20), best.marker)
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
    assert not at.window.transport.is_playing


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
    for _ in range(3):
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
    at.wait(lambda: at.window.transport.position > 0.2, "the score to play")
    gone.clear()
    at.set(model="continuo-base")
    at.wait_until_ready()


@pytest.mark.linux
def test_without_an_audio_device_it_plays_silently(desk: MakeDesk) -> None:
    at = desk(BuiltInSynth())
    at.open()
    at.wait_until_open()
    at.wait(lambda: at.messages, "a sentence")
    assert "No audio device" in at.messages[0]
    at.wait(lambda: "silent" in at.window.status.output.text(), "the status bar to say so")
    take = at.sample(1.0)
    assert take.notes
    at.wait(lambda: at.window.transport.position > take.marker, "the playhead")


def test_keys_of_the_transport(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_open()
    at.wait_until_ready()
    window, transport = at.window, at.window.transport
    window.activateWindow()
    QTest.keyClick(window.roll, Qt.Key.Key_Space)
    assert transport.is_playing
    at.wait(lambda: transport.position > 0.3, "the playhead")
    QTest.keyClick(window.roll, Qt.Key.Key_Space)
    assert not transport.is_playing
    paused = transport.position
    window.roll.zoom_time(8.0, 0.0)
    window.roll.scroll_to(paused + 5.0)
    assert not window.actions_["follow"].isChecked()
    assert window.display.view().follow  # what is saved is what is wanted
    QTest.keyClick(window.roll, Qt.Key.Key_Space)
    assert window.actions_["follow"].isChecked()
    at.wait(lambda: transport.position > paused, "the playhead to go on")
    assert 0 <= window.roll.coordinates.x(transport.position) < window.roll.coordinates.width
    window.roll.scroll_to(paused + 5.0)
    QTest.keyClick(window.roll, Qt.Key.Key_Home)
    at.wait(lambda: transport.position < paused, "the playhead to return")
    QTest.keyClick(window.roll, Qt.Key.Key_Escape)
    assert not transport.is_playing
    QTest.keyClick(window.roll, Qt.Key.Key_M)
    assert transport.has_metronome
    QTest.keyClick(window.roll, Qt.Key.Key_L)
    assert transport.is_looping
    at.set(length=1.0)
    QTest.keyClick(window.roll, Qt.Key.Key_C)
    assert window.generation.is_running
    assert window.actions_["follow"].isChecked()
    at.wait(lambda: at.takes, "the take")


def test_while_bars_are_regenerated_that_alone_is_waited_for(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[str] = []
    window = desk().window
    monkeypatch.setattr(window.status, "show_waiting", waits.append)
    window.show_ready(True, "Reading the prompt …")
    monkeypatch.setattr(window.fill, "run", object())
    window.show_ready(True, "Reading the prompt …")
    monkeypatch.setattr(window.fill, "run", None)
    assert waits == ["Reading the prompt …", ""]


def test_a_loop_starts_over(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_open()
    transport = at.window.transport
    at.window.roll.loop_changed.emit((1.0, 1.4))
    transport.play(1.0)
    seen: list[float] = []
    transport.moved.connect(seen.append)
    at.wait(lambda: sum(b < a for a, b in itertools.pairwise(seen)) >= 3, "three rounds")
    assert all(0.99 <= position <= 1.41 for position in seen)
    transport.set_looping(False)
    at.wait(lambda: transport.position > 1.6, "the playhead to leave the loop")


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


def overlapping(root: QWidget) -> list[str]:
    """Widgets beside each other that lie over each other."""
    found = []
    for parent in [root, *root.findChildren(QWidget)]:
        seen = [w for w in parent.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)]
        seen = [w for w in seen if w.isVisible() and not w.isWindow() and not isinstance(w, QSplitterHandle)]
        for one, other in combinations(seen, 2):
            if one.geometry().intersects(other.geometry()):
                found.append(f"{one} over {other}")
    return found


def test_at_the_smallest_nothing_lies_over_anything(desk: MakeDesk) -> None:
    at = desk()
    window = at.window
    at.open()
    session = with_tempo(with_metre(at.window.document.session, 0, (12, 16)), 0, 174.25)
    window.document.do("Metre", session)
    window.fit_in(QSize(816, 498))
    window.resize(800, 450)
    QApplication.processEvents()
    assert window.size() == QSize(800, 450)
    assert window.transport_bar.tempo.text() == "174.2 bpm  12/16"
    assert overlapping(window.transport_bar) == []
    assert cut_off(window.transport_bar) == []
    assert overlapping(window.panel) == []
    assert overlapping(window.status) == []


def test_words_of_the_users_squeeze_nothing(desk: MakeDesk) -> None:
    at = desk()
    window, panel = at.window, at.window.panel
    at.open()
    before = window.roll.geometry()
    name = "a very long name of a preset " * 6
    knobs = Knobs(2, -2, 2, -2, 2, -2, 2)
    window.preferences.change(presets=(Preset(name[:200], knobs, (knobs, knobs)),))
    (action,) = [a for a in panel.feelings.presets.menu().actions() if a.toolTip() == name[:200]]
    assert panel.feelings.presets.menu().sizeHint().width() < 800
    action.trigger()
    QApplication.processEvents()
    assert panel.feel.text().startswith("Feel: much busier")
    assert window.roll.geometry() == before


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
