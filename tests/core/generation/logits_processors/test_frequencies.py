"""What is done too seldom is to become likelier."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.generation.frequencies import Frequencies, Variety

BINS = 10
PROMPT = np.array([2, 7] * 20)

bins = st.lists(st.integers(0, BINS - 1), max_size=80)


def nats(heard: list[int], prompt: NDArray[np.int64] = PROMPT, blur: float = 0.25) -> NDArray[np.float32]:
    frequencies = Frequencies(prompt, BINS, blur)
    for bin in heard:
        frequencies.observe(bin)
    return frequencies.nats


def test_a_take_that_does_the_same_is_let_be() -> None:
    assert not nats([]).any()
    assert np.abs(nats([2, 7] * 30)[[2, 7]]).max() < 0.1


@given(st.integers(1, 200))
def test_what_is_done_too_often_is_leaned_from_and_the_rest_to(times: int) -> None:
    leaning = nats([2] * times)
    assert leaning[2] < 0 < leaning[7]
    assert leaning.argmin() == 2
    assert leaning[7] == leaning.max()


def test_it_grows_with_what_is_heard_and_fades() -> None:
    few, more, much = (float(nats([2] * n)[2]) for n in (2, 10, 40))
    assert 0 > few > more > much
    assert np.abs(nats([0] * 40 + [2, 7] * 400) - nats([2, 7] * 400)).max() < 0.1


@given(bins, st.lists(st.integers(0, BINS - 1), min_size=1, max_size=80), st.floats(0, 1))
def test_nothing_is_out_of_the_question(heard: list[int], prompt: list[int], blur: float) -> None:
    leaning = nats(heard, np.array(prompt), blur)
    assert np.isfinite(leaning).all()
    assert np.abs(leaning).max() <= 2


def test_a_neighbour_is_nearly_the_same() -> None:
    far = nats([5] * 40)
    near = nats([3] * 40)
    assert abs(near[2]) < abs(near[7]) + 1e-6
    assert near[2] < far[2]  # three is nearly two, of which there is then less need


def various(steps: int, heard: list[int], prompt: NDArray[np.int64] = PROMPT) -> NDArray[np.float32]:
    variety = Variety(prompt, np.ones(BINS), steps)
    for bin in heard:
        variety.observe(bin)
    return variety.nats


@given(bins, st.lists(st.integers(0, BINS - 1), min_size=1, max_size=80), st.sampled_from([-2, -1, 1, 2]))
def test_more_various_or_more_alike_nothing_is_out_of_the_question(
    heard: list[int], prompt: list[int], steps: int
) -> None:
    leaning = various(steps, heard, np.array(prompt))
    assert np.isfinite(leaning).all()
    assert np.abs(leaning).max() <= 5


def test_more_various_takes_do_what_was_not_done_and_the_more_the_steps() -> None:
    once, twice = (various(steps, []) for steps in (1, 2))
    assert twice[4] > once[4] > 1
    assert 0 > once[2] > twice[2]
    assert once[2] == once[7]
    assert various(2, [4] * 30)[4] < twice[4] - 1  # it has been done by now


def test_more_alike_takes_do_what_has_been_done_most() -> None:
    prompt = np.array([2] * 30 + [7] * 10)
    once, twice = (various(-steps, [], prompt) for steps in (1, 2))
    assert twice[7] < once[7] < -1 < 0 < once[2]
    assert once[4] < -1
    assert various(-2, [7] * 300, prompt)[7] > 0 > various(-2, [7] * 300, prompt)[2]  # which the take can change
