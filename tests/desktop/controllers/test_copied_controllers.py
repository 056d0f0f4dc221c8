"""Pedals, bends and controllers of a span in the real window: copied, cut, pasted and repeated with its notes."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from core.midi.controllers import BEND, BEND_CENTRE
from core.session import edits_controls as edits
from core.session.edits import part_notes
from core.session.edits_controls import Owner
from core.session.session import Session
from desktop.piano_roll.notes import NoteRef
from tests.desktop.controllers.test_lanes import opened
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.windows import Desk

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
near: Any = lambda seconds: pytest.approx(seconds, abs=0.003)  # noqa: E731


def drawn_in(desk: Callable[..., Desk]) -> tuple[Desk, list[float]]:
    """A window whose first bar has a pedal and a bend; its bar lines."""
    at, window, (pedal, bend) = opened(desk, "pedal", "bend")
    tempo_map = window.document.session.tempo_map
    bars = [tempo_map.seconds(tempo_map.bar_tick(i)) for i in range(8)]
    length = bars[1]
    pedal.drag(pedal.at(length / 4, 60), pedal.at(length / 2, 60))
    at.settle()
    bend.drag(bend.at(length / 2, 8192), bend.at(length, 16383), SHIFT)
    at.settle()
    return at, bars


def key(at: Desk, letter: Qt.Key) -> None:
    QTest.keyClick(at.window.roll, letter, CONTROL)
    at.settle()


def pedals(session: Session, owner: Owner, since: float) -> list[tuple[float, float]]:
    return [(start - since, end - since) for start, end in edits.pedals(session, owner) if start >= since]


def test_a_span_brings_its_controllers_into_track_take_and_another_window(desk: Callable[..., Desk]) -> None:
    at, bars = drawn_in(desk)
    window, roll, document = at.window, at.window.roll, at.window.document
    before = document.session
    own = pedals(before, Owner(0), 0.0)
    roll.set_span((bars[0], bars[1]))
    key(at, Qt.Key.Key_C)
    window.transport.go_to(bars[4])
    key(at, Qt.Key.Key_V)
    session = document.session
    assert document.undo_name == "Paste"
    assert pedals(session, Owner(0), bars[4]) == [(near(start), near(end)) for start, end in own]
    bends = [[p.value for p in edits.curve(each, Owner(0), BEND)] for each in (before, session)]
    assert BEND_CENTRE in bends[1][len(bends[0]) :]
    assert bends[1][-1] == bends[0][-1]  # behind the span it is as it was
    copied = [n for n in part_notes(session, 0) if bars[4] <= n.start < bars[5]]
    at_home = [n for n in part_notes(before, 0) if bars[0] <= n.start < bars[1]]
    assert len(copied) >= len(at_home) > 0
    window.actions_["undo"].trigger()
    assert (document.session.midi, document.session.score) == (before.midi, before.score)

    take = before.takes[0]
    window.transport.go_to(take.marker)
    window.paste_menu.show_parts()
    next(action for action in window.paste_menu.actions() if action.text() == take.name).trigger()
    at.settle()
    assert before.score is not None
    owner = Owner(take.id, before.score.tracks[0].key)
    line = roll.grid.nearest_line(take.marker)
    assert pedals(document.session, owner, 0.0) == [(near(line + s), near(line + e)) for s, e in own]
    other = desk()
    other.open()
    other.window.transport.go_to(bars[2])
    other.window.actions_["paste"].trigger()
    other.settle()
    assert pedals(other.window.document.session, Owner(0), bars[2]) == [(near(start), near(end)) for start, end in own]


def test_notes_alone_leave_the_controllers_where_they_are(desk: Callable[..., Desk]) -> None:
    at, bars = drawn_in(desk)
    window, document = at.window, at.window.document
    before = document.session
    window.roll.set_selection([NoteRef("track:0", 0)])
    key(at, Qt.Key.Key_X)
    window.transport.go_to(bars[4])
    key(at, Qt.Key.Key_V)
    assert len(part_notes(document.session, 0)) == len(part_notes(before, 0))
    for number in (64, BEND):
        assert edits.curve(document.session, Owner(0), number) == edits.curve(before, Owner(0), number)


def test_what_was_selected_last_is_copied(desk: Callable[..., Desk]) -> None:
    at, bars = drawn_in(desk)
    window, roll, hand = at.window, at.window.roll, Hand(at.window.roll)
    own = pedals(window.document.session, Owner(0), 0.0)
    far = len(part_notes(window.document.session, 0)) - 1
    roll.set_selection([NoteRef("track:0", far)])
    hand.drag(hand.ruler(bars[1]), hand.ruler(bars[0]))  # not from there, where the playhead is
    assert roll.span == (near(bars[0]), near(bars[1]))
    assert roll.selection.refs == (NoteRef("track:0", far),)
    key(at, Qt.Key.Key_C)
    window.transport.go_to(bars[4])
    key(at, Qt.Key.Key_V)
    assert pedals(window.document.session, Owner(0), bars[4]) == [(near(start), near(end)) for start, end in own]
    window.actions_["undo"].trigger()
    at.settle()
    roll.set_selection([NoteRef("track:0", far)])
    key(at, Qt.Key.Key_X)
    assert len(part_notes(window.document.session, 0)) == far
    assert pedals(window.document.session, Owner(0), 0.0) == own

    # In the span, the note that is selected, or where the span was selected later, all of them.
    inside = len(roll.notes_in(bars[0], bars[1]))
    for drags, count in ((False, 1), (True, inside)):
        roll.set_selection([NoteRef("track:0", 0)])
        if drags:
            roll.set_span(None)
            hand.drag(hand.ruler(bars[1]), hand.ruler(bars[0]))
        before = sum(len(part_notes(window.document.session, i)) for i in (0, 1))
        key(at, Qt.Key.Key_D)
        assert sum(len(part_notes(window.document.session, i)) for i in (0, 1)) == before + count


def test_cut_and_duplicate_are_a_step_each(desk: Callable[..., Desk]) -> None:
    at, bars = drawn_in(desk)
    window, document = at.window, at.window.document
    before = document.session
    own = pedals(before, Owner(0), 0.0)
    window.roll.set_span((bars[0], bars[1]))
    key(at, Qt.Key.Key_D)
    assert document.undo_name == "Duplicate"
    assert pedals(document.session, Owner(0), bars[1]) == [(near(start), near(end)) for start, end in own]
    window.actions_["undo"].trigger()
    at.settle()
    assert document.session.midi == before.midi
    key(at, Qt.Key.Key_X)
    assert document.undo_name == "Cut"
    assert edits.pedals(document.session, Owner(0)) == []
    assert {point.value for point in edits.curve(document.session, Owner(0), BEND) if point.at < bars[1]} <= {
        BEND_CENTRE
    }
    assert not [note for note in part_notes(document.session, 0) if note.start < bars[1]]
    window.actions_["undo"].trigger()
    at.settle()
    assert document.session.midi == before.midi


def test_controllers_alone_go_to_whom_the_lanes_show(desk: Callable[..., Desk]) -> None:
    at, bars = drawn_in(desk)
    window, document = at.window, at.window.document
    window.roll.set_span((bars[0], bars[1]))
    window.roll.select_span()
    window.roll.delete_requested.emit(window.roll.selection)
    at.settle()
    before = document.session
    own = pedals(before, Owner(0), 0.0)
    key(at, Qt.Key.Key_C)
    assert QGuiApplication.clipboard().mimeData().hasFormat("audio/midi")
    window.lanes.owner_chosen.emit(Owner(1))
    window.transport.go_to(bars[3])
    key(at, Qt.Key.Key_V)
    assert pedals(document.session, Owner(1), bars[3]) == [(near(start), near(end)) for start, end in own]
    assert part_notes(document.session, 1) == part_notes(before, 1)
    window.roll.set_span((window.roll.content_end + 1, window.roll.content_end + 2))
    window.lanes.show_lanes([])
    at.messages.clear()
    key(at, Qt.Key.Key_C)
    assert at.messages[-1].startswith("Select notes")
