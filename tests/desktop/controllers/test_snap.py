"""What drags snap to, chosen in the transport bar."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.session.edits import part_notes
from desktop.piano_roll.notes import NoteRef
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.windows import BACH, Desk


def test_a_drag_goes_by_what_is_chosen_and_n_switches_it(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll = at.window, at.window.roll
    snap = window.transport_bar.snap
    snap.setCurrentIndex(snap.findData("1/4"))
    snap.activated.emit(snap.currentIndex())
    assert (roll.grid.snap, window.preferences.now.snap) == ("1/4", "1/4")
    roll.zoom_time(roll.visible_seconds / 4, 0.0)
    roll.scroll_to(0.0)
    note = part_notes(window.document.session, 0)[0]
    roll.scroll_by(0.0, roll.coordinates.y(note.pitch) - 200)
    hand = Hand(roll)
    quarter = roll.grid.step(note.start)

    def dragged() -> float:
        before = roll.note(NoteRef("track:0", 0)).start
        start = hand.at((note.start + note.end) / 2, note.pitch)
        hand.drag(start, hand.at((note.start + note.end) / 2 + 0.7 * quarter, note.pitch))
        moved = min(roll.selection.refs)
        by = roll.note(moved).start - before
        window.actions_["undo"].trigger()
        return by

    assert dragged() == pytest.approx(quarter, abs=0.002)
    QTest.keyClick(roll, Qt.Key.Key_N)
    assert roll.grid.snap == "off"
    assert dragged() == pytest.approx(0.7 * quarter, abs=0.02)
    QTest.keyClick(roll, Qt.Key.Key_N)
    assert (roll.grid.snap, snap.currentData()) == ("1/4", "1/4")
