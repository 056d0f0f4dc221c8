"""Takes that cannot begin yet: nothing waits for them, what is sampled is kept, and a stop is a stop."""

import os
import signal
import threading
from typing import Any

import pytest

from core.errors import ContinuoError, NotFound
from core.live.outputs import BuiltInSynth, NoOutput, VirtualPort
from core.performance import playback as playback_module
from core.performance.events import PlaybackEvents
from core.performance.playback import Playback
from core.performance.song import PlayRequest
from tests.conftest import WAIT, JackServer, wait_for
from tests.core.performance.fakes import FakePlayer, Made, notes, player, session, settle, take_start

ALL_OF_IT = [
    ("start", 2.0, 4.0, 0.1, None),
    ("feed", [(2.0, "913c50"), (2.5, "813c40")], 2.5),
    ("finish", 2.5),
]


def sampled(playback: Playback) -> None:
    """A short take, which no thread but this one feeds: if anything waited, it would wait for ever."""
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80)), 0.0)
    take.feed(notes((0.5, 60, 0)), 0.5)
    take.finish(0.5)


def blocked(made: Made, **arguments: Any) -> Playback:
    """A playback whose output is being opened until `FakePlayer.opening` is set."""
    playback = made(**arguments)
    FakePlayer.opening = threading.Event()
    playback.output.open(NoOutput())
    return playback


def opened(playback: Playback) -> None:
    assert FakePlayer.opening is not None
    FakePlayer.opening.set()
    settle(playback)


def test_what_is_sampled_before_the_output_is_open_is_played_then(made: Made) -> None:
    playback = blocked(made)
    sampled(playback)
    assert playback.poll().is_waiting
    opened(playback)
    assert player().commands == ALL_OF_IT


def test_what_comes_after_the_output_is_open_follows(made: Made) -> None:
    playback = blocked(made)
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80)), 0.25)
    opened(playback)
    take.feed(notes((0.5, 60, 0)), 0.5)
    assert player().commands == [
        ("start", 2.0, 4.0, 0.1, None),
        ("feed", [(2.0, "913c50")], 2.25),
        ("feed", [(2.5, "813c40")], 2.5),
    ]


def test_an_output_that_fails_to_open_says_so_and_the_take_goes_on_silently(made: Made) -> None:
    messages: list[str] = []
    playback = made(events=PlaybackEvents(message=messages.append))
    FakePlayer.opening = threading.Event()
    FakePlayer.refusals = [NotFound("The output did not open in time.")]
    playback.output.open(BuiltInSynth())
    sampled(playback)
    opened(playback)
    assert messages == ["The output did not open in time. Until then the music plays silently."]
    assert player().commands[0] == ("start", 2.0, 4.0, 0.1, None)


def test_stop_while_the_output_is_being_opened_is_a_stop(made: Made) -> None:
    playback = blocked(made)
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80)), 0.25)
    playback.stop()
    take.feed(notes((0.5, 60, 0)), 0.5)
    opened(playback)
    take.feed(notes((0.6, 62, 80)), 1.0)
    take.finish(1.0)
    state = playback.poll()
    assert (state.is_playing, state.is_waiting, state.position, state.ahead) == (False, False, None, None)
    assert not playback.has_live_take
    assert player().commands == []


def test_a_take_that_stands_still_while_the_output_is_opened_goes_on_from_there(made: Made) -> None:
    playback = blocked(made)
    sampled(playback)
    playback.pause()
    opened(playback)
    assert player().commands == []
    playback.resume()
    assert player().commands == ALL_OF_IT


class Layout:
    """Lays scores out once it is allowed to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.allowed = threading.Event(), threading.Event()
        timeline = playback_module.timeline

        def slow(*arguments: Any, **named: Any) -> Any:
            self.begun.set()
            assert self.allowed.wait(WAIT)
            return timeline(*arguments, **named)

        monkeypatch.setattr(playback_module, "timeline", slow)


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Layout:
    return Layout(monkeypatch)


def test_a_take_joins_a_score_that_is_still_laid_out(made: Made, layout: Layout) -> None:
    playback = made(NoOutput())
    player().is_settled = False  # it has not said yet where it is
    playback.play(PlayRequest(session(), "both", 0.0))
    assert layout.begun.wait(WAIT)
    sampled(playback)
    assert player().commands == [("stop",)]
    layout.allowed.set()
    settle(playback)
    assert [command[0] for command in player().commands[:4]] == ["stop", "start", "feed", "finish"]
    assert player().commands[4:] == [
        ("clear_after", 2.0, 4.0),
        ("feed", [], 2.0),
        ("feed", [(2.0, "913c50")], 2.0),
        ("feed", [(2.5, "813c40")], 2.5),
        ("finish", 2.5),
    ]


def test_stop_while_a_score_is_still_laid_out_is_a_stop(made: Made, layout: Layout) -> None:
    playback = made(NoOutput())
    playback.play(PlayRequest(session(), "both", 0.0))
    assert layout.begun.wait(WAIT)
    sampled(playback)
    playback.stop()
    layout.allowed.set()
    settle(playback)
    assert player().commands == [("stop",), ("stop",)]
    assert playback.poll().position is None


def test_a_beginning_that_fails_says_so(made: Made, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[tuple[Exception, str]] = []
    playback = made(NoOutput(), PlaybackEvents(failed=lambda error, doing: failures.append((error, doing))))
    playback.play(PlayRequest(session(), "both", 0.0))
    assert layout.begun.wait(WAIT)
    error = ValueError("any")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(player(), "feed", fail)
    sampled(playback)
    layout.allowed.set()
    settle(playback)
    assert (error, "playing") in failures
    assert not playback.has_live_take


def test_a_lost_player_that_is_not_replaced_is_told_of(made: Made) -> None:
    playback = Playback(replaces_lost=False)
    made()  # for the fake player
    try:
        playback.output.open_now(NoOutput())
        take = playback.begin_take(take_start(session()))
        player().is_dead = True
        with pytest.raises(ContinuoError, match="ended unexpectedly"):
            take.feed(notes((0.0, 60, 80)), 0.0)
        with pytest.raises(ContinuoError, match="ended unexpectedly"):
            playback.begin_take(take_start(session()))
        assert not playback.has_live_take
        assert len(FakePlayer.made) == 1
    finally:
        playback.close()


def test_sampling_goes_on_while_jack_hangs_as_the_port_opens(mortal_jack: JackServer) -> None:
    messages: list[str] = []
    playback = Playback(PlaybackEvents(message=messages.append))
    os.kill(mortal_jack.process.pid, signal.SIGSTOP)
    try:
        playback.output.open(VirtualPort())
        sampled(playback)
        assert playback.poll().is_waiting
    finally:
        os.kill(mortal_jack.process.pid, signal.SIGCONT)
    try:
        wait_for(lambda: playback.output.status().sent >= 2, f"the take to be played; {messages}")
    finally:
        playback.close()
