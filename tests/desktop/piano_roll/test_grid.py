from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll.grid import BAR, BEAT, PART, GridLines, Snap

WALTZ = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 3, 4),))  # a bar is 1.5 s
BREATHING = TempoMap(
    480, tuple(Tempo(i * 480, 500_000 + (i * 7919 % 13) * 12_000) for i in range(200)), (Metre(0, 4, 4),)
)


def test_bars_beats_and_parts_at_a_near_zoom() -> None:
    lines = GridLines(WALTZ).lines(0, 3, 200)
    assert [line.seconds for line in lines if line.strength == BAR] == pytest.approx([0, 1.5])
    assert [line.seconds for line in lines if line.strength == BEAT] == pytest.approx([0.5, 1, 2, 2.5])
    assert {line.strength for line in lines} == {BAR, BEAT, PART}
    assert [line.label for line in lines if line.label] == ["1", "1.2", "1.3", "2", "2.2", "2.3"]


def test_what_is_snapped_to_is_drawn_as_far_as_there_is_room() -> None:
    snaps: dict[Snap, float] = {"1/16": 0.125, "1/8t": 1 / 6, "1/32": 0.0625}
    for snap, seconds in snaps.items():
        grid = GridLines(WALTZ, snap)
        drawn = [line.seconds for line in grid.lines(0, 0.4, 100)]
        assert drawn[1] == pytest.approx(seconds, abs=0.002)
    assert GridLines(WALTZ, "1/32").lines(0, 0.4, 80)[1].seconds == pytest.approx(0.125)  # no room for them


def test_far_out_only_some_bars() -> None:
    lines = GridLines(WALTZ).lines(0, 600, 2)
    assert {line.strength for line in lines} == {BAR}
    labels = [int(line.label) - 1 for line in lines if line.label]
    assert labels == list(range(0, 400, 32))


@given(st.floats(0, 90), st.floats(0.1, 40), st.floats(0.5, 4000), st.sampled_from([WALTZ, BREATHING, TempoMap()]))
def test_labels_never_touch(start: float, span: float, pixels_per_second: float, tempo_map: TempoMap) -> None:
    lines = GridLines(tempo_map).lines(start, start + min(span, 3000 / pixels_per_second), pixels_per_second)
    assert [line.seconds for line in lines] == sorted(line.seconds for line in lines)
    places = [line.seconds * pixels_per_second for line in lines if line.label]
    assert all(after - before >= 30 for before, after in pairwise(places))


@given(st.integers(0, 50), st.floats(2, 1000))
def test_neighbouring_tiles_agree(tile: int, pixels_per_second: float) -> None:
    grid = GridLines(BREATHING)
    edges = [(tile + i) * 512 / pixels_per_second for i in range(3)]
    whole = GridLines(BREATHING).lines(edges[0], edges[2], pixels_per_second)
    assert (
        grid.lines(edges[0], edges[1], pixels_per_second) + grid.lines(edges[1], edges[2], pixels_per_second) == whole
    )


def test_seconds_without_a_metre() -> None:
    labels = [line.label for line in GridLines(TempoMap()).lines(0, 130, 4) if line.label]
    assert labels == ["0 s", "15 s", "30 s", "45 s", "1:00", "1:15", "1:30", "1:45", "2:00"]
    fine = [line.label for line in GridLines(TempoMap()).lines(60, 60.3, 1000) if line.label]
    assert fine == ["1:00.0", "1:00.1", "1:00.2"]


def test_a_file_of_bars_without_length_still_draws() -> None:
    hurried = TempoMap(480, (Tempo(0, 1),), (Metre(0, 1, 16),))
    assert len(GridLines(hurried).lines(0, 3000, 0.5)) < 300


@pytest.mark.parametrize(("seconds", "bar"), [(0.0, 0.0), (0.7, 0.0), (0.8, 1.5), (3.1, 3.0), (4.4, 4.5)])
def test_nearest_bar(seconds: float, bar: float) -> None:
    assert GridLines(WALTZ).nearest_bar(seconds) == pytest.approx(bar)


@pytest.mark.parametrize(
    ("seconds", "step", "bar"), [(1.5, 1, 3.0), (1.5, -1, 0.0), (1.6, -1, 1.5), (0.0, -1, 0.0), (1.4, 1, 1.5)]
)
def test_neighbouring_bar(seconds: float, step: int, bar: float) -> None:
    assert GridLines(WALTZ).neighbour_bar(seconds, step) == pytest.approx(bar)


@pytest.mark.parametrize(
    ("snap", "lines"),
    [
        ("bar", (0.0, 1.5)),
        ("1/2", (0.0, 1.0)),
        ("1/4", (0.0, 0.5)),
        ("1/64", (0.5, 0.53125)),
        ("1/8t", (0.5, 0.5 + 1 / 6)),
        ("1/8d", (0.375, 0.75)),
    ],
)
def test_what_is_snapped_to_is_a_choice(snap: Snap, lines: tuple[float, float]) -> None:
    grid = GridLines(TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 3, 4),)), snap)
    before, after = lines
    low, high = before + 0.4 * (after - before), before + 0.6 * (after - before)
    assert grid.nearest_line(low) == pytest.approx(before, abs=0.001)
    assert grid.nearest_line(high) == pytest.approx(after, abs=0.001)
    assert grid.line_before(high) == pytest.approx(before, abs=0.001)
    assert grid.step(before) == pytest.approx(after - before, abs=0.002)
    drawn = [line.seconds for line in grid.lines(0, 1.6, 800)]
    assert any(abs(seconds - after) < 0.002 for seconds in drawn)


def test_without_snapping_a_time_stays_and_adaptive_follows_the_zoom() -> None:
    tempo_map = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 4, 4),))
    assert GridLines(tempo_map, "off").nearest_line(0.1234) == 0.1234
    far, near = GridLines(tempo_map, "adaptive", 20), GridLines(tempo_map, "adaptive", 4000)
    assert far.step(0.0) > GridLines(tempo_map).step(0.0) > near.step(0.0)
    assert near.step(0.0) == pytest.approx(0.5 / 16, abs=0.001)
