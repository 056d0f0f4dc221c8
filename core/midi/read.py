"""A MIDI file -> Score."""

import os
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import NamedTuple

from core.files import read_file, too_large
from core.midi.events import Event, TrackScan, decode_meta, encode_track, meta_data, texts_of
from core.midi.messages import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CHANNEL_PREFIX,
    CHANNEL_PRESSURE,
    CONTROL,
    DEFAULT_RELEASE,
    KEY_PRESSURE,
    KEY_SIGNATURE,
    META,
    NOTE_OFF,
    NOTE_ON,
    PEDAL_DOWN,
    PROGRAM,
    RESET_CONTROLLERS,
    SUSTAIN,
    SYSEX,
    TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
    channel_of,
    is_control,
    kind,
)
from core.midi.percussion import DrumChannels
from core.midi.ports import chunk_ports
from core.midi.repair import clean_file
from core.midi.score import PERCUSSION_CHANNEL, Control, KeySignature, Note, Pedal, Place, Score, Track
from core.midi.sequences import one_after_another
from core.midi.tempo_map import Metre, Tempo, TempoMap
from core.midi.texts import decode_text, find_encoding

MAX_BYTES = 16 * 2**20  # some two million notes; the largest files of music have a tenth of that

_ALL_OFF = -1  # in place of a velocity: the channel was silenced
_AT_END = 1 << 62  # in place of an event's index: behind the last one
# One note between pairing and placing in time: (start tick, pitch, end tick, velocity, release velocity).
_Span = tuple[int, int, int, int, int]


def read_score(path: str | os.PathLike[str]) -> Score:
    """Read a MIDI file. Raises UnreadableInput, a sentence with its name, if that cannot be."""
    data = read_file(path, MAX_BYTES, "MIDI file")
    return parse_score(data, Path(path).name or os.fspath(path))


def parse_score(data: bytes, name: str) -> Score:
    """Read the bytes of a MIDI file that is called `name`.

    Raises UnreadableInput, a sentence with the name, if there is nothing to read in them. A file
    without notes is read: `Score.notes` is then 0. What is repaired here is repaired in `Score.chunks` too.
    """
    if len(data) > MAX_BYTES:
        raise too_large(name, MAX_BYTES, "MIDI file")
    clean = clean_file(data, name)
    scans, chunks, repairs = clean.scans, list(clean.chunks), list(clean.repairs)
    if clean.smf_format == 2 and len(scans) > 1:
        scans, chunks = one_after_another(clean.division, scans, chunks)
        repairs.append(f"The file holds {len(scans)} pieces (format 2): they follow one another.")
    tempo_map, keys = _metas(clean.division, scans)
    read = _Channels(scans)
    file_end = max((scan.end_tick for scan in scans), default=0)
    pedals = {place: _pedals(messages, file_end, tempo_map) for place, messages in read.controls.items()}
    encoding = find_encoding(texts_of(scans))
    tracks: list[Track] = []
    unended = 0
    strays: list[tuple[int, Place, list[Event]]] = []  # controls of chunks without notes for their channel
    for chunk, (scan, channels) in enumerate(zip(scans, read.by_chunk, strict=True)):
        pairings = {place: _pair(messages, scan.end_tick) for place, messages in sorted(channels.items())}
        unended += sum(pairing.unended for pairing in pairings.values())
        closed = [end for pairing in pairings.values() for end in pairing.closed]
        spans_of = {place: pairing.spans for place, pairing in pairings.items() if pairing.spans}
        strays += [(chunk, place, [e for _, e in channels[place]]) for place in pairings if place not in spans_of]
        if closed:
            chunks[chunk] = _with_ends(scan, closed)
        names = _track_names(scan, encoding)
        slots = sorted({place[0] for place in spans_of})
        for place, spans in spans_of.items():
            kit = read.drums[place[0]].mostly(place[1], (span[0] for span in spans))
            program = _program(read.controls[place], spans[0][0], max(span[2] for span in spans))
            tracks.append(
                Track(
                    name=_track_name(names, place[1], program, kit, len(spans_of) > 1),
                    channel=place[1],
                    program=program,
                    notes=_notes(spans, tempo_map),
                    pedals=pedals[place],
                    controls=_controls([event for _, event in channels[place]], tempo_map),
                    chunk=chunk,
                    port=place[0],
                    kit=None if kit == (place[1] == PERCUSSION_CHANNEL) else kit,
                    slot=slots.index(place[0]),
                )
            )
    if unended:
        repairs.append(f"Closed {unended} note{'' if unended == 1 else 's'} that had no end.")
    return Score(
        name=name,
        smf_format=clean.smf_format,
        tempo_map=tempo_map,
        tracks=_with_strays(tracks, strays, tempo_map),
        keys=keys,
        chunks=tuple(chunks),
        repairs=tuple(repairs),
    )


def _metas(division: int, scans: Iterable[TrackScan]) -> tuple[TempoMap, tuple[KeySignature, ...]]:
    """Tempo map and key signatures from the meta events of all chunks."""
    tempos: list[Tempo] = []
    metres: list[Metre] = []
    keys: dict[KeySignature, None] = {}  # each once: some programs repeat them in every track
    for scan in scans:
        for tick, message in scan.events:
            if message[0] != META or message[1] not in (TEMPO, TIME_SIGNATURE, KEY_SIGNATURE):
                continue
            meta = decode_meta(message)
            if meta is None:  # the scan has let only sound ones through
                continue
            if message[1] == TEMPO:
                tempos.append(Tempo(tick, meta.tempo))
            elif message[1] == TIME_SIGNATURE:
                metres.append(Metre(tick, meta.numerator, meta.denominator))
            else:
                mode = "minor" if meta.key.endswith("m") else "major"
                keys[KeySignature(tick, f"{meta.key.removesuffix('m')} {mode}")] = None
    return TempoMap(division, tuple(tempos), tuple(metres)), tuple(sorted(keys, key=lambda k: k.tick))


class _Channels:
    """The channel messages of a file: by chunk and channel, and what of all chunks together.

    `by_chunk` has them by (port, channel), each with its index in the scan's events; `controls` are controllers and
    programs of a channel over all chunks in order of time; `drums` tells by port which channels play drums.
    """

    def __init__(self, scans: Sequence[TrackScan]) -> None:
        self.by_chunk: list[dict[Place, list[tuple[int, Event]]]] = []
        exclusives: list[tuple[int | None, Event]] = []  # None: the file does not say for which port
        for scan, ports in zip(scans, chunk_ports(scans), strict=True):
            channels: dict[Place, list[tuple[int, Event]]] = defaultdict(list)
            is_told = any(port is not None for port in ports)
            for i, (event, port) in enumerate(zip(scan.events, ports, strict=True)):
                status = event[1][0]
                if status < SYSEX:
                    channels[port or 0, channel_of(event[1])].append((i, event))
                elif status == SYSEX:
                    exclusives.append((port if is_told else None, event))
            self.by_chunk.append(channels)
        places = sorted(set().union(*self.by_chunk))
        self.controls = {place: self._of(place) for place in places}
        self.drums: dict[int, DrumChannels] = {}
        for port in {place[0] for place in places}:
            messages = [event for at, event in exclusives if at in (None, port)]
            messages += [event for place in places if place[0] == port for event in self.controls[place]]
            messages.sort(key=itemgetter(0))  # at one tick, system exclusives first
            self.drums[port] = DrumChannels(messages)

    def _of(self, place: Place) -> list[Event]:
        messages = [
            event
            for chunk in self.by_chunk
            for _, event in chunk.get(place, ())
            if CONTROL <= event[1][0] < CHANNEL_PRESSURE
        ]
        return sorted(messages, key=itemgetter(0))


def _program(messages: list[Event], first: int, last: int) -> int:
    """The program that a channel has where a track begins; else the first that it gets before it ends, 0 if none."""
    chosen = [(tick, message[1]) for tick, message in messages if kind(message) == PROGRAM and tick < last]
    before = [program for tick, program in chosen if tick <= first]
    return before[-1] if before else chosen[0][1] if chosen else 0


def _pedals(messages: list[Event], file_end: int, tempo_map: TempoMap) -> tuple[Pedal, ...]:
    """The stretches in which CC 64 is down; CC 121 (reset all controllers) lifts it too."""
    spans: list[tuple[int, int]] = []
    down: int | None = None
    for tick, message in messages:
        if not is_control(message, SUSTAIN, RESET_CONTROLLERS):
            continue
        if message[1] == SUSTAIN and message[2] >= PEDAL_DOWN:
            down = tick if down is None else down
        elif down is not None:
            spans.append((down, tick))
            down = None
    if down is not None:
        spans.append((down, file_end))
    spans = [(start, end) for start, end in spans if end > start]
    starts = tempo_map.seconds_array([start for start, _ in spans]).tolist()
    ends = tempo_map.seconds_array([end for _, end in spans]).tolist()
    return tuple(Pedal(s, e, *span) for s, e, span in zip(starts, ends, spans, strict=True))


class _Pairing(NamedTuple):
    """The notes of one channel in one chunk, by start; how many had no end, and the note-offs that end them.

    A note-off that was missing is (tick, index of the event it goes in front of, pitch, message).
    """

    spans: list[_Span]
    unended: int
    closed: list[tuple[int, int, int, bytes]]


class _Change(NamedTuple):
    """A note-on (velocity over 0), a note-off (0) or the end of all notes (_ALL_OFF) of a pitch."""

    tick: int
    velocity: int
    release: int
    at: int  # index of its event


def _pair(messages: list[tuple[int, Event]], end_tick: int) -> _Pairing:
    """The note-ons and note-offs of one channel in one chunk, as notes."""
    by_pitch: dict[int, list[_Change]] = defaultdict(list)
    channel = channel_of(messages[0][1][1])
    for i, (tick, message) in messages:
        status = kind(message)
        if status == NOTE_ON:
            by_pitch[message[1]].append(_Change(tick, message[2], DEFAULT_RELEASE, i))
        elif status == NOTE_OFF:
            by_pitch[message[1]].append(_Change(tick, 0, message[2], i))
        elif is_control(message, ALL_SOUND_OFF, ALL_NOTES_OFF):
            for changes in by_pitch.values():
                if changes[-1].velocity != _ALL_OFF:
                    changes.append(_Change(tick, _ALL_OFF, DEFAULT_RELEASE, i))
    spans: list[_Span] = []
    closed: list[tuple[int, int, int, bytes]] = []
    unended = 0
    last = _Change(end_tick, 0, DEFAULT_RELEASE, _AT_END)
    for pitch, changes in by_pitch.items():
        notes, left = _pair_in_order(pitch, changes)
        if left:
            notes, missing = _pair_by_restrike(pitch, [*changes, last])
            off = bytes((NOTE_OFF | channel, pitch, DEFAULT_RELEASE))
            closed += [(change.tick, change.at, pitch, off) for change in missing]
            unended += left
        spans += notes
    spans.sort()
    return _Pairing(spans, unended, closed)


def _pair_in_order(pitch: int, changes: list[_Change]) -> tuple[list[_Span], int]:
    """Each note-off ends the note of this pitch that has sounded longest."""
    notes: list[_Span] = []
    sounding: deque[_Change] = deque()  # from the oldest on
    for change in changes:
        if change.velocity > 0:
            sounding.append(change)
        elif change.velocity == 0 and sounding:
            notes.append(_span(pitch, sounding.popleft(), change))
        elif sounding:
            notes += [_span(pitch, struck, change) for struck in sounding]
            sounding.clear()
    return notes, len(sounding)


def _pair_by_restrike(pitch: int, changes: list[_Change]) -> tuple[list[_Span], list[_Change]]:
    """Where note-offs are missing: whatever comes next ends the note that sounds. Also where a note-off is missing."""
    notes: list[_Span] = []
    missing: list[_Change] = []
    struck: _Change | None = None
    for change in changes:
        if struck:
            notes.append(_span(pitch, struck, change))
            if change.velocity > 0 or change.at == _AT_END:
                missing.append(change)
        struck = change if change.velocity > 0 else None
    return notes, missing


def _span(pitch: int, struck: _Change, change: _Change) -> _Span:
    release = change.release if change.velocity == 0 else DEFAULT_RELEASE
    return struck.tick, pitch, change.tick, struck.velocity, release


def _with_ends(scan: TrackScan, closed: list[tuple[int, int, int, bytes]]) -> bytes:
    """The bytes of a chunk with the note-offs that were missing."""
    before: dict[int, list[Event]] = defaultdict(list)
    for tick, index, _, message in sorted(closed):
        before[index].append((tick, message))
    events: list[Event] = []
    for i, event in enumerate(scan.events):
        events += before.get(i, ())
        events.append(event)
    return encode_track([*events, *before.get(_AT_END, ())], scan.end_tick)


def _notes(spans: list[_Span], tempo_map: TempoMap) -> tuple[Note, ...]:
    starts = tempo_map.seconds_array([span[0] for span in spans]).tolist()
    ends = tempo_map.seconds_array([span[2] for span in spans]).tolist()
    return tuple(
        Note(pitch, velocity, start, end, start_tick, end_tick, release)
        for (start_tick, pitch, end_tick, velocity, release), start, end in zip(spans, starts, ends, strict=True)
    )


def _controls(messages: list[Event], tempo_map: TempoMap) -> tuple[Control, ...]:
    controls = [event for event in messages if event[1][0] >= KEY_PRESSURE]
    times = tempo_map.seconds_array([tick for tick, _ in controls]).tolist()
    return tuple(Control(time, *event) for time, event in zip(times, controls, strict=True))


def _with_strays(
    tracks: list[Track], strays: list[tuple[int, Place, list[Event]]], tempo_map: TempoMap
) -> tuple[Track, ...]:
    """The tracks with the controls of chunks that have no notes for their channel: each on the last track before it."""
    result = list(tracks)
    for chunk, place, messages in strays:
        of_channel = [i for i, track in enumerate(result) if track.place == place]
        more = _controls(messages, tempo_map)
        if of_channel and more:
            i = max((i for i in of_channel if result[i].chunk < chunk), default=of_channel[0])
            is_behind = result[i].chunk < chunk
            both = (*result[i].controls, *more) if is_behind else (*more, *result[i].controls)
            result[i] = replace(result[i], controls=tuple(sorted(both, key=attrgetter("tick"))))
    return tuple(result)


def _track_names(scan: TrackScan, encoding: str) -> dict[int | None, str]:
    """The names that a chunk gives: to the whole (None), and behind a channel prefix to one channel."""
    names: dict[int | None, str] = {}
    prefix: int | None = None
    for _, message in scan.events:
        if message[0] != META:
            prefix = None
        elif message[1] == CHANNEL_PREFIX:
            prefix = channel_of(meta_data(message))
        elif message[1] == TRACK_NAME and not names.get(prefix):
            names[prefix] = decode_text(meta_data(message), encoding)
    return names


def _track_name(names: dict[int | None, str], channel: int, program: int, is_drums: bool, add_instrument: bool) -> str:
    """The name the file gives the track; the instrument's if it gives none, both if that is not enough."""
    if named := names.get(channel):
        return named
    given = names.get(None) or ("" if add_instrument else next(filter(None, names.values()), ""))
    if given and not add_instrument:
        return given
    instrument = "Drums" if is_drums else _instrument_name(program)
    return f"{given}: {instrument}" if given else instrument


def _instrument_name(program: int) -> str:
    import pretty_midi  # slow to import, and most files name their tracks

    return pretty_midi.program_to_instrument_name(program)
