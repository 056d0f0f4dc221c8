"""A score and the tracks of a take -> a MIDI file.

What is not touched of the score stays byte for byte.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import NamedTuple

from core.midi.events import Event, encode_track, meta_event, metre_event, scan_track, tempo_event, texts_of
from core.midi.messages import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    CONTROL,
    DEFAULT_RELEASE,
    KEY_PRESSURE,
    META,
    NOTE_OFF,
    NOTE_ON,
    PORT,
    PROGRAM,
    RESET_CONTROLLERS,
    SYSEX,
    TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
    channel_of,
    is_control,
    is_note,
    kind,
    on_channel,
)
from core.midi.ports import event_ports, port_names, wire_channels
from core.midi.score import PERCUSSION_CHANNEL, Note, Place, Score, Track
from core.midi.sound import SOUND_AT_FIRST, chosen_sound, drum_channels, set_up_channels
from core.midi.splice import Stretch, changed_tracks, replaced_channels, seams, without
from core.midi.tempo_map import Metre, TempoMap
from core.midi.texts import find_encoding

PortEvent = tuple[int, int, bytes]  # (tick, port, message)
_RankedEvent = tuple[int, int, int, bytes]  # (tick, rank among those of that tick, port, message)

_ENDINGS = (ALL_SOUND_OFF, ALL_NOTES_OFF)


@dataclass(frozen=True, slots=True)
class AddedTrack:
    """A track that is added to a score: its notes, in any order, and what sets up its sound, as (tick, message).

    `channel` is one of those of `port`; port 0 is the one that needs no mention.
    """

    name: str
    channel: int
    notes: Sequence[Note]
    setup: Sequence[Event] = ()
    port: int = 0


def with_tracks(score: Score, added: Sequence[AddedTrack]) -> bytes:
    """The bytes of the score's file with a track chunk for each track that is added.

    Ports have the file's names, and names are in the encoding of its texts, as far as that can tell them.
    """
    is_plain = all(track.name.isascii() and not track.port for track in added)
    scans = [] if is_plain else [scan_track(body) for body in score.chunks]
    ports, texts = port_names(scans), texts_of(scans)
    chunks = (*score.chunks, *(_chunk_of(track, port=ports.get(track.port), texts=texts) for track in added))
    return _file_bytes(score.tempo_map.division, chunks)


def tracks_alone(tempo_map: TempoMap, start: int, tracks: Sequence[AddedTrack], end: int = 0) -> bytes:
    """The bytes of a file of these tracks only, in which tick `start` of the tempo map is 0.

    Tempo and metre are those at `start`; changes after it come as much earlier. With `end`, a tick, there are none from
    there on, and the chunk of tempo and metre, the first, ends there.
    """
    tempos = [(0, tempo_map.tempo_at(start)), *((t.tick - start, t[1]) for t in tempo_map.tempos if t.tick > start)]
    metres = [m._replace(tick=m.tick - start) for m in tempo_map.metres if m.tick > start]
    if tempo_map.has_metre:
        metres.insert(0, Metre(0, *tempo_map.metre_at(start)[1:]))
    events: list[Event] = [(tick, tempo_event(tempo)) for tick, tempo in tempos]
    events += [(m.tick, metre_event(m.numerator, m.denominator)) for m in metres]
    events = sorted((event for event in events if not end or event[0] < max(end - start, 1)), key=itemgetter(0))
    chunks = [encode_track(events, max(events[-1][0], end - start)), *(_chunk_of(track, start) for track in tracks)]
    return _file_bytes(tempo_map.division, chunks)


def without_stretch(
    score: Score,
    stretch: Stretch,
    merged: Mapping[int, Sequence[Note]] | None = None,
    controls: Mapping[int, Sequence[Event]] | None = None,
) -> Score:
    """The score with a stretch taken out, as `splice.without` does, in its chunks as well.

    `merged` are notes to put into tracks instead, by their index, `controls` what their channels get then. A chunk
    that nothing is taken from or added to stays as it is, byte for byte.
    """
    merged = merged or {}
    around = without(score, stretch)
    tracks = list(around.tracks)
    for i, notes in merged.items():
        both = sorted((*tracks[i].notes, *notes), key=lambda n: (n.start_tick, n.pitch, n.end_tick, n.velocity))
        tracks[i] = replace(tracks[i], notes=tuple(both))
    changed = frozenset(merged) | changed_tracks(score, stretch)
    seam = dict(seams(score, stretch))
    channels = replaced_channels(score, stretch)
    added: dict[int, list[PortEvent]] = defaultdict(list)
    first = _first_chunks(score, stretch.start)
    for i, events in seam.items():
        track = score.tracks[i]
        others = (score.tracks[m].chunk for m in merged if score.tracks[m].place == track.place)
        chunk = min([first.get(track.place, track.chunk), *others])
        added[chunk] += [(tick, track.port, message) for tick, message in events]
    for i, own in (controls or {}).items():
        added[score.tracks[i].chunk] += [(tick, score.tracks[i].port, message) for tick, message in own]
    around = replace(around, tracks=tuple(tracks))
    chunks = [
        rewrite_chunk(around, i, changed, _Taken(score, i, stretch, channels), added[i])
        for i in range(len(score.chunks))
    ]
    return replace(around, chunks=tuple(chunks))


def _first_chunks(score: Score, tick: int) -> dict[Place, int]:
    """By channel the first chunk that says anything to it from a tick on, but for notes that end there."""
    first: dict[Place, int] = {}
    for chunk, body in enumerate(score.chunks):
        scan = scan_track(body)
        for (at, message), port in zip(scan.events, event_ports(score, chunk, scan), strict=True):
            is_end = at == tick and kind(_as_note_off(message)) == NOTE_OFF
            if at >= tick and message[0] < SYSEX and not is_end:
                first.setdefault((port, channel_of(message)), chunk)
    return first


class _Taken:
    """Which events of a chunk, but for notes, go with a stretch that is taken out."""

    def __init__(self, score: Score, chunk: int, stretch: Stretch, places: Collection[Place]) -> None:
        tracks = [i for i, track in enumerate(score.tracks) if track.chunk == chunk]
        self._is_whole = stretch.end is None and bool(tracks) and stretch.tracks.issuperset(tracks)
        self._stretch, self._places = stretch, places
        self._others = {track.place for i, track in enumerate(score.tracks) if i not in stretch.tracks}

    def __call__(self, event: PortEvent) -> bool:
        tick, port, message = event
        if not self._stretch.has(tick):
            return False
        if message[0] == META and message[1] in (TEMPO, TIME_SIGNATURE):
            return self._stretch.end is None and tick > self._stretch.start
        if is_note(message):
            return False
        if message[0] >= SYSEX:
            return self._is_whole
        place = port, channel_of(message)
        return place in self._places or (self._is_whole and place not in self._others)


def rewrite_chunk(
    score: Score,
    chunk: int,
    tracks: Collection[int],
    is_dropped: Callable[[PortEvent], bool] = lambda event: False,
    added: Sequence[PortEvent] = (),
) -> bytes:
    """The bytes of chunk `chunk` with the notes that `tracks` (indices of `score.tracks`) now have.

    All else in it stays, and in its order: other channels' notes, controls, tempo, texts; but for what `is_dropped`
    says, and with what is `added`. Only "all notes off" on the rewritten channels goes: it would cut
    notes that were moved across it.
    """
    scan = scan_track(score.chunks[chunk])
    ports = event_ports(score, chunk, scan)
    placed = [(tick, port, message) for (tick, message), port in zip(scan.events, ports, strict=True)]
    kept = [event for event in placed if not is_dropped(event)]
    if not added and len(kept) == len(placed) and not any(score.tracks[i].chunk == chunk for i in tracks):
        return score.chunks[chunk]
    # Where something goes that ended notes, they are to end by themselves.
    silenced = {(port, channel_of(m)) for _, port, m in set(placed).difference(kept) if is_control(m, *_ENDINGS)}
    rewritten = [t for i, t in enumerate(score.tracks) if t.chunk == chunk and (i in tracks or t.place in silenced)]
    # (tick, rank, port, message): at one tick note-offs come first, then what stays, then note-ons.
    events = [(tick, 1, port, message) for tick, port, message in (*added, *kept)]
    events = _with_notes(events, rewritten)
    events.sort(key=itemgetter(0, 1))
    # Where something was dropped the chunk ends with what is left, so that no silence is left in its place.
    end_tick = max(scan.end_tick if len(kept) == len(placed) else 0, events[-1][0] if events else 0)
    several = len({port for _, _, port, message in events if message[0] != META}) > 1
    on_ports = [(tick, port, message) for tick, _, port, message in events]
    written = with_ports(score, on_ports) if several else [(tick, message) for tick, _, message in on_ports]
    return encode_track(written, end_tick)


def _with_notes(events: Iterable[_RankedEvent], tracks: Sequence[Track]) -> list[_RankedEvent]:
    """The events, of which those that begin or end notes on the channels of these tracks make the notes that they have.

    What a note had already stays as and where it is.
    """
    places = {track.place for track in tracks}
    wanted: Counter[tuple[int, int, bytes]] = Counter()
    result: list[_RankedEvent] = []
    for track in tracks:
        on, off = NOTE_ON | track.channel, NOTE_OFF | track.channel
        for note in track.notes:
            begin, end = bytes((on, note.pitch, note.velocity)), bytes((off, note.pitch, note.release))
            if note.end_tick > note.start_tick:
                wanted.update(((note.start_tick, track.port, begin), (note.end_tick, track.port, end)))
            else:  # the end of a note without length must not come before its beginning
                result += [(note.start_tick, 2, track.port, begin), (note.end_tick, 3, track.port, end)]
    for event in events:
        tick, _, port, message = event
        if not _is_of_notes(port, message, places):
            result.append(event)
            continue
        key = tick, port, _as_note_off(message)
        if wanted[key]:
            wanted[key] -= 1
            result.append(event)
    for (tick, port, message), count in wanted.items():
        result += [(tick, 2 if kind(message) == NOTE_ON else 0, port, message)] * count
    return result


def _as_note_off(message: bytes) -> bytes:
    """A note-on of velocity 0 as the note-off that it is; other messages as they are."""
    is_off = kind(message) == NOTE_ON and not message[2]
    return bytes((NOTE_OFF | channel_of(message), message[1], DEFAULT_RELEASE)) if is_off else message


def with_ports(score: Score, events: Iterable[PortEvent]) -> list[Event]:
    """The events of a chunk of several ports: wherever the port changes, named anew."""
    names = port_names([scan_track(body) for body in score.chunks])
    metas = set(names.values())
    result: list[Event] = []
    now: int | None = None
    for tick, port, message in events:
        if message in metas:
            continue
        if port != now and message[0] != META:
            result.append((tick, names[port]))
            now = port
        result.append((tick, message))
    return result


def _is_of_notes(port: int, message: bytes, places: Collection[Place]) -> bool:
    """Whether a message begins or ends notes on one of these channels."""
    if message[0] >= PROGRAM or (port, channel_of(message)) not in places:
        return False
    return message[0] < KEY_PRESSURE or is_control(message, *_ENDINGS)


def score_bytes(score: Score) -> bytes:
    """The bytes of the score's file: its chunks as they are. Pieces that follow one another are one piece now."""
    smf_format = score.smf_format if len(score.chunks) == 1 else 1
    return _file_bytes(score.tempo_map.division, score.chunks, smf_format)


class TakeVoice(NamedTuple):
    """What a take plays on: a channel of a port, what sets up its sound, whether others play on it too.

    One that `is_in_use` sounds at the same time as tracks of the song that are not replaced: it keeps their sound.
    """

    channel: int
    setup: tuple[bytes, ...]
    is_shared: bool
    port: int = 0
    is_in_use: bool = False

    @property
    def setup_in_song(self) -> tuple[bytes, ...]:
        """What sets up its sound where the take plays in its song, not alone."""
        return () if self.is_in_use else self.setup


def take_voice(
    score: Score | None, tracks: Collection[int] | None, marker: float, used: Collection[int] = ()
) -> TakeVoice:
    """The voice of a take on a track of its own: the sound of the prompt's main track, on a free channel of its port.

    Where none is free but those that are `used`, it is the main track's channel. `tracks` (indices of `score.tracks`)
    are the prompt.
    """
    score = score or blank_score()
    main = _main_track(score, tracks)
    port = main.port if main else 0
    free = [channel for channel in free_channels(score, port) if channel not in used]
    channel = free[0] if free else _shared_channel(score, tracks)
    sound = _sound(score, tracks, score.tempo_map.tick(marker), channel in set_up_channels(score))
    setup = tuple(on_channel(message, channel) for message in sound)
    return TakeVoice(channel, setup, not free, port)


def blank_score() -> Score:
    """What a take from nothing is added to: 120 bpm, 480 ticks a quarter."""
    return Score("", 1, TempoMap(), (), (), ())


def _file_bytes(division: int, chunks: Sequence[bytes], smf_format: int = 1) -> bytes:
    parts = [b"MThd", struct.pack(">IHHH", 6, smf_format, len(chunks), division)]
    for body in chunks:
        parts += (b"MTrk", struct.pack(">I", len(body)), body)
    return b"".join(parts)


# The take


def _main_track(score: Score, tracks: Collection[int] | None) -> Track | None:
    """The melodic track of the prompt with the most notes."""
    chosen = [t for i, t in enumerate(score.tracks) if (tracks is None or i in tracks) and not t.is_percussion]
    return max(chosen, key=lambda track: len(track.notes), default=None)


def _sound(score: Score, tracks: Collection[int] | None, tick: int, is_set_up: bool) -> list[bytes]:
    """The sound that the prompt's main track has at a tick, for channel 0.

    On a channel that `is_set_up` by the file in a way of its own, nothing is taken for granted.
    """
    main = _main_track(score, tracks)
    if main is None:
        return [bytes((PROGRAM, 0))]
    found = [on_channel(m, 0) for m in chosen_sound(score, main.place, tick)]
    program = next((m for m in found if kind(m) == PROGRAM), bytes((PROGRAM, 0)))
    values = {m[1]: m[2] for m in found if is_control(m, *SOUND_AT_FIRST)}
    if is_set_up:
        values = SOUND_AT_FIRST | values
    reset = [bytes((CONTROL, RESET_CONTROLLERS, 0))] if is_set_up else []
    return [
        *reset,
        *(bytes((CONTROL, number, values[number])) for number in SOUND_AT_FIRST if number in values),
        program,
    ]


def free_channels(score: Score, port: int = 0) -> list[int]:
    """The melodic channels of a port that nobody plays on.

    Those come first that are free where all ports are one as well, and of these those that the file does not set up.
    """
    used = {track.channel for track in score.tracks if track.port == port} | {PERCUSSION_CHANNEL} | drum_channels(score)
    elsewhere, set_up = set(wire_channels(score).values()), set_up_channels(score)
    return sorted(set(range(16)) - used, key=lambda channel: (channel in elsewhere, channel in set_up, channel))


def _shared_channel(score: Score, tracks: Collection[int] | None) -> int:
    """The channel a take gets where none is free: that of the prompt's main track."""
    main = _main_track(score, tracks)
    return main.channel if main else 0


def _chunk_of(track: AddedTrack, origin: int = 0, port: bytes | None = None, texts: Sequence[bytes] = ()) -> bytes:
    """The bytes of a track chunk; `origin` is the tick that becomes its 0, `port` the meta event of its port.

    Its name must not change the encoding of the file's `texts`.
    """
    on, off = NOTE_ON | track.channel, NOTE_OFF | track.channel
    messages = [(note.start_tick, 2, bytes((on, note.pitch, note.velocity))) for note in track.notes]
    messages += [(max(n.end_tick, n.start_tick + 1), 0, bytes((off, n.pitch, n.release))) for n in track.notes]
    messages += [(tick, 1, message) for tick, message in track.setup]
    messages.sort(key=itemgetter(0, 1))
    encoding = find_encoding(texts)
    title = track.name.encode(encoding, "replace")
    if not title.isascii() and find_encoding([*texts, title]) != encoding:
        title = track.name.encode("ascii", "replace")
    events: list[Event] = [(0, meta_event(TRACK_NAME, title))]
    if track.port:
        events.append((0, port or meta_event(PORT, bytes((track.port,)))))
    events += [(max(tick - origin, 0), message) for tick, _, message in messages]
    return encode_track(events, events[-1][0])
