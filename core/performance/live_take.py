"""A take that is heard while it is sampled: on which channels it plays, and what plays beside it."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from core.codec.events import NoteMessage
from core.midi.messages import DEFAULT_RELEASE, NOTE_OFF, NOTE_ON, is_note, kind
from core.session.timeline import Timed

if TYPE_CHECKING:
    from core.performance.song import Song


_AT_ONCE = 0.001  # seconds: notes that lie so close before the head are given out with what is sampled next


class Router(Protocol):
    """Turns what is sampled into MIDI messages. Nothing else says on which channel a note of a take plays."""

    @property
    def setup(self) -> Sequence[bytes]:
        """What sets up its sounds, sent before its first note."""
        ...

    def route(self, messages: Sequence[NoteMessage]) -> list[Timed]:
        """The messages of one sampled event, in order of time; seconds from the marker."""
        ...


def note_message(channel: int, pitch: int, velocity: int) -> bytes:
    """A note-on, or with velocity 0 a note-off."""
    return bytes((NOTE_ON | channel, pitch, velocity) if velocity else (NOTE_OFF | channel, pitch, DEFAULT_RELEASE))


@dataclass(frozen=True, slots=True)
class TakeStart:
    """A take that is about to be sampled: where in the score, for how long (None: without end), by which router.

    `accompaniment` is what plays beside it, such as the clicks of a metronome, in order of score seconds; `rate` how
    many seconds of music the model is known to make in a second, if that is known.
    """

    marker: float
    seconds: float | None
    router: Router
    accompaniment: Iterable[Timed] = ()
    rate: float | None = None


def _merged(sampled: Iterable[Timed], beside: Iterable[Timed]) -> list[Timed]:
    """Both, in order of time. At one time ends of sampled notes come first, then what is beside, then note-ons."""
    ranked = [((time, 1), message) for time, message in beside]
    struck = -inf
    for time, message in sampled:
        if kind(message) == NOTE_ON:
            struck = time
        ranked.append(((time, 2 if time == struck else 0), message))
    return [(time, message) for (time, _), message in sorted(ranked, key=lambda each: each[0])]


class DueMessages:
    """Timed messages that are given out as far as a head, which moves on.

    Notes at the head itself are not due yet. Controls are: a note that is sampled there needs them.
    """

    def __init__(self, messages: Iterable[Timed], head: float = -inf) -> None:
        self._messages: Iterator[Timed] = iter(messages)
        self._next: Timed | None = None
        self._has_begun = False
        self._head = head

    def begin(self) -> None:
        """Take the first message from the iterator, once: a large song is laid out then, which takes long."""
        if not self._has_begun:
            self._has_begun = True
            self._next = next(self._messages, None)

    def until(self, head: float) -> list[Timed]:
        """Those before `head`, and controls at it, that were not given out yet."""
        due: list[Timed] = []
        self.begin()
        while self._next is not None:
            time, message = self._next
            if time > head if not is_note(message) else time >= head - _AT_ONCE:
                break
            due.append((max(time, self._head), message))
            self._next = next(self._messages, None)
        self._head = max(self._head, head)
        return due

    def replaced(self, messages: Iterable[Timed]) -> "DueMessages":
        """Another set of messages, in order of time, to go on with from the head."""
        return DueMessages((message for message in messages if message[0] >= self._head - _AT_ONCE), self._head)


class LiveTake:
    """A take on its way to the player. What is sampled before it begins to play waits here.

    `more(take)` is called, with the lock held, whenever there is something for the player.
    """

    def __init__(self, start: TakeStart, lock: threading.RLock, more: "Callable[[LiveTake], None]") -> None:
        self.start = start
        self.song: Song | None = None  # that it is a part of, once it has begun
        self.seconds: float | None = None  # that it lasts, once all of it is sampled
        self._lock = lock
        self._more = more
        self._waiting: list[tuple[Sequence[NoteMessage], float]] = []
        self._beside = DueMessages(start.accompaniment)

    def feed(self, messages: Sequence[NoteMessage], head: float) -> None:
        """Take in the messages of one event, with which the take is sampled up to `head` seconds. Never waits."""
        self._beside.begin()  # before anyone has to wait for the lock
        with self._lock:
            self._waiting.append((messages, head))
            self._more(self)

    def finish(self, seconds: float, accompaniment: Iterable[Timed] | None = None) -> None:
        """The take is sampled to its end and lasts so many seconds. Never waits for the player.

        `accompaniment` is what plays beside it from now on, if that is something else than before.
        """
        self._beside.begin()
        beside = None if accompaniment is None else list(accompaniment)  # laid out before anyone has to wait
        with self._lock:
            self.seconds = seconds
            if beside is not None:
                self._beside = self._beside.replaced(beside)
            self._more(self)

    def due(self) -> Iterator[tuple[list[Timed], float]]:
        """Give out what waits, event by event: messages and head, in score seconds."""
        marker = self.start.marker
        waiting, self._waiting = self._waiting, []
        for messages, head in waiting:
            routed = [(marker + time, message) for time, message in self.start.router.route(messages)]
            if beside := self._beside.until(marker + head):
                routed = _merged(routed, beside)
            yield routed, marker + head

    def rest(self) -> list[Timed]:
        """Give out what is left of what plays beside it: what comes behind the take."""
        return self._beside.until(inf)

    def drop(self) -> None:
        """Forget what waits: the take is not heard any more."""
        self._waiting.clear()
