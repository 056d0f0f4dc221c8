"""What tests of real MIDI ports share: a JACK dummy server, a listener on its ports, a check for leaks.

And what a test needs of its system, which is skipped on others.
"""

import contextlib
import importlib
import multiprocessing
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout
from hypothesis import HealthCheck, settings

# Machines that are shared are slow at times.
settings.register_profile("continuo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("continuo")

# A shell that starts the tests in the background has them, and the commands they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

WAIT = 120.0  # seconds for what is sure to come: a machine may be busy, and where all is well the wait ends early

# A marker says what a test needs of its system; tests that use one of the fixtures below need Linux.
MARKERS = {
    "linux": "needs JACK, an X server, or what /proc and /dev are on Linux",
    "posix": "needs signals, file modes, links or paths as POSIX has them, which Windows does not",
}
JACK_FIXTURES = ("jack_server", "mortal_jack", "hasty_jack")

Received = tuple[float, bytes]  # (time.perf_counter() at arrival, the bytes of one message)


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and have no test play to whatever MIDI and sound this machine has, nor be played to.

    Not as this module is imported, as processes do that tests start with a JACK server of their own.
    """
    os.environ.update(
        CONTINUO_MIDI="jack",
        JACK_DEFAULT_SERVER="continuo-test-none",
        JACK_NO_START_SERVER="1",
        PULSE_SERVER="/nowhere",
        ALSA_CONFIG_PATH="/nowhere",
    )
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip what this system has not."""
    for item in items:
        marks = [mark.name for mark in item.iter_markers()]
        if reason := reason_to_skip(marks, getattr(item, "fixturenames", ()), sys.platform):
            item.add_marker(pytest.mark.skip(reason=reason))


def reason_to_skip(marks: Collection[str], fixtures: Collection[str], system: str) -> str:
    """Why a test with these markers and fixtures cannot run on `system`, a `sys.platform`; empty if it can."""
    if system != "linux" and ("linux" in marks or any(name in fixtures for name in JACK_FIXTURES)):
        return MARKERS["linux"]
    return MARKERS["posix"] if system == "win32" and "posix" in marks else ""


# Runs a command that ends when its parent does, however that ends: prctl(PR_SET_PDEATHSIG, SIGTERM).
_ENDING_WITH_US = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execv(sys.argv[1], sys.argv[1:])"


class JackServer:
    """A JACK dummy server of a test's own, until `close`.

    JACK has places for eight servers on a machine, and one that is killed keeps its place until a server of the same
    name is started. So there are eight names, and a lock for each.

    On a busy machine it waits for its clients, up to `patience` seconds in each cycle; else a late one's messages may
    come twice, or be lost. For clients that are killed or stopped a patient server would wait by the minute. `period`:
    frames of a cycle, at 48 kHz. What it prints goes to `log`.
    """

    def __init__(self, patience: float = 5.0, period: int = 256, log: Path | None = None) -> None:
        jackd = shutil.which("jackd")
        if jackd is None:
            pytest.fail("jackd is missing: install it with `sudo apt-get install jackd2`.")
        self._command = [sys.executable, "-ISc", _ENDING_WITH_US, jackd, "--no-realtime", *_waiting(patience)]
        self._driver = ["-d", "dummy", "-r", "48000", "-p", str(period)]
        self._log = log
        wait_for(self._start, "a place for a JACK server")
        self.variables = {"JACK_DEFAULT_SERVER": self.name, "CONTINUO_MIDI": "jack"}

    def _start(self) -> bool:
        """Start it in a place that is free, if there is one."""
        for place in range(8):
            self._lock = FileLock(Path(tempfile.gettempdir()) / f"continuo-test-jack-{place}.lock", timeout=0)
            try:
                self._lock.acquire()
            except Timeout:
                continue
            self.name = f"continuo-test-{place}"
            if not self._answers():  # else one is left over from tests that were killed
                command = [*self._command, "-n", self.name, *self._driver]
                with open(self._log or os.devnull, "ab") as log:
                    self.process = subprocess.Popen(command, stdout=log, stderr=log)
                wait_for(lambda: self.process.poll() is not None or self._answers(), "the JACK server to start")
                if self.process.poll() is None:
                    return True
            self._lock.release()
        return False

    def _answers(self) -> bool:
        from core.live.jack_watch import _quiet_jack

        jack = _quiet_jack()
        try:
            jack.Client("continuo-test", servername=self.name, no_start_server=True).close()
        except jack.JackOpenError:
            return False
        return True

    def close(self) -> None:
        """End it, with a signal it obeys: one that is killed keeps one of JACK's eight server places."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._lock.release()


def _waiting(patience: float) -> list[str]:
    return ["--sync", "--timeout", f"{1000 * patience:.0f}"] if patience else []


class Listener:
    """A second MIDI program on JACK that records what it receives in `received`.

    `Listener("Contin")` connects to the first port with that in its name, as soon as it is there;
    `Listener(own_port="Synth")` opens an input port of its own for others to play to.
    """

    def __init__(self, part_of_name: str = "", own_port: str = "", timeout: float = WAIT) -> None:
        rtmidi: Any = importlib.import_module("rtmidi")
        self.received: list[Received] = []
        self._arrived = threading.Condition()
        self._client: Any = rtmidi.MidiIn(
            rtmidi.API_UNIX_JACK, name=f"listener-{uuid.uuid4().hex[:6]}", queue_size_limit=100_000
        )
        if own_port:
            self._client.open_virtual_port(own_port)
        else:
            wait_for(lambda: any(part_of_name in p for p in self.ports()), f"port {part_of_name}", timeout)
            index = next(i for i, port in enumerate(self.ports()) if part_of_name in port)
            self._client.open_port(index)
            _wait_for_jack_cycles()  # the connection holds from the next cycle on
        # Not rtmidi's callback: closing the port, it waits for the callback, which waits for Python's lock.
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, name="listener")
        self._reader.start()

    def ports(self) -> list[str]:
        """Names of all ports that can be listened to."""
        return self._client.get_ports()

    @property
    def messages(self) -> list[bytes]:
        with self._arrived:
            return [message for _, message in self.received]

    def take(self) -> list[bytes]:
        """The messages since the last call; they are forgotten."""
        with self._arrived:
            messages = [message for _, message in self.received]
            self.received.clear()
        return messages

    def wait_for(self, is_there: Callable[[list[bytes]], bool], timeout: float = WAIT) -> list[bytes]:
        """Wait until `is_there(messages)`; returns the messages, fails the test if it takes too long."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: is_there([m for _, m in self.received]), timeout):
                pytest.fail(f"only these messages came: {[m.hex() for _, m in self.received]}")
            return [message for _, message in self.received]

    def close(self) -> None:
        self._closing.set()
        self._reader.join()
        self._client.close_port()
        self._client.delete()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _read(self) -> None:
        while not self._closing.wait(0.001):
            while event := self._client.get_message():
                with self._arrived:
                    self.received.append((time.perf_counter(), bytes(event[0])))
                    self._arrived.notify_all()


_CYCLES = """
import time
import jack
client = jack.Client("continuo-test-cycles", no_start_server=True)
before = client.last_frame_time
while client.last_frame_time - before < 3 * client.blocksize:
    time.sleep(0.001)
client.close()
"""


def _wait_for_jack_cycles() -> None:
    """Wait until the default JACK server has gone through three more cycles.

    In a process of its own: in one whose clients come and go, `jack_client_close` was seen to wait for ever for a lock
    of libjack's that no thread held.
    """
    subprocess.run([sys.executable, "-c", _CYCLES], check=True, timeout=WAIT)


def wait_for(is_so: Callable[[], bool], what: str, timeout: float = WAIT) -> None:
    """Look again and again until something is so; fails the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout} s in vain for {what}")
        time.sleep(0.01)


@pytest.fixture(scope="session")
def jack_server() -> Iterator[JackServer]:
    """The one JACK server of this run. Use `jack` in tests."""
    with use_of_jack():
        server = JackServer()
    yield server
    with use_of_jack():
        server.close()


@pytest.fixture
def jack(jack_server: JackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A running JACK server; this process uses it, and so does a child given the returned environment."""
    with use_of_jack():
        for name, value in jack_server.variables.items():
            monkeypatch.setenv(name, value)
        yield dict(os.environ)


@pytest.fixture
def mortal_jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A JACK server of the test's own, for it to close; this process uses it."""
    with own_server(monkeypatch) as server:
        yield server


@pytest.fixture
def hasty_jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A JACK server of the test's own that waits for no client, so that they can be killed; this process uses it."""
    with own_server(monkeypatch, patience=0.0) as server:
        yield server


@contextlib.contextmanager
def own_server(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> Iterator[JackServer]:
    """A JACK server that this process uses, for what would disturb the clients of others."""
    with use_of_jack():
        server = JackServer(**arguments)
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        try:
            yield server
        finally:
            server.close()


@contextlib.contextmanager
def use_of_jack() -> Iterator[None]:
    """All JACK servers of a user share memory and a database of names, by which a server that comes or goes or a
    client that is killed makes clients of other servers fail. So one test on this machine uses JACK at a time.
    """
    import fcntl  # not on Windows

    with open(Path(tempfile.gettempdir()) / "continuo-test-jack.lock", "w") as room:
        fcntl.flock(room, fcntl.LOCK_EX)
        yield


@pytest.fixture(autouse=True)
def same_seeds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds that nobody has chosen are a test's own, the same each time: else it may fail once in a hundred runs."""
    monkeypatch.setattr(secrets, "randbelow", random.Random(request.node.nodeid).randrange)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test that leaves a child process or a thread that would keep Python from ending."""
    before, threads = children(), set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in threads and not t.daemon]
    # A thread that asks for ports may be on its way, and a process that was killed takes its time to go.
    deadline = time.monotonic() + WAIT
    while (there := _living_children(before) | {t.name for t in _our_threads() - threads}) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.01)
    left += there
    if left:
        pytest.fail(f"left behind: {', '.join(left)}")


def _living_children(before: set[int]) -> set[str]:
    """The children that have come since `before`; of those that were killed, the ones that have ended are let go of."""
    multiprocessing.active_children()
    return {str(pid) for pid in children() - before}


def _our_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("continuo")}


def children() -> set[int]:
    """This process's children, but for multiprocessing's own helper, which stays until the end."""
    pids: set[int] = set()
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has just ended, and its children are another thread's now
            pids.update(map(int, file.read_text().split()))
    return pids - {getattr(resource_tracker._resource_tracker, "_pid", None)}  # type: ignore[attr-defined]
