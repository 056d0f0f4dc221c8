"""With as many voices as the prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_OFF, VOCABULARY_SIZE, note_off, note_on, time_shift
from core.generation.polyphony import Polyphony
from tests.core.generation.test_leaning import SCALE, line


def chords(voices: int) -> Prompt:
    """Ten seconds of chords that follow each other without a gap."""
    pitches = [60 + 2 * i for i in range(voices)]
    chord = [*map(note_on, pitches), time_shift(50), *map(note_off, pitches)]
    return Prompt(tuple(chord * 20), 10.0)


def notes(sounding: int, onset: int = 0) -> dict[int, int]:
    """So many sounding pitches, all struck at a step."""
    return dict.fromkeys(range(60, 60 + sounding), onset)


def heard(told: list[tuple[int, int]], step: int, prompt: Prompt) -> float:
    """The excess at a step after hearing at which step how many sounded."""
    polyphony = Polyphony(prompt)
    for at, sounding in told:
        polyphony.lean(np.zeros(VOCABULARY_SIZE, np.float32), at, notes(sounding))
    return polyphony.excess(step)


@given(st.integers(1, 8), st.integers(1, 3000))
def test_a_take_of_as_many_voices_is_let_be(voices: int, step: int) -> None:
    assert heard([(0, voices)], step, chords(voices)) == pytest.approx(0)


@given(st.integers(1, 8), st.integers(0, 12), st.integers(1, 3000))
def test_more_are_too_many_and_fewer_too_few(voices: int, sounding: int, step: int) -> None:
    assert np.sign(round(heard([(0, sounding)], step, chords(voices)), 9)) == np.sign(sounding - voices)


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9)), min_size=1, max_size=40))
def test_it_is_the_mean_over_the_last_seconds_and_three_of_the_prompts(waits: list[tuple[int, int]]) -> None:
    steps = np.cumsum([0, *(wait for wait, _ in waits)]).tolist()
    told = [(step, sounding) for step, (_, sounding) in zip(steps, waits, strict=False)]
    held, lasted = 0, 0
    for (wait, sounding), last in zip(waits, steps[1:], strict=True):
        if last > steps[-1] - 1000:  # a stretch that began earlier counts whole
            held, lasted = held + wait * sounding, lasted + wait
    assert heard(told, steps[-1], chords(4)) == pytest.approx(np.log((held + 4 * 300) / (4 * (lasted + 300))))


def test_a_take_is_let_begin_as_it_likes_and_held_to_it_in_time() -> None:
    few = [heard([(0, 1)], step, chords(4)) for step in (20, 100, 500)]
    assert 0 > few[0] > few[1] > few[2]


@pytest.mark.parametrize(("sounding", "sign"), [(9, 1), (1, -1)])
def test_after_too_many_they_are_let_go_sooner_and_after_too_few_later(sounding: int, sign: int) -> None:
    polyphony = Polyphony(chords(4))
    logits: NDArray[np.float32] = np.zeros(VOCABULARY_SIZE, np.float32)
    assert not polyphony.lean(logits, 0, notes(sounding)).any()
    leaned = polyphony.lean(logits, 500, notes(sounding, onset=480))
    assert not logits.any()
    assert (leaned[NOTE_OFF.first + 60 : NOTE_OFF.first + 60 + sounding] * sign > 0).all()
    assert np.count_nonzero(leaned) == sounding


def test_no_note_is_held_longer_than_most_of_the_prompts_and_any_is_let_go() -> None:
    for voices, sounding, leans in ((4, 1, False), (1, 4, True)):
        polyphony = Polyphony(chords(voices))  # of half a second
        logits: NDArray[np.float32] = np.zeros(VOCABULARY_SIZE, np.float32)
        polyphony.lean(logits, 0, notes(sounding))
        assert polyphony.lean(logits, 500, notes(sounding, onset=440)).any() == leans


def test_a_prompt_too_short_to_have_a_polyphony_has_none() -> None:
    for prompt in (Prompt((), 0.0), Prompt(tuple(line(list(SCALE)[:4])), 1.0)):
        assert heard([(0, 9)], 500, prompt) == 0
