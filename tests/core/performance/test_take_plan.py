"""A take in its song: each note to its track, the band beside it, the original behind it."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from mido import Message, MetaMessage

from core.codec.events import NoteMessage
from core.generation.continuation import Step
from core.live.outputs import ExistingPort, NoOutput
from core.performance import take_plan
from core.performance.live_take import TakeStart
from core.performance.take_in_progress import TakeInProgress
from core.performance.take_plan import TakePlan, plan_take
from core.session.arrangement import pitch_range
from core.session.forks import fork_prompt
from core.session.session import session_from_midi
from core.session.timeline import timeline
from tests.core.midi.builders import control, file_of, off, on
from tests.core.performance.band import BASS, DRUMS, MELODY, message, quarters, song
from tests.core.performance.fakes import Made, player


def played(plan: TakePlan, *messages: NoteMessage) -> list[tuple[float, int, int, object]]:
    (router,) = plan.note_routers(1)
    return [(m.time, m.pitch, m.velocity, m.track) for m in router.route(messages)]


def test_each_note_goes_to_the_track_it_belongs_to_and_its_end_follows_it() -> None:
    plan = plan_take(song(), 8.0, 4.0)
    assert played(plan, message(0, 38), message(0, 74), message(0.5, 38, 0), message(0.5, 74, 0)) == [
        (0, 38, 80, BASS),
        (0, 74, 80, MELODY),
        (0.5, 38, 0, BASS),
        (0.5, 74, 0, MELODY),
    ]


def test_a_monophonic_track_ends_its_note_as_it_begins_another() -> None:
    plan = plan_take(song(), 8.0, 4.0)
    assert played(plan, message(0, 38), message(0.5, 40), message(1.0, 38, 0)) == [
        (0, 38, 80, BASS),
        (0.5, 38, 0, BASS),
        (0.5, 40, 80, BASS),
    ]


def test_what_tracks_double_in_the_prompt_they_double_again() -> None:
    lead = quarters([72, 76, 79, 74], 0, 8)
    twin = quarters([72, 76, 79, 74], 2, 8)
    session = session_from_midi(file_of(lead, quarters([40], 1, 8), twin), "x.mid").with_marker(8.0)
    plan = plan_take(session, 8.0, 4.0)
    tracks = {track for _, _, velocity, track in played(plan, message(0, 77)) if velocity}
    assert tracks == {(0, 0), (2, 2)}


def test_one_track_is_as_it_was() -> None:
    plan = plan_take(song(into="one"), 8.0, 4.0)
    assert played(plan, message(0, 38), message(0, 74)) == [(0, 38, 80, None), (0, 74, 80, None)]
    assert list(plan.part_router.setup) == [b"\xc2\x49"]


@pytest.mark.parametrize(
    ("tracks", "rest", "words"),
    [
        (7, "beside", ""),
        (8, "beside", "for 1 of the take's tracks: it shares that"),
        (12, "beside", "for 9 of the take's tracks: they share those"),
        (15, "stretch", ""),
    ],
)
def test_where_channels_do_not_suffice_beside_the_song_that_is_said(tracks: int, rest: str, words: str) -> None:
    """15 channels can play melodies: a song of 7 tracks leaves 8."""
    channels = [c for c in range(16) if c != 9][:tracks]
    session = session_from_midi(file_of(*(quarters([40 + c], c, 4) for c in channels)), "x.mid").with_marker(4.0)
    plan = plan_take(session.with_settings(replace(session.settings, rest=rest)), 4.0, 4.0)
    assert words in plan.channel_words
    assert bool(words) == bool(plan.channel_words)


def test_a_take_on_a_track_of_its_own_that_shares_a_channel_says_so() -> None:
    tracks = [quarters([40 + c], c, 4) for c in range(16) if c != 9]
    session = session_from_midi(file_of(*tracks), "x.mid").with_marker(4.0)
    plan = plan_take(session.with_settings(replace(session.settings, into="one")), 4.0, 4.0)
    assert "no channel free for the take: it shares" in plan.channel_words


def test_into_one_track_alone_keeps_to_its_range() -> None:
    session = song(into="2:1")
    plan = plan_take(session, 8.0, 4.0)
    assert played(plan, message(0, 74)) == [(0, 74, 80, BASS)]
    assert plan.take.replaces == (BASS,)
    assert pitch_range(session) == (36, 43)
    assert pitch_range(song()) == (0, 127)


def test_the_band_plays_on_and_the_original_returns(made: Made) -> None:
    playback = made(NoOutput())
    session = song(drums="off")
    plan = plan_take(session, 8.0, 4.0)
    start = TakeStart(plan.start, 4.0, plan.part_router, plan.accompaniment(False))
    live = playback.begin_take(start)
    (router,) = plan.note_routers(1)
    live.feed(router.route([message(0, 38), message(0.5, 38, 0)]), 1.0)
    live.finish(4.0)
    fed = [m for command in player().commands if command[0] == "feed" for m in command[1]]
    notes = [(t, m) for t, m in fed if m.startswith(("9", "8"))]
    assert (8.0, "912650") in notes
    assert (8.5, "812640") in notes
    assert [t for t, m in notes if m.startswith("90")] == [12.0 + 0.5 * i for i in range(8)]  # melody, from bar 7 on
    assert player().commands[-1] == ("finish", 16.0)


def test_a_take_behind_a_fade_is_heard_beside_what_plays_on() -> None:
    """Melody and bass fade out and end; the drums go on for another bar."""
    tracks = [
        [*quarters([60], c, 3), *(control(7, value, 0, c) for value in (80, 40, 0)), *quarters([60], c, 1)]
        for c in (0, 1)
    ]
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    session = session_from_midi(file_of([metre, *tracks[0]], tracks[1], quarters([36], 9, 5)), "x.mid")
    plan = plan_take(session, session.marker, 4.0)
    volumes = [100] * 16
    for m in [*plan.part_router.setup, *(m for time, m in plan.accompaniment(False) if time <= session.marker)]:
        if m[0] & 0xF0 == 0xB0 and m[1] == 7:
            volumes[m[0] & 15] = m[2]
    assert volumes[:2] == [80, 80]


def test_a_bend_range_that_was_set_twice_is_told_as_a_whole() -> None:
    ranges = [control(n, v) for wide in (7, 12) for n, v in ((101, 0), (100, 0), (6, wide), (101, 127), (100, 127))]
    session = session_from_midi(file_of([*ranges, *quarters([72], 0, 4)], quarters([40], 1, 4)), "x.mid")
    setup = plan_take(session.with_marker(4.0), 4.0, 4.0).part_router.setup
    assert [m[1:] for m in setup if m[0] == 0xB0] == [bytes(m.bytes()[1:]) for m in ranges]


@pytest.mark.parametrize("rest", ["stretch", "rest", "beside"])
def test_what_a_track_says_behind_its_last_note_does_not_reach_the_take_live(rest: str) -> None:
    """The melody's pedal goes down and its volume to nothing when all is over but the drums."""
    over = [control(64, 127, 960), control(7, 0)]
    melody = [Message("program_change", program=73), *quarters([72], 0, 4), *over]
    bass = [Message("program_change", program=33, channel=1), *quarters([40], 1, 3)]
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    session = session_from_midi(file_of([metre, *melody], bass, quarters([36], 9, 8)), "x.mid").with_marker(8.0)
    plan = plan_take(session.with_settings(replace(session.settings, rest=rest)), 8.0, 6.0)
    channels = [plan.part_router.route([note])[0][1][0] & 15 for note in _one_note_each(plan)]
    sounds: dict[int, set[bytes]] = {channel: set() for channel in channels}
    for m in [*plan.part_router.setup, *(m for time, m in plan.accompaniment(False) if time < 14.0)]:
        if m[0] & 15 in sounds and m[0] & 0xF0 in (0xB0, 0xC0):
            sounds[m[0] & 15].add(m[1:])
    assert [sounds[channel] for channel in channels] == [{b"\x49"}, {b"\x21"}]


def _one_note_each(plan: TakePlan) -> list[NoteMessage]:
    return [message(0, 60)._replace(track=track.key) for track in plan.tracks]


@pytest.mark.parametrize("rest", ["stretch", "rest", "beside"])
@pytest.mark.parametrize("seconds", [0.7, 2.0, 2.3, 5.9, 8.0, 8.6])
def test_what_is_heard_behind_a_take_is_what_is_kept_wherever_it_ends(made: Made, rest: str, seconds: float) -> None:
    """Planned for four bars, the model may let it end before."""
    playback = made(NoOutput())
    session = song(rest=rest)
    plan = plan_take(session, 8.0, 8.0)
    live = playback.begin_take(TakeStart(plan.start, 8.0, plan.part_router, plan.accompaniment(False)))
    (router,) = plan.note_routers(1)
    growing = TakeInProgress(8.0, 0.0, plan.take.notes)
    for messages, head in (([message(0, 38)], 0.3), ([message(0.5, 38, 0)], seconds)):
        routed = router.route(messages, head)
        growing.add(routed, head)
        live.feed(routed, head)
    plan.finish(live, seconds, metronome=False)
    kept = plan.cut_short(replace(plan.take, notes=growing.record().notes, seconds=seconds))
    assert kept.end == min(2.0 * -(-seconds // 2.0), 8.0)
    fed = [m for command in player().commands if command[0] == "feed" for m in command[1]]
    expected = [(round(time, 3), wire.hex()) for time, wire in timeline(session.with_take(kept), "both", 8.0)]
    assert _notes(fed, rest != "beside") == _notes(expected, rest != "beside")
    assert [time for time, _ in fed] == sorted(time for time, _ in fed)


def _notes(messages: list[tuple[float, str]], with_channel: bool) -> list[tuple[float, str, str]]:
    """Notes on and off; of channels of its own a take has as many as it plays on, of which live nobody knows yet."""
    notes = [(time, wire) for time, wire in messages if wire[0] in "89"]
    return sorted((time, wire[:2] if with_channel or wire[1] == "9" else wire[0], wire[2:]) for time, wire in notes)


def test_drums_that_stop_repeat_their_pattern_as_notes_of_the_take() -> None:
    plan = plan_take(song(), 8.0, 4.0)
    drums = [(n.start, n.pitch) for n in plan.take.notes if n.track == DRUMS]
    assert drums == [(pytest.approx(0.5 * i), (36, 38)[i % 2]) for i in range(8)]
    assert plan_take(song(drums="off"), 8.0, 4.0).take.notes == ()
    early = plan_take(song().with_marker(2.0), 2.0, 4.0)
    assert early.take.notes == ()  # the file's own play there


def test_a_take_that_is_stopped_ends_on_the_next_bar_line_and_so_do_its_drums() -> None:
    plan = plan_take(song(), 8.0, 8.0)
    record = plan.cut_short(replace(plan.take, seconds=2.3))
    assert record.end == pytest.approx(4.0)
    assert max(n.start for n in record.notes) == pytest.approx(3.5)


def test_a_take_whose_last_step_lies_behind_its_bar_line_is_no_bar_longer() -> None:
    plan = plan_take(song(), 8.0, 4.0)
    assert plan.cut_short(replace(plan.take, seconds=4.008)).end == pytest.approx(4.0)


def test_a_tracks_last_note_ends_where_its_own_notes_are_back() -> None:
    plan = plan_take(song(), 8.0, 4.0)
    assert plan.ring(4.0) == pytest.approx(2.0)
    (router,) = plan.note_routers(1)
    assert [m.track for m in router.route([message(3.5, 38), message(3.6, 74)], 3.9)] == [BASS, MELODY]
    assert [(m.time, m.pitch, m.velocity, m.track) for m in router.route([], 4.5)] == [
        (4.0, 38, 0, BASS),
        (4.0, 74, 0, MELODY),
    ]
    assert router.route([message(5.0, 38, 0)], 5.0) == ()
    (free,) = plan_take(song(rest="rest"), 8.0, 4.0).note_routers(1)
    free.route([message(3.5, 38)], 4.5)
    assert [m.time for m in free.route([message(5.0, 38, 0)], 5.0)] == [5.0]


def test_a_note_ends_before_a_pedal_comes_back_that_would_hold_it() -> None:
    melody = [*quarters([72], 0, 5), control(64, 127), *quarters([72], 0, 3)]
    session = session_from_midi(file_of([MetaMessage("time_signature"), *melody], quarters([40], 1, 8)), "x.mid")
    for is_exact in (False, True):
        plan = plan_take(session.with_marker(8.0), 8.0, 4.0, is_exact=is_exact)
        (router,) = plan.note_routers(1)
        router.route([message(3.5, 76), message(3.5, 38)], 3.9)
        ends = {m.pitch: m.time for m in router.route([], 4.5)}
        assert ends == {76: pytest.approx(4.0 - 1 / 960), 38: 4.0}


def test_nothing_sounds_past_an_exact_end() -> None:
    plan = plan_take(song(into="one", rest="rest"), 8.0, 1.3, is_exact=True)
    assert plan.ring(1.3) == 0
    (router,) = plan.note_routers(1)
    router.route([message(1.0, 60)], 1.0)
    assert [m.time for m in router.route([message(1.304, 60, 0)], 1.304)] == [1.3]
    assert plan.cut_short(replace(plan.take, seconds=1.304)).end == pytest.approx(1.3)


def test_a_fork_goes_on_with_the_tracks_of_what_is_kept() -> None:
    session = song()
    plan = plan_take(session, 8.0, 4.0)
    growing = TakeInProgress(8.0, 0.0, plan.take.notes)
    (router,) = plan.note_routers(1)
    growing.add(router.route([message(0, 38), message(0, 74), message(1, 38, 0), message(1, 74, 0)]), 2.0)
    session = session.with_take(replace(plan.take, notes=tuple(growing.notes), seconds=4.0))
    fork = fork_prompt(session, session.current, 1.5)
    again = plan_take(session, 8.0, 4.0, fork)
    assert again.start == 9.5
    assert [n.pitch for n in again.take.notes if n.track in (BASS, MELODY)] == [38, 74]
    assert not {36, 38} & {n.pitch for n in fork.tracks[-1].notes} - {38}  # no drums in the prompt
    assert played(again, message(0, 40)) == [(0, 40, 80, BASS)]


def test_pedals_are_lifted_where_a_take_goes_on_from_the_songs_very_end() -> None:
    pedals = [control(64, 127), control(66, 127), control(67, 127)]
    session = session_from_midi(file_of([*pedals, on(60), off(60, 960), on(64), off(64, 960)]), "")
    assert session.score is not None
    for marker in (1.0, session.score.end):
        plan = plan_take(session, marker, 4.0)
        state = {m[1]: m[2] for time, m in plan.accompaniment(False) if m[0] == 0xB0 and time <= marker}
        assert {state[number] for number in (64, 66, 67)} == {0}


@pytest.mark.parametrize("before_the_end", [0.0, 0.9])
def test_the_metronome_and_the_songs_controls_go_on_where_its_notes_end(before_the_end: float) -> None:
    notes, other = [on(60), off(60, 960), on(64), off(64, 960)], [on(70, 0, 1), off(70, 240, 1)]
    controls = [control(10, 100, 2400, channel=1)]  # behind all notes, of a track that is not the prompt's
    session = session_from_midi(file_of(notes, [*other, *controls]), "").with_flags(1, in_prompt=False)
    assert session.score is not None
    plan = plan_take(session, session.score.end - before_the_end, 2.0 + before_the_end)
    beside = list(plan.accompaniment(metronome=True))
    clicks = [time for time, m in beside if m[0] == 0x99]
    assert clicks == pytest.approx([2.0, 2.5, 3.0, 3.5] if not before_the_end else [1.5, 2.0, 2.5, 3.0, 3.5])
    assert (2.75, bytes((0xB1, 10, 100))) in [(pytest.approx(time), m) for time, m in beside]


def test_a_port_that_keeps_its_own_sounds_gets_no_programs_beside_a_take(made: Made) -> None:
    playback = made(ExistingPort("x"), programs=False)
    plan = plan_take(song(), 8.0, 4.0)
    live = playback.begin_take(TakeStart(plan.start, 4.0, plan.part_router, plan.accompaniment(False)))
    live.feed((), 1.0)
    live.finish(4.0)
    fed = [m for command in player().commands if command[0] == "feed" for _, m in command[1]]
    assert not [m for m in fed if m.startswith("c")]
    assert [m for m in fed if m.startswith("9")]


def test_the_prompt_is_learned_from_as_the_first_step_comes_and_once_for_all_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    learned = []

    class Learner(take_plan.TrackAssigner):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            learned.append(threading.current_thread())
            super().__init__(*arguments, **options)

    monkeypatch.setattr(take_plan, "TrackAssigner", Learner)
    route = plan_take(song(), 8.0, 4.0).route(2)
    assert not learned
    sampler = threading.Thread(target=lambda: [route(Step(i, 38, (message(0, 38),), 0.0)) for i in (0, 1, 0)])
    sampler.start()
    sampler.join()
    assert learned == [sampler]
