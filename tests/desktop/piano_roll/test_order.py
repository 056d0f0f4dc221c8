"""The notes of a roll one after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.order import NoteOrder
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.conftest import Hand

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
_NOTE = st.tuples(st.integers(0, 20), st.booleans()).map(
    lambda n: RollNote(n[0] / 4, n[0] / 4 + 0.2, 60, 80, is_behind=n[1])
)


@given(st.lists(st.lists(_NOTE, max_size=8), max_size=3), st.data())
def test_each_note_that_can_be_selected_has_one_place(parts_of: list[list[RollNote]], data: st.DataObject) -> None:
    parts = [RollPart.of(f"part {i}", "prompt", notes) for i, notes in enumerate(parts_of)]
    order = NoteOrder(parts)
    refs = [order.ref(place) for place in range(len(order))]
    free = {
        NoteRef(part.key, i)
        for part, notes in zip(parts, parts_of, strict=True)
        for i, n in enumerate(notes)
        if not n.is_behind
    }
    assert set(refs) == free
    assert len(refs) == len(free)
    assert np.all(np.diff(order.starts) >= 0)
    assert [parts_of[int(ref.part[5:])][ref.index].start for ref in refs] == order.starts.tolist()
    if refs:
        places = data.draw(st.sets(st.integers(0, len(refs) - 1), min_size=1))
        assert order.ends(Selection.of([refs[place] for place in places])) == (min(places), max(places))
    assert order.is_of(parts)
    assert not order.is_of([*parts, RollPart.of("more", "prompt", [])])


@pytest.fixture
def bars(roll: PianoRoll) -> PianoRoll:
    """Three parts with a note on each beat of eight bars; the grid of the fixture has bars of 1.5 s."""
    beats = [i * 0.5 for i in range(24)]
    roll.set_parts(
        [
            RollPart.of(key, "prompt", [RollNote(at, at + 0.4, pitch, 80) for at in beats])
            for key, pitch in (("a", 60), ("b", 64), ("c", 67))
        ]
    )
    return roll


def at(roll: PianoRoll) -> list[tuple[float, str]]:
    return [(roll.note(ref).start, ref.part) for ref in roll.selection.refs]


def test_with_ctrl_the_page_keys_go_from_bar_to_bar_and_home_and_end_to_the_ends(bars: PianoRoll, hand: Hand) -> None:
    for key, seconds, part in (
        (Qt.Key.Key_PageDown, 1.5, "a"),
        (Qt.Key.Key_PageDown, 3.0, "a"),
        (Qt.Key.Key_PageUp, 1.5, "a"),
        (Qt.Key.Key_End, 11.5, "c"),
        (Qt.Key.Key_PageUp, 10.5, "a"),
        (Qt.Key.Key_Home, 0.0, "a"),
        (Qt.Key.Key_PageUp, 0.0, "a"),
    ):
        hand.key(key, CONTROL)
        assert at(bars) == [(seconds, part)], key


def test_with_ctrl_and_shift_the_next_note_is_selected_besides(bars: PianoRoll, hand: Hand) -> None:
    hand.key(Qt.Key.Key_Home, CONTROL)
    for _ in range(4):
        hand.key(Qt.Key.Key_Right, CONTROL | SHIFT)
    assert at(bars) == [(0.0, "a"), (0.5, "a"), (0.0, "b"), (0.5, "b"), (0.0, "c")]
    hand.key(Qt.Key.Key_Left, CONTROL | SHIFT)  # there is none before
    assert len(bars.selection) == 5
    hand.key(Qt.Key.Key_Right, CONTROL)
    assert at(bars) == [(0.5, "c")]


@pytest.mark.parametrize(("key", "start"), [(Qt.Key.Key_Right, 3.0), (Qt.Key.Key_Left, 2.5)])
def test_where_a_note_was_deleted_the_keys_go_on(bars: PianoRoll, hand: Hand, key: Qt.Key, start: float) -> None:
    (whole,) = (part for part in bars.parts if part.key == "a")
    bars.set_parts([whole])
    bars.set_selection([NoteRef("a", 6)])
    bars.delete_selected()
    notes = [bars.note(NoteRef("a", i)) for i in range(len(whole)) if i != 6]
    bars.set_parts([RollPart.of("a", "prompt", [*notes, RollNote(3.0, 3.2, 50, 80)])])  # another is number 6 now
    bars.select(Selection())
    hand.key(key, CONTROL)
    assert at(bars) == [(start, "a")]
    bars.clear_selection()
    bars.set_loop((0.0, 60.0))  # else it could not be scrolled so far
    bars.scroll_to(9.0)
    hand.key(key, CONTROL)
    assert at(bars) == [(9.0, "a")]  # that place is not on view any more
