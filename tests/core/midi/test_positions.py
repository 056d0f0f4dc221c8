"""Where in its bar a place is told to be: what all but lies on a beat is on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.tempo_map import Metre, Tempo, TempoMap

MAP = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 4, 4), Metre(8 * 1920, 7, 8), Metre(8 * 1920 + 1000, 3, 4)))
TICKS = st.integers(0, 20_000)


@pytest.mark.parametrize(
    ("tick", "place"),
    [
        (0, (0, 0.0)),
        (1919, (1, 0.0)),  # a note that ends a tick before the bar
        (1911, (1, 0.0)),
        (1900, (0, 1900 / 480)),
        (1925, (1, 0.0)),
        (2399, (1, 1.0)),
        (2160, (1, 0.5)),
        (8 * 1920 - 3, (8, 0.0)),
        (8 * 1920 + 237, (8, 1.0)),
        (8 * 1920 + 998, (9, 0.0)),  # of a bar that is cut short
    ],
)
def test_places_beside_a_beat_are_on_it(tick: int, place: tuple[int, float]) -> None:
    assert MAP.bar_beat_read(tick) == pytest.approx(place)


@pytest.mark.parametrize("division", [1, 2, 4])
def test_where_a_beat_has_few_ticks_each_is_told_as_it_is(division: int) -> None:
    tempo_map = TempoMap(division, (), ())
    assert [tempo_map.bar_beat_read(tick) for tick in range(20)] == [tempo_map.bar_beat(tick) for tick in range(20)]


@given(TICKS, st.sampled_from([24, 96, 480, 960]))
def test_it_is_never_far_from_where_it_is(tick: int, division: int) -> None:
    tempo_map = TempoMap(division, (), (Metre(0, 3, 4),))
    (bar, beat), (told, its_beat) = tempo_map.bar_beat(tick), tempo_map.bar_beat_read(tick)
    assert told * 3 + its_beat == pytest.approx(bar * 3 + beat, abs=max(0.02, 1 / division) + 1e-9)
    assert 0 <= its_beat < 3
