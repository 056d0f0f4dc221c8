"""The names in notes: all that can be read, and no part of one that cannot."""

import numpy as np
import pytest

from desktop.piano_roll.notes import RollNote, RollPart
from desktop.piano_roll.view import PianoRoll
from tests.desktop.painted_text import painted_texts
from tests.desktop.piano_roll.painted import afresh, pixels, tiled

LONG = RollNote(1.0, 4.0, 60, 40)


def names(roll: PianoRoll) -> list[tuple[str, float]]:
    """The names in notes, and when those begin."""
    roll.tiles.clear()
    left, top = roll.keyboard_width, roll.ruler_height
    texts = [text for text in painted_texts(roll.viewport()) if text.rect.left() > left and text.rect.top() > top]
    return sorted((text.words, round(roll.coordinates.seconds(text.rect.left() - left - 4), 1)) for text in texts)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], [("C4", 1.0)]),
        ([RollNote(1.1, 2.0, 60, 90)], [("C4", 1.1)]),  # louder, so over it
        ([RollNote(1.1, 2.0, 60, 20)], [("C4", 1.0)]),  # under it
        ([RollNote(0.5, 1.1, 60, 90)], [("C4", 0.5)]),  # reaches over the beginning
        ([RollNote(1.1, 1.15, 60, 90)], []),  # has no room for a name of its own
        ([RollNote(2.0, 3.0, 60, 90)], [("C4", 1.0), ("C4", 2.0)]),  # behind the name
        ([RollNote(1.1, 2.0, 61, 90)], [("C#4", 1.1), ("C4", 1.0)]),  # in another row
        ([RollNote(1.1, 1.2, 60, 90, is_drum=True)], []),
    ],
)
def test_a_name_is_whole_or_not_there(
    roll: PianoRoll, others: list[RollNote], expected: list[tuple[str, float]]
) -> None:
    roll.set_parts([RollPart.of("score", "prompt", [LONG, *others])])
    assert names(roll) == expected
    assert np.array_equal(tiled(roll), afresh(roll))


def test_names_of_the_score_give_way_to_notes_of_the_take_and_not_to_faint_ones(roll: PianoRoll) -> None:
    over = [RollNote(1.1, 3.5, 60, 90)]
    score = RollPart.of("score", "prompt", [LONG])
    for kind, expected in (("take", 1.1), ("other", 1.0)):
        roll.set_parts([score, RollPart.of("over", kind, over)])  # type: ignore[arg-type]
        assert names(roll) == [("C4", expected)]


def test_a_name_goes_whole_where_a_growing_take_comes_over_it(roll: PianoRoll) -> None:
    roll.set_parts([RollPart.of("score", "prompt", [LONG]), RollPart.of("take", "take", [])])
    tiled(roll)
    roll.append_notes("take", [RollNote(1.14, 1.2, 60, 90)])
    assert np.array_equal(pixels(roll), afresh(roll))


def test_a_name_has_room_in_its_note(roll: PianoRoll) -> None:
    roll.set_parts([RollPart.of("score", "prompt", [RollNote(1.0, 1.3, 1, 90), RollNote(2.0, 3.0, 1, 90)])])
    roll.zoom_pitch(1.5, 0.0)
    roll.scroll_by(0.0, 10_000.0)
    assert names(roll) == [("C#-1", 2.0)]
