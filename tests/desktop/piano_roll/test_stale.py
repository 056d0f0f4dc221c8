"""Only what changed is painted, and all of that."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QColor

from desktop.piano_roll.layers import Cut
from desktop.piano_roll.notes import RollNote, RollPart
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import mix
from tests.desktop.piano_roll.conftest import SCORE, TAKE, Hand, score
from tests.desktop.piano_roll.painted import PaintWatch, afresh, colour_at, pixels, tiled


def test_the_playhead_repaints_a_strip(roll: PianoRoll, watch: PaintWatch) -> None:
    roll.set_playhead(2.0)
    watch.look()
    roll.set_playhead(2.02)
    assert 0 < watch.look() < 60 * 500
    moved = pixels(roll)
    assert np.array_equal(moved, afresh(roll))


def test_every_overlay_leaves_no_trace(roll: PianoRoll) -> None:
    roll.set_follow(False)
    before = afresh(roll)
    steps = [
        lambda: roll.set_playhead(5.0),
        lambda: roll.set_sampling(7.0, [RollNote(6.5, 6.5, 66, 90)]),
        lambda: roll.set_loop((1.5, 3.0)),
        lambda: roll.set_loop((1.5, 6.0)),
        lambda: roll.set_prompt(1.0, 3.0),
        lambda: roll.set_lit_keys([60, 66]),
        lambda: roll.set_selection(score(1, 2)),
        lambda: roll.set_preview((384.0, 2)),
        lambda: roll.set_playhead(5.4),
        lambda: roll.set_sampling(8.0, [RollNote(6.5, 6.5, 66, 90), RollNote(7.5, 7.5, 69, 90)]),
        lambda: roll.set_drawn(RollNote(2.0, 2.5, 70, 90)),
        lambda: roll.set_drawn(RollNote(2.0, 3.5, 71, 90)),
        lambda: roll.set_band(QRectF(300, 100, 80, 60)),
        lambda: roll.set_band(QRectF(300, 100, 40, 90)),
        lambda: roll.set_cut(Cut(2.0, (67,))),
        lambda: roll.set_cut(Cut(2.25, (64, 67))),
        lambda: roll.set_end_marker(6.0),
        lambda: roll.set_end_marker(7.5),
    ]
    for step in steps:
        step()
        shown = pixels(roll)
        assert np.array_equal(shown, afresh(roll))
        assert not np.array_equal(shown, before)
    roll.set_end_marker(None)
    roll.set_cut(None)
    roll.set_band(None)
    roll.set_drawn(None)
    roll.set_preview(None)
    roll.clear_selection()
    roll.set_lit_keys([])
    roll.set_loop(None)
    roll.set_sampling(None)
    roll.set_playhead(None)
    roll.set_prompt(0.0, 4.5)
    assert np.array_equal(pixels(roll), before)


@pytest.mark.parametrize("is_drum", [False, True])
@pytest.mark.parametrize("folds", [False, True])
def test_what_is_dragged_is_painted_where_it_was_and_is(
    roll: PianoRoll, watch: PaintWatch, is_drum: bool, folds: bool
) -> None:
    notes = [note._replace(is_drum=is_drum) for note in SCORE]
    roll.set_parts([RollPart.of("score", "prompt", notes), RollPart.of("take", "take", TAKE)])
    roll.set_folded(folds)
    roll.set_selection(score(1, 2))
    tiled(roll)
    watch.look()
    steps = [
        lambda: roll.set_preview((384.0, 2)),
        lambda: roll.set_preview((-384.0, -30)),
        lambda: roll.set_preview((960.0, 0), is_copy=True),
        lambda: roll.set_preview(None),
        lambda: roll.set_stretch((240.0, 0.0)),
        lambda: roll.set_stretch((-240.0, 1440.0)),
        lambda: roll.set_stretch((0.0, -8640.0)),
        lambda: roll.set_stretch(None),
        lambda: roll.set_selection(score(3)),
        lambda: roll.clear_selection(),
    ]
    for step in steps:
        step()
        assert 0 < watch.look() < 0.7 * roll.coordinates.width * roll.coordinates.height
        shown = pixels(roll)
        assert np.array_equal(shown, afresh(roll))
        watch.look()


def test_scrolling_time_leaves_the_keyboard_alone(roll: PianoRoll, watch: PaintWatch) -> None:
    roll.scroll_by(40, 0)
    assert watch.look() <= (roll.viewport().width() - roll.keyboard_width) * roll.viewport().height()


@pytest.mark.parametrize("is_drum", [False, True])
def test_notes_that_are_moved_are_as_faint_where_they_lie_over_each_other(
    roll: PianoRoll, hand: Hand, is_drum: bool
) -> None:
    starts = (1.0, 1.06, 2.0)
    roll.set_parts([RollPart.of("some", "prompt", [RollNote(s, s + 0.2, 60, 100, 1, is_drum) for s in starts])])
    roll.set_prompt(0.0, 0.0)
    points = [hand.at(s + (0.0 if is_drum else 0.15), 60) for s in starts]
    points += [hand.at(1.03, 60) + QPoint(0, 1)] if is_drum else [hand.at(2.0, 60)]
    before = [QColor.fromRgba(colour_at(roll, pixels(roll), point)) for point in points]
    roll.select_all()
    roll.set_preview((3840.0, 0))
    faint = [QColor.fromRgba(colour_at(roll, pixels(roll), point)) for point in points]
    for was, now in zip(before, faint, strict=True):
        expected = mix(was, roll.theme.background, 0.6)
        away = now.red() - expected.red(), now.green() - expected.green(), now.blue() - expected.blue()
        assert max(map(abs, away)) <= 2
    roll.set_preview(None)
    roll.clear_selection()
    assert [QColor.fromRgba(colour_at(roll, pixels(roll), point)) for point in points] == before
