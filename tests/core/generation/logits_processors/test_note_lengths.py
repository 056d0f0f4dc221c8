"""Held as long as the prompt's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_OFF, VOCABULARY_SIZE, note_off, time_shift
from core.generation.knobs import aim
from core.generation.logits_processors import NoteLengths
from core.generation.prompt_summary import summarize
from core.session.knobs import Knobs
from tests.core.generation.tunes import SCALE, line, position, processed, struck

PROMPT = Prompt(tuple(line(list(SCALE) * 5, 50)), 20.0)  # half a second each


def heard(lengths: list[int], prompt: Prompt = PROMPT) -> NoteLengths:
    """After notes of so many steps, one after the other."""
    listener, step = NoteLengths(summarize(prompt)), 0
    for length in lengths:
        for velocity in (66, 0):
            listener.observe(struck(step, velocity=velocity))
            step += length if velocity else 0
    return listener


def leaned(lengths: list[int], sounding: dict[int, int], step: int, prompt: Prompt = PROMPT) -> NDArray[np.float32]:
    """What becomes of even logits at a step after that."""
    return processed(heard(lengths, prompt), position(step, sounding))


def test_after_short_notes_they_are_held_until_the_prompts_length() -> None:
    logits = leaned([5] * 40, {60: 1000, 64: 955, 67: 950}, 1005)
    assert logits[NOTE_OFF.first + 60] < -0.5  # five steps
    assert not logits[[NOTE_OFF.first + 64, NOTE_OFF.first + 67]].any()  # no note has come to fifty: nothing is known


def test_notes_that_last_too_long_are_let_go_however_long_they_have_lasted() -> None:
    logits = leaned([400] * 40, {60: 900, 64: 800, 67: 700}, 1000)
    assert logits[[NOTE_OFF.first + pitch for pitch in (60, 64, 67)]].min() > 0.5


def test_after_long_notes_they_are_let_go_sooner() -> None:
    logits = leaned([400] * 40, {60: 950, 64: 600}, 1000)
    assert logits[NOTE_OFF.first + 60] > 0.5 > -0.5 > logits[NOTE_OFF.first + 64]


def test_a_take_of_the_same_lengths_is_let_be() -> None:
    assert abs(leaned([50] * 40, {60: 950}, 1000)[NOTE_OFF.first + 60]) < 0.2


@given(
    st.lists(st.integers(1, 3000), max_size=60),
    st.dictionaries(st.integers(0, 127), st.integers(0, 5000)),
    st.integers(5000, 9000),
)
def test_only_letting_go_of_what_sounds_is_leaned(lengths: list[int], sounding: dict[int, int], step: int) -> None:
    logits = leaned(lengths, sounding, step)
    assert set(np.flatnonzero(logits)) <= {note_off(pitch) for pitch in sounding}


def test_what_goes_on_across_the_marker_has_not_ended_there() -> None:
    events = line(list(SCALE) * 2, 50)
    chord = [*range(36, 46), time_shift(50)]  # ten notes that have sounded for half a second at the marker
    cut, let_go = ([*events, *chord, *(note_off(p) for p in range(36, 46) if is_let_go)] for is_let_go in (False, True))
    sounding = tuple((pitch, -50) for pitch in range(36, 46))
    off = [
        leaned([50] * 20, {60: 950}, 1000, prompt)[note_off(60)]
        for prompt in (Prompt(tuple(cut), 9.0, sounding=sounding), Prompt(tuple(let_go), 9.0))
    ]
    assert off[0] < off[1] - 0.2  # of those that come to half a second, fewer end there


@pytest.mark.parametrize("steps", [-2, 2])
def test_asked_for_others_they_lean_to_them_before_anything_is_heard(steps: int) -> None:
    lengths = NoteLengths(aim(summarize(PROMPT), Knobs(long=steps)))
    logits = lengths.process(
        np.zeros(VOCABULARY_SIZE, np.float32), position(1000, {60: 980, 64: 950, 67: 800, 71: 600})
    )
    off = {1000 - at: logits[NOTE_OFF.first + pitch] for pitch, at in ((60, 980), (64, 950), (67, 800), (71, 600))}
    assert off[400] > 1  # longer than any is to be
    if steps < 0:
        assert off[20] > 1
        assert min(off.values()) >= 0  # nothing is held to be let go sooner
    else:
        assert off[20] <= 0
        assert off[50] < -1
        assert off[200] > 1


def test_a_note_struck_anew_ends_first() -> None:
    listener = NoteLengths(summarize(PROMPT))
    for step in range(0, 2000, 5):  # as the decoder sends it
        listener.observe(struck(step, velocity=0))
        listener.observe(struck(step))
    assert (
        listener.process(np.zeros(VOCABULARY_SIZE, np.float32), position(2000, {60: 1995}))[NOTE_OFF.first + 60] < -0.5
    )


def test_a_prompt_too_short_to_tell_leaves_all_as_it_is() -> None:
    for prompt in (Prompt((), 0.0), Prompt(tuple(line(list(SCALE)[:4])), 1.0)):
        assert not leaned([5] * 40, {60: 950}, 1000, prompt).any()


@pytest.mark.parametrize("each", [0.05, 0.4])
def test_who_lets_go_too_soon_or_too_late_comes_nearer(each: float) -> None:
    def off(has_leaning: bool) -> float:
        """How far notes are, in octaves, from the prompt's half second, if each twentieth ends one with that chance."""
        listener, random, step, lengths = NoteLengths(summarize(PROMPT)), np.random.default_rng(0), 0, []
        for _ in range(300):
            onset = step
            listener.observe(struck(step))
            while True:
                step += 5
                logits = listener.process(np.zeros(VOCABULARY_SIZE, np.float32), position(step, {60: onset}))
                nats = np.log(each / (1 - each)) + has_leaning * float(logits[NOTE_OFF.first + 60])
                if random.random() < 1 / (1 + np.exp(-nats)):
                    break
            listener.observe(struck(step, velocity=0))
            lengths.append(step - onset)
        return float(np.abs(np.log2(np.array(lengths) / 50)).mean())

    assert off(True) < 0.9 * off(False)
