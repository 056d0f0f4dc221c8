"""The scheduler against a clock that only moves when the test moves it."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.live.scheduler import LONGEST_LEAD, Message, Scheduler

ON, OFF, PEDAL = 0x90, 0x80, 0xB0
EXACT = 1e-9


class Stage:
    """A scheduler, a clock that stands still between steps, and a record of what was sent when."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sent: list[tuple[float, bytes]] = []
        self.scheduler = Scheduler(lambda m: self.sent.append((self.now, m)), lambda: self.now)

    @property
    def messages(self) -> list[bytes]:
        return [message for _, message in self.sent]

    def run_until(self, wall: float) -> None:
        """Tick whenever the scheduler asks to, as the player process does, until the wall time `wall`."""
        while (due := self.scheduler.tick()) is not None and due <= wall:
            self.now = max(self.now, due)
        self.now = max(self.now, wall)
        self.scheduler.tick()

    def run_to_the_end(self) -> None:
        self.run_until(self.now + 10_000)
        assert self.scheduler.state == "ended"


def hanging(messages: list[bytes]) -> tuple[set[tuple[int, int]], set[int], set[int]]:
    """Notes still on, channels with the pedal down, channels used after their last CC 123."""
    notes: set[tuple[int, int]] = set()
    pedals: set[int] = set()
    unsilenced: set[int] = set()
    for message in messages:
        kind, channel, first = message[0] & 0xF0, message[0] & 15, message[1]
        if kind == 0xB0 and first == 123:
            unsilenced.discard(channel)
            continue
        unsilenced.add(channel)
        if kind == ON and message[2]:
            notes.add((channel, first))
        elif kind in (ON, OFF):
            notes.discard((channel, first))
        elif kind == 0xB0 and first == 64:
            (pedals.add if message[2] >= 64 else pedals.discard)(channel)
    return notes, pedals, unsilenced


wires = st.one_of(
    st.builds(lambda c, p, v: bytes((ON | c, p, v)), st.integers(0, 2), st.integers(60, 64), st.integers(0, 127)),
    st.builds(lambda c, p: bytes((OFF | c, p, 64)), st.integers(0, 2), st.integers(60, 64)),
    st.builds(lambda c, v: bytes((PEDAL | c, 64, v)), st.integers(0, 2), st.sampled_from([0, 127])),
    st.builds(lambda c, p: bytes((0xC0 | c, p)), st.integers(0, 2), st.integers(0, 127)),
)
# Steps of a sampler: (wall seconds it took, song seconds it went on, messages at that new time).
steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.7, 3.0]),
        st.sampled_from([0.0, 0.01, 0.05, 0.25, 1.0]),
        st.lists(wires, max_size=3),
    ),
    max_size=40,
)


def feed_steps(stage: Stage, played: list[tuple[float, float, list[bytes]]], at: float = 0.0) -> list[Message]:
    song = at
    fed: list[Message] = []
    for took, onward, messages in played:
        stage.run_until(stage.now + took)
        song += onward
        fed += [(song, message) for message in messages]
        stage.scheduler.feed([(song, message) for message in messages], song)
        stage.scheduler.tick()
    return fed


@given(steps, st.sampled_from([0.0, 17.5]), st.sampled_from([None, 5.0, 40.0]), st.sampled_from([0.0, 0.2, 2.0]))
def test_all_is_sent_in_order_never_early_and_never_rushed(played, at, length, cushion):
    stage = Stage()
    stage.scheduler.start(at, length, cushion)
    fed = feed_steps(stage, played, at)
    underruns = stage.scheduler.underruns
    stage.scheduler.finish(fed[-1][0] if fed else at)
    stage.run_to_the_end()
    sent = stage.sent[: len(fed)]
    assert [message for _, message in sent] == [message for _, message in fed]
    for (wall, _), (song, _) in zip(sent, fed, strict=True):
        assert wall >= 100.0 + song - at - EXACT
    gaps = [
        (later[0] - earlier[0], fed[i + 1][0] - fed[i][0])
        for i, (earlier, later) in enumerate(itertools.pairwise(sent))
    ]
    assert all(wall >= song - EXACT for wall, song in gaps)
    if not underruns:
        assert all(wall == pytest.approx(song, abs=1e-6) for wall, song in gaps)


@given(steps, st.floats(0, 20), st.sampled_from(["stop", "silence", "start"]))
def test_whenever_it_is_stopped_nothing_sounds_on(played, moment, command):
    stage = Stage()
    stage.scheduler.start()
    fed = feed_steps(stage, played)
    stage.scheduler.finish(fed[-1][0] if fed else 0.0)
    stage.run_until(stage.now + moment)
    getattr(stage.scheduler, command)()
    assert hanging(stage.messages) == (set(), set(), set())


@given(steps)
def test_the_end_of_a_song_silences_it(played):
    stage = Stage()
    stage.scheduler.start()
    feed_steps(stage, played)
    stage.scheduler.finish(0.0)
    stage.run_to_the_end()
    assert hanging(stage.messages) == (set(), set(), set())


@given(steps, st.floats(0, 10), st.floats(0, 10))
def test_replacing_the_future_ends_its_notes_and_keeps_the_past(played, moment, cut):
    stage = Stage()
    stage.scheduler.start()
    fed = feed_steps(stage, played)
    stage.scheduler.finish(fed[-1][0] if fed else 0.0)
    stage.run_until(stage.now + moment)
    before = len(stage.sent)
    stage.scheduler.clear_after(cut)
    assert stage.scheduler.state == "waiting" or stage.scheduler.head <= max(cut, stage.scheduler.position)
    stage.scheduler.finish(cut)
    stage.run_to_the_end()
    kept = [m for t, m in fed if t < cut]
    played_anyway = [m for _, m in fed][:before]
    expected = kept if len(kept) > len(played_anyway) else played_anyway
    assert stage.messages[: len(expected)] == expected
    notes, pedals, _ = hanging(stage.messages)
    assert (notes, pedals) == (set(), set())
    assert all(m not in [w for _, w in fed] or m[0] & 0xF0 != ON for m in stage.messages[len(expected) :])


@given(st.floats(0.1, 0.9), st.floats(5, 60))
def test_a_slow_sampler_of_known_length_is_waited_for_just_long_enough(rate, length):
    stage = Stage()
    stage.scheduler.start(length=length)
    started = None
    for step in range(1, math.ceil(length / 0.1) + 1):
        stage.run_until(100.0 + step * 0.1 / rate)
        head = min(length, step * 0.1)
        stage.scheduler.feed([(head, bytes((ON, 60, 1)))], head)
        stage.scheduler.tick()
        if started is None and stage.scheduler.state == "playing":
            started = stage.now
    stage.scheduler.finish(length)
    stage.run_to_the_end()
    assert stage.scheduler.underruns == 0
    assert started is not None
    needed = 100.0 + length / rate - length  # playing from here on would end just as sampling does
    assert started <= needed + 0.1 * length / rate + 1.0


def test_a_fast_sampler_is_heard_within_fifty_milliseconds():
    stage = Stage()
    stage.scheduler.start(length=60.0)
    first = stage.now + 0.3  # the model takes its time over the prompt
    for step in range(40):
        stage.run_until(first + step * 0.004)
        stage.scheduler.feed([(step * 0.025, bytes((ON, 60 + step % 12, 80)))], step * 0.025)
    assert first < stage.sent[0][0] <= first + 0.05
    assert stage.scheduler.underruns == 0


def test_a_sampler_known_to_be_fast_is_heard_as_soon_as_there_is_enough():
    stage = Stage()
    stage.scheduler.start(length=60.0, cushion=0.1, rate=4.0)
    first = stage.now
    for step in range(40):
        stage.run_until(first + step * 0.004)
        stage.scheduler.feed([(step * 0.025, bytes((ON, 60 + step % 12, 80)))], step * 0.025)
    assert stage.sent[0][0] == pytest.approx(first + 4 * 0.004)
    assert stage.scheduler.underruns == 0


def test_a_rate_that_proves_wrong_does_not_count_for_long():
    stage = Stage()
    stage.scheduler.start(length=20.0, cushion=0.1, rate=10.0)
    for step in range(1, 201):
        stage.run_until(100.0 + step * 0.2)
        stage.scheduler.feed([(step * 0.1, bytes((ON, 60, 1)))], step * 0.1)
    stage.scheduler.finish(20.0)
    stage.run_to_the_end()
    assert 1 <= stage.scheduler.underruns <= 3


def test_all_that_is_there_plays_at_once():
    stage = Stage()
    stage.scheduler.start(at=4.0)
    stage.scheduler.feed([(4.0, bytes((ON, 60, 80))), (5.0, bytes((OFF, 60, 0)))], 5.0)
    stage.scheduler.finish(5.0)
    stage.run_until(stage.now)
    assert stage.sent == [(100.0, bytes((ON, 60, 80)))]


def test_an_endless_slow_sampler_is_waited_for_only_so_long():
    stage = Stage()
    stage.scheduler.start()
    for step in range(1, 200):
        stage.run_until(100.0 + step * 0.2)
        stage.scheduler.feed([(step * 0.1, bytes((ON, 60, 1)))], step * 0.1)
        stage.scheduler.tick()
        if stage.scheduler.state == "playing":
            break
    assert stage.scheduler.state == "playing"
    assert stage.scheduler.status().ahead == pytest.approx(LONGEST_LEAD, abs=0.2)


def test_an_underrun_holds_song_time_and_goes_on_where_it_stopped():
    stage = Stage()
    stage.scheduler.start()
    for step in range(11):  # a second of music in 0.1 s, then nothing
        stage.run_until(100.0 + step * 0.01)
        stage.scheduler.feed([(step * 0.1, bytes((ON, 60 + step, 80)))], step * 0.1)
    stage.run_until(105.0)
    status = stage.scheduler.status()
    assert (status.state, status.underruns) == ("holding", 1)
    assert status.position == pytest.approx(1.0)
    assert len(stage.sent) == 10  # the last stands at the head: more of its chord may come
    stage.scheduler.feed([(1.0, bytes((ON, 80, 80))), (1.5, bytes((ON, 81, 80)))], 1.5)
    stage.scheduler.finish(2.0)
    stage.run_until(105.0)
    assert [wall for wall, _ in stage.sent[10:]] == [105.0, 105.0]
    stage.run_to_the_end()
    assert stage.sent[12][0] == pytest.approx(105.5)
    assert stage.scheduler.underruns == 1


def test_stop_stands_still_and_resume_goes_on():
    stage = Stage()
    stage.scheduler.start()
    stage.scheduler.feed([(float(t), bytes((ON, 60 + t, 80))) for t in range(5)], 5.0)
    stage.scheduler.finish(5.0)
    stage.run_until(101.5)
    stage.scheduler.stop()
    stage.run_until(200.0)
    assert stage.scheduler.status().position == pytest.approx(1.5)
    assert [m for m in stage.messages if m[0] == ON] == [bytes((ON, 60, 80)), bytes((ON, 61, 80))]
    stage.scheduler.resume()
    stage.run_until(201.0)
    assert stage.sent[-1] == (pytest.approx(200.5), bytes((ON, 62, 80)))


def test_a_clicked_note_is_ended_by_stop():
    stage = Stage()
    stage.scheduler.send_now(bytes((ON | 3, 70, 80)))
    stage.scheduler.stop()
    assert stage.messages[1:] == [bytes((OFF | 3, 70, 0)), bytes((0xB3, 64, 0)), bytes((0xB3, 123, 0))]


def test_lateness_is_measured_at_the_send():
    stage = Stage()
    stage.scheduler.start()
    stage.scheduler.feed([(0.0, bytes((ON, 60, 80))), (1.0, bytes((ON, 61, 80)))], 2.0)
    stage.scheduler.finish(2.0)
    stage.scheduler.tick()
    stage.now = 101.003
    stage.scheduler.tick()
    status = stage.scheduler.status()
    assert status.sent == 2
    assert status.late_ms_p99 == pytest.approx(3.0, rel=0.05)
    assert status.late_ms_p50 < 0.01


def test_what_is_remembered_of_the_rate_stays_small():
    stage = Stage()
    stage.scheduler.start()
    for step in range(20_000):
        stage.now += 0.004
        stage.scheduler.feed([], step * 0.02)
        stage.scheduler.tick()
    assert len(stage.scheduler._arrivals) < 300


@given(
    rate=st.floats(0.2, 3.0),
    length=st.one_of(st.none(), st.floats(5.0, 60.0)),
    cushion=st.floats(0.1, 2.0),
)
def test_it_says_in_how_many_seconds_the_sound_will_come(rate: float, length: float | None, cushion: float) -> None:
    stage = Stage()
    scheduler = stage.scheduler
    scheduler.start(0.0, length, cushion, rate)
    assert scheduler.status().wait is not None  # the rate is known beforehand
    step, said = 0.05, []
    while scheduler.state == "waiting":
        assert stage.now < 2000
        stage.now += step
        head = rate * (stage.now - 100.0)
        scheduler.feed([], head if length is None else min(head, length))
        scheduler.tick()
        said.append((stage.now, scheduler.status().wait))
    came = said.pop()[0]
    assert scheduler.status().wait is None  # it sounds
    for now, wait in said:
        assert wait is not None
        assert now + wait == pytest.approx(came, abs=3 * step)
