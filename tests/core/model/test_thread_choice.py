"""Which number of threads is settled on, with the time that events take made up."""

import random
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.thread_choice import CHECK, FIRST_STRETCH, STAKE, ThreadChoice


def run(choice: ThreadChoice, events: int, many: float, seed: int = 0) -> tuple[float, float]:
    """Decode so many events of 1 s on one thread and `many` s on more, all uneven: seconds, share on one thread."""
    noise = random.Random(seed)
    seconds, on_one = 0.0, 0
    for _ in range(events):
        one_thread = choice.threads == 1
        on_one += one_thread
        # Between 0.8 and 1.2 times as long, and one in a hundred three times.
        taken = (1.0 if one_thread else many) * (3 if noise.random() < 0.01 else noise.uniform(0.8, 1.2))
        choice.record(taken)
        seconds += taken
    return seconds, on_one / events


@given(many=st.floats(0.3, 0.85), seed=st.integers(0, 99))
def test_more_threads_are_kept_where_they_are_faster(many, seed):
    choice = ThreadChoice(4)
    run(choice, FIRST_STRETCH, many, seed)
    assert choice.threads == 4
    _, on_one = run(choice, 2000, many, seed + 1)
    assert on_one < 0.15


@given(many=st.floats(1.2, 20), seed=st.integers(0, 99))
def test_little_is_lost_to_trials_where_they_are_slower(many, seed):
    choice = ThreadChoice(4)
    run(choice, 200, many, seed)  # the first trials come soon
    seconds, on_one = run(choice, 3000, many, seed + 1)
    alone, _ = run(ThreadChoice(1), 3000, many, seed + 1)
    assert on_one > 0.85
    assert seconds < alone * 1.08


@given(seed=st.integers(0, 99))
def test_a_core_that_is_taken_is_noticed_at_once_and_one_that_is_free_again_in_time(seed):
    choice = ThreadChoice(4)
    run(choice, 500, 0.7, seed)
    assert choice.threads == 4
    run(choice, 3, 10.0)
    assert choice.threads == 1
    run(choice, 300, 10.0, seed)
    _, on_one = run(choice, 1500, 0.7, seed)
    assert on_one < 0.5


@given(many=st.floats(1.3, 5))
def test_what_an_event_takes_on_one_thread_is_looked_at_again(many):
    """A take in a full window, where events take 1.6 times as long, then one after a short prompt."""
    choice = ThreadChoice(4)
    for _ in range(FIRST_STRETCH + 100):
        choice.record(1.6 if choice.threads == 1 else 1.2)
    assert choice._left < 0
    lost = 0.0
    for _ in range(500):
        one_thread = choice.threads == 1
        choice.record(1.0 if one_thread else many)
        lost += 0 if one_thread else many - 1
    assert lost < 12 * STAKE


def test_slow_moments_on_either_side_change_nothing():
    choice = ThreadChoice(2)
    for seconds in [1.0] * (FIRST_STRETCH - 1) + [50.0]:
        choice.record(seconds)
    assert choice.threads == 2
    on_one = 0
    for _, seconds in zip(range(20 * CHECK), cycle([0.8] * 20 + [3.0]), strict=False):
        on_one += choice.threads == 1
        choice.record(1.0 if choice.threads == 1 else seconds)
    assert on_one == 20
    while choice.threads == 1:
        choice.record(1.0)
    choice.record(3 * STAKE)
    assert choice.threads == 1


@pytest.mark.parametrize("seconds", [0.001, 5.0])
def test_where_one_is_all_there_are_it_stays_at_one(seconds):
    choice = ThreadChoice(1)
    for _ in range(100):
        choice.record(seconds)
        assert choice.threads == 1
