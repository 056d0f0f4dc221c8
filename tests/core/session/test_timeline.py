from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.midi.tempo_map import Metre, Tempo, TempoMap
from core.session.session import Session, session_from_midi
from core.session.timeline import BAR_CLICK, BEAT_CLICK, Timed, clicks, playing_range, timeline
from tests.core.midi.builders import control, file_of, off, on
from tests.core.midi.sounding import score_messages
from tests.core.session.sessions import TAKE, band, band_with_take


def notes_on(messages: list[Timed]) -> list[tuple[int, int]]:
    return [(m[0] & 15, m[1]) for _, m in messages if m[0] & 0xF0 == 0x90]


def assert_playable(messages: list[Timed], start: float, end: float) -> None:
    """In order, within the range, and every note that is struck is ended."""
    assert [t for t, _ in messages] == sorted(t for t, _ in messages)
    assert all(start <= t <= end for t, _ in messages)
    sounding: dict[tuple[int, int], int] = {}
    for _, message in messages:
        key = (message[0] & 15, message[1])
        if message[0] & 0xF0 == 0x90:
            sounding[key] = sounding.get(key, 0) + 1
        elif message[0] & 0xF0 == 0x80:
            sounding[key] = sounding.get(key, 0) - 1
            assert sounding[key] >= 0
    assert not any(sounding.values())


def test_the_whole_score_plays_as_the_file_says() -> None:
    session = band()
    assert session.score is not None
    assert timeline(session, "prompt") == score_messages(session.score)


def test_a_note_without_length_at_the_very_end_is_played() -> None:
    session = session_from_midi(file_of([on(60), off(60, 480), on(72), off(72)]), "")
    assert notes_on(timeline(session, "prompt")) == [(0, 60), (0, 72)]
    assert notes_on(timeline(session, "prompt", 0.4)) == [(0, 72)]
    start, end = playing_range(session, "prompt")
    assert notes_on(timeline(session, "prompt", start, end)) == [(0, 60)]  # a loop begins anew there


def test_both_is_the_score_then_the_take() -> None:
    session = band_with_take()
    messages = timeline(session, "both")
    assert_playable(messages, 0.0, session.marker + 4.5)
    assert (0.0, bytes((0xC2, 4))) in messages  # the take sounds like the prompt's piano, on a free channel
    assert notes_on(messages)[-3:] == [(2, 60), (2, 64), (2, 67)]
    assert [t for t, m in messages if m[0] == 0x92] == [session.marker + n.start for n in TAKE.notes]


def test_the_prompts_tracks_are_silent_under_the_take_and_the_drums_play_on() -> None:
    session = band_with_take()
    session = session.with_changed_take(replace(session.takes[0], marker=0.7))
    messages = timeline(session, "both")
    assert_playable(messages, 0.0, 5.2)
    assert all(t < 0.701 for t, m in messages if m[0] & 15 in (0, 1))
    assert notes_on(messages).count((9, 38)) + notes_on(messages).count((9, 42)) == 2
    assert bytes((0x81, 36, 64)) in [m for t, m in messages if t == pytest.approx(0.7)]
    assert notes_on(timeline(session, "prompt")) == notes_on(timeline(band(), "prompt"))


def test_a_take_alone_and_no_take() -> None:
    session = band_with_take()
    assert playing_range(session, "take") == (session.marker, session.marker + 4.5)
    messages = timeline(session, "take", session.marker)
    assert {m[0] & 15 for _, m in messages} == {2}
    assert notes_on(timeline(session.select_take(""), "both")) == notes_on(timeline(session, "prompt"))
    assert timeline(session.select_take(""), "take") == []
    assert timeline(Session()) == []
    assert notes_on(timeline(Session().with_take(TAKE))) == [(0, 60), (0, 64), (0, 67)]


def test_mute_and_solo_go_for_tracks_and_the_take_is_always_heard() -> None:
    session = band_with_take().with_flags(1, solo=True)
    assert {channel for channel, _ in notes_on(timeline(session))} == {1, 2}
    muted = band_with_take().with_flags(2, mute=True)
    assert {channel for channel, _ in notes_on(timeline(muted))} == {0, 1, 2}


def test_from_the_middle_what_held_is_told_first() -> None:
    track = [
        control(0, 3),
        Message("program_change", program=5),
        Message("pitchwheel", pitch=100),
        control(101, 0),
        control(100, 0),
        control(6, 12),
        control(1, 64),
        control(64, 127),
        on(60),
        control(121, 0, 480),
        control(7, 70),
        control(7, 80),
        Message("program_change", program=9),
        control(123, 0),
        off(60, 960),
        on(62),
        off(62, 480),
    ]
    session = session_from_midi(file_of(track), "x.mid")
    messages = timeline(session, "prompt", 1.0)
    told = [bytes(control(*c).bytes()) for c in ((0, 3), (101, 0), (100, 0), (6, 12), (7, 80))]
    assert [m for t, m in messages if t == 1.0] == [*told, bytes((0xC0, 9))]
    assert notes_on(messages) == [(0, 62)]  # what sounded already is left out, its end too
    assert messages[-2:] == [(1.5, bytes((0x90, 62, 80))), (2.0, bytes((0x80, 62, 64)))]
    assert bytes((0xB0, 123, 0)) not in [m for _, m in timeline(session, "prompt")]


def test_a_pedal_that_is_down_at_the_end_is_lifted() -> None:
    session = session_from_midi(file_of([control(64, 127), on(60), off(60, 960)]), "x.mid")
    for end in (0.4, None):
        messages = timeline(session, "prompt", 0.0, end)
        assert messages[-1][0] == (1.0 if end is None else end)
        assert bytes((0xB0, 64, 0)) in [m for _, m in messages]


def test_one_channel_and_no_programs_leave_the_drums_where_they_are() -> None:
    messages = timeline(band_with_take(), channel=5, programs=False)
    assert {m[0] & 15 for _, m in messages} == {5, 9}
    assert not [m for _, m in messages if m[0] & 0xF0 == 0xC0 or (m[0] & 0xF0 == 0xB0 and m[1] in (0, 32))]
    assert bytes((0xB5, 7, 90)) in [m for _, m in messages]


def test_a_shared_channel_is_set_up_when_the_take_begins() -> None:
    tracks = [[on(60, 0, c), off(60, 480, c)] for c in range(16) if c != 9]
    session = session_from_midi(file_of(*tracks), "x.mid").with_take(replace(TAKE, marker=0.5))
    messages = timeline(session)
    assert [t for t, m in messages if m == bytes((0xC0, 0))] == [0.5]


def test_clicks_fall_on_the_beats_and_the_first_of_a_bar_is_higher() -> None:
    tempo_map = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 3, 4), Metre(1440, 6, 8)))
    ons = [(t, m[1]) for t, m in clicks(tempo_map, 0.5, 3.0) if m[0] == 0x99]
    low, high = BEAT_CLICK[0], BAR_CLICK[0]
    assert ons == [(0.5, low), (1.0, low), (1.5, high), *((1.5 + i / 4, low) for i in range(1, 6))]


def test_clicks_in_a_tempo_that_nobody_can_beat_are_few() -> None:
    tempo_map = TempoMap(480, (Tempo(0, 1),), (Metre(0, 255, 64),))
    ons = [t for t, m in clicks(tempo_map, 0.0, 60.0) if m[0] == 0x99]
    assert 900 < len(ons) <= 1000


def test_the_metronome_plays_along_on_the_drum_channel() -> None:
    session = band().with_flags(2, mute=True)
    messages = timeline(session, "prompt", 0.6, 1.8, metronome=True, channel=3)
    assert [(t, m[1]) for t, m in messages if m[0] == 0x99] == [(0.6, BEAT_CLICK[0]), (1.2, BEAT_CLICK[0])]
    assert_playable(messages, 0.6, 1.8)
    assert [t for t, m in timeline(Session(), "both", 0.0, 1.0, metronome=True) if m[0] == 0x99] == [0.0, 0.5]


note = st.tuples(st.integers(0, 127), st.integers(0, 5), st.integers(0, 900), st.integers(0, 900))


@given(st.lists(note, max_size=20), st.floats(0, 5), st.floats(0, 5), st.sampled_from(["prompt", "take", "both"]))
def test_any_range_of_anything_is_playable(notes: Any, start: float, length: float, what: Any) -> None:
    track = [MetaMessage("set_tempo", tempo=300_000)]
    for pitch, channel, gap, duration in notes:
        track += [on(pitch, gap, channel), off(pitch, duration, channel)]
    session = session_from_midi(file_of(track), "x.mid")
    session = session.with_take(replace(TAKE, marker=session.marker / 2))
    assert_playable(timeline(session, what, start, start + length, metronome=True), start, start + length)


def test_a_program_that_changes_later_is_not_told_too_soon() -> None:
    track = [Message("program_change", program=1), on(60), off(60, 480), Message("program_change", program=2)]
    session = session_from_midi(file_of([*track, on(60), off(60, 480)]), "x.mid")
    programs = [(t, m[1]) for t, m in timeline(session, "prompt", 0.25) if m[0] == 0xC0]
    assert programs == [(0.25, 1), (pytest.approx(0.5), 2)]
