"""On which channels a take plays, and what plays beside it."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from core.codec.events import NoteMessage
from core.live.outputs import ExistingPort, NoOutput
from core.performance.live_take import DueMessages, TakeStart, note_message
from tests.core.performance.fakes import Made, notes, player


class TwoHands:
    """What is below C4 on one channel, the rest on another."""

    setup = (b"\xc2\x20",)

    def route(self, messages: Sequence[NoteMessage]) -> list[tuple[float, bytes]]:
        return [(m.time, note_message(2 if m.pitch < 60 else 3, m.pitch, m.velocity)) for m in messages]


BESIDE = [(10.0, b"\x99\x24\x40"), (10.5, b"\x95\x30\x40"), (11.0, b"\x89\x24\x40")]


def test_due_messages_are_given_once_before_the_head() -> None:
    due = DueMessages(iter(BESIDE))
    assert due.until(9.9) == []
    assert due.until(10.5) == BESIDE[:1]
    assert due.until(10.5) == []
    assert due.until(99.0) == BESIDE[1:]
    assert due.until(99.0) == []


def test_controls_at_the_head_are_due_and_notes_there_are_not() -> None:
    beside = [(10.0, b"\xb3\x07\x40"), (10.5, b"\xe3\x00\x50"), (10.5, b"\x99\x24\x40"), (10.5, b"\xb3\x0a\x10")]
    due = DueMessages(beside)
    assert due.until(10.0) == beside[:1]
    assert due.until(10.4) == []
    assert due.until(10.5) == beside[1:2]
    assert due.until(10.6) == beside[2:]


def test_others_take_their_place_from_where_they_were_asked_for() -> None:
    due = DueMessages(BESIDE)
    due.until(10.5)
    others = [(10.4, b"\x95\x30\x40"), (10.4999, b"\x95\x31\x40"), (10.7, b"\x95\x32\x40")]
    assert due.replaced(others).until(99.0) == [(10.5, others[1][1]), others[2]]
    assert DueMessages(BESIDE).replaced(others).until(99.0) == others


def test_notes_go_where_the_router_says_and_others_play_on_between_them(made: Made) -> None:
    playback = made(NoOutput())
    take = playback.begin_take(TakeStart(10.0, None, TwoHands(), BESIDE))
    take.feed(notes((0.2, 50, 80), (0.6, 70, 80)), 0.7)
    take.feed(notes((0.9, 50, 0)), 1.2)
    assert player().commands == [
        ("start", 10.0, None, 0.1, None),
        ("feed", [], 10.0),
        ("feed", [(10.0, "992440"), (10.2, "923250"), (10.5, "953040"), (10.6, "934650")], 10.7),
        ("feed", [(10.9, "823240"), (11.0, "892440")], 11.2),
    ]


def test_a_note_sounds_with_the_controls_that_the_song_has_there(made: Made) -> None:
    beside = [(10.0, b"\xb3\x07\x10"), (10.0, b"\x99\x24\x40"), (10.5, b"\xb3\x07\x20"), (11.0, b"\xb3\x07\x30")]
    take = made(NoOutput()).begin_take(TakeStart(10.0, None, TwoHands(), beside))
    take.feed(notes((0.0, 70, 80)), 0.0)
    take.feed(notes((0.5, 70, 0), (0.5, 71, 80), (0.5, 71, 0)), 0.5)
    take.finish(0.5)
    fed = [message for command, *given in player().commands if command == "feed" for message in given[0]]
    controls, sampled = ["b30710", "b30720", "b30730"], ["934650", "834640", "934750", "834740"]
    assert [wire for _, wire in fed if wire in controls + sampled] == [
        *("b30710", "934650"),
        *("834640", "b30720", "934750", "834740"),
        "b30730",
    ]
    assert [time for time, _ in fed] == sorted(time for time, _ in fed)


@pytest.mark.parametrize("seconds", [None, 0.7])
def test_nobody_waits_while_what_plays_beside_it_is_laid_out(made: Made, seconds: float | None) -> None:
    playback = made(NoOutput())
    was_free: list[bool] = []

    def look() -> None:
        if is_free := playback._lock.acquire(blocking=False):
            playback._lock.release()
        was_free.append(is_free)

    def beside() -> Iterator[tuple[float, bytes]]:
        window = threading.Thread(target=look)
        window.start()
        window.join()
        yield from BESIDE

    take = playback.begin_take(TakeStart(10.0, None, TwoHands(), beside()))
    if seconds is None:
        take.feed(notes((0.2, 50, 80)), 0.7)
    else:
        take.finish(seconds)
    assert was_free == [True]


def test_a_port_of_one_channel_gets_all_but_percussion_on_it(made: Made) -> None:
    playback = made(ExistingPort("x"), channel=7)
    take = playback.begin_take(TakeStart(10.0, None, TwoHands(), BESIDE))
    take.feed(notes((0.2, 50, 80), (0.6, 70, 80)), 0.7)
    assert player().commands[-1] == (
        "feed",
        [(10.0, "992440"), (10.2, "973250"), (10.5, "973040"), (10.6, "974650")],
        10.7,
    )
