"""The bytes of one track chunk <-> timed messages, whatever state the bytes are in.

`scan_track` is the one reader of track bytes. mido reads tracks too, but stops at the first bad byte,
takes a third of a second for 16 000 notes, and keeps no bytes; here mido decodes the meta events.

A track has no marks to find one's place by: after a bad byte any later byte may be a delta time, a
status or data. So every way to go on is tried on the events that follow, and the likeliest is taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from core.midi.messages import (
    CHANNEL_PREFIX,
    END_OF_TRACK_META,
    ESCAPE,
    FIRST_STATUS,
    KEY_SIGNATURE,
    META,
    NOTE_ON,
    PITCH_BEND,
    PORT,
    PROGRAM,
    SEQUENCE_NUMBER,
    SMPTE_OFFSET,
    SYSEX,
    TEMPO,
    TEXTS,
    TIME_SIGNATURE,
    channel_of,
    is_note,
    kind,
)

# (tick from the start of the track, message). A channel message stands as it goes over the wire, with
# its status byte; a meta event or system exclusive as in the file, with its length.
Event = tuple[int, bytes]

END_OF_TRACK = b"\xff\x2f\x00"
# Meta events with a length or values to keep to.
_SUSPECT_META = frozenset((SEQUENCE_NUMBER, CHANNEL_PREFIX, PORT, TEMPO, SMPTE_OFFSET, TIME_SIGNATURE, KEY_SIGNATURE))

_LOOK_AHEAD = 8  # events a guess is tried on
_REACH = 24  # bytes after the damage at which reading may go on
_REACH_FAR = 4096  # where that leads nowhere
_REACH_BLOCK = 256  # after a broken meta event or system exclusive, which can be long


@dataclass
class Damage:
    """What was wrong in one track."""

    skipped: int = 0  # bytes
    clipped: int = 0  # values over 127, set to 127
    bad_metas: list[str] = field(default_factory=list)  # meta events dropped, by kind
    restated: int = 0  # messages without the status byte they need
    no_end: bool = False
    places: int = 0  # how often reading had to find its place again

    def __bool__(self) -> bool:
        return bool(self.skipped or self.clipped or self.bad_metas or self.restated or self.no_end)


@dataclass
class TrackScan:
    """The events of a track in order, the end of track left out; `end_tick` is where that stands."""

    events: list[Event]
    end_tick: int
    damage: Damage


def read_varint(body: bytes, pos: int) -> tuple[int, int]:
    """A variable-length quantity and the place after it. IndexError at the end, ValueError past 4 bytes."""
    value = 0
    for here in range(pos, pos + 4):
        byte = body[here]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, here + 1
    raise ValueError("a variable-length quantity has at most 4 bytes")


def write_varint(value: int) -> bytes:
    """A variable-length quantity."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def meta_event(number: int, data: bytes) -> bytes:
    """A meta event as it stands in a file."""
    return bytes((META, number)) + write_varint(len(data)) + data


def tempo_event(microseconds_per_quarter: int) -> bytes:
    """The meta event of a tempo."""
    return meta_event(TEMPO, microseconds_per_quarter.to_bytes(3, "big"))


def metre_event(numerator: int, denominator: int) -> bytes:
    """The meta event of a metre; the denominator is a power of two."""
    usual = 24, 8  # clocks of a click, 32nds of a quarter
    return meta_event(TIME_SIGNATURE, bytes((numerator, denominator.bit_length() - 1, *usual)))


def read_event(body: bytes, pos: int, running: int, with_delta: bool = True) -> tuple[int, bytes, int, int] | None:
    """The event at `pos`: (delta, message, place after it, running status), or None if it is broken.

    `running` is the status of the last channel message, 0 for none. With `with_delta` False the
    event is taken to start at its status byte.
    """
    try:
        delta = 0
        if with_delta:
            delta = body[pos]
            if delta < FIRST_STATUS:
                pos += 1
            else:
                delta, pos = read_varint(body, pos)
        status = body[pos]
        if status < FIRST_STATUS:
            status = running
            if not status:
                return None
        else:
            pos += 1
        if status < SYSEX:
            first = body[pos]
            if PROGRAM <= status < PITCH_BEND:
                return None if first >= FIRST_STATUS else (delta, bytes((status, first)), pos + 1, status)
            second = body[pos + 1]
            if (first | second) >= FIRST_STATUS:
                return None
            return delta, bytes((status, first, second)), pos + 2, status
        if status not in (META, SYSEX, ESCAPE) or (status == META and body[pos] >= FIRST_STATUS):
            return None
        length, data = read_varint(body, pos + (status == META))
        stop = data + length
        if stop > len(body):
            return None
        if status == SYSEX and not body[data : stop - (body[stop - 1] == ESCAPE)].isascii():
            return None
        # Meta events do not end running status in the files one meets; system exclusives do.
        return delta, body[pos - 1 : stop], stop, running if status == META else 0
    except (IndexError, ValueError):
        return None


def texts_of(scans: Iterable[TrackScan]) -> list[bytes]:
    """All texts of a file, which are in one encoding."""
    return [meta_data(m) for scan in scans for _, m in scan.events if m[0] == META and m[1] in TEXTS]


def decode_meta(message: bytes) -> Any:
    """The mido.MetaMessage of a message, which has fields by its type, or None if mido finds fault."""
    # Imported here: mido looks for its version, and with it for all that is installed, which an app that opens
    # no file has no time for.
    from mido.midifiles.meta import KeySignatureError, build_meta_message

    length, data = read_varint(message, 2)
    try:
        return build_meta_message(message[1], list(message[data : data + length]))
    except (ValueError, LookupError, KeySignatureError):
        return None


def meta_data(message: bytes) -> bytes:
    """The data of a meta event."""
    return message[read_varint(message, 2)[1] :]


def _meta_fault(message: bytes) -> str:
    """What is wrong with a meta event, as a kind to report; empty if nothing is."""
    kind = message[1]
    if kind not in _SUSPECT_META:
        return ""
    data = meta_data(message)
    if kind == TEMPO:
        return "" if len(data) == 3 and any(data) else "tempo"
    if kind == TIME_SIGNATURE:  # 1/64 is the shortest beat anyone notates
        return "" if len(data) == 4 and data[0] and data[1] <= 6 else "time signature"
    if decode_meta(message) is None or (kind == KEY_SIGNATURE and len(data) != 2):
        return "key signature" if kind == KEY_SIGNATURE else "meta event"
    return ""


def scan_track(body: bytes, patience: int = 1000) -> TrackScan:
    """Read a track, getting past at most `patience` damaged places; what is behind those is skipped."""
    events: list[Event] = []
    damage = Damage()
    pos = tick = running = 0
    size = len(body)
    append = events.append
    with_delta = True
    sound_to_end = False  # whether all that is left is known to be in order
    while pos < size:
        event = read_event(body, pos, running, with_delta)
        if event is None:
            if damage.places >= patience:
                damage.skipped += size - pos
                damage.no_end = True
                return TrackScan(events, tick, damage)
            damage.places += 1
            way = _way_on(body, pos, running, with_delta, events)
            if way is None:
                damage.skipped += size - pos
                damage.no_end = True
                return TrackScan(events, tick, damage)
            tick += way.delta
            if way.message:
                append((tick, way.message))
            damage.skipped += way.skipped
            damage.clipped += way.clipped
            damage.restated += way.restated
            pos, running, with_delta = way.pos, way.running, way.with_delta
            continue
        delta, message, after, running = event
        with_delta = True
        tick += delta
        if message[0] == META and (message[1] == END_OF_TRACK_META or message[1] in _SUSPECT_META):
            if message[1] == END_OF_TRACK_META:
                if message == END_OF_TRACK and after == size:
                    return TrackScan(events, tick, damage)
                sound_to_end = sound_to_end or _has_music(body, after)
                if after == size or not sound_to_end:
                    damage.skipped += size - after + len(message) - len(END_OF_TRACK)
                    return TrackScan(events, tick, damage)
                damage.skipped += len(message)  # an end in the middle of the music: go on
            elif fault := _meta_fault(message):
                damage.bad_metas.append(fault)
            else:
                append((tick, message))
        else:
            append((tick, message))
        pos = after
    damage.no_end = True
    return TrackScan(events, tick, damage)


def encode_track(events: Sequence[Event], end_tick: int) -> bytes:
    """The bytes of a track: every message with its own status byte, an end of track at `end_tick`."""
    parts: list[bytes] = []
    last = 0
    for tick, message in (*events, (end_tick, END_OF_TRACK)):
        gap = tick - last
        while gap >= 1 << 28:  # more than a delta time can say: bridge it with empty texts
            parts.append(b"\xff\xff\xff\x7f\xff\x01\x00")
            gap -= (1 << 28) - 1
        parts.append(write_varint(gap))
        parts.append(message)
        last = tick
    return b"".join(parts)


def _has_music(body: bytes, pos: int) -> bool:
    """Whether the bytes from `pos` on read to the very end without a fault and hold a note."""
    running = 0
    music = False
    while pos < len(body):
        event = read_event(body, pos, running)
        if event is None:
            return False
        _, message, pos, running = event
        music = music or kind(message) == NOTE_ON
    return music


class _Way(NamedTuple):
    """A way to go on after damage: read from `pos`, having skipped bytes or mended a message."""

    pos: int
    with_delta: bool
    running: int
    delta: int
    message: bytes = b""
    skipped: int = 0
    clipped: int = 0
    restated: int = 0


def _way_on(body: bytes, pos: int, running: int, with_delta: bool, events: list[Event]) -> _Way | None:
    """The likeliest way to go on from the broken event at `pos`; None if none leads anywhere."""
    known = {message[0] for _, message in events[-2048:] if message[0] < SYSEX}
    last = running or next((m[0] for _, m in reversed(events[-64:]) if m[0] < SYSEX), 0)
    sounding = _sounding(events[-256:])
    ways = _ways(body, pos, running or last, with_delta)
    for first in range(pos + _REACH, pos + _REACH_FAR, _REACH):
        costs = [
            (cost, i, way) for i, way in enumerate(ways) if (cost := _cost(body, way, known, sounding)) is not None
        ]
        if costs:
            return min(costs)[2]
        if first >= len(body):
            break
        ways = _resumptions(body, pos, first, 0, 0)  # a larger hole: go on at a status byte behind it
    return None


def _ways(body: bytes, pos: int, running: int, with_delta: bool) -> list[_Way]:
    """Every way to go on from the broken event at `pos`."""
    delta, at = 0, pos
    if with_delta:
        try:
            delta, at = read_varint(body, pos)
        except (IndexError, ValueError):
            at = pos + 1
            padded = pos
            while padded < len(body) and body[padded] == 0x80:
                padded += 1
            if padded > pos:  # a delta time written longer than allowed, with noughts in front
                return [
                    _Way(padded, True, running, 0, skipped=padded - pos),
                    *_resumptions(body, pos, pos + 1, running, 0),
                ]
    if at >= len(body):
        return []
    status = body[at]
    explicit = status >= FIRST_STATUS
    base = delta if explicit else 0  # before data without a status, the delta time is in doubt too
    ways = _resumptions(body, pos, at + 1 if explicit else pos + 1, running, base)
    if explicit and status >= SYSEX:
        if status in (META, SYSEX, ESCAPE):
            # Text reads as notes under running status, so only a status byte is trusted here.
            ways = _resumptions(body, pos, at + 1, 0, base, _REACH_BLOCK)
            close = body.find(ESCAPE, at + 1, at + _REACH_BLOCK) if status == SYSEX else -1
            if close > 0:
                ways.append(_Way(close + 1, True, running, base, skipped=close + 1 - pos))
        return ways
    status, data = (status, at + 1) if explicit else (running, at)
    return ways + _mended(body, pos, data, status, delta) if status else ways


def _mended(body: bytes, pos: int, data: int, status: int, delta: int) -> list[_Way]:
    """The ways that keep the channel message with `status` whose values stand at `data`."""
    size = 1 if PROGRAM <= status < PITCH_BEND else 2
    values = body[data : data + size]
    if len(values) < size:
        return []
    after = data + size
    if values.isascii():  # running status after a system exclusive
        return [_Way(after, True, status, delta, bytes((status, *values)), restated=1)]
    if size == 2 and values[0] < FIRST_STATUS:
        ways = [_Way(after, True, status, delta, bytes((status, values[0], 127)), clipped=1)]
    else:  # a wrong pitch or controller number is worse than none
        ways = [_Way(after, True, status, delta, skipped=after - pos)]
    for strays in (1, 2):  # bytes that came in between the message's own
        rest = bytes(byte for byte in body[data : after + strays] if byte < FIRST_STATUS)
        if len(rest) == size and body[after + strays - 1 : after + strays].isascii():
            ways.append(_Way(after + strays, True, status, delta, bytes((status, *rest)), skipped=strays))
    return ways


def _resumptions(body: bytes, pos: int, first: int, running: int, base: int, reach: int = _REACH) -> list[_Way]:
    """The ways that skip from `pos` to some byte from `first` on and take it for a delta or a status."""
    return [
        _Way(at, with_delta, running, base, skipped=at - pos)
        for at in range(first, min(first + reach, len(body)))
        for with_delta in ((True, False) if body[at] >= FIRST_STATUS else (True,))
    ]


def _sounding(events: list[Event]) -> set[tuple[int, int]]:
    """(channel, pitch) of the notes that sound after these events."""
    sounding: set[tuple[int, int]] = set()
    for _, message in events:
        if is_note(message):
            key = (channel_of(message), message[1])
            if message[0] >= NOTE_ON and message[2]:
                sounding.add(key)
            else:
                sounding.discard(key)
    return sounding


def _cost(body: bytes, way: _Way, known: set[int], sounding: set[tuple[int, int]]) -> float | None:
    """How unlikely the events after a way look; None if they break at once.

    Right readings end notes that sound, repeat statuses the track has used and have short deltas;
    wrong ones swallow status bytes as deltas and end notes that nobody began.
    """
    cost = 1.5 * way.skipped + 2.0 * way.clipped
    sounding = _sounding_after(sounding, way.message)
    pos, running, with_delta = way.pos, way.running, way.with_delta
    for _ in range(_LOOK_AHEAD):
        if pos >= len(body):
            return cost
        event = read_event(body, pos, running, with_delta)
        if event is None:
            return None
        delta, message, after, running = event
        if message == END_OF_TRACK and after == len(body):
            return cost - 4
        status = message[0]
        explicit = with_delta is False or body[after - len(message)] == status
        cost += max(0, delta.bit_length() - 7) / 2 + (0 if explicit else 1)
        if status < SYSEX:
            cost += 0 if status in known else 6
        elif status != META:
            cost += 3
        if is_note(message):
            key = (channel_of(message), message[1])
            if status >= NOTE_ON and message[2]:
                cost += key in sounding
            else:
                cost += -2 if key in sounding else 1
            sounding = _sounding_after(sounding, message)
        pos, with_delta = after, True
    return cost


def _sounding_after(sounding: set[tuple[int, int]], message: bytes) -> set[tuple[int, int]]:
    """The notes that sound after one more message."""
    if not message or not is_note(message):
        return sounding
    key = {(channel_of(message), message[1])}
    return sounding | key if message[0] >= NOTE_ON and message[2] else sounding - key
