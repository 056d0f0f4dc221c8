"""A MIDI file -> Score, and a Score -> the messages that play it."""

import os
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from core.files import read_file, too_large
from core.midi.events import META, Event, TrackScan, decode_meta, meta_data
from core.midi.repair import clean_file
from core.midi.score import PERCUSSION_CHANNEL, Control, KeySignature, Note, Pedal, Score, Track
from core.midi.tempo_map import Metre, Tempo, TempoMap

MAX_BYTES = 16 * 2**20  # some two million notes; the largest files of music have a tenth of that

_ALL_OFF = -1  # in place of a velocity: the channel was silenced
# One note between pairing and placing in time: (start tick, pitch, end tick, velocity).
_Span = tuple[int, int, int, int]


def read_score(path: str | os.PathLike[str]) -> Score:
    """Read a MIDI file. Raises UnreadableInput, a sentence with its name, if that cannot be."""
    data = read_file(path, MAX_BYTES, "MIDI file")
    return parse_score(data, Path(path).name or os.fspath(path))


def parse_score(data: bytes, name: str) -> Score:
    """Read the bytes of a MIDI file that is called `name`.

    Raises UnreadableInput, a sentence with the name, if there is nothing to read in them. A file
    without notes is read: `Score.notes` is then 0.
    """
    if len(data) > MAX_BYTES:
        raise too_large(name, MAX_BYTES, "MIDI file")
    clean = clean_file(data, name)
    tempo_map, keys = _metas(clean.division, clean.scans)
    by_channel = [_by_channel(scan) for scan in clean.scans]
    file_end = max((scan.end_tick for scan in clean.scans), default=0)
    controls = dict(_merged_controls(by_channel))
    pedals = {channel: _pedals(messages, file_end, tempo_map) for channel, messages in controls.items()}
    programs = {channel: _first_program(messages) for channel, messages in controls.items()}
    tracks: list[Track] = []
    unended = 0
    strays: dict[int, list[Event]] = defaultdict(list)  # controls of chunks without notes, by channel
    for chunk, (scan, channels) in enumerate(zip(clean.scans, by_channel, strict=True)):
        paired: dict[int, list[_Span]] = {}
        for channel, messages in channels.items():
            spans, open_notes = _pair(messages, scan.end_tick)
            unended += open_notes
            if spans:
                paired[channel] = spans
            else:
                strays[channel] += messages
        for channel, spans in sorted(paired.items()):
            tracks.append(
                Track(
                    name=_track_name(scan, channel, programs[channel], len(paired) > 1),
                    channel=channel,
                    program=programs[channel],
                    notes=_notes(spans, tempo_map),
                    pedals=pedals[channel],
                    controls=_controls(channels[channel], tempo_map),
                    chunk=chunk,
                )
            )
    repairs = list(clean.repairs)
    if unended:
        repairs.append(f"Closed {unended} note{'' if unended == 1 else 's'} that had no end.")
    return Score(
        name=name,
        smf_format=clean.smf_format,
        tempo_map=tempo_map,
        tracks=tuple(_with_strays(tracks, strays, tempo_map)),
        keys=keys,
        chunks=clean.chunks,
        repairs=tuple(repairs),
    )


def score_messages(score: Score, tracks: Collection[int] | None = None) -> list[tuple[float, bytes]]:
    """The channel messages that play the score: (seconds, message), sorted by time.

    At one tick controls come first, then note-offs, then note-ons. `tracks` are indices of
    `score.tracks` (all of them if None); with a track come the controls of its whole channel.
    """
    chosen = [t for i, t in enumerate(score.tracks) if tracks is None or i in tracks]
    channels = {track.channel for track in chosen}
    messages: list[tuple[int, int, float, bytes]] = [
        (control.tick, 0, control.time, control.message)
        for track in score.tracks
        if track.channel in channels
        for control in track.controls
    ]
    for track in chosen:
        on, off = 0x90 | track.channel, 0x80 | track.channel
        for note in track.notes:
            messages.append((note.start_tick, 2, note.start, bytes((on, note.pitch, note.velocity))))
            # The end of a note without length must not come before its beginning.
            rank = 1 if note.end_tick > note.start_tick else 3
            messages.append((note.end_tick, rank, note.end, bytes((off, note.pitch, 64))))
    messages.sort(key=lambda m: m[:2])
    return [(seconds, message) for _, _, seconds, message in messages]


def _metas(division: int, scans: Iterable[TrackScan]) -> tuple[TempoMap, tuple[KeySignature, ...]]:
    """Tempo map and key signatures from the meta events of all chunks."""
    tempos: list[Tempo] = []
    metres: list[Metre] = []
    keys: dict[KeySignature, None] = {}  # each once: some programs repeat them in every track
    for scan in scans:
        for tick, message in scan.events:
            if message[0] != META or message[1] not in (0x51, 0x58, 0x59):
                continue
            meta = decode_meta(message)
            if meta is None:  # the scan has let only sound ones through
                continue
            if message[1] == 0x51:
                tempos.append(Tempo(tick, meta.tempo))
            elif message[1] == 0x58:
                metres.append(Metre(tick, meta.numerator, meta.denominator))
            else:
                mode = "minor" if meta.key.endswith("m") else "major"
                keys[KeySignature(tick, f"{meta.key.removesuffix('m')} {mode}")] = None
    return TempoMap(division, tuple(tempos), tuple(metres)), tuple(sorted(keys, key=lambda k: k.tick))


def _by_channel(scan: TrackScan) -> dict[int, list[Event]]:
    """The channel messages of one chunk, by channel."""
    channels: dict[int, list[Event]] = defaultdict(list)
    for event in scan.events:
        status = event[1][0]
        if status < 0xF0:
            channels[status & 0x0F].append(event)
    return channels


def _merged_controls(by_channel: list[dict[int, list[Event]]]) -> Iterable[tuple[int, list[Event]]]:
    """The controls and programs of each channel over all chunks, in order of time."""
    for channel in sorted(set().union(*by_channel)):
        messages = [event for chunk in by_channel for event in chunk.get(channel, ()) if 0xB0 <= event[1][0] < 0xD0]
        messages.sort(key=lambda event: event[0])
        yield channel, messages


def _first_program(messages: list[Event]) -> int:
    return next((message[1] for _, message in messages if message[0] & 0xF0 == 0xC0), 0)


def _pedals(messages: list[Event], file_end: int, tempo_map: TempoMap) -> tuple[Pedal, ...]:
    """The stretches in which CC 64 is down; CC 121 (reset all controllers) lifts it too."""
    spans: list[tuple[int, int]] = []
    down: int | None = None
    for tick, message in messages:
        if message[0] & 0xF0 != 0xB0 or message[1] not in (64, 121):
            continue
        if message[1] == 64 and message[2] >= 64:
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


def _pair(messages: list[Event], end_tick: int) -> tuple[list[_Span], int]:
    """Note-ons and note-offs of one channel in one chunk -> notes by start, and how many had no end."""
    # pitch -> (tick, velocity), with 0 for a note-off and _ALL_OFF for the end of all notes
    by_pitch: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for tick, message in messages:
        kind = message[0] & 0xF0
        if kind == 0x90:
            by_pitch[message[1]].append((tick, message[2]))
        elif kind == 0x80:
            by_pitch[message[1]].append((tick, 0))
        elif kind == 0xB0 and message[1] in (120, 123):  # all sound off, all notes off
            for changes in by_pitch.values():
                if changes[-1][1] != _ALL_OFF:
                    changes.append((tick, _ALL_OFF))
    spans: list[_Span] = []
    unended = 0
    for pitch, changes in by_pitch.items():
        notes, left = _pair_in_order(pitch, changes)
        if left:
            notes = _pair_by_restrike(pitch, changes, end_tick)
            unended += left
        spans += notes
    spans.sort()
    return spans, unended


def _pair_in_order(pitch: int, changes: list[tuple[int, int]]) -> tuple[list[_Span], int]:
    """Each note-off ends the note of this pitch that has sounded longest."""
    notes: list[_Span] = []
    sounding: deque[tuple[int, int]] = deque()  # (tick, velocity) from the oldest on
    for tick, velocity in changes:
        if velocity > 0:
            sounding.append((tick, velocity))
        elif velocity == 0 and sounding:
            start, struck = sounding.popleft()
            notes.append((start, pitch, tick, struck))
        elif sounding:
            notes += [(start, pitch, tick, struck) for start, struck in sounding]
            sounding.clear()
    return notes, len(sounding)


def _pair_by_restrike(pitch: int, changes: list[tuple[int, int]], end_tick: int) -> list[_Span]:
    """Where note-offs are missing: whatever comes next ends the note that sounds."""
    notes: list[_Span] = []
    sounding: tuple[int, int] | None = None
    for tick, velocity in (*changes, (end_tick, 0)):
        if sounding:
            notes.append((sounding[0], pitch, tick, sounding[1]))
        sounding = (tick, velocity) if velocity > 0 else None
    return notes


def _notes(spans: list[_Span], tempo_map: TempoMap) -> tuple[Note, ...]:
    starts = tempo_map.seconds_array([span[0] for span in spans]).tolist()
    ends = tempo_map.seconds_array([span[2] for span in spans]).tolist()
    return tuple(
        Note(pitch, velocity, start, end, start_tick, end_tick)
        for (start_tick, pitch, end_tick, velocity), start, end in zip(spans, starts, ends, strict=True)
    )


def _controls(messages: list[Event], tempo_map: TempoMap) -> tuple[Control, ...]:
    controls = [event for event in messages if event[1][0] >= 0xA0]
    times = tempo_map.seconds_array([tick for tick, _ in controls]).tolist()
    return tuple(Control(time, *event) for time, event in zip(times, controls, strict=True))


def _with_strays(tracks: list[Track], strays: dict[int, list[Event]], tempo_map: TempoMap) -> Iterable[Track]:
    """The first track of each channel also gets the controls of chunks that have no notes for it."""
    for track in tracks:
        more = _controls(strays.pop(track.channel, []), tempo_map)
        if more:
            both = sorted((*track.controls, *more), key=lambda control: control.tick)
            track = replace(track, controls=tuple(both))
        yield track


def _track_name(scan: TrackScan, channel: int, program: int, add_instrument: bool) -> str:
    """The name the file gives the track; the instrument's if it gives none, both if that is not enough."""
    given = ""
    for _, message in scan.events:
        if message[0] == META and message[1] == 0x03:
            given = decode_text(meta_data(message))
            if given:
                break
    if given and not add_instrument:
        return given
    instrument = "Drums" if channel == PERCUSSION_CHANNEL else _instrument_name(program)
    return f"{given}: {instrument}" if given else instrument


def _instrument_name(program: int) -> str:
    import pretty_midi  # slow to import, and most files name their tracks

    return pretty_midi.program_to_instrument_name(program)


def decode_text(data: bytes) -> str:
    """The text of a meta event in whichever encoding it is: UTF-8, Shift JIS or Latin-1."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        # Bytes 0x81 to 0x9F begin most Japanese characters and are no letters in Latin-1.
        encoding = "cp932" if any(0x81 <= byte <= 0x9F for byte in data) else "latin-1"
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
