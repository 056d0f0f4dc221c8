"""What music is like in numbers: one piano's notes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import decode, encode_grid, grid_notes
from core.midi.score import TakeNote
from core.midi.statistics import density, music, polyphony
from tests.core.codec.scores import note, track

_STEPS = st.tuples(st.integers(60, 63), st.integers(0, 200), st.integers(1, 200), st.integers(1, 127))


@given(st.lists(_STEPS, max_size=40))
def test_notes_are_those_that_a_take_of_them_would_have(rows: list[tuple[int, int, int, int]]) -> None:
    notes = [note(pitch, start / 100, (start + length) / 100, velocity) for pitch, start, length, velocity in rows]
    ours, takes = (music(some, 10.0) for some in (notes, decode(encode_grid(grid_notes([track(notes)])))))
    assert ours.pitch.tolist() == takes.pitch.tolist()
    assert ours.start == pytest.approx(takes.start)
    assert ours.end == pytest.approx(takes.end)
    assert (abs(ours.velocity - takes.velocity) <= 2).all()


def test_a_pitch_that_a_pedal_holds_sounds_once_however_often_it_is_struck() -> None:
    held = music([TakeNote(60, 80, float(second), 5.0) for second in range(5)], 5.0)
    assert polyphony(held) == 1.0
    assert density(held) == 1.0
    assert held.end.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_note_that_two_tracks_have_is_one() -> None:
    both = music([TakeNote(60, 80, 0.0, 1.0), TakeNote(60, 50, 0.0, 2.0), TakeNote(64, 50, 0.0, 1.0)], 2.0)
    assert (both.pitch.tolist(), both.velocity.tolist(), both.end.tolist()) == ([60, 64], [80, 50], [2.0, 1.0])
    assert polyphony(both) == 1.5
