"""As busy as the prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import BOUNDARY, NOTE_OFF, NOTE_ON, TIME_SHIFT, VELOCITY, VOCABULARY_SIZE
from core.generation.logits_processors import Density
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import summarize
from tests.core.generation.test_continuation import continued
from tests.core.generation.tunes import SCALE, line, position, processed, struck

PROMPT = Prompt(tuple(line(list(SCALE) * 5)), 10.0)  # four notes a second


def excess(every: int, steps: int, prompt: Prompt = PROMPT) -> float:
    """After so many steps with a note every so often."""
    density = Density(summarize(prompt).density)
    for step in range(0, steps, every):
        density.observe(struck(step))
    return density.excess(steps)


@given(st.integers(100, 6000))
def test_a_take_as_busy_as_its_prompt_is_let_be(steps: int) -> None:
    assert abs(excess(25, steps)) < 0.2


@given(st.integers(1, 20), st.integers(30, 500), st.integers(600, 5000))
def test_the_busier_the_more(busy: int, calm: int, steps: int) -> None:
    assert excess(busy, steps) > 0 > excess(calm, steps)
    assert excess(busy, steps) >= excess(2 * busy, steps)
    assert excess(calm, steps) >= excess(2 * calm, steps)


def test_a_take_is_let_begin_as_it_likes_and_held_to_it_in_time() -> None:
    assert abs(excess(5, 50)) < abs(excess(5, 200)) < abs(excess(5, 800))


def test_what_was_long_ago_is_forgotten() -> None:
    density = Density(summarize(PROMPT).density)
    for step in range(400):
        density.observe(struck(step))
    for step in range(400, 4000, 25):
        density.observe(struck(step))
    assert abs(density.excess(4000)) < 0.1


@pytest.mark.parametrize("bias", [-0.4, 0.4])
def test_a_model_that_is_always_too_busy_or_too_calm_comes_to_play_as_the_prompt(bias: float) -> None:
    """It plays `exp(bias)` times as many notes as its prompt, and gives way to each nat by half of one."""
    density = Density(4 / 100)
    logits = np.zeros(VOCABULARY_SIZE, np.float32)
    due, onsets = 0.0, []
    for step in range(6000):
        nats = density.process(logits, position(step))[NOTE_ON.first]
        due += 4 / 100 * np.exp(bias + nats / 2)
        if due >= 1:
            due -= 1
            density.observe(struck(step))
            onsets.append(step)
    assert sum(step < 2000 for step in onsets) / 80 == pytest.approx(1, abs=0.1)
    assert sum(step >= 2000 for step in onsets) / 160 == pytest.approx(1, abs=0.04)


def test_with_another_density_it_keeps_what_it_has_learned_of_the_model_alone() -> None:
    density = Density(4 / 100)
    for step in range(0, 2000, 20):
        density.observe(struck(step))
    learned = density.process(np.zeros(VOCABULARY_SIZE, np.float32), position(2000))[NOTE_ON.first]
    density.change(8 / 100, 2000)
    kept = density.process(np.zeros(VOCABULARY_SIZE, np.float32), position(2000))[NOTE_ON.first]
    assert density.excess(2000) == 0
    assert learned < kept < 0
    assert density.excess(2300) < 0  # nothing has come since, and twice as much is wanted


def leaned(every: int) -> NDArray[np.float32]:
    """What becomes of even logits after eight seconds."""
    density = Density(summarize(PROMPT).density)
    for step in range(0, 800, every):
        density.observe(struck(step))
    return processed(density, position(800))


@pytest.mark.parametrize(("every", "sign"), [(1, -1), (400, 1)])
def test_after_too_many_notes_fewer_come_and_later_and_after_too_few_more_and_sooner(every: int, sign: int) -> None:
    logits = leaned(every)
    notes = np.concatenate([logits[kind.first : kind.end] for kind in (NOTE_ON, VELOCITY)])
    assert len(np.unique(notes)) == 1
    assert notes[0] * sign > 0
    shifts = logits[TIME_SHIFT.first : TIME_SHIFT.end]
    assert (np.diff(shifts) * sign < 0).all()
    assert shifts[9] == 0
    assert not logits[NOTE_OFF.first : NOTE_OFF.end].any()
    assert not logits[BOUNDARY:].any()


def test_a_prompt_too_short_to_have_a_density_has_none() -> None:
    assert excess(1, 500, Prompt(tuple(line(list(SCALE)[:4])), 1.0)) == 0
    assert excess(1, 500, Prompt((), 0.0)) == 0


def test_only_the_end_of_the_prompt_counts() -> None:
    slow = [event for _ in range(4) for event in line(list(SCALE) * 10)[1:]]
    fast = [event for event in line(list(SCALE) * 20)[1:]]
    assert excess(25, 1000, Prompt(tuple(slow + fast), 120.0)) == pytest.approx(excess(25, 1000), abs=0.05)


def test_takes_of_a_network_that_knows_nothing_come_near_the_density_of_their_prompt() -> None:
    def notes_per_second(every: float) -> float:
        prompt = Prompt(tuple(line(list(SCALE) * 5, round(100 * every))), 40 * every)
        takes = [continued(Options(Sampling(1.0, top_p=1.0), seed=s, seconds=20), prompt=prompt)[0] for s in range(4)]
        return sum(len(take.notes) for take in takes) / 80

    sparse, dense = notes_per_second(0.5), notes_per_second(0.1)
    assert sparse < dense
