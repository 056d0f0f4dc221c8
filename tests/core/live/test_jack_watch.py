"""How long a JACK port waits for what it was given to go out, against a clock of the test's."""

import itertools

import pytest

from core.live.jack_watch import CYCLES, LEAST, MOST, wait_for_cycles


class _Server:
    """A server that begins a cycle every `length` seconds of its own clock, and is gone from `end` on."""

    def __init__(self, length: float, end: float = float("inf")) -> None:
        self.now, self._length, self._end = 0.0, length, end

    def begun(self) -> int | None:
        """The first frame of the present cycle."""
        return None if self.now >= self._end else 1024 * int(self.now / self._length)

    def sleep(self, seconds: float) -> None:
        """Time goes on."""
        self.now += seconds

    def wait(self) -> float:
        """The seconds that the wait takes."""
        wait_for_cycles(self.begun, lambda: self.now, self.sleep)
        return self.now


@pytest.mark.parametrize("length", [0.2, 0.45, 0.7])
def test_a_slow_server_is_given_its_cycles(length: float) -> None:
    assert CYCLES * length <= _Server(length).wait() < CYCLES * length + 0.01


def test_a_quick_server_is_given_some_more_for_cycles_in_which_we_came_too_late() -> None:
    assert LEAST <= _Server(0.005).wait() < LEAST + 0.01


def test_one_that_stands_still_is_not_waited_for_without_end() -> None:
    assert MOST <= _Server(100.0).wait() < MOST + 0.01


@pytest.mark.parametrize("end", [0.0, 0.3])
def test_one_that_goes_is_not_waited_for(end: float) -> None:
    assert end <= _Server(100.0, end).wait() < end + 0.01


def test_frames_may_begin_anew() -> None:
    """They wrap around after a day."""
    frames, times = itertools.cycle((2**32 - 1024, 0, 1024)), itertools.count()
    wait_for_cycles(lambda: next(frames), lambda: 0.1 * next(times), lambda seconds: None)
    assert next(times) <= 5
