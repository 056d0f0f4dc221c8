"""Files that the tests damage themselves, and what is still read of them."""

import io
import random
import struct

import mido
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mido import MetaMessage

from core.errors import UnreadableInput
from core.midi.events import encode_track, read_event, read_varint, scan_track, write_varint
from core.midi.read import parse_score
from core.midi.score import Score
from tests.core.midi.builders import END, chunk, control, file_of, header, plain_scale, raw_file, scale

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]
TICKS = [n * 0x60 for n in range(8)]


def pitches(score: Score) -> list[int]:
    return [note.pitch for track in score.tracks for note in track.notes]


def onsets(score: Score) -> list[int]:
    return [note.start_tick for track in score.tracks for note in track.notes]


def read(data: bytes) -> Score:
    """Read, and check that mido reads the repaired chunks as well."""
    score = parse_score(data, "damaged.mid")
    theirs = mido.MidiFile(file=io.BytesIO(raw_file(*score.chunks, division=score.tempo_map.division)))
    struck = sum(m.type == "note_on" and m.velocity > 0 for track in theirs.tracks for m in track)
    assert struck == score.notes
    assert scan_track(score.chunks[0]).damage == scan_track(b"" + END).damage
    return score


def whole(score: Score) -> bool:
    return pitches(score) == SCALE and onsets(score) == TICKS


def test_the_undamaged_scale_needs_no_repair() -> None:
    body = b"".join(plain_scale()) + END
    score = read(raw_file(body))
    assert whole(score)
    assert (score.repairs, score.chunks) == ((), (body,))


# Inside a track


@pytest.mark.parametrize("status", [0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF8, 0xF9, 0xFA, 0xFD, 0xFE])
def test_an_illegal_status_is_skipped_with_its_delta_time(status: int) -> None:
    events = plain_scale()
    events.insert(6, bytes((0, status)))
    score = read(raw_file(b"".join(events) + END))
    assert whole(score)
    assert score.repairs == ("Skipped 2 damaged bytes in track 1.",)


@pytest.mark.parametrize("status", [0xF4, 0xF9, 0xFD])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_stray_byte_inside_an_event_is_skipped(status: int, place: int) -> None:
    events = plain_scale()
    event = events[7]
    events[7] = event[:place] + bytes((status,)) + event[place:]
    assert whole(read(raw_file(b"".join(events) + END)))


def test_stray_statuses_under_running_status_are_skipped() -> None:
    notes = b"".join(bytes((0, p, 80, 0x60, p, 0)) for p in SCALE)
    body = b"\x00\x90" + notes[1:24] + b"\x00\xf9" + notes[24:] + END
    assert whole(read(raw_file(body)))


def test_a_status_overwritten_costs_its_own_message_only() -> None:
    events = plain_scale()
    events[6] = b"\x00\xfd\x41\x50"
    score = read(raw_file(b"".join(events) + END))
    assert pitches(score) == [60, 62, 64, 67, 69, 71, 72]
    assert onsets(score) == [t for t in TICKS if t != TICKS[3]]


def test_data_over_127_is_lowered_or_its_note_dropped() -> None:
    events = plain_scale()
    events[4] = b"\x00\x90\x40\xc8"
    score = read(raw_file(b"".join(events) + END))
    assert whole(score)
    assert score.tracks[0].notes[2].velocity == 127
    assert score.repairs == ("Lowered 1 value over 127 in track 1.",)
    events[4] = b"\x00\x90\xc0\x50"
    score = read(raw_file(b"".join(events) + END))
    assert pitches(score) == [60, 62, 65, 67, 69, 71, 72]
    assert onsets(score) == [t for t in TICKS if t != TICKS[2]]


def test_data_over_127_under_running_status() -> None:
    data = bytearray(file_of(scale(SCALE, 96)))
    at = data.index(bytes((0x41, 80)))
    data[at + 1] = 0xFF
    score = read(bytes(data))
    assert whole(score)
    assert score.tracks[0].notes[3].velocity == 127


def test_running_status_after_a_system_exclusive() -> None:
    body = b"\x00\x90\x3c\x50\x00\xf0\x03\x7e\x7f\xf7\x60\x3c\x00\x00\x40\x50\x60\x40\x00" + END
    score = read(raw_file(body))
    assert pitches(score) == [60, 64]
    assert score.repairs == ("Completed 1 message without a status byte in track 1.",)


def test_an_unterminated_system_exclusive_costs_nothing_else() -> None:
    events = plain_scale()
    events.insert(4, b"\x00\xf0\x7f\x41\x10\x42\x12")  # says 127 bytes, has four, no end
    assert whole(read(raw_file(b"".join(events) + END)))
    events[4] = b"\x00\xf0\x43\x12\x00\x07\xf7"  # no length, as it goes over a cable
    assert whole(read(raw_file(b"".join(events) + END)))


def test_a_system_exclusive_with_an_end_elsewhere_is_left_alone() -> None:
    body = b"\x00\xf0\x02\x41\x10\x00\xf7\x03\x42\x99\xf7" + b"".join(plain_scale()) + END
    score = parse_score(raw_file(body), "x")
    assert (score.repairs, score.chunks) == ((), (body,))


def test_a_padded_delta_time_is_understood() -> None:
    events = plain_scale()
    events[5] = b"\x80\x80\x80\x80" + events[5]
    assert whole(read(raw_file(b"".join(events) + END)))


def test_an_oversized_delta_time_does_not_move_the_rest_away() -> None:
    events = plain_scale()
    events.insert(8, b"\xff\xff\xff\xff\xff\xff\x7f\x90\x30\x20")
    score = read(raw_file(b"".join(events) + END))
    assert set(SCALE) <= set(pitches(score))
    assert score.end_tick < 2 * TICKS[-1]


@pytest.mark.parametrize(
    ("meta", "sentence"),
    [
        (b"\xff\x59\x02\x0b\x00", "Skipped 1 impossible key signature in track 1."),
        (b"\xff\x59\x02\x00\x09", "Skipped 1 impossible key signature in track 1."),
        (b"\xff\x59\x01\x00", "Skipped 1 impossible key signature in track 1."),
        (b"\xff\x51\x02\x07\xa1", "Skipped 1 impossible tempo in track 1."),
        (b"\xff\x51\x03\x00\x00\x00", "Skipped 1 impossible tempo in track 1."),
        (b"\xff\x51\x05\x00\x07\xa1\x20\x00", "Skipped 1 impossible tempo in track 1."),
        (b"\xff\x58\x02\x04\x02", "Skipped 1 impossible time signature in track 1."),
        (b"\xff\x58\x04\x00\x02\x18\x08", "Skipped 1 impossible time signature in track 1."),
        (b"\xff\x58\x04\x04\xf0\x18\x08", "Skipped 1 impossible time signature in track 1."),
        (b"\xff\x54\x01\x00", "Skipped 1 impossible meta event in track 1."),
        (b"\xff\x20\x00", "Skipped 1 impossible meta event in track 1."),
        (b"\xff\x00\x01\x05", "Skipped 1 impossible meta event in track 1."),
    ],
)
def test_meta_events_that_cannot_be(meta: bytes, sentence: str) -> None:
    score = read(raw_file(b"\x00" + meta + b"".join(plain_scale()) + END))
    assert whole(score)
    assert score.repairs == (sentence,)


def test_a_meta_event_that_says_it_is_longer_than_the_track() -> None:
    events = plain_scale()
    events.insert(4, b"\x00\xff\x01\x83\x7fHello")
    assert whole(read(raw_file(b"".join(events) + END)))


@pytest.mark.parametrize("hole", [b"\xfd" * 300, b"\xff" * 300, random.Random(3).randbytes(300)])
def test_a_hole_in_a_track_costs_little_of_what_is_behind_it(hole: bytes) -> None:
    events = plain_scale()
    score = read(raw_file(b"".join(events[:8]) + hole + b"".join(events[8:]) + END))
    assert pitches(score)[:4] == SCALE[:4]
    assert pitches(score)[-3:] == SCALE[-3:]


def test_bytes_after_the_end_of_track_are_dropped() -> None:
    body = b"".join(plain_scale()) + END
    score = read(raw_file(body + b"\x00\x01garbage\xff"))
    assert whole(score)
    assert (score.chunks, score.repairs) == ((body,), ("Skipped 10 damaged bytes in track 1.",))


def test_an_end_of_track_in_mid_music_is_passed() -> None:
    events = plain_scale()
    events.insert(8, END)
    assert whole(read(raw_file(b"".join(events) + END)))


# Around the tracks


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_file_cut_short_keeps_what_came_before(cut: int) -> None:
    data = raw_file(b"".join(plain_scale()) + END)
    score = read(data[:-cut])
    kept = [p for i, p in enumerate(SCALE) if 22 + 8 * i + 4 <= len(data) - cut]
    assert pitches(score) == kept
    assert onsets(score) == TICKS[: len(kept)]
    assert "Track 1 has no end, as if cut short." in score.repairs


def test_text_cut_short_does_not_turn_into_notes() -> None:
    body = b"".join(plain_scale()) + b"\x00\xff\x05\x40And so the text goes on until the fi"
    score = read(header() + b"MTrk" + struct.pack(">I", 400) + body)
    assert whole(score)


@pytest.mark.parametrize("length", [0, 1, 40, 70, 200, 0xFFFFFFFF])
def test_a_wrong_chunk_length(length: int) -> None:
    body = b"".join(plain_scale()) + END
    data = header(1, 2) + b"MTrk" + struct.pack(">I", length) + body + chunk(body)
    score = read(data)
    assert pitches(score) == SCALE * 2
    assert score.chunks == (body, body)


@pytest.mark.parametrize("promised", [0, 1, 7, 0xFFFF])
def test_a_wrong_number_of_tracks(promised: int) -> None:
    body = b"".join(plain_scale()) + END
    score = read(header(1, promised) + chunk(body) * 2)
    assert pitches(score) == SCALE * 2
    plural = "track" if promised == 1 else "tracks"
    assert score.repairs == (f"The header promises {promised} {plural}, the file has 2.",)


def test_chunks_that_are_not_tracks_are_passed() -> None:
    body = b"".join(plain_scale()) + END
    data = header(1, 2) + chunk(b"\x01\x02\x03", b"XFIH") + chunk(body) + chunk(b"", b"junk") + chunk(body)
    score = read(data)
    assert pitches(score) == SCALE * 2
    assert score.repairs == ("Skipped 2 chunks that are not music.",)


def test_junk_between_and_behind_the_tracks() -> None:
    body = b"".join(plain_scale()) + END
    score = read(header(1, 2) + chunk(body) + b"\xde\xad\xbe\xef" * 5 + chunk(body) + b"\x00" * 7)
    assert score.chunks == (body, body)
    assert score.repairs == ("Skipped 27 bytes outside the tracks.",)


def test_wrappers_and_junk_before_the_header() -> None:
    data = raw_file(b"".join(plain_scale()) + END)
    riff = b"RIFF" + struct.pack("<I", len(data) + 12) + b"RMIDdata" + struct.pack("<I", len(data)) + data
    assert whole(read(riff))
    assert read(riff).repairs == ()
    score = read(bytes(128) + data)
    assert whole(score)
    assert score.repairs == ("Skipped 128 bytes before the header.",)


@pytest.mark.parametrize("length", [0, 4, 8, 100, 0xFFFFFFFF])
def test_a_wrong_header_length(length: int) -> None:
    data = bytearray(raw_file(b"".join(plain_scale()) + END))
    data[4:8] = struct.pack(">I", length)
    score = read(bytes(data))
    assert whole(score)
    assert score.repairs == ("The header has the wrong length.",)


@pytest.mark.parametrize("length", [0, 5, 10_000, 0xFFFFFFFF])
def test_a_wrong_track_length(length: int) -> None:
    body = b"".join(plain_scale()) + END
    score = read(header(1, 2) + b"MTrk" + struct.pack(">I", length) + body + chunk(body))
    assert score.chunks == (body, body)
    assert score.repairs == ("1 track had the wrong length: read to where the next begins, or the file ends.",)


def test_a_longer_header_is_no_fault() -> None:
    data = raw_file(b"".join(plain_scale()) + END)
    score = read(data[:4] + struct.pack(">I", 9) + data[8:14] + b"abc" + data[14:])
    assert whole(score)
    assert score.repairs == ()


def test_headers_missing_cut_short_or_of_no_division() -> None:
    track = chunk(b"".join(plain_scale()) + END)
    for data in (track, b"MThd\x00\x00" + track, header(division=0) + track):
        score = read(data)
        assert whole(score)
        assert score.tempo_map.division == 480
        assert score.repairs
    score = read(header(division=0xE700) + track)
    assert score.tempo_map.division == 0xE728
    assert read(header(smf_format=77) + track).smf_format == 1


def test_damage_is_told_once_with_its_tracks() -> None:
    bad = plain_scale()
    bad.insert(2, b"\x00\xfd")
    bodies = [b"".join(bad) + END, b"".join(plain_scale()) + END, b"".join(bad) + END]
    score = read(raw_file(*bodies))
    assert score.repairs == ("Skipped 4 damaged bytes in tracks 1 and 3.",)
    assert score.chunks[1] == bodies[1]
    assert pitches(score) == SCALE * 3


# Whatever comes

SEEDS = [
    file_of([MetaMessage("set_tempo", tempo=400_000), *scale()], [control(64, 127), *scale(range(40, 60), 100)]),
    raw_file(b"".join(plain_scale()) + END, smf_format=0, division=0xE728),
    file_of([MetaMessage("lyrics", text="la"), MetaMessage("key_signature", key="F#m"), *scale()], division=24),
]
Change = tuple[str, int, bytes]
changes = st.lists(
    st.tuples(st.sampled_from(["set", "insert", "delete"]), st.integers(0, 400), st.binary(min_size=1, max_size=6)),
    max_size=6,
)


@settings(max_examples=400)
@given(st.sampled_from(SEEDS), changes, st.integers(0, 400))
@example(SEEDS[0], [("set", 12, b"\x00\x00")], 0)
def test_any_damage_leaves_a_score_or_one_sentence(data: bytes, edits: list[Change], cut: int) -> None:
    damaged = bytearray(data)
    for kind, place, value in edits:
        if kind == "set":
            damaged[place : place + len(value)] = value
        elif kind == "insert":
            damaged[place:place] = value
        else:
            del damaged[place : place + len(value)]
    if cut > 200:
        del damaged[cut:]
    check(bytes(damaged))


@given(st.binary(max_size=300), st.sampled_from([b"", header(), header() + b"MTrk\x00\x00\x01\x00"]))
def test_any_bytes_leave_a_score_or_one_sentence(noise: bytes, start: bytes) -> None:
    check(start + noise)


def check(data: bytes) -> None:
    try:
        score = parse_score(data, "any.mid")
    except UnreadableInput:
        return
    for track in score.tracks:
        for note in track.notes:
            assert 0 <= note.pitch < 128
            assert 1 <= note.velocity < 128
            assert 0 <= note.start_tick <= note.end_tick
            assert 0 <= note.start <= note.end
    again = parse_score(raw_file(*score.chunks, division=score.tempo_map.division), "again")
    assert [t.notes for t in again.tracks] == [t.notes for t in score.tracks]
    assert again.chunks == score.chunks  # what was repaired once needs no repair


def test_much_noise_is_given_up() -> None:
    noise = random.Random(1).randbytes(2**20)
    assert b"MThd" not in noise
    assert b"MTrk" not in noise
    with pytest.raises(UnreadableInput):
        parse_score(noise, "x")
    check(header() + chunk(noise))


# The bytes themselves


@given(st.integers(0, (1 << 28) - 1), st.binary(max_size=3))
def test_quantities_come_back(value: int, more: bytes) -> None:
    data = write_varint(value)
    assert read_varint(data + more, 0) == (value, len(data))


def test_times_beyond_a_delta_time_survive() -> None:
    events = [(5, b"\x90\x3c\x40"), (1 << 30, b"\x80\x3c\x40")]
    scan = scan_track(encode_track(events, 1 << 31))
    assert [e for e in scan.events if e[1][0] < 0xF0] == events
    assert scan.end_tick == 1 << 31
    assert not scan.damage


def test_an_event_is_read_without_its_delta_time_too() -> None:
    assert read_event(b"\x90\x3c\x40", 0, 0, with_delta=False) == (0, b"\x90\x3c\x40", 3, 0x90)
