"""Score + takes -> a MIDI file.

What stays of the score stays byte for byte; a take becomes a track of its own, on a channel of its own.
"""

import os
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from core.files import write_atomically
from core.midi.events import Event, encode_track, scan_track, write_varint
from core.midi.grid import is_hair
from core.midi.score import PERCUSSION_CHANNEL, Score, Track
from core.midi.tempo_map import Metre, TempoMap

_BANK_VOLUME_PAN = (0, 32, 7, 10)  # the controllers that, with the program, make an instrument's sound


@dataclass(frozen=True, slots=True)
class TakeNote:
    """One note of a take: `start` and `end` in seconds from the marker; velocity 1 to 127."""

    pitch: int
    velocity: int
    start: float
    end: float


def save_take(
    score: Score | None,
    take: Sequence[TakeNote],
    marker: float,
    path: str | os.PathLike[str],
    *,
    name: str = "Continuo take",
    keep_rest: bool = False,
    tracks: Collection[int] | None = None,
) -> None:
    """Write the score with the take as a new track: `save_takes` for one."""
    save_takes(score, [take], marker, path, names=[name], keep_rest=keep_rest, tracks=tracks)


def save_takes(
    score: Score | None,
    takes: Sequence[Sequence[TakeNote]],
    marker: float,
    path: str | os.PathLike[str],
    *,
    names: Sequence[str] | None = None,
    keep_rest: bool = False,
    tracks: Collection[int] | None = None,
) -> None:
    """Write `with_takes` to `path`, whole or not at all. Raises WriteError."""
    data = with_takes(score, takes, marker, names=names, keep_rest=keep_rest, tracks=tracks)
    write_atomically(path, data)


def save_take_alone(
    score: Score | None,
    take: Sequence[TakeNote],
    marker: float,
    path: str | os.PathLike[str],
    *,
    name: str = "Continuo take",
    tracks: Collection[int] | None = None,
) -> None:
    """Write `take_alone` to `path`, whole or not at all. Raises WriteError."""
    write_atomically(path, take_alone(score, take, marker, name=name, tracks=tracks))


def with_takes(
    score: Score | None,
    takes: Sequence[Sequence[TakeNote]],
    marker: float,
    *,
    starts: Sequence[float] | None = None,
    names: Sequence[str] | None = None,
    keep_rest: bool = False,
    tracks: Collection[int] | None = None,
) -> bytes:
    """The bytes of the score's file with each take added as a track from `marker` (seconds) on.

    `starts` are the seconds at which the takes begin if that is not at the marker.

    If notes of the score begin or sound past the marker, its tracks are cut there, tempo and metre
    included, unless `keep_rest`; a track with nothing to cut stays as it is, byte for byte. `tracks`
    (indices of `score.tracks`) are the prompt: its main instrument is what the takes sound like.
    """
    if score is None:
        score = _blank_score()
    tempo_map, chunks = score.tempo_map, score.chunks
    marker_tick = tempo_map.tick(marker)
    if not keep_rest and _plays_past(score, marker_tick):
        tempo_map = tempo_map.until(marker_tick)
        chunks = _cut(chunks, marker_tick)
    starts = starts or [marker] * len(takes)
    setup = _sound(score, tracks, marker)
    free = _free_channels(score)
    channels = free or [_shared_channel(score, tracks)]
    added = [
        _take_chunk(
            take,
            starts[i],
            tempo_map,
            channels[i % len(channels)],
            # A channel that has to be shared is set up no sooner than the take begins.
            [(0 if free else tempo_map.tick(starts[i]), message) for message in setup],
            names[i] if names else "Continuo take" if len(takes) == 1 else f"Continuo take {i + 1}",
        )
        for i, take in enumerate(takes)
    ]
    return _file_bytes(tempo_map.division, (*chunks, *added))


def take_alone(
    score: Score | None,
    take: Sequence[TakeNote],
    marker: float,
    *,
    name: str = "Continuo take",
    tracks: Collection[int] | None = None,
) -> bytes:
    """The bytes of a file of the take only, starting at 0 with the score's tempo and metre at `marker`.

    Tempo and metre changes of the score after the marker come as much earlier.
    """
    if score is None:
        score = _blank_score()
    old = score.tempo_map
    start = old.tick(marker)
    tempos = [(0, old.tempo_at(start)), *((t.tick - start, t[1]) for t in old.tempos if t.tick > start)]
    metres = [m._replace(tick=m.tick - start) for m in old.metres if m.tick > start]
    if old.has_metre:
        metres.insert(0, Metre(0, *old.metre_at(start)[1:]))
    events: list[Event] = [(tick, b"\xff\x51\x03" + tempo.to_bytes(3, "big")) for tick, tempo in tempos]
    events += [(m.tick, bytes((0xFF, 0x58, 4, m.numerator, m.denominator.bit_length() - 1, 24, 8))) for m in metres]
    events.sort(key=lambda event: event[0])
    # Placed through the score's own map, then moved: so the rounding is that of the whole file.
    setup = [(0, message) for message in _sound(score, tracks, marker)]
    body = _take_chunk(take, marker, old, 0, setup, name, origin=start)
    return _file_bytes(old.division, (encode_track(events, events[-1][0]), body))


def score_bytes(score: Score) -> bytes:
    """The bytes of the score's file: its chunks as they are."""
    smf_format = score.smf_format if len(score.chunks) == 1 else max(score.smf_format, 1)
    return _file_bytes(score.tempo_map.division, score.chunks, smf_format)


def rewrite_chunk(score: Score, chunk: int, tracks: Collection[int]) -> bytes:
    """The bytes of chunk `chunk` with the notes that `tracks` (indices of `score.tracks`) now have.

    All else in it stays, and in its order: other channels' notes, controls, tempo, texts. Only "all
    notes off" on the rewritten channels goes: it would cut notes that were moved across it.
    """
    rewritten = [score.tracks[i] for i in sorted(tracks) if score.tracks[i].chunk == chunk]
    channels = {track.channel for track in rewritten}
    scan = scan_track(score.chunks[chunk])
    # (tick, rank, message): at one tick note-offs come first, then what stays, then note-ons.
    events = [(tick, 1, message) for tick, message in scan.events if not _is_of_notes(message, channels)]
    for track in rewritten:
        on, off = 0x90 | track.channel, 0x80 | track.channel
        for note in track.notes:
            events.append((note.start_tick, 2, bytes((on, note.pitch, note.velocity))))
            # The end of a note without length must not come before its beginning.
            rank = 0 if note.end_tick > note.start_tick else 3
            events.append((note.end_tick, rank, bytes((off, note.pitch, 64))))
    events.sort(key=itemgetter(0, 1))
    end_tick = max(scan.end_tick, events[-1][0] if events else 0)
    return encode_track([(tick, message) for tick, _, message in events], end_tick)


def _is_of_notes(message: bytes, channels: Collection[int]) -> bool:
    """Whether a message begins or ends notes on one of these channels."""
    if message[0] >= 0xC0 or message[0] & 0x0F not in channels:
        return False
    return message[0] < 0xA0 or (message[0] >= 0xB0 and message[1] in (120, 123))


class TakeVoice(NamedTuple):
    """What a take plays on: a channel, the messages that set up its sound, whether others play on it too."""

    channel: int
    setup: tuple[bytes, ...]
    is_shared: bool


def take_voice(score: Score | None, tracks: Collection[int] | None, marker: float) -> TakeVoice:
    """The voice that `with_takes` gives the first take: the prompt's main instrument, on a free channel."""
    score = score or _blank_score()
    free = _free_channels(score)
    channel = free[0] if free else _shared_channel(score, tracks)
    setup = tuple(bytes((message[0] | channel, *message[1:])) for message in _sound(score, tracks, marker))
    return TakeVoice(channel, setup, not free)


def _blank_score() -> Score:
    """What a take from nothing is added to: 120 bpm, 480 ticks a quarter."""
    return Score("", 1, TempoMap(), (), (), ())


def _file_bytes(division: int, chunks: Sequence[bytes], smf_format: int = 1) -> bytes:
    parts = [b"MThd", struct.pack(">IHHH", 6, smf_format, len(chunks), division)]
    for body in chunks:
        parts += (b"MTrk", struct.pack(">I", len(body)), body)
    return b"".join(parts)


# Cutting


def _plays_past(score: Score, tick: int) -> bool:
    """Whether a note begins at `tick` or later, or sounds past it by more than a hair."""
    return any(
        note.end_tick > tick and (note.start_tick >= tick or not is_hair(note.end_tick - tick, score.tempo_map))
        for track in score.tracks
        for note in track.notes
    )


def _cut(chunks: Sequence[bytes], tick: int) -> tuple[bytes, ...]:
    """The chunks without what lies at or after `tick`; what sounds there is ended there."""
    scanned = [scan_track(body).events for body in chunks]
    pedalled = _pedals_down(scanned, tick)
    return tuple(
        _cut_chunk(body, events, tick, [channel for at, channel in pedalled if at == i])
        for i, (body, events) in enumerate(zip(chunks, scanned, strict=True))
    )


def _cut_chunk(body: bytes, events: list[Event], tick: int, pedalled: list[int]) -> bytes:
    kept = [event for event in events if event[0] < tick]
    ends: list[Event] = [
        (tick, bytes((0x80 | channel, pitch, 64)))
        for (channel, pitch), count in _sounding(kept).items()
        for _ in range(count)
    ]
    dropped = [event for event in events[len(kept) :] if not _is_note_off(event[1]) or event[0] > tick]
    if not dropped and not pedalled and len(ends) == len(events) - len(kept):
        return body  # all that stood here were ends of notes, and they stay
    lifts: list[Event] = [(tick, bytes((0xB0 | channel, 64, 0))) for channel in pedalled]
    return encode_track([*kept, *ends, *lifts], tick)


def _is_note_off(message: bytes) -> bool:
    return message[0] & 0xF0 == 0x80 or (message[0] & 0xF0 == 0x90 and message[2] == 0)


def _sounding(events: list[Event]) -> dict[tuple[int, int], int]:
    """How many notes of each (channel, pitch) sound after these events."""
    sounding: dict[tuple[int, int], int] = {}
    for _, message in events:
        if message[0] & 0xE0 == 0x80:
            key = (message[0] & 0x0F, message[1])
            count = sounding.pop(key, 0) + (-1 if _is_note_off(message) else 1)
            if count > 0:
                sounding[key] = count
        elif message[0] & 0xF0 == 0xB0 and message[1] in (120, 123):
            sounding = {key: n for key, n in sounding.items() if key[0] != message[0] & 0x0F}
    return sounding


def _pedals_down(scanned: list[list[Event]], tick: int) -> set[tuple[int, int]]:
    """(chunk that pressed it, channel) of the sustain pedals that are down when `tick` comes."""
    pedals = sorted(
        (event_tick, chunk, i, message)
        for chunk, events in enumerate(scanned)
        for i, (event_tick, message) in enumerate(events)
        if event_tick < tick and message[0] & 0xF0 == 0xB0 and message[1] in (64, 121)
    )
    down: dict[int, int] = {}
    for _, chunk, _, message in pedals:
        if message[1] == 64 and message[2] >= 64:
            down[message[0] & 0x0F] = chunk
        else:
            down.pop(message[0] & 0x0F, None)
    return {(chunk, channel) for channel, chunk in down.items()}


# The take


def _main_track(score: Score, tracks: Collection[int] | None) -> Track | None:
    """The melodic track of the prompt with the most notes."""
    chosen = [t for i, t in enumerate(score.tracks) if (tracks is None or i in tracks) and not t.is_percussion]
    return max(chosen, key=lambda track: len(track.notes), default=None)


def _sound(score: Score, tracks: Collection[int] | None, marker: float) -> list[bytes]:
    """The bank, volume, pan and program that the prompt's main track has at the marker, for channel 0."""
    main = _main_track(score, tracks)
    if main is None:
        return [b"\xc0\x00"]
    program = main.program
    values: dict[int, int] = {}
    for track in score.tracks:
        if track.channel != main.channel:
            continue
        for control in track.controls:
            kind, number = control.message[0] & 0xF0, control.message[1]
            if control.time >= marker:
                break
            if kind == 0xC0:
                program = number
            elif kind == 0xB0 and number in _BANK_VOLUME_PAN:
                values[number] = control.message[2]
    return [
        *(bytes((0xB0, number, values[number])) for number in _BANK_VOLUME_PAN if number in values),
        bytes((0xC0, program)),
    ]


def _free_channels(score: Score) -> list[int]:
    """The melodic channels nobody plays on."""
    used = {track.channel for track in score.tracks} | {PERCUSSION_CHANNEL}
    return [channel for channel in range(16) if channel not in used]


def _shared_channel(score: Score, tracks: Collection[int] | None) -> int:
    """The channel a take gets where none is free: that of the prompt's main track."""
    main = _main_track(score, tracks)
    return main.channel if main else 0


def _take_chunk(
    take: Sequence[TakeNote],
    marker: float,
    tempo_map: TempoMap,
    channel: int,
    setup: Sequence[Event],
    name: str,
    origin: int = 0,
) -> bytes:
    """A track chunk of the take, behind the messages of `setup` (written for channel 0).

    `origin` is the tick of the map that becomes the track's 0.
    """
    starts = tempo_map.ticks_array([marker + note.start for note in take])
    ends = tempo_map.ticks_array([marker + note.end for note in take])
    begin = tempo_map.tick(marker)
    messages: list[tuple[int, int, bytes]] = []
    for note, start, end in zip(take, starts.tolist(), ends.tolist(), strict=True):
        start = max(start, begin)
        messages.append((start, 1, bytes((0x90 | channel, note.pitch, note.velocity))))
        messages.append((max(end, start + 1), 0, bytes((0x80 | channel, note.pitch, 64))))
    messages.sort(key=lambda m: m[:2])
    title = name.encode()
    events: list[Event] = [(0, b"\xff\x03" + write_varint(len(title)) + title)]
    events += [(tick, bytes((message[0] | channel, *message[1:]))) for tick, message in setup]
    events += [(tick - origin, message) for tick, _, message in messages]
    return encode_track(events, events[-1][0])
