"""Drums in the roll: diamonds where they begin, and their names on the keyboard."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from desktop.piano_roll.measure import dense_part
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import OWN
from tests.desktop.piano_roll.conftest import SCORE, Hand, Heard
from tests.desktop.piano_roll.painted import afresh, colour_at, pixels, tiled

KICK, HAT = 36, 42
BEATS = [
    RollNote(0.0, 0.05, KICK, 127, 2, True),
    RollNote(0.5, 0.52, HAT, 30, 2, True),
    RollNote(1.0, 2.5, HAT, 90, 2, True),  # long: what counts is where it begins
    RollNote(2.0, 2.1, KICK, 90, 2, True),
]


@pytest.fixture
def drums(roll: PianoRoll) -> PianoRoll:
    roll.set_prompt(0.0, 0.0)
    roll.set_parts([RollPart.of("piano", "prompt", SCORE), RollPart.of("drums", "prompt", BEATS)])
    roll._set_coordinates(replace(roll.coordinates, top=(127 - 55) * 14.0))
    return roll


def aside(hand: Hand, note: RollNote, x: int, y: int = 0) -> QPoint:
    return hand.at(note.start, note.pitch) + QPoint(x, y)


def test_a_drum_is_a_diamond_in_the_colour_of_its_velocity(drums: PianoRoll, hand: Hand) -> None:
    shown = pixels(drums)
    theme = drums._paper.theme
    paper = 0
    for note in BEATS[1:]:
        middle = QColor.fromRgba(colour_at(drums, shown, hand.at(note.start, note.pitch)))
        assert middle in theme.velocities("prompt", 2)
        paper = colour_at(drums, shown, hand.at(note.start + 0.3, note.pitch))
        for x in (-5, 5):  # the corners of the square around it
            for y in (-5, 5):
                assert colour_at(drums, shown, aside(hand, note, x, y)) == paper
    soft, loud = (colour_at(drums, shown, hand.at(note.start, note.pitch)) for note in (BEATS[1], BEATS[2]))
    assert soft != loud
    assert colour_at(drums, shown, hand.at(0.03, KICK)) != paper  # half of the first is seen at time 0


def test_a_takes_small_drums_have_its_colour(drums: PianoRoll, hand: Hand) -> None:
    drums.set_parts([RollPart.of("take", "take", [note._replace(colour=OWN) for note in BEATS])])
    drums._set_coordinates(replace(drums.coordinates, row=4, top=0.0))
    colour = QColor.fromRgba(colour_at(drums, pixels(drums), hand.at(1.0, HAT)))
    assert colour.saturation() > 100
    assert abs(colour.hue() - drums._paper.theme.part("take").hue()) < 20


@pytest.mark.parametrize("row", [4, 7, 14, 15])
@pytest.mark.parametrize("pixels_per_second", [2.0, 100.0])
def test_tiles_and_culling_leave_out_no_part_of_a_diamond(
    drums: PianoRoll, row: int, pixels_per_second: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = [note._replace(is_drum=True) for note in dense_notes(1500)]
    drums.set_parts([RollPart.of("many", "prompt", notes)])
    drums.select(Selection({"many": range(0, 1500, 7)}))
    drums._set_coordinates(replace(drums.coordinates, row=row, pixels_per_second=pixels_per_second, left=3.3))
    culled = tiled(drums)
    assert np.array_equal(culled, afresh(drums))
    monkeypatch.setattr(RollPart, "begun_between", lambda self, *_: np.arange(len(self)))
    assert np.array_equal(culled, afresh(drums))


def dense_notes(count: int) -> list[RollNote]:
    part = dense_part(count, seed=5)
    columns = zip(part.start.tolist(), part.end.tolist(), part.pitch.tolist(), part.velocity.tolist(), strict=True)
    return [RollNote(*note) for note in columns]


def test_what_is_added_is_painted_before_its_onset_too(drums: PianoRoll) -> None:
    pixels(drums)
    drums.append_notes("drums", [RollNote(3.0, 3.01, HAT, 100, 2, True)])
    grown = pixels(drums)
    assert np.array_equal(grown, afresh(drums))


@pytest.mark.parametrize("state", ["selected", "moved", "copied"])
def test_overlays_of_drums_are_taken_away_whole(drums: PianoRoll, state: str) -> None:
    before = pixels(drums)
    drums.set_selection([NoteRef("drums", 2)])
    if state != "selected":
        drums.set_preview((288.0, 2), is_copy=state == "copied")
    assert not np.array_equal(pixels(drums), before)
    drums.set_preview(None)
    drums.clear_selection()
    assert np.array_equal(pixels(drums), before)


def test_a_press_must_be_in_the_diamond(drums: PianoRoll, hand: Hand) -> None:
    note = BEATS[2]
    hits = {
        (x, y): drums.note_at(drums.coordinates.x(note.start) + x, drums.coordinates.y(note.pitch) + 6.5 + y)
        for x, y in ((0, 0), (-5, 0), (5, 0), (0, -5), (-5, -5), (5, 5), (30, 0))
    }
    inside = {(0, 0), (-5, 0), (5, 0), (0, -5)}
    assert {at for at, ref in hits.items() if ref == NoteRef("drums", 2)} == inside
    assert all(ref is None for at, ref in hits.items() if at not in inside)


def test_a_band_selects_the_diamonds_it_touches(drums: PianoRoll, hand: Hand) -> None:
    hand.drag(hand.at(1.06, 44), hand.at(1.9, 41))  # behind its start, and over half of the diamond
    assert drums.selection.refs == (NoteRef("drums", 2),)
    hand.drag(hand.at(1.2, 44), hand.at(1.9, 41))
    assert drums.selection.refs == ()


def test_a_drum_is_dragged_not_lengthened(drums: PianoRoll, hand: Hand, heard: Heard) -> None:
    moved, resized = heard(drums.moved), heard(drums.resized)
    start = aside(hand, BEATS[2], 4)
    hand.drag(start, start + QPoint(25, -28))
    assert resized == []
    assert moved == [(Selection.of([NoteRef("drums", 2)]), pytest.approx(240), 2)]


def test_a_pencilled_drum_is_a_diamond(drums: PianoRoll, hand: Hand, heard: Heard) -> None:
    drums.set_selection([NoteRef("drums", 0)])
    drums.set_tool("pencil")
    before = pixels(drums)
    hand.press(hand.at(3.0, 38) - QPoint(4, 0))  # in the diamond's left half
    note = drums.overlays.drawn
    assert note is not None
    assert (note.is_drum, note.start) == (True, pytest.approx(3.0))
    hand.key(Qt.Key.Key_Escape)
    drums.set_selection([NoteRef("drums", 0)])
    assert np.array_equal(pixels(drums), before)


def test_the_keyboard_names_drums_and_its_rows_are_alike(drums: PianoRoll, hand: Hand, heard: Heard) -> None:
    pressed = heard(drums.key_pressed)
    keys = pixels(drums)[:, :63].copy()
    drums.set_drum_keys("drums")
    named = pixels(drums)
    assert not np.array_equal(named[:, :63], keys)
    assert np.array_equal(named, afresh(drums))
    for pitch in (42, 43):  # right of the black keys, where a keyboard would have F and G
        QTest.mouseClick(hand.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, hand.at(-0.05, pitch))
    assert pressed == [(42,), (43,)]
    drums.set_drum_keys("")
    assert np.array_equal(pixels(drums)[:, :63], keys)
