import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mido import MetaMessage

from core.codec.steps import gridded_steps
from core.errors import UsageError
from core.midi.grid import GRIDS, Grid, default_marker, find_grid, is_gridded, take_end
from core.midi.read import parse_score
from core.midi.score import Score
from core.midi.tempo_map import Metre, TempoMap
from tests.core.midi.builders import END, control, file_of, off, on, raw_file, scale


def at(onsets: list[int], division: int = 480, length: int = 1) -> Score:
    """A score of one note per onset."""
    messages, now = [], 0
    for onset in sorted(onsets):
        messages += [on(60, onset - now), off(60, length)]
        now = onset + length
    return parse_score(file_of(messages, division=division), "x")


@pytest.mark.parametrize("division", [24, 96, 120, 384, 480, 960])
def test_sixteenths_and_triplets_are_gridded(division: int) -> None:
    sixteenths = [n * division // 4 for n in range(32)]
    triplets = [division * 8 + n * division // 3 for n in range(24)]
    assert is_gridded(at(sixteenths, division))
    assert is_gridded(at(sixteenths + triplets, division))


def test_a_few_ornaments_do_not_matter_and_many_do() -> None:
    grid = [n * 120 for n in range(100)]
    assert is_gridded(at([*grid, *(n * 1200 + 37 for n in range(9))]))
    assert not is_gridded(at([*grid, *(n * 1200 + 37 for n in range(10)), *(n * 1200 + 57 for n in range(10))]))


@pytest.mark.parametrize("division", [12, 24, 96, 220, 384, 480, 960, 10_000])
def test_played_music_is_not_gridded(division: int) -> None:
    dice = random.Random(division)
    assert not is_gridded(at(dice.sample(range(division * 200), 150), division))


def test_where_nothing_can_be_told_it_is_not_gridded() -> None:
    assert not is_gridded(at(list(range(0, 80, 2)), 4))
    assert not is_gridded(at([]))
    assert not is_gridded(parse_score(file_of([on(36, 0, 9), off(36, 10, 9)]), "x"))
    assert not is_gridded(parse_score(raw_file(b"\x00\x90\x3c\x50\x60\x3c\x00" + END, division=0xE728), "x"))


def marker_tick(score: Score, tracks: list[int] | None = None) -> int:
    return score.tempo_map.tick(default_marker(score, tracks))


@pytest.mark.parametrize(
    ("end", "marker"),
    [(1500, 1920), (1910, 1920), (1920, 1920), (1930, 1920), (1950, 1920), (1951, 3840), (2000, 3840)],
)
def test_a_gridded_score_goes_on_at_a_bar_line(end: int, marker: int) -> None:
    score = parse_score(file_of([on(60, 0), off(60, 100), on(62, 380), off(62, end - 480)]), "x")
    assert marker_tick(score) == marker


def test_the_metre_counts() -> None:
    waltz = [MetaMessage("time_signature", numerator=3, denominator=4), *scale()]
    assert marker_tick(parse_score(file_of(waltz), "x")) == 2880
    assert default_marker(parse_score(file_of(waltz), "x")) == 3.0


def test_a_played_score_goes_on_where_its_last_note_ends() -> None:
    played = [
        on(60, 17),
        off(60, 333),
        on(62, 51),
        off(62, 300),
        on(64, 77),
        off(64, 333),
        control(64, 0, 900),
    ]
    score = parse_score(file_of([*played, control(64, 0, 900)]), "x")
    assert marker_tick(score) == score.end_tick


def test_only_the_prompts_own_notes_count() -> None:
    drums = [on(36, 5000, 9), off(36, 10, 9)]
    score = parse_score(file_of(scale(), drums, scale(range(40, 60))), "x")
    assert marker_tick(score, [0]) == 1920
    assert marker_tick(score, [0, 1]) == 1920
    assert marker_tick(score) == 5760
    assert default_marker(at([])) == 0.0


def found(score: Score, marker: float | None = None, wanted: str = "auto", start: float | None = None) -> Grid | None:
    return find_grid(score.tempo_map, score.tracks, score.end if marker is None else marker, start, wanted)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ((1,), "1/16"),
        ((2,), "1/16"),
        ((4,), "1/16"),
        ((3,), "1/16t"),
        ((6,), "1/16t"),
        ((4, 3), "1/16+1/16t"),
        ((8,), "1/32"),
        ((8, 6), "1/32+1/16t"),
    ],
)
@pytest.mark.parametrize("division", [96, 120, 384, 480, 960])
def test_the_plainest_grid_that_a_prompt_lies_on(parts: tuple[int, ...], name: str, division: int) -> None:
    onsets = [bar * 4 * division + n * division // part for bar, part in enumerate(parts * 4) for n in range(4 * part)]
    grid = found(at(onsets, division))
    assert grid is not None
    assert grid.name == name
    assert grid.quarter == 0.5


def test_played_prompts_have_no_grid_and_those_of_several_tempi_that_of_the_last() -> None:
    dice = random.Random(1)
    assert found(at(dice.sample(range(480 * 200), 150))) is None
    for division in (4, 12, 16, 24):
        assert found(at(dice.sample(range(division * 200), 150), division)) is None
    notes = scale(range(40, 80))
    slower = [MetaMessage("set_tempo", tempo=600_000, time=4800)]
    again = [MetaMessage("set_tempo", tempo=500_000, time=4800)]
    after = found(parse_score(file_of(notes, slower), "x"))
    assert after is not None
    assert (after.name, after.quarter) == ("1/16", 0.6)
    slowing = [MetaMessage("set_tempo", tempo=500_000 + 20_000 * i, time=480) for i in range(1, 30)]
    assert found(parse_score(file_of(notes, slowing), "x")) is None  # as one that follows a performance
    ritardando = [MetaMessage("set_tempo", tempo=500_000 + 50_000 * i, time=240 + 7200 * (i == 1)) for i in range(1, 6)]
    slow = found(parse_score(file_of(notes, ritardando), "x"))
    assert slow is not None
    assert slow.quarter == 0.75
    assert found(parse_score(file_of(notes, again), "x")) == found(parse_score(file_of(notes), "x"))
    both = parse_score(file_of(notes, slower), "x")
    assert found(both, marker=5.0) is not None  # the tempo changes there
    late = found(both, start=5.0)
    assert late is not None
    assert late.quarter == 0.6
    assert found(at([])) is None
    assert found(parse_score(raw_file(b"\x00\x90\x3c\x50\x60\x3c\x00" + END, division=0xE728), "x")) is None


def test_only_the_prompts_own_part_tells() -> None:
    dice = random.Random(2)
    score = at([*(n * 120 for n in range(64)), *(7680 + n for n in dice.sample(range(7680), 60))])
    assert found(score, marker=8.0) is not None
    assert found(score) is None
    assert found(score, start=8.0) is None


@given(st.integers(100_000, 2_000_000), st.sampled_from([96, 120, 480, 960]), st.integers(0, 20_000))
@example(267_549, 96, 13_344)  # whose seconds come out a hair before the quarter
def test_a_line_of_the_grid_is_a_quarter_of_the_score(tempo: int, division: int, marker_tick: int) -> None:
    messages = [MetaMessage("set_tempo", tempo=tempo), *scale()]
    score = parse_score(file_of(messages, division=division), "x")
    for wanted in ("1/16", "1/4", "1/8t"):
        grid = found(score, score.tempo_map.seconds(marker_tick), wanted)
        assert grid is not None
        assert grid.quarter == tempo / 1e6
        quarters = grid.line / grid.quarter
        assert quarters == pytest.approx(marker_tick // division, abs=1e-6)


@pytest.mark.parametrize(("tempo", "there_is_one"), [(200_000, True), (20_000, True), (19_000, False), (1, False)])
def test_lines_closer_than_the_codec_can_tell_are_no_grid(tempo: int, there_is_one: bool) -> None:
    """A take would be sampled at thousands of steps a second, and hardly get on."""
    score = parse_score(file_of([MetaMessage("set_tempo", tempo=tempo), *scale()]), "x")
    for wanted in ("auto", "1/16", "1/4"):
        assert (found(score, wanted=wanted) is not None) == there_is_one


def test_what_is_asked_for_is_taken_at_its_word() -> None:
    dice = random.Random(3)
    played = at(dice.sample(range(480 * 200), 150))
    assert found(at([n * 120 for n in range(20)]), wanted="off") is None
    grids = [found(played, wanted=wanted) for wanted in GRIDS]
    assert [grid.name for grid in grids if grid] == list(GRIDS)
    smpte = parse_score(raw_file(b"\x00\x90\x3c\x50\x60\x3c\x00" + END, division=0xE728), "x")
    grid = found(smpte, wanted="1/8")
    assert grid is not None
    assert grid.quarter == pytest.approx(0.5)
    with pytest.raises(UsageError, match="1/16t"):
        found(played, wanted="1/5")


def test_a_take_ends_on_the_bar_line_nearest_to_eight_bars() -> None:
    four = TempoMap(480, (), (Metre(0, 4, 4), Metre(9 * 1920, 3, 4)))
    assert take_end(four, 1920) == 9 * 1920
    assert take_end(four, 1930) == 9 * 1920
    assert take_end(four, 2 * 1920 - 10) == 9 * 1920 + 1440
    assert take_end(four, 0, bars=2) == 2 * 1920
    assert take_end(TempoMap(480), 0) is None


def test_the_default_marker_lies_after_the_last_onset_also_where_that_is_short_and_on_a_bar_line() -> None:
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    short = [message for i in range(9) for message in (on(60, 210 if i else 0), off(60, 30))]
    score = parse_score(file_of([metre], short), "x")
    assert score.tempo_map.tick(default_marker(score)) == 3840  # eight quavers, and the ninth on the next bar line


def test_the_steps_of_a_take_follow_the_tempo_from_the_marker_on() -> None:
    tempi = [MetaMessage("set_tempo", tempo=500_000), MetaMessage("set_tempo", tempo=600_000, time=1920)]
    tempi.append(MetaMessage("set_tempo", tempo=300_000, time=960))
    score = parse_score(file_of(tempi, scale()), "x")
    grid = find_grid(score.tempo_map, score.tracks, 2.0)
    assert grid is not None
    steps = gridded_steps(grid, 2.0)
    quarter = len(steps.lines)
    places = [0, 0.25, 1, 2, 2.5, 4]
    expected = [score.tempo_map.seconds(1920 + round(480 * place)) - 2.0 for place in places]
    assert [steps.seconds(round(place * quarter)) for place in places] == pytest.approx(expected, abs=1e-9)
