"""MIDI files for the tests, made with mido, and raw ones made by hand."""

import io
import struct
from collections.abc import Sequence

import mido
from mido import Message, MetaMessage

END = b"\x00\xff\x2f\x00"


def header(smf_format: int = 1, tracks: int = 1, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, smf_format, tracks, division)


def chunk(body: bytes, kind: bytes = b"MTrk") -> bytes:
    return kind + struct.pack(">I", len(body)) + body


def raw_file(*bodies: bytes, smf_format: int = 1, division: int = 480) -> bytes:
    return header(smf_format, len(bodies), division) + b"".join(chunk(body) for body in bodies)


def file_of(*tracks: Sequence[Message | MetaMessage], division: int = 480, smf_format: int = 1) -> bytes:
    midi = mido.MidiFile(type=smf_format, ticks_per_beat=division)
    midi.tracks.extend(mido.MidiTrack(track) for track in tracks)
    out = io.BytesIO()
    midi.save(file=out)
    return out.getvalue()


def on(pitch: int, time: int = 0, channel: int = 0, velocity: int = 80) -> Message:
    return Message("note_on", note=pitch, velocity=velocity, time=time, channel=channel)


def off(pitch: int, time: int = 0, channel: int = 0) -> Message:
    return Message("note_off", note=pitch, velocity=64, time=time, channel=channel)


def control(number: int, value: int, time: int = 0, channel: int = 0) -> Message:
    return Message("control_change", control=number, value=value, time=time, channel=channel)


def scale(pitches: Sequence[int] = (60, 62, 64, 65, 67, 69, 71, 72), length: int = 240) -> list[Message]:
    """One note after the other, from tick 0 on."""
    return [message for pitch in pitches for message in (on(pitch), off(pitch, length))]


def plain_scale(pitches: Sequence[int] = (60, 62, 64, 65, 67, 69, 71, 72)) -> list[bytes]:
    """The same as raw events, each with its own status byte and one-byte delta times."""
    return [event for pitch in pitches for event in (bytes((0, 0x90, pitch, 80)), bytes((0x60, 0x80, pitch, 64)))]
