import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import NONE, SCORE, Hand, Heard, score

SHIFT, CONTROL, ALT = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


def turn(roll: PianoRoll, at: QPoint, notches: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(roll.viewport().mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(roll.viewport(), event)


# Notes


def test_a_click_sounds_and_selects(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    on, off = heard(roll.note_pressed), heard(roll.note_released)
    hand.press(hand.at(0.7, 64))
    assert on == [(NoteRef("score", 1),)]
    assert off == []
    assert roll.overlays.lit == {64}
    hand.release(hand.at(0.7, 64))
    assert off == [(NoteRef("score", 1),)]
    assert roll.overlays.lit == set()
    assert roll.selection.refs == score(1)


def test_faint_takes_sound_and_stay_unselected(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    on, moved = heard(roll.note_pressed), heard(roll.moved)
    hand.drag(hand.at(6.5, 70), hand.at(7.5, 74))
    assert on == [(NoteRef("old", 0),)]
    assert roll.selection.refs == ()
    assert moved == []


def test_shift_adds_and_ctrl_toggles(roll: PianoRoll, hand: Hand) -> None:
    hand.click(hand.at(0.2, 60))
    hand.click(hand.at(0.7, 64), SHIFT)
    assert roll.selection.refs == score(0, 1)
    hand.click(hand.at(0.2, 60), CONTROL)
    assert roll.selection.refs == score(1)
    hand.click(hand.at(4.7, 62), CONTROL)
    assert set(roll.selection.refs) == {*score(1), NoteRef("take", 0)}
    hand.click(hand.at(8, 50))
    assert roll.selection.refs == ()


def test_the_band_selects_what_it_touches(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    said = heard(roll.selection_changed)
    hand.drag(hand.at(0.6, 75), hand.at(4.6, 61))
    assert set(roll.selection.refs) == {*score(1, 2, 3), NoteRef("take", 0)}
    assert said
    hand.drag(hand.at(0.1, 58), hand.at(0.6, 65), CONTROL)  # adds 0, takes 1 out
    assert set(roll.selection.refs) == {*score(0, 2, 3), NoteRef("take", 0)}
    assert roll.overlays.band is None


def test_escape_ends_the_band_as_if_it_had_not_been(roll: PianoRoll, hand: Hand) -> None:
    roll.set_selection(score(0))
    hand.press(hand.at(0.6, 75))
    hand.move(hand.at(4.6, 61))
    hand.key(Qt.Key.Key_Escape)
    assert roll.selection.refs == score(0)
    hand.key(Qt.Key.Key_Escape)
    assert roll.selection.refs == ()


def test_dragging_moves_by_the_grid(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.moved)
    roll.set_selection(score(0, 1))
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(0.97, 67))
    assert roll.overlays.preview == (pytest.approx(240), 3)
    hand.release(hand.at(0.97, 67))
    assert moved == [(Selection.of(score(0, 1)), pytest.approx(240), 3)]
    assert roll.overlays.preview is None
    hand.drag(hand.at(0.7, 64), hand.at(0.97, 64), ALT)
    assert moved[1] == (Selection.of(score(0, 1)), pytest.approx(259, abs=11), 0)


def test_no_note_is_dragged_before_the_start(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.moved)
    roll.set_selection(score(1, 2))
    hand.drag(hand.at(2.5, 67), hand.at(0.4, 67))
    assert moved == [(Selection.of(score(1, 2)), pytest.approx(-480), 0)]


def test_a_cancelled_drag_moves_nothing(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.moved)
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(2, 70))
    hand.key(Qt.Key.Key_Escape)
    hand.release(hand.at(2, 70))
    assert moved == []
    assert roll.overlays.preview is None


def test_the_menu_is_for_the_note_under_it(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    asked = heard(roll.context_menu_requested)
    point = hand.at(0.7, 64)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, roll.viewport().mapToGlobal(point), NONE)
    QApplication.sendEvent(roll.viewport(), event)
    assert asked == [(roll.viewport().mapToGlobal(point), Selection.of(score(1)), pytest.approx(0.7, abs=0.01))]


# Keys


def test_keys_edit_what_is_selected(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved, deleted, quantised = heard(roll.nudged), heard(roll.delete_requested), heard(roll.quantise_requested)
    transposed, tapped = heard(roll.transposed), heard(roll.tapped)
    hand.key(Qt.Key.Key_Delete)
    assert deleted == []
    roll.set_selection(score(1, 2))
    hand.key(Qt.Key.Key_Up)
    hand.key(Qt.Key.Key_Down, SHIFT)
    hand.key(Qt.Key.Key_Right)
    hand.key(Qt.Key.Key_Left, ALT)
    hand.key(Qt.Key.Key_Q)
    hand.key(Qt.Key.Key_Delete)
    refs = score(1, 2)
    assert moved == [
        (Selection.of(refs), 0.0, 1),
        (Selection.of(refs), pytest.approx(120), 0),
        (Selection.of(refs), pytest.approx(-9.6), 0),
    ]
    assert transposed == [(Selection.of(refs), -12)]
    assert tapped == [([(refs[0], 65)],), ([(refs[0], 52)],)]  # the first of them sounds
    assert quantised == [(Selection.of(refs),)]
    assert deleted == [(Selection.of(refs),)]


def test_pitches_stay_in_range(roll: PianoRoll, heard: Heard) -> None:
    moved = heard(roll.moved)
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(0, 1, 120, 80)])])
    roll.set_selection(score(0))
    roll.transpose(12)
    assert moved == []


def test_ctrl_a_selects_prompt_and_take(roll: PianoRoll, hand: Hand) -> None:
    hand.key(Qt.Key.Key_A, CONTROL)
    assert set(roll.selection.refs) == {*score(0, 1, 2, 3), NoteRef("take", 0), NoteRef("take", 1)}


def test_ctrl_arrows_go_from_note_to_note(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    activated = heard(roll.note_activated)
    for _ in range(5):
        hand.key(Qt.Key.Key_Right, CONTROL)
    assert roll.selection.refs == (NoteRef("take", 0),)
    hand.key(Qt.Key.Key_Left, CONTROL)
    assert roll.selection.refs == score(3)
    hand.key(Qt.Key.Key_Return)
    assert activated == [(score(3)[0],)]


def test_other_keys_go_on_to_the_window(roll: PianoRoll, hand: Hand) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Space, NONE, " ")
    QApplication.sendEvent(roll, event)
    assert not event.isAccepted()


# Keyboard


def test_the_keyboard_plays(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    down, up = heard(roll.key_pressed), heard(roll.key_released)
    c, d = hand.at(0, 60), hand.at(0, 62)
    hand.press(QPoint(20, c.y()))
    hand.move(QPoint(20, d.y()))
    hand.release(QPoint(20, d.y()))
    assert down == [(60,), (62,)]
    assert up == [(60,), (62,)]


# Wheel


def test_ctrl_wheel_zooms_about_the_pointer(roll: PianoRoll, hand: Hand) -> None:
    point = hand.at(5.0, 66)
    for _ in range(3):
        turn(roll, point, 1, CONTROL)
    assert roll.coordinates.pixels_per_second == pytest.approx(100 * 1.25**3)
    assert abs(hand.at(5.0, 66).x() - point.x()) <= 1


def test_ctrl_shift_wheel_zooms_pitch(roll: PianoRoll, hand: Hand) -> None:
    point = hand.at(5.0, 66)
    turn(roll, point, 1, CONTROL | SHIFT)
    assert roll.coordinates.row > 14
    assert roll.coordinates.pitch(point.y() - roll.ruler_height) == 66


def test_wheel_scrolls_pitch_and_shift_wheel_time(roll: PianoRoll, hand: Hand) -> None:
    before = roll.coordinates
    turn(roll, hand.at(5, 66), -1)
    assert roll.coordinates.top > before.top
    assert roll.coordinates.left == before.left
    turn(roll, hand.at(5, 66), -1, SHIFT)
    assert roll.coordinates.left > before.left
    assert roll.horizontalScrollBar().value() == round(roll.coordinates.left * 100)


def test_a_pinch_zooms_about_the_pointer(roll: PianoRoll, hand: Hand) -> None:
    at = QPointF(hand.at(2.0, 60))
    before = roll.coordinates
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        at,
        at,
        QPointF(roll.viewport().mapToGlobal(at)),
        0.5,
        QPointF(),
    )
    QApplication.sendEvent(roll.viewport(), pinch)
    after = roll.coordinates
    assert after.pixels_per_second == pytest.approx(1.5 * before.pixels_per_second)
    assert after.seconds(at.x() - roll.keyboard_width) == pytest.approx(2.0, abs=0.02)


# What happens in the middle of a gesture


@pytest.mark.parametrize("left", [SCORE[:1], []])
def test_a_drag_of_notes_that_change_meanwhile_ends_and_moves_nothing(
    roll: PianoRoll, hand: Hand, heard: Heard, left: list[RollNote]
) -> None:
    moved, off = heard(roll.moved), heard(roll.note_released)
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(1.7, 66))
    roll.set_parts([RollPart.of("score", "prompt", left)])  # as Delete or Undo does
    hand.move(hand.at(2.7, 70))
    hand.release(hand.at(2.7, 70))
    assert moved == []
    assert off == [(NoteRef("score", 1),)]
    assert roll.overlays.preview is None
    hand.drag(hand.at(0.1, 58), hand.at(0.6, 65), SHIFT)  # and a band does not bring back what is gone
    assert set(roll.selection.refs) <= {*score(0)}


def test_a_drag_goes_on_while_other_parts_change(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.moved)
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(1.7, 66))
    kept = next(part for part in roll.parts if part.key == "score")
    roll.set_parts([kept, RollPart.of("new", "take", SCORE[2:])])  # as a take that is sampled to its end
    hand.release(hand.at(1.7, 66))
    assert len(moved) == 1


def test_a_band_forgets_notes_that_go_meanwhile(roll: PianoRoll, hand: Hand) -> None:
    roll.set_selection([NoteRef("take", 0)])
    hand.press(hand.at(0.1, 58), SHIFT)
    roll.set_parts([RollPart.of("score", "prompt", SCORE)])
    hand.move(hand.at(0.6, 65), SHIFT)
    hand.release(hand.at(0.6, 65), SHIFT)
    assert set(roll.selection.refs) == {*score(0, 1)}


def test_a_menu_that_takes_the_pointer_lets_the_key_go(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    pressed, released = heard(roll.key_pressed), heard(roll.key_released)
    key = QPoint(roll.keyboard_width // 4, hand.at(0.0, 60).y())
    hand.press(key)
    QApplication.sendEvent(roll, QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.PopupFocusReason))
    assert released == pressed
    assert roll.overlays.lit == set()


def test_a_drag_that_follows_a_click_at_once_moves_and_deletes_nothing(
    roll: PianoRoll, hand: Hand, heard: Heard
) -> None:
    """The system tells of its press as of a double click's second."""
    moved, deleted, off = heard(roll.moved), heard(roll.delete_requested), heard(roll.note_released)
    for ending in ("drag", "escape", "click"):
        hand.click(hand.at(0.7, 64))
        double = QMouseEvent(
            QEvent.Type.MouseButtonDblClick,
            QPointF(hand.at(0.7, 64)),
            QPointF(hand.canvas.mapToGlobal(hand.at(0.7, 64))),
            Qt.MouseButton.LeftButton,
            Qt.MouseButton.LeftButton,
            NONE,
        )
        QApplication.sendEvent(hand.canvas, double)
        assert deleted == []
        if ending != "click":
            hand.move(hand.at(0.97, 67))
        if ending == "escape":
            hand.key(Qt.Key.Key_Escape)
        hand.release(hand.at(0.97, 67) if ending != "click" else hand.at(0.7, 64))
    assert moved == [(Selection.of(score(1)), pytest.approx(240), 3)]
    assert deleted == [(Selection.of(score(1)),)]
    assert len(off) == 6  # nothing sounds on


@pytest.mark.parametrize("button", [Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton])
def test_another_button_leaves_a_drag_alone(roll: PianoRoll, hand: Hand, heard: Heard, button: Qt.MouseButton) -> None:
    moved = heard(roll.moved)
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(0.97, 67))
    QTest.mousePress(hand.canvas, button, NONE, hand.at(0.97, 67))
    QTest.mouseRelease(hand.canvas, button, NONE, hand.at(0.97, 67))
    assert moved == []
    assert roll.has_gesture
    hand.release(hand.at(0.97, 67))
    assert len(moved) == 1


def test_notes_are_moved_by_the_grid_where_they_go_whatever_the_tempo_there(
    roll: PianoRoll, hand: Hand, heard: Heard
) -> None:
    """From 120 bpm into 60: what is shown while they are dragged stands on the lines there, too."""
    tempo_map = TempoMap(480, (Tempo(0, 500_000), Tempo(1440, 1_000_000)), (Metre(0, 3, 4),))
    roll.set_tempo_map(tempo_map)
    notes = [(0, 480), (480, 960)]
    roll.set_parts(
        [
            RollPart.of(
                "score", "prompt", [RollNote(tempo_map.seconds(a), tempo_map.seconds(b), 60, 80) for a, b in notes]
            )
        ]
    )
    moved, resized = heard(roll.moved), heard(roll.resized)
    roll.set_selection(score(0, 1))
    hand.press(hand.at(0.25, 60))
    hand.move(hand.at(0.25 + 2.5, 60))  # to the second quarter of the second bar, and a bit
    starts, ends = roll.overlays.gone or ([], [])
    assert [(tempo_map.tick(a), tempo_map.tick(b)) for a, b in zip(starts, ends, strict=True)] == [
        (start + 1800, end + 1800) for start, end in notes
    ]
    hand.release(hand.at(0.25 + 2.5, 60))
    assert moved == [(Selection.of(score(0, 1)), pytest.approx(1800), 0)]
    roll.nudge(-1)
    hand.drag(QPoint(hand.at(1.0, 60).x() - 2, hand.at(1.0, 60).y()), hand.at(2.25, 60))
    assert resized == [(Selection.of(score(0, 1)), 0.0, pytest.approx(840))]
