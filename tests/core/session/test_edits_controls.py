"""Pedals, bends and other controllers of tracks and takes: what changes, and that all else stays."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.codec.events import LONGEST_PEDAL
from core.midi.controllers import BEND, Point
from core.midi.events import scan_track
from core.session import edits
from core.session import edits_controls as ec
from core.session.assembly import use_bars
from core.session.edits_controls import Owner
from core.session.edits_song import with_tempo
from core.session.export import midi_bytes, written_score
from core.session.forks import accept_take, fork_prompt
from core.session.session import Session, TakeControl, session_from_midi
from core.session.storage import parse_session, session_bytes
from core.session.timeline import timeline
from tests.core.midi.builders import control, file_of, off, on
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band_with_take

PIANO = [
    MetaMessage("track_name", name="Piano"),
    Message("sysex", data=(0x7E, 0x7F, 9, 1)),
    control(121, 0),
    control(7, 90),
    control(64, 127),
    Message("note_on", note=60, velocity=80),
    control(64, 100, 120),
    Message("pitchwheel", pitch=1000, time=10),
    Message("note_off", note=60, velocity=33, time=110),
    control(64, 0),
    control(64, 90),
    MetaMessage("lyrics", text="la", time=5),
    on(62, 0),
    off(62, 240),
    control(64, 0, 100),
    MetaMessage("end_of_track", time=960),
]
BASS = [MetaMessage("track_name", name="Bass"), on(36, 0, 1), off(36, 960, 1), control(11, 100, 10, 1)]
NUMBERS = st.sampled_from([1, 7, 11, 64, BEND])
TIMES = st.floats(0, 3)
PLACES = st.lists(st.tuples(TIMES, st.integers(0, 20000)).map(lambda p: Point(*p)), max_size=6)


def song() -> Session:
    session = session_from_midi(file_of([MetaMessage("set_tempo", tempo=500_000)], PIANO, BASS), "song.mid")
    take = band_with_take().takes[0]
    return session.with_take(replace(take, marker=session.marker))


SONG = song()
TAKE = SONG.takes[0].id
OWNERS = st.sampled_from([Owner(0), Owner(1), Owner(TAKE), Owner(TAKE, (1, 0))])


def messages(session: Session) -> list[Counter[tuple[int, bytes]]]:
    """The events of each chunk."""
    assert session.score is not None
    return [Counter(scan_track(body).events) for body in session.score.chunks]


@settings(max_examples=60)
@given(OWNERS, NUMBERS, TIMES, TIMES, PLACES)
def test_drawing_changes_one_controller_in_one_stretch(
    owner: Owner, number: int, a: float, b: float, points: list[Point]
) -> None:
    start, end = sorted((a, b))
    after = ec.draw_curve(SONG, owner, number, start, end, points)
    assert_sound(after)
    assert_written_as_it_is(after)
    for other in (Owner(0), Owner(1), Owner(TAKE), Owner(TAKE, (1, 0))):
        for each in (1, 7, 11, 64, BEND):
            if (other, each) != (owner, number):
                assert ec.curve(after, other, each) == ec.curve(SONG, other, each)
    outside = [p for p in ec.curve(SONG, owner, number) if not start - 0.01 <= p.at <= end + 0.01]
    assert [p for p in ec.curve(after, owner, number) if not start - 0.01 <= p.at <= end + 0.01] == outside
    for part in (0, 1, TAKE):
        assert edits.part_notes(after, part) == edits.part_notes(SONG, part)
    if isinstance(owner.part, str) and end < SONG.marker:
        assert after is SONG
    is_take = isinstance(owner.part, str)
    assert after.score is not None
    assert SONG.score is not None
    for i, (old, new) in enumerate(zip(SONG.score.chunks, after.score.chunks, strict=True)):
        kept, now = Counter(scan_track(old).events), Counter(scan_track(new).events)
        assert new == old or (i == owner.part + 1 if isinstance(owner.part, int) else False)
        assert is_take or all(m[0] in (0xB0, 0xB1, 0xE0, 0xE1) for _, m in (kept - now) + (now - kept))
        assert scan_track(new).end_tick >= scan_track(old).end_tick


@settings(max_examples=40)
@given(OWNERS, OWNERS, NUMBERS, NUMBERS, TIMES, TIMES, PLACES)
def test_the_order_of_independent_edits_does_not_matter(
    first: Owner, second: Owner, a: int, b: int, start: float, end: float, points: list[Point]
) -> None:
    one = (first, a, min(start, end), max(start, end), points)
    other = (second, b, 0.2, 1.7, [Point(0.2, 5), Point(0.9, 120)])
    if (first, a) == (second, b):  # the same line: another stretch of it
        other = (second, b, 4.0, 5.0, [Point(4.0, 5), Point(4.5, 120)])
    there = ec.draw_curve(ec.draw_curve(SONG, *one), *other)
    back = ec.draw_curve(ec.draw_curve(SONG, *other), *one)
    assert (there.midi, there.takes) == (back.midi, back.takes)


@settings(max_examples=40)
@given(TIMES, st.integers(0, 1), st.integers(-12, 12))
def test_an_edit_of_notes_before_or_after_is_the_same(at: float, track: int, semitones: int) -> None:
    def pedal(session: Session) -> Session:
        return ec.draw_pedal(session, Owner(track), at, at + 0.5)

    def notes(session: Session) -> Session:
        return edits.transpose(session, {track: [0]}, semitones).session

    there, back = notes(pedal(SONG)), pedal(notes(SONG))
    assert_written_as_it_is(there)
    assert written_score(there) == written_score(back)
    assert parse_session(session_bytes(there), "x").score == there.score


def test_all_else_stays_where_it_is() -> None:
    session = ec.draw_curve(SONG, Owner(0), 1, 0.0, 0.125, [Point(0.0, 10), Point(0.125, 20)])
    assert session.score is not None
    assert SONG.score is not None
    before, after = (scan_track(s.score.chunks[1]).events for s in (SONG, session))  # type: ignore[union-attr]
    assert [event for event in after if event not in before] == [(0, b"\xb0\x01\x0a"), (120, b"\xb0\x01\x14")]
    assert [event for event in after if event in before] == before
    at_start = [m for tick, m in after if tick == 0]
    assert at_start.index(b"\xb0\x79\x00") < at_start.index(b"\xb0\x01\x0a") < at_start.index(b"\x90\x3c\x50")
    assert session.score.chunks[2] is SONG.score.chunks[2] or session.score.chunks[2] == SONG.score.chunks[2]
    back = ec.draw_curve(session, Owner(0), 1, 0.0, 0.125, [])
    assert messages(back) == messages(SONG)


@pytest.mark.parametrize("owner", [Owner(0), Owner(TAKE), Owner(TAKE, (1, 0))])
def test_pedals_are_drawn_moved_resized_and_deleted(owner: Owner) -> None:
    start = SONG.marker if owner.part == TAKE else 1.0
    before = ec.pedals(SONG, owner)
    session = ec.draw_pedal(SONG, owner, start + 0.5, start + 1.0)
    assert ec.pedals(session, owner) == [*before, pytest.approx((start + 0.5, start + 1.0), abs=0.002)]
    at = ec.pedals(session, owner)[-1]
    session = ec.move_pedal(session, owner, at[0], at[0] + 0.25, at[1] + 0.25)
    assert ec.pedals(session, owner) == [*before, pytest.approx((start + 0.75, start + 1.25), abs=0.003)]
    at = ec.pedals(session, owner)[-1]
    session = ec.move_pedal(session, owner, at[0], at[0], at[1] + 0.5)
    assert ec.pedals(session, owner)[-1] == pytest.approx((start + 0.75, start + 1.75), abs=0.004)
    assert parse_session(session_bytes(session), "x").takes == session.takes
    session = ec.delete_pedal(session, owner, ec.pedals(session, owner)[-1][0])
    assert ec.pedals(session, owner) == before
    assert ec.erase_pedals(ec.draw_pedal(session, owner, start + 0.5, start + 1.0), owner, start + 0.6, 9.0) == session


@pytest.mark.parametrize("owner", [Owner(0), Owner(TAKE)])
def test_a_pedal_that_nothing_lifts_stays_so_when_it_is_moved(owner: Owner) -> None:
    at = SONG.marker + 1.0
    session = ec.draw_curve(SONG, owner, 64, at, at, [Point(at, 127)])
    start, end = ec.pedals(session, owner)[-1]
    assert end == math.inf
    session = ec.move_pedal(session, owner, start, start + 0.5, math.inf)
    assert ec.pedals(session, owner)[-1] == (pytest.approx(at + 0.5, abs=0.002), math.inf)
    session = ec.move_pedal(session, owner, start + 0.5, start + 0.5, start + 1.0)
    assert ec.pedals(session, owner)[-1] == pytest.approx((at + 0.5, at + 1.0), abs=0.004)


def test_each_port_of_a_chunk_keeps_its_own() -> None:
    port = [MetaMessage("midi_port", port=1), on(70, 0), control(64, 127), off(70, 240), control(64, 0)]
    session = session_from_midi(file_of([on(60, 0), off(60, 480), *port]), "ports.mid")
    assert session.score is not None
    first, second = (Owner(i) for i in range(2))
    assert (ec.pedals(session, first), len(ec.pedals(session, second))) == ([], 1)
    both = ec.draw_pedal(ec.draw_pedal(session, first, 0.5, 2.0), second, 1.5, 2.5)
    assert len(ec.pedals(both, first)) == 1
    assert len(ec.pedals(both, second)) == 2
    assert_written_as_it_is(both)


def with_sound(track: tuple[int, int] | None) -> Session:
    """A take with a pedal that is never lifted, and a bend, before the bass's own pedal comes back."""
    take = replace(SONG.takes[0], end=4.0, replaces=((1, 0),))
    if track:
        take = replace(take, notes=tuple(replace(note, track=track) for note in take.notes))
    session = SONG.with_changed_take(take)
    owner, at = Owner(TAKE, track), take.marker + 0.5
    session = ec.draw_curve(session, owner, 64, take.marker, at + 0.5, [Point(at + 0.5, 127)])
    return ec.draw_curve(session, owner, BEND, at, at, [Point(at, 12000)])


@pytest.mark.parametrize("track", [None, (1, 0)])
def test_a_take_is_heard_and_written_with_its_pedal(track: tuple[int, int] | None) -> None:
    session = with_sound(track)
    take = session.takes[0]
    sent = [(time, m) for time, m in timeline(session) if m[0] & 0xF0 in (0xB0, 0xE0) and time >= take.marker]
    pedal = [(round(time - take.marker, 2), m[2]) for time, m in sent if m[0] >> 4 == 0xB and m[1] == 64]
    assert (1.0, 127) in pedal
    assert pedal[-1][1] == 0
    bends = [(round(time - take.marker, 2), m[1] | m[2] << 7) for time, m in sent if m[0] >> 4 == 0xE]
    assert (0.5, 12000) in bends
    assert bends[-1][1] == (9192 if track else 8192)  # what the track had before the take comes back
    from_there = timeline(session, start=take.marker + 2.0)
    assert any(time == take.marker + 2.0 and m[0] >> 4 == 0xB and m[1:] == b"\x40\x7f" for time, m in from_there)
    for merged in (False, True):
        data = midi_bytes(session, "score and take", is_merged=merged)
        score = session_from_midi(data, "x").score
        assert score is not None
        ticks = [(p.start_tick, p.end_tick) for t in score.tracks for p in t.pedals]
        down = session.tempo_map.tick(take.marker + 1.0)
        assert any(first == down and last > down for first, last in ticks)
    accepted = accept_take(session, take.id)
    assert accepted.score is not None
    assert any(p.start_tick == down for t in accepted.score.tracks for p in t.pedals)


def test_forks_bars_and_tempo_keep_them() -> None:
    session = with_sound((1, 0))
    take = session.takes[0]
    fork = fork_prompt(session, take.id, 2.0)
    assert fork.controls[-1] == TakeControl(2.0, 64, 0, (1, 0))
    assert fork.joined(take).controls == fork.controls
    pedalled = fork.tracks[-1]  # as the model reads it
    marker = take.marker
    end = marker + 2.0 + LONGEST_PEDAL  # it goes on, for the model, and is never lifted
    assert [(p.start, p.end) for p in pedalled.pedals] == [(pytest.approx(marker + 1, abs=0.002), end)]
    assert len(pedalled.notes) == len(fork.kept)
    other = session.with_take(replace(take, id="other", name="", controls=()))
    bars = use_bars(other.select_take(take.id), take.id, "other", take.marker, take.marker + 2.0).session
    assert bars.take("other").controls == tuple(c for c in take.controls if c.at < 2.0)
    slower = with_tempo(session, 0, 60.0)
    ticks = [s.tempo_map.tick(s.takes[0].marker + c.at) for s in (session, slower) for c in s.takes[0].controls]
    assert ticks[:2] == ticks[2:]


def test_a_pedal_that_the_session_file_makes_impossible_is_refused() -> None:
    from core.errors import UnreadableInput

    session = with_sound(None)
    take = replace(session.takes[0], controls=(TakeControl(1.0, 200, 3),))
    with pytest.raises(UnreadableInput):
        parse_session(session_bytes(session.with_changed_take(take)), "x")
