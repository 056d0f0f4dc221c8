"""Every command that is sent to the player, by a player that only keeps them."""

from math import ceil

import pytest

from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput
from core.live.scheduler import Scheduler
from core.midi.score import TakeNote
from core.performance.song import PlayRequest
from core.session.edits import transpose
from core.session.session import TakeRecord
from tests.core.performance.fakes import FakePlayer, Made, at, notes, player, session, settle, take_start


def test_a_score_is_laid_out_and_handed_over(made: Made) -> None:
    playback = made(NoOutput())
    playback.play(PlayRequest(session(), "both", 1.5))
    settle(playback)
    assert player().commands == [
        ("stop",),
        ("start", 1.5, 0.5, 0.2, None),
        ("feed", [(1.5, "904750"), (1.75, "804740"), (1.75, "904850"), (2.0, "804840")], 2.0),
        ("finish", 2.0),
    ]


def test_a_loop_is_handed_over_again_and_again(made: Made) -> None:
    playback = made(NoOutput())
    playback.play(PlayRequest(session(), "both", 0.25, loop=(0.0, 0.5)))
    settle(playback)
    first = [(0.25, "903e50"), (0.5, "803e40")]
    commands = player().commands
    assert commands[:4] == [("stop",), ("start", 0.25, 0.25, 0.2, None), ("feed", first, 0.5), ("feed", [], 0.5)]
    assert commands[4] == ("feed", [(0.5, "903c50"), (0.75, "803c40"), (0.75, "903e50"), (1.0, "803e40")], 1.0)
    assert commands[-1][2] == 8.5
    assert len(commands) == 4 + 16
    at(5.0)
    playback.poll()
    settle(playback)
    assert player().commands[-1][2] == 13.0


def test_from_its_next_turn_on_a_loop_plays_another_session(made: Made) -> None:
    playback, first = made(NoOutput()), session()
    other = transpose(first, {0: [0, 1]}, 12).session
    playback.play(PlayRequest(first, "both", 0.0, loop=(0.0, 0.5)))
    settle(playback)
    at(1.1)
    playback.turn_to(PlayRequest(other, "both", 1.1))
    settle(playback)
    commands = player().commands
    cleared = commands.index(("clear_after", 1.5, None))
    assert commands[cleared + 1] == (
        "feed",
        [(1.5, "904850"), (1.75, "804840"), (1.75, "904a50"), (2.0, "804a40")],
        2.0,
    )
    assert playback.poll().session is first
    at(1.6)
    assert playback.poll().session is other
    # Played once more from what is remembered, the round before has its last note-off.
    assert playback._song is not None
    remembered = [(time, m.hex()) for time, m in playback._song.since(1.3) if time <= 1.5]
    assert remembered[-2:] == [(1.5, "803e40"), (1.5, "904850")]

    at(1.9)  # too late for the turn that is about to come
    playback.turn_to(PlayRequest(first, "both", 1.9))
    playback.turn_to(PlayRequest(first, "both", 1.9))
    settle(playback)
    at(2.2)
    assert playback.poll().session is other
    at(2.5)
    assert playback.poll().session is first
    heads = [command[2] for command in player().commands if command[0] == "feed"]
    assert heads[-1] >= 1.9 + 8


def test_what_has_changed_in_a_loop_goes_on_in_its_round(made: Made) -> None:
    playback, first = made(NoOutput()), session()
    other = transpose(first, {0: [0, 1]}, 12).session
    playback.play(PlayRequest(first, "both", 0.0, loop=(0.0, 0.5)))
    settle(playback)
    for position, since, cut, rest in (
        (1.0, 0.0, 1.25, ["904a50", "804a40"]),
        (2.1, 0.3, 2.35, []),
        (3.0, 0.4, 3.4, []),  # up to there it has nothing new
    ):
        at(position)
        playback.refresh(PlayRequest(other, "both", position, loop=(0.0, 0.5)), since)
        settle(playback)
        commands = player().commands
        cleared = max(i for i, command in enumerate(commands) if command[0] == "clear_after")
        assert commands[cleared][1] == pytest.approx(cut)
        turn = 0.5 * ceil((cut - 1e-6) / 0.5)
        assert ([m for _, m in commands[cleared + 1][1]], commands[cleared + 1][2]) == (rest, turn)
        assert [m for _, m in commands[cleared + 2][1]] == ["904850", "804840", "904a50", "804a40"]
        assert commands[-1][2] >= position + 8
        assert playback.poll().session is other
    assert len([command for command in commands if command[0] == "start"]) == 1
    playback.refresh(PlayRequest(other, "both", 3.0))  # no loop any more
    settle(playback)
    assert len([command for command in player().commands if command[0] == "start"]) == 2


def test_where_no_loop_plays_there_is_no_turn(made: Made) -> None:
    playback = made(NoOutput())
    playback.turn_to(PlayRequest(session(), "both", 0.0))
    playback.play(PlayRequest(session(), "both", 0.0))
    settle(playback)
    before = list(player().commands)
    playback.turn_to(PlayRequest(session(), "both", 0.0))
    settle(playback)
    assert player().commands == before
    assert playback.poll().session is None


def test_a_take_alone_begins_at_its_marker(made: Made) -> None:
    playback = made(NoOutput())
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80)), 0.0)
    take.feed(notes(), 0.5)
    take.feed(notes((0.5, 60, 0)), 0.5)
    take.finish(0.5)
    assert player().commands == [
        ("start", 2.0, 4.0, 0.1, 3.0),
        ("feed", [], 2.0),
        ("feed", [(2.0, "913c50")], 2.0),
        ("feed", [], 2.5),
        ("feed", [(2.5, "813c40")], 2.5),
        ("finish", 2.5),
    ]


def test_a_take_on_the_synth_sets_up_its_sound(made: Made) -> None:
    playback = made(BuiltInSynth())
    playback.begin_take(take_start(session()))
    assert player().commands[1] == ("feed", [(2.0, "c100")], 2.0)


def test_a_take_on_one_channel_with_clicks(made: Made) -> None:
    playback = made(ExistingPort("x"), channel=4, programs=True)
    take = playback.begin_take(take_start(session(), metronome=True))
    take.feed(notes((0.25, 60, 80), (0.6, 61, 80)), 0.6)
    assert player().commands == [
        ("start", 2.0, 4.0, 0.1, 3.0),
        ("feed", [], 2.0),
        (
            "feed",
            [(2.0, "994c6e"), (2.05, "894c40"), (2.25, "943c50"), (2.5, "994d50"), (2.55, "894d40"), (2.6, "943d50")],
            2.6,
        ),
    ]


def test_a_take_joins_what_plays_before_it(made: Made) -> None:
    playback = made(NoOutput())
    at(0.0)
    playback.play(PlayRequest(session(), "both", 0.0))
    settle(playback)
    at(1.0)
    take = playback.begin_take(take_start(session(), marker=1.5))
    take.feed(notes((0.0, 60, 80)), 0.1)
    assert player().commands[-3:] == [("clear_after", 1.5, 4.0), ("feed", [], 1.5), ("feed", [(1.5, "913c50")], 1.6)]


def test_what_has_changed_is_spliced_in(made: Made) -> None:
    playback = made(NoOutput())
    at(0.0)
    playback.play(PlayRequest(session(), "both", 0.0))
    settle(playback)
    playback.poll()
    record = TakeRecord(notes=(TakeNote(72, 90, 0.0, 0.5),), seconds=0.5, marker=0.5, rest="rest")
    at(0.1, head=0.1)
    playback.poll()
    playback.refresh(PlayRequest(session([record]), "both", 0.1))
    settle(playback)
    (clear, cut, length), fed, finish = player().commands[-3:]
    assert (clear, cut, length) == ("clear_after", 0.35, None)
    assert fed == ("feed", [(0.5, "91485a"), (1.0, "814840")], 1.0)
    assert finish == ("finish", 1.0)


def test_standing_still_notes_and_panic(made: Made) -> None:
    playback = made(NoOutput())
    playback.play_messages([(0.0, b"\x90\x3c\x40"), (0.1, b"\x80\x3c\x40")])
    playback.pause()
    playback.resume()
    playback.note(60, 90, 3, [b"\xc3\x05"])
    playback.note(60, 0, 3)
    playback.panic()
    assert player().commands == [
        ("start", 0.0, 0.1, 0.2, None),
        ("feed", [(0.0, "903c40"), (0.1, "803c40")], 0.1),
        ("finish", 0.1),
        ("stop",),
        ("resume",),
        ("send_now", "933c5a"),
        ("send_now", "833c40"),
        ("stop",),
        ("panic",),
    ]


def test_the_sound_check_never_has_to_wait_for_the_model(made: Made) -> None:
    """However late the player gets what it is to play."""
    playback = made(NoOutput())
    playback.play_messages([(0.0, b"\x90\x3c\x40"), (0.1, b"\x80\x3c\x40")])
    now, sent = 0.0, list[bytes]()
    scheduler = Scheduler(sent.append, lambda: now)
    for name, *arguments in player().commands:
        if name == "feed":
            arguments[0] = [(time, bytes.fromhex(message)) for time, message in arguments[0]]
        getattr(scheduler, name)(*arguments)
        scheduler.tick()
        now += 0.05
    for _ in range(10):
        scheduler.tick()
        now += 0.05
    assert (scheduler.state, scheduler.underruns) == ("ended", 0)
    assert sent[:2] == [b"\x90\x3c\x40", b"\x80\x3c\x40"]


def test_another_place_of_a_take_that_is_sampled(made: Made) -> None:
    playback = made(BuiltInSynth())
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80), (1.0, 60, 0), (1.5, 62, 80)), 2.0)
    playback.seek_in_song(3.2)
    assert player().commands[-2:] == [
        ("start", 3.2, 2.8, 0.1, None),
        ("feed", [(3.2, "c100"), (3.5, "913e50")], 4.0),
    ]


def test_another_player_goes_on_where_the_lost_one_stood(made: Made) -> None:
    playback = made(NoOutput())
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80), (1.0, 60, 0)), 1.5)
    at(2.5, state="holding", head=3.5)
    playback.poll()
    player().is_dead = True
    take.feed(notes((2.0, 62, 80)), 2.5)
    settle(playback)
    assert len(FakePlayer.made) == 2
    assert player().release == FakePlayer.made[0].left_sounding() != []
    assert player().commands == [
        ("start", 2.5, 3.5, 0.1, None),
        ("feed", [(3.0, "813c40"), (4.0, "913e50")], 4.5),
    ]


def test_another_output_gets_no_programs_that_it_does_not_want(made: Made) -> None:
    playback = made(BuiltInSynth())
    take = playback.begin_take(take_start(session()))
    take.feed(notes((0.0, 60, 80), (1.0, 60, 0)), 1.5)
    assert player().commands[1] == ("feed", [(2.0, "c100")], 2.0)
    at(2.5, head=3.5)
    playback.poll()
    playback.output.open(ExistingPort("x"))
    settle(playback)
    feeds = [command for command in player().commands if command[0] == "feed"]
    assert [messages for _, messages, _ in feeds] == [[(3.0, "813c40")]]
