import io

import numpy as np
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.tempo_map import Metre, Tempo, TempoMap
from tests.core.midi.builders import file_of

tempos = st.lists(st.builds(Tempo, st.integers(0, 200_000), st.integers(20_000, 0xFFFFFF)), max_size=8)
metres = st.lists(
    st.builds(Metre, st.integers(0, 50_000), st.integers(1, 15), st.sampled_from([1, 2, 4, 8, 16, 64])),
    max_size=5,
)
divisions = st.one_of(
    st.integers(1, 0x7FFF),
    st.builds(
        lambda frames, ticks: (256 - frames) << 8 | ticks,
        st.sampled_from([24, 25, 29, 30]),
        st.integers(1, 255),
    ),
)
maps = st.builds(lambda d, t, m: TempoMap(d, tuple(t), tuple(m)), divisions, tempos, metres)


@given(maps, st.lists(st.integers(0, 10_000_000), min_size=1))
def test_a_tick_comes_back_from_seconds(tempo_map: TempoMap, ticks: list[int]) -> None:
    assert [tempo_map.tick(tempo_map.seconds(tick)) for tick in ticks] == ticks
    seconds = tempo_map.seconds_array(ticks)
    assert seconds.tolist() == [tempo_map.seconds(tick) for tick in ticks]
    assert tempo_map.ticks_array(seconds).tolist() == ticks


@given(maps, st.integers(0, 1_000_000), st.integers(1, 1000))
def test_time_runs_forward(tempo_map: TempoMap, tick: int, more: int) -> None:
    assert tempo_map.seconds(tick) < tempo_map.seconds(tick + more)


@given(maps, st.integers(0, 100_000))
def test_bars_and_ticks_agree(tempo_map: TempoMap, tick: int) -> None:
    bar, beat = tempo_map.bar_beat(tick)
    start, after = tempo_map.bar_tick(bar), tempo_map.bar_tick(bar + 1)
    assert start <= tick < after
    assert beat >= 0
    assert tempo_map.bar_beat(start) == (bar, 0.0)
    assert tempo_map.next_bar_tick(start) == start
    assert tempo_map.next_bar_tick(start + 1) == after


def test_default_is_120_bpm_in_four() -> None:
    tempo_map = TempoMap(480)
    assert tempo_map.seconds(960) == 1.0
    assert tempo_map.bar_tick(2) == 3840
    assert not tempo_map.has_metre
    assert tempo_map.tempo_at(5) == 500_000
    assert tempo_map.metre_at(5)[1:] == (4, 4)


def test_tempo_holds_past_the_last_change() -> None:
    tempo_map = TempoMap(100, (Tempo(100, 1_000_000), Tempo(300, 250_000)))
    assert tempo_map.seconds(100) == 0.5
    assert tempo_map.seconds(300) == 2.5
    assert tempo_map.seconds(100_300) == 252.5
    assert tempo_map.tick(252.5) == 100_300
    assert tempo_map.tempo_at(299) == 1_000_000
    assert tempo_map.tick(-1.0) == 0


@pytest.mark.parametrize(("frames", "rate"), [(24, 24.0), (25, 25.0), (29, 30_000 / 1001), (30, 30.0)])
def test_smpte_ticks_ignore_the_tempo(frames: int, rate: float) -> None:
    tempo_map = TempoMap((256 - frames) << 8 | 40, (Tempo(0, 1_000_000),))
    assert tempo_map.is_smpte
    assert tempo_map.seconds(400) == pytest.approx(10 / rate)


def test_the_later_of_two_tempos_at_one_tick_counts() -> None:
    assert TempoMap(480, (Tempo(0, 1), Tempo(0, 600_000))).tempos == (Tempo(0, 600_000),)


def test_bar_lines_follow_the_metre() -> None:
    tempo_map = TempoMap(480, (), (Metre(0, 3, 4), Metre(1440, 6, 8), Metre(3000, 2, 4), Metre(3960, 2, 4)))
    # The 2/4 cuts a 6/8 bar short; stated again it changes nothing.
    assert [tempo_map.bar_tick(bar) for bar in range(6)] == [0, 1440, 2880, 3000, 3960, 4920]
    assert tempo_map.bar_beat(1440 + 240) == (1, 1.0)


def test_a_bar_that_is_no_whole_number_of_ticks_does_not_drift() -> None:
    tempo_map = TempoMap(15, (), (Metre(0, 7, 8),))  # 52.5 ticks
    assert [tempo_map.bar_tick(n) for n in range(4)] == [0, 53, 105, 158]


@pytest.mark.parametrize("division", [0, 0x10000, 0xE700])
def test_an_impossible_division_is_refused(division: int) -> None:
    with pytest.raises(ValueError, match="division"):
        TempoMap(division)


@given(st.integers(1, 960), tempos, st.lists(st.integers(0, 300_000), min_size=1, max_size=20))
def test_pretty_midi_tells_the_same_time(division: int, changes: list[Tempo], ticks: list[int]) -> None:
    import mido

    tempo_map = TempoMap(division, tuple(changes))
    track, last = [], 0
    for tempo in tempo_map.tempos:
        track.append(mido.MetaMessage("set_tempo", tempo=tempo[1], time=tempo.tick - last))
        last = tempo.tick
    track.append(mido.Message("note_on", note=60, time=max(0, max(ticks) - last)))
    track.append(mido.Message("note_off", note=60, time=1))
    other = pretty_midi.PrettyMIDI(io.BytesIO(file_of(track, division=division)))
    theirs = [other.tick_to_time(tick) for tick in ticks]
    assert np.allclose(theirs, tempo_map.seconds_array(ticks), rtol=1e-9, atol=1e-9)
