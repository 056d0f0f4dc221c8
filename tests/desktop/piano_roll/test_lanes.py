"""Several lanes under a roll: their menu, their heights; pedals, curves and tempo drawn with the mouse."""

import math

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QApplication, QMenu

from core.midi.controllers import BEND_CENTRE, Point
from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll.lanes.curve import CurveLane
from desktop.piano_roll.lanes.kinds import USUAL_LANES, controller_lane, make_lane
from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.lanes.tempo import TempoLane
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import Hand, Heard
from tests.desktop.piano_roll.lane_hand import LaneHand, lanes_of

SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def entry(menu: QMenu, name: str) -> None:
    """Trigger the menu's entry of a lane."""
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.objectName() == name).trigger()


# The rows


def test_lanes_are_chosen_and_their_heights_dragged(roll: PianoRoll, heard: Heard) -> None:
    room = roll.coordinates.height
    lanes = lanes_of(roll, ("velocity", 80))
    said = heard(lanes.changed)
    entry(lanes.menu, "pedal")
    entry(lanes.menu, "bend")
    assert said[-1] == ((("velocity", 80), ("pedal", 90), ("bend", 90)),)
    assert roll.coordinates.height == room - 260
    pedal = LaneHand(roll, lanes.rows[1])
    grip = QPoint(300, 2)
    pedal.press(grip)
    pedal.move(grip + QPoint(0, 30))
    pedal.release(grip + QPoint(0, 30))
    assert said[-1] == ((("velocity", 80), ("pedal", 60), ("bend", 90)),)
    assert [row.height() for row in lanes.rows] == [80, 60, 90]
    entry(lanes.rows[1].menu, "cc11")
    assert [lane.name for lane in lanes.shown] == ["velocity", "cc11", "bend"]
    entry(lanes.menu, "velocity")
    entry(lanes.menu, "cc11")
    lanes.replace("bend", "")
    assert said[-1] == ((),)
    assert roll.coordinates.height == room
    assert lanes.isHidden()


def test_heights_are_chosen_by_the_menu_of_a_lane(roll: PianoRoll, heard: Heard) -> None:
    lanes = lanes_of(roll, ("velocity", 90), ("pedal", 61))
    said = heard(lanes.changed)

    def heights() -> list[QAction]:
        lanes.rows[1].menu.aboutToShow.emit()
        return next(menu for menu in lanes.rows[1].menu.findChildren(QMenu) if menu.title() == "&Height").actions()

    assert [(action.text(), action.isChecked()) for action in heights()] == [
        ("&Low", False), ("&Usual", False), ("&Tall", False)
    ]  # fmt: skip
    heights()[2].trigger()
    assert [row.height() for row in lanes.rows] == [90, 180]
    assert said[-1] == ((("velocity", 90), ("pedal", 180)),)
    assert [action.isChecked() for action in heights()] == [False, False, True]
    heights()[0].trigger()
    assert [row.height() for row in lanes.rows] == [90, 50]


def test_many_lanes_leave_room_for_the_notes(roll: PianoRoll) -> None:
    lanes = lanes_of(roll, *((name, 200) for name in USUAL_LANES[:4]))
    assert sum(row.height() for row in lanes.rows) <= 0.6 * roll.height()
    assert dict(lanes.choices) == dict.fromkeys(USUAL_LANES[:4], 200)
    roll.resize(1000, 1600)
    assert [row.height() for row in lanes.rows] == [200] * 4


def test_names_of_lanes(roll: PianoRoll) -> None:
    names = [*USUAL_LANES, *(controller_lane(number) for number in (1, 64, 74, 119, 128))]
    assert all(make_lane(roll, name).name == name for name in names)  # type: ignore[union-attr]
    assert [make_lane(roll, name) for name in ("", "cc", "cc64", "cc120", "cc007", "128", "tempo2", "cc0", "cc32")] == [
        None
    ] * 9


# Curves


def curve(roll: PianoRoll, name: str) -> tuple[CurveLane, LaneHand]:
    lanes = lanes_of(roll, (name, 140))
    lane = lanes.shown[0]
    assert isinstance(lane, CurveLane)
    return lane, LaneHand(roll, lanes.rows[0], 16383 if name == "bend" else 127)


def test_a_controller_is_drawn_freely(roll: PianoRoll, heard: Heard) -> None:
    lane, hand = curve(roll, "cc11")
    lane.show_points([Point(0.0, 100), Point(2.0, 20), Point(4.0, 90)])
    said = heard(lane.drawn)
    hand.press(hand.at(1.0, 30))
    for seconds, value in ((1.5, 60), (2.5, 120), (2.0, 10)):  # and back
        hand.move(hand.at(seconds, value))
    assert lane.value_at(1.5) == pytest.approx(60, abs=3)
    hand.release(hand.at(2.0, 10))
    ((start, end, points),) = said
    assert (start, end) == (pytest.approx(1.0, abs=0.02), pytest.approx(2.5, abs=0.02))
    values = [min(points, key=lambda p: abs(p.at - at)).value for at in (1.5, 2.0)]  # type: ignore[call-overload]
    assert values == [pytest.approx(60, abs=4), pytest.approx(10, abs=4)]
    assert [p.at for p in points] == sorted(p.at for p in points)  # type: ignore[attr-defined]


def test_a_straight_line_and_a_click_keep_to_the_grid(roll: PianoRoll, heard: Heard) -> None:
    lane, hand = curve(roll, "cc1")
    said = heard(lane.drawn)
    hand.drag(hand.at(1.02, 0), hand.at(2.02, 127), SHIFT)
    hand.press(hand.at(3.02, 64))
    hand.release(hand.at(3.02, 64))
    hand.drag(hand.at(2.03, 50), hand.at(1.03, 50), SHIFT | ALT)
    (start, end, points), (at, until, click), free = said
    assert (start, end) == (1.0, 2.0)
    assert (points[0], points[-1]) == (Point(1.0, 0), Point(2.0, 127))  # type: ignore[index]
    assert [p.value for p in points] == sorted({p.value for p in points})  # type: ignore[attr-defined]
    assert (at, until, click) == (3.0, 3.0, [Point(3.0, 64)])
    assert free[0] == pytest.approx(1.03, abs=0.006)


@pytest.mark.parametrize("how", ["ctrl", "eraser"])
def test_values_are_erased(roll: PianoRoll, heard: Heard, how: str) -> None:
    lane, hand = curve(roll, "cc7")
    lane.show_points([Point(0.0, 100), Point(2.0, 20), Point(4.0, 90)])
    said = heard(lane.drawn)
    if how == "eraser":
        roll.set_tool("eraser")
    hand.drag(hand.at(1.9, 10), hand.at(2.1, 10), CONTROL if how == "ctrl" else Qt.KeyboardModifier.NoModifier)
    ((start, end, points),) = said
    assert start < 2.0 < end  # type: ignore[operator]
    assert points == []
    assert lane.value_at(3.0) == 100


def test_a_bend_counts_from_the_centre_and_catches_it(roll: PianoRoll, heard: Heard) -> None:
    lane, hand = curve(roll, "bend")
    said = heard(lane.drawn)
    assert (lane.words(0), lane.words(BEND_CENTRE), lane.words(16383)) == ("-8192", "0", "+8191")
    assert lane.value_at(1.0) == BEND_CENTRE
    hand.drag(hand.at(1.0, 16383), hand.at(2.0, 8192 + 150))
    assert said[0][2][0].value == 16383  # type: ignore[index]
    assert said[0][2][-1].value == BEND_CENTRE  # type: ignore[index]


def test_escape_leaves_a_curve_as_it_was(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    lane, mouse = curve(roll, "cc11")
    lane.show_points([Point(0.0, 100)])
    said = heard(lane.drawn)
    for modifiers in (Qt.KeyboardModifier.NoModifier, SHIFT, CONTROL):
        mouse.press(mouse.at(1.0, 10), modifiers)
        mouse.move(mouse.at(2.0, 20), modifiers)
        assert roll.has_gesture
        hand.key(Qt.Key.Key_Escape)
        mouse.release(mouse.at(2.0, 20), modifiers)
        assert lane.value_at(1.5) == 100
    assert said == []


def test_a_curve_far_out_shows_each_column_from_its_lowest_to_its_highest_value(roll: PianoRoll) -> None:
    lane, hand = curve(roll, "cc11")
    lane.show_points([Point(4 + i / 1000, (0, 127, 64)[i % 3]) for i in range(300)] + [Point(4.3, 64)])
    image = hand.row.grab().toImage()
    colour = roll.theme.part("prompt").rgb()
    for value in (3, 60, 124):
        point = hand.at(4.15, value)
        assert image.pixel(point) == colour
    after = hand.at(4.35, 64)
    assert any(image.pixel(after.x(), after.y() + dy) == colour for dy in (-1, 0, 1, 2))
    assert image.pixel(hand.at(4.35, 124)) != colour


# The pedal


def pedal(roll: PianoRoll) -> tuple[PedalLane, LaneHand]:
    lanes = lanes_of(roll, ("pedal", 100))
    lane = lanes.shown[0]
    assert isinstance(lane, PedalLane)
    lane.show_spans([(0.5, 1.5), (2.0, 3.0), (5.0, math.inf)])
    return lane, LaneHand(roll, lanes.rows[0])


def test_a_pedal_is_drawn_moved_and_its_edges_dragged(roll: PianoRoll, heard: Heard) -> None:
    lane, hand = pedal(roll)
    pressed, moved = heard(lane.pressed), heard(lane.moved)
    hand.drag(hand.at(3.52, 60), hand.at(4.01, 60))
    assert pressed == [(3.5, 4.0)]
    hand.drag(hand.at(4.6, 60), hand.at(4.3, 60), ALT)
    assert pressed[1] == (pytest.approx(4.3, abs=0.01), pytest.approx(4.6, abs=0.01))
    hand.drag(hand.at(2.5, 60), hand.at(3.01, 60))
    hand.drag(hand.at(2.0, 60), hand.at(1.76, 60))
    hand.drag(hand.at(3.0, 60), hand.at(3.24, 60))
    hand.drag(hand.at(2.0, 60), hand.at(4.5, 60))  # not past its end
    assert moved[:3] == [(2.0, 2.5, 3.5), (2.0, 1.75, 3.0), (2.0, 2.0, 3.25)]
    assert moved[3] == (2.0, pytest.approx(2.99), 3.0)
    hand.press(hand.at(1.0, 60))
    hand.release(hand.at(1.0, 60))
    assert (len(pressed), len(moved)) == (2, 4)


def test_a_drag_held_beside_the_lane_scrolls_on(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    lane, mouse = pedal(roll)
    pressed = heard(lane.pressed)
    roll.set_loop((0.0, 60.0))  # else there would be nothing to scroll to
    beside = QPoint(roll.viewport().width() + 40, mouse.at(3.6, 60).y())
    for ending in ("release", "escape"):
        roll.scroll_to(0.0)
        mouse.press(mouse.at(3.6, 60))
        mouse.move(beside)
        row = mouse.row
        assert row._edge_timer.isActive()
        for _ in range(5):
            row._edge_timer.timeout.emit()
        scrolled = roll.coordinates
        assert scrolled.left > 0.3
        if ending == "release":
            mouse.release(beside)
            ((start, end),) = pressed
            line = roll.grid.nearest_line(scrolled.seconds(beside.x() - roll.keyboard_width))
            assert (start, end) == (pytest.approx(3.625, abs=0.13), pytest.approx(line))
        else:
            hand.key(Qt.Key.Key_Escape)
        row._edge_timer.timeout.emit()
        assert not row._edge_timer.isActive()
        assert roll.coordinates == scrolled
        lane.show_spans([(0.5, 1.5), (2.0, 3.0), (50.0, math.inf)])


def test_pedals_are_deleted(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    lane, mouse = pedal(roll)
    deleted, erased = heard(lane.deleted), heard(lane.erased)
    mouse.double_click(mouse.at(1.0, 60))
    mouse.double_click(mouse.at(6.0, 60))  # which nothing lifts
    assert deleted == [(0.5,), (5.0,)]
    mouse.drag(mouse.at(1.2, 60), mouse.at(2.4, 60), CONTROL)
    assert erased == [(pytest.approx(1.2, abs=0.01), pytest.approx(2.4, abs=0.01))]
    mouse.press(mouse.at(2.5, 60))
    mouse.move(mouse.at(4.0, 60))
    assert lane.is_changing
    hand.key(Qt.Key.Key_Escape)
    mouse.release(mouse.at(4.0, 60))
    assert not lane.is_changing


# Tempo


def tempo(roll: PianoRoll) -> tuple[TempoLane, LaneHand]:
    roll.set_tempo_map(TempoMap(480, (Tempo(0, 500_000), Tempo(1440, 400_000)), (Metre(0, 3, 4),)))
    lanes = lanes_of(roll, ("tempo", 140))
    lane = lanes.shown[0]
    assert isinstance(lane, TempoLane)
    return lane, LaneHand(roll, lanes.rows[0])


def bpm(lane: TempoLane, value: float) -> float:
    low, high = lane.range
    return 127 * math.log(value / low) / math.log(high / low)


def test_tempo_changes_are_added_moved_and_deleted(roll: PianoRoll, heard: Heard) -> None:
    lane, hand = tempo(roll)
    said = heard(lane.tempo_set)
    hand.double_click(hand.at(0.76, bpm(lane, 140)))
    ((added,),) = said[0]  # type: ignore[misc]
    assert added.tick == 720
    assert added.bpm == pytest.approx(140, abs=2)
    hand.double_click(hand.at(1.5, bpm(lane, 150)))
    assert said[1] == ([(1440, None)],)
    hand.drag(hand.at(1.5, bpm(lane, 150)), hand.at(1.01, bpm(lane, 150)))
    assert said[2] == ([(1440, None), (960, 150.0)],)
    hand.drag(hand.at(0.7, bpm(lane, 120)), hand.at(0.7, bpm(lane, 100)))  # a step, up and down
    ((changed,),) = said[3]  # type: ignore[misc]
    assert (changed.tick, changed.bpm) == (0, pytest.approx(100, abs=2))
    hand.double_click(hand.at(0.0, bpm(lane, 120)))  # the first stays
    assert len(said) == 4


def test_a_tempo_may_be_called_off_and_a_film_has_none(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    lane, mouse = tempo(roll)
    said = heard(lane.tempo_set)
    before = lane.range
    mouse.press(mouse.at(1.5, bpm(lane, 150)))
    mouse.move(mouse.at(1.5, 100))
    hand.key(Qt.Key.Key_Escape)
    mouse.release(mouse.at(1.5, 100))
    assert lane.range == before
    roll.set_tempo_map(TempoMap(0xE728))
    mouse.double_click(mouse.at(1.0, 60))
    mouse.drag(mouse.at(1.0, 60), mouse.at(1.0, 90))
    mouse.row.grab()
    assert said == []


def test_the_playhead_goes_through_the_lanes(roll: PianoRoll) -> None:
    lanes = lanes_of(roll, ("pedal", 60), ("cc11", 60))
    roll.set_playhead(2.0)

    def is_there(seconds: float) -> list[bool]:
        x = roll.keyboard_width + round(roll.coordinates.line_x(seconds))
        return [row.grab().toImage().pixel(x, 30) == roll.theme.playhead.rgb() for row in lanes.rows]

    assert is_there(2.0) == [True, True]
    roll.set_playhead(3.0)
    assert (is_there(2.0), is_there(3.0)) == ([False, False], [True, True])
    roll.set_playhead(None)
    assert is_there(3.0) == [False, False]


def test_every_lane_is_painted_at_any_place(roll: PianoRoll) -> None:
    lanes = lanes_of(roll, *((name, 40) for name in USUAL_LANES))
    for lane in lanes.shown:
        if isinstance(lane, CurveLane):
            lane.show_points([Point(t / 50, t * 37 % 128) for t in range(1000)])
        elif isinstance(lane, PedalLane):
            lane.show_spans([(t / 2, t / 2 + 0.3) for t in range(40)])
    for left in (0.0, 3.0, 25.0):
        roll.scroll_to(left)
        for row in lanes.rows:
            row.grab()
    roll.zoom_time(0.001, 0)
    for row in lanes.rows:
        row.grab()


def on_screen(roll: PianoRoll) -> QImage:
    QApplication.processEvents()
    return roll.screen().grabWindow(roll.winId()).toImage()


def test_scrolled_lanes_look_as_if_they_were_painted_anew(roll: PianoRoll) -> None:
    names = ("velocity", "pedal", "bend", "cc1", "tempo")
    lanes = lanes_of(roll, *((name, 45) for name in names))
    _, pedal, bend, modulation, _ = lanes.shown
    assert isinstance(pedal, PedalLane)
    assert isinstance(bend, CurveLane)
    assert isinstance(modulation, CurveLane)
    pedal.show_spans([(i * 0.7, i * 0.7 + 0.5) for i in range(40)] + [(30.0, math.inf)])
    bend.show_points([Point(i * 0.31, i * 977 % 16384) for i in range(90)])
    modulation.show_points([Point(i * 0.02, i * 37 % 128) for i in range(600)])  # with heads where it has ended
    roll.set_end_marker(60.0)
    roll.set_span((2.0, 9.0))
    roll.set_prompt(0.0, 60.0)
    before = on_screen(roll)
    for dx, dy, playhead in ((40, 0, 1.0), (333, 0, 1.5), (-13, 5, 1.5), (0, 30, 2.0), (500, 0, 9.0), (-2000, 0, 0.2)):
        roll.scroll_by(dx, dy)
        roll.set_playhead(playhead)
        scrolled = on_screen(roll)
        for row in lanes.rows:
            row.update()
        assert scrolled == on_screen(roll), dx
        assert scrolled != before or not dx
        before = scrolled
