"""One thread or two: on made-up times, so that nothing depends on the machine."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from core.model.threads import KEPT, LOOK, STRIKES, ThreadChoice


def decode(events: int, on_one: Callable[[int], float], on_two: Callable[[int], float]) -> list[int]:
    """How many threads each event was decoded on."""
    choice, chosen = ThreadChoice(), []
    for event in range(events):
        chosen.append(choice.threads)
        choice.tell((on_one if choice.threads == 1 else on_two)(event))
    return chosen


@given(st.floats(0.0005, 0.05), st.floats(0.3, 0.94))
def test_a_second_thread_that_pays_is_kept(seconds: float, share: float) -> None:
    chosen = decode(1000, lambda _: seconds, lambda _: share * seconds)
    assert chosen.count(2) >= 1000 * KEPT / (KEPT + LOOK) - KEPT


@given(st.floats(0.0005, 0.05), st.floats(0.96, 20.0))
def test_one_that_does_not_pay_is_hardly_tried(seconds: float, share: float) -> None:
    chosen = decode(4000, lambda _: seconds, lambda _: share * seconds)
    assert chosen.count(2) <= 12 * STRIKES


def test_when_another_program_takes_the_core_it_is_given_up_at_once_and_taken_back_in_time() -> None:
    busy = range(500, 1500)
    chosen = decode(6000, lambda _: 0.005, lambda event: 0.045 if event in busy else 0.004)
    assert chosen[400:500].count(2) > 80
    assert chosen[500:1500].count(2) <= 10 * STRIKES
    assert chosen[5000:].count(2) > 900


def test_it_still_pays_while_events_take_longer_and_longer() -> None:
    chosen = decode(1500, lambda event: 0.003 + event * 3e-6, lambda event: 0.0026 + event * 1.5e-6)
    assert chosen.count(2) > 1200


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_whatever_happens_there_is_one_thread_or_two(times: list[float]) -> None:
    choice = ThreadChoice()
    for seconds in times:
        choice.tell(seconds)
        assert choice.threads in (1, 2)
