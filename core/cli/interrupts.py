"""Ctrl-C, SIGTERM and the closing of the terminal: they end a command in order, and pressing twice loses nothing."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType

NUMBERS = [signal.SIGINT, signal.SIGTERM]
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # which nohup sets
    NUMBERS.append(signal.SIGHUP)
AGAIN = 2.0  # seconds in which further signals mean the same wish as the first


def raise_once() -> None:
    """From here on each of them raises KeyboardInterrupt, and those that follow at once do nothing more."""
    last = float("-inf")

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > AGAIN:
            last = now
            raise KeyboardInterrupt

    for number in NUMBERS:
        signal.signal(number, handler)


def ignore() -> None:
    """From here on none does anything: the process is about to end."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def noted() -> Iterator[Event]:
    """While it lasts, none breaks anything off: the event is set, and what runs looks at it."""
    came = Event()
    before = {number: signal.signal(number, lambda *_: came.set()) for number in NUMBERS}
    try:
        yield came
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def told_at_once(tell: Callable[[], None]) -> Iterator[None]:
    """While it lasts, each of them also calls `tell`, on a thread of its own.

    The handlers themselves wait until the main thread is back from torch, in which a backward pass takes many seconds.
    """
    ours, pythons = socket.socketpair()
    pythons.setblocking(False)  # as set_wakeup_fd wants it

    def listen() -> None:
        while numbers := ours.recv(16):
            for _ in filter(NUMBERS.__contains__, numbers):
                tell()

    thread = Thread(target=listen, name="continuo-signals", daemon=True)
    before = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        pythons.close()
        thread.join()
        ours.close()


@contextmanager
def put_off() -> Iterator[None]:
    """While it lasts, none breaks anything off; what came then counts at its end.

    For the imports that load torch: in the middle of them an exception may be lost, or crash the process.
    """
    with noted() as came:
        yield
    if came.is_set():
        raise KeyboardInterrupt
