"""The velocity lane under a roll, by mouse and wheel."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QToolTip

from desktop.piano_roll.lanes.row import GRIP, LaneRow
from desktop.piano_roll.measure import dense_part
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import SCORE, Hand, Heard, score
from tests.desktop.piano_roll.lane_hand import LaneHand, lanes_of
from tests.desktop.piano_roll.test_gestures import turn

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def area(roll: PianoRoll) -> LaneRow:
    return lanes_of(roll, ("velocity", 137 + GRIP)).rows[0]


@pytest.fixture
def lane(roll: PianoRoll, area: LaneRow) -> LaneHand:
    return LaneHand(roll, area)


def as_lists(said: list[tuple[object, ...]]) -> list[dict[str, tuple[list[int], list[int]]]]:
    return [{key: (i.tolist(), v.tolist()) for key, (i, v) in each[0].items()} for each in said]  # type: ignore[attr-defined]


def test_a_head_is_dragged(roll: PianoRoll, lane: LaneHand, heard: Heard) -> None:
    said = heard(roll.velocities_set)
    lane.drag(lane.at(0.5, 100), lane.at(0.5, 60))
    assert as_lists(said) == [{"score": ([1], [60])}]


def test_all_that_are_selected_go_along(roll: PianoRoll, lane: LaneHand, heard: Heard) -> None:
    said = heard(roll.velocities_set)
    roll.set_selection([*score(0, 1), NoteRef("take", 0)])
    lane.drag(lane.at(0.5, 100), lane.at(0.5, 120))
    assert as_lists(said) == [{"score": ([0, 1], [100, 120]), "take": ([0], [110])}]


def test_a_drag_across_paints_a_ramp(roll: PianoRoll, lane: LaneHand, heard: Heard) -> None:
    said = heard(roll.velocities_set)
    lane.drag(lane.at(0.2, 20), lane.at(3.8, 110))
    (set_,) = as_lists(said)
    assert set_ == {"score": ([1, 2, 3], [pytest.approx(20 + 90 * (t - 0.2) / 3.6, abs=2) for t in (0.5, 1.5, 3.5)])}
    roll.set_selection(score(2))
    lane.drag(lane.at(3.8, 50), lane.at(0.2, 50))  # only what is selected, and backwards as well
    assert as_lists(said)[1] == {"score": ([2], [50])}


def test_escape_and_other_notes_end_it(roll: PianoRoll, hand: Hand, lane: LaneHand, heard: Heard) -> None:
    said = heard(roll.velocities_set)
    lane.press(lane.at(0.5, 100))
    lane.move(lane.at(0.5, 30))
    assert roll.has_gesture
    hand.key(Qt.Key.Key_Escape)
    assert not roll.has_gesture
    lane.move(lane.at(0.5, 20))
    lane.release(lane.at(0.5, 20))
    lane.press(lane.at(0.2, 60))
    roll.set_parts([RollPart.of("score", "prompt", SCORE[:2])])
    lane.move(lane.at(2.0, 20))
    lane.release(lane.at(2.0, 20))
    assert said == []


def test_what_is_shown_while_dragging_is_seen(roll: PianoRoll, area: LaneRow, lane: LaneHand) -> None:
    def picture() -> np.ndarray:
        image = area.grab().toImage()
        return np.array(image.constBits()).copy()

    before = picture()
    lane.press(lane.at(0.5, 100))
    lane.move(lane.at(0.5, 30))
    assert not np.array_equal(picture(), before)
    roll.escape()
    lane.release(lane.at(0.5, 30))
    assert np.array_equal(picture(), before)


def test_selected_notes_may_go(roll: PianoRoll, area: LaneRow) -> None:
    roll.set_selection([*score(2, 3), NoteRef("take", 0)])
    roll.set_parts([RollPart.of("score", "prompt", SCORE[:3])])
    area.grab()
    assert roll.selection.refs == score(2)


def test_many_notes_are_drawn_as_columns(roll: PianoRoll, area: LaneRow) -> None:
    roll.set_parts([dense_part(20_000)])
    roll.fit()
    image = area.grab().toImage()
    colours = {image.pixel(x, area.height() - 2) for x in range(roll.keyboard_width, roll.keyboard_width + 400)}
    assert colours == {roll.theme.part("prompt").rgb()}


def test_the_wheel_with_shift_and_ctrl_arrows(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    said = heard(roll.velocity_changed)
    turn(roll, hand.at(0.7, 64), 1, SHIFT)
    roll.set_selection(score(1, 2))
    turn(roll, hand.at(0.7, 64), -2, SHIFT)
    hand.key(Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    both = Selection.of(score(1, 2))
    assert said == [(Selection.of(score(1)), 4), (both, -8), (both, 4)]


def test_notes_say_what_they_are(roll: PianoRoll, hand: Hand, lane: LaneHand) -> None:
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(1.5, 2.25, 69, 90)])])
    at = hand.at(1.7, 69)
    QApplication.sendEvent(roll.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, roll.viewport().mapToGlobal(at)))
    assert QToolTip.text() == "A4, velocity 90, bar 2, beat 1, 1.5 beats (0.75 s) long"
    QToolTip.hideText()


def test_notes_that_come_are_painted_where_they_are_alone(roll: PianoRoll, area: LaneRow) -> None:
    class Painted(QObject):
        region = QRegion()

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                self.region = self.region.united(event.region())
            return False

    QApplication.processEvents()
    painted = Painted()
    area.installEventFilter(painted)
    roll.set_selection([NoteRef("take", 0)])
    QApplication.processEvents()
    painted.region = QRegion()
    roll.append_notes("take", [RollNote(5.2, 5.4, 68, 100), RollNote(5.3, 5.5, 70, 90)])
    QApplication.processEvents()
    left, right = (roll.keyboard_width + roll.coordinates.x(seconds) for seconds in (5.2, 5.5))
    where = painted.region.boundingRect()
    assert left - 10 <= where.left() < left < right < where.right() <= right + 10
