"""Keys in a lane that has the focus, and what a screen reader finds in it."""

import math
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.midi.controllers import BEND_CENTRE, Point
from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll import accessible
from desktop.piano_roll.lanes.curve import CurveLane
from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.lanes.row import LaneRow
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import Heard
from tests.desktop.piano_roll.lane_hand import lanes_of

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
K = Qt.Key


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a screen reader is told has the focus."""
    words: list[str] = []

    def update(event: Any) -> None:
        if event.type() == QAccessible.Event.Focus:
            words.append(event.accessibleInterface().text(QAccessible.Text.Name))

    monkeypatch.setattr(accessible.QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(accessible.QAccessible, "updateAccessibility", update)
    return words


def row_of(roll: PianoRoll, name: str, monkeypatch: pytest.MonkeyPatch) -> LaneRow:
    """The row of a lane, with the focus."""
    (row,) = lanes_of(roll, (name, 90)).rows
    lane = row.lane
    if isinstance(lane, PedalLane):
        lane.show_spans([(0.5, 1.0), (2.0, 3.5), (20.0, math.inf)])
    elif isinstance(lane, CurveLane):
        lane.show_points([Point(0.5, 64), Point(1.5, 100), Point(20.0, 0)])
    monkeypatch.setattr(row, "hasFocus", lambda: True)  # no window of an offscreen platform is active
    return row


def items(row: LaneRow) -> list[str]:
    """The children that are no widgets, as a screen reader goes through them."""
    root = QAccessible.queryAccessibleInterface(row)
    children = [root.child(i) for i in range(root.childCount())]
    found = [child for child in children if child.role() == QAccessible.Role.ListItem]
    assert all(root.indexOfChild(child) >= 0 and child.parent() is root for child in found)
    return [child.text(QAccessible.Text.Name) for child in found]


def test_pedals_are_gone_through_read_and_taken_away(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roll.set_loop((0.0, 30.0))  # else it could not be scrolled so far
    row = row_of(roll, "pedal", monkeypatch)
    said = heard(row.lane.deleted)  # type: ignore[attr-defined]
    words = [
        "Pedal down from bar 1, beat 2, 0.50 s long",
        "Pedal down from bar 2, beat 2, 1.50 s long",
        f"Pedal down from {roll.grid.position(20.0)}, never lifted",
    ]
    assert items(row) == words
    for key in (K.Key_Right, K.Key_Right, K.Key_End, K.Key_Right, K.Key_Left, K.Key_Home):
        QTest.keyClick(row, key)
    assert read == [words[0], words[1], words[2], words[1], words[0]]  # at the end it is the same
    assert roll.coordinates.x(0.5) > 0
    QTest.keyClick(row, K.Key_End)
    assert 0 <= roll.coordinates.x(20.0) < roll.coordinates.width
    root = QAccessible.queryAccessibleInterface(row)
    assert root.focusChild().text(QAccessible.Text.Name) == words[2]
    assert items(row) == words[1:]
    box = root.focusChild().rect()
    assert box.left() == pytest.approx(row.mapToGlobal(row.item_box(2).topLeft()).x(), abs=1)
    QTest.keyClick(row, K.Key_Delete)
    assert said == [(20.0,)]
    row.lane.show_spans([(0.5, 1.0), (2.0, 3.5)])  # type: ignore[attr-defined]
    assert read[-1] == words[1]
    row.lane.show_spans([])  # type: ignore[attr-defined]
    QTest.keyClick(row, K.Key_Delete)
    assert items(row) == []
    assert len(said) == 1


def test_pedals_are_lengthened_and_moved_by_steps_of_the_grid_and_stay_what_the_keys_act_upon(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_of(roll, "pedal", monkeypatch)
    lane = row.lane
    assert isinstance(lane, PedalLane)
    step = roll.grid.step(0.5)
    said = heard(lane.moved)
    QTest.keyClick(row, K.Key_Right, ALT)  # nothing is chosen yet
    assert said == []
    QTest.keyClick(row, K.Key_Right)
    for key, modifiers in ((K.Key_Right, SHIFT), (K.Key_Left, SHIFT), (K.Key_Right, ALT), (K.Key_Left, ALT)):
        QTest.keyClick(row, key, modifiers)
    expected = [(0.5, 0.5, 1 + step), (0.5, 0.5, 1 - step), (0.5, 0.5 + step, 1 + step), (0.5, 0.5 - step, 1 - step)]
    assert [pytest.approx(each) for each in expected] == said
    for _ in range(8):
        QTest.keyClick(row, K.Key_Left, SHIFT)
        lane.show_spans([(0.5, float(said[-1][2])), (2.0, 3.5)])  # type: ignore[arg-type]
    assert float(said[-1][2]) > 0.5  # type: ignore[arg-type]
    QTest.keyClick(row, K.Key_End)
    QTest.keyClick(row, K.Key_Left, ALT)
    assert said[-1] == pytest.approx((2.0, 2 - step, 3.5 - step))
    lane.show_spans([(0.1, 0.3), (0.5, 1.0), (2 - step, 3.5 - step), (5.0, 6.0)])
    assert row.keys.current == 2
    root = QAccessible.queryAccessibleInterface(row)
    assert root.text(QAccessible.Text.Description).startswith("4 in it.")
    lane.show_spans([])
    assert root.text(QAccessible.Text.Description).startswith("Nothing in it.")


@pytest.mark.parametrize("name", ["cc1", "bend"])
def test_values_are_moved_in_time_and_keep_their_order(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    row = row_of(roll, name, monkeypatch)
    lane = row.lane
    assert isinstance(lane, CurveLane)
    said = heard(lane.moved)
    QTest.keyClick(row, K.Key_Right, ALT)  # nothing is chosen yet
    assert said == []
    QTest.keyClick(row, K.Key_Right)
    QTest.keyClick(row, K.Key_Right)
    step = roll.grid.step(1.5)
    for key, modifiers in ((K.Key_Right, ALT), (K.Key_Left, ALT), (K.Key_Left, ALT | SHIFT)):
        QTest.keyClick(row, key, modifiers)
    assert said == [(1.5, (pytest.approx(1.5 + by), 100)) for by in (step, -step, -0.01)]
    lane.show_points([Point(0.5, 64), Point(1.5 - step, 100), Point(20.0, 0)])
    assert row.keys.current == 1
    assert items(row)[1].endswith(roll.grid.position(1.5 - step))
    for key, low, high in ((K.Key_Left, 0.5, 0.51), (K.Key_Right, 0.64, 0.65)):
        lane.show_points([Point(0.5, 64), Point(0.6, 100), Point(0.65, 0)])
        said.clear()
        for _ in range(2):  # then it stands beside the other already
            QTest.keyClick(row, key, ALT)
            ((_, to),) = said
            assert isinstance(to, Point)
            assert low < to.at < high
            lane.show_points([Point(0.5, 64), to, Point(0.65, 0)])
    QTest.keyClick(row, K.Key_Left)
    QTest.keyClick(row, K.Key_Left, ALT | SHIFT)
    assert said[-1] == (0.5, (pytest.approx(0.49), 64))


def test_values_pedals_and_tempos_are_put_at_the_playhead_and_go_on_as_before(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roll.set_playhead(1.02)
    for name, value in (("cc1", 64), ("cc7", 64), ("bend", 64)):
        row = row_of(roll, name, monkeypatch)
        lane = row.lane
        assert isinstance(lane, CurveLane)
        said = heard(lane.drawn)
        QTest.keyClick(row, K.Key_Return)
        assert said == [(1.0, 1.0, [Point(1.0, value)])]
        lane.show_points([Point(0.5, 64), Point(1.0, value), Point(1.5, 100), Point(20.0, 0)])
        assert row.keys.current == 1
        assert read[-1] == f"{lane.title} {lane.words(value)}, bar 1, beat 3"
        row.keys._current = 0
        QTest.keyClick(row, K.Key_Return)  # there is one: it is gone to
        assert (len(said), row.keys.current) == (1, 1)
    for name, value in (("cc1", 0), ("cc7", 100), ("cc10", 64), ("cc11", 127), ("bend", BEND_CENTRE)):
        row = row_of(roll, name, monkeypatch)
        row.lane.show_points([])  # type: ignore[attr-defined]
        said = heard(row.lane.drawn)  # type: ignore[attr-defined]
        QTest.keyClick(row, K.Key_Return)
        assert said == [(1.0, 1.0, [Point(1.0, value)])]
    row = row_of(roll, "pedal", monkeypatch)
    lane = row.lane
    assert isinstance(lane, PedalLane)
    said = heard(lane.pressed)
    roll.set_playhead(1.5)
    QTest.keyClick(row, K.Key_Return)
    assert said == [(1.5, pytest.approx(1.5 + roll.grid.step(1.5)))]
    roll.set_playhead(2.5)
    QTest.keyClick(row, K.Key_Return)  # it is down
    assert len(said) == 1
    assert read[-1] == "Pedal down from bar 2, beat 2, 1.50 s long"


@pytest.mark.parametrize(("name", "step"), [("cc1", 1), ("bend", 128)])
def test_values_are_changed_and_deleted(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch, name: str, step: int
) -> None:
    row = row_of(roll, name, monkeypatch)
    said = heard(row.lane.drawn)  # type: ignore[attr-defined]
    QTest.keyClick(row, K.Key_Up)  # nothing is chosen yet
    assert said == []
    QTest.keyClick(row, K.Key_Right)
    QTest.keyClick(row, K.Key_Right)
    value = "100" if name == "cc1" else str(100 - BEND_CENTRE)
    assert read[-1] == f"{row.lane.title} {value}, {roll.grid.position(1.5)}"
    QTest.keyClick(row, K.Key_Up)
    QTest.keyClick(row, K.Key_Down)
    QTest.keyClick(row, K.Key_Up, SHIFT)
    QTest.keyClick(row, K.Key_Delete)
    assert [values for _, _, values in said] == [
        [Point(1.5, 100 + step)],
        [Point(1.5, max(100 - step, 0))],
        [Point(1.5, 100 + 10 * step)],
        [],
    ]
    assert {(start, end) for start, end, _ in said} == {(1.5, 1.5)}


def test_tempos_are_gone_through_and_changed(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roll.set_tempo_map(TempoMap(480, (Tempo(0, 500_000), Tempo(1440, 400_000)), (Metre(0, 3, 4),)))
    row = row_of(roll, "tempo", monkeypatch)
    said = heard(row.lane.tempo_set)  # type: ignore[attr-defined]
    assert items(row) == ["Tempo 120 bpm, bar 1, beat 1", "Tempo 150 bpm, bar 2, beat 1"]
    QTest.keyClick(row, K.Key_End)
    QTest.keyClick(row, K.Key_End)
    QTest.keyClick(row, K.Key_Down, SHIFT)
    QTest.keyClick(row, K.Key_Delete)
    assert read[-1] == "Tempo 150 bpm, bar 2, beat 1"
    assert said == [([(1440, 140)],), ([(1440, None)],)]


def test_tempos_are_put_and_moved_in_time_but_the_first(
    roll: PianoRoll, heard: Heard, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = (Tempo(0, 500_000), Tempo(1440, 400_000), Tempo(1920, 500_000))
    roll.set_tempo_map(TempoMap(480, changes, (Metre(0, 3, 4),)))
    row = row_of(roll, "tempo", monkeypatch)
    said = heard(row.lane.tempo_set)  # type: ignore[attr-defined]
    QTest.keyClick(row, K.Key_Home)
    QTest.keyClick(row, K.Key_Right, ALT)
    assert said == []
    QTest.keyClick(row, K.Key_Right)
    for key, modifiers in ((K.Key_Right, ALT), (K.Key_Left, ALT)):
        QTest.keyClick(row, key, modifiers)
    assert said == [([(1440, None), (1440 + 120, 150)],), ([(1440, None), (1440 - 120, 150)],)]
    roll.set_tempo_map(TempoMap(480, (changes[0], Tempo(1320, 400_000), changes[2]), (Metre(0, 3, 4),)))
    row.lane.follow_tempo()  # type: ignore[attr-defined]
    assert row.keys.current == 1
    said.clear()
    for _ in range(9):
        QTest.keyClick(row, K.Key_Right, ALT)
        changed: Any = said.pop()[0]
        tick = changed[1].tick
        moved = TempoMap(480, (changes[0], Tempo(tick, 400_000), changes[2]), (Metre(0, 3, 4),))
        roll.set_tempo_map(moved)
        row.lane.follow_tempo()  # type: ignore[attr-defined]
        assert row.keys.current == 1
        if tick == 1919:
            break
    QTest.keyClick(row, K.Key_Right, ALT)  # it does not pass the next
    assert said == []
    roll.set_playhead(0.52)
    QTest.keyClick(row, K.Key_Return)
    assert said == [([(480, 120)],)]
    roll.set_tempo_map(TempoMap(480, (changes[0], Tempo(480, 500_000), *changes[1:]), (Metre(0, 3, 4),)))
    row.lane.follow_tempo()  # type: ignore[attr-defined]
    focus = QAccessible.queryAccessibleInterface(row).focusChild()
    assert focus.text(QAccessible.Text.Name) == "Tempo 120 bpm, bar 1, beat 2"


def test_tab_comes_to_lanes_but_not_to_velocities_and_other_keys_are_the_rolls(
    roll: PianoRoll, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes = lanes_of(roll, ("velocity", 60), ("pedal", 60))
    assert [bool(row.focusPolicy() & Qt.FocusPolicy.TabFocus) for row in lanes.rows] == [False, True]
    velocities = QAccessible.queryAccessibleInterface(lanes.rows[0]).text(QAccessible.Text.Description)
    assert velocities.startswith("Of the notes")
    roll.select_all()
    QTest.keyClick(lanes.rows[1], K.Key_Escape)
    assert not roll.has_selection


def test_the_focus_is_seen_and_leaves_no_trace(roll: PianoRoll, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of(roll, "cc1", monkeypatch)
    monkeypatch.setattr(row, "hasFocus", lambda: False)
    before = row.grab().toImage()
    monkeypatch.setattr(row, "hasFocus", lambda: True)
    QTest.keyClick(row, K.Key_Right)
    assert row.grab().toImage() != before
    monkeypatch.setattr(row, "hasFocus", lambda: False)
    QApplication.sendEvent(row, QFocusEvent(QEvent.Type.FocusOut))
    assert row.grab().toImage() == before
