"""A player that only keeps its commands, and what is played to it."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from core.codec.events import NoteMessage
from core.errors import ContinuoError
from core.live.outputs import OutputChoice
from core.live.scheduler import PlayerStatus
from core.midi.write import take_voice
from core.performance.live_take import TakeStart
from core.performance.playback import Playback
from core.performance.routers import PartRouter
from core.session.session import Session, TakeRecord, session_from_midi
from core.session.timeline import clicks
from tests.conftest import WAIT, wait_for
from tests.core.midi.builders import file_of, scale

Made = Callable[..., Playback]


class FakePlayer:
    """Takes every command and keeps it; `now` is what its status says."""

    made: ClassVar[list["FakePlayer"]] = []
    opening: threading.Event | None = None  # which opening an output waits for
    refusals: ClassVar[list[ContinuoError]] = []  # what opening the next outputs raises

    def __init__(self, choice: OutputChoice, release: Sequence[bytes] = ()) -> None:
        if FakePlayer.opening is not None:
            assert FakePlayer.opening.wait(WAIT)
        if FakePlayer.refusals:
            raise FakePlayer.refusals.pop()
        self.choice, self.release = choice, release
        self.description = type(choice).__name__
        self.commands: list[tuple[Any, ...]] = []
        self.now = PlayerStatus()
        self.is_settled = True
        self.is_dead = False
        self.is_closed = False
        FakePlayer.made.append(self)

    def status(self) -> PlayerStatus:
        return self.now

    def close(self) -> None:
        self.is_closed = True

    def left_sounding(self) -> list[bytes]:
        return [b"\x80\x3c\x00"] if self.is_dead else []

    def _keep(self, *command: Any) -> None:
        if self.is_dead:
            raise ContinuoError("The player has ended unexpectedly.")
        self.commands.append(command)

    def start(self, at: float, length: float | None = None, cushion: float = 0.2, rate: float | None = None) -> None:
        self._keep("start", at, length, cushion, rate)

    def feed(self, messages: Sequence[tuple[float, bytes]], head: float) -> None:
        self._keep("feed", [(round(time, 3), message.hex()) for time, message in messages], round(head, 3))

    def finish(self, end: float) -> None:
        self._keep("finish", round(end, 3))

    def clear_after(self, time: float, length: float | None = None) -> None:
        self._keep("clear_after", round(time, 3), length)

    def stop(self) -> None:
        self._keep("stop")

    def resume(self) -> None:
        self._keep("resume")

    def send_now(self, message: bytes) -> None:
        self._keep("send_now", message.hex())

    def panic(self) -> None:
        self._keep("panic")


def session(takes: Sequence[TakeRecord] = ()) -> Session:
    """Eight notes of a quarter of a second, and takes behind them."""
    result = session_from_midi(file_of(scale()), "scale.mid")
    for take in takes:
        result = result.with_take(take)
    return result


def take_start(of: Session, seconds: float = 4.0, metronome: bool = False, marker: float = 2.0) -> TakeStart:
    router = PartRouter({None: take_voice(of.score, of.prompt_indices, marker)})
    return TakeStart(marker, seconds, router, clicks(of.tempo_map, marker, marker + seconds) if metronome else (), 3.0)


def notes(*messages: tuple[float, int, int]) -> list[NoteMessage]:
    """(seconds, pitch, velocity)."""
    return [NoteMessage(0, pitch, velocity, time) for time, pitch, velocity in messages]


def settle(playback: Playback) -> None:
    wait_for(lambda: not playback.output.is_busy and not playback._layout.is_busy, "the threads")


def player() -> FakePlayer:
    return FakePlayer.made[-1]


def at(position: float, state: str = "playing", head: float = 100.0) -> None:
    player().now = PlayerStatus(state=state, position=position, head=head)  # type: ignore[arg-type]
