"""Edits that follow each other faster than they are made: none is lost, and a key that is held makes one step."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.midi.score import Note
from core.session.session import Session
from desktop.piano_roll.notes import NoteRef, RollNote
from tests.desktop.windows import BACH, Desk

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
FIRST = "track:0"


@pytest.fixture(params=[0, 10**6], ids=["large", "small"])  # all on the file worker's thread, or nothing
def at(request: pytest.FixtureRequest, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("desktop.controllers.edit_queue.MOST_AT_ONCE", request.param)
    at_work = desk()
    at_work.open(BACH)
    return at_work


def track(session: Session) -> tuple[Note, ...]:
    assert session.score is not None
    return session.score.tracks[0].notes


def selected(at: Desk) -> list[Note]:
    return [track(at.window.document.session)[ref.index] for ref in at.window.roll.selection.refs]


def undone(at: Desk) -> Session:
    at.window.actions_["undo"].trigger()
    at.settle()
    return at.window.document.session


def test_a_key_that_is_held_loses_no_press_and_is_one_step(at: Desk) -> None:
    window, roll, document = at.window, at.window.roll, at.window.document
    roll.set_selection((NoteRef(FIRST, 5), NoteRef(FIRST, 6)))
    before = selected(at)
    step = round(roll.grid.step_ticks(before[0].start))
    sessions = []
    for key, modifiers, times in (
        (Qt.Key.Key_Up, NONE, 5),
        (Qt.Key.Key_Right, NONE, 4),
        (Qt.Key.Key_Right, SHIFT, 3),
        (Qt.Key.Key_Up, CONTROL, 2),
        (Qt.Key.Key_Down, SHIFT, 9),  # there is room for some of them
    ):
        sessions.append(document.session)
        for _ in range(times):
            QTest.keyClick(roll, key, modifiers)
        at.settle()
    after = selected(at)
    down = 12 * (min(note.pitch + 5 for note in before) // 12)
    assert down < 9 * 12
    expected = [
        (n.pitch + 5 - down, n.velocity + 8, n.start_tick + 4 * step, n.end_tick + (4 + 3) * step) for n in before
    ]
    assert [(n.pitch, n.velocity, n.start_tick, n.end_tick) for n in after] == expected
    for session in reversed(sessions):
        assert track(undone(at)) == track(session)
    assert not document.undo_name
    assert not [message for message in at.messages if "meanwhile" in message]
    assert window.roll.selection.refs == (NoteRef(FIRST, 5), NoteRef(FIRST, 6))


def test_keys_pressed_by_turns_are_all_done(at: Desk) -> None:
    roll = at.window.roll
    roll.set_selection((NoteRef(FIRST, 5),))
    (before,) = selected(at)
    step = round(roll.grid.step_ticks(before.start))
    for _ in range(3):
        QTest.keyClick(roll, Qt.Key.Key_Up)
        QTest.keyClick(roll, Qt.Key.Key_Right)
    at.settle()
    (after,) = selected(at)
    assert (after.pitch, after.start_tick) == (before.pitch + 3, before.start_tick + 3 * step)


def test_undo_comes_in_its_turn_and_keys_after_it_act_upon_what_it_brings_back(at: Desk) -> None:
    window, roll, document = at.window, at.window.roll, at.window.document
    window.tracks.mute_changed.emit(0, True)
    roll.set_selection((NoteRef(FIRST, 5),))
    (before,) = selected(at)
    step = round(roll.grid.step_ticks(before.start))
    for _ in range(3):
        QTest.keyClick(roll, Qt.Key.Key_Up)
    window.actions_["undo"].trigger()
    for _ in range(2):
        QTest.keyClick(roll, Qt.Key.Key_Right)
    at.settle()
    (after,) = selected(at)
    assert (after.pitch, after.start_tick) == (before.pitch, before.start_tick + 2 * step)
    assert not [message for message in at.messages if "meanwhile" in message]
    undone(at)
    assert document.undo_name == "Mute"


def test_notes_drawn_one_after_the_other_are_all_there_and_steps_of_their_own(at: Desk) -> None:
    window, document = at.window, at.window.document
    window.tracks.mute_changed.emit(0, True)
    before = track(document.session)
    notes = [RollNote(1.0 + i, 1.5 + i, 100 + i, 90) for i in range(3)]
    for note in notes:
        window.roll.drawn.emit(FIRST, note)
    window.actions_["undo"].trigger()  # of the last, which may not be there yet
    at.settle()
    assert sorted(note.pitch for note in {*track(document.session)} - {*before}) == [100, 101]
    undone(at)
    assert track(undone(at)) == before
    assert document.undo_name == "Mute"


def test_other_notes_are_edited_whatever_became_of_the_first(at: Desk) -> None:
    """The first goes past the second, which then has another place."""
    roll, document = at.window.roll, at.window.document
    first, second = track(document.session)[5], track(document.session)[20]
    roll.set_selection((NoteRef(FIRST, 5),))
    roll.nudge(40)
    roll.set_selection((NoteRef(FIRST, track(document.session).index(second)),))
    roll.delete_selected()
    at.settle()
    after = track(document.session)
    assert second not in after
    assert any(note.pitch == first.pitch and note.start_tick > second.start_tick for note in after)


def test_velocities_painted_twice_are_as_painted_last(at: Desk) -> None:
    roll = at.window.roll
    for values in ([10, 20, 30], [40, 50, 60]):
        roll.velocities_set.emit({FIRST: ([5, 6, 7], values)})
    at.settle()
    assert [note.velocity for note in track(at.window.document.session)[5:8]] == [40, 50, 60]


def test_an_edit_is_made_whatever_else_is_done_meanwhile(at: Desk) -> None:
    window, roll, document = at.window, at.window.roll, at.window.document
    roll.set_selection((NoteRef(FIRST, 5),))
    (before,) = selected(at)
    QTest.keyClick(roll, Qt.Key.Key_Up)
    window.tracks.mute_changed.emit(0, True)
    at.settle()
    assert document.session.flags[0].mute
    assert track(document.session)[5].pitch == before.pitch + 1


def test_nothing_waits_for_another_document(at: Desk) -> None:
    window, document = at.window, at.window.document
    at.open(BACH)
    before: Any = track(document.session)
    window.roll.set_selection((NoteRef(FIRST, 5),))
    for _ in range(3):
        QTest.keyClick(window.roll, Qt.Key.Key_Up)
    document.replace(document.session)
    now = document.session
    at.settle()
    assert document.session is now
    assert not document.undo_name
    window.roll.set_selection((NoteRef(FIRST, 5),))
    QTest.keyClick(window.roll, Qt.Key.Key_Up)
    at.settle()
    assert document.undo_name == "Transpose"
    assert len(track(document.session)) == len(before)
