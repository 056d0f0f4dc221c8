import pytest
from PySide6.QtCore import Qt

from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import Hand, Heard, score

ALT = Qt.KeyboardModifier.AltModifier


def test_a_drag_in_the_rulers_lower_half_selects_bars(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought, said = heard(roll.seek_requested), heard(roll.span_changed)
    hand.drag(hand.ruler(1.7), hand.ruler(4.4))
    assert roll.span == (pytest.approx(1.5), pytest.approx(4.5))
    assert said[-1] == (roll.span,)
    hand.drag(hand.ruler(6.2), hand.ruler(4.7))  # backwards
    assert roll.span == (pytest.approx(4.5), pytest.approx(6.0))
    hand.drag(hand.ruler(6.0), hand.ruler(7.4))  # its end goes on
    assert roll.span == (pytest.approx(4.5), pytest.approx(7.5))
    hand.drag(hand.ruler(0.31), hand.ruler(0.52), ALT)
    assert roll.span == (pytest.approx(0.31, abs=0.011), pytest.approx(0.52, abs=0.011))
    assert sought == []


def test_escape_gives_the_span_before_back_and_then_clears_it(roll: PianoRoll, hand: Hand) -> None:
    roll.set_span((1.5, 3.0))
    roll.set_selection(score(0))
    hand.press(hand.ruler(6.2))
    hand.move(hand.ruler(8.0))
    assert roll.span == (pytest.approx(6.0), pytest.approx(7.5))
    hand.key(Qt.Key.Key_Escape)
    assert roll.span == (1.5, 3.0)
    hand.key(Qt.Key.Key_Escape)
    assert (roll.span, roll.has_selection) == ((1.5, 3.0), False)
    hand.key(Qt.Key.Key_Escape)
    assert roll.span is None


def test_a_click_seeks_and_clears_a_span_elsewhere(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought = heard(roll.seek_requested)
    roll.set_span((1.5, 4.5))
    hand.click(hand.ruler(2.9))
    assert roll.span == (1.5, 4.5)
    hand.click(hand.ruler(6.1))
    assert roll.span is None
    assert sought == [(pytest.approx(2.875),), (pytest.approx(6.125),)]


def test_a_span_begins_at_the_first_bar_beside_the_prompts_start(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    started = heard(roll.prompt_start_moved)
    for y in (20, 26, 33, 35, 43):
        hand.drag(hand.ruler(0.08, y), hand.ruler(2.9, y))
        assert roll.span == (pytest.approx(0.0), pytest.approx(3.0))
        roll.set_span(None)
    assert started == []


def test_a_span_and_a_loop_go_by_the_grid_where_a_bar_is_wide(roll: PianoRoll, hand: Hand) -> None:
    roll.zoom_time(2.2, 0.0)
    hand.drag(hand.ruler(0.52), hand.ruler(1.24))
    assert roll.span == (pytest.approx(0.5), pytest.approx(1.25))
    hand.drag(hand.ruler(0.52, 8), hand.ruler(1.24, 8))
    assert roll.overlays.loop == (pytest.approx(0.5), pytest.approx(1.25))
    roll.set_snap("bar")
    hand.drag(hand.ruler(1.9), hand.ruler(2.7))
    assert roll.span == (pytest.approx(1.5), pytest.approx(3.0))


def test_the_playheads_handle_scrubs(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    sought = heard(roll.seek_requested)
    roll.set_playhead(3.0)
    hand.drag(hand.ruler(3.0), hand.ruler(6.1))
    assert sought[-1] == (pytest.approx(6.125),)
    assert roll.span is None


def test_the_notes_that_begin_in_the_span_are_selected(roll: PianoRoll) -> None:
    roll.set_span((0.5, 1.5))
    roll.select_span()
    assert roll.selection.refs == score(1)


def test_the_span_is_seen(roll: PianoRoll, hand: Hand) -> None:
    def colour() -> object:
        return roll.viewport().grab().toImage().pixelColor(hand.at(8.0, 65))

    before = colour()
    roll.set_span((7.5, 9.0))
    assert colour() != before
    roll.set_span(None)
    assert colour() == before
