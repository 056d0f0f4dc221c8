"""What becomes of an output that is lost or cannot be had, by a player that only keeps its commands."""

from collections.abc import Sequence

import pytest

from core.errors import ContinuoError
from core.live.outputs import ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.live.port_info import PortInfo
from core.live.scheduler import PlayerStatus
from core.performance import output, standing_port
from core.performance.events import PlaybackEvents
from core.performance.playback import Playback
from tests.core.performance.fakes import FakePlayer, Made, settle

SYNTH = ExistingPort("Synth")
PORTS = [PortInfo("Synth", "JACK")]
ENDED = [b"\x80\x3c\x00"]
REFUSAL = ContinuoError("The player could not be started.")


Released = list[tuple[object, list[bytes]]]


@pytest.fixture(autouse=True)
def released(monkeypatch: pytest.MonkeyPatch) -> Released:
    """There are PORTS; what is ended at them by a player opened for that."""
    released: Released = []
    monkeypatch.setattr(output, "list_ports", lambda: PORTS)
    monkeypatch.setattr(standing_port, "Player", FakePlayer)
    monkeypatch.setattr(output, "release_left", lambda left, choice: released.append((choice, left)))
    return released


def look(playback: Playback) -> None:
    playback.output.look_for_ports()
    settle(playback)


def heard(playback: Playback) -> FakePlayer:
    there = playback.output.player
    assert isinstance(there, FakePlayer)
    return there


def test_an_output_that_fails_to_open_is_tried_again_although_no_port_has_come_or_gone(made: Made) -> None:
    messages: list[str] = []
    playback = made(SYNTH, PlaybackEvents(message=messages.append))
    look(playback)
    FakePlayer.refusals = [REFUSAL]
    heard(playback).is_dead = True
    playback.note(60, 80)
    settle(playback)
    assert heard(playback).choice == NoOutput()
    assert messages[1:] == ["The player could not be started. Until then the music plays silently."]
    look(playback)
    assert heard(playback).choice == SYNTH
    assert heard(playback).release == ENDED  # of the player before the one that could not be started
    assert messages[2:] == ['The MIDI port "Synth" is back.']


def test_one_that_cannot_be_had_is_not_tried_at_every_look_and_leaves_what_plays_alone(made: Made) -> None:
    playback = made()
    now = 0.0
    playback.output._clock = lambda: now
    FakePlayer.refusals = [REFUSAL]
    playback.output.open(SYNTH)
    settle(playback)
    silent = heard(playback)
    FakePlayer.refusals = [REFUSAL]
    look(playback)  # when all ports are new
    assert FakePlayer.refusals == []
    for seconds in (3.0, output.TRY_AGAIN - 0.1):
        now = seconds
        look(playback)
        assert heard(playback) is silent
    now = output.TRY_AGAIN + 0.1
    look(playback)
    assert heard(playback).choice == SYNTH


def test_a_silent_player_that_is_killed_as_it_starts_is_replaced(made: Made) -> None:
    playback = made()
    FakePlayer.refusals = [REFUSAL, REFUSAL]
    playback.output.open(SYNTH)
    settle(playback)
    assert heard(playback).choice == NoOutput()


def test_a_player_that_dies_before_it_is_used_is_replaced(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[Exception] = []
    playback = made(None, PlaybackEvents(failed=lambda error, doing: failures.append(error)))
    playback.play_messages([(0.0, b"\x90\x3c\x40"), (5.0, b"\x80\x3c\x40")])

    def player(choice: OutputChoice, release: Sequence[bytes] = ()) -> FakePlayer:
        opened = FakePlayer(choice, release)
        opened.is_dead = len(FakePlayer.made) == 1
        return opened

    monkeypatch.setattr(output, "Player", player)
    playback.output.open(SYNTH)
    settle(playback)
    assert heard(playback) is FakePlayer.made[1]
    assert [command[0] for command in heard(playback).commands] == ["start", "feed", "finish"]
    assert failures == []


def test_a_loss_is_noticed_while_nothing_plays(made: Made) -> None:
    playback = made(SYNTH)
    lost = heard(playback)
    lost.now, lost.is_dead = PlayerStatus(problem="The player has ended unexpectedly."), True
    playback.poll()
    settle(playback)
    assert heard(playback) is not lost
    assert heard(playback).release == ENDED


def test_notes_of_a_killed_player_are_ended_at_its_port_although_another_output_is_chosen(
    made: Made, released: Released
) -> None:
    playback = made(SYNTH)
    heard(playback).is_dead = True
    playback.output.open(NoOutput())
    settle(playback)
    assert heard(playback).choice == NoOutput()
    assert released == [(SYNTH, ENDED)]


def test_notes_of_a_killed_player_are_ended_when_the_app_ends(made: Made, released: Released) -> None:
    playback = made(SYNTH)
    heard(playback).is_dead = True
    playback.close()
    assert released == [(SYNTH, ENDED)]


def test_the_port_that_stands_open_ends_the_notes_of_its_killed_player(made: Made) -> None:
    playback = made(VirtualPort())
    heard(playback).is_dead = True
    playback.note(60, 80)  # which is how it is noticed
    playback.output.open(NoOutput())
    settle(playback)
    look(playback)
    assert (FakePlayer.made[-1].choice, FakePlayer.made[-1].release) == (VirtualPort(), ENDED)
    assert heard(playback).choice == NoOutput()


def test_a_port_that_has_notes_to_end_is_tried_until_it_is_there(made: Made) -> None:
    playback = made(VirtualPort())
    heard(playback).is_dead = True
    playback.note(60, 80)
    playback.output.open(NoOutput())
    settle(playback)
    FakePlayer.refusals = [REFUSAL]
    look(playback)
    assert FakePlayer.refusals == []
    look(playback)
    assert (FakePlayer.made[-1].choice, FakePlayer.made[-1].release) == (VirtualPort(), ENDED)
