"""Velocities in the real window: the lane, the wheel's and the menu's commands, each a step that undoes."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.session.edits import Part, part_notes
from desktop.controllers.roll_parts import roll_key
from desktop.piano_roll.notes import NoteRef
from tests.desktop.piano_roll.lane_hand import LaneHand
from tests.desktop.windows import BACH, Desk


@pytest.mark.parametrize("where", ["track", "take"])
def test_velocities_of_prompt_and_take(desk: Callable[..., Desk], where: str) -> None:
    at = desk()
    at.open(BACH)
    take = at.sample(1.0)
    at.window.stop()
    window, roll, document = at.window, at.window.roll, at.window.document
    part: Part = 0 if where == "track" else take.id
    offset = 0.0 if where == "track" else take.marker
    start = document.session
    note = part_notes(start, part)[0]
    roll.zoom_time(roll.visible_seconds / 4, 0.0)
    roll.scroll_to(offset + note.start - 0.5)
    roll.set_selection([NoteRef(roll_key(part), 0)])

    def velocity() -> int:
        return next(
            n.velocity for n in part_notes(document.session, part) if (n.start, n.pitch) == (note.start, note.pitch)
        )

    lane = LaneHand(roll, window.lanes.rows[0])
    lane.drag(lane.at(offset + note.start, note.velocity), lane.at(offset + note.start, 40))
    assert velocity() == pytest.approx(40, abs=3)
    assert (document.undo_name, len(roll.selection)) == ("Velocity", 1)
    for name, answer, expected in (
        ("set velocity", 50, 50),
        ("scale velocity", 200, 100),
        ("compress velocity", 0, 100),
    ):
        at.answers.numbers = [answer]
        window.actions_[name].trigger()
        assert velocity() == expected
    at.answers.numbers = [None]
    window.actions_["set velocity"].trigger()
    QTest.keyClick(roll, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert velocity() == 104
    window.lanes.switch("velocity")
    assert window.preferences.now.lanes == ()
    while document.undo_name in ("Velocity", "Set Velocity", "Scale Velocity"):
        window.actions_["undo"].trigger()
    assert (document.session.score, document.session.takes) == (start.score, start.takes)
