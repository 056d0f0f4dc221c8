"""A timed queue that is fed while it plays, against a clock that is passed in. Pure logic, no sleeping.

Two clocks: wall time (the injected clock, seconds) and song time (seconds of music). While the song
plays they run side by side from an anchor. When the sound reaches the sampling head, song time stops
there and goes on once what is sampled will last again: music is stretched by a hold, never rushed.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from core.live.lateness import Lateness
from core.live.sounding import Sounding

Message = tuple[float, bytes]  # (song time in seconds, the bytes of one MIDI message)
State = Literal["stopped", "waiting", "playing", "holding", "ended"]

DEFAULT_CUSHION = 0.2  # seconds of music ahead of the playhead that a fast sampler must have
CAUTION = 0.95  # the sampler is taken to be this much slower than measured
RATE_WINDOW = 10.0  # wall seconds over which the sampling rate is measured
RATE_STEP = 0.05  # wall seconds between the arrivals that are remembered for it
SHORTEST_MEASURE = 0.03  # wall seconds of arrivals below which nothing is concluded ...
FIRM_MEASURE = 0.5  # ... and below which a rate that is known beforehand counts for more
UNBROKEN = 60.0  # with unlimited length and a slow sampler: seconds to play without a hold ...
LONGEST_LEAD = 8.0  # ... for which at most this much music is waited for


@dataclass(frozen=True, slots=True)
class PlayerStatus:
    """What a player is doing. Times are song seconds, lateness is measured at the send call.

    `ahead` is what is sampled beyond the playhead. `sent`, `underruns` and lateness count from the
    last start. `connected` is None where the system cannot tell. `problem` is a sentence, or empty.
    `wait` is in about how many seconds the sound will begin or go on, None where nobody knows or it sounds.
    `answered` counts the commands obeyed that change the state, to tell old news from new. `is_releasing`: what another
    player left sounding is to be ended yet, as nobody listens.
    """

    state: State = "stopped"
    position: float = 0.0
    head: float = 0.0
    ahead: float = 0.0
    wait: float | None = None
    underruns: int = 0
    late_ms_p50: float = 0.0
    late_ms_p99: float = 0.0
    sent: int = 0
    connected: bool | None = None
    problem: str = ""
    answered: int = 0
    is_releasing: bool = False


class Scheduler:
    """Sends each message through `send` when its song time has come by `clock` (wall seconds).

    `tick` does what is due and says when to call it next; nothing else sends by itself.
    Whatever `send` raises goes through to the caller.
    """

    def __init__(self, send: Callable[[bytes], None], clock: Callable[[], float]) -> None:
        self._send = send
        self._clock = clock
        self.sounding = Sounding()
        self.state: State = "stopped"
        self._reset(0.0, None, DEFAULT_CUSHION)

    def _reset(self, at: float, length: float | None, cushion: float, rate: float | None = None) -> None:
        self.underruns = 0
        self.late = Lateness()
        self.head = at
        self._queue: deque[Message] = deque()
        self._last_fed = at
        self._limit = None if length is None else at + length  # where sampling will end, if known
        self._end: float | None = None  # where the song ends, once nothing more comes
        self._cushion = cushion
        self._known_rate = rate
        self._shortest_measure = SHORTEST_MEASURE if rate is None else FIRM_MEASURE
        self._anchor_song = at
        self._anchor_wall = 0.0
        self._arrivals: deque[tuple[float, float]] = deque()  # (wall, head)

    # What comes from the sampler

    def feed(self, messages: Iterable[Message], head: float) -> None:
        """Append messages, in order of time; music is now sampled up to `head` (song seconds)."""
        for message in messages:
            self._queue.append(message)
            self._last_fed = max(self._last_fed, message[0])
        self.head = max(self.head, head)
        now = self._clock()
        arrivals = self._arrivals
        # The newest entry is overwritten until it is a step away from the one before it.
        if len(arrivals) >= 2 and now - arrivals[-2][0] < RATE_STEP:
            arrivals.pop()
        arrivals.append((now, self.head))
        while len(arrivals) > 2 and now - arrivals[0][0] > RATE_WINDOW:
            arrivals.popleft()

    def finish(self, end: float) -> None:
        """Nothing more comes; the song ends at `end`, or with its last message if that is later."""
        self._end = self.head = max(end, self._last_fed)

    # What the listener wants

    def start(
        self,
        at: float = 0.0,
        length: float | None = None,
        cushion: float = DEFAULT_CUSHION,
        rate: float | None = None,
    ) -> None:
        """Begin a song at song time `at`: forget what was fed, wait for music, play when it will last.

        `length` is the number of seconds that will be sampled, None if unlimited. `cushion` is how much
        music (seconds) must lie ahead however fast the sampler: the longest pause it may make. `rate` is how many
        seconds of music the sampler is known to make in a second, if that is known.
        """
        self.silence()
        self._reset(at, length, cushion, rate)
        self.state = "waiting"

    def stop(self) -> None:
        """Silence, and stand still; what was fed is kept for `resume`."""
        self._freeze("stopped")
        self.silence()

    def resume(self) -> None:
        """Go on from where `stop` stood still; does nothing in any other state."""
        if self.state == "stopped":
            self.state = "waiting"

    def clear_after(self, time: float, length: float | None = None) -> None:
        """Drop the music from `time` on (not what has been played), so that another can be fed.

        Notes that would sound at that moment get their note-offs there. `length` is the number of seconds
        that will be sampled from there on, None if unlimited.
        """
        position = self.position
        cut = max(time, position)
        while self._queue and self._queue[-1][0] >= cut:
            self._queue.pop()
        sounding = self.sounding.copy()
        for _, message in self._queue:
            sounding.follow(message)
        self._queue.extend((cut, release) for release in sounding.releases())
        self.head = min(self.head, cut)
        self._last_fed = cut
        self._end = None
        self._limit = None if length is None else cut + length
        self._arrivals.clear()
        if cut <= position and self.state in ("playing", "holding", "ended"):
            while self._queue:
                self.send_now(self._queue.popleft()[1])
            self._freeze("waiting")

    def send_now(self, message: bytes) -> None:
        """Send one message at once, whatever plays; its note is among those that `silence` ends."""
        # Followed first: if the send is interrupted half-way, an extra note-off harms nobody.
        self.sounding.follow(message)
        self._send(message)

    def silence(self) -> None:
        """End all that sounds: note-offs, CC 64 = 0 and CC 123."""
        for message in self.sounding.silence():
            self._send(message)
        self.sounding.clear()

    # The clock

    @property
    def position(self) -> float:
        """The playhead, in song seconds."""
        if self.state != "playing":
            return self._anchor_song
        position = self._anchor_song + self._clock() - self._anchor_wall
        return min(position, self.head if self._end is None else self._end)

    def tick(self) -> float | None:
        """Do what is due. Returns the wall time at which to call again, None if only a command can matter."""
        if self.state in ("waiting", "holding"):
            now = self._clock()
            if not self._will_last(now):
                return self._next_verdict(now)
            self._anchor_wall = now
            self.state = "playing"
        if self.state != "playing":
            return None
        # Until all is sampled, messages at the head itself wait: more of their chord may come.
        while self._queue and (self._end is not None or self._queue[0][0] < self.head):
            due = self._due(self._queue[0][0])
            now = self._clock()
            if now < due:
                return due
            message = self._queue.popleft()[1]
            self.sounding.follow(message)
            self.late.add(now - due)
            self._send(message)
        return self._at_head() if self._end is None else self._at_end(self._end)

    def _at_head(self) -> float | None:
        due = self._due(self.head)
        if self._clock() < due:
            return due
        self.underruns += 1
        self._anchor_song = self.head
        self.state = "holding"
        return None

    def _at_end(self, end: float) -> float | None:
        due = self._due(end)
        if self._clock() < due:
            return due
        self._anchor_song = end
        self.state = "ended"
        self.silence()
        return None

    def _due(self, song: float) -> float:
        return self._anchor_wall + (song - self._anchor_song)

    def _freeze(self, state: State) -> None:
        self._anchor_song = self.position
        self.state = state

    # The start gate

    def _rate(self, now: float) -> float | None:
        """Seconds of music sampled per wall second; None while too little has come to say and none is known.

        It is measured up to now, not to the last arrival, so a sampler that stalls gets slower.
        """
        if len(self._arrivals) < 2:
            return self._known_rate
        wall, head = self._arrivals[0]
        if now - wall < self._shortest_measure:
            return self._known_rate
        return (self.head - head) / (now - wall)

    def _longest_pause(self) -> float:
        """The longest wall time between arrivals that were remembered: such a pause may come again."""
        walls = [wall for wall, _ in self._arrivals]
        return max((later - sooner for sooner, later in itertools.pairwise(walls)), default=0.0)

    def _will_last(self, now: float) -> bool:
        """Whether playing may begin: what is sampled and what will be must stay ahead of the sound.

        Playing from p while sampling at rate r < 1, the head stays ahead up to the end L if
        L - p >= (L - head) / r, that is head - p >= (L - head) * (1/r - 1). With unlimited length no
        lead is enough for ever: then it is one that lasts a minute, and at most LONGEST_LEAD seconds.
        """
        if self._end is not None or (self._limit is not None and self.head >= self._limit):
            return True
        ahead = self.head - self._anchor_song
        rate = self._rate(now)
        if rate is None:
            return ahead >= LONGEST_LEAD
        rate *= CAUTION
        cushion = max(self._cushion, self._longest_pause())
        if ahead < cushion or ahead <= 0 or rate <= 0:
            return False
        if rate >= 1:
            return True
        if self._limit is None:
            return ahead >= min(LONGEST_LEAD, cushion + UNBROKEN * (1 - rate))
        return ahead >= cushion + (self._limit - self.head) * (1 / rate - 1)

    def _wait(self, now: float) -> float | None:
        """In about how many seconds `_will_last` will say so, if sampling goes on as fast as it was measured.

        With k = 1/rate - 1 as there, the head grows by r a second: ahead + r t >= cushion + (L - head - r t) k.
        """
        rate = self._rate(now)
        if self.state not in ("waiting", "holding") or not rate:
            return None
        cautious, ahead = rate * CAUTION, self.head - self._anchor_song
        cushion = max(self._cushion, self._longest_pause())
        if cautious >= 1:
            return max((cushion - ahead) / rate, 0.0)
        if self._limit is None:
            return max((min(LONGEST_LEAD, cushion + UNBROKEN * (1 - cautious)) - ahead) / rate, 0.0)
        left = max(self._limit - self.head, 0.0)
        grown = (cushion + left * (1 / cautious - 1) - ahead) / (rate / cautious)
        return max(min(grown, left / rate), 0.0)

    def _next_verdict(self, now: float) -> float | None:
        """When the gate could open though nothing more comes: once enough has been measured."""
        if not self._arrivals:
            return None
        measured = self._arrivals[0][0] + self._shortest_measure + 1e-6  # clear of rounding
        return measured if measured > now else None

    def status(self) -> PlayerStatus:
        """What is going on now."""
        position = self.position
        return PlayerStatus(
            state=self.state,
            position=position,
            head=self.head,
            ahead=max(0.0, self.head - position),
            wait=self._wait(self._clock()),
            underruns=self.underruns,
            late_ms_p50=self.late.percentile_ms(50),
            late_ms_p99=self.late.percentile_ms(99),
            sent=self.late.count,
        )
