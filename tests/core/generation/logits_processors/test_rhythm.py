"""In the prompt's rhythm."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import BOUNDARY, NOTE_OFF, NOTE_ON, TIME_SHIFT, VELOCITY, VOCABULARY_SIZE
from core.generation.logits_processors import Rhythm
from core.generation.prompt_summary import summarize
from tests.core.generation.tunes import SCALE, line, position, processed, struck

PROMPT = Prompt(tuple(line(list(SCALE) * 5, 25)), 10.0)


def leaned(gaps: list[int], since: int, prompt: Prompt = PROMPT) -> NDArray[np.float32]:
    """What becomes of even logits so many steps after the last of some onsets."""
    rhythm, step = Rhythm(summarize(prompt)), 0
    for gap in (0, *gaps):
        step += gap
        for pitch in (60, 64):  # a chord is one onset
            rhythm.observe(struck(step, pitch))
    return processed(rhythm, position(step + since))


def shifts(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return logits[TIME_SHIFT.first : TIME_SHIFT.end]


def test_a_take_in_other_time_is_leaned_to_its_prompts() -> None:
    logits = leaned([10] * 40, 0)
    assert shifts(logits)[9] < 0 < shifts(logits)[24]
    assert not logits[: TIME_SHIFT.first].any()  # in the step of an onset a chord may grow
    for since, sign in ((10, -1), (25, 1)):
        logits = leaned([10] * 40, since)
        begins = np.concatenate([logits[kind.first : kind.end] for kind in (NOTE_ON, VELOCITY)])
        assert len(np.unique(begins)) == 1
        assert begins[0] * sign > 0
        assert not logits[NOTE_OFF.first : NOTE_OFF.end].any()
        assert not logits[BOUNDARY:].any()


@given(st.integers(1, 24))
def test_what_is_left_to_wait_is_counted_from_the_last_onset(since: int) -> None:
    late, at_once = (shifts(leaned([10] * 40, after)) for after in (since, 0))
    assert late[: 100 - since] - late[24 - since] == pytest.approx(at_once[since:] - at_once[24], abs=1e-5)
    assert late[24 - since] > 0
    for logits in (late, at_once):  # whether time goes on is as likely as before
        assert np.logaddexp.reduce(logits) == pytest.approx(np.log(100), abs=1e-4)


def test_a_take_in_time_is_let_be() -> None:
    assert np.abs(leaned([25] * 40, 0)).max() < np.abs(leaned([24] * 40, 0)).max() + 0.1
    assert np.abs(shifts(leaned([25] * 40, 0))[24]) < 0.3


@given(st.lists(st.integers(1, 2000), max_size=60), st.integers(0, 5000))
def test_no_rhythm_is_out_of_the_question(gaps: list[int], since: int) -> None:
    assert np.abs(leaned(gaps, since)).max() <= 2


def test_it_grows_with_what_is_heard_and_fades() -> None:
    mixed = Prompt(tuple([*line([60] * 32, 25), *line([60] * 8, 10)]), 9.0)
    few, more, much = (float(shifts(leaned([10] * n, 0, mixed))[9]) for n in (2, 10, 40))
    assert 0 > few > more > much
    assert shifts(leaned([10] * 40 + [25] * 200, 0, mixed))[9] > few


def test_what_would_come_at_any_time_comes_more_often_in_time() -> None:
    rhythm, random = Rhythm(summarize(PROMPT)), np.random.default_rng(0)
    onsets = [0]
    for _ in range(400):
        rhythm.observe(struck(onsets[-1]))
        likely = np.exp(
            shifts(rhythm.process(np.zeros(VOCABULARY_SIZE, np.float32), position(onsets[-1]))).astype(float)
        )
        onsets.append(onsets[-1] + 1 + int(random.choice(100, p=likely / likely.sum())))
    gaps = np.diff(onsets)
    assert np.mean((gaps >= 22) & (gaps <= 28)) > 2 * 7 / 100


@pytest.mark.parametrize("prompt", [Prompt((), 0.0), Prompt(tuple(line(list(SCALE)[:4])), 1.0)])
def test_a_prompt_too_short_to_have_a_rhythm_has_none(prompt: Prompt) -> None:
    assert not leaned([10] * 40, 10, prompt).any()


def test_a_prompt_of_one_chord_has_no_rhythm() -> None:
    chord = Prompt((*range(60, 72), TIME_SHIFT.end - 1), 1.0)
    assert not leaned([10] * 40, 10, chord).any()


def freer_by(steps: int) -> NDArray[np.float32]:
    """What a take that has not begun to play in any time is leaned by, after its first onset."""
    events = [*line([60] * 30, 25), *line([60] * 10, 50)]  # three of four a quarter of a second apart
    rhythm = Rhythm(replace(summarize(Prompt(tuple(events), 12.5)), freer=steps))
    rhythm.observe(struck(0))
    return shifts(rhythm.process(np.zeros(VOCABULARY_SIZE, np.float32), position(0)))


def test_a_steadier_rhythm_is_leaned_to_from_the_first_note_on_and_chords_are_let_be() -> None:
    assert not freer_by(0).any()
    steadier = freer_by(-2)
    assert steadier[49] < -1
    assert steadier[24] > 0
    assert len(np.unique(steadier[:3])) == 1  # a chord that is spread is no rhythm


def test_a_freer_rhythm_comes_to_times_that_the_prompt_does_not_have() -> None:
    freer = freer_by(2)
    assert freer[35] > freer[24] + 0.5  # between the prompt's
    assert min(freer[12], freer[98]) > freer[24] + 0.5  # shorter and longer than any
