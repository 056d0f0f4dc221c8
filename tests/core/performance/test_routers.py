"""Notes on their way to tracks and channels: who waits for what, and what ends."""

from collections import Counter
from functools import cache
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import GridNote, NoteMessage, StreamingDecoder, encode_grid
from core.codec.vocabulary import note_off, note_on, time_shift, velocity
from core.midi.score import TrackKey
from core.midi.write import TakeVoice
from core.performance import take_plan
from core.performance.routers import NoteRouter, PartRouter
from core.performance.take_plan import plan_take
from core.tracks.track_assignment import Assignment, TrackAssigner
from tests.core.performance.band import BASS, MELODY, message, song


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(60, 62), st.booleans()), max_size=40))
def test_two_tracks_on_one_channel_do_not_cut_each_other(moves: list[tuple[int, int, bool]]) -> None:
    """A pitch sounds on the wire from the first note-on of a track until the last has let go of it."""
    keys = [(0, 0), (1, 0), (2, 3)]
    voices: dict[TrackKey | None, TakeVoice] = {key: TakeVoice(key[1], (), True) for key in keys}
    router = PartRouter(voices)
    held: set[tuple[tuple[int, int], int]] = set()
    sounding: set[tuple[int, int]] = set()
    for track, pitch, is_on in moves:
        key = keys[track]
        if is_on == ((key, pitch) in held):
            continue  # a track strikes what it does not sound, and lets go of what it does
        (held.add if is_on else held.discard)((key, pitch))
        for _, wire in router.route([NoteMessage(0, pitch, 80 * is_on, 0.0, key)]):
            place = wire[0] & 15, wire[1]
            if wire[0] & 0xF0 == 0x90:
                assert place not in sounding
                sounding.add(place)
            else:
                sounding.discard(place)
        assert sounding == {(key[1], pitch) for key, pitch in held}


def test_a_note_of_a_monophonic_track_waits_until_its_chord_is_over() -> None:
    plan = plan_take(song(), 8.0, 4.0)
    (router,) = plan.note_routers(1)

    def events(*of: tuple[int, tuple[NoteMessage, ...], float]) -> list[list[tuple[int, object]]]:
        return [[(m.pitch, m.track) for m in router.route(messages, head, event)] for event, messages, head in of]

    assert events(
        (velocity(20), (), 0.0),
        (note_on(38), (message(0, 38),), 0.0),
        (velocity(22), (), 0.0),  # the chord goes on, nobody knows with what
        (note_on(74), (message(0, 74),), 0.0),
        (time_shift(50), (), 0.5),  # it is over
        (note_off(74), (message(0.5, 74, 0),), 0.5),
        (note_on(38), (message(0.5, 38, 0), message(0.5, 38)), 0.5),  # the note-off is for the note that was given
    ) == [[], [], [], [], [(38, BASS), (74, MELODY)], [(74, MELODY)], [(38, BASS)]]
    # The take ends or is stopped: what waits comes at once, before its note-off.
    closing = (message(0.51, 38, 0),)
    assert [(m.time, m.velocity, m.track) for m in router.route(closing, 0.5, None)] == [
        (0.5, 80, BASS),
        (0.51, 0, BASS),
    ]


@given(
    st.lists(
        st.integers(0, 387).map(lambda event: event // 128 * 128 + event % 12 + 36 if event < 256 else event),
        max_size=40,
    )
)
def test_however_a_take_ends_no_note_is_lost_or_held(events: list[int]) -> None:
    router, decoder = NoteRouter(_assigner().copy(), [MELODY, BASS], 8.0), StreamingDecoder()
    sampled: list[NoteMessage] = []
    routed: list[NoteMessage] = []
    for event in events:
        messages = decoder.feed(event)
        sampled += messages
        routed += router.route(messages, decoder.time, event)
    messages = decoder.close()
    routed += router.route(messages, decoder.time, None)
    assert [m.time for m in routed] == sorted(m.time for m in routed)
    begun, sent = (
        {time: [m.pitch for m in chord] for time, chord in groupby((m for m in of if m.velocity), key=lambda m: m.time)}
        for of in (sampled, routed)
    )
    assert begun.keys() == sent.keys()
    for time, chord in begun.items():  # of more notes than there are tracks some have no room
        assert not Counter(sent[time]) - Counter(chord)
        assert len(sent[time]) == len(chord) or len(set(chord)) > 1
    sounding: Counter[tuple[object, int]] = Counter()
    for m in routed:
        sounding[m.track, m.pitch] += 1 if m.velocity else -1
    assert not any(sounding.values())


@cache
def _assigner() -> TrackAssigner:
    score = song().score
    assert score is not None
    return TrackAssigner(score.tracks[:2], 8.0, None, score.tempo_map)


def test_what_is_known_of_a_chord_is_told_with_its_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, bool]] = []

    class Listener(take_plan.TrackAssigner):
        def assign(self, onset: float, pitch: int, velocity: int, is_last: bool) -> Assignment:
            told.append((pitch, is_last))
            return super().assign(onset, pitch, velocity, is_last)

    monkeypatch.setattr(take_plan, "TrackAssigner", Listener)
    chords = [GridNote(0, 38, 50, 20), GridNote(0, 67, 50, 18), GridNote(0, 74, 100, 18), GridNote(50, 43, 100, 20)]
    decoder = StreamingDecoder()
    (router,) = plan_take(song(), 8.0, 4.0).note_routers(1)
    for event in encode_grid(chords):
        router.route(decoder.feed(event), decoder.time, event)
    router.route(decoder.close(), decoder.time)
    by_event, told[:] = list(told), []
    assert by_event == [(38, False), (67, False), (74, True), (43, True)]
    (router,) = plan_take(song(), 8.0, 4.0).note_routers(1)
    router.route([message(0, 38), message(0, 67), message(0, 74), message(0.5, 38, 0), message(0.5, 43)])
    assert told == by_event


def test_a_track_of_the_takes_own_waits_for_nothing() -> None:
    (router,) = plan_take(song(into="one"), 8.0, 4.0).note_routers(1)
    assert len(router.route([message(0, 60)], 0.0, note_on(60))) == 1


def test_of_a_chord_a_monophonic_track_plays_one_note_and_none_for_no_time() -> None:
    (router,) = plan_take(song(into="2:1"), 8.0, 4.0).note_routers(1)
    for pitch in (48, 52, 55):
        assert router.route([message(0, pitch)], 0.0, note_on(pitch)) == ()
    assert [(m.pitch, m.velocity) for m in router.route((), 0.5, time_shift(50))] == [(55, 80)]
    ends = [message(0.5, 48, 0), message(0.5, 52, 0), message(0.5, 55, 0)]
    assert [(m.pitch, m.velocity) for m in router.route(ends, 0.5, note_off(55))] == [(55, 0)]


def test_a_chord_is_not_over_where_another_note_ends_in_its_midst() -> None:
    (router,) = plan_take(song(into="2:1"), 8.0, 4.0).note_routers(1)
    router.route([message(0, 50)], 0.0, note_on(50))
    router.route((), 0.5, time_shift(50))
    assert [(m.pitch, m.velocity) for m in router.route([message(0.5, 40)], 0.5, note_on(40))] == [(50, 0)]
    assert router.route([message(0.5, 50, 0)], 0.5, note_off(50)) == ()
    assert router.route([message(0.5, 43)], 0.5, note_on(43)) == ()
    assert [(m.pitch, m.velocity) for m in router.route((), 0.6, time_shift(10))] == [(43, 80)]


def test_without_an_assigner_nothing_is_given_to_a_track() -> None:
    assert NoteRouter(None, (), 0.0).route([message(0, 60)]) == (message(0, 60),)
