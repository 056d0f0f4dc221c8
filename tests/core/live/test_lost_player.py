"""A player that is killed or stands still: it counts as lost, and another ends what it left sounding."""

import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

import pytest

from core.errors import ContinuoError
from core.live import player as player_module
from core.live import player_process
from core.live.outputs import ExistingPort, MidiOutput, NoOutput, OutputChoice, VirtualPort
from core.live.player import Player
from core.live.sounding import Sounding
from core.live.sounding_record import RECORD_BYTES
from tests.conftest import WAIT, JackServer, Listener, wait_for
from tests.core.live.chord import CHORD, CHORD_ENDED, PORT, play_chord


@pytest.mark.posix
def test_a_killed_player_is_noticed():
    with Player(NoOutput()) as player:
        player.start()
        assert player._process.pid is not None
        os.kill(player._process.pid, signal.SIGKILL)
        with pytest.raises(ContinuoError, match="ended unexpectedly"):
            player.wait_until_ended(WAIT)


def stop(player: Player, number: signal.Signals) -> None:
    assert player._process.pid is not None
    os.kill(player._process.pid, number)


@pytest.mark.posix
def test_a_player_that_stands_still_holds_nobody_up_and_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_module, "STANDS_STILL", math.inf)
    with Player(NoOutput()) as player:
        stop(player, signal.SIGSTOP)
        player.start()
        # 200 times what the pipe holds: whoever writes it to the pipe himself stands still, too.
        feeding = threading.Thread(target=player.feed, args=([(i * 1e-4, CHORD[0]) for i in range(500_000)], 50.0))
        feeding.start()
        wait_for(lambda: not feeding.is_alive(), "the caller to be let go")
        assert player.status().problem == ""
        monkeypatch.setattr(player_module, "STANDS_STILL", 0.5)
        with pytest.raises(ContinuoError, match="stands still"):
            player.wait_until_ended(WAIT)
        assert "stands still" in player.status().problem
        wait_for(lambda: not player._process.is_alive(), "the process to be ended")


def tell_and_stand_still(pipe: Connection, *_: object) -> None:
    """A player that opens, says why it ends, and does not."""
    pipe.send(("output", None))
    pipe.send(ContinuoError("The port has gone."))
    signal.pause()


@pytest.mark.posix
def test_why_a_player_ends_is_told_though_it_stands_still_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_process, "run", tell_and_stand_still)
    monkeypatch.setattr(player_module, "STANDS_STILL", 0.5)
    with Player(NoOutput()) as player:
        player.start()
        with pytest.raises(ContinuoError, match="The port has gone"):
            player.wait_until_ended(WAIT)
        assert player.status().problem == "The port has gone."


@pytest.mark.posix
def test_a_process_that_no_kill_ends_holds_nobody_up_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(NoOutput())
    stop(player, signal.SIGSTOP)
    monkeypatch.setattr(player, "_end_process", lambda patience: None)  # as where a driver hangs in the kernel
    monkeypatch.setattr(player_module, "LAST_RESORT", 0.2)
    closing = threading.Thread(target=player.close, daemon=True)
    closing.start()
    try:
        closing.join(WAIT)
        assert not closing.is_alive()
    finally:
        stop(player, signal.SIGKILL)
        player._process.join(WAIT)
        closing.join(WAIT)
        wait_for(lambda: not player._listener.is_alive() and not player._sender.is_alive(), "the threads to end")


def test_a_player_that_has_nothing_to_say_gives_signs_of_life() -> None:
    with Player(NoOutput()) as player:
        first = player.status()
        wait_for(lambda: player.status() is not first and player.status() == first, "news that nothing is new")


def test_what_a_killed_player_left_sounding_is_ended_once_somebody_listens_again(hasty_jack: JackServer) -> None:
    player = Player(VirtualPort(PORT))
    with player:
        with Listener(PORT):
            play_chord(player)
            wait_for(lambda: player.status().sent == len(CHORD), "the chord")
            stop(player, signal.SIGKILL)
            with pytest.raises(ContinuoError, match="ended unexpectedly"):
                player.wait_until_ended(WAIT)
        left = player.left_sounding()
    assert left == CHORD_ENDED
    with Player(VirtualPort(PORT), release=left) as second:
        wait_for(lambda: second.status().is_releasing, "the player to wait for somebody who listens")
        with Listener(PORT) as listener:
            listener.wait_for(lambda m: set(CHORD_ENDED) <= set(m))
            wait_for(lambda: not second.status().is_releasing, "the release to be over")
    assert second.left_sounding() == []


def test_what_jack_lost_as_another_player_was_killed_is_ended_again(hasty_jack: JackServer) -> None:
    """A dead client holds up whoever listens to it, for half a second; meanwhile nothing of the living gets there."""
    struck = [(0.0, bytes((0x90, pitch, 80))) for pitch in range(64)]
    ended = [(0.5 + pitch / 32, bytes((0x80, pitch, 0))) for pitch in range(64)]
    with (
        Listener(own_port="Synth under test") as synth,
        Player(ExistingPort("synth under")) as other,
        Player(ExistingPort("synth under")) as player,
    ):
        other.send_now(b"\x91\x3c\x50")
        player.start()
        player.feed([*struck, *ended], 2.5)
        player.finish(2.5)
        synth.wait_for(lambda messages: len(messages) > len(struck))
        stop(other, signal.SIGKILL)
        synth.wait_for(lambda messages: Sounding(messages).notes == {(1, 60)})


def test_a_release_goes_at_once_to_a_port_that_is_there(jack) -> None:
    with (
        Listener(own_port="Synth under test") as synth,
        Player(ExistingPort("synth under"), release=CHORD_ENDED) as player,
    ):
        synth.wait_for(lambda m: set(CHORD_ENDED) <= set(m))
        wait_for(lambda: not player.status().is_releasing, "the release to be over")


def test_a_release_whose_player_is_lost_too_is_tried_again(
    hasty_jack: JackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Player] = []

    class FirstOneDies(Player):
        def __init__(self, choice: OutputChoice, release: Sequence[bytes] = ()) -> None:
            made.append(self)
            super().__init__(choice, release if len(made) > 1 else ())
            if len(made) == 1:
                stop(self, signal.SIGKILL)
                wait_for(lambda: self.status().problem != "", "the loss to be noticed")

    monkeypatch.setattr(player_module, "Player", FirstOneDies)
    for patience in ("RELEASE_AGAIN", "RELEASE_PATIENCE"):
        monkeypatch.setattr(player_module, patience, math.inf)
    monkeypatch.setattr(player_module, "RELEASE_ATTEMPTS", 10)  # a busy machine may lose others
    with Listener(own_port="Synth under test") as synth:
        assert player_module.release_left(CHORD_ENDED, ExistingPort("synth under")) == ""
        synth.wait_for(lambda m: set(CHORD_ENDED) <= set(m))
    assert len(made) >= 2


def test_a_player_killed_before_it_could_release_hands_on_what_was_to_be_released(hasty_jack: JackServer) -> None:
    with Player(VirtualPort(PORT), release=CHORD_ENDED) as player:
        wait_for(lambda: player.status().is_releasing, "the player to wait for somebody who listens")
        stop(player, signal.SIGKILL)
        wait_for(lambda: player.status().problem != "", "the loss to be noticed")
        assert player.left_sounding() == CHORD_ENDED


def test_what_is_to_be_released_is_handed_on_of_a_player_that_has_said_nothing_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Player, "_listen", lambda self: None)
    with Player(NoOutput(), release=CHORD_ENDED) as player:
        assert player.left_sounding() == CHORD_ENDED


def run_with_little_patience(*arguments: Any) -> None:
    """A player that has little patience with its output once that is open, which takes what it takes."""
    open_output = player_process.open_output

    def opened(choice: OutputChoice) -> MidiOutput:
        output = open_output(choice)
        player_process.HUNG = 1.0
        return output

    player_process.open_output = opened
    player_process.run(*arguments)


def test_a_player_whose_jack_server_hangs_ends_soon_after_the_app(hasty_jack: JackServer) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=run_with_little_patience, args=(theirs, VirtualPort(PORT), context.RawArray("B", RECORD_BYTES), ())
    )
    process.start()
    theirs.close()
    try:
        assert ours.recv()[0] == f"virtual port {PORT} (JACK)"
        hasty_jack.process.send_signal(signal.SIGSTOP)
        ours.close()
        process.join(WAIT)
        assert process.exitcode is not None
    finally:
        hasty_jack.process.send_signal(signal.SIGCONT)
        process.kill()
        process.join()
