"""Ports and drum kits: a channel is one of a port's sixteen, and where there is one port all lie side by side on it."""

import io

import mido
import pytest
from mido import Message, MetaMessage

from core.midi.ports import one_port_words, wire_channels
from core.midi.read import parse_score
from core.midi.score import TakeNote, TrackKey
from core.session.edits import transpose
from core.session.export import midi_bytes
from core.session.forks import accept_take
from core.session.session import RestOfSong, Session, TakeRecord, session_from_midi
from core.session.storage import parse_session, session_bytes
from core.session.timeline import Timed, timeline
from tests.core.midi.builders import control, file_of, off, on, scale
from tests.core.midi.sounding import score_messages

METRE = MetaMessage("time_signature", numerator=4, denominator=4)
GS_KIT_ON_1 = Message("sysex", data=bytes.fromhex("41 10 42 12 40 11 15 01 00"))
GS_NONE_ON_10 = Message("sysex", data=bytes.fromhex("41 10 42 12 40 10 15 00 00"))
XG_ON = Message("sysex", data=bytes.fromhex("43 10 4c 00 00 7e 00"))


def program(number: int, channel: int = 0) -> Message:
    return Message("program_change", program=number, channel=channel)


def port(number: int) -> MetaMessage:
    return MetaMessage("midi_port", port=number)


def channels_of(messages: list[Timed]) -> dict[int, int]:
    """Pitch -> the channel that it is heard on."""
    return {m[1]: m[0] & 0x0F for _, m in messages if m[0] & 0xF0 == 0x90}


def with_take(data: bytes, notes: tuple[TakeNote, ...], rest: RestOfSong = "stretch") -> Session:
    session = session_from_midi(data, "x.mid")
    return session.with_take(TakeRecord(notes, marker=session.marker, end=2.0, rest=rest))


@pytest.mark.parametrize("says", ["GS", "XG"])
def test_a_kit_on_another_channel_is_heard_as_drums(says: str) -> None:
    setup = [GS_KIT_ON_1] if says == "GS" else [XG_ON, control(0, 127)]
    session = session_from_midi(file_of([*setup, program(25), *scale((36, 38))]), "x")
    assert channels_of(timeline(session)) == {36: 9, 38: 9}
    assert bytes((0xC9, 25)) in [m for _, m in timeline(session)]
    assert session.score is not None
    assert score_messages(session.score) == timeline(session, "prompt")


def test_an_instrument_on_channel_10_gets_one_where_no_drums_are() -> None:
    melody = [program(73, 9), *(message.copy(channel=9) for message in scale((72,)))]
    session = session_from_midi(file_of([GS_KIT_ON_1, GS_NONE_ON_10, *scale((36, 38))], melody), "x")
    heard = channels_of(timeline(session))
    assert (heard[36], heard[38]) == (9, 9)
    assert heard[72] != 9
    assert bytes((0xC0 | heard[72], 73)) in [m for _, m in timeline(session)]


def test_a_second_kit_leaves_the_firsts_sound_alone() -> None:
    drums = [program(8, 9), control(7, 90, channel=9), *(message.copy(channel=9) for message in scale((42,)))]
    session = session_from_midi(file_of([GS_KIT_ON_1, program(25), control(7, 20), *scale((36,))], drums), "x")
    assert channels_of(timeline(session)) == {36: 9, 42: 9}
    assert [m for _, m in timeline(session) if m[0] & 0xF0 in (0xB0, 0xC0)] == [
        bytes((0xC9, 8)),
        bytes((0xB9, 7, 90)),
    ]


def test_the_channels_of_two_ports_lie_side_by_side_and_a_take_has_one_of_its_own() -> None:
    first = [port(0), program(48), *scale()]
    second = [port(1), program(73), *scale((40,))]
    session = with_take(file_of(first, second), (TakeNote(99, 70, 0.0, 0.5),))
    channels = channels_of(timeline(session))
    assert channels[60] == 0
    assert len({channels[pitch] for pitch in (60, 40, 99)}) == 3
    assert bytes((0xC0 | channels[40], 73)) in [m for _, m in timeline(session)]
    assert session.score is not None
    assert one_port_words(session.score).startswith("The file plays on 2 ports")
    assert not one_port_words(parse_score(file_of(scale()), "x"))


def test_the_one_channel_of_an_output_wins() -> None:
    kit = [port(0), GS_KIT_ON_1, *scale((36,))]
    session = session_from_midi(file_of(kit, [port(1), *scale((40,))], [port(2), *scale((50,))]), "x")
    assert channels_of(timeline(session, channel=5)) == {36: 9, 40: 5, 50: 5}


def test_where_channels_do_not_suffice_some_are_shared_and_that_is_said() -> None:
    tracks = [[port(p), *(m.copy(channel=c) for m in scale((60,)))] for p in (0, 1) for c in range(16) if c != 9]
    score = parse_score(file_of(*tracks), "x")
    wire = wire_channels(score)
    assert set(wire.values()) == set(range(16)) - {9}
    assert all(wire[0, c] == c for c in range(16) if c != 9)
    assert "15 must share" in one_port_words(score)


# Two ports in one chunk


def mixed() -> bytes:
    """One chunk: on channel 1 of port 0 a high C in each bar, on channel 1 of port 1 a low one; four bars each."""
    track: list[Message | MetaMessage] = [METRE, port(0), program(48), port(1), program(33)]
    for _ in range(4):
        track += [port(0), on(72), port(1), on(36), port(0), off(72, 960), port(1), off(36, 960)]
    return file_of(track)


def played(data: bytes) -> set[tuple[int, int, int]]:
    """(port, pitch, tick) of all note-ons, as mido reads them."""
    result = set()
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        now, at = 0, 0
        for message in track:
            at += message.time
            if message.type == "midi_port":
                now = message.port
            elif message.type == "note_on" and message.velocity:
                result.add((now, message.note, at))
    return result


def test_each_port_of_a_chunk_is_a_track_of_its_own() -> None:
    session = session_from_midi(mixed(), "x")
    assert session.score is not None
    assert [(t.port, t.program, {n.pitch for n in t.notes}) for t in session.score.tracks] == [
        (0, 48, {72}),
        (1, 33, {36}),
    ]
    assert [t.key for t in session.score.tracks] == [(0, 0), (0, 16)]
    muted = parse_session(session_bytes(session.with_flags(1, mute=True)), "x")
    assert [flags.mute for flags in muted.flags] == [False, True]


def test_what_is_edited_or_merged_stays_on_its_port() -> None:
    session = session_from_midi(mixed(), "x")
    edited = transpose(session, {1: [3]}, 12).session
    before = played(mixed())
    assert played(midi_bytes(edited, "score")) == (before - {(1, 36, 3 * 1920)}) | {(1, 48, 3 * 1920)}
    take = TakeRecord((TakeNote(37, 80, 0.0, 0.5, (0, 16)), TakeNote(73, 80, 0.0, 0.5, (0, 0))), marker=4.0, end=2.0)
    continued = session.with_marker(4.0).with_take(take)
    kept = {note for note in before if note[2] != 2 * 1920}
    for data in (midi_bytes(continued, "score and take", is_merged=True), midi_bytes(continued, "score and take")):
        assert played(data) == kept | {(1, 37, 2 * 1920), (0, 73, 2 * 1920)}
    accepted = accept_take(continued, continued.current).score
    assert accepted is not None
    assert [{n.pitch for n in t.notes} for t in accepted.tracks] == [{72, 73}, {36, 37}]


@pytest.mark.parametrize("rest", ["stretch", "beside"])
def test_a_take_of_its_own_is_written_to_its_prompts_port(rest: RestOfSong) -> None:
    few = [port(0), *(m.copy(channel=3) for m in scale((50,)))]
    lead = [port(1), program(73), *scale()]
    data = midi_bytes(with_take(file_of([METRE, *few], lead), (TakeNote(99, 70, 0.0, 0.5),), rest), "score and take")
    track = parse_score(data, "x").tracks[-1]
    assert (track.port, track.program, {n.pitch for n in track.notes}) == (1, 73, {99})
    assert track.channel not in (0, 3)


@pytest.mark.parametrize("key", [None, (1, 0)])
def test_where_devices_are_named_a_take_is_written_to_the_one_of_its_name(key: TrackKey | None) -> None:
    """A port's number beside the names would put all that is named on one port."""
    chunks = [[MetaMessage("device_name", name=name), program(k), *scale()] for k, name in enumerate("AB")]
    session = session_from_midi(file_of(*chunks), "x.mid").with_flags(0, in_prompt=False)
    take = TakeRecord((TakeNote(99, 70, 0.0, 0.5, key),), marker=session.marker, end=2.0)
    tracks = parse_score(midi_bytes(session.with_take(take), "score and take"), "x").tracks
    assert [(t.port, t.program, len(t.notes)) for t in tracks] == [(0, 0, 8), (1, 1, 8), (1, 1, 1)]
