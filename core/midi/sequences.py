"""The independent pieces of a format 2 file, put one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.midi.chase import difference, held
from core.midi.events import Event, TrackScan, encode_track, metre_event, tempo_event
from core.midi.messages import (
    BANK_LSB,
    BANK_MSB,
    DEFAULT_PAN,
    DEFAULT_VOLUME,
    META,
    PAN,
    PROGRAM,
    SYSEX,
    TEMPO,
    TIME_SIGNATURE,
    VOLUME,
    channel_of,
    is_control,
    kind,
    read_sysex,
)
from core.midi.percussion import sysex_data
from core.midi.tempo_map import DEFAULT_TEMPO, Metre, Tempo, TempoMap

_AT_FIRST = {BANK_MSB: 0, BANK_LSB: 0, VOLUME: DEFAULT_VOLUME, PAN: DEFAULT_PAN}  # which no reset gives back
_RESET = b"\xf0\x05\x7e\x7f\x09\x01\xf7"  # "General MIDI on", as it stands in a file


def one_after_another(
    division: int, scans: Sequence[TrackScan], chunks: Sequence[bytes]
) -> tuple[tuple[TrackScan, ...], list[bytes]]:
    """The chunks, each moved to the bar line after the one before it, with what it has by itself.

    A piece that names no tempo or metre at its start has 120 bpm and 4/4, not those of the piece before it, and its
    channels have General MIDI's first sound, at rest.
    """
    moved: list[TrackScan] = []
    bodies: list[bytes] = []
    before: list[bytes] = []  # channel messages
    is_reset = False  # where a piece has changed what the channels play, or the volume of all
    start = 0
    for scan, chunk in zip(scans, chunks, strict=True):
        own = _tempo_map(division, scan)
        events = [(start + tick, message) for tick, message in scan.events]
        if start:
            at_rest = [*([_RESET] if is_reset else []), *_at_rest(before, scan)]
            events = [*_defaults(own, start), *((start, message) for message in at_rest), *events]
        is_reset = is_reset or any(m[0] == SYSEX and read_sysex(sysex_data(m)) for _, m in scan.events)
        before += [message for _, message in scan.events if message[0] < SYSEX]
        end = start + scan.end_tick
        moved.append(replace(scan, events=events, end_tick=end))
        bodies.append(encode_track(events, end) if start else chunk)
        start += own.next_bar_tick(scan.end_tick)
    return tuple(moved), bodies


def _defaults(own: TempoMap, start: int) -> list[Event]:
    """What a piece that says nothing about it takes for granted."""
    events: list[Event] = []
    if not any(tempo.tick == 0 for tempo in own.tempos):
        events.append((start, tempo_event(DEFAULT_TEMPO)))
    if not any(metre.tick == 0 for metre in own.metres):
        events.append((start, metre_event(4, 4)))
    return events


def _at_rest(before: Iterable[bytes], scan: TrackScan) -> list[bytes]:
    """What undoes, on the channels that a piece uses, what the pieces before it have said."""
    used = {channel_of(message) for _, message in scan.events if message[0] < SYSEX}
    now = {key: message for key, message in held(before).items() if channel_of(message) in used}
    sounds = [bytes((*m[:2], _AT_FIRST[m[1]])) for m in now.values() if is_control(m, *_AT_FIRST)]
    sounds += [bytes((message[0], 0)) for message in now.values() if kind(message) == PROGRAM]
    return [*difference(now, {}), *sounds]


def _tempo_map(division: int, scan: TrackScan) -> TempoMap:
    """The tempo map of one piece."""
    tempos: list[Tempo] = []
    metres: list[Metre] = []
    for tick, message in scan.events:
        if message[0] == META and message[1] == TEMPO:
            tempos.append(Tempo(tick, int.from_bytes(message[3:6], "big")))
        elif message[0] == META and message[1] == TIME_SIGNATURE:
            metres.append(Metre(tick, message[3], 1 << message[4]))
    return TempoMap(division, tuple(tempos), tuple(metres))
