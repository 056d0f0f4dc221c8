"""Keys of modifiers while something is dragged or hovers: what is shown follows at once, not when the pointer moves."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.midi.controllers import Point
from desktop.piano_roll.lanes.curve import CurveLane
from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import NONE, Hand, Heard, score
from tests.desktop.piano_roll.lane_hand import LaneHand, lanes_of

ALT, CONTROL = Qt.Key.Key_Alt, Qt.Key.Key_Control
FREE = Qt.KeyboardModifier.AltModifier


def either(roll: PianoRoll, key: Qt.Key, see: Callable[[], object]) -> tuple[object, object, object]:
    """What is seen before a key goes down, while it is held, and once it is let go."""
    before = see()
    QTest.keyPress(roll, key)
    held = see()
    QTest.keyRelease(roll, key)
    return before, held, see()


def near(seconds: float) -> object:
    return pytest.approx(seconds, abs=0.011)


def test_the_knifes_line_leaves_the_grid_with_alt(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    cut = heard(roll.split_requested)
    roll.set_tool("knife")
    hand.move(hand.at(2.03, 67))
    off, on = (near(2.03), (67,)), (pytest.approx(2.0), (67,))
    assert either(roll, ALT, lambda: roll.overlays.cut) == (on, off, on)  # hovering
    hand.press(hand.at(2.03, 67))
    assert either(roll, ALT, lambda: roll.overlays.cut) == (on, off, on)
    QTest.keyPress(roll, ALT)
    hand.release(hand.at(2.03, 67), Qt.KeyboardModifier.AltModifier)
    assert cut == [(roll.selection.of(score(2)), near(2.03))]
    QApplication.sendEvent(hand.canvas, QEvent(QEvent.Type.Leave))
    assert either(roll, ALT, lambda: roll.overlays.cut) == (None, None, None)


def test_what_is_drawn_moved_and_lengthened_leaves_the_grid_with_alt(roll: PianoRoll, hand: Hand) -> None:
    roll.set_tool("pencil")
    hand.press(hand.at(2.3, 75))
    hand.move(hand.at(2.79, 75))
    end = lambda: roll.overlays.drawn and roll.overlays.drawn.end  # noqa: E731
    assert either(roll, ALT, end) == (pytest.approx(2.75), near(2.79), pytest.approx(2.75))
    hand.key(Qt.Key.Key_Escape)
    roll.set_tool("pointer")
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(0.97, 64))
    moved = (pytest.approx(240), 0), (pytest.approx(259, abs=11), 0), (pytest.approx(240), 0)
    assert either(roll, ALT, lambda: roll.overlays.preview) == moved
    assert either(roll, CONTROL, lambda: roll.overlays.is_copy) == (False, True, False)
    hand.key(Qt.Key.Key_Escape)
    hand.press(hand.at(3.0, 67) - QPoint(3, 0))
    hand.move(hand.at(3.28, 67) - QPoint(3, 0))
    longer = (0.0, pytest.approx(240)), (0.0, pytest.approx(269, abs=11)), (0.0, pytest.approx(240))
    assert either(roll, ALT, lambda: roll.overlays.stretch) == longer
    hand.key(Qt.Key.Key_Escape)


def test_what_is_dragged_in_the_ruler_leaves_the_bars_with_alt(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought = heard(roll.seek_requested)
    roll.set_playhead(7.0)

    def dragged(start: QPoint, end: QPoint, see: Callable[[], object]) -> tuple[object, object, object]:
        hand.press(start)
        hand.move(end)
        seen = either(roll, ALT, see)
        hand.key(Qt.Key.Key_Escape)
        hand.release(end)
        return seen

    o = roll.overlays
    marker = dragged(hand.ruler(4.3, 26), hand.ruler(3.2, 26), lambda: o.prompt and o.prompt[1])
    assert marker == (pytest.approx(3.0), near(3.2), pytest.approx(3.0))
    start = dragged(hand.ruler(0.05), hand.ruler(1.4), lambda: o.prompt and o.prompt[0])
    assert start == (pytest.approx(1.5), near(1.4), pytest.approx(1.5))
    span = dragged(hand.ruler(1.6), hand.ruler(3.2), lambda: o.span and o.span[1])
    assert span == (pytest.approx(3.0), near(3.2), pytest.approx(3.0))
    loop = dragged(hand.ruler(1.6, 8), hand.ruler(3.2, 8), lambda: o.loop and o.loop[1])
    assert loop == (pytest.approx(3.0), near(3.2), pytest.approx(3.0))
    playhead = dragged(hand.ruler(7.0), hand.ruler(6.2), lambda: sought[-1][0])
    assert playhead == (pytest.approx(6.25), near(6.2), pytest.approx(6.25))


def test_a_hand_that_trembles_moves_no_handle_with_alt_or_without(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    said = [
        heard(signal)
        for signal in (roll.marker_moved, roll.prompt_start_moved, roll.end_marker_moved, roll.loop_changed)
    ]
    sought = heard(roll.seek_requested)
    roll.set_prompt(0.1, 4.3)
    roll.set_playhead(7.1)
    roll.set_loop((1.1, 2.9))
    before = roll.overlays.prompt, roll.overlays.loop
    for at in (hand.ruler(4.15, 26), hand.ruler(0.12), hand.ruler(7.1), hand.ruler(2.9, 8)):
        hand.press(at)
        hand.move(at + QPoint(1, 0))
        QTest.keyPress(roll, ALT)
        QTest.keyRelease(roll, ALT)
        hand.release(at + QPoint(1, 0))
        assert (roll.overlays.prompt, roll.overlays.loop) == before
    assert said == [[], [], [], []]
    assert sought == []


def test_a_short_drag_moves_a_note_and_a_hand_that_trembles_does_not(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.moved)
    hand.drag(hand.at(0.2, 60), hand.at(0.2, 60) + QPoint(4, 0), FREE)
    assert moved == [(roll.selection, pytest.approx(38.4), 0)]  # ticks
    foot = hand.at(0.2, 60) + QPoint(0, 6)
    hand.drag(foot, foot + QPoint(2, 2), FREE)
    hand.drag(foot, foot + QPoint(0, 4), FREE)  # into the row below, but by less than half a row
    assert len(moved) == 1
    hand.drag(foot, foot + QPoint(0, 8), FREE)
    assert moved[1][2] == -1


def test_a_loop_dragged_there_and_back_is_as_it_is_shown(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    loops, sought = heard(roll.loop_changed), heard(roll.seek_requested)
    hand.press(hand.ruler(1.6, 8))
    hand.move(hand.ruler(4.4, 8))
    hand.move(hand.ruler(1.62, 8))
    hand.release(hand.ruler(1.62, 8))
    assert roll.overlays.loop is None
    assert (loops, sought) == ([], [])


def test_drags_in_lanes_leave_the_grid_with_alt(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    lanes = lanes_of(roll, ("pedal", 80), ("cc1", 80))
    pedal, curve = lanes.shown
    assert isinstance(pedal, PedalLane)
    assert isinstance(curve, CurveLane)
    pedal.show_spans([(0.5, 1.5), (2.0, 3.0)])
    curve.show_points([Point(0.5, 64)])
    moved = heard(pedal.moved)
    mouse, pencil = (LaneHand(roll, row) for row in lanes.rows)

    def drawn_pedal() -> tuple[object, object] | None:
        return pedal._drawn

    mouse.press(mouse.at(2.5, 60))
    mouse.move(mouse.at(2.92, 60))
    on, off = (pytest.approx(2.375), pytest.approx(3.375)), (near(2.42), near(3.42))
    assert either(roll, ALT, drawn_pedal) == (on, off, on)
    hand.key(Qt.Key.Key_Escape)
    mouse.press(mouse.at(3.0, 60) + QPoint(2, 0))
    mouse.move(mouse.at(3.0, 60) + QPoint(3, 0))
    assert either(roll, ALT, drawn_pedal) == (None, None, None)  # not dragged yet
    mouse.release(mouse.at(3.0, 60) + QPoint(3, 0))
    assert moved == []
    pencil.press(pencil.at(2.0, 20), Qt.KeyboardModifier.ShiftModifier)
    pencil.move(pencil.at(3.07, 90), Qt.KeyboardModifier.ShiftModifier)
    last = lambda: curve._shown and float(curve._shown[0][-1])  # noqa: E731
    assert either(roll, ALT, last) == (pytest.approx(3.125), near(3.07), pytest.approx(3.125))
    hand.key(Qt.Key.Key_Escape)


def test_the_pointer_in_a_lane_tells_at_once_that_it_erases(roll: PianoRoll) -> None:
    lanes = lanes_of(roll, ("cc1", 80))
    (row,) = lanes.rows
    mouse = LaneHand(roll, row)
    mouse.move(mouse.at(2.0, 60))
    cross, erasing = Qt.CursorShape.CrossCursor, Qt.CursorShape.PointingHandCursor
    assert either(roll, CONTROL, lambda: row.cursor().shape()) == (cross, erasing, cross)


@pytest.mark.parametrize("is_held", [False, True])
def test_alt_goes_to_the_menu_bar_but_while_it_decides_where_something_goes(
    roll: PianoRoll, hand: Hand, is_held: bool
) -> None:
    if is_held:
        hand.press(hand.at(0.7, 64))
    event = QKeyEvent(QEvent.Type.ShortcutOverride, ALT, Qt.KeyboardModifier.AltModifier)
    event.ignore()
    QApplication.sendEvent(roll, event)
    assert event.isAccepted() == is_held
    if is_held:
        hand.release(hand.at(0.7, 64), NONE)
