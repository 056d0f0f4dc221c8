"""Flat prompts: kept flat, or given a human touch."""

from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Prompt
from core.codec.steps import PLAIN, gridded_steps
from core.codec.vocabulary import VELOCITY, from_bin, to_bin
from core.errors import UsageError
from core.generation.dynamics import DYNAMICS, Loudness
from core.generation.options import Options, Sampling
from core.midi.grid import Grid
from tests.core.generation.test_continuation import PROMPT, continued

SIXTEENTHS = gridded_steps(Grid(0.5, 0.0, (4,)), 0.0)  # twelve steps each
WILD = Sampling(temperature=3.0, top_p=1.0)


def prompt_at(*levels: int) -> Prompt:
    events = [e for level in levels for e in (VELOCITY.first + to_bin(level), 60, 300, 188)]
    return replace(PROMPT, events=tuple(events), velocity=levels[0], levels=tuple(sorted(levels)))


@given(st.lists(st.integers(1, 127), min_size=1, max_size=3, unique_by=to_bin), st.integers(0, 1000))
def test_a_flat_prompt_is_continued_at_its_very_velocities(levels: list[int], seed: int) -> None:
    for dynamics in ("auto", "flat"):
        options = Options(WILD, seed=seed, seconds=5.0, dynamics=dynamics)
        (take,) = continued(options, prompt=prompt_at(*levels))
        assert {n.velocity for n in take.notes} <= set(levels)


def test_a_played_prompt_goes_on_as_the_model_plays_unless_flat_is_asked_for() -> None:
    prompt = replace(PROMPT, velocity=71)
    takes = {name: continued(Options(WILD, seed=3, seconds=20.0, dynamics=name), prompt=prompt)[0] for name in DYNAMICS}
    assert len({n.velocity for n in takes["auto"].notes}) > 5
    assert takes["human"].notes == takes["auto"].notes
    assert {n.velocity for n in takes["flat"].notes} == {71}


@given(st.integers(1, 127), st.integers(0, 1 << 62), st.sampled_from([PLAIN, SIXTEENTHS]))
def test_a_human_touch_is_gentle_seeded_and_never_out_of_range(level: int, seed: int, steps) -> None:
    prompt = replace(prompt_at(level), steps=steps)
    loudness, again, other = (Loudness("human", prompt, s) for s in (seed, seed, seed + 1))
    asked = from_bin(to_bin(level))
    played = [loudness(step, 60 + step % 9, asked) for step in range(0, 3000, 6)]
    assert played == [again(step, 60 + step % 9, asked) for step in range(0, 3000, 6)]
    assert all(max(1, level - 13) <= velocity <= min(127, level + 13) for velocity in played)
    if 20 <= level <= 107:
        assert len(set(played)) > 8
        assert played != [other(step, 60 + step % 9, asked) for step in range(0, 3000, 6)]


def test_beats_are_louder_than_what_lies_between() -> None:
    loudness = Loudness("human", replace(prompt_at(80), steps=SIXTEENTHS), 5)
    places = [fmean(loudness(step, 60, 82) for step in range(first, 48_000, 48)) for first in (0, 12, 24, 36)]
    assert places[0] > places[2] + 2 > places[1] + 4
    assert places[1] == pytest.approx(places[3], abs=1)


def test_the_models_events_are_the_same_whatever_is_heard() -> None:
    flat, human = (
        continued(Options(WILD, seed=4, seconds=30.0, dynamics=name), prompt=prompt_at(80))[0]
        for name in ("auto", "human")
    )
    assert flat.events == human.events
    assert [(n.pitch, n.start, n.end) for n in flat.notes] == [(n.pitch, n.start, n.end) for n in human.notes]
    assert len({n.velocity for n in human.notes}) > 3


def test_other_words_are_refused() -> None:
    with pytest.raises(UsageError, match="human"):
        Options(dynamics="loud")  # type: ignore[arg-type]
