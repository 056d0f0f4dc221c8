"""Loops of a take: heard, allowed as far as the prompt loops, then loosened until they break."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_ON, VOCABULARY_SIZE, note_on
from core.generation.logits_processors import Repetition
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import LONGEST_LOOP, summarize
from tests.core.generation.test_continuation import ENGINE, PROMPT, continued
from tests.core.generation.tunes import position, struck

LOGITS = np.zeros(VOCABULARY_SIZE, np.float32)
PARAMS = Sampling(0.9, top_p=0.9)

loops = st.lists(st.integers(40, 90), min_size=1, max_size=LONGEST_LOOP, unique=True)


def after(pitches: list[int]) -> Repetition:
    """The repetition of a take whose prompt strikes these pitches."""
    return Repetition(summarize(Prompt(tuple(map(note_on, pitches)), 0.0)))


def notes_until_too_much(repetition: Repetition, loop: list[int], most: int = 1000) -> int:
    for count in range(most):
        if repetition.is_too_much:
            return count
        repetition.observe(struck(0, loop[count % len(loop)]))
    return most


@given(loops)
def test_a_loop_is_too_much_after_three_more_times_round(loop: list[int]) -> None:
    count = notes_until_too_much(after([]), loop)
    assert count == len(loop) + max(3 * len(loop), 8 if len(loop) == 1 else 12)


@given(loops, st.integers(1, 12))
def test_a_loop_of_the_prompt_may_go_on_as_long_as_it_did_there(loop: list[int], times: int) -> None:
    prompt = loop * times
    count = notes_until_too_much(after(prompt), loop)
    assert count == max(len(prompt), len(loop) + max(3 * len(loop), 8 if len(loop) == 1 else 12))


@given(st.lists(st.integers(0, 127), max_size=300))
def test_what_the_prompt_did_is_never_too_much(pitches: list[int]) -> None:
    repetition = after(pitches)
    fresh = after(pitches)
    for pitch in pitches:
        assert not repetition.is_too_much
        repetition.observe(struck(0, pitch))
    assert not fresh.is_too_much


@given(loops)
def test_loosening_is_against_the_loops_next_note_grows_and_ends_with_the_loop(loop: list[int]) -> None:
    repetition = after([])
    count = notes_until_too_much(repetition, loop)
    following_before = 1.0
    for i in range(count, count + 6):
        logits, params = repetition.process(LOGITS, position()), repetition.loosen(PARAMS)
        following = loop[i % len(loop)]
        favoured = logits[: NOTE_ON.end] > 0
        assert {pitch for pitch in range(128) if not favoured[pitch]} == {following}
        assert np.exp(logits[: NOTE_ON.end]).sum() == pytest.approx(128, rel=1e-5)  # a note is as likely as it was
        assert not logits[NOTE_ON.end :].any()
        assert logits[following] < following_before
        assert PARAMS.temperature < params.temperature
        assert PARAMS.top_p < params.top_p < 1
        following_before = float(logits[following])
        repetition.observe(struck(0, following))
    repetition.observe(struck(0, 30))
    assert not repetition.is_too_much


def test_nothing_is_loosened_while_nothing_loops() -> None:
    repetition = after([])
    for pitch in np.random.default_rng(0).integers(30, 90, 500).tolist():
        repetition.observe(struck(0, pitch))
        assert not repetition.is_too_much


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_that_is_stuck_on_one_pitch_is_freed(monkeypatch: pytest.MonkeyPatch, temperature: float) -> None:
    import core.generation.continuation as continuation

    def stuck(logits: object) -> np.ndarray:
        """It strikes middle C, lets time pass, lets it go, and again; another note only if that is unlikely."""
        likely = np.full((1, VOCABULARY_SIZE), -12.0, np.float32)
        likely[0, [60, 60 + 128, 260]] = 4.0, 5.0, 3.0
        likely[0, 64] = 0.0
        return likely

    monkeypatch.setattr(continuation, "to_numpy", stuck)
    (take,) = continued(Options(Sampling(temperature), events=400), ENGINE, PROMPT)
    pitches = [event for event in take.events if event < 128]
    longest = max(len(run) for run in "".join("c" if p == 60 else " " for p in pitches).split())
    assert len(pitches) > 60
    assert 8 <= longest <= 25
