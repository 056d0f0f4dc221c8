"""A take in the middle of a song: what plays before, beside and after it, heard, written and accepted alike."""

import io
from dataclasses import replace

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.midi.read import parse_score
from core.midi.score import Score, TakeNote
from core.session.arrangement import arrangement, take_stretch
from core.session.edits import nudge
from core.session.edits_notes import draw
from core.session.export import midi_bytes
from core.session.forks import accept_take
from core.session.session import RestOfSong, Session, TakeRecord, session_from_midi
from core.session.storage import parse_session, session_bytes
from core.session.timeline import timeline
from tests.core.midi.builders import control, file_of, off, on
from tests.core.session.sessions import assert_sound

BAR = 1920  # ticks; two seconds at 120 bpm
MELODY, BASS, DRUMS, PAD = 0, 1, 2, 3
KEYS = [(1, 0), (2, 1), (3, 9), (4, 3)]


def quarters(pitch: int, channel: int, count: int = 32) -> list[Message]:
    return [m for _ in range(count) for m in (on(pitch, 0, channel), off(pitch, 480, channel))]


def song() -> Session:
    """Eight bars of 4/4: melody, bass, drums; a pad, a note a bar, that is not in the prompt."""
    conductor = [
        MetaMessage("set_tempo", tempo=500_000),
        MetaMessage("time_signature", numerator=4, denominator=4),
        MetaMessage("set_tempo", tempo=400_000, time=6 * BAR),
    ]
    melody = [
        MetaMessage("track_name", name="Melody"),
        Message("program_change", program=73),
        control(7, 100),
        *quarters(72, 0, 10),
        control(7, 40),
        control(64, 127),
        Message("program_change", program=40),
        *quarters(74, 0, 22),
    ]
    bass = [MetaMessage("track_name", name="Bass"), Message("program_change", program=33, channel=1)]
    drums = quarters(36, 9)
    pad = [m for _ in range(8) for m in (on(60, 0, 3), off(60, BAR, 3))]
    data = file_of(conductor, melody, [*bass, *quarters(40, 1)], drums, pad)
    session = session_from_midi(data, "song.mid").with_flags(PAD, in_prompt=False)
    return session.with_marker(4.0)


def take(rest: RestOfSong = "stretch", **named: object) -> TakeRecord:
    """Two bars from bar 3 on: a melody note that rings into the next bar, bass notes, one note on no track."""
    notes = (
        TakeNote(40, 80, 0.0, 1.0, KEYS[BASS]),
        TakeNote(76, 90, 0.0, 0.5, KEYS[MELODY]),
        TakeNote(55, 70, 1.0, 2.0),
        TakeNote(77, 90, 3.5, 5.5, KEYS[MELODY]),
    )
    record = TakeRecord(notes=notes, seconds=4.5, marker=4.0, end=4.0, rest=rest, id="aa", name="Take 1")
    return replace(record, **named)  # type: ignore[arg-type]


def with_take(rest: RestOfSong = "stretch", **named: object) -> Session:
    return song().with_take(take(rest, **named))


def onsets(score: Score, track: int) -> list[int]:
    return [note.start_tick for note in score.tracks[track].notes]


def test_the_prompts_tracks_are_replaced_for_the_stretch_and_come_back() -> None:
    session = with_take()
    heard = arrangement(session, session.current_take).score
    for track in (MELODY, BASS):
        assert onsets(heard, track) == [t for t in range(0, 8 * BAR, 480) if not 2 * BAR <= t < 4 * BAR]
    assert heard.tracks[DRUMS] == song().score.tracks[DRUMS]  # type: ignore[union-attr]
    assert heard.tracks[PAD] == song().score.tracks[PAD]  # type: ignore[union-attr]
    assert heard.tempo_map == session.tempo_map


def test_behind_replace_the_rest_nothing_of_the_prompts_tracks_comes_back() -> None:
    session = with_take("rest")
    heard = arrangement(session, session.current_take).score
    assert onsets(heard, MELODY) == list(range(0, 2 * BAR, 480))
    assert onsets(heard, DRUMS) == list(range(0, 8 * BAR, 480))
    assert heard.tempo_map.tempos == ((0, 500_000),)  # the marker's holds from there
    assert heard.tracks[DRUMS].notes[-1].start == pytest.approx((8 * BAR - 480) / 960)


def test_beside_nothing_is_removed_and_the_take_has_channels_of_its_own() -> None:
    session = with_take("beside")
    heard = arrangement(session, session.current_take)
    assert heard.score == session.score
    channels = [part.voice.channel for part in heard.notes]
    assert len(set(channels)) == 3
    assert not {0, 1, 3, 9} & set(channels)
    programs = [next(m[1] for m in part.voice.setup if m[0] & 0xF0 == 0xC0) for part in heard.notes]
    assert programs == [33, 73, 73]


def test_the_last_notes_ring_until_the_original_returns() -> None:
    session = with_take()
    heard = arrangement(session, session.current_take)
    ends = {part.name: [n.end_tick for n in notes] for part, notes in heard.notes.items()}
    assert ends["Melody"] == [2 * BAR + 480, 4 * BAR - 1]  # the melody plays again at bar 5, with its pedal down
    alone = replace(take(), notes=(TakeNote(77, 90, 3.5, 9.0),))
    assert [n.end_tick for notes in arrangement(song(), alone).notes.values() for n in notes] == [5 * BAR]


def test_a_note_on_a_track_that_rests_rings_for_a_bar_at_most() -> None:
    data = file_of(quarters(72, 0, 8), [on(40, 0, 1), off(40, 480, 1)])
    session = session_from_midi(data, "x.mid").with_marker(4.0)
    long = TakeRecord(notes=(TakeNote(40, 80, 0.0, 9.0, (1, 1)),), seconds=9.0, marker=4.0, end=2.0)
    assert [n.end_tick for notes in arrangement(session, long).notes.values() for n in notes] == [4 * BAR]


def test_notes_put_behind_its_end_are_heard_and_the_original_returns_behind_them() -> None:
    session = draw(with_take(), "aa", 79, 90, 8.5, 10.5, KEYS[MELODY]).session
    heard = arrangement(session, session.takes[0])
    melody = next(notes for part, notes in heard.notes.items() if part.name == "Melody")
    assert (melody[-1].start_tick, melody[-1].end_tick) == (4 * BAR + 480, 5 * BAR - 1)  # before the pedal comes back
    assert onsets(heard.score, MELODY) == [t for t in range(0, 8 * BAR, 480) if not 2 * BAR <= t < 5 * BAR]
    assert accept_take(session, "aa").marker == 10.0
    at = len(session.takes[0].notes) - 1
    back = nudge(session, {"aa": [at]}, -BAR).session
    assert take_stretch(back, back.takes[0]) == take_stretch(with_take(), take())
    on_the_line = nudge(session, {"aa": [at]}, -480).session
    assert take_stretch(on_the_line, on_the_line.takes[0]).end == 5 * BAR


def test_sounds_are_kept_under_the_take_and_set_as_they_were_behind_it() -> None:
    """The melody's program, volume and pedal change in bar 3, under the take."""
    session = with_take()
    messages = timeline(session, "both")
    melody = [(t, m) for t, m in messages if m[0] in (0xB0, 0xC0)]
    under = [m for t, m in melody if 4.0 <= t < 8.0]
    assert set(under) <= {b"\xc0\x49", b"\xb0\x07\x64"}  # as at the marker, if told again
    assert {m for t, m in melody if t == 8.0} == {b"\xc0\x28", b"\xb0\x07\x28", b"\xb0\x40\x7f"}


def test_a_pedal_that_is_down_at_the_marker_is_lifted_there() -> None:
    data = file_of([control(64, 127), *quarters(72, 0, 32)])
    session = session_from_midi(data, "x.mid").with_marker(4.0).with_take(take(notes=()))
    back = parse_score(midi_bytes(session, "score and take"), "x")
    assert [(p.start_tick, p.end_tick) for p in back.tracks[0].pedals] == [(0, 2 * BAR), (4 * BAR, 8 * BAR)]
    assert (4.0, b"\xb0\x40\x00") in timeline(session, "both")


def test_a_channel_that_others_play_on_keeps_its_controls() -> None:
    data = file_of([*quarters(72, 0, 10), control(7, 40), *quarters(72, 0, 22)], quarters(60, 0, 32))
    session = session_from_midi(data, "x.mid").with_flags(1, in_prompt=False).with_marker(4.0).with_take(take(notes=()))
    assert (5.0, b"\xb0\x07\x28") in timeline(session, "both")


@pytest.mark.parametrize("rest", ["stretch", "rest", "beside"])
@pytest.mark.parametrize("is_merged", [False, True])
def test_what_is_written_is_what_is_heard(rest: RestOfSong, is_merged: bool) -> None:
    session = with_take(rest)
    data = midi_bytes(session, "score and take", is_merged=is_merged)
    back = session_from_midi(data, "back.mid")
    assert back.score is not None
    assert back.score.repairs == ()

    def notes(messages: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
        return sorted((round(t, 4), m) for t, m in messages if m[0] & 0xE0 == 0x80)

    assert notes(timeline(back, "prompt")) == notes(timeline(session, "both"))
    assert back.score.chunks[3:5] == session.score.chunks[3:5]  # type: ignore[union-attr]
    if rest == "beside":
        assert back.score.chunks[:5] == session.score.chunks  # type: ignore[union-attr]


def test_a_file_of_the_take_has_a_track_for_each_of_its_own_named_after_it() -> None:
    session = with_take()
    back = parse_score(midi_bytes(session, "score and take"), "x")
    assert [t.name for t in back.tracks[-3:]] == ["Bass", "Melody", "Take 1"]
    assert [t.channel for t in back.tracks[-3:]] == [1, 0, 2]
    alone = parse_score(midi_bytes(session, "take"), "x")
    assert [t.name for t in alone.tracks] == ["Bass", "Melody", "Take 1"]
    assert alone.tracks[0].notes[0].start == 0.0


def test_accepting_bakes_it_in_and_puts_the_marker_at_the_takes_end() -> None:
    session = with_take()
    accepted = accept_take(session, "aa")
    assert_sound(accepted)
    assert accepted.score is not None
    assert accepted.marker == 8.0
    assert [t.name for t in accepted.score.tracks][:2] == ["Melody", "Bass"]
    assert onsets(accepted.score, BASS) == [
        0,
        480,
        960,
        1440,
        *range(BAR, 2 * BAR, 480),
        2 * BAR,
        *range(4 * BAR, 8 * BAR, 480),
    ]
    assert accepted.score.tracks[-1].name == "Take 1"
    before = {(n.start_tick, n.pitch) for n in song().score.tracks[PAD].notes}  # type: ignore[union-attr]
    assert {(n.start_tick, n.pitch) for n in accepted.score.tracks[PAD].notes} == before


def test_only_the_tracks_that_it_names_are_replaced() -> None:
    session = with_take(replaces=(KEYS[BASS],))
    heard = arrangement(session, session.current_take).score
    assert onsets(heard, MELODY) == list(range(0, 8 * BAR, 480))
    assert len(onsets(heard, BASS)) == 24
    gone = with_take(replaces=((77, 5),))
    assert take_stretch(gone, gone.takes[0]).tracks == frozenset()


def test_a_muted_tracks_part_of_a_take_is_silent_too() -> None:
    session = with_take().with_flags(BASS, mute=True)
    assert not [m for _, m in timeline(session, "both") if m[0] == 0x91]
    assert [m for _, m in timeline(session, "both") if m[0] == 0x92]


def test_where_a_take_lies_is_saved_with_it() -> None:
    session = song().with_take(take("rest", replaces=(KEYS[BASS],)))
    note = replace(session.takes[0].notes[0], take="bb")
    session = session.with_changed_take(replace(session.takes[0], notes=(note, *session.takes[0].notes[1:])))
    assert parse_session(session_bytes(session), "s").takes == session.takes


notes = st.lists(
    st.builds(
        lambda pitch, start, length, key: TakeNote(pitch, 80, start, start + length, key),
        st.integers(30, 90),
        st.floats(0, 4),
        st.floats(0.01, 3),
        st.sampled_from([None, KEYS[MELODY], KEYS[BASS], (9, 9)]),
    ),
    max_size=8,
)


@given(notes, st.floats(0, 15), st.floats(0.1, 12), st.sampled_from(["stretch", "rest", "beside"]), st.booleans())
def test_wherever_a_take_lies_no_other_note_is_touched(
    notes: list[TakeNote], marker: float, end: float, rest: RestOfSong, is_merged: bool
) -> None:
    session = song().with_take(take(rest, notes=tuple(notes), marker=marker, end=end, seconds=8.0))
    record = session.takes[0]
    stretch = take_stretch(session, record)
    back = parse_score(midi_bytes(session, "score and take", is_merged=is_merged), "x")
    assert back.repairs == ()
    score = session.score
    assert score is not None
    for i, track in enumerate(score.tracks):
        written = [t for t in back.tracks if t.key == track.key]
        now = {(n.start_tick, n.pitch, n.velocity) for t in written for n in t.notes}
        expected = {
            (n.start_tick, n.pitch, n.velocity)
            for n in track.notes
            if i not in stretch.tracks or not stretch.has(n.start_tick)
        }
        assert expected <= now
        if not is_merged:
            assert now == expected
    total = sum(len(t.notes) for t in back.tracks)
    kept = sum(len(t.notes) for t in arrangement(session, record).score.tracks)
    assert total == kept + len(notes)
    sounding: dict[tuple[int, int], int] = {}
    for _, message in timeline(session, "both"):
        if message[0] & 0xE0 == 0x80:
            key = message[0] & 15, message[1]
            sounding[key] = sounding.get(key, 0) + (1 if message[0] & 0x10 else -1)
    assert not any(sounding.values())


# One pitch, at the edges of a take


def as_a_synth(data: bytes, pitch: int) -> list[tuple[int, int]]:
    """Where the notes of a pitch begin and end on channel 1: any note-off ends what sounds, whoever struck it."""
    notes: list[tuple[int, int]] = []
    tick, begun = 0, -1
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        tick += message.time
        if message.type not in ("note_on", "note_off") or (message.note, message.channel) != (pitch, 0):
            continue
        if begun >= 0:
            notes.append((begun, tick))
        begun = tick if message.type == "note_on" and message.velocity else -1
    return notes


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_note_that_sounds_a_hair_into_the_take_does_not_cut_the_takes_of_that_pitch(is_merged: bool) -> None:
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    late = [on(72, BAR), off(72, BAR + 20)]
    session = session_from_midi(file_of([metre, *late, *quarters(74, 0, 4)]), "x.mid").with_marker(4.0)
    for first, end in ((0.0, 2 * BAR), (0.1, 2 * BAR + 20)):  # later, nothing is in its way
        record = take(notes=(TakeNote(72, 90, first, 1.0, (0, 0)),))
        data = midi_bytes(session.with_take(record), "score and take", is_merged=is_merged)
        assert as_a_synth(data, 72) == [(BAR, end), (2 * BAR + round(first * 960), 2 * BAR + 960)]


@pytest.mark.parametrize("is_merged", [False, True])
@pytest.mark.parametrize("track", [0, 1])
def test_a_note_that_rings_does_not_cut_the_originals_of_that_pitch(is_merged: bool, track: int) -> None:
    """Of two tracks on one channel the first plays it where it comes back, the second only later."""
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    lead = [metre, *quarters(70, 0, 16), *quarters(74, 0, 4)]
    other = [*quarters(60, 0, 16), on(62, 4 * 480), off(62, 480)]
    session = session_from_midi(file_of(lead, other), "x.mid").with_marker(4.0)
    session = session.with_take(take(notes=(TakeNote(74, 90, 3.5, 9.0, (track, 0)),)))
    data = midi_bytes(session, "score and take", is_merged=is_merged)
    back = [(4 * BAR + 480 * i, 4 * BAR + 480 * (i + 1)) for i in range(4)]
    assert as_a_synth(data, 74) == [(2 * BAR + 3360, 4 * BAR - 1), *back]


def test_drums_are_drums_in_a_file_of_the_take_alone() -> None:
    """On channel 10, wherever the song has them; and the instrument that has that in the song goes elsewhere."""
    kit = Message("sysex", data=bytes.fromhex("41 10 42 12 40 11 15 01 00"))  # GS: channel 1 plays drums
    none = Message("sysex", data=bytes.fromhex("41 10 42 12 40 10 15 00 00"))  # and channel 10 does not
    song = [[kit, none, Message("program_change", program=25), *quarters(36, 0)], quarters(60, 9), quarters(40, 2)]
    session = session_from_midi(file_of(*song), "x.mid").with_marker(4.0)
    notes = [TakeNote(pitch, 90, 0.0, 0.5, key) for pitch, key in ((36, (0, 0)), (60, (1, 9)), (40, (2, 2)))]
    for several in ((0,), (0, 1, 2), (1,)):
        record = take(notes=tuple(notes[i] for i in several))
        back = parse_score(midi_bytes(session.with_take(record), "take"), "x")
        assert [t.is_percussion for t in back.tracks] == [i == 0 for i in several]
        assert all((t.program, t.channel) == (25, 9) for t in back.tracks if t.is_percussion)
        assert len({t.channel for t in back.tracks}) == len(several)


# Pedals behind a take


def pedalled(*notes: Message) -> Session:
    """The pedal goes down under the take, in bar 4, and is lifted two bars behind the last note."""
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    track = [metre, *quarters(72, 0, 12), control(64, 127), *notes, control(64, 0, 2 * BAR)]
    return session_from_midi(file_of(track), "x.mid").with_marker(4.0)


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_pedal_that_comes_back_does_not_hold_what_rings_of_the_take(is_merged: bool) -> None:
    session = pedalled(*quarters(72, 0, 8)).with_take(take(notes=(TakeNote(77, 90, 3.5, 9.0, (0, 0)),)))
    data = midi_bytes(session, "score and take", is_merged=is_merged)
    back = parse_score(data, "x")
    assert {(p.start_tick, p.end_tick) for t in back.tracks for p in t.pedals} == {(4 * BAR, 7 * BAR)}
    assert as_a_synth(data, 77) == [(4 * BAR - 480, 4 * BAR - 1)]
    sent = [m for _, m in timeline(session)]
    assert sent.index(b"\x80\x4d\x40") < sent.index(b"\xb0\x40\x7f")


def test_a_pedal_stays_up_where_nothing_comes_back() -> None:
    session = pedalled(on(72), off(72, 480)).with_take(take(notes=(TakeNote(77, 90, 3.5, 9.0, (0, 0)),)))
    data = midi_bytes(session, "score and take")
    assert not [p for t in parse_score(data, "x").tracks for p in t.pedals]
    assert as_a_synth(data, 77) == [(4 * BAR - 480, 5 * BAR)]
    assert b"\xb0\x40\x7f" not in [m for _, m in timeline(session)]
