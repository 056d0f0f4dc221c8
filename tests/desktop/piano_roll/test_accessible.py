"""Notes as a screen reader finds them: children of the roll, with names, places and the focus."""

from typing import Any
from unittest import mock

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QFocusEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.midi.pitch_names import drum_name
from desktop.piano_roll import accessible
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import OTHER, SCORE, Hand, score

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
Event = QAccessible.Event
Told = list[tuple[QAccessible.Event, str]]


def reader(roll: PianoRoll) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(roll)


def notes(roll: PianoRoll) -> list[QAccessibleInterface]:
    """The children that are no widgets, as a screen reader goes through them."""
    root = reader(roll)
    children = [root.child(i) for i in range(root.childCount())]
    return [child for child in children if child.role() == QAccessible.Role.ListItem]


def names(roll: PianoRoll) -> list[str]:
    return [note.text(QAccessible.Text.Name) for note in notes(roll)]


def described(roll: PianoRoll) -> str:
    return reader(roll).text(QAccessible.Text.Description)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """The events that a screen reader is sent: which, and the name of what they are about."""
    events: Told = []

    def update(event: Any) -> None:
        about = event.accessibleInterface()
        events.append((event.type(), about.text(QAccessible.Text.Name)))

    monkeypatch.setattr(accessible.QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(accessible.QAccessible, "updateAccessibility", update)
    return events


def test_the_selected_note_and_its_neighbours_are_read(roll: PianoRoll) -> None:
    roll.set_selection(score(1))
    assert names(roll) == [
        "C4, velocity 80, bar 1, beat 1, 1 beat (0.50 s) long",
        "E4, velocity 100, bar 1, beat 2, 1 beat (0.50 s) long",
        "G4, velocity 40, bar 2, beat 1, 3 beats (1.50 s) long",
    ]
    states = [note.state() for note in notes(roll)]
    assert [state.selected for state in states] == [False, True, False]
    assert all(state.selectable and state.focusable for state in states)
    root = reader(roll)
    assert [root.indexOfChild(note) for note in notes(roll)] == list(range(root.childCount() - 3, root.childCount()))
    assert all(note.parent() is root for note in notes(roll))


def test_track_origin_and_drum_are_told(roll: PianoRoll) -> None:
    drum = RollPart.of("drums", "prompt", [RollNote(0.5, 0.6, 42, 90, 1, True)])
    columns = [[4.5, 5.0, 62, 90, -1, 0, 1, 0]]
    take = RollPart.of_columns("take", "take", np.array(columns), "Take 2", ("The calm one",))
    roll.set_parts([drum, take])
    roll.select_all()
    assert names(roll) == [
        f"{drum_name(42)} (F#2), velocity 90, bar 1, beat 2, 0.2 beats (0.10 s) long",
        "D4, velocity 90, bar 4, beat 1, 1 beat (0.50 s) long, Take 2, from The calm one",
    ]


def test_keys_go_from_note_to_note_and_the_focus_is_told(
    roll: PianoRoll, hand: Hand, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "hasFocus", lambda: True)  # no window of an offscreen platform is active
    reader(roll)
    for key, name in (
        (Qt.Key.Key_Right, "C4"),
        (Qt.Key.Key_Right, "E4"),
        (Qt.Key.Key_Left, "C4"),
        (Qt.Key.Key_Left, "C4"),  # there is none before: nothing new is said
    ):
        hand.key(key, CONTROL)
        QApplication.processEvents()
        focus = [words for event, words in told if event == QAccessible.Event.Focus]
        assert focus[-1].startswith(f"{name}, velocity")
        child = reader(roll).focusChild()
        assert child is not None
        assert child.text(QAccessible.Text.Name) == focus[-1]
    assert len([event for event, _ in told if event == QAccessible.Event.Focus]) == 3


def test_what_becomes_of_the_selected_notes_is_told(
    roll: PianoRoll, hand: Hand, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "hasFocus", lambda: True)
    reader(roll)

    def now() -> Told:
        QApplication.processEvents()
        news = [(event, words) for event, words in told if event not in (Event.SelectionWithin, Event.StateChanged)]
        told.clear()
        return news

    def show(*notes: RollNote) -> None:
        roll.set_parts([RollPart.of("score", "prompt", notes)])

    roll.set_selection(score(1))
    assert now() == [(Event.Focus, "E4, velocity 100, bar 1, beat 2, 1 beat (0.50 s) long")]
    show(SCORE[0], SCORE[1]._replace(pitch=65), SCORE[2])
    assert now() == [
        (Event.Focus, "F4, velocity 100, bar 1, beat 2, 1 beat (0.50 s) long")
    ]  # of another item, to a reader
    show(SCORE[0], SCORE[1]._replace(pitch=65), SCORE[2])
    assert now() == []  # it is as it was
    faces = {names(roll)[1]: notes(roll)[1]}
    for pitch, name in ((66, "F#4"), (67, "G4"), (68, "G#4")):
        show(SCORE[0], SCORE[1]._replace(pitch=pitch), SCORE[2])
        words = f"{name}, velocity 100, bar 1, beat 2, 1 beat (0.50 s) long"
        assert now()[-1] == (Event.Focus, words)
        faces[words] = notes(roll)[1]
        left = [face.text(QAccessible.Text.Name) for face in faces.values() if face is not faces[words]]
        assert words not in left  # by which Orca would take them for one
    assert len(set(map(id, faces.values()))) == 2  # no more, however often it changes
    show(SCORE[0], SCORE[1]._replace(pitch=65), SCORE[2])
    now()
    hand.key(Qt.Key.Key_Right, CONTROL | SHIFT)
    assert now() == [(Event.Focus, "Piano roll")]  # two: neither of them, but the roll
    assert described(roll) == "2 of 3 notes selected, F4 to G4, velocity 40 to 100, bar 1, beat 2 to bar 2, beat 1"
    show(SCORE[0], SCORE[1], SCORE[2])
    assert now() == [(Event.DescriptionChanged, "Piano roll")]
    assert described(roll).startswith("2 of 3 notes selected, E4 to G4,")
    show(SCORE[0])
    assert now() == [(Event.DescriptionChanged, "Piano roll")]
    assert described(roll) == "1 notes, 0 selected"
    roll.set_selection(score(0))
    assert now() == [(Event.Focus, "C4, velocity 80, bar 1, beat 1, 1 beat (0.50 s) long")]
    roll.set_parts([])
    assert now() == [(Event.Focus, "Piano roll")]  # a reader would stay at the note that is gone


def test_what_a_reader_keeps_of_a_note_is_told_anew_before_the_note_has_the_focus(
    roll: PianoRoll, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "hasFocus", lambda: True)
    roll.set_selection(score(0))
    assert names(roll)[1].startswith("E4")  # it is read, not selected, and kept
    roll.set_parts([RollPart.of("score", "prompt", [SCORE[0], SCORE[1]._replace(velocity=7)])])
    QApplication.processEvents()
    told.clear()
    roll.set_selection(score(1))
    QApplication.processEvents()
    words = "E4, velocity 7, bar 1, beat 2, 1 beat (0.50 s) long"
    assert told[1:] == [(Event.NameChanged, words), (Event.StateChanged, words), (Event.Focus, words)]


def test_who_comes_to_the_roll_is_told_of_the_selected_note(
    roll: PianoRoll, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roll, "hasFocus", lambda: False)
    reader(roll)
    roll.set_selection(score(1))
    QApplication.processEvents()
    assert [event for event, _ in told] == [Event.SelectionWithin]  # it has not the focus
    monkeypatch.setattr(roll, "hasFocus", lambda: True)
    for _ in range(2):  # of a dialog, say
        QApplication.sendEvent(roll, QFocusEvent(QEvent.Type.FocusIn))
        QApplication.processEvents()
        assert told.pop() == (Event.Focus, "E4, velocity 100, bar 1, beat 2, 1 beat (0.50 s) long")
    roll.clear_selection()
    QApplication.processEvents()
    told.clear()
    QApplication.sendEvent(roll, QFocusEvent(QEvent.Type.FocusIn))
    QApplication.processEvents()
    assert told == []  # Qt itself tells of the roll


def test_a_note_says_where_it_is_and_when_it_is_gone(roll: PianoRoll, hand: Hand) -> None:
    roll.set_selection(score(2))
    note = notes(roll)[1]
    place = note.rect()
    assert place.contains(roll.viewport().mapToGlobal(hand.at(2.0, 67)))
    assert not place.contains(roll.viewport().mapToGlobal(hand.at(2.0, 68)))
    roll.set_parts([RollPart.of("score", "prompt", SCORE[:1])])
    assert not note.isValid()
    assert note.text(QAccessible.Text.Name) == ""
    assert names(roll) == ["C4, velocity 80, bar 1, beat 1, 1 beat (0.50 s) long"]
    roll.set_parts([])
    assert names(roll) == []


def test_a_reader_may_ask_of_notes_of_a_roll_that_is_gone(qtbot: QtBot) -> None:
    roll = PianoRoll()
    roll.set_parts([RollPart.of("score", "prompt", SCORE)])
    (note,) = notes(roll)
    assert note.text(QAccessible.Text.Name)
    shiboken6.delete(roll)
    assert not note.isValid()
    assert (note.text(QAccessible.Text.Name), note.rect().isNull(), note.state().invalid) == ("", True, True)


def test_of_many_selected_notes_some_are_read_and_faint_ones_never(roll: PianoRoll) -> None:
    many = [RollNote(i / 10, i / 10 + 0.1, 60, 80) for i in range(1000)]
    roll.set_parts([RollPart.of("many", "prompt", many), RollPart.of("old", "other", OTHER)])
    roll.select_all()
    assert len(notes(roll)) == accessible.MOST_TOLD
    with mock.patch.object(type(roll), "neighbour", side_effect=AssertionError("reckoned anew for each question")):
        assert len(names(roll)) == accessible.MOST_TOLD
    roll.set_selection([NoteRef("many", 999)])
    assert len(notes(roll)) == 2


def test_widgets_of_the_roll_stay_reachable(roll: PianoRoll) -> None:
    root = reader(roll)
    own = [root.child(i) for i in range(root.childCount() - len(notes(roll)))]
    assert own
    assert all(root.indexOfChild(child) == i for i, child in enumerate(own))
