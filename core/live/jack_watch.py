"""Who is connected to one of our JACK ports, and whether the JACK server still runs.

rtmidi tells neither, and its `send_message` never returns once the server has gone and its buffer is
full. So a small JACK client of our own listens to the server's notifications.
"""

import ctypes
import functools
import time
from collections.abc import Callable
from typing import Any

PROBE = "continuo-probe"
CYCLES = 2  # begun after a message was sent: by then it has gone out with a whole one
LEAST, MOST = 0.1, 1.5  # seconds to wait for them: one in which our own client has come too late is lost
LOSSES = 1.0  # seconds after a cycle that was lost in which others may be: a dead client holds up who listens for 0.6
ATTEMPTS = 5  # at a client, or at a list of ports, of which one may vanish while it is read


@functools.cache
def _c() -> ctypes.CDLL:
    """The C library, for functions that JACK may call.

    None of Python's may be: libjack ends its threads with `pthread_cancel` when its server goes, also one that is just
    waiting for Python's lock, and then no thread of the process ever gets that again.
    """
    return ctypes.CDLL(None)


@functools.cache
def _quiet_jack() -> Any:
    """The `jack` module with its messages on stderr turned off; raises OSError without libjack."""
    import jack

    _hush(jack)
    return jack


def _hush(jack: Any) -> None:
    does_nothing = jack._ffi.cast("void(*)(const char*)", _address(_c().strlen))
    jack._lib.jack_set_error_function(does_nothing)
    jack._lib.jack_set_info_function(does_nothing)


def _address(function: Any) -> int:
    """The address of a function of the C library."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _open(jack: Any, name: str) -> Any:
    """A new client of a server that runs already; raises OSError when none answers."""
    for _ in range(ATTEMPTS):
        try:
            return jack.Client(name, no_start_server=True)
        except jack.JackOpenError as error:
            if not error.status.server_error or error.status.server_failed:
                break  # else a server was there and gave no answer in time
    raise OSError("no JACK server")


def _midi_ports(jack: Any, client: Any, **kind: bool) -> list[Any]:
    """The MIDI ports there are; raises OSError when they cannot be had, which is when the server has gone."""
    for _ in range(ATTEMPTS):
        try:
            return client.get_ports(is_midi=True, **kind)
        except jack.JackError:  # it looks each port up by its name, and one of them has just been closed
            continue
    raise OSError("JACK's ports cannot be listed")


def is_jack_running() -> bool:
    """Whether a JACK server answers. None is started."""
    try:
        client = _open(_quiet_jack(), PROBE)
    except (ImportError, OSError):
        return False
    client.close()
    return True


def jack_inputs() -> list[str]:
    """The MIDI ports of a JACK server that can be played to; raises OSError when none answers.

    rtmidi would list the same ones, and keep Python's lock while it opens and closes its client: 40 ms in which
    window and model stand still.
    """
    jack = _quiet_jack()
    client = _open(jack, PROBE)
    try:
        return [port.name for port in _midi_ports(jack, client, is_input=True)]
    finally:
        client.close()


def wait_for_cycles(
    begun: Callable[[], int | None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until a server has begun CYCLES more cycles, for LEAST to MOST seconds.

    `begun` tells the frame at which the present one began, None once there is no server. On a busy machine a cycle
    can take far longer than its frames last.
    """
    start, cycles, seen = clock(), 0, begun()
    while seen is not None and (waited := clock() - start) < MOST and (cycles < CYCLES or waited < LEAST):
        sleep(0.005)
        now = begun()
        cycles, seen = cycles + (now != seen), now


class _Calls:
    """Counts the calls of a JACK callback, which is the C library's `sem_post` with a semaphore for it (see `_c`)."""

    def __init__(self, set_callback: str, jack: Any, client: Any) -> None:
        """Set the callback by libjack's function `set_callback`. The client is not active yet; it is closed first."""
        self._semaphore = ctypes.create_string_buffer(64)  # more than a sem_t takes anywhere
        _c().sem_init(self._semaphore, 0, 0)
        pointers = [int(jack._ffi.cast("intptr_t", client._ptr)), _address(_c().sem_post)]
        libjack = ctypes.CDLL(jack._libname)
        libjack[set_callback](*map(ctypes.c_void_p, pointers), self._semaphore)

    def take(self) -> int:
        """How many there were since the last `take`."""
        count = 0
        while _c().sem_trywait(self._semaphore) == 0:
            count += 1
        return count


class JackWatch:
    """Listens to a JACK server from before our port is opened until `close`.

    Connections are looked up (20 us) instead of being told by JACK: a callback would need Python's
    lock, which rtmidi keeps while it waits for the server, which would wait for the callback.
    """

    def __init__(self) -> None:
        """Connect to the server; raises OSError when it is not there."""
        self._jack = _quiet_jack()
        self._client = _open(self._jack, "continuo-watch")
        self._port: Any = None
        try:
            self._before = {port.name for port in _midi_ports(self._jack, self._client)}
        except OSError:
            self._client.close()
            raise
        self._shutdowns = _Calls("jack_on_shutdown", self._jack, self._client)
        self._is_server_gone = False
        self._xruns = _Calls("jack_set_xrun_callback", self._jack, self._client)  # who waits for it loses the cycle
        self._lossy_until = 0.0  # by the monotonic clock
        self._client.activate()

    @property
    def server_gone(self) -> bool:
        """Whether the server has ended, or has put us out."""
        self._is_server_gone = self._is_server_gone or self._shutdowns.take() > 0
        return self._is_server_gone

    def find_port(self, name: str) -> None:
        """Find our port, whose client JACK may have numbered: one called `name` that was not there before."""
        try:
            ports = _midi_ports(self._jack, self._client)
        except OSError:  # the server went just now, which `server_gone` will tell
            return
        new = [p for p in ports if p.name not in self._before and p.name.endswith(":" + name)]
        self._port = new[0] if new else None

    def is_connected(self) -> bool:
        """Whether our port is connected to anything."""
        if self.server_gone or self._port is None:
            return False
        try:
            return bool(self._client.get_all_connections(self._port))
        except self._jack.JackError:  # the server went just now
            return False

    def has_input(self, name: str) -> bool:
        """Whether there is a MIDI port of this name that can be played to."""
        try:
            return any(port.name == name for port in _midi_ports(self._jack, self._client, is_input=True))
        except OSError:  # the server went just now
            return False

    def wait_for_delivery(self) -> None:
        """Wait until what our port was given has gone out, at most MOST seconds."""
        # Meant for process callbacks, but all that it does is read when the server began its cycle.
        wait_for_cycles(lambda: None if self.server_gone else self._client.last_frame_time)

    def has_lost_cycles(self) -> bool:
        """Whether the server has, within LOSSES seconds, not waited for a client: for who listens the cycle is lost."""
        now = time.monotonic()
        if self._xruns.take():
            self._lossy_until = now + LOSSES
        return now < self._lossy_until

    def close(self) -> None:
        """Leave the server; once that has gone, JACK's own close sometimes never returns."""
        self._client.deactivate(ignore_errors=True)
        self._client.close(ignore_errors=True)
