"""Edits of what a file says besides its notes: tempo, metre, and a track's name, instrument, volume and pan.

Each returns the bodies of the score's chunks after it; a chunk that nothing is changed in stays byte for byte.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from core.midi.events import (
    Event,
    TrackScan,
    encode_track,
    meta_data,
    meta_event,
    metre_event,
    scan_track,
    tempo_event,
    texts_of,
)
from core.midi.messages import (
    BANK_LSB,
    BANK_MSB,
    CHANNEL_PREFIX,
    CONTROL,
    DEFAULT_PAN,
    DEFAULT_VOLUME,
    META,
    PAN,
    PROGRAM,
    SYSEX,
    TEMPO,
    TEXTS,
    TIME_SIGNATURE,
    TRACK_NAME,
    VOLUME,
    channel_of,
    is_control,
    kind,
)
from core.midi.ports import event_ports
from core.midi.score import Place, Score, Track
from core.midi.texts import decode_text, find_encoding

Chunks = tuple[bytes, ...]
_Placed = tuple[int, int, bytes]  # (tick, port, message)


def with_tempo(score: Score, tick: int, microseconds_per_quarter: int | None) -> Chunks:
    """The tempo that holds from a tick on, up to the next change; None: no change of it at this tick."""
    event = None if microseconds_per_quarter is None else tempo_event(microseconds_per_quarter)
    return _with_meta(score, tick, TEMPO, event)


def with_metre(score: Score, tick: int, metre: tuple[int, int] | None) -> Chunks:
    """The metre, (numerator, denominator), from a tick on, which begins a bar; None: no change of it at this tick.

    The denominator is a power of two.
    """
    return _with_meta(score, tick, TIME_SIGNATURE, None if metre is None else metre_event(*metre))


def _with_meta(score: Score, tick: int, number: int, new: bytes | None) -> Chunks:
    """One meta event of a kind at a tick, or none: in the first chunk, where such events of all tracks stand."""

    def is_old(event: Event) -> bool:
        return event[0] == tick and event[1][0] == META and event[1][1] == number

    chunks: list[bytes] = []
    for i, body in enumerate(score.chunks or (encode_track([], 0),)):
        scan = scan_track(body)
        events = [event for event in scan.events if not is_old(event)]
        is_changed = len(events) < len(scan.events)
        if new is not None and i == 0:
            place = next((at for at, event in enumerate(events) if event[0] >= tick), len(events))
            events.insert(place, (tick, new))
            is_changed = True
        chunks.append(encode_track(events, max(scan.end_tick, tick if new else 0)) if is_changed else body)
    return tuple(chunks)


# Tracks


def track_volume(score: Score, track: Track) -> int:
    """The volume of a track's channel, 0 to 127: where it changes, the loudest."""
    values = _values(score, track, VOLUME)
    first = min((note.start_tick for note in track.notes), default=0)
    is_set_before = any(tick <= first for tick, _ in values)
    return max([value for _, value in values] + ([] if is_set_before else [DEFAULT_VOLUME]))


def track_pan(score: Score, track: Track) -> int:
    """The first pan of a track's channel: 0 left, 64 in the middle, 127 right."""
    return next((value for _, value in _values(score, track, PAN)), DEFAULT_PAN)


def with_volume(score: Score, track: Track, volume: int) -> Chunks:
    """Another volume for a track's channel: changes of it, such as fades, are scaled with it."""
    loudest = track_volume(score, track)

    def scaled(value: int) -> int:
        return min(round(value * volume / loudest), 127) if loudest else volume

    return _with_control(score, track, VOLUME, scaled, scaled(DEFAULT_VOLUME))


def with_pan(score: Score, track: Track, pan: int) -> Chunks:
    """Another pan for a track's channel: changes of it are moved along."""
    shift = pan - track_pan(score, track)
    return _with_control(score, track, PAN, lambda value: min(max(value + shift, 0), 127), pan)


def _values(score: Score, track: Track, number: int) -> list[tuple[int, int]]:
    """(tick, value) of a controller of the track's channel, in order of time."""
    return sorted((c.tick, c.message[2]) for c in score.controls_on(track.place) if is_control(c.message, number))


def _with_control(score: Score, track: Track, number: int, changed: Callable[[int], int], otherwise: int) -> Chunks:
    """Change all values of a controller of a track's channel; where none holds at its first note, set one."""

    def change(event: _Placed) -> bytes | None:
        _, port, message = event
        is_it = (port, channel_of(message)) == track.place and is_control(message, number)
        return bytes((*message[:2], changed(message[2]))) if is_it else message

    first = min((note.start_tick for note in track.notes), default=0)
    is_set = any(tick <= first for tick, _ in _values(score, track, number))
    setting = () if is_set else (bytes((CONTROL | track.channel, number, otherwise)),)
    return _with_messages(score, track, change, setting)


def with_program(score: Score, track: Track, program: int) -> Chunks:
    """One General MIDI instrument (0 to 127) for all of a track's channel."""

    def change(event: _Placed) -> bytes | None:
        _, port, message = event
        is_ours = message[0] < SYSEX and (port, channel_of(message)) == track.place
        is_sound = kind(message) == PROGRAM or is_control(message, BANK_MSB, BANK_LSB)
        return None if is_ours and is_sound else message

    return _with_messages(score, track, change, (bytes((PROGRAM | track.channel, program)),))


def _with_messages(
    score: Score, track: Track, change: Callable[[_Placed], bytes | None], added: Sequence[bytes]
) -> Chunks:
    """Change messages of any chunk (None: leave it out), and add some before the first of a track's channel."""
    chunks: list[bytes] = []
    for i, body in enumerate(score.chunks):
        scan = scan_track(body)
        ports = event_ports(score, i, scan)
        events: list[Event] = []
        wanted = list(added) if i == track.chunk else []
        for (tick, message), port in zip(scan.events, ports, strict=True):
            if wanted and _is_of(message, port, track.place):
                events += [(tick, each) for each in wanted]
                wanted = []
            new = change((tick, port, message))
            if new is not None:
                events.append((tick, new))
        chunks.append(body if events == scan.events else encode_track(events, scan.end_tick))
    return tuple(chunks)


def _is_of(message: bytes, port: int, place: Place) -> bool:
    return message[0] < SYSEX and (port, channel_of(message)) == place


def with_name(score: Score, track: Track, name: str) -> Chunks:
    """Another name for a track; one of several in a chunk gets it behind the prefix of its channel.

    A name that the encoding of the file's texts cannot tell makes all of them UTF-8.
    """
    scans = [scan_track(body) for body in score.chunks]
    encoding = find_encoding(texts_of(scans))
    new = meta_event(TRACK_NAME, name.encode("utf-8"))
    is_alone = sum(other.chunk == track.chunk for other in score.tracks) == 1
    becomes_utf_8 = encoding != "utf-8" and not name.isascii()
    chunks: list[bytes] = []
    for i, (scan, body) in enumerate(zip(scans, score.chunks, strict=True)):
        events = list(_as_utf_8(scan.events, encoding)) if becomes_utf_8 else list(scan.events)
        if i == track.chunk:
            events = _renamed(replace(scan, events=events), track.channel, new, is_alone)
        chunks.append(body if events == scan.events else encode_track(events, scan.end_tick))
    return tuple(chunks)


def _renamed(scan: TrackScan, channel: int, name: bytes, is_alone: bool) -> list[Event]:
    """The events of a chunk with another name for one channel, or for all of it."""
    kept: list[Event] = []
    prefix: int | None = None
    for event in scan.events:
        message = event[1]
        if message[0] != META:
            prefix = None
        elif message[1] == CHANNEL_PREFIX:
            prefix = channel_of(meta_data(message))
        is_old = message[0] == META and message[1] == TRACK_NAME
        if not (is_old and (prefix == channel or (is_alone and prefix is None))):
            kept.append(event)
    if is_alone:
        return [(0, name), *kept]
    # The prefix holds up to the next channel message, so that nothing else comes to stand behind it.
    place = next((i for i, (_, message) in enumerate(kept) if message[0] < SYSEX), len(kept))
    tick = kept[place][0] if place < len(kept) else scan.end_tick
    return [*kept[:place], (tick, meta_event(CHANNEL_PREFIX, bytes((channel,)))), (tick, name), *kept[place:]]


def _as_utf_8(events: Iterable[Event], encoding: str) -> Iterable[Event]:
    for tick, message in events:
        if _is_text(message):
            message = meta_event(message[1], decode_text(meta_data(message), encoding).encode("utf-8"))
        yield tick, message


def _is_text(message: bytes) -> bool:
    return message[0] == META and message[1] in TEXTS
