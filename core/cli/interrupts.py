"""Ctrl-C and SIGTERM: they end a command in order, and pressing twice loses nothing."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 2.0  # seconds in which further signals mean the same wish as the first


def raise_once() -> None:
    """From here on either signal raises KeyboardInterrupt, and those that follow at once do nothing more."""
    last = float("-inf")

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > AGAIN:
            last = now
            raise KeyboardInterrupt

    for number in _NUMBERS:
        signal.signal(number, handler)


def ignore() -> None:
    """From here on neither does anything: the process is about to end."""
    for number in _NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def noted() -> Iterator[Event]:
    """While it lasts, neither breaks anything off: the event is set, and what runs looks at it."""
    came = Event()
    before = {number: signal.signal(number, lambda *_: came.set()) for number in _NUMBERS}
    try:
        yield came
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def put_off() -> Iterator[None]:
    """While it lasts, neither breaks anything off; what came then counts at its end.

    For the imports that load torch: in the middle of them an exception may be lost, or crash the process.
    """
    with noted() as came:
        yield
    if came.is_set():
        raise KeyboardInterrupt
