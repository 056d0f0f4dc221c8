import io
from collections.abc import Sequence
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.errors import WriteError
from core.midi.grid import is_hair
from core.midi.read import parse_score, read_score
from core.midi.score import Score, TakeNote
from core.session.export import MidiContent, midi_bytes, save_midi
from core.session.session import RestOfSong, Session, TakeRecord, TrackFlags
from tests.core.midi.builders import END, control, file_of, off, on, raw_file, scale


def session_of(
    score: Score | None,
    takes: Sequence[Sequence[TakeNote]],
    marker: float,
    rest: RestOfSong = "rest",
    tracks: Sequence[int] | None = None,
) -> Session:
    """A session on the score with these takes, all from the marker on; `tracks` are the prompt's."""
    flags = tuple(
        TrackFlags(in_prompt=not t.is_percussion and (tracks is None or i in tracks))
        for i, t in enumerate(score.tracks if score else ())
    )
    session = Session(score=score, flags=flags).with_marker(marker)
    for take in takes:
        session = session.with_take(TakeRecord(notes=tuple(take), marker=marker, rest=rest, seconds=4.5))
    return session


def with_take(score: Score | None, take: Sequence[TakeNote], marker: float, rest: RestOfSong = "rest") -> bytes:
    return midi_bytes(session_of(score, [take], marker, rest), "score and take")


TAKE = [TakeNote(60, 90, 0.0, 0.5), TakeNote(64, 70, 0.25, 1.0), TakeNote(67, 100, 3.0, 4.5)]


def read_back(data: bytes) -> Score:
    score = parse_score(data, "back")
    assert score.repairs == ()
    return score


def take_of(score: Score, index: int = -1) -> list[tuple[int, int, float, float]]:
    return [(n.pitch, n.velocity, n.start, n.end) for n in score.tracks[index].notes]


def assert_placed(score: Score, take: Sequence[TakeNote], marker: float, index: int = -1) -> None:
    notes = take_of(score, index)
    assert [n[:2] for n in notes] == [(n.pitch, n.velocity) for n in take]
    for (_, _, start, end), note in zip(notes, take, strict=True):
        grid = [score.tempo_map.seconds(score.tempo_map.tick(s) + 1) for s in (start, end)]
        assert start == pytest.approx(marker + note.start, abs=grid[0] - start)
        assert end == pytest.approx(marker + note.end, abs=grid[1] - end)


TEMPOS = [MetaMessage("set_tempo", tempo=700_000), MetaMessage("set_tempo", tempo=300_000, time=960)]
PIECE = [Message("program_change", program=48), control(7, 77), *scale()]


@pytest.mark.parametrize("division", [24, 96, 480, 960, 10_000])
@pytest.mark.parametrize("smf_format", [0, 1])
def test_at_the_end_every_chunk_stays_byte_for_byte(division: int, smf_format: int) -> None:
    tracks = [[*TEMPOS, *PIECE]] if smf_format == 0 else [TEMPOS, PIECE, scale((40,))]
    data = file_of(*tracks, division=division, smf_format=smf_format)
    score = parse_score(data, "x")
    out = with_take(score, TAKE, score.end)
    back = read_back(out)
    assert back.chunks[:-1] == score.chunks
    assert (back.smf_format, back.tempo_map) == (1, score.tempo_map)
    assert_placed(back, TAKE, score.end)
    assert out[14 : 14 + len(data) - 14] == data[14:]


def test_running_status_smpte_and_odd_metas_stay_byte_for_byte() -> None:
    body = b"\x00\xff\x7f\x02\x00\x01\x00\x90\x3c\x50\x60\x3c\x00\x00\xff\x06\x01A\x00\x40\x50\x60\x40\x00" + END
    score = parse_score(raw_file(body, smf_format=0, division=0xE728), "x")
    back = read_back(with_take(score, TAKE, score.end))
    assert back.chunks[0] == body
    assert back.tempo_map.division == 0xE728
    assert_placed(back, TAKE, score.end)


def test_what_comes_behind_the_last_note_stays_too() -> None:
    tail = [*scale((60,)), control(7, 90, 300), MetaMessage("marker", text="end", time=50)]
    score = parse_score(file_of(tail), "x")
    assert read_back(with_take(score, TAKE, score.end)).chunks[0] == score.chunks[0]


def test_a_pedal_that_is_down_behind_the_last_note_is_up_under_the_take() -> None:
    tail = [control(64, 127), *scale((60,)), control(64, 0, 300), MetaMessage("marker", text="end", time=50)]
    score = parse_score(file_of(tail), "x")
    back = read_back(with_take(score, TAKE, score.end, "stretch"))
    assert [(p.start_tick, p.end_tick) for p in back.tracks[0].pedals] == [(0, 240)]
    assert back.chunks[0].count(b"end") == 1


def test_a_note_without_length_at_the_marker_is_not_cut() -> None:
    score = parse_score(file_of([*scale((60,)), on(62), off(62)]), "x")
    assert read_back(with_take(score, TAKE, score.end)).chunks[0] == score.chunks[0]


def test_the_take_sounds_like_the_main_track_on_a_channel_of_its_own() -> None:
    drums = [on(36, 0, 9), off(36, 10, 9)] * 20
    other = [Message("program_change", program=5, channel=1), on(50, 0, 1), off(50, 9, 1)]
    score = parse_score(file_of(PIECE, drums, other), "x")
    back = read_back(midi_bytes(session_of(score, [TAKE, TAKE], score.end), "all takes"))
    named = [(t.name, t.channel, t.program) for t in back.tracks[-2:]]
    assert named == [("Take 1", 2, 48), ("Take 2", 3, 48)]
    assert [c.message for c in back.tracks[-1].controls] == [b"\xb3\x07\x4d", b"\xc3\x30"]
    chosen = read_back(midi_bytes(session_of(score, [TAKE], score.end, tracks=[2]), "score and take"))
    assert chosen.tracks[-1].program == 5


def test_with_all_channels_taken_the_take_shares_the_main_one() -> None:
    tracks = [[on(60, 0, c), off(60, 10, c)] * (1 + (c == 4)) for c in range(16)]
    score = parse_score(file_of(*tracks), "x")
    back = read_back(with_take(score, TAKE, score.end))
    assert back.tracks[-1].channel == 4
    assert back.tracks[-1].controls[0].time == pytest.approx(score.end)


def test_short_notes_last_a_tick() -> None:
    take = [TakeNote(60, 90, 0.0, 0.001), TakeNote(60, 90, 0.002, 0.003), TakeNote(61, 90, 0.5, 0.5)]
    score = parse_score(file_of(scale((60,)), division=4), "x")
    back = read_back(with_take(score, take, score.end))
    assert [n.end_tick - n.start_tick for n in back.tracks[-1].notes] == [1, 1, 1]


# A marker in mid-file

LONG = [
    control(64, 127),
    *scale((60, 62)),  # 0 to 480
    on(64),  # 480
    on(64),
    on(65),
    off(65, 100),  # 580
    MetaMessage("lyrics", text="la"),
    control(64, 0, 300),  # 880
    off(64, 0),
    off(64, 0),
    *scale((67, 69)),
]


def cut_at(tick: int, *tracks: list, rest: RestOfSong = "rest") -> tuple[Score, Score]:
    score = parse_score(file_of(*tracks), "x")
    marker = score.tempo_map.seconds(tick)
    back = read_back(with_take(score, TAKE, marker, rest))
    assert_placed(back, TAKE, marker)
    return score, back


def test_tracks_are_cut_at_the_marker() -> None:
    _, back = cut_at(700, LONG)
    notes = [(n.pitch, n.start_tick, n.end_tick) for n in back.tracks[0].notes]
    assert notes == [(60, 0, 240), (62, 240, 480), (64, 480, 700), (64, 480, 700), (65, 480, 580)]
    assert [(p.start_tick, p.end_tick) for p in back.tracks[0].pedals] == [(0, 700)]
    body = back.chunks[0]
    assert body.count(b"\x80\x40\x40") == 2
    assert body.count(b"\xb0\x40\x00") == 1
    assert body.count(b"la") == 1
    assert body.endswith(END)


def test_what_all_notes_off_ended_ends_where_that_goes_with_a_stretch() -> None:
    """A note that ends at the marker has nothing to be cut, but nothing else to end it."""
    ends_there = [*scale((60, 62, 64)), on(48), control(123, 0, 240), *scale((50,))]
    score = parse_score(file_of(ends_there, [m.copy(channel=1) for m in scale()] * 1), "x")
    marker = score.tempo_map.seconds(960)
    for rest in ("stretch", "rest"):
        back = read_back(with_take(score, TAKE, marker, rest))
        assert [(n.pitch, n.end_tick) for n in back.tracks[0].notes if n.start_tick == 720] == [(48, 960)]


def test_what_is_not_cut_keeps_its_place_and_form() -> None:
    """Note-ons of velocity 0 that end notes; a program and a release that stand behind the note of the same tick."""
    ended = [on(60), Message("program_change", program=44), on(60, 240, velocity=0)]
    ended += [on(62), Message("note_off", note=62, velocity=9, time=240), *scale()]
    data = file_of(ended)
    score = parse_score(data, "x")
    written = with_take(score, TAKE, score.tempo_map.seconds(720))
    before, after = (list(mido.MidiFile(file=io.BytesIO(d)).tracks[0]) for d in (data, written))
    assert after[:6] == before[:6]


def test_beside_leaves_the_tracks() -> None:
    score, back = cut_at(700, LONG, rest="beside")
    assert back.chunks[:-1] == score.chunks


def test_a_track_with_nothing_to_cut_stays_byte_for_byte() -> None:
    early = [control(7, 90), *scale((50,)), on(52, 40), off(52, 420)]  # the last note ends at 700
    score, back = cut_at(700, early, LONG)
    assert back.chunks[0] == score.chunks[0]
    assert back.chunks[1] != score.chunks[1]


def test_tempo_and_metre_behind_the_marker_go_and_the_take_stays_in_time() -> None:
    conductor = [
        MetaMessage("time_signature", numerator=3, denominator=4),
        MetaMessage("set_tempo", tempo=400_000, time=100),
        MetaMessage("set_tempo", tempo=900_000, time=700),
        MetaMessage("time_signature", numerator=2, denominator=4),
    ]
    score, back = cut_at(700, conductor, LONG)
    assert back.tempo_map.tempos == ((100, 400_000),)
    assert back.tempo_map.metres == ((0, 3, 4),)
    score, back = cut_at(700, conductor, LONG, rest="beside")
    assert back.tempo_map == score.tempo_map


def test_a_pedal_whose_lift_is_cut_is_lifted_where_it_was_pressed() -> None:
    _, back = cut_at(700, [control(64, 127)], [*scale((60,) * 6), control(64, 0)])
    assert [(p.start_tick, p.end_tick) for p in back.tracks[0].pedals] == [(0, 700)]


events = st.one_of(
    st.builds(on, st.integers(50, 54), st.integers(0, 200), st.integers(0, 2), st.integers(0, 127)),
    st.builds(off, st.integers(50, 54), st.integers(0, 200), st.integers(0, 2)),
    st.builds(control, st.just(64), st.sampled_from([0, 127]), st.integers(0, 200), st.integers(0, 2)),
    st.builds(lambda tempo: MetaMessage("set_tempo", tempo=tempo, time=3), st.integers(50_000, 2_000_000)),
)
takes = st.builds(TakeNote, st.integers(0, 127), st.integers(1, 127), st.floats(0, 50), st.floats(50, 60))


@given(
    st.lists(st.lists(events, max_size=30), min_size=1, max_size=3),
    st.integers(0, 4000),
    st.lists(st.builds(TakeNote, st.integers(0, 127), st.integers(1, 127), st.floats(0, 50), st.floats(50, 60))),
    st.sampled_from(["rest", "beside"]),
)
@example([[on(50)], [control(64, 127), off(50, 1), on(50)]], 0, [], "rest")
@example([[on(50)], [on(50), off(50, 103), control(64, 127, 106), on(52), on(50, 2, channel=2)]], 2, [], "rest")
@example(
    [[on(50), MetaMessage("set_tempo", tempo=50_000, time=3), off(50), control(64, 127), off(50)]], 1, TAKE, "rest"
)
def test_whatever_is_cut_the_rest_is_as_it_was(tracks: list, tick: int, take: list, rest: RestOfSong) -> None:
    score = parse_score(file_of(*tracks), "x")
    marker = score.tempo_map.seconds(tick)
    back = parse_score(with_take(score, take, marker, rest), "back")
    before = {(t.chunk, t.channel, n.pitch, n.velocity, n.start) for t in score.tracks for n in t.notes}
    after = {
        (t.chunk, t.channel, n.pitch, n.velocity, n.start)
        for t in back.tracks
        for n in t.notes
        if t.chunk < len(score.chunks)
    }
    if back.chunks[: len(score.chunks)] == score.chunks:
        assert after == before
    else:
        assert rest == "rest"
        # A track of which only notes without length are left is left alone.
        points = {
            (t.chunk, t.channel, n.pitch, n.velocity, n.start)
            for t in score.tracks
            for n in t.notes
            if n.end_tick == n.start_tick == tick
        }
        assert after - points == {key for key in before if score.tempo_map.tick(key[-1]) < tick} - points
        old = [t for t in back.tracks if t.chunk < len(score.chunks)]
        assert all(n.end_tick <= tick or is_hair(n.end_tick - tick, score.tempo_map) for t in old for n in t.notes)
        # Where nothing of a track is cut, or all but a hair, its channel keeps its pedal.
        same = {(t.chunk, t.channel, t.notes) for t in score.tracks}
        alone = [t for t in old if (t.chunk, t.channel, t.notes) in same or any(n.end_tick > tick for n in t.notes)]
        cut = [t for t in old if t.channel not in {other.channel for other in alone}]
        assert all(p.end_tick <= tick for t in cut for p in t.pedals)
    added = [n for t in back.tracks if t.chunk == len(score.chunks) for n in t.notes]
    assert len(added) == len(take)
    step = 2.0 / 480 + 1e-6  # half a tick at the slowest tempo, twice
    starts = sorted((n.pitch, n.start) for n in take)
    for note, (pitch, start) in zip(sorted(added, key=lambda n: (n.pitch, n.start)), starts, strict=True):
        assert (note.pitch, note.start) == (pitch, pytest.approx(marker + start, abs=step))


def test_under_a_take_a_channel_keeps_what_it_had_though_one_of_its_tracks_had_ended() -> None:
    ended = [on(48), off(48, 480), control(64, 127, 960), control(7, 1, 240)]
    playing = [on(60), off(60, 960), on(62, 960), off(62, 9600)]
    score = parse_score(file_of(ended, playing), "x")
    notes = [TakeNote(60, 90, 0.0, 2.0, score.tracks[1].key)]
    marker = score.tempo_map.seconds(960)
    back = parse_score(with_take(score, notes, marker, "stretch"), "back")
    until = score.tempo_map.tick(marker + 4.5)
    told = [(c.tick, c.message.hex()) for t in back.tracks if t.channel == 0 for c in t.controls]
    assert told
    assert {tick for tick, _ in told} == {until}  # what the original has there


# The take alone


def test_the_take_alone_starts_at_0_with_tempo_and_metre_of_the_marker() -> None:
    conductor = [
        MetaMessage("set_tempo", tempo=400_000),
        MetaMessage("time_signature", numerator=3, denominator=4),
        MetaMessage("set_tempo", tempo=900_000, time=2000),
        MetaMessage("time_signature", numerator=6, denominator=8),
    ]
    score = parse_score(file_of(conductor, PIECE), "x")
    back = read_back(midi_bytes(session_of(score, [TAKE], score.tempo_map.seconds(1500), "stretch"), "take"))
    assert back.tempo_map.tempos == ((0, 400_000), (500, 900_000))
    assert back.tempo_map.metres == ((0, 3, 4), (500, 6, 8))
    assert [(t.name, t.program) for t in back.tracks] == [("Take 1", 48)]
    assert_placed(back, TAKE, 0.0)


def test_a_take_from_nothing() -> None:
    back = read_back(midi_bytes(session_of(None, [TAKE], 0.0), "take"))
    assert (back.tempo_map.division, back.tempo_map.tempo_at(0), back.tracks[0].program) == (480, 500_000, 0)
    assert_placed(back, TAKE, 0.0)
    assert_placed(read_back(with_take(None, TAKE, 0.0)), TAKE, 0.0)
    assert read_back(with_take(None, [], 0.0)).notes == 0


def test_other_programs_can_read_it() -> None:
    score = parse_score(file_of(TEMPOS, PIECE), "x")
    theirs = pretty_midi.PrettyMIDI(io.BytesIO(with_take(score, TAKE, score.end)))
    take = next(i for i in theirs.instruments if i.name == "Take 1")
    assert take.program == 48
    assert [(n.pitch, round(n.start - score.end, 2)) for n in take.notes] == [
        (60, 0.0),
        (64, 0.25),
        (67, 3.0),
    ]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Don’t Stop", "Bass"]),
        ("cp932", ["ﾋﾟｱﾉ", "ﾄﾞﾗﾑ"]),
        ("cp1251", ["Гитара", "Бас"]),
        ("mac_roman", ["Flöte", "Kontrabaß"]),
        ("utf-16", ["琴", "Bass"]),
        ("utf-8", ["Flöte", "Бас"]),
    ],
)
@pytest.mark.parametrize("own", ["", "Übung", "Гитара 2"])
def test_a_takes_tracks_are_named_in_the_encoding_of_the_files_texts(encoding: str, names: list[str], own: str) -> None:
    """All texts of a file are read in one: others than theirs would change them all."""
    named = [b"\x00\xff\x03" + bytes([len(raw)]) + raw for raw in (name.encode(encoding) for name in names)]
    notes = [bytes((0, 0x90 | i, 60, 80, 0x60, 0x80 | i, 60, 64)) for i in range(2)]
    score = parse_score(raw_file(*(name + note + END for name, note in zip(named, notes, strict=True))), "x")
    take = TakeRecord((TakeNote(60, 80, 0, 1, (0, 0)), TakeNote(61, 80, 0, 1)), marker=score.end, name=own)
    session = Session(score=score, flags=(TrackFlags(), TrackFlags())).with_marker(score.end).with_take(take)
    back = read_back(midi_bytes(session, "score and take"))
    assert [track.name for track in back.tracks[:3]] == [*names, names[0]]
    assert own in (back.tracks[3].name, "") or encoding not in ("utf-8", "utf-16")


# On disk


@pytest.mark.parametrize(
    ("content", "names"),
    [("score and take", ["Take 1"]), ("all takes", ["Take 1", "Take 2"]), ("take", ["Take 1"])],
)
def test_files_are_written(content: MidiContent, names: list[str], tmp_path: Path) -> None:
    score = parse_score(file_of(PIECE), "x")
    session = session_of(score, [TAKE, TAKE], score.end).select_take("")
    take = session.takes[0].id
    save_midi(session, tmp_path / "a.mid", content, take)
    assert [t.name for t in read_score(tmp_path / "a.mid").tracks][-len(names) :] == names
    with pytest.raises(WriteError, match="there is no such folder"):
        save_midi(session, tmp_path / "no" / "a.mid", content, take)
