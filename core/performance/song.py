"""What can be played, and Song: what was handed to the player and where in the score that stands.

Song time, the player's clock, is score time until a loop's end is first reached; from there on it goes on
counting while the score starts over.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from operator import itemgetter

from core.live.scheduler import DEFAULT_CUSHION
from core.midi.messages import CONTROL, NOTE_ON, PITCH_BEND, PROGRAM, channel_of, is_note, kind
from core.session.session import Session
from core.session.timeline import Timed, What

SHORTEST_LOOP = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class PlayRequest:
    """Something of a session to play from `at` (score seconds) on."""

    session: Session
    what: What
    at: float
    loop: tuple[float, float] | None = None
    metronome: bool = False


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """What is heard. Times are score seconds; `position` is None while nothing of the score plays."""

    is_playing: bool = False
    is_waiting: bool = False  # for the model or the output, to begin or go on
    position: float | None = None
    ahead: float | None = None  # seconds in hand of what the model samples; None of music that is there already
    wait: float | None = None  # seconds until it sounds, about, where that is known
    underruns: int = 0
    has_ended: bool = False
    session: Session | None = None  # what a loop plays in the present round


@dataclass(eq=False)
class Song:
    """One thing that is played. `messages` are all that were handed over so far, in order of song time.

    `start` and `head` (as far as there is music) are song seconds, `end` too once nothing more comes.
    `expected` is how many seconds will come in all, if known.
    """

    start: float
    loop: tuple[float, float] | None = None
    expected: float | None = None
    is_sampled: bool = False  # comes from the model, as it is sampled
    messages: list[Timed] = field(default_factory=list)
    head: float = 0.0
    end: float | None = None
    cushion: float = DEFAULT_CUSHION
    again: list[Timed] = field(default_factory=list)  # what a round of the loop plays, from the next turn on
    sessions: list[tuple[float, Session]] = field(default_factory=list)  # from when on each plays, of a loop
    is_audition: bool = False  # nothing of the score, so that no playhead moves

    def __post_init__(self) -> None:
        self.head = self.start

    def add(self, messages: Sequence[Timed], head: float) -> None:
        """Remember what was handed over."""
        self.messages.extend(messages)
        self.head = max(self.head, head)

    def cut(self, at: float) -> None:
        """Forget what comes at `at` or later."""
        del self.messages[bisect_left(self.messages, at, key=itemgetter(0)) :]
        self.head = min(self.head, at)
        self.end = None

    def since(self, at: float) -> list[Timed]:
        """The messages from `at` on, after those controls that came before it."""
        place = bisect_left(self.messages, at, key=itemgetter(0))
        controls = [(at, m) for _, m in self.messages[:place] if kind(m) in (CONTROL, PROGRAM, PITCH_BEND)]
        return controls + self.messages[place:]

    def next_turn(self, at: float) -> float:
        """When the loop starts over next, at or after a song time."""
        assert self.loop is not None
        first, last = self.loop
        return last + max(0, ceil((at - last) / (last - first))) * (last - first)

    def take_back(self, turn: float) -> None:
        """Forget the rounds that were handed over from a turn on."""
        assert self.loop is not None
        rounds = round((self.head - turn) / (self.loop[1] - self.loop[0]))
        # By their number, not by their time: a round ends with note-offs at the very time of the turn.
        del self.messages[len(self.messages) - rounds * len(self.again) :]
        self.head = turn

    def session_at(self, song: float) -> Session | None:
        """What the loop plays at a song time."""
        return next((session for since, session in reversed(self.sessions) if since <= song), None)

    def score_time(self, song: float) -> float:
        """Where in the score a song time stands."""
        if self.loop is None or song < self.loop[1]:
            return song
        first, last = self.loop
        return first + (song - last) % (last - first)


def shifted(messages: Iterable[Timed], by: float) -> list[Timed]:
    """The same, later."""
    return [(time + by, message) for time, message in messages]


def begun_from(messages: Iterable[Timed], at: float) -> list[Timed]:
    """Messages from a time on, without the ends of notes that began before it."""
    begun: Counter[tuple[int, int]] = Counter()  # notes that sound, by channel and pitch
    kept: list[Timed] = []
    for time, message in messages:
        if time >= at and is_note(message):
            note = channel_of(message), message[1]
            if kind(message) == NOTE_ON:
                begun[note] += 1
            elif begun[note]:
                begun[note] -= 1
            else:
                continue
        if time >= at:
            kept.append((time, message))
    return kept


def possible_loop(loop: tuple[float, float] | None) -> tuple[float, float] | None:
    """A loop that can be played, else None."""
    return loop if loop is not None and loop[1] - loop[0] >= SHORTEST_LOOP else None
