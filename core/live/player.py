"""Player: the app's side of the process that plays."""

import atexit
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import resource_tracker
from queue import SimpleQueue
from typing import Any

from core.errors import ContinuoError, WriteError
from core.live import player_process
from core.live.outputs import ExistingPort, OutputChoice, VirtualPort
from core.live.player_process import STATE_COMMANDS
from core.live.scheduler import DEFAULT_CUSHION, Message, PlayerStatus
from core.live.sounding_record import RECORD_BYTES, recorded

OPENING_TIMEOUT = 30.0  # seconds for the process to start and open its output
CLOSING_TIMEOUT = 6.0  # seconds for an orderly end; a slow JACK may take three of them to deliver what was sent
LAST_RESORT = 2.0  # seconds between SIGTERM and SIGKILL
STANDS_STILL = 6.0  # seconds without a sign of life after which a player counts as lost
RELEASE_PATIENCE = 3.0  # seconds for a listener to come back to a port that was lost with its player
RELEASE_ATTEMPTS = 3  # as the player that is opened for it may be lost like the first
RELEASE_AGAIN = 8.0  # seconds after which there is no other attempt: where JACK hangs, each takes longer
_LOOK_EVERY = 0.5  # seconds between looks at whether there was one
CHUNK = 256  # messages per pipe message, so that reading one never holds up the sound

_start_lock = threading.Lock()
_players: "weakref.WeakSet[Player]" = weakref.WeakSet()


class Player:
    """Plays timed messages to one output, from a process of its own. A context manager.

    The output is open from the constructor to `close`. Commands return at once, even if the process stands still: a
    thread of the player's own hands them over. What came of them stands in `status()`. Music comes in by `start`, then
    `feed` as it is sampled, then `finish`; it plays once what is sampled will last. Any method raises ContinuoError
    when the player has died, has stood still for STANDS_STILL seconds, or its output is gone. Safe to use from several
    threads.
    """

    def __init__(self, choice: OutputChoice, release: Iterable[bytes] = ()) -> None:
        """Start the process and open the output; raises what `open_output` raises.

        `release` is the `left_sounding` of a player that was lost: it is sent as soon as something listens here.
        """
        self.choice = choice
        self.description = ""  # of the output, for the user
        self._changed = threading.Condition()
        self._commands: SimpleQueue[tuple[Any, ...]] = SimpleQueue()  # to be sent by the sender thread, in order
        self._asking = threading.Lock()
        self._status = PlayerStatus()
        self._asked = 0  # commands sent that change the state; see PlayerStatus.answered
        self._error: ContinuoError | None = None
        self._gone = False
        self._closed = False
        self._release = tuple(release)
        context = multiprocessing.get_context("spawn")
        self._record: Sequence[int] = context.RawArray("B", RECORD_BYTES)
        self._pipe, theirs = context.Pipe(duplex=True)
        _players.add(self)
        self._process = context.Process(
            target=player_process.run,
            args=(theirs, choice, self._record, self._release),
            name="continuo-player",
            daemon=True,
        )
        try:
            try:
                resource_tracker.ensure_running()  # starting it in there, Python up to 3.11 would let signals in again
                with _start_lock, _without_main_module(), _signals_blocked():
                    self._process.start()
            finally:
                theirs.close()
            self.description, connected = self._receive_opening()
            self._status = PlayerStatus(connected=connected, is_releasing=bool(self._release))
        except BaseException:
            self._end_process(0.5)
            self._let_go()
            raise
        self._listener = threading.Thread(target=self._listen, name="continuo-player-news", daemon=True)
        self._sender = threading.Thread(target=self._send_commands, name="continuo-player-commands", daemon=True)
        self._listener.start()
        self._sender.start()
        atexit.register(self.close)

    # Music

    def start(
        self,
        at: float = 0.0,
        length: float | None = None,
        cushion: float = DEFAULT_CUSHION,
        rate: float | None = None,
    ) -> None:
        """Begin a song at song time `at` (seconds), forgetting any other; see `Scheduler.start`."""
        self._command("start", at, length, cushion, rate)

    def feed(self, messages: Sequence[Message], head: float) -> None:
        """Append messages, in order of time; music is now sampled up to `head` (song seconds)."""
        for place in range(0, len(messages), CHUNK):
            rest = messages[place + CHUNK : place + CHUNK + 1]
            self._command("feed", messages[place : place + CHUNK], rest[0][0] if rest else head)
        if not messages:
            self._command("feed", (), head)

    def finish(self, end: float) -> None:
        """Nothing more comes; the song ends at `end` (song seconds)."""
        self._command("finish", end)

    def clear_after(self, time: float, length: float | None = None) -> None:
        """Drop what was fed from song time `time` on, so that another future, `length` seconds long, can be fed."""
        self._command("clear_after", time, length)

    # The listener's wishes

    def stop(self) -> None:
        """Silence and stand still; the output stays open and `resume` goes on from here."""
        self._command("stop")

    def resume(self) -> None:
        """Go on from where `stop` stood still."""
        self._command("resume")

    def send_now(self, message: bytes) -> None:
        """Send one message at once, such as the note that was clicked."""
        self._command("send_now", message)

    def panic(self) -> None:
        """Stop, and send CC 64 = 0 and CC 123 on all 16 channels, used or not."""
        self._command("panic")

    # News

    def status(self) -> PlayerStatus:
        """The latest news; never waits, and never raises (see its `problem`)."""
        with self._changed:
            if not self._gone:
                return self._status
            problem = str(self._error) if self._error else "" if self._closed else self._unexpected()
            return replace(self._status, state="stopped", problem=problem)

    @property
    def is_settled(self) -> bool:
        """Whether `status()` tells of the time after every command that was given."""
        with self._changed:
            return self._status.answered == self._asked

    def is_connected(self) -> bool | None:
        """Whether anything listens to the output (news at most 0.25 s old); None if nobody can tell."""
        self._raise_if_gone()
        return self.status().connected

    def left_sounding(self) -> list[bytes]:
        """What ends all that a lost player may have left sounding at its listener; empty if it ended in order.

        For another player at the same output, as its `release`.
        """
        with self._changed:
            left = recorded(self._record).silence()
            return left + [m for m in self._release if self._status.is_releasing and m not in left]

    def wait_until_ended(self, timeout: float | None = None) -> bool:
        """Wait until the song has ended or was stopped; False if `timeout` (seconds) passed first."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._changed:
                self._raise_if_gone()
                if self.is_settled and self._status.state in ("ended", "stopped"):
                    return True
                left = 0.5 if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    return False
                # In short pieces: on Windows a longer wait would not notice Ctrl-C.
                self._changed.wait(min(left, 0.5))

    # The end

    def close(self) -> None:
        """Silence everything, close the output, end the process. Never hangs; does nothing twice.

        Raises WriteError if the output was a file that could not be written.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        self._commands.put(("close",))
        self._end_process(CLOSING_TIMEOUT)
        # The other end is closed, so they have ended or are about to, unless not even a kill has ended the process.
        self._listener.join(LAST_RESORT)
        self._sender.join(LAST_RESORT)
        self._let_go()
        if isinstance(self._error, WriteError):
            raise self._error

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self.close()
        except ContinuoError:
            if kind is None:  # else the first error is the one to hear of
                raise

    # Inside

    def _command(self, name: str, *arguments: Any) -> None:
        self._raise_if_gone()
        with self._asking:
            # Counted first: an answer may come before the next line is through.
            self._asked += name in STATE_COMMANDS
            self._commands.put((name, *arguments))

    def _raise_if_gone(self) -> None:
        if self._closed:
            raise ContinuoError("The player is closed.")
        if self._gone:
            raise self._error or ContinuoError(self._unexpected())

    def _unexpected(self) -> str:
        return "The player has ended unexpectedly."

    def _receive_opening(self) -> tuple[str, bool | None]:
        """The output's description, and whether anything listens to it already."""
        late = ContinuoError("The output did not open in time.")
        if not self._pipe.poll(OPENING_TIMEOUT):
            raise late
        try:
            opened = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(LAST_RESORT)
            if sys.platform != "win32" and self._process.exitcode == -signal.SIGALRM:
                raise late from error
            raise ContinuoError("The player could not be started.") from error
        if isinstance(opened, ContinuoError):
            raise opened
        return opened

    def _send_commands(self) -> None:
        """The sender thread: commands to the process, until it is told to close or is gone."""
        with suppress(OSError):
            while command := self._commands.get():
                self._pipe.send(command)
                if command == ("close",):
                    return

    def _listen(self) -> None:
        """The listener thread: news from the process until its end of the pipe closes, or it stands still."""
        with suppress(EOFError, OSError):
            silent = 0.0  # counted, as clocks run on while the app itself is suspended
            while silent < STANDS_STILL or self._closed:
                if not self._pipe.poll(_LOOK_EVERY):
                    silent += _LOOK_EVERY
                    continue
                silent = 0.0
                news = self._pipe.recv()
                with self._changed:
                    if isinstance(news, PlayerStatus):
                        self._status = news
                    else:
                        self._error = news
                    self._changed.notify_all()
            self._process.kill()  # nothing less ends one that the system has stopped
            self._error = self._error or ContinuoError("The player stands still and takes nothing any more.")
        with self._changed:
            self._gone = True
            self._changed.notify_all()
        self._commands.put(())  # the sender has nothing to wait for

    def _end_process(self, patience: float) -> None:
        if self._process.pid is None:
            return
        self._process.join(patience)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(LAST_RESORT)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(LAST_RESORT)

    def _let_go(self) -> None:
        """Give back what the system keeps for pipe, record and process, now: a collection of garbage may never come."""
        self._record = bytes(self._record)
        self._pipe.close()
        if not self._process.is_alive():
            self._process.close()


def release_left(left: Sequence[bytes], choice: OutputChoice) -> str:
    """End what a player that was lost, and is closed, has `left_sounding` at its port: through another one, opened for
    that.

    Returns a sentence if it may sound on: a connection to a virtual port is lost with the player, and who listens has
    to make it again. Takes up to RELEASE_PATIENCE seconds for each attempt, and the time to open the port.
    """
    if not left or not isinstance(choice, VirtualPort | ExistingPort):
        return ""
    last = time.monotonic() + RELEASE_AGAIN
    for attempt in range(RELEASE_ATTEMPTS):
        if attempt and time.monotonic() > last:
            break
        with suppress(ContinuoError):
            if _is_released(left, choice):
                return ""
            break  # nobody listens
    return "Notes may sound on at whatever listened, as the connection was lost: silence them there."


def _is_released(left: Sequence[bytes], choice: OutputChoice) -> bool:
    """Whether somebody who listens at the port has got what ends the notes. Raises ContinuoError if it is lost, too."""
    with Player(choice, left) as player:
        deadline = time.monotonic() + RELEASE_PATIENCE
        while time.monotonic() < deadline:
            status = player.status()
            if status.problem:
                raise ContinuoError(status.problem)
            if status.connected is not None and not status.is_releasing:
                return True
            time.sleep(0.05)
    return False


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Keep a spawned process from importing the app's main script, which it has no use for.

    It would cost the player's start whatever the app imports; multiprocessing looks for the script in
    `sys.modules["__main__"]` while a process starts.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Let nothing break the start of a process off half-way, and the process inherit blocked signals.

    Neither Ctrl-C nor the closing of the terminal must end it: those are for the app. SIGTERM it lets in itself.
    """
    if sys.platform == "win32":
        yield
        return
    blocked = {signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_pipes_alone() -> None:
    """In a forked child of the app: close its copies of our pipes, which would hide the app's end."""
    for player in _players:
        player._pipe.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_pipes_alone)
