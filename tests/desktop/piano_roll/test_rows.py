"""Rows of a scale, and only those in use: what is shown, and where gestures go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt

from core.midi.scale import Scale
from desktop.piano_roll.coordinates import ALL_ROWS, PITCHES, Rows, Viewport
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import OTHER, SCORE, TAKE, Hand, Heard, score
from tests.desktop.piano_roll.painted import afresh, colour_at, pixels, tiled

USED = tuple(sorted({note.pitch for note in (*SCORE, *TAKE, *OTHER)}))  # 60 62 64 65 67 70 72


def some_rows() -> st.SearchStrategy[Rows]:
    pitches = st.sets(st.integers(0, PITCHES - 1), min_size=1)
    return pitches.map(lambda chosen: Rows(tuple(sorted(chosen))))


@given(some_rows(), st.integers(3, 40), st.sampled_from((1.0, 1.25, 2.0)))
def test_each_pitch_in_use_has_its_row_and_is_found_there(rows: Rows, row: int, ratio: float) -> None:
    view = Viewport(row=row, ratio=ratio, rows=rows)
    for pitch in rows.pitches:
        assert view.pitch(view.y(pitch) + view.row_height / 2) == pitch
    tops = view.boxes([0.0] * len(rows), [1.0] * len(rows), rows.pitches)[:, 1]
    assert tops.tolist() == [(len(rows) - 1 - i) * row for i in range(len(rows))]
    hidden = sorted(set(range(PITCHES)) - set(rows.pitches))
    if hidden:
        boxes = view.boxes([0.0] * len(hidden), [1.0] * len(hidden), hidden)
        assert boxes[:, 1].min() >= len(rows) * row  # below all that is shown


@given(some_rows(), st.data())
def test_moves_by_rows_go_back_and_stay_within(rows: Rows, data: st.DataObject) -> None:
    chosen = np.array(data.draw(st.lists(st.sampled_from(rows.pitches), min_size=1)), np.int32)
    down, up = rows.room(int(chosen.min()), int(chosen.max()))
    by = data.draw(st.integers(down, up))
    moved = rows.moved(chosen, by)
    assert set(moved.tolist()) <= set(rows.pitches)
    assert rows.moved(moved, -by).tolist() == chosen.tolist()
    assert ALL_ROWS.moved(chosen, 0).tolist() == chosen.tolist()


@given(st.lists(st.integers(0, 127), min_size=1), st.integers(-127, 127))
def test_all_rows_are_semitones(pitches: list[int], by: int) -> None:
    moved = ALL_ROWS.moved(np.array(pitches, np.int32), by)
    assert moved.tolist() == np.clip(np.array(pitches) + by, 0, 127).tolist()


@pytest.fixture
def folded(roll: PianoRoll) -> PianoRoll:
    roll.set_folded(True)
    return roll


def test_a_folded_roll_has_the_rows_in_use_and_unfolds(roll: PianoRoll) -> None:
    before = pixels(roll)
    roll.set_folded(True)
    assert roll.coordinates.rows.pitches == USED
    view = roll.coordinates
    assert view.row == 18
    assert [view.y(pitch) for pitch in (72, 60)] == [0.0, 6 * 18.0]
    shown = tiled(roll)
    assert np.array_equal(shown, afresh(roll))
    roll.append_notes("take", [RollNote(5.6, 6.0, 30, 90)])
    assert roll.coordinates.rows.pitches == (30, *USED)
    assert np.array_equal(pixels(roll), afresh(roll))
    roll.set_parts([RollPart.of("score", "prompt", SCORE[:2])])
    assert roll.coordinates.rows.pitches == (60, 64)
    roll.set_parts([])
    assert roll.coordinates.rows == ALL_ROWS
    roll.set_folded(False)
    assert pixels(roll).shape == before.shape


def test_unfolding_after_scrolling_keeps_the_pitch_in_the_middle(roll: PianoRoll) -> None:
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(0.0, 1.0, pitch, 80) for pitch in range(20, 110, 2)])])
    row = roll.coordinates.row
    roll.set_folded(True)
    roll.zoom_pitch(2.0, 0.0)
    roll.scroll_by(0.0, 200.0)
    middle = roll.coordinates.pitch(roll.coordinates.height / 2)
    assert middle != 64
    roll.set_folded(False)
    assert abs(roll.coordinates.pitch(roll.coordinates.height / 2) - middle) <= 1
    assert roll.coordinates.row == row


def test_unfolding_shows_what_was_asked_for_meanwhile(roll: PianoRoll) -> None:
    """Everything, or a stretch, is shown as it would be without folding, and then other notes are."""
    many = [RollNote(0.0, 1.0, pitch, 80) for pitch in range(20, 110, 2)]
    for ask in (roll.fit, lambda: roll.show_stretch(0.0, 4.0, 40, 60)):
        for notes in (SCORE, many):
            roll.set_parts([RollPart.of("score", "prompt", notes)])
            ask()
            expected = roll.coordinates
            roll.set_parts([RollPart.of("score", "prompt", SCORE)])
            roll.set_folded(True)
            roll.set_parts([RollPart.of("score", "prompt", notes)])
            ask()
            assert roll.coordinates.rows.pitches == tuple(sorted({note.pitch for note in notes}))
            roll.set_folded(False)
            assert roll.coordinates == expected


def test_a_stretch_is_shown_folded_by_the_rows_in_it(folded: PianoRoll) -> None:
    folded.show_stretch(0.0, 4.0, 61, 68)  # of which 62, 64, 65 and 67 are in use
    view = folded.coordinates
    assert (view.y(67), view.row_height) == (2 * 40.0, 40.0)  # as high as rows become: all seven are seen
    assert view.pitches == (60, 72)


def test_a_drag_goes_by_the_rows_that_are_shown(folded: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved, on = heard(folded.moved), heard(folded.pitch_pressed)
    hand.press(hand.at(0.7, 64))
    hand.move(hand.at(0.7, 65))
    hand.move(hand.at(0.7, 70))
    assert folded.overlays.preview == (0.0, 3)
    assert on == [(score(1)[0], 65), (score(1)[0], 70)]
    hand.release(hand.at(0.7, 70))
    assert moved == [(Selection.of(score(1)), 0.0, 3)]
    hand.drag(hand.at(0.7, 64), hand.at(0.7, 64) + QPoint(0, 400))  # below all rows
    assert moved[1] == (Selection.of(score(1)), 0.0, -2)


def test_keys_go_by_rows_and_octaves_by_semitones(folded: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved, transposed, tapped = heard(folded.nudged), heard(folded.transposed), heard(folded.tapped)
    folded.set_selection(score(0, 1))
    hand.key(Qt.Key.Key_Up)
    hand.key(Qt.Key.Key_Down)  # there is no row below the lowest
    hand.key(Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    refs = Selection.of(score(0, 1))
    assert moved == [(refs, 0.0, 1)]
    assert transposed == [(refs, 12)]
    assert tapped == [([(score(0)[0], 62)],), ([(score(0)[0], 72)],)]


def test_a_note_is_drawn_and_found_on_its_row(folded: PianoRoll, hand: Hand, heard: Heard) -> None:
    drawn = heard(folded.drawn)
    folded.set_tool("pencil")
    hand.click(hand.at(2.3, 70))
    assert [note.pitch for _, note in drawn if isinstance(note, RollNote)] == [70]
    assert folded.note_at(folded.coordinates.x(2.0), folded.coordinates.y(67) + 5) == NoteRef("score", 2)
    below = folded.coordinates.y(60) + folded.coordinates.row_height + 5
    assert folded.note_at(folded.coordinates.x(0.2), below) is None


def test_a_band_selects_the_rows_it_touches(folded: PianoRoll, hand: Hand) -> None:
    hand.drag(hand.at(1.2, 67), hand.at(4.0, 72))
    assert folded.selection.refs == score(2, 3)


def test_the_list_of_keys_sounds_the_row_that_is_pressed(folded: PianoRoll, hand: Hand, heard: Heard) -> None:
    pressed = heard(folded.key_pressed)
    for pitch in USED:
        hand.click(hand.at(-0.3, pitch))
    assert [value for (value,) in pressed] == list(USED)


def test_rows_of_the_scale_are_light_and_notes_off_it_are_marked(roll: PianoRoll, hand: Hand) -> None:
    roll.set_prompt(0.0, 0.0)
    before = pixels(roll)
    roll.set_scale(Scale(0, "minor"))  # E is not of it, Eb is
    shown = tiled(roll)
    assert np.array_equal(shown, afresh(roll))
    theme = roll._paper.theme
    at = {pitch: colour_at(roll, shown, hand.at(4.35, pitch)) for pitch in (60, 61, 62, 63, 64)}
    assert [at[pitch] for pitch in (61, 64)] == [theme.black_row.rgb()] * 2
    assert [at[pitch] for pitch in (62, 63)] == [theme.background.rgb()] * 2
    assert at[60] == theme.tonic_row.rgb()
    marks = [colour_at(roll, shown, hand.at(note.start, note.pitch) + QPoint(2, 0)) for note in SCORE]
    assert [mark == theme.off_scale.rgb() for mark in marks] == [False, True, False, False]
    roll.set_scale(None)
    assert np.array_equal(pixels(roll), before)


def test_with_a_track_in_front_its_rows_alone_are_kept(roll: PianoRoll) -> None:
    behind = RollPart.of("score", "prompt", [note._replace(is_behind=True) for note in SCORE])
    drums = RollPart.of("drums", "prompt", [RollNote(0.0, 0.1, pitch, 100, 2, True) for pitch in (36, 42)])
    roll.set_parts([behind, drums, RollPart.of("old", "other", OTHER)])
    roll.set_folded(True)
    assert roll.coordinates.rows.pitches == (36, 42)
    assert np.array_equal(tiled(roll), afresh(roll))
    roll.select(Selection({"score": [2]}), brings_forward=True)  # as what was pasted is
    assert roll.coordinates.rows.pitches == (36, 42, 67)
    assert np.array_equal(pixels(roll), afresh(roll))
    roll.clear_selection()
    assert roll.coordinates.rows.pitches == (36, 42)
    roll.append_notes("drums", [RollNote(1.0, 1.1, 38, 100, 2, True)])
    assert roll.coordinates.rows.pitches == (36, 38, 42)
    roll.set_parts([RollPart.of("score", "prompt", SCORE), drums])
    assert roll.coordinates.rows.pitches == (36, 42, 60, 64, 67, 72)
    roll.set_parts([behind])  # there is nothing in front yet
    assert roll.coordinates.rows == ALL_ROWS
