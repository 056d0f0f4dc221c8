"""The drums' pattern is found and goes on, on the tick grid, fills at their place."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.midi.tempo_map import Metre, Tempo, TempoMap
from core.tracks.drums import find_pattern, is_drums_alone, repeat_drums
from tests.core.tracks.songs import Row, drums, track

FOUR = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 4, 4),))
BAR = 4 * 480
A: list[Row] = [(0, 0.125, 36, 100), (1, 0.125, 38, 90), (2, 0.125, 36, 95), (3, 0.125, 38, 90), (0.5, 0.125, 42, 60)]
B: list[Row] = [(0, 0.125, 36, 100), (1.5, 0.125, 40, 90), (2.5, 0.125, 36, 95), (3.5, 0.125, 46, 70)]
FILL: list[Row] = [(k / 4, 0.125, 50 - k % 3, 110) for k in range(16)]


def bars(*patterns: Sequence[Row]) -> list[Row]:
    return [(4 * i + beat, *rest) for i, pattern in enumerate(patterns) for beat, *rest in pattern]  # type: ignore[misc]


def repeated(patterns: Sequence[Sequence[Row]], more: int) -> list[Row]:
    """What is played in `more` bars behind the patterns, in beats from the first of those bars."""
    kit = drums(bars(*patterns), FOUR)
    marker = len(patterns) * BAR
    found = repeat_drums([kit], FOUR, marker, marker + more * BAR)
    return sorted(
        ((n.start_tick - marker) / 480, (n.end_tick - n.start_tick) / 480, n.pitch, n.velocity) for _, n in found
    )


@pytest.mark.parametrize(
    ("played", "then"),
    [
        ([A, A, A, A], [A, A, A]),
        ([A, B, A, B], [A, B, A]),
        ([A, A, B, B] * 2, [A, A, B, B]),
        ([A, A, A, FILL] * 2, [A, A, A, FILL, A]),
        ([A] * 7 + [FILL], [A] * 7 + [FILL, A]),
        ([A, B, A, FILL] * 4 + [A, B], [A, FILL, A, B]),
        ([A], [A, A]),
        ([A, B], [A, B]),
        # The last bar of a song, one stroke, is no pattern.
        ([A] * 12 + [A[:1]], [A, A]),
    ],
)
def test_the_pattern_goes_on_with_its_fills(played: list[list[Row]], then: list[list[Row]]) -> None:
    assert repeated(played, len(then)) == sorted(bars(*then))


def test_a_fill_stands_in_its_phrase_in_a_long_song() -> None:
    played = ([A] * 7 + [FILL]) * 9 + [A] * 3
    assert repeated(played, 6) == sorted(bars(A, A, A, A, FILL, A))


def test_the_songs_own_drums_play_on_first() -> None:
    kit = drums(bars(*[A] * 6), FOUR)
    found = repeat_drums([kit], FOUR, 2 * BAR, 8 * BAR)
    assert min(n.start_tick for _, n in found) == 6 * BAR
    assert repeat_drums([kit], FOUR, 2 * BAR, 6 * BAR) == []


def test_drums_that_stopped_long_ago_stay_silent_and_other_tracks_are_no_drums() -> None:
    kit = drums(bars(*[A] * 4), FOUR)
    assert repeat_drums([kit], FOUR, 12 * BAR, 16 * BAR) == []
    piano = track(bars(*[A] * 4), FOUR)
    assert repeat_drums([piano], FOUR, 4 * BAR, 8 * BAR) == []
    assert is_drums_alone([kit])
    assert not is_drums_alone([kit, piano])
    assert not is_drums_alone([])


def test_a_take_from_within_a_bar_joins_the_pattern_there() -> None:
    kit = drums(bars(*[A] * 4), FOUR)
    found = repeat_drums([kit], FOUR, 4 * BAR + 960, 5 * BAR)
    assert [(n.start_tick - 4 * BAR, n.pitch) for _, n in found] == [(960, 36), (1440, 38)]


def test_hits_that_are_played_a_little_early_belong_to_the_bar_line_behind_them() -> None:
    """All is played early, the strokes on the bar lines too: none of them is lost, nor played twice."""
    early = [(max(beat - 0.03, 0.0), *rest) for beat, *rest in bars(*[A] * 8)]
    kit = drums(early, FOUR)  # type: ignore[arg-type]
    found = [(n.start_tick - 8 * BAR, n.pitch) for _, n in repeat_drums([kit], FOUR, 8 * BAR, 10 * BAR)]
    one = [(tick - 14, pitch) for tick, pitch in ((240, 42), (480, 38), (960, 36), (1440, 38), (1920, 36))]
    assert found == [(0, 36), *one, *((tick + BAR, pitch) for tick, pitch in one[:-1])]


@pytest.mark.parametrize("bar", [8, 9])
def test_where_drums_stop_within_a_bar_their_pattern_goes_on_there(bar: int) -> None:
    """A last stroke of the bass drum and a cymbal in bar nine; the take begins there, or behind it."""
    kit = drums(bars(*[A] * 8, [A[0], (0, 4, 49, 100)]), FOUR)
    found = [(n.start_tick - 8 * BAR, n.pitch) for _, n in repeat_drums([kit], FOUR, bar * BAR, 10 * BAR)]
    one = [(0, 36), (240, 42), (480, 38), (960, 36), (1440, 38)]
    assert found == [*(one[1:] if bar == 8 else []), *((tick + BAR, pitch) for tick, pitch in one)]


@given(
    pattern=st.lists(st.tuples(st.integers(0, 1879), st.integers(1, 300), st.integers(35, 60)), min_size=1, max_size=8),
    tempos=st.lists(st.tuples(st.integers(0, 20 * BAR), st.integers(200_000, 1_500_000)), max_size=6),
    marker=st.integers(0, 6 * BAR),
    length=st.integers(1, 9 * BAR),
)
@example(pattern=[(0, 1, 35), (1860, 1, 35)], tempos=[], marker=0, length=7681)
def test_repeats_stand_on_the_same_ticks_whatever_the_tempo(
    pattern: list[tuple[int, int, int]], tempos: list[tuple[int, int]], marker: int, length: int
) -> None:
    tempo_map = TempoMap(480, tuple(Tempo(*t) for t in tempos), (Metre(0, 4, 4),))
    unique = {(tick, pitch): size for tick, size, pitch in pattern}
    rows: list[Row] = [
        (4 * bar + tick / 480, size / 480, pitch, 90) for bar in range(4) for (tick, pitch), size in unique.items()
    ]
    end = marker + length
    found = repeat_drums([drums(rows, tempo_map)], tempo_map, marker, end)
    expected = sorted(
        (bar * BAR + tick, pitch) for bar in range(4, 20) for tick, pitch in unique if marker <= bar * BAR + tick < end
    )
    assert sorted((n.start_tick, n.pitch) for _, n in found) == expected
    for _, note in found:
        assert note.start_tick < note.end_tick <= end
        assert note.start == tempo_map.seconds(note.start_tick)
        assert note.end == tempo_map.seconds(note.end_tick)


def test_bars_of_another_metre_take_what_fits() -> None:
    changing = TempoMap(480, (), (Metre(0, 4, 4), Metre(4 * BAR, 3, 4)))
    kit = drums(bars(*[A] * 4), changing)
    found = repeat_drums([kit], changing, 4 * BAR, 4 * BAR + 2 * 1440)
    assert [(n.start_tick - 4 * BAR) // 240 for _, n in found] == [0, 1, 2, 4, 6, 7, 8, 10]


def test_find_pattern_has_none_without_hits() -> None:
    assert find_pattern([drums([], FOUR)], FOUR) is None
