"""As high as the prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_ON, VOCABULARY_SIZE
from core.generation.knobs import aim
from core.generation.logits_processors import Register
from core.generation.prompt_summary import summarize
from core.session.knobs import Knobs
from tests.core.generation.tunes import SCALE, line, position, processed, struck

PROMPT = Prompt(tuple(line(list(SCALE) * 5)), 10.0)  # about pitch 66


def heard(pitches: list[int], prompt: Prompt = PROMPT) -> Register:
    register = Register(summarize(prompt))
    for step, pitch in enumerate(pitches):
        register.observe(struck(step, pitch))
    return register


def leaned(pitches: list[int], prompt: Prompt = PROMPT) -> NDArray[np.float32]:
    """What becomes of even logits after that."""
    return processed(heard(pitches, prompt), position(len(pitches)))


@given(st.lists(st.integers(70, 127), min_size=1), st.lists(st.integers(0, 62), min_size=1))
def test_after_high_notes_low_ones_are_likelier_and_the_other_way_round(high: list[int], low: list[int]) -> None:
    for pitches, sign in ((high, -1), (low, 1)):
        logits = leaned(pitches)
        assert (np.diff(logits[48:85]) * sign > 0).all()
        assert (logits[:48] == logits[48]).all()  # beyond the prompt's bounds none is likelier than at them
        assert (logits[85 : NOTE_ON.end] == logits[84]).all()
        assert not logits[NOTE_ON.end :].any()
        assert abs(logits[66]) < 0.5  # the prompt's middle is as likely as it was


@given(st.permutations(SCALE * 3))
def test_a_take_as_high_as_its_prompt_is_let_be(pitches: list[int]) -> None:
    assert np.abs(leaned(pitches)).max() < 0.01


def test_the_further_off_and_the_longer_the_more() -> None:
    assert 0 < heard([78]).off < heard([78] * 12).off < heard([90] * 12).off
    assert heard([78] * 200).off < 1


def test_what_was_long_ago_is_forgotten() -> None:
    assert heard([100] * 20 + list(SCALE) * 6).off == heard(list(SCALE) * 6).off


def test_a_prompt_too_short_to_have_a_register_has_none() -> None:
    for prompt in (Prompt((), 0.0), Prompt(tuple(line(list(SCALE)[:4])), 1.0)):
        assert not leaned([100] * 20, prompt).any()


@pytest.mark.parametrize("steps", [-2, -1, 1, 2])
def test_asked_for_another_register_it_is_leaned_to_from_the_first_note_on(steps: int) -> None:
    register = Register(aim(summarize(PROMPT), Knobs(high=steps)))
    assert register.off == pytest.approx(-4 * steps / 12)
    logits = register.process(np.zeros(VOCABULARY_SIZE, np.float32), position(0))
    assert (np.diff(logits[48:85]) * np.sign(steps) > 0).all()
    for step in range(48):
        register.observe(struck(step, 66 + 4 * steps))
    assert abs(register.off) < 0.1  # there it stays
