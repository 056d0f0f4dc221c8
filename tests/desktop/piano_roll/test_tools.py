import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import NONE, SCORE, Hand, Heard, score

ALT = Qt.KeyboardModifier.AltModifier


def edge(hand: Hand, seconds: float, pitch: int, pixels: int) -> QPoint:
    return hand.at(seconds, pitch) + QPoint(pixels, 0)


def as_drawn(said: list[tuple[object, ...]]) -> list[tuple[str, RollNote]]:
    return [(str(key), note) for key, note in said if isinstance(note, RollNote)]


def test_the_pencil_draws_on_the_grid_and_sounds(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn, on, off = heard(roll.drawn), heard(roll.pitch_pressed), heard(roll.key_released)
    roll.set_tool("pencil")
    hand.press(hand.at(2.3, 75))
    assert on == [("score", 75)]
    assert (note := roll.overlays.drawn) is not None
    assert note[:4] == (pytest.approx(2.25), pytest.approx(2.375), 75, 100)
    hand.move(hand.at(2.78, 73))
    hand.release(hand.at(2.78, 73))
    assert [(key, note[:4]) for key, note in as_drawn(drawn)] == [
        ("score", (pytest.approx(2.25), pytest.approx(2.75), 73, 100))
    ]
    assert on == [("score", 75), ("score", 73)]
    assert off == [(75,), (73,)]
    assert roll.overlays.drawn is None
    hand.click(hand.at(3.3, 75))  # of the same length again
    assert as_drawn(drawn)[1][1][:4] == (pytest.approx(3.25), pytest.approx(3.75), 75, 100)


def test_alt_draws_off_the_grid(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn = heard(roll.drawn)
    roll.set_tool("pencil")
    hand.drag(hand.at(2.31, 75), hand.at(2.78, 75), ALT)
    assert [(key, note[:4]) for key, note in as_drawn(drawn)] == [
        ("score", (pytest.approx(2.31), pytest.approx(2.78), 75, 100))
    ]


def test_behind_the_marker_the_pencil_draws_into_the_take(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn = heard(roll.drawn)
    roll.set_tool("pencil")
    hand.click(hand.at(7.5, 75))
    assert [said[0] for said in drawn] == ["take"]


def test_what_is_drawn_is_gone_after_escape(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn, off = heard(roll.drawn), heard(roll.key_released)
    roll.set_tool("pencil")
    hand.press(hand.at(2.3, 75))
    hand.key(Qt.Key.Key_Escape)
    hand.release(hand.at(2.3, 75))
    assert drawn == []
    assert off == [(75,)]
    assert roll.overlays.drawn is None


def test_where_there_is_no_part_nothing_is_drawn(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn = heard(roll.drawn)
    roll.set_parts([])
    roll.set_tool("pencil")
    hand.click(hand.at(2.3, 75))
    assert drawn == []


def test_a_double_click_draws_and_deletes(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn, deleted, activated = heard(roll.drawn), heard(roll.delete_requested), heard(roll.note_activated)
    for at in (hand.at(2.3, 75), hand.at(4.7, 62), hand.at(6.5, 70)):
        QTest.mouseDClick(hand.canvas, Qt.MouseButton.LeftButton, NONE, at)
        hand.release(at)
    assert len(drawn) == 1
    assert deleted == [(Selection.of([NoteRef("take", 0)]),)]
    assert activated == [(NoteRef("old", 0),)]  # of another take, which is not edited


def test_the_eraser_deletes_what_it_is_dragged_over_at_once(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    deleted = heard(roll.delete_requested)
    roll.set_tool("eraser")
    hand.press(hand.at(0.2, 60))
    hand.move(hand.at(0.7, 64))
    hand.move(hand.at(6.5, 70))  # a faint take stays
    assert deleted == []
    hand.release(hand.at(6.5, 70))
    assert deleted == [(Selection.of(score(0, 1)),)]


def test_an_erasing_that_is_cancelled_keeps_notes_and_selection(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    deleted = heard(roll.delete_requested)
    roll.set_selection(score(3))
    roll.set_tool("eraser")
    hand.press(hand.at(0.2, 60))
    hand.key(Qt.Key.Key_Escape)
    hand.release(hand.at(0.2, 60))
    assert deleted == []
    assert roll.selection.refs == score(3)


def test_the_knife_cuts_on_the_grid(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    cut = heard(roll.split_requested)
    roll.set_tool("knife")
    hand.click(hand.at(2.03, 67))
    hand.click(hand.at(2.03, 67), ALT)
    hand.click(hand.at(6.5, 70))
    assert cut == [
        (Selection.of(score(2)), pytest.approx(2.0)),
        (Selection.of(score(2)), pytest.approx(2.03, abs=0.011)),
    ]


def test_the_knife_shows_where_it_would_cut(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    cut = heard(roll.split_requested)
    hand.move(hand.at(2.03, 67))
    assert roll.overlays.cut is None  # the pointer cuts nothing
    roll.set_tool("knife")
    for at, modifiers, expected in (
        (hand.at(2.03, 67), NONE, (pytest.approx(2.0), (67,))),
        (hand.at(2.03, 67), ALT, (pytest.approx(2.03, abs=0.011), (67,))),
        (hand.at(2.03, 75), NONE, None),  # there is no note
        (hand.at(1.51, 67), NONE, None),  # the line next to it is where the note begins
        (hand.at(6.5, 70), NONE, None),  # of another take
    ):
        hand.move(at, modifiers)
        assert roll.overlays.cut == expected
    hand.press(hand.at(2.03, 67))
    hand.move(hand.at(2.62, 90))  # it is held: the cut goes along, wherever the pointer is
    assert roll.overlays.cut == (pytest.approx(2.625), (67,))
    hand.move(hand.at(3.4, 67))
    assert roll.overlays.cut is None
    hand.move(hand.at(2.62, 67))
    hand.key(Qt.Key.Key_Escape)
    hand.release(hand.at(2.62, 67))
    assert roll.overlays.cut is None
    assert cut == []
    for leave in (lambda: roll.set_tool("eraser"), lambda: roll.scroll_by(10, 0), lambda: roll.set_parts([])):
        roll.set_tool("knife")
        hand.move(hand.at(2.03, 67))
        assert roll.overlays.cut is not None
        leave()
        assert roll.overlays.cut is None


def test_of_selected_notes_those_are_cut_that_sound_there(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    cut = heard(roll.split_requested)
    chord = [RollNote(0.0, 2.0, 60, 80), RollNote(1.0, 3.0, 64, 80), RollNote(2.5, 3.0, 67, 80)]
    roll.set_parts([RollPart.of("score", "prompt", chord)])
    roll.set_selection(score(0, 1, 2))
    roll.set_tool("knife")
    hand.move(hand.at(1.5, 60))
    assert roll.overlays.cut == (pytest.approx(1.5), (60, 64))
    hand.click(hand.at(1.5, 60))
    assert cut == [(Selection.of(score(0, 1, 2)), pytest.approx(1.5))]


def test_edges_resize_all_that_is_selected(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    resized, moved = heard(roll.resized), heard(roll.moved)
    roll.set_selection(score(1, 2))
    hand.press(edge(hand, 3.0, 67, -3))
    hand.move(edge(hand, 3.3, 67, -3))
    assert roll.overlays.stretch == (0.0, pytest.approx(240))
    hand.release(edge(hand, 3.3, 67, -3))
    hand.drag(edge(hand, 0.5, 64, 2), edge(hand, 0.61, 64, 2))
    hand.drag(edge(hand, 0.5, 64, 2), edge(hand, 0.68, 64, 2), ALT)
    assert resized == [
        (Selection.of(score(1, 2)), 0.0, pytest.approx(240)),
        (Selection.of(score(1, 2)), pytest.approx(120), 0.0),
        (Selection.of(score(1, 2)), pytest.approx(173, abs=11), 0.0),
    ]
    assert moved == []
    assert roll.overlays.stretch is None


def test_an_edge_dragged_past_the_other_leaves_a_step_of_the_grid(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    resized = heard(roll.resized)
    hand.drag(edge(hand, 3.0, 67, -3), edge(hand, 0.2, 67, 0))
    hand.drag(edge(hand, 1.5, 67, 3), edge(hand, 4.4, 67, 0))
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(1.5, 1.58, 67, 80)])])  # shorter than that
    hand.drag(edge(hand, 1.58, 67, -1), edge(hand, 1.0, 67, 0))
    assert resized == [
        (Selection.of(score(2)), 0.0, pytest.approx(120 - 1440)),
        (Selection.of(score(2)), pytest.approx(1440 - 120), 0.0),
    ]


def test_edges_of_long_notes_are_wider(roll: PianoRoll, hand: Hand) -> None:
    for zoom, inside, outside in ((1.0, 5, 8), (2.0, 9, 12)):  # 150 and 300 pixels long
        roll.zoom_time(zoom, 0.0)
        for pixels, shape in ((inside, Qt.CursorShape.SizeHorCursor), (outside, Qt.CursorShape.ArrowCursor)):
            hand.move(edge(hand, 3.0, 67, -pixels))
            assert roll.viewport().cursor().shape() == shape


def test_a_click_at_an_edge_selects(roll: PianoRoll, hand: Hand, heard: Heard) -> None:
    on, off, resized = heard(roll.note_pressed), heard(roll.note_released), heard(roll.resized)
    roll.set_selection(score(1, 2))
    hand.click(edge(hand, 3.0, 67, -3))
    assert roll.selection.refs == score(2)
    assert on == off == [(score(2)[0],)]
    assert resized == []


@pytest.mark.parametrize("ending", ["escape", "others"])
def test_a_resizing_that_ends_early_changes_nothing(roll: PianoRoll, hand: Hand, heard: Heard, ending: str) -> None:
    resized = heard(roll.resized)
    hand.press(edge(hand, 3.0, 67, -3))
    hand.move(edge(hand, 3.3, 67, -3))
    if ending == "escape":
        hand.key(Qt.Key.Key_Escape)
    else:
        roll.set_parts([RollPart.of("score", "prompt", SCORE[:1])])
    hand.release(edge(hand, 3.3, 67, -3))
    assert resized == []
    assert roll.overlays.stretch is None


def test_the_cursor_tells_edges_and_tools(roll: PianoRoll, hand: Hand) -> None:
    def shape(at: QPoint) -> Qt.CursorShape:
        hand.move(at)
        return roll.viewport().cursor().shape()

    assert shape(edge(hand, 3.0, 67, -3)) == Qt.CursorShape.SizeHorCursor
    assert shape(hand.at(2.5, 67)) == Qt.CursorShape.ArrowCursor
    roll.set_tool("pencil")
    assert shape(hand.at(2.5, 75)) == Qt.CursorShape.CrossCursor
