"""Controllers of a span: copied, cut, pasted and repeated with its notes; all else is heard as before."""

from bisect import bisect
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.errors import UsageError
from core.midi.controllers import BEND, BEND_CENTRE, Point
from core.session import clips, edits
from core.session import edits_controls as ec
from core.session import edits_span as es
from core.session.edits_controls import Owner
from core.session.session import Session, session_from_midi
from tests.core.midi.builders import control, file_of, off, on
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band_with_take

PIANO = [
    MetaMessage("track_name", name="Piano"),
    control(7, 90),
    control(64, 127),
    on(60, 120),
    Message("pitchwheel", pitch=1000, time=10),
    off(60, 110),
    control(64, 0),
    control(1, 60, 60),
    control(64, 90, 60),
    on(62, 0),
    off(62, 240),
    Message("pitchwheel", pitch=-300, time=60),
    control(64, 20, 100),
    control(1, 0, 100),
    control(64, 127, 500),
    MetaMessage("end_of_track", time=960),
]
BASS = [MetaMessage("track_name", name="Bass"), on(36, 0, 1), off(36, 960, 1), control(11, 100, 10, 1)]
NUMBERS = (1, 7, 11, 64, BEND)


def song() -> Session:
    session = session_from_midi(file_of([MetaMessage("set_tempo", tempo=500_000)], PIANO, BASS), "song.mid")
    take = band_with_take().takes[0]
    session = session.with_take(replace(take, marker=0.0))
    for owner in (Owner(session.takes[0].id), Owner(session.takes[0].id, (1, 0))):
        session = ec.draw_pedal(session, owner, 0.3, 1.1)
        session = ec.draw_curve(session, owner, 1, 0.2, 2.0, [Point(0.2, 9), Point(1.0, 99), Point(1.7, 3)])
    return session


SONG = song()
TAKE = SONG.takes[0].id
ALL = (Owner(0), Owner(1), Owner(TAKE), Owner(TAKE, (1, 0)))
OWNERS = st.sampled_from(ALL)
TICKS = st.integers(0, 2400)
SPANS = st.tuples(TICKS, TICKS).map(lambda pair: (min(pair), max(pair) + 1))


def at(tick: int) -> float:
    return SONG.tempo_map.seconds(tick)


def line(session: Session, owner: Owner, number: int, first: int, last: int) -> list[int | None]:
    """What a controller is just behind every eleventh tick."""
    points = ec.curve(session, owner, number)
    times, values = [p.at - 1e-4 for p in points], [es.at_rest(number), *(p.value for p in points)]
    return [values[bisect(times, at(tick))] for tick in range(first, last, 11)]


@settings(max_examples=60)
@given(OWNERS, SPANS)
def test_what_is_put_back_where_it_was_changes_nothing_that_is_heard(owner: Owner, span: tuple[int, int]) -> None:
    first, last = span
    values = es.passage(SONG, owner, at(first), at(last))
    after = es.put_passages(SONG, at(first), last - first, {owner: values})
    assert_sound(after)
    assert_written_as_it_is(after)
    for each in ALL:
        for number in NUMBERS:
            assert line(after, each, number, 0, 3600) == line(SONG, each, number, 0, 3600)


@settings(max_examples=80)
@given(OWNERS, OWNERS, SPANS, TICKS)
def test_a_passage_sounds_the_same_elsewhere_and_all_around_it_as_before(
    owner: Owner, target: Owner, span: tuple[int, int], to: int
) -> None:
    first, last = span
    data = clips.clip(SONG, {}, at(first), at(last), [owner])
    values = es.passage(SONG, owner, at(first), at(last))
    if not values:
        with pytest.raises(UsageError, match="no notes"):
            clips.parse_clip(data)
        return
    clip = clips.parse_clip(data)
    assert clip.ticks == last - first
    into = target.part
    after, chosen = clips.paste(SONG, clip, at(to), into)
    assert chosen in ({}, {TAKE: []})
    assert_sound(after)
    assert_written_as_it_is(after)
    key = (1, 0) if owner in (Owner(0), Owner(TAKE, (1, 0))) else (2, 1) if owner == Owner(1) else None
    put_to = Owner(into, key) if isinstance(into, str) else target
    for number in NUMBERS:
        inside = line(after, put_to, number, to, to + last - first)
        if number in values:
            assert inside == line(SONG, owner, number, first, last)
        else:
            assert inside == line(SONG, put_to, number, to, to + last - first)
        for each in ALL:
            assert line(after, each, number, 0, to) == line(SONG, each, number, 0, to)
            begin = 0 if each != put_to else to + last - first
            assert line(after, each, number, begin, 3600) == line(SONG, each, number, begin, 3600)
    for part in (0, 1, TAKE):
        assert edits.part_notes(after, part) == edits.part_notes(SONG, part)


@settings(max_examples=60)
@given(OWNERS, SPANS)
def test_what_is_cut_is_gone_there_and_only_there(owner: Owner, span: tuple[int, int]) -> None:
    first, last = span
    after = es.without_passages(SONG, at(first), at(last), [owner])
    assert_sound(after)
    assert_written_as_it_is(after)
    assert es.passage(after, owner, at(first), at(last)) == {} or first in _returns(after, owner)
    for number in NUMBERS:
        for each in ALL:
            assert line(after, each, number, 0, first) == line(SONG, each, number, 0, first)
            begin = 0 if each != owner else last
            assert line(after, each, number, begin, 3600) == line(SONG, each, number, begin, 3600)
    assert set(line(after, owner, 64, first, last)) == {0}
    assert set(line(after, owner, BEND, first, last)) == {BEND_CENTRE}


def _returns(session: Session, owner: Owner) -> set[int]:
    """Ticks at which something goes to its place of rest: what was held up to there was cut behind it."""
    return {
        SONG.tempo_map.tick(p.at)
        for number in (64, BEND)
        for p in ec.curve(session, owner, number)
        if p.value == es.at_rest(number)
    }


@settings(max_examples=40)
@given(st.tuples(OWNERS, OWNERS).filter(lambda pair: pair[0] != pair[1]), SPANS, TICKS, TICKS, st.integers(-9, 9))
def test_the_order_of_independent_edits_does_not_matter(
    owners: tuple[Owner, Owner], span: tuple[int, int], to: int, other_to: int, semitones: int
) -> None:
    length = span[1] - span[0]
    values = es.passage(SONG, Owner(0), at(span[0]), at(span[1]))

    def one(session: Session) -> Session:
        return es.put_passages(session, at(to), length, {owners[0]: values})

    def other(session: Session) -> Session:
        return es.put_passages(session, at(other_to), length, {owners[1]: values})

    def notes(session: Session) -> Session:
        return edits.transpose(session, {0: [0], TAKE: [1]}, semitones).session

    there, back = one(other(SONG)), other(one(SONG))
    assert (there.midi, there.takes) == (back.midi, back.takes)
    both = es.put_passages(SONG, at(to), length, {owner: values for owner in owners})
    if to == other_to:
        assert (both.midi, both.takes) == (there.midi, there.takes)
    there, back = one(notes(SONG)), notes(one(SONG))
    assert (there.score, there.takes) == (back.score, back.takes)


@settings(max_examples=30)
@given(OWNERS, st.tuples(st.integers(0, 480), st.integers(1, 480)), st.integers(1, 4))
def test_repeating_says_the_same_again_and_again(owner: Owner, place: tuple[int, int], times: int) -> None:
    first, length = place
    values = es.passage(SONG, owner, at(first), at(first + length))
    after = es.put_passages(SONG, at(first + length), times * length, {owner: es.repeated(values, length, times)})
    for number in values:
        once = line(SONG, owner, number, first, first + length)
        for i in range(times + 1):
            assert line(after, owner, number, first + i * length, first + (i + 1) * length) == once


def test_notes_and_controllers_come_together_and_settings_stay_behind() -> None:
    owners, span = [Owner(0), Owner(1), Owner(TAKE)], (at(0), at(240))
    data = clips.clip(SONG, {0: [0]}, *span, owners)
    clip = clips.parse_clip(data)
    assert clip.notes.notes == 1
    assert {voice.name: sorted(lines) for voice, lines in clip.controls.items()} == {
        "Piano": [7, 64, BEND],
        SONG.takes[0].name: [1],
    }
    foreign = file_of([control(7, 90), control(10, 30), control(64, 127), on(60, 0), control(64, 0, 100), off(60, 5)])
    clip = clips.parse_clip(foreign)
    assert [sorted(lines) for lines in clip.controls.values()] == [[64]]
    after, chosen = clips.paste(SONG, clip, at(960), 1)
    assert [len(places) for places in chosen.values()] == [1]
    assert [value.value for value in ec.curve(after, Owner(1), 64)] == [127, 0]


@pytest.mark.parametrize("owner", [*ALL, Owner(9), Owner("nobody")])
def test_all_curves_are_each_as_it_is_alone(owner: Owner) -> None:
    curves = {number: list(map(Point, *line)) for number, line in ec.curves(SONG, owner).items()}
    assert curves == {number: ec.curve(SONG, owner, number) for number in ec.used_numbers(SONG, owner)}
    assert bool(curves) == (owner in ALL)


def test_tracks_of_one_channel_bring_their_controllers_once() -> None:
    other = [MetaMessage("track_name", name="Left"), on(40, 0), off(40, 480)]
    session = session_from_midi(file_of(PIANO, other), "two hands.mid")
    clip = clips.parse_clip(clips.clip(session, {0: [0], 1: [0]}, 0.0, at(480), [Owner(0), Owner(1)]))
    assert [voice.name for voice in clip.controls] == ["Piano"]
