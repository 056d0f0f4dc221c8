"""What undo and redo bring back, and what they select."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from core.midi.score import TakeNote
from desktop.piano_roll.notes import NoteRef
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.test_song import MELODY, song
from tests.desktop.windows import BACH, Desk

MakeDesk = Callable[..., Desk]
LEFT = Qt.MouseButton.LeftButton


def chosen(menu: QMenu, words: str) -> QAction:
    return next(action for action in menu.actions() if words in action.text().replace("&", ""))


def test_undo_leaves_the_knobs_as_they_are(desk: MakeDesk, tmp_path: Path) -> None:
    at = desk()
    at.open()
    window = at.window
    window.commands.change("Mute", lambda s: s.with_flags(0, mute=True))
    at.set(temperature=0.7, takes=3)
    assert window.document.undo_name == "Mute"
    window.actions_["undo"].trigger()
    assert not window.isWindowModified()
    window.actions_["redo"].trigger()
    window.actions_["undo"].trigger()
    settings = window.panel.settings()
    assert (settings.temperature, settings.takes) == (0.7, 3)
    assert window.document.session.settings == settings
    at.answers.path = str(tmp_path / "a.continuo")
    window.actions_["save as"].trigger()
    at.settle()
    assert not window.isWindowModified()
    at.set(temperature=0.8)  # which the session's file is to have
    assert window.isWindowModified()
    assert not window.document.undo_name


def test_takes_that_were_undone_or_deleted_are_brought_back_from_the_bin(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    take = at.sample(1.0)
    window = at.window
    assert not window.takes.bin.isVisible()
    window.actions_["undo"].trigger()
    window.commands.change("Mute", lambda s: s.with_flags(0, mute=True))
    assert not at.takes
    assert window.takes.bin.isVisible()
    assert window.takes.bin.text() == "Bin: 1 take"
    chosen(window.takes.bin_menu(), "Bring back Take 1").trigger()
    assert at.takes == (take,)
    assert window.document.session.current == take.id
    assert not window.takes.bin.isVisible()
    chosen(window.takes.menu(take.id), "Delete").trigger()
    chosen(window.takes.bin_menu(), "Empty the bin").trigger()
    assert at.answers.told == ["1 in the bin"]
    assert not window.takes.bin.isVisible()
    assert window.document.session.bin == ()


@pytest.mark.parametrize("most_at_once", [0, 2000])  # with 0 all is done on the file worker's thread
def test_undo_and_redo_select_the_notes_they_bring(
    desk: MakeDesk, monkeypatch: pytest.MonkeyPatch, most_at_once: int
) -> None:
    monkeypatch.setattr("desktop.controllers.edit_queue.MOST_AT_ONCE", most_at_once)
    at = desk()
    at.open(BACH)
    window, document = at.window, at.window.document
    refs = (NoteRef("track:0", 5), NoteRef("track:0", 6))

    def do(name: str) -> None:
        window.actions_[name].trigger()
        at.settle()

    def notes() -> list[Any]:
        assert document.session.score is not None
        return [document.session.score.tracks[0].notes[ref.index] for ref in window.roll.selection.refs]

    window.roll.set_selection(refs)
    before = notes()
    window.roll.nudge(20)  # past others, so that they have other places in the order
    at.settle()
    after = notes()
    assert window.roll.selection.refs != refs
    do("undo")
    assert window.roll.selection.refs == refs
    assert notes() == before
    do("redo")
    assert notes() == after
    do("undo")
    window.roll.delete_selected()
    at.settle()
    assert not window.roll.has_selection
    do("undo")
    assert notes() == before
    do("redo")
    assert not window.roll.has_selection
    window.roll.set_selection(refs)
    window.roll.marker_moved.emit(6.0)
    do("undo")  # of something else: the selection stays
    assert window.roll.selection.refs == refs


def test_steps_that_are_asked_for_at_once_are_all_taken(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.controllers.edit_queue.MOST_AT_ONCE", 0)
    at = desk()
    at.open(BACH)
    window, document = at.window, at.window.document
    sessions = [document.session]
    for index in (5, 20, 40):
        window.roll.set_selection((NoteRef("track:0", index),))
        window.actions_["up"].trigger()
        at.settle()
        sessions.append(document.session)
    for _ in range(4):  # the last has nothing to take back
        window.actions_["undo"].trigger()
    at.settle()
    assert document.session is sessions[0]
    assert not document.undo_name
    for _ in range(2):
        window.actions_["redo"].trigger()
    at.settle()
    assert document.session is sessions[2]
    assert len(window.roll.selection) == 1


def test_what_is_done_while_undo_is_prepared_is_not_taken_back(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.controllers.edit_queue.MOST_AT_ONCE", 0)
    at = desk()
    at.open(BACH)
    window, document = at.window, at.window.document
    window.roll.set_selection((NoteRef("track:0", 5),))
    window.actions_["up"].trigger()
    at.settle()
    window.actions_["undo"].trigger()
    window.roll.marker_moved.emit(6.0)
    after = document.session
    at.settle()
    assert document.session is after
    assert document.undo_name == "Move marker"
    assert "meanwhile" in window.status.currentMessage()
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    at.settle()
    assert not document.undo_name


def test_a_part_of_the_score_that_is_taken_back_selects_nothing(desk: MakeDesk) -> None:
    at = desk()
    at.open(BACH)
    take = at.sample(1.0)
    at.window.commands.accept(take.id)
    at.settle()
    at.window.actions_["undo"].trigger()
    assert not at.window.roll.has_selection


def test_what_undo_brings_back_is_not_made_again_to_be_shown(desk: MakeDesk) -> None:
    at = desk()
    at.open(BACH)
    window = at.window
    before = window.roll.parts
    window.roll.set_selection((NoteRef("track:0", 5),))
    window.actions_["up"].trigger()
    after = window.roll.parts
    assert after[0] is not before[0]
    window.actions_["undo"].trigger()
    assert all(new is old for new, old in zip(window.roll.parts, before, strict=True))
    window.actions_["redo"].trigger()
    assert all(new is old for new, old in zip(window.roll.parts, after, strict=True))


def test_presses_of_a_key_are_one_step_but_other_notes_and_drags_are_steps_of_their_own(desk: MakeDesk) -> None:
    at = desk()
    at.open(BACH)
    window, document, roll = at.window, at.window.document, at.window.roll
    before = []
    for ref in (NoteRef("track:0", 5), NoteRef("track:0", 60)):  # two notes of a track, one after the other
        roll.set_selection([ref])
        for key in (Qt.Key.Key_Up, Qt.Key.Key_Right):
            before.append(document.session)
            for _ in range(3):
                QTest.keyClick(roll, key)
    hand = Hand(roll)
    for _ in range(2):  # the same note, dragged twice
        before.append(document.session)
        (ref,) = roll.selection.refs
        note = roll.note(ref)
        start = hand.at((note.start + note.end) / 2, note.pitch)
        hand.drag(start, start + QPoint(0, round(-2 * roll.coordinates.row_height)))
    while before:
        window.actions_["undo"].trigger()
        assert document.session.score == before.pop().score
    assert not document.undo_name


def test_a_take_that_is_undone_while_it_plays_takes_its_sampling_head_along(desk: MakeDesk) -> None:
    at = desk()
    at.open(BACH)
    at.sample(6.0)
    window = at.window
    assert window.transport.is_playing
    assert window.roll.overlays.sampling_head is not None
    window.actions_["undo"].trigger()
    assert window.roll.overlays.sampling_head is None


def test_what_is_selected_stays_the_same_notes_whatever_comes_before_them(desk: MakeDesk, tmp_path: Path) -> None:
    """A take that becomes part of the score puts notes before others of their track, and undo takes them away."""
    (tmp_path / "song.mid").write_bytes(song())
    at = desk()
    at.open(tmp_path / "song.mid")
    window, document, roll = at.window, at.window.document, at.window.roll
    roll.marker_moved.emit(8.0)
    take = at.sample(2.0)
    notes = (TakeNote(60, 80, 0.0, 0.5, track=MELODY), TakeNote(62, 80, 0.5, 1.0, track=MELODY))
    document.amend(document.session.with_changed_take(replace(take, notes=notes)))

    def selected() -> list[tuple[float, int]]:
        return [(roll.note(ref).start, roll.note(ref).pitch) for ref in roll.selection.refs]

    roll.set_selection([NoteRef("track:0", 2), NoteRef("track:0", 25), NoteRef("track:1", 3)])
    before = selected()
    assert before[1][0] > take.marker + take.end
    for name in ("accept", "undo"):
        window.actions_[name].trigger()
        at.settle()
        assert selected() == before


def test_each_move_of_a_marker_is_a_step(desk: MakeDesk) -> None:
    at = desk()
    at.open(BACH)
    window, document, roll = at.window, at.window.document, at.window.roll

    def places() -> tuple[float, float, float]:
        session = document.session
        return session.prompt_start, session.marker, session.end_marker

    seen = [places()]
    moves = (roll.marker_moved, 7.0), (roll.marker_moved, 6.0), (roll.prompt_start_moved, 3.0)
    for moved, seconds in (*moves, (roll.prompt_start_moved, 2.0), (roll.end_marker_moved, 9.0)):
        moved.emit(seconds)
        seen.append(places())
    for before in reversed(seen[:-1]):
        window.actions_["undo"].trigger()
        assert places() == before
    assert not document.undo_name


def test_a_key_that_moves_the_marker_again_and_again_makes_one_step(desk: MakeDesk) -> None:
    at = desk()
    at.open(BACH)
    window, document, roll = at.window, at.window.document, at.window.roll
    roll.marker_moved.emit(8.0)
    before = document.session
    for _ in range(3):
        QTest.keyClick(roll, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    bars = [roll.grid.neighbour_bar(document.session.marker, 1)]
    assert document.session.marker < bars[0] < before.marker
    window.actions_["undo"].trigger()
    assert document.session.marker == before.marker
    assert document.undo_name == "Move marker"
    window.actions_["undo"].trigger()
    assert not document.undo_name
