import tempfile
import wave
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import mido
import numpy as np
import pytest

from core.errors import UsageError, WriteError
from core.live.synth import LONGEST_TAIL, SAMPLE_RATE
from core.midi.read import parse_score, read_score
from core.midi.score import TakeNote
from core.session.export import PEAK, MidiContent, SampleRate, SoundFormat, export_wav, midi_bytes, save_midi
from core.session.knobs import Knobs
from core.session.session import Session, TakeRecord, session_from_midi
from tests.core.midi.builders import file_of, off, on
from tests.core.session.sessions import TAKE, band, band_with_take


def test_the_score_with_its_take(tmp_path: Path) -> None:
    session = band_with_take()
    save_midi(session, tmp_path / "both.mid", "score and take")
    back = read_score(tmp_path / "both.mid")
    assert session.score is not None
    assert back.chunks[:4] == session.score.chunks
    assert [n.pitch for n in back.tracks[-1].notes] == [60, 64, 67]
    assert back.tracks[-1].name == "Take 1"
    assert back.tracks[-1].program == 4


def test_a_take_alone_starts_at_once() -> None:
    session = band_with_take().with_take(replace(TAKE, notes=TAKE.notes[:1], marker=1.0))
    back = parse_score(midi_bytes(session, "take", session.takes[0].id), "x")
    assert back.tracks[0].notes[0].start == 0.0
    assert back.notes == 3
    assert parse_score(midi_bytes(session, "take"), "x").notes == 1


def test_all_takes_stand_where_each_begins() -> None:
    session = band().with_take(replace(TAKE, marker=3.0)).with_take(replace(TAKE, marker=0.6))
    session = session.with_take(TakeRecord(notes=(TakeNote(50, 60, 0.2, 0.4),), marker=1.2, name="short"))
    back = parse_score(midi_bytes(session, "all takes"), "x")
    takes = back.tracks[-3:]
    assert [t.name for t in takes] == ["Take 1", "Take 2", "short"]
    assert [t.notes[0].start for t in takes] == pytest.approx([3.0, 0.6, 1.4], abs=0.002)
    assert len({t.channel for t in back.tracks}) == 6
    assert back.tracks[1].notes[-1].start > 0.6  # the score goes on to the last of the markers


@pytest.mark.parametrize("is_merged", [False, True])
@pytest.mark.parametrize("content", ["score and take", "take", "all takes"])
def test_a_file_says_once_with_which_knobs_its_take_was_made(content: MidiContent, is_merged: bool) -> None:
    feel = {"knobs": Knobs(busy=1), "then": (Knobs(loud=-2),), "model": "Continuo Bäse", "seed": 5}
    plain, key = band_with_take(), band().tracks[1].key
    notes = tuple(replace(note, track=key) for note in TAKE.notes)
    for own in (TAKE.notes, notes):
        take = replace(TAKE, notes=own, marker=1.0, **feel)  # type: ignore[arg-type]
        data = midi_bytes(band().with_take(take), content, is_merged=is_merged)
        tracks = mido.MidiFile(file=BytesIO(data)).tracks
        texts = [(sum(m.time for m in t[: i + 1]), m.text) for t in tracks for i, m in enumerate(t) if m.type == "text"]
        tick = 0 if content == "take" else band().tempo_map.tick(1.0)
        assert texts == [(tick, "Continuo: busier, then much softer; Continuo B?se, seed 5")]
        again = session_from_midi(data, "again.mid")
        assert midi_bytes(again, "score") == data
    assert b"Continuo:" not in midi_bytes(plain, content, is_merged=is_merged)


def test_what_is_not_there_cannot_be_saved() -> None:
    for content in ("score", "take", "score and take", "all takes"):
        with pytest.raises(UsageError):
            midi_bytes(Session(), content)


PLAIN = SoundFormat(is_normalised=False)


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, SAMPLE_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def test_sound_of_the_take_from_its_first_moment(tmp_path: Path) -> None:
    shares: list[float] = []
    session = band_with_take()
    assert export_wav(session, tmp_path / "take.wav", "take", PLAIN, progress=shares.append)
    sound = read_wav(tmp_path / "take.wav")
    assert len(sound) == round((4.5 + LONGEST_TAIL) * SAMPLE_RATE)
    assert np.abs(sound[: SAMPLE_RATE // 4]).max() > 1000
    assert np.abs(sound[int(2.8 * SAMPLE_RATE) : int(2.95 * SAMPLE_RATE)]).max() < 300  # a rest
    assert np.abs(sound[int(3.05 * SAMPLE_RATE) : int(3.4 * SAMPLE_RATE)]).max() > 1000
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(("rate", "bits"), [(44100, 16), (96000, 24)])
def test_sound_is_normalised_at_the_rate_and_resolution_asked_for(
    tmp_path: Path, rate: SampleRate, bits: Literal[16, 24]
) -> None:
    session = band_with_take()
    shares: list[float] = []
    sounds, peaks = [], []
    for form in (SoundFormat(rate, bits), SoundFormat(rate, bits, False)):
        peaks.append(export_wav(session, tmp_path / "x.wav", "take", form, progress=shares.append))
        with wave.open(str(tmp_path / "x.wav"), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, bits // 8, rate)
            assert file.getnframes() == round((4.5 + LONGEST_TAIL) * rate)
            octets = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, bits // 8)
        whole = np.zeros((len(octets), 4), np.uint8)
        whole[:, 4 - bits // 8 :] = octets
        sounds.append(whole.view("<i4").ravel() / 2**31)
    loud, plain = sounds
    assert peaks == pytest.approx([np.abs(loud).max(), np.abs(plain).max()], abs=0.001)
    assert np.abs(loud).max() == pytest.approx(PEAK, abs=0.001)
    assert np.abs(plain).max() < 0.5
    assert loud == pytest.approx(plain * (np.abs(loud).max() / np.abs(plain).max()), abs=0.001)
    assert shares[: len(shares) // 2] == sorted(shares[: len(shares) // 2])


def test_how_far_sound_is_too_loud_for_the_file_is_told(tmp_path: Path) -> None:
    chord = [on(24 + i, velocity=127) for i in range(80)]
    session = session_from_midi(file_of([*chord, *[off(24 + i, 960 * (i == 0)) for i in range(80)]]), "loud")
    peak = export_wav(session, tmp_path / "x.wav", "both", PLAIN)
    assert peak is not None
    assert peak > 1.1
    sound = read_wav(tmp_path / "x.wav")
    assert sound.max() == 2**15 - 1
    assert export_wav(session, tmp_path / "x.wav") == pytest.approx(PEAK)


def test_a_cancelled_export_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    path.write_bytes(b"before")
    asked: list[float] = []
    assert export_wav(band_with_take(), path, progress=asked.append, is_cancelled=lambda: len(asked) > 1) is None
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["take.wav"]


def test_sound_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="there is no such folder"):
        export_wav(band(), tmp_path / "none" / "x.wav")


def test_an_empty_session_is_a_moment_of_silence(tmp_path: Path) -> None:
    assert export_wav(Session(), tmp_path / "x.wav") == 0.0
    assert not read_wav(tmp_path / "x.wav").any()


def test_what_is_kept_meanwhile_lies_on_the_disk_that_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))  # where nothing can be written
    assert export_wav(band_with_take(), tmp_path / "x.wav", "take")
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_what_is_too_long_for_a_wav_file_is_told_beforehand(tmp_path: Path) -> None:
    session = session_from_midi(file_of([on(60), off(60, 480), on(62, 480 * 2 * 60 * 60 * 8), off(62, 480)]), "long")
    with pytest.raises(UsageError, match=r"This would be 8 h 0 min .* holds 2 h 4 min"):
        export_wav(session, tmp_path / "x.wav", "both", SoundFormat(96000, 24))
    assert not list(tmp_path.iterdir())
