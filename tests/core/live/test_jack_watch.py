"""What a port knows of its JACK server; how long it waits for it, against a clock of the test's."""

import itertools
import signal
import subprocess
import sys

import pytest

from core.live.jack_watch import CYCLES, LEAST, MOST, _quiet_jack, wait_for_cycles
from tests.conftest import WAIT, JackServer


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


OUTLIVE_A_SERVER = """
import ctypes, sys, time
from core.live.jack_watch import JackWatch
watch = JackWatch()
sys.setswitchinterval(1000)
libjack, process = ctypes.PyDLL(sys.argv[1]), ctypes.PyDLL(None)  # whose calls keep Python's lock
process.kill(int(sys.argv[2]), int(sys.argv[3]))
process.usleep(500_000)
libjack.jack_client_close(ctypes.c_void_p(int(watch._jack._ffi.cast("intptr_t", watch._client._ptr))))
while not watch.server_gone:
    time.sleep(0.01)
print("gone")
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_python_runs_on_if_a_server_ends_while_it_is_busy(mortal_jack: JackServer, how: signal.Signals) -> None:
    """libjack cancels its threads then, and one that waits for Python's lock would keep all others from it for ever."""
    command = [sys.executable, "-c", OUTLIVE_A_SERVER, _quiet_jack()._libname, str(mortal_jack.process.pid), str(+how)]
    told = subprocess.run(command, capture_output=True, timeout=WAIT)
    assert (told.stdout, told.stderr) == (b"gone\n", b"")
