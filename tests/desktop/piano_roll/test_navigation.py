"""What is on view when rows are folded and unfolded, and when keys act on what is off the screen."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from desktop.piano_roll.tools import insert_note
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import Hand, score


def test_unfolding_shows_the_rows_that_were_on_view(roll: PianoRoll) -> None:
    roll.zoom_pitch(1.5, 100.0)
    before = roll.coordinates
    roll.set_folded(True)
    assert roll.coordinates.rows.is_folded
    roll.set_folded(True)  # said again with every change of the preferences
    roll.set_folded(False)
    assert roll.coordinates == before
    roll.set_folded(True)
    roll.zoom_time(2.0, 0.0)
    roll.resize(1000, 400)
    roll.set_folded(False)  # time as it is now, rows as they were
    after = roll.coordinates
    assert (after.row, after.top, after.pixels_per_second) == (before.row, before.top, 2 * before.pixels_per_second)
    assert after.height < before.height
    roll.set_folded(True)
    roll.fit()
    roll.set_folded(False)
    assert roll.coordinates.rows == before.rows


def is_seen(roll: PianoRoll, seconds: float, pitch: int) -> bool:
    view = roll.coordinates
    return 0 <= view.x(seconds) < view.width and 0 <= view.y(pitch) <= view.height - view.row_height


@pytest.mark.parametrize("end", ["earlier", "later"])
def test_a_note_that_is_written_by_keys_is_seen(roll: PianoRoll, end: str) -> None:
    roll.zoom_time(4.0, 0.0)
    roll.select(roll.selection.plus(type(roll.selection).of(score(0))))
    roll._set_coordinates(replace(roll.coordinates, top=0.0))  # the top of the keyboard
    roll.scroll_to(6.0 if end == "earlier" else 0.0)
    seconds = 0.5 if end == "earlier" else 6.0
    assert not is_seen(roll, seconds, 60)
    assert insert_note(roll, seconds)
    assert is_seen(roll, seconds, 60)


def test_notes_moved_by_keys_are_followed_once_none_of_them_is_seen(roll: PianoRoll, hand: Hand) -> None:
    roll.zoom_time(4.0, 0.0)
    roll.set_selection(score(3))
    roll.scroll_to(2.0)
    before = roll.coordinates
    hand.key(Qt.Key.Key_Right)
    assert roll.coordinates == before
    roll.scroll_to(6.0)
    hand.key(Qt.Key.Key_Right)
    assert is_seen(roll, 3.5, 72)
    roll._set_coordinates(replace(roll.coordinates, top=100.0 * roll.coordinates.row))
    hand.key(Qt.Key.Key_Up)
    assert is_seen(roll, 3.5, 72)
    roll.scroll_to(6.0)
    hand.key(Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)  # to the note before
    assert is_seen(roll, 1.5, 67)


def test_rows_grow_taller_and_lower_about_the_middle(roll: PianoRoll) -> None:
    roll.show_stretch(0.0, 10.0, 40, 80)
    before = roll.coordinates
    middle = before.pitch(before.height / 2)
    roll.step_row_height(1)
    taller = roll.coordinates
    assert taller.row_height > before.row_height
    assert abs(taller.pitch(taller.height / 2) - middle) <= 1
    roll.step_row_height(-1)
    roll.step_row_height(-1)
    assert roll.coordinates.row_height < before.row_height
