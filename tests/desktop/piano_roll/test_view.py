from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible, QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.midi.tempo_map import TempoMap
from desktop.piano_roll import layers
from desktop.piano_roll.measure import dense_part, measure_frames
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.ruler import marker_flag
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import OTHER, SCORE, TAKE, Hand, Heard, score
from tests.desktop.piano_roll.painted import PaintWatch, afresh, colour_at, pixels, tiled

# Notes are painted where they are


def test_each_note_is_painted_in_its_colour(roll: PianoRoll, hand: Hand) -> None:
    roll.set_prompt(0.0, 0.0)  # else its tint lies over the notes
    shown = pixels(roll)
    theme = roll._paper.theme
    for kind, notes in (("prompt", SCORE), ("take", TAKE), ("other", OTHER)):
        for note in notes:
            colour = QColor.fromRgba(colour_at(roll, shown, hand.at(note.end - 0.05, note.pitch)))
            assert colour in theme.velocities(kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("pixels_per_second", [0.9, 12.0, 100.0, 900.0])
def test_culling_leaves_out_nothing_that_shows(roll: PianoRoll, pixels_per_second: float) -> None:
    part = dense_part(1500, seed=3)
    drone = RollPart.of("drone", "prompt", [RollNote(0.2, 400.0, 40, 100, 1)])
    roll.set_parts([part, drone])
    view = roll.coordinates
    roll._set_coordinates(replace(view, pixels_per_second=pixels_per_second, left=21.3))
    culled = pixels(roll)
    with mock.patch.object(RollPart, "between", lambda self, *_: np.arange(len(self))):
        everything = afresh(roll)
    assert np.array_equal(culled, everything)
    roll.set_parts([])
    assert not np.array_equal(culled, pixels(roll))


@pytest.mark.parametrize("are_selected", [False, True])
@pytest.mark.parametrize("row", [7, 14])
def test_notes_drawn_into_an_array_look_the_same(roll: PianoRoll, row: int, are_selected: bool) -> None:
    """Far out, where a tile has thousands of notes."""
    roll.set_parts([dense_part(6000, seed=7)])
    if are_selected:
        roll.select_all()
    roll._set_coordinates(replace(roll.coordinates, pixels_per_second=0.6, left=3.1, row=row))
    with mock.patch.object(layers, "paint_dots", wraps=layers.paint_dots) as paint_dots:
        into_array = afresh(roll)
    assert paint_dots.called
    with mock.patch.object(layers, "MANY_DOTS", 10**9):
        one_by_one = afresh(roll)
    assert np.array_equal(into_array, one_by_one)


def test_a_selected_note_has_a_line_round_it_and_keeps_its_colour(roll: PianoRoll, hand: Hand) -> None:
    notes = [RollNote(1.0, 1.5, 60, 100, 1), RollNote(2.0, 2.04, 60, 30, 2), RollNote(3.0, 3.5, 60, 30, 1)]
    roll.set_parts([RollPart.of("some", "prompt", notes)])
    middles = [hand.at((note.start + note.end) / 2, 60) for note in notes]
    edges = [hand.at(note.start, 60) - QPoint(1, 0) for note in notes]
    before = pixels(roll)
    roll.set_selection([NoteRef("some", i) for i in range(3)])
    after = pixels(roll)
    assert [colour_at(roll, after, point) for point in middles] == [colour_at(roll, before, point) for point in middles]
    assert {colour_at(roll, after, point) for point in edges} == {roll._paper.theme.selected.rgb()}


def test_scrolled_tiles_are_as_painted_anew(roll: PianoRoll) -> None:
    roll.set_parts([dense_part(3000, seed=5)])
    for dx, dy in [(333, 0), (401, 77), (-50, -120), (1200, 300), (-700, 13)]:
        roll.scroll_by(dx, dy)
        shown = pixels(roll)
        assert np.array_equal(shown, tiled(roll))
        assert np.array_equal(shown, afresh(roll))


def test_the_prompt_is_tinted_where_it_is_now(roll: PianoRoll) -> None:
    tiled(roll)
    painted = roll.tiles.painted
    for prompt in ((0.0, 2.0), (1.0, 2.0), (1.0, 4.5), (5.0, 6.0), (0.0, 4.5)):
        roll.set_prompt(*prompt)
        shown = pixels(roll)
        assert roll.tiles.painted == painted  # none of them as a whole
        assert np.array_equal(shown, afresh(roll))
        tiled(roll)
        painted = roll.tiles.painted


@pytest.mark.parametrize("factor", [0.3, 1.7])
def test_a_zoomed_roll_waits_for_no_tiles(roll: PianoRoll, factor: float) -> None:
    roll.set_parts([dense_part(3000, seed=5), RollPart.of("take", "take", TAKE)])
    tiled(roll)
    before = roll.tiles.painted
    roll.zoom_time(factor, 300)
    roll.viewport().repaint()
    assert roll.tiles.painted == before
    shown = pixels(roll)
    assert np.array_equal(shown, tiled(roll))
    assert roll.tiles.painted > before


def test_the_next_tiles_are_painted_ahead(roll: PianoRoll) -> None:
    roll.set_parts([dense_part(3000, seed=5)])
    afresh(roll)
    for _ in range(12):  # not yet at the edge of the tiles that show
        roll.scroll_by(1, 0)
        QApplication.processEvents()
    before = roll.tiles.painted
    roll.scroll_by(500, 0)
    roll.viewport().repaint()
    assert roll.tiles.painted == before
    assert np.array_equal(pixels(roll), afresh(roll))


def test_parts_that_look_the_same_are_not_painted_again(roll: PianoRoll, watch: PaintWatch) -> None:
    parts = roll.parts
    shown = tiled(roll)
    watch.look()
    roll.set_parts([*parts, RollPart.of("new take", "take", [])])
    roll.set_parts([RollPart.of("same", "prompt", SCORE), *parts[1:]])
    assert watch.look() == 0
    assert roll.note_at(roll.coordinates.x(0.2), roll.coordinates.y(60) + 3) == NoteRef("same", 0)
    roll.set_parts([RollPart.of("same", "prompt", [note._replace(colour=1) for note in SCORE]), *parts[1:]])
    assert watch.look() > 0
    assert not np.array_equal(pixels(roll), shown)


# A take that grows


def test_appended_notes_show_without_painting_all_tiles(roll: PianoRoll, watch: PaintWatch) -> None:
    tiled(roll)
    watch.look()
    before = roll.tiles.painted
    roll.append_notes("take", [RollNote(5.2, 5.9, 68, 100), RollNote(4.8, 5.3, 76, 60)])
    assert 0 < watch.look() < 300 * 500
    assert roll.tiles.painted == before
    assert roll.tiles.mended > 0
    assert roll.note_at(roll.coordinates.x(5.5), roll.coordinates.y(68) + 3) == NoteRef("take", 2)
    grown = pixels(roll)
    assert np.array_equal(grown, afresh(roll))
    roll.set_parts([])
    assert not np.array_equal(grown, pixels(roll))


def test_notes_being_held_reach_to_the_sampling_head(roll: PianoRoll, hand: Hand) -> None:
    roll.set_sampling(5.0, [RollNote(4.8, 4.8, 80, 127)])
    roll.set_sampling(6.0, [RollNote(4.8, 4.8, 80, 127)])
    shown = pixels(roll)
    held, free = hand.at(5.9, 80), hand.at(6.1, 80)
    assert colour_at(roll, shown, held) != colour_at(roll, shown, free)
    assert np.array_equal(shown, afresh(roll))
    roll.set_sampling(6.0)
    shown = pixels(roll)
    assert colour_at(roll, shown, held) != colour_at(roll, shown, free)  # the tint of what is in hand
    assert np.array_equal(shown, afresh(roll))


# The view


def test_first_shown_it_fits(qtbot: QtBot) -> None:
    roll = PianoRoll()
    qtbot.addWidget(roll)
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(1, 2, 30, 80), RollNote(50, 60, 90, 80)])])
    roll.resize(900, 600)
    roll.show()
    view = roll.coordinates
    assert view.left == 0
    assert view.x(60) <= view.width
    assert view.pitches[0] <= 30 <= 90 <= view.pitches[1]


@pytest.mark.parametrize("hours", [1, 9])
def test_all_of_a_long_recording_fits(roll: PianoRoll, hours: int) -> None:
    end = hours * 3600.0
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(0, 1, 60, 80), RollNote(end - 1, end, 62, 80)])])
    roll.fit()
    assert roll.coordinates.left == 0
    assert roll.coordinates.x(end) <= roll.coordinates.width


def test_the_page_turns_with_the_playhead(roll: PianoRoll) -> None:
    roll.set_parts([dense_part(2000)])
    roll.set_playhead(3.0)
    assert roll.coordinates.left == 0
    roll.set_playhead(roll.coordinates.right)
    assert roll.coordinates.left > 5
    assert 0 < roll.coordinates.x(roll.overlays.playhead or 0) < 0.2 * roll.coordinates.width


def test_following_yields_to_the_user_until_the_playhead_is_back(roll: PianoRoll, heard: Heard) -> None:
    said = heard(roll.follow_changed)
    roll.set_parts([dense_part(2000)])
    roll.set_playhead(3.0)
    roll.scroll_by(2000, 0)
    left = roll.coordinates.left
    roll.set_playhead(3.1)
    assert roll.coordinates.left == left
    assert not roll.follows
    roll.set_playhead(left + 0.1)  # the music has come to what the user looks at
    assert roll.follows
    assert said == [(False,), (True,)]
    roll.set_playhead(roll.coordinates.right)
    assert roll.coordinates.left > left


def test_zooming_does_not_end_following(roll: PianoRoll, heard: Heard) -> None:
    said = heard(roll.follow_changed)
    roll.set_playhead(0.0)
    roll.zoom_time(4.0, 5.0)
    assert roll.coordinates.x(0.0) < 0
    roll.set_playhead(6.0)
    assert 0 < roll.coordinates.x(6.0) < roll.coordinates.width
    assert said == []


def test_selection_survives_what_it_can(roll: PianoRoll, heard: Heard) -> None:
    roll.set_selection([*score(0, 3), NoteRef("take", 1), NoteRef("gone", 0), NoteRef("old", 0)])
    assert set(roll.selection.refs) == {*score(0, 3), NoteRef("take", 1)}
    changed = heard(roll.selection_changed)
    roll.set_parts([RollPart.of("score", "prompt", SCORE[:2])])
    assert roll.selection.refs == score(0)
    assert len(changed) == 1


def test_a_roll_without_anything(qtbot: QtBot, hand: Hand, roll: PianoRoll) -> None:
    roll.set_parts([])
    roll.set_tempo_map(TempoMap())
    roll.fit()
    for action in (roll.select_all, roll.delete_selected, lambda: roll.select_neighbour(1), lambda: roll.nudge(1)):
        action()
    hand.drag(hand.at(1, 60), hand.at(3, 70))
    assert roll.selection.refs == ()
    assert len(np.unique(pixels(roll))) > 5


def test_it_tells_screen_readers(roll: PianoRoll) -> None:
    assert roll.accessibleName() == "Piano roll"
    roll.set_selection(score(0, 1))
    interface = QAccessible.queryAccessibleInterface(roll)
    assert interface.text(QAccessible.Text.Description) == (
        "2 of 7 notes selected, C4 to E4, velocity 80 to 100, bar 1, beat 1 to bar 1, beat 2"
    )


def test_dark_follows_the_palette(roll: PianoRoll) -> None:
    light = pixels(roll)
    palette = QPalette(QColor(40, 42, 46))
    palette.setColor(QPalette.ColorRole.Base, QColor(25, 27, 30))
    palette.setColor(QPalette.ColorRole.Text, QColor(230, 230, 230))
    roll.setPalette(palette)
    dark = pixels(roll)
    assert (dark[100:400, 200:800] & 0xFF).mean() < 90 < (light[100:400, 200:800] & 0xFF).mean()


@pytest.fixture(params=[1.25, 1.5, 1.75, 2.0])
def scaled(request: pytest.FixtureRequest, roll: PianoRoll) -> Iterator[PianoRoll]:
    with mock.patch.object(type(roll.viewport()), "devicePixelRatioF", return_value=request.param):
        roll._resize()
        yield roll


def test_tiles_fit_together_at_every_scale(scaled: PianoRoll) -> None:
    scaled.scroll_by(37.4, 11)
    view = scaled.coordinates

    def paint(exposed: list[QRect]) -> QImage:
        image = QImage(round(view.width * view.ratio), round(view.height * view.ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(view.ratio)
        painter = QPainter(image)
        for rect in exposed:
            painter.setClipRect(rect)
            scaled._paint_notes(painter, rect.toRectF())
        painter.end()
        return image

    whole = QRect(0, 0, view.width, view.height)
    strips = [QRect(x, 0, 20, view.height) for x in range(0, view.width, 20)]
    fresh = paint([whole])
    assert fresh == paint([whole, *strips])  # of which the tiles have none yet
    for first in range(0, 40, 3):
        assert fresh == paint([whole, QRect(first, 0, 100, view.height)])
    while scaled.tiles.prepare(view, scaled._paper, 0, 0):
        pass
    assert fresh == paint([whole])


def test_measuring_runs(qtbot: QtBot) -> None:
    for frames in measure_frames(notes=400, width=600, height=300, frames=4):
        assert frames.frames == 4
        assert 0 < frames.p50 <= frames.p99 <= frames.longest


def test_the_flag_is_whole_or_not_there(roll: PianoRoll) -> None:
    font = roll.small_font
    flags = [marker_flag(roll.coordinates, seconds, font) for seconds in (0.0, 0.1, 2.0)]
    assert all(flag.left() >= 0 for flag in flags)
    roll.scroll_to(0.1)
    assert marker_flag(roll.coordinates, 0.0, font).right() <= 2  # of its line a pixel may be seen
