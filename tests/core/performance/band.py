"""A song of melody, bass and drums, and notes for a take in it."""

from dataclasses import replace

from mido import Message, MetaMessage

from core.codec.events import NoteMessage
from core.session.session import Session, session_from_midi
from tests.core.midi.builders import file_of, off, on

BAR = 1920  # ticks; two seconds at 120 bpm
MELODY, BASS, DRUMS = (1, 0), (2, 1), (3, 9)


def quarters(pitches: list[int], channel: int, bars: int) -> list[Message]:
    count = 4 * bars
    line = (pitches * count)[:count]
    return [m for pitch in line for m in (on(pitch, 0, channel), off(pitch, 480, channel))]


def song(**settings: object) -> Session:
    """Eight bars of melody and bass; the drums stop after four. The marker stands at bar five."""
    conductor = [MetaMessage("set_tempo", tempo=500_000), MetaMessage("time_signature", numerator=4, denominator=4)]
    melody = [Message("program_change", program=73), *quarters([72, 76, 79, 76], 0, 8)]
    bass = [Message("program_change", program=33, channel=1), *quarters([36, 43], 1, 8)]
    drums = [m for _ in range(4) for p in (36, 38, 36, 38) for m in (on(p, 0, 9), off(p, 480, 9))]
    session = session_from_midi(file_of(conductor, melody, bass, drums), "song.mid").with_marker(8.0)
    return session.with_settings(replace(session.settings, **settings))  # type: ignore[arg-type]


def message(time: float, pitch: int, velocity: int = 80) -> NoteMessage:
    return NoteMessage(round(time * 100), pitch, velocity, time)
