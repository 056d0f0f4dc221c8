import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec import vocabulary as v


def test_the_ids_are_those_of_the_literature() -> None:
    assert (v.NOTE_ON.first, v.NOTE_OFF.first, v.TIME_SHIFT.first, v.VELOCITY.first) == (0, 128, 256, 356)
    assert (v.VELOCITY.end, v.BOUNDARY, v.PADDING, v.VOCABULARY_SIZE) == (388, 388, 389, 390)
    assert (v.SUFFIX, v.END, v.MIDDLE.first, v.MODE.first, v.SYMBOLS_SIZE) == (390, 391, 392, 424, 462)
    assert v.note_on(60) == 60
    assert v.note_off(60) == 188
    assert v.time_shift(1) == 256
    assert v.time_shift(100) == 355
    assert v.velocity(0) == 356
    assert v.velocity(31) == 387


def test_the_ids_are_shared_out_without_gap_or_overlap() -> None:
    words = [v.describe(event) for event in range(v.SYMBOLS_SIZE)]
    assert len(set(words)) == v.SYMBOLS_SIZE
    assert v.describe(462) == "unknown event 462"
    assert [v.shift_steps(event) for event in (255, 256, 355, 356)] == [0, 1, 100, 0]


@given(st.integers(1, 127))
def test_a_velocity_comes_back_within_its_bin_and_never_as_a_note_off(velocity: int) -> None:
    back = v.from_bin(v.to_bin(velocity))
    assert back >= 1
    assert abs(back - velocity) <= 2
    assert v.to_bin(back) == v.to_bin(velocity)


@pytest.mark.parametrize(("seconds", "step"), [(0.0, 0), (0.0049, 0), (0.005, 1), (0.125, 13), (3600.004, 360000)])
def test_times_go_to_the_nearest_step(seconds: float, step: int) -> None:
    assert v.to_step(seconds) == step


def test_longer_middles_have_higher_ids() -> None:
    ids = [v.middle(0.1 * i) for i in range(1, 1200)]
    assert ids == sorted(ids)
    assert set(ids) == set(range(v.MIDDLE.first, v.MIDDLE.end))
    assert v.middle(4.0) == v.middle(4.2) < v.middle(4.6)


@pytest.mark.parametrize("kind", v.ATTRIBUTES)
def test_every_bin_of_an_attribute_can_be_reached_and_no_id_beside_them(kind: v.Kind) -> None:
    values = (0, 1) if kind in (v.MODE, v.ORIGIN) else [i / 10 for i in range(1280)]
    assert {v.attribute(kind, value) for value in values} == set(range(kind.first, kind.end))
