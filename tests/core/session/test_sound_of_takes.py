"""What a take sounds like where it lies in the written file, as another reader hears the file in order of time."""

import io
from collections.abc import Sequence

import mido
import pytest
from mido import Message, MetaMessage

from core.midi.read import parse_score
from core.midi.score import TakeNote, TrackKey
from core.session.edits import transpose
from core.session.export import midi_bytes
from core.session.forks import accept_take
from core.session.session import RestOfSong, Session, TakeRecord, session_from_midi
from core.session.storage import parse_session, session_bytes
from tests.core.midi.builders import control, file_of, off, on, scale

METRE = MetaMessage("time_signature", numerator=4, denominator=4)
NOTES = scale((60, 65, 71, 60) * 8)  # 32 quavers: four bars


def with_take(data: bytes, rest: RestOfSong = "stretch") -> Session:
    notes = (TakeNote(72, 70, 0.0, 0.5), TakeNote(74, 70, 1.0, 1.5))
    session = session_from_midi(data, "x")
    return session.with_take(TakeRecord(notes, end=4.0, marker=session.marker, rest=rest))


def heard(data: bytes, pitch: int = 72) -> dict[str, int]:
    """What the channel of the first note of a pitch has when it begins."""
    state: dict[int, dict[str, int]] = {
        channel: {"program": 0, "volume": 100, "expression": 127, "pan": 64, "pedal": 0} for channel in range(16)
    }
    names = {7: "volume", 10: "pan", 11: "expression", 64: "pedal"}
    master = 127
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        if message.type == "program_change":
            state[message.channel]["program"] = message.program
        elif message.type == "control_change" and message.control in names:
            state[message.channel][names[message.control]] = message.value
        elif message.type == "sysex" and message.data[2:4] == (4, 1):
            master = message.data[5]
        elif message.type == "note_on" and message.velocity and message.note == pitch:
            return state[message.channel] | {"master": master, "channel": message.channel}
    raise AssertionError("the note is not there")


def song(*setup: Message, during: Sequence[Message] = (), behind: Sequence[Message] = ()) -> bytes:
    return file_of([METRE], [*setup, *NOTES, *during, *scale((60, 62)), *behind])


def late(message: Message, time: int) -> Message:
    return message.copy(time=time)


def fade(number: int, ends_at: int = 0) -> list[Message]:
    return [late(control(number, value), 10) for value in range(100, ends_at - 1, -10)]


STRINGS = Message("program_change", program=48)


@pytest.mark.parametrize("rest", ["stretch", "rest", "beside"])
def test_late_set_up_of_unused_channels_does_not_reach_the_take(rest: RestOfSong) -> None:
    other = [late(Message("program_change", program=7, channel=c), 120 if c == 1 else 0) for c in range(1, 16)]
    other += [late(control(7, 0, channel=c), 10 if c == 1 else 0) for c in range(1, 16)]
    data = file_of([METRE], [STRINGS, control(7, 110), *NOTES], other)
    result = heard(midi_bytes(with_take(data, rest), "score and take"))
    assert (result["program"], result["volume"], result["expression"]) == (48, 110, 127)
    data = file_of([METRE], [STRINGS, *NOTES], other)
    result = heard(midi_bytes(with_take(data, rest), "score and take"))
    assert (result["program"], result["volume"], result["pan"]) == (48, 100, 64)


@pytest.mark.parametrize("is_set_up", [True, False])
def test_nor_those_parts_of_a_take_that_play_beside_their_tracks(is_set_up: bool) -> None:
    other = [control(7, 0, channel=c) for c in range(2, 16)]
    other += [Message("pitchwheel", pitch=3000, channel=c) for c in range(2, 16)]
    second = [Message("program_change", program=20, channel=1), *(m.copy(channel=1) for m in NOTES)]
    data = file_of([METRE], NOTES, second, [late(other[0], 120), *other[1:]] if is_set_up else [])
    session = session_from_midi(data, "x")
    notes = (TakeNote(100, 80, 0.0, 0.5, (1, 0)), TakeNote(101, 80, 0.0, 0.5, (2, 1)))
    session = session.with_take(TakeRecord(notes, marker=session.marker, seconds=2.0, rest="beside"))
    found = [heard(midi_bytes(session, "score and take"), pitch) for pitch in (100, 101)]
    assert [(state["program"], state["volume"]) for state in found] == [(0, 100), (20, 100)]
    channels = {state["channel"] for state in found}
    assert len(channels) == 2
    assert not channels & {0, 1}


@pytest.mark.parametrize("rest", ["stretch", "rest", "beside"])
def test_nor_does_set_up_that_comes_under_the_take(rest: RestOfSong) -> None:
    """The second note of the take comes half a second behind it."""
    other = [late(Message("program_change", program=7, channel=c), 7920 if c == 1 else 0) for c in range(1, 16)]
    other += [late(control(7, 0, channel=c), 0) for c in range(1, 16)]
    data = file_of([METRE], [STRINGS, control(7, 110), *NOTES], other)
    result = heard(midi_bytes(with_take(data, rest), "score and take"), 74)
    assert (result["program"], result["volume"]) == (48, 110)


@pytest.mark.parametrize("key", [None, (1, 0)])
def test_what_a_reset_of_the_synth_takes_away_under_a_take_is_set_again(key: TrackKey | None) -> None:
    reset = Message("sysex", data=bytes.fromhex("41 10 42 12 40 00 7f 00 41"), time=8400)
    data = file_of([METRE], [STRINGS, *NOTES, *scale((60,) * 40)], [reset])
    notes = (TakeNote(72, 70, 0.0, 0.5, key), TakeNote(74, 70, 1.0, 1.5, key))
    session = session_from_midi(data, "x").with_marker(8.0)
    data = midi_bytes(session.with_take(TakeRecord(notes, end=4.0, marker=8.0)), "score and take")
    tick, told = 0, set()
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        tick += message.time
        if message.type == "program_change":
            told.add((tick, message.channel, message.program))
    assert (8400, 1 if key is None else 0, 48) in told  # the take
    assert (7680 + 3840, 0, 48) in told  # what returns


def test_a_program_that_comes_later_is_not_the_takes() -> None:
    session = session_from_midi(file_of([METRE], [*NOTES, *scale((60,) * 8), STRINGS, *scale((60, 62))]), "x")
    session = session.with_marker(8.0).with_take(TakeRecord((TakeNote(72, 70, 0.0, 0.5),), end=4.0, marker=8.0))
    assert heard(midi_bytes(session, "score and take"))["program"] == 0


def test_two_tracks_on_one_channel_count_in_order_of_time() -> None:
    main = [Message("program_change", program=40), *scale((60, 65) * 4), late(STRINGS, 0), control(7, 127), *NOTES]
    other = [Message("program_change", program=40), control(7, 20), *scale((60, 65))]
    result = heard(midi_bytes(with_take(file_of([METRE], main, other)), "score and take"))
    assert (result["program"], result["volume"]) == (48, 127)


@pytest.mark.parametrize("number", [7, 11])
@pytest.mark.parametrize("ends_at", [0, 20])
def test_a_take_behind_a_fade_is_as_loud_as_before_it(number: int, ends_at: int) -> None:
    session = with_take(song(STRINGS, control(number, 100), during=fade(number, ends_at)))
    name = "volume" if number == 7 else "expression"
    assert heard(midi_bytes(session, "score and take"))[name] == 100
    accepted = accept_take(session, session.current)
    assert heard(midi_bytes(accepted, "score"))[name] == 100


def test_a_take_behind_a_fade_by_master_volume_is_as_loud_as_before_it() -> None:
    falling = [Message("sysex", data=(0x7F, 0x7F, 4, 1, 0, value), time=10) for value in range(120, -1, -20)]
    session = with_take(song(STRINGS, during=falling))
    assert heard(midi_bytes(session, "score and take"))["master"] == 120


@pytest.mark.parametrize("values", [(100, 60), (60, 90), (100, 40, 80), (30,)])
def test_a_quieter_part_is_no_fade(values: Sequence[int]) -> None:
    session = with_take(song(*(control(7, value) for value in values)))
    assert heard(midi_bytes(session, "score and take"))["volume"] == values[-1]


@pytest.mark.parametrize("number", [64, 66, 67])
def test_a_pedal_that_is_never_lifted_is_up_where_the_take_begins(number: int) -> None:
    session = with_take(song(STRINGS, control(number, 127)))
    data = midi_bytes(session, "score and take")
    down = True
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        if message.type == "control_change" and message.channel == 0 and message.control == number:
            down = message.value >= 64
        if message.type == "note_on" and message.note == 72:
            break
    assert not down


def test_open_notes_are_closed_in_what_is_written() -> None:
    session = with_take(song(behind=[on(40, 0), on(44, 10), on(47, 20), on(40, 400), late(control(1, 0), 50)]))
    assert any("Closed" in sentence for sentence in session.score.repairs)  # type: ignore[union-attr]
    data = midi_bytes(session, "score and take")
    assert parse_score(data, "x").repairs == ()
    sounding: set[int] = set()
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        if message.type == "note_on" and message.note == 72:
            break
        if message.type == "note_on" and message.velocity:
            assert message.note not in sounding
            sounding.add(message.note)
        elif message.type in ("note_on", "note_off"):
            sounding.discard(message.note)
    assert not sounding


def test_release_velocities_outlast_the_edit_of_one_note() -> None:
    notes = [m for i in range(8) for m in (on(60 + i), Message("note_off", note=60 + i, velocity=10 + i, time=240))]
    session = session_from_midi(file_of(notes), "x")
    edited = transpose(session, {0: [2]}, 12).session
    ends = [m for m in mido.MidiFile(file=io.BytesIO(midi_bytes(edited, "score"))) if m.type == "note_off"]
    assert [m.velocity for m in ends] == [10, 11, 12, 13, 14, 15, 16, 17]


def test_two_ports_with_one_channel_number_are_two_channels() -> None:
    first = [MetaMessage("midi_port", port=0), STRINGS, control(7, 110), *NOTES]
    flute = [MetaMessage("midi_port", port=1), Message("program_change", program=73), control(7, 40), control(64, 127)]
    session = with_take(file_of([METRE], first, [*flute, on(60), off(60, 480)]))
    assert session.score is not None
    assert [(t.port, t.channel, t.program, len(t.pedals)) for t in session.score.tracks] == [
        (0, 0, 48, 0),
        (1, 0, 73, 1),
    ]
    result = heard(midi_bytes(session, "score and take"))
    assert (result["program"], result["volume"]) == (48, 110)


def test_release_velocities_are_saved_with_a_session() -> None:
    notes = [m for i in range(8) for m in (on(60 + i), Message("note_off", note=60 + i, velocity=10 + i, time=240))]
    edited = transpose(session_from_midi(file_of(notes), "x"), {0: [2]}, 12).session
    again = parse_session(session_bytes(edited), "x.continuo")
    assert again.score is not None
    assert [note.release for note in again.score.tracks[0].notes] == [10, 11, 12, 13, 14, 15, 16, 17]
