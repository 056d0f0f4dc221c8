"""Tempo, metre and what a track is, changed: heard, saved, and read back by mido."""

import io
from dataclasses import replace
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.errors import UsageError
from core.midi.meta_edits import track_pan, track_volume
from core.session.edits import delete, transpose
from core.session.edits_song import change_track, with_metre, with_tempo
from core.session.export import midi_bytes
from core.session.session import Session, session_from_midi
from core.session.storage import open_session, save_session
from core.session.timeline import timeline
from tests.core.midi.builders import control, file_of, off, on, scale
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band, band_with_take


def written(session: Session) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(midi_bytes(session, "score")))


def metas(session: Session, kind: str) -> list[tuple[int, Any]]:
    """(tick, event) of all chunks."""
    found = []
    for track in written(session).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == kind:
                found.append((tick, message))
    return found


def ticks(session: Session) -> list[list[tuple[int, int, int]]]:
    assert session.score is not None
    return [[(n.start_tick, n.end_tick, n.pitch) for n in track.notes] for track in session.score.tracks]


# Tempo and metre


@given(tick=st.sampled_from([0, 100, 480, 1440, 5000]), bpm=st.floats(4, 1000), edited=st.booleans())
def test_notes_and_takes_stay_on_their_ticks_whatever_the_tempo(tick: int, bpm: float, edited: bool) -> None:
    before = band_with_take()
    if edited:
        before = transpose(before, {0: [1, 2]}, 5).session
    after = with_tempo(before, tick, bpm)
    assert_sound(after)
    assert_written_as_it_is(after)
    assert after.edited == before.edited
    assert ticks(after) == ticks(before)
    assert after.tempo_map.tempo_at(tick) == round(60e6 / bpm)

    def places(session: Session) -> list[float]:
        take = session.takes[0]
        times = [session.marker, take.marker, *(take.marker + n.start for n in take.notes)]
        return [session.tempo_map.exact_tick(time) for time in times]

    assert places(after) == pytest.approx(places(before), abs=1e-4)


def test_a_tempo_is_written_once_and_taken_away_again() -> None:
    session = with_tempo(with_tempo(band(), 960, 90.0), 960, 60.0)
    assert [(tick, m.tempo) for tick, m in metas(session, "set_tempo")] == [
        (0, 600_000),
        (960, 1_000_000),
        (1440, 400_000),
    ]
    back = with_tempo(session, 960, None)
    assert back.score == band().score
    assert written(back).tracks == written(band()).tracks


def test_a_file_without_a_metre_gets_bars() -> None:
    session = session_from_midi(file_of(scale()), "plain.mid")
    assert not session.tempo_map.has_metre
    session = with_metre(session, 0, (3, 8))
    assert session.tempo_map.bar_tick(2) == 1440
    ((tick, meta),) = metas(session, "time_signature")
    assert (tick, meta.numerator, meta.denominator) == (0, 3, 8)
    assert ticks(session)[0][:2] == [(0, 240, 60), (240, 480, 62)]


def test_a_session_from_nothing_gets_tempo_and_bars_and_is_saved(tmp_path: object) -> None:
    session = with_metre(with_tempo(Session(), 0, 90.0), 0, (6, 8))
    assert session.tempo_map.tempos[0].bpm == pytest.approx(90.0, abs=0.001)
    assert session.tempo_map.bar_beat(1440)[0] == 1
    path = f"{tmp_path}/new.continuo"
    save_session(session, path)
    assert open_session(path) == session
    assert timeline(session) == []


def test_what_cannot_be_is_refused() -> None:
    for bpm in (0.0, 3.9, 1001.0):
        with pytest.raises(UsageError, match="tempo must lie between"):
            with_tempo(band(), 0, bpm)
    for metre in ((0, 4), (4, 3), (4, 128), (65, 4)):
        with pytest.raises(UsageError, match="no metre"):
            with_metre(band(), 0, metre)
    film = session_from_midi(file_of(scale(), division=480).replace(b"\x01\xe0", b"\xe7\x28", 1), "film.mid")
    with pytest.raises(UsageError, match="film frames"):
        with_tempo(film, 0, 90.0)


# Tracks


def channel_messages(session: Session, channel: int) -> list[Any]:
    return [
        m
        for track in written(session).tracks
        for m in track
        if not m.is_meta and m.type in ("control_change", "program_change") and m.channel == channel
    ]


def test_name_instrument_volume_and_pan_are_written_and_heard() -> None:
    session = change_track(band(), 1, name=" Upright\nbass ", program=32, volume=70, pan=20)
    assert_sound(session)
    assert session.score is not None
    bass = session.score.tracks[1]
    assert (bass.name, bass.program, track_volume(session.score, bass), track_pan(session.score, bass)) == (
        "Upright bass",
        32,
        70,
        20,
    )
    assert [m.name for _, m in metas(session, "track_name")] == ["Piano", "Upright bass"]
    told = {(m.type, getattr(m, "control", None)): m for m in channel_messages(session, 1)}
    assert told["program_change", None].program == 32
    assert (told["control_change", 7].value, told["control_change", 10].value) == (70, 20)
    heard = [message for _, message in timeline(session, "prompt")]
    assert heard.index(bytes((0xB1, 7, 70))) < heard.index(bytes((0x91, 36, 80)))
    assert bytes((0xC1, 32)) in heard
    assert ticks(session) == ticks(band())
    assert channel_messages(session, 0) == channel_messages(band(), 0)


def test_a_take_plays_with_what_its_track_was_given() -> None:
    before = band_with_take()
    notes = tuple(replace(note, track=(2, 1)) for note in before.takes[0].notes)
    before = before.with_changed_take(replace(before.takes[0], notes=notes))
    take = [message for _, message in timeline(change_track(before, 1, program=38, volume=50), "take")]
    assert bytes((0xC1, 38)) in take
    assert bytes((0xB1, 7, 50)) in take


def test_a_fade_is_scaled_and_a_pan_moved_along() -> None:
    fading = [control(7, 100), control(10, 64), *scale((60, 62)), control(7, 50), control(10, 100), *scale((64,))]
    session = change_track(session_from_midi(file_of(fading), "fading.mid"), 0, volume=60, pan=100)
    values = [(m.control, m.value) for m in channel_messages(session, 0)]
    assert values == [(7, 60), (10, 100), (7, 30), (10, 127)]


def test_an_instrument_takes_the_place_of_all_that_the_file_chooses() -> None:
    changing = [control(0, 8), Message("program_change", program=4), *scale((60,))]
    changing += [Message("program_change", program=5), *scale((62,))]
    session = change_track(session_from_midi(file_of(changing), "changing.mid"), 0, program=73)
    assert [m.type for m in channel_messages(session, 0)] == ["program_change"]
    assert channel_messages(session, 0)[0].program == 73


def test_tracks_of_one_chunk_are_named_each_by_itself() -> None:
    both = [MetaMessage("track_name", name="Both"), on(60), on(40, 0, 1), off(60, 480), off(40, 0, 1)]
    session = session_from_midi(file_of(both, smf_format=0), "both.mid")
    session = change_track(change_track(session, 0, name="Lead"), 1, name="Bass")
    assert session.score is not None
    assert [track.name for track in session.score.tracks] == ["Lead", "Bass"]
    again = change_track(session, 1, name="Low")
    assert again.score is not None
    assert [track.name for track in again.score.tracks] == ["Lead", "Low"]
    assert [m.name for _, m in metas(again, "track_name")].count("Low") == 1
    assert written(again).type == 0


def test_names_of_any_script_leave_those_of_other_tracks_readable() -> None:
    named = [
        [MetaMessage("track_name", name=name), *scale((60 + i,))]
        for i, name in enumerate(("Flöte", "Geige", "Bläser für alle"))
    ]
    data = file_of(*named)  # mido writes Latin-1
    session = change_track(session_from_midi(data, "named.mid"), 1, name="バイオリン")
    assert session.score is not None
    assert [track.name for track in session.score.tracks] == ["Flöte", "バイオリン", "Bläser für alle"]


def test_notes_that_were_edited_stay_so_and_a_name_is_needed() -> None:
    before = delete(transpose(band(), {0: [0]}, 12).session, {1: [0, 1]}).session
    after = change_track(before, 0, name="Keys", volume=30)
    assert ticks(after) == ticks(before)
    assert after.edited == before.edited
    assert_written_as_it_is(after)
    with pytest.raises(UsageError, match="needs a name"):
        change_track(before, 0, name=" \n")


@given(volume=st.integers(0, 127), pan=st.integers(0, 127), program=st.integers(0, 127), track=st.integers(0, 1))
def test_what_is_set_is_what_is_shown_and_comes_back_from_a_file(
    volume: int, pan: int, program: int, track: int
) -> None:
    session = change_track(change_track(band(), track, volume=3), track, volume=volume, pan=pan, program=program)
    again = session_from_midi(midi_bytes(session, "score"), "again.mid")
    for each in (session, again):
        assert each.score is not None
        changed = each.score.tracks[track]
        assert (track_volume(each.score, changed), track_pan(each.score, changed)) == (volume, pan)
        assert changed.program == program
