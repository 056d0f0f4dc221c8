"""Steps of 10 ms, and steps scaled to the grid of a metre."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.codec.events import LONG_REST, Conventions, decode, encode_prompt
from core.codec.steps import PLAIN, gridded_steps
from core.codec.vocabulary import shift_steps
from core.midi.grid import GRIDS, Grid
from tests.core.codec.scores import note, track

grids = st.builds(
    Grid,
    quarter=st.integers(150_000, 2_000_000).map(lambda tempo: tempo / 1e6),
    line=st.floats(0, 300),
    parts=st.sampled_from([(count,) for count in GRIDS.values()] + [(4, 6), (8, 6)]),
)


def test_plain_steps_last_10_ms_and_are_all_lines() -> None:
    assert [PLAIN.seconds(step) for step in (0, 1, 150)] == [0.0, 0.01, 1.5]
    assert [PLAIN.span(seconds) for seconds in (0.001, 0.3, 1.0)] == [1, 30, 100]
    assert [PLAIN.to_line(7), PLAIN.since_line(7)] == [0, 0]


@given(grids, st.floats(0, 600))
def test_every_line_from_the_marker_on_is_a_step_and_no_other_step_is_a_line(grid: Grid, marker: float) -> None:
    steps = gridded_steps(grid, marker)
    assert 0 <= steps.offset < 1 / steps.rate
    for step in range(2 * len(steps.lines)):
        quarters = (marker + steps.seconds(step) - grid.line) / grid.quarter
        off = min(abs(quarters * count - round(quarters * count)) / count for count in grid.parts)
        assert (off * grid.quarter < 1e-6) == (steps.to_line(step) == 0)
        assert steps.to_line(step + steps.to_line(step)) == 0
        assert steps.since_line(step + len(steps.lines) - steps.since_line(step)) == 0


@given(grids)
def test_time_is_scaled_as_little_as_sixteenths_or_their_triplets_allow(grid: Grid) -> None:
    steps = gridded_steps(grid, grid.line)
    quarter = len(steps.lines)
    assert steps.rate * grid.quarter == pytest.approx(quarter)
    divisor = math.lcm(4, *grid.parts)
    assert quarter % divisor == 0
    assert abs(quarter - grid.quarter * 100) <= divisor / 2 + 1e-9 or quarter == divisor
    assert steps.to_line(0) == 0


@given(
    st.integers(150_000, 2_000_000),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 16), st.integers(40, 80)), min_size=1, max_size=60),
    st.integers(0, 20),
    st.booleans(),
)
def test_gridded_onsets_become_whole_steps_and_come_back_exactly(
    tempo: int, drawn: list[tuple[int, int, int]], rest: int, triplets: bool
) -> None:
    quarter = tempo / 1e6
    unit = quarter / (12 if triplets else 4)
    played = track([note(pitch, at * unit, (at + length) * unit) for at, length, pitch in drawn])
    marker = (max(at for at, _, _ in drawn) + 1 + rest) * unit
    grid = Grid(quarter, 0.0, (4, 6) if triplets else (4,))
    onsets = sorted(at * unit for at, _, _ in drawn)
    assume(all(after - before < LONG_REST for before, after in pairwise([*onsets, marker])))
    prompt = encode_prompt([played], marker, Conventions(), grid=grid)
    length = sum(map(shift_steps, prompt.events))
    first = min(at for at, _, _ in drawn) * unit
    assert prompt.steps.seconds(0) * prompt.steps.rate < 1
    assert length == pytest.approx((marker + prompt.steps.offset - first) * prompt.steps.rate, abs=1e-6)
    # Heard at the prompt's own rate, every note begins where it was written.
    onsets = {(round(n.start * 100), n.pitch) for n in decode(prompt.events)}
    expected = {(round((at * unit - first) * prompt.steps.rate), pitch) for at, _, pitch in drawn}
    assert onsets == expected


def test_a_sixteenth_at_120_bpm_is_twelve_steps() -> None:
    played = track([note(60 + n % 5, n * 0.125, n * 0.125 + 0.1) for n in range(32)])
    plain = encode_prompt([played], 4.0, Conventions())
    gridded = encode_prompt([played], 4.0, Conventions(), grid=Grid(0.5, 0.0, (4,)))
    assert gridded.steps.rate == 96
    onsets = [round(n.start * 100) for n in decode(gridded.events)]
    assert {b - a for a, b in pairwise(onsets)} == {12}
    assert {b - a for a, b in pairwise([round(n.start * 100) for n in decode(plain.events)])} == {12, 13}


def test_a_marker_off_the_grid_keeps_the_grid_where_it_is() -> None:
    played = track([note(60, n * 0.5, n * 0.5 + 0.4) for n in range(8)])
    prompt = encode_prompt([played], 4.03, Conventions(), grid=Grid(0.5, 0.0, (4,)))
    steps = prompt.steps
    line = 4.03 + steps.seconds(steps.to_line(0))
    assert line == pytest.approx(4.125)
    assert 4.03 + steps.seconds(steps.to_line(0) + 12) == pytest.approx(4.25)
    assert len(decode(prompt.events)) == 8
