import io
import os

import mido
import pretty_midi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.errors import UnreadableInput
from core.midi import read
from core.midi.read import parse_score, read_score
from core.midi.score import Note, Score
from core.midi.texts import decode_text
from core.midi.write import score_bytes
from tests.core.midi.builders import END, chunk, control, file_of, header, off, on, raw_file, scale
from tests.core.midi.sounding import score_messages


def spans(score: Score, track: int = 0) -> list[tuple[int, int, int]]:
    return [(note.pitch, note.start_tick, note.end_tick) for note in score.tracks[track].notes]


def test_notes_are_placed_in_ticks_and_seconds() -> None:
    data = file_of([MetaMessage("set_tempo", tempo=1_000_000), MetaMessage("track_name", name="Piano"), *scale((60,))])
    score = parse_score(data, "one.mid")
    assert score.tracks[0].notes == (Note(60, 80, 0.0, 0.5, 0, 240),)
    assert (score.name, score.notes, score.end, score.end_tick) == ("one.mid", 1, 0.5, 240)
    assert score.repairs == ()
    assert score.chunks == (data[22:],)


@pytest.mark.parametrize("smf_format", [0, 1, 2])
def test_every_format_reads(smf_format: int) -> None:
    tracks = [scale((60, 64))] if smf_format == 0 else [scale((60, 64)), scale((48,))]
    score = parse_score(file_of(*tracks, smf_format=smf_format), "x")
    assert score.smf_format == smf_format
    assert [len(track.notes) for track in score.tracks] == ([2] if smf_format == 0 else [2, 1])


def test_one_track_per_channel_of_a_chunk_with_percussion_told_apart() -> None:
    notes = [
        on(60, 0, 3),
        on(36, 0, 9),
        Message("program_change", program=40, channel=3),
        off(60, 100, 3),
        off(36, 0, 9),
    ]
    score = parse_score(file_of([MetaMessage("track_name", name="Band"), *notes], smf_format=0), "x")
    assert [(t.name, t.channel, t.is_percussion) for t in score.tracks] == [
        ("Band: Violin", 3, False),
        ("Band: Drums", 9, True),
    ]


def test_tracks_without_a_name_take_the_instruments() -> None:
    score = parse_score(file_of([Message("program_change", program=73), *scale((60,))]), "x")
    assert (score.tracks[0].name, score.tracks[0].program) == ("Flute", 73)


def test_tempo_metre_and_key_count_from_whichever_track_they_stand_in() -> None:
    late = [
        *scale((60,)),
        MetaMessage("set_tempo", tempo=250_000, time=240),
        MetaMessage("time_signature", numerator=6, denominator=8),
        MetaMessage("key_signature", key="Ebm"),
    ]
    score = parse_score(file_of(scale(), late), "x")
    assert score.tempo_map.tempos == ((480, 250_000),)
    assert score.tempo_map.metres == ((480, 6, 8),)
    assert [(key.tick, key.key) for key in score.keys] == [(480, "Eb minor")]
    assert score.tracks[0].notes[3].start == pytest.approx(0.5 + 240 * 0.25 / 480)


def test_running_status_and_note_ons_of_no_velocity() -> None:
    body = b"\x00\x90\x3c\x50\x60\x3c\x00\x00\x40\x50\x60\x40\x00" + END
    score = parse_score(raw_file(body), "x")
    assert spans(score) == [(60, 0, 96), (64, 96, 192)]
    assert score.chunks == (body,)


def test_a_note_off_ends_the_note_that_has_sounded_longest() -> None:
    body = [on(60), on(60, 10, velocity=99), off(60, 10), off(60, 10)]
    score = parse_score(file_of(body), "x")
    assert [(n.velocity, n.start_tick, n.end_tick) for n in score.tracks[0].notes] == [
        (80, 0, 20),
        (99, 10, 30),
    ]
    assert score.repairs == ()


def test_without_note_offs_the_next_strike_ends_a_note_and_the_end_of_the_track_the_last() -> None:
    body = [on(60), on(60, 100), on(64, 0), off(64, 50), MetaMessage("end_of_track", time=25)]
    score = parse_score(file_of(body), "x")
    assert spans(score) == [(60, 0, 100), (60, 100, 175), (64, 100, 150)]
    assert score.repairs == ("Closed 2 notes that had no end.",)


@pytest.mark.parametrize("number", [120, 123])
def test_all_notes_off_ends_the_notes_of_its_channel(number: int) -> None:
    body = [on(60), on(62, channel=1), control(number, 0, 100), off(62, 100, channel=1), off(60, 0)]
    score = parse_score(file_of(body), "x")
    assert spans(score, 0) == [(60, 0, 100)]
    assert spans(score, 1) == [(62, 0, 200)]
    assert score.repairs == ()


def test_a_note_without_length_stays() -> None:
    assert spans(parse_score(file_of([on(60, 5), off(60)]), "x")) == [(60, 5, 5)]


def test_pedals_of_a_channel_hold_in_all_its_tracks() -> None:
    pedal = [control(64, 127), control(64, 90, 100), control(64, 0, 100), control(64, 64, 100)]
    score = parse_score(file_of(pedal, scale((60, 62)), scale((48,) * 4)), "x")
    assert [(p.start_tick, p.end_tick) for p in score.tracks[0].pedals] == [(0, 200), (300, 960)]
    assert score.tracks[1].pedals == score.tracks[0].pedals
    assert [c.message[2] for c in score.tracks[0].controls] == [127, 90, 0, 64]
    assert score.tracks[1].controls == ()


def test_messages_to_play_come_in_order() -> None:
    body = [control(7, 90), *scale((60, 60)), on(61), off(61)]
    messages = score_messages(parse_score(file_of(body, scale((70,))), "x"))
    expected = "b007 903c 9046 803c 8046 903c 803c 903d 803d"
    assert " ".join(m[1][:2].hex() for m in messages) == expected
    assert [m[0] for m in messages] == sorted(m[0] for m in messages)
    only = score_messages(parse_score(file_of(body, scale((70,))), "x"), [1])
    assert [m[1][:2].hex() for m in only] == ["b007", "9046", "8046"]


def test_smpte_division_counts_time_by_frames() -> None:
    body = b"\x00\xff\x51\x03\x01\x00\x00\x00\x90\x3c\x50\x87\x68\x80\x3c\x40" + END  # 1000 ticks
    score = parse_score(raw_file(body, division=0xE728), "x")
    assert score.end == pytest.approx(1.0)


def test_names_in_any_encoding() -> None:
    assert decode_text("Klavier für Élise".encode()) == "Klavier für Élise"
    assert decode_text("Flöte général".encode("latin-1")) == "Flöte général"
    assert decode_text("ピアノ".encode("cp932")) == "ピアノ"
    assert decode_text(b" Lead\x00\r\n\x07Synth ") == "Lead Synth"
    assert decode_text(bytes(range(256)))


def test_karaoke_words_do_not_disturb() -> None:
    words = [MetaMessage("text", text="@KMIDI KARAOKE FILE"), MetaMessage("lyrics", text="la", time=10)]
    score = parse_score(file_of(words, [MetaMessage("text", text="\\la"), *scale()]), "song.kar")
    assert (score.notes, score.repairs) == (8, ())


def test_a_file_without_notes_is_read() -> None:
    score = parse_score(file_of([MetaMessage("track_name", name="empty")]), "x")
    assert (score.notes, score.tracks, score.end, score.repairs) == (0, (), 0.0, ())


messages = st.one_of(
    st.builds(on, st.integers(50, 54), st.integers(0, 200), st.integers(0, 2), st.integers(0, 127)),
    st.builds(off, st.integers(50, 54), st.integers(0, 200), st.integers(0, 2)),
    st.builds(control, st.sampled_from([1, 7, 64]), st.integers(0, 127), st.integers(0, 20_000)),
    st.builds(lambda tempo: MetaMessage("set_tempo", tempo=tempo, time=3), st.integers(1, 0xFFFFFF)),
    st.builds(lambda data: Message("sysex", data=data, time=1), st.lists(st.integers(0, 127))),
    st.builds(lambda bend: Message("pitchwheel", pitch=bend), st.integers(-8192, 8191)),
)


@given(st.lists(st.lists(messages, max_size=30), min_size=1, max_size=3))
def test_mido_hears_the_same(tracks: list[list[Message | MetaMessage]]) -> None:
    data = file_of(*tracks)
    score = parse_score(data, "x")
    assert [r for r in score.repairs if not r.startswith("Closed")] == []
    if not score.repairs:
        assert raw_file(*score.chunks) == data
    theirs = mido.MidiFile(file=io.BytesIO(data))
    for index, track in enumerate(theirs.tracks):
        tick = 0
        struck = set()
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                struck.add((message.channel, message.note, message.velocity, tick))
        ours = {
            (t.channel, n.pitch, n.velocity, n.start_tick) for t in score.tracks if t.chunk == index for n in t.notes
        }
        assert ours == struck


def test_pretty_midi_reads_the_same_notes() -> None:
    tracks = [[*scale(), on(60, 7), off(60, 501)], [control(64, 127), *scale(range(40, 60), 37)]]
    data = file_of([MetaMessage("set_tempo", tempo=432_100), *tracks[0]], tracks[1], division=384)
    theirs = [n for i in pretty_midi.PrettyMIDI(io.BytesIO(data)).instruments for n in i.notes]
    ours = [n for t in parse_score(data, "x").tracks for n in t.notes]
    assert sorted((n.pitch, round(n.start, 9), round(n.end, 9)) for n in ours) == sorted(
        (n.pitch, round(n.start, 9), round(n.end, 9)) for n in theirs
    )


# What cannot be read


def test_a_file_on_disk_goes_by_its_name(tmp_path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(file_of(scale()))
    assert (read_score(path).name, read_score(str(path)).notes) == ("song.mid", 8)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", '"x.mid" is empty.'),
        (b"\x89PNG\r\n\x1a\n" * 100, '"x.mid" is not a MIDI file.'),
        (header(), '"x.mid" is a MIDI file, but nothing in it can be read.'),
        (header() + chunk(b"\xfd" * 300), '"x.mid" is a MIDI file, but nothing in it can be read.'),
    ],
)
def test_one_sentence_for_what_is_not_music(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableInput) as error:
        parse_score(data, "x.mid")
    assert str(error.value) == sentence


def test_one_sentence_for_what_cannot_be_opened(tmp_path) -> None:
    def sentence(path) -> str:
        with pytest.raises(UnreadableInput) as error:
            read_score(path)
        return str(error.value)

    assert sentence(tmp_path / "no.mid") == f'There is no file "{tmp_path / "no.mid"}".'
    assert sentence(tmp_path) == f'"{tmp_path.name}" is a folder, not a MIDI file.'
    assert '"a\0b.mid" cannot be read' in sentence("a\0b.mid")
    (tmp_path / "file").write_bytes(b"x")
    assert sentence(tmp_path / "file" / "b.mid").startswith('"b.mid" cannot be read: ')


@pytest.mark.posix
def test_one_sentence_for_a_locked_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "locked.mid"
    path.write_bytes(b"MThd")
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything, so the refusal has to be acted

        def refuse(*_args: object, **_more: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableInput, match=r'^You may not read "locked\.mid"\.$'):
        read_score(path)


def test_a_huge_file_is_refused_unread(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.mid"
    with open(path, "wb") as file:
        file.truncate(100 * 2**20)  # takes no room on the disk
    with pytest.raises(UnreadableInput, match=r'^"huge\.mid" is larger than 16 MB'):
        read_score(path)
    monkeypatch.setattr(read, "MAX_BYTES", 10)
    with pytest.raises(UnreadableInput, match="larger"):
        parse_score(bytes(11), "x")


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"RMID"
    for kind, data in chunks:
        body += kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.mark.parametrize("odd", [b"", b"\0"])
def test_a_sound_riff_file_is_nothing_to_repair(odd: bytes) -> None:
    midi = file_of([*scale(), MetaMessage("text", text="x" * (1 + len(odd)))])
    info = (b"LIST", b"INFOINAM\x05\0\0\0Song\0\0")
    for data in (riff((b"data", midi)), riff((b"data", midi), info), riff(info, (b"DISP", b"abc"), (b"data", midi))):
        score = parse_score(data, "song.rmi")
        assert (score.notes, score.repairs) == (8, ())


def test_the_pieces_of_format_2_follow_one_another_each_with_its_own_tempo() -> None:
    first = [MetaMessage("set_tempo", tempo=1_000_000), MetaMessage("time_signature", numerator=3), *scale((60, 62))]
    second = [*scale((70, 72))]
    third = [MetaMessage("set_tempo", tempo=250_000), *scale((40,))]
    score = parse_score(file_of(first, second, third, smf_format=2), "x")
    assert any("3 pieces" in sentence for sentence in score.repairs)
    starts = [[note.start for note in track.notes] for track in score.tracks]
    assert starts == [[0.0, 0.5], [3.0, 3.25], [5.0]]
    assert score.tempo_map.metre_at(1440)[1:] == (4, 4)
    again = parse_score(score_bytes(score), "x")
    assert [[note.start for note in track.notes] for track in again.tracks] == starts
    assert again.repairs == ()


def test_each_piece_of_format_2_begins_with_its_channels_at_rest() -> None:
    left = [Message("program_change", program=40), control(7, 20), control(64, 127), control(0, 8), control(11, 50)]
    first = [*left, Message("pitchwheel", pitch=900), *scale((60, 62))]
    second = [Message("program_change", program=10, channel=1), on(70, 0, 1), off(70, 240, 1), *scale((72,))]
    score = parse_score(file_of(first, second, smf_format=2), "x")
    assert [(track.program, len(track.pedals)) for track in score.tracks] == [(40, 1), (0, 1), (10, 0)]
    assert [pedal.end_tick for pedal in score.tracks[1].pedals] == [1920]
    state = {m[:2] if m[0] == 0xB0 else m[:1]: m[-1] for c in score.tracks[1].controls for m in [c.message]}
    assert state == {b"\xc0": 0, b"\xe0": 64, b"\xb0\x07": 100, b"\xb0\x40": 0, b"\xb0\x00": 0, b"\xb0\x0b": 127}


def test_what_a_piece_of_format_2_does_not_say_is_not_the_next_ones() -> None:
    first = scale((60, 62, 64, 65))  # to the bar line at which the second begins
    names = [MetaMessage("track_name", name="Second"), MetaMessage("key_signature", key="D")]
    second = [*names, MetaMessage("set_tempo", tempo=250_000), Message("program_change", program=40), *scale((70,))]
    third = [Message("program_change", program=73), *scale((72,))]
    score = parse_score(file_of([*first, *scale((67, 69, 71, 72))], second, third, smf_format=2), "x")
    assert [(track.name, track.program) for track in score.tracks] == [
        ("Acoustic Grand Piano", 0),
        ("Second", 40),
        ("Flute", 73),
    ]
    assert (score.key, score.tempo_map.tempo_at(0)) == (None, 500_000)
    assert parse_score(file_of(second, first, smf_format=2), "x").key == "D major"
    assert parse_score(file_of(second, first), "x").key == "D major"


def test_drums_and_volumes_of_one_piece_of_format_2_are_not_the_next_ones() -> None:
    drums = Message("sysex", data=bytes.fromhex("41 10 42 12 40 11 15 01 19"))  # GS: channel 1 plays drums
    score = parse_score(file_of([drums, *scale((60,))], scale((62,)), smf_format=2), "x")
    assert [track.is_percussion for track in score.tracks] == [True, False]
    again = parse_score(score_bytes(score), "x")
    assert [track.is_percussion for track in again.tracks] == [True, False]


def test_tracks_of_one_channel_have_the_program_that_it_has_where_they_begin() -> None:
    first = [Message("program_change", program=40), *scale()]
    second = [Message("program_change", program=48, time=960), *scale()]
    third = [on(60, 10, 1), Message("program_change", program=73, channel=1, time=5), off(60, 5, 1)]
    early = [on(60, 0, 2), off(60, 10, 2)]  # which has ended when its channel first gets a program
    late = [Message("program_change", program=19, channel=2, time=10), on(60, 0, 2), off(60, 10, 2)]
    score = parse_score(file_of(first, second, [on(60, 960), off(60, 10)], third, early, late), "x")
    assert [track.program for track in score.tracks] == [40, 48, 48, 73, 0, 19]


def test_devices_that_are_named_are_ports_where_none_is_numbered() -> None:
    names = [MetaMessage("device_name", name=name) for name in ("Synth", "Sampler")]
    score = parse_score(file_of([names[0], *scale()], [names[1], *scale()], [names[0], *scale()]), "x")
    assert [track.place for track in score.tracks] == [(0, 0), (1, 0), (0, 0)]


def test_a_name_behind_a_channel_prefix_is_that_channels() -> None:
    names = [MetaMessage("track_name", name="Song"), MetaMessage("channel_prefix", channel=1)]
    names += [MetaMessage("track_name", name="Flute"), on(60, 0, 1), off(60, 10, 1), *scale()]
    score = parse_score(file_of(names, smf_format=0), "x")
    assert [track.name for track in score.tracks] == ["Song: Acoustic Grand Piano", "Flute"]
