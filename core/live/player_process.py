"""The child process that plays: scheduler and output, sleeping to absolute deadlines.

It shares nothing with the app but a pipe, so neither the model nor the screen can make it late, and it
outlives them: when the pipe closes, even by `kill -9` of the app, on SIGTERM and on any exception it
ends all that sounds. What a terminal sends to both (Ctrl-C, and when it is closed) it does not heed: the
app decides.

Over the pipe come tuples `(command, *arguments)`; back go the output's description once it is open
and whether it is connected, then PlayerStatus, and a ContinuoError when something ends it. A status comes every
_LOOK_EVERY seconds at least, so that the app knows a player that stands still from one with nothing to say.

A MIDI or sound server that hangs may never return from a call. Then the system ends the process after HUNG seconds
by its alarm clock (not on Windows), which needs neither Python nor Python's lock; so it never outlives the app by more.
"""

import gc
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable, MutableSequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from core.errors import ContinuoError
from core.live.outputs import MidiOutput, OutputChoice, open_output, panic
from core.live.scheduler import PlayerStatus, Scheduler
from core.live.sounding import Sounding
from core.live.sounding_record import LOOKS, SoundingRecord, still_wanted

REPORT_EVERY = 0.05  # seconds between statuses while a song is on
_LOOK_EVERY = 0.25  # seconds between looks at the output (connected? gone?)
_BUSY = 0.002  # with a message due sooner than this, reporting waits ...
LATEST_REPORT = 0.1  # ... but no longer than this
LAST_CLOSE = 1.0  # seconds that a failed output is given to close
LOSING = 1.2  # seconds to wait, at the end, for a JACK that loses cycles to come to rest
HUNG = 10.0  # seconds in one call of the output, or in ending, after which the process is ended
STATE_COMMANDS = ("start", "stop", "resume", "clear_after", "panic")


class _Terminated(BaseException):
    """SIGTERM came."""


def run(pipe: Connection, choice: OutputChoice, record: MutableSequence[int], release: Iterable[bytes]) -> None:
    """The child's whole life: open the output, obey commands until told to close or left alone.

    `record` tells the app what may sound (see sounding_record). `release` is what another player left sounding there:
    it is ended as soon as somebody listens.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGALRM})
    _end_if_hung(HUNG)
    _hush_libraries()
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.winmm.timeBeginPeriod(1)  # else sleeps end on a 15.6 ms grid
    try:
        output = open_output(choice)
    except ContinuoError as error:
        pipe.send(error)
        return
    what_sounds = SoundingRecord(record)
    loop = _Loop(pipe, output, what_sounds, tuple(release))
    error: ContinuoError | None = None
    try:
        signal.signal(signal.SIGTERM, _on_sigterm)
        pipe.send((output.description, output.is_connected()))
        # Nothing here makes reference cycles, so no collection ever has to delay a message.
        gc.freeze()
        gc.disable()
        _ask_for_priority()
        loop.run()
    except (_Terminated, EOFError, OSError):
        pass  # asked to end, or the app is gone: both end below
    except ContinuoError as problem:
        error = problem
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_if_hung(HUNG)
        _silence(output, loop.scheduler.sounding, what_sounds)
        if error is None:
            what_sounds.clear()
        _tell(pipe, error)
        if error is None:
            _tell(pipe, _close(output))
        else:  # the close of a JACK client whose server has gone sometimes never returns
            closing = threading.Thread(target=_close, args=(output,), daemon=True)
            closing.start()
            closing.join(LAST_CLOSE)


def _silence(output: MidiOutput, sounding: Sounding, record: SoundingRecord) -> None:
    """End all that sounds, and once more when that is delivered: on a busy machine a JACK cycle may be lost.

    Where one was lost, the ends of what ended just before are sent again, too, when no more are lost.
    """
    again = sounding.copy()
    panic(output, sounding)
    if again.channels and output.deliver():
        panic(output, again)
    if output.has_lost_cycles():
        last = time.monotonic() + LOSING
        while output.has_lost_cycles() and time.monotonic() < last:
            output.deliver()
        with suppress(ContinuoError):
            for message in record.ended(sounding):
                output.send(message)


def _end_if_hung(seconds: float) -> None:
    """Let the system end the process in so many seconds unless it is called again; 0: never."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _close(output: MidiOutput) -> ContinuoError | None:
    """Close the output: what went wrong with it, if anything did."""
    try:
        output.close()
    except ContinuoError as problem:
        return problem
    return None


def _tell(pipe: Connection, error: ContinuoError | None) -> None:
    if error is not None:
        with suppress(OSError):
            pipe.send(error)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    raise _Terminated


def _ask_for_priority() -> None:
    """On a machine whose cores are all busy a wake-up may come milliseconds late: go first, if allowed to.

    Linux grants this to members of its audio group; others play with the ordinary priority.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def _hush_libraries() -> None:
    """Keep what C libraries (JACK, ALSA, PulseAudio) print on stderr away; Python's own still gets there."""
    sys.stderr.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


class _Loop:
    """Wait for the next deadline or command, whichever is first; report in between."""

    def __init__(
        self, pipe: Connection, output: MidiOutput, record: SoundingRecord, release: tuple[bytes, ...]
    ) -> None:
        self._pipe = pipe
        self._output = output
        self._record = record
        self._release = release  # of another player, until somebody has got it
        self._attempts = 0  # to end it, since somebody listens
        self.scheduler = Scheduler(self._send, time.perf_counter)
        self._answered = 0
        self._reported = PlayerStatus()
        self._next_report = 0.0
        self._next_look = 0.0
        self._connected: bool | None = None

    def run(self) -> None:
        """Until `close` comes. Raises EOFError when the app is gone, ContinuoError when the output is."""
        while True:
            _end_if_hung(HUNG)
            due = self.scheduler.tick()
            due = math.inf if due is None else due
            now = time.perf_counter()
            if self._is_report_due(now, due):
                self._report(now)
            _end_if_hung(0)
            if _wait(self._pipe, min(due, self._next_report) - time.perf_counter()):
                command, *arguments = self._pipe.recv()
                if command == "close":
                    return
                _end_if_hung(HUNG)
                self._obey(command, arguments)

    def _send(self, message: bytes) -> None:
        self._record.add(message)
        self._output.send(message)

    def _obey(self, command: str, arguments: list[Any]) -> None:
        self._answered += command in STATE_COMMANDS
        if command == "panic":
            self.scheduler.sounding.channels.update(range(16))
            command = "stop"
        getattr(self.scheduler, command)(*arguments)

    def _is_report_due(self, now: float, due: float) -> bool:
        if self.scheduler.state != self._reported.state or self._answered != self._reported.answered:
            return True
        return now >= self._next_report and (due - now > _BUSY or now > self._next_report + LATEST_REPORT)

    def _report(self, now: float) -> None:
        is_look = now >= self._next_look
        if is_look:
            self._next_look = now + _LOOK_EVERY
            self._connected = self._output.is_connected()
            if problem := self._output.problem():
                raise ContinuoError(problem)
            is_lossy = self._output.has_lost_cycles()
            self._release_others(is_lossy)
            if is_lossy:
                for message in self._record.ended(self.scheduler.sounding):
                    self._output.send(message)
            self._record.age(self.scheduler.sounding)
        status = replace(
            self.scheduler.status(),
            connected=self._connected,
            answered=self._answered,
            is_releasing=bool(self._release),
        )
        is_moving = status.state in ("waiting", "playing", "holding")
        self._next_report = now + (REPORT_EVERY if is_moving else _LOOK_EVERY)
        if (status != self._reported or is_look) and _has_room(self._pipe):
            self._pipe.send(status)
            self._reported = status

    def _release_others(self, is_lossy: bool) -> None:
        """End what another player left sounding, twice: a connection just made may not carry messages yet.

        And again while messages may be lost, LOOKS times at most.
        """
        if not self._release or self._connected is False:
            self._attempts = 0
            return
        for message in still_wanted(self._release, self.scheduler.sounding):
            self._output.send(message)
        self._attempts += 1
        if self._attempts >= (LOOKS if is_lossy else 2):
            self._release = ()


def _wait(pipe: Connection, seconds: float) -> bool:
    """Whether something can be read within `seconds`; returns as exactly on time as the system can."""
    seconds = max(0.0, seconds)
    if sys.platform != "win32":
        # Not pipe.poll: it rounds to milliseconds.
        return bool(select.select([pipe.fileno()], [], [], seconds)[0])
    if pipe.poll(max(0.0, seconds - _BUSY)):
        return True
    if seconds > 0:
        time.sleep(min(seconds, _BUSY))
    return pipe.poll(0)


def _has_room(pipe: Connection) -> bool:
    """Whether a status can be sent without waiting for the app to read (it may have been suspended)."""
    return sys.platform == "win32" or bool(select.select([], [pipe.fileno()], [], 0)[1])
