"""The ruler: what is dragged and clicked in it, to what that snaps, and which changes it marks."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll.ruler import end_flag
from desktop.piano_roll.ruler_marks import RulerMarks
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import Hand, Heard

SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


def test_the_marker_snaps_to_bars(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.marker_moved)
    hand.drag(hand.ruler(4.3, 26), hand.ruler(3.2, 26))
    assert moved == [(pytest.approx(3.0),)]
    hand.drag(hand.ruler(2.8, 26), hand.ruler(2.3, 26), ALT)
    assert moved[1] == (pytest.approx(2.3, abs=0.011),)


def test_the_marker_snaps_to_the_end_of_the_notes(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.marker_moved)
    hand.drag(hand.ruler(4.3, 26), hand.ruler(4.22, 26))
    assert moved == [(pytest.approx(4.2),)]


def test_start_and_marker_never_pass_each_other(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    marker, start = heard(roll.marker_moved), heard(roll.prompt_start_moved)
    hand.drag(hand.ruler(0.05), hand.ruler(1.4))
    assert start == [(pytest.approx(1.5),)]
    hand.drag(hand.ruler(4.3, 26), hand.ruler(0.2, 26))
    assert marker == [(pytest.approx(1.5),)]
    assert roll.overlays.prompt == (pytest.approx(1.5), pytest.approx(1.5))


def test_the_flag_of_the_takes_end_is_dragged_and_snaps(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved, seeks = heard(roll.end_marker_moved), heard(roll.seek_requested)
    roll.set_end_marker(6.0)
    flag = end_flag(roll.coordinates, 6.0, roll.small_font).center().toPoint()
    at = QPoint(roll.keyboard_width + flag.x(), flag.y())
    hand.drag(at, at + QPoint(hand.ruler(7.4).x() - hand.ruler(6.0).x(), 0))
    assert moved == [(pytest.approx(7.5),)]
    assert roll.overlays.end_marker == pytest.approx(7.5)
    hand.click(at)
    assert len(moved) == 1
    assert seeks  # there is no flag any more


def test_alt_arrows_move_the_marker_by_bars(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved = heard(roll.marker_stepped)
    hand.key(Qt.Key.Key_Left, ALT)
    hand.key(Qt.Key.Key_Right, ALT)
    assert moved == [(pytest.approx(3.0),), (pytest.approx(4.5),)]


def test_a_click_in_the_ruler_seeks(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought = heard(roll.seek_requested)
    hand.click(hand.ruler(6.3))
    assert sought == [(pytest.approx(6.25),)]  # a sixteenth is the line next to it
    hand.click(hand.ruler(6.3), ALT)
    assert sought[1] == (pytest.approx(6.3, abs=0.011),)
    hand.click(hand.ruler(6.07))
    assert sought[2] == (pytest.approx(6.0),)  # bar lines draw more
    roll.set_snap("1/2")
    hand.click(hand.ruler(6.6))
    assert sought[3] == (pytest.approx(7.0),)
    roll.set_snap("off")
    hand.click(hand.ruler(6.3))
    assert sought[4] == (pytest.approx(6.3, abs=0.011),)


def test_far_out_a_click_in_the_ruler_seeks_to_what_there_is_room_for(
    roll: PianoRoll, hand: Hand, heard: Heard
) -> None:
    sought = heard(roll.seek_requested)
    roll.zoom_time(0.3, 0.0)  # a beat is 15 pixels
    hand.click(hand.ruler(6.6))
    assert sought == [(pytest.approx(6.5),)]
    roll.zoom_time(0.5, 0.0)
    hand.click(hand.ruler(6.6))
    assert sought[1] == (pytest.approx(6.0),)


def test_a_click_beside_a_loop_seeks_there(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought = heard(roll.seek_requested)
    roll.set_loop((0.0, 1.5))
    hand.click(hand.ruler(6.3, 8))
    hand.click(hand.ruler(6.3, 8), ALT)
    assert sought == [(pytest.approx(6.25),), (pytest.approx(6.3, abs=0.011),)]


def test_a_loop_is_drawn_stretched_and_cleared(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    loops = heard(roll.loop_changed)
    hand.drag(hand.ruler(1.6, 8), hand.ruler(4.4, 8))
    assert loops == [((pytest.approx(1.5), pytest.approx(4.5)),)]
    hand.drag(hand.ruler(4.5, 8), hand.ruler(6.1, 8))
    assert loops[1] == ((pytest.approx(1.5), pytest.approx(6.0)),)
    hand.click(hand.ruler(2.0, 8))
    assert loops[2] == (None,)
    hand.drag(hand.ruler(6.1), hand.ruler(7.4), SHIFT)
    assert loops[3] == ((pytest.approx(6.0), pytest.approx(7.5)),)


def test_a_double_click_beside_a_bar_line_means_that_bar(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    asked = heard(roll.metre_requested)
    for beside, bar in ((-2, 2), (2, 2), (-12, 1)):
        QTest.mouseDClick(hand.canvas, Qt.MouseButton.LeftButton, pos=hand.ruler(3.0) + QPoint(beside, 0))
        assert roll.grid.tempo_map.bar_beat(int(str(asked[-1][0])))[0] == bar


def test_changes_of_tempo_and_metre_are_marked(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    tempos = Tempo(0, 500_000), Tempo(1440, 500_000), Tempo(2400, 600_000), Tempo(4320, 400_000)
    tempo_map = TempoMap(480, tempos, (Metre(0, 3, 4), Metre(4320, 4, 4)))
    marks = RulerMarks(tempo_map)
    assert [(m.tick, m.words) for m in marks.all] == [(0, "3/4  120 bpm"), (2400, "100 bpm"), (4320, "4/4  150 bpm")]
    assert [m.words for m in RulerMarks(TempoMap(480, tempos[:2], tempo_map.metres[:1])).all] == ["3/4"]
    before = roll.viewport().grab().toImage()
    roll.set_tempo_map(tempo_map)
    at = hand.ruler(tempo_map.seconds(2400), 26) + QPoint(8, 0)
    after = roll.viewport().grab().toImage()
    assert any(before.pixel(at + QPoint(x, 0)) != after.pixel(at + QPoint(x, 0)) for x in range(30))
    asked = heard(roll.metre_requested)
    QTest.mouseDClick(hand.canvas, Qt.MouseButton.LeftButton, pos=at)
    assert asked == [(2400,)]


def test_of_many_changes_of_tempo_those_are_marked_that_there_is_room_for() -> None:
    tempos = tuple(Tempo(i * 120, 400_000 + i * 7919 % 200_000) for i in range(4000))
    marks = RulerMarks(TempoMap(480, tempos, (Metre(0, 4, 4), Metre(480 * 40, 3, 4))))
    asked: list[str] = []

    def width(words: str) -> float:
        asked.append(words)
        return 7.0 * len(words)

    for zoom in (5.0, 100.0, 2000.0):
        asked.clear()
        shown = marks.shown(zoom, width)
        assert all(b.seconds - a.seconds >= 7.0 * len(a.words) / zoom for a, b in pairwise(shown))
        assert [mark.tick for mark in shown if mark.has_metre] == [0, 480 * 40]
        assert len(asked) < 3 * len(shown) + 10
        assert marks.shown(zoom, width) is shown
    assert marks.shown(2000.0, width) == marks.all
