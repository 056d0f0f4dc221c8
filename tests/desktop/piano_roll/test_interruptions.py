"""What comes in the middle of a drag, and leaves it alone."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.notes import RollPart
from desktop.piano_roll.ruler import end_flag
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import NONE, Hand, Heard, score
from tests.desktop.piano_roll.lane_hand import LaneHand, lanes_of


def test_flags_and_loops_are_moved_whatever_is_shown_anew_meanwhile(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    """As where a take ends in the middle of the drag."""
    marker, start = heard(roll.marker_moved), heard(roll.prompt_start_moved)
    end, loop = heard(roll.end_marker_moved), heard(roll.loop_changed)
    roll.set_end_marker(6.0)
    roll.set_loop((9.0, 10.5))
    flag = end_flag(roll.coordinates, 6.0, roll.small_font).center().toPoint() + QPoint(roll.keyboard_width, 0)
    for press, to in (
        (hand.ruler(4.3, 26), hand.ruler(3.2, 26)),
        (hand.ruler(0.05), hand.ruler(1.4)),
        (flag, flag + QPoint(hand.ruler(7.4).x() - hand.ruler(6.0).x(), 0)),
        (hand.ruler(1.6, 8), hand.ruler(2.9, 8)),
    ):
        hand.press(press)
        hand.move(to)
        roll.set_prompt(0.0, 4.5)
        roll.set_end_marker(6.0)
        roll.set_loop((9.0, 10.5))
        hand.release(to)
    assert (marker, start) == ([(pytest.approx(3.0),)], [(pytest.approx(1.5),)])
    assert (end, loop) == ([(pytest.approx(7.5),)], [((pytest.approx(1.5), pytest.approx(3.0)),)])
    assert roll.overlays.loop == pytest.approx((1.5, 3.0))


def test_notes_that_are_dragged_stay_under_the_pointer_where_the_wheel_turns(
    roll: PianoRoll, hand: Hand, heard: Heard
) -> None:
    moved = heard(roll.moved)
    roll.set_loop((0.0, 60.0))  # else there would be nothing to scroll to
    at = hand.at(0.97, 67)
    hand.press(hand.at(0.7, 64))
    hand.move(at)
    before = roll.overlays.preview
    turned = (QPoint(), QPoint(0, -120), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier)
    wheel = QWheelEvent(QPointF(at), QPointF(hand.canvas.mapToGlobal(at)), *turned, Qt.ScrollPhase.NoScrollPhase, False)
    roll.scroll_by(0.0, 14.0 * 4)
    QApplication.sendEvent(hand.canvas, wheel)
    shown = roll.overlays.preview
    assert shown != before
    hand.release(at)
    assert shown is not None
    assert moved == [(Selection.of(score(1)), *shown)]


def test_a_menu_does_not_open_while_something_is_dragged(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    asked = heard(roll.context_menu_requested)
    (row,) = lanes_of(roll, ("cc1", 80)).rows
    mouse = LaneHand(roll, row)

    def ask() -> None:
        for widget in (hand.canvas, row):
            point = widget.rect().center()
            reason = QContextMenuEvent.Reason.Mouse
            QApplication.sendEvent(widget, QContextMenuEvent(reason, point, widget.mapToGlobal(point), NONE))

    hand.press(hand.at(0.7, 64))
    ask()
    hand.release(hand.at(0.7, 64))
    mouse.press(mouse.at(2.0, 60))
    ask()
    mouse.release(mouse.at(2.0, 60))
    assert asked == []
    assert not row.menu.isVisible()
    ask()
    assert len(asked) == 1
    assert row.menu.isVisible()
    row.menu.close()


def test_a_drum_is_drawn_in_a_drum_track_that_is_empty_yet(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn = heard(roll.drawn)
    roll.set_parts([RollPart.of("drums", "prompt", [])])
    roll.in_front = "drums"
    roll.set_drum_keys("drums")
    roll.set_tool("pencil")
    hand.click(hand.at(2.2, 70))
    ((key, note),) = drawn
    assert (key, note.is_drum) == ("drums", True)  # type: ignore[attr-defined]


def test_escape_puts_a_playhead_back_that_is_dragged(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought = heard(roll.seek_requested)
    roll.set_playhead(7.1)
    hand.press(hand.ruler(7.1))
    hand.move(hand.ruler(4.4))
    hand.key(Qt.Key.Key_Escape)
    hand.release(hand.ruler(4.4))
    assert sought == [(pytest.approx(4.375),), (7.1,)]


def test_what_is_drawn_in_a_lane_stays_under_the_pointer_where_the_wheel_turns(roll: PianoRoll, hand: Hand) -> None:
    roll.set_loop((0.0, 60.0))
    (row,) = lanes_of(roll, ("pedal", 80)).rows
    pedal, mouse = row.lane, LaneHand(roll, row)
    assert isinstance(pedal, PedalLane)
    mouse.press(mouse.at(1.0, 60))
    at = mouse.at(2.0, 60)
    mouse.move(at)
    turned = (QPoint(), QPoint(0, -120), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier)
    wheel = QWheelEvent(QPointF(at), QPointF(row.mapToGlobal(at)), *turned, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(row, wheel)
    assert roll.coordinates.left == pytest.approx(0.6)
    assert pedal._drawn == (pytest.approx(1.0), pytest.approx(2.625))
    hand.key(Qt.Key.Key_Escape)
