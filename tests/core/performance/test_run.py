"""One continuation: who hears of a step first, when it ends, what is kept."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from core.errors import ContinuoError
from core.generation import continuation
from core.generation.continuation import Step
from core.generation.options import Options
from core.performance.run import FURTHEST_AHEAD, Run


class FakeContinuation:
    """So many steps of two takes by turns, a second of music each."""

    steps = 6

    def __init__(self, *_: Any) -> None:
        self.takes = ["a take", "another"]
        self.ranking = [1, 0]
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def __iter__(self) -> Iterator[Step]:
        for i in range(self.steps):
            if self._stopped:
                return
            yield Step(i % 2, 60, (), float(i // 2 + 1))


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuation, "Continuation", FakeContinuation)


def sample(run: Run, options: Options | None = None) -> Run:
    nothing = cast(Any, None)
    run.sample(nothing, nothing, options or Options(seconds=10.0))
    return run


def test_of_each_step_the_player_hears_first() -> None:
    heard: list[tuple[str, int, float, int]] = []
    run = Run()
    run.play = lambda step: heard.append(("play", step.take, run.head, run.events))
    run.show = lambda step: heard.append(("show", step.take, run.head, run.events))
    sample(run)
    assert heard[:5] == [
        ("play", 0, 0.0, 0),
        ("show", 0, 1.0, 1),
        ("show", 1, 1.0, 2),
        ("play", 0, 1.0, 2),
        ("show", 0, 2.0, 3),
    ]
    assert (run.takes, run.ranking, run.events, run.head) == (["a take", "another"], [1, 0], 6, 3.0)


def test_the_first_takes_end_is_told_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [Step(0, 60, (), 1.0), Step(1, 60, (), 1.0), Step(0, None, (), 1.5), Step(1, 60, (), 2.0)]
    monkeypatch.setattr(FakeContinuation, "__iter__", lambda self: iter([*steps, Step(1, None, (), 2.0)]))
    heard: list[object] = []
    run = Run(finished=heard.append)
    run.show = lambda step: heard.append((step.take, step.event))
    sample(run)
    assert heard == [(0, 60), (1, 60), 1.5, (0, None), (1, 60), (1, None)]


def test_a_stop_ends_it_within_an_event() -> None:
    run = Run()
    run.show = lambda step: run.stop()
    assert sample(run).events == 1


def test_a_fault_keeps_what_there_is() -> None:
    error = ContinuoError("The port is gone.")

    def fail(step: Step) -> None:
        if step.head > 1:
            raise error

    run = sample(Run(play=fail))
    assert (run.fault, run.events, run.takes) == (error, 2, ["a take", "another"])


def test_without_an_end_it_waits_for_the_playhead_and_the_wait_counts_for_nothing() -> None:
    now = 0.0
    ahead = [0.0, FURTHEST_AHEAD + 1, FURTHEST_AHEAD + 1, 0.0, 0.0, 0.0, 0.0, 0.0]

    def look() -> float:
        nonlocal now
        now += 1.0
        return ahead.pop(0)

    run = sample(Run(ahead=look, clock=lambda: now), Options())
    assert run.events == 6
    assert ahead == []
    assert run.seconds == pytest.approx(5.0)


def test_with_an_end_it_never_waits() -> None:
    assert sample(Run(ahead=lambda: FURTHEST_AHEAD + 1)).events == 6


def test_while_it_waits_it_can_be_stopped() -> None:
    run = Run(ahead=lambda: FURTHEST_AHEAD + 1)
    run.show = lambda step: run.stop()
    assert sample(run, Options()).events == 1
