"""Controllers of a channel over time: values as points, pedals as spans, and how they are written into chunks.

A point holds up to the next one. Places in time are ticks or seconds, whichever the caller counts in. The pitch bend
counts as one more controller, BEND, of 14 bits.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.midi.events import Event, encode_track, scan_track
from core.midi.messages import (
    ALL_SOUND_OFF,
    CONTROL,
    NOTE_ON,
    PEDAL_DOWN,
    PITCH_BEND,
    RESET_CONTROLLERS,
    SYSEX,
    is_control,
    kind,
)
from core.midi.ports import event_ports
from core.midi.score import Score, Track
from core.midi.write import with_ports

BEND = 128  # beside the controllers 0 to 127
BEND_CENTRE = 8192
PRESSED = 127


class Point(NamedTuple):
    """The value of a controller from a place in time on."""

    at: float
    value: int


class Values(NamedTuple):
    """The points of a controller as arrays, (n,) each: places in order, and values."""

    at: NDArray[np.float64]
    value: NDArray[np.int64]


class PointSpan(NamedTuple):
    """A pedal that is down from `start` to `end` (infinite if nothing lifts it): its points are [first, after)."""

    start: float
    end: float
    first: int
    after: int


def most(number: int) -> int:
    """The highest value of a controller."""
    return 16383 if number == BEND else 127


def value_of(message: bytes, number: int) -> int | None:
    """The value that a channel message gives to a controller; None if it is about something else."""
    return found[1] if (found := _set_by(message)) and found[0] == number else None


def _set_by(message: bytes) -> tuple[int, int] | None:
    """The controller that a channel message sets, and its value; None if it sets none."""
    status = kind(message)
    if status == PITCH_BEND:
        return BEND, message[1] | message[2] << 7
    return (message[1], message[2]) if status == CONTROL and message[1] < ALL_SOUND_OFF else None


def control_message(number: int, value: int, channel: int) -> bytes:
    """The channel message that sets a controller."""
    value = min(max(value, 0), most(number))
    if number == BEND:
        return bytes((PITCH_BEND | channel, value & 0x7F, value >> 7))
    return bytes((CONTROL | channel, number, value))


def points_of(score: Score, track: Track, number: int) -> list[Point]:
    """What a controller of a track's channel does, in ticks."""
    values = ((c.tick, value_of(c.message, number)) for c in score.controls_on(track.place))
    return [Point(tick, v) for tick, v in values if v is not None]


def values_of(score: Score, track: Track) -> dict[int, Values]:
    """What all the controllers of a track's channel do, in ticks, each what `points_of` has of it."""
    controls = score.controls_on(track.place)
    messages = [control.message for control in controls]
    ends = np.cumsum(np.fromiter(map(len, messages), np.int64, len(messages)))
    data = np.frombuffer(b"".join(messages) + b"\0\0", np.uint8).astype(np.int64)
    begins = np.concatenate(([0], ends[:-1])) if len(ends) else ends
    status, first, second = (data[begins + i] for i in range(3))
    is_bend = status & 0xF0 == PITCH_BEND
    is_set = is_bend | ((status & 0xF0 == CONTROL) & (first < ALL_SOUND_OFF))
    ticks = np.fromiter(map(attrgetter("tick"), controls), np.float64, len(controls))
    numbers, values = np.where(is_bend, BEND, first), np.where(is_bend, first | second << 7, second)
    return by_number(numbers[is_set], ticks[is_set], values[is_set])


def by_number(numbers: NDArray[np.int64], at: NDArray[np.float64], values: NDArray[np.int64]) -> dict[int, Values]:
    """Values of several controllers, (n,) each, by controller and in order of their places."""
    order = np.lexsort((at, numbers))  # what lies at one place keeps its order
    numbers, at, values = numbers[order], at[order], values[order]
    known, begins = np.unique(numbers, return_index=True)
    ends = np.append(begins, len(numbers))[1:]
    return {
        number: Values(at[begin:end], values[begin:end])
        for number, begin, end in zip(known.tolist(), begins.tolist(), ends.tolist(), strict=True)
    }


def resets_of(score: Score, track: Track) -> list[float]:
    """The ticks at which the controllers of a track's channel are reset, which lifts its pedals."""
    return [c.tick for c in score.controls_on(track.place) if is_control(c.message, RESET_CONTROLLERS)]


def numbers_of(score: Score, track: Track) -> set[int]:
    """The controllers that a track's channel uses."""
    return numbers_in(c.message for c in score.controls_on(track.place))


def numbers_in(messages: Iterable[bytes]) -> set[int]:
    """The controllers that channel messages set."""
    return {found[0] for message in messages if (found := _set_by(message))}


# Changing points


def drawn(points: Sequence[Point], start: float, end: float, new: Iterable[Point]) -> list[Point]:
    """The points with new ones for those in [start, end]."""
    inside = sorted((p for p in new if start <= p.at <= end), key=attrgetter("at"))
    return [*(p for p in points if p.at < start), *inside, *(p for p in points if p.at > end)]


def spans(points: Sequence[Point], resets: Iterable[float] = ()) -> list[PointSpan]:
    """The stretches in which a pedal is down, in order."""
    found: list[PointSpan] = []
    # (place, whether it is a point, its index or that of the next): a reset comes before the points at its place.
    events = [(p.at, 1, i) for i, p in enumerate(points)]
    events += [(at, 0, bisect_left(points, at, key=attrgetter("at"))) for at in resets]
    begun: tuple[float, int] | None = None
    for at, is_point, i in sorted(events):
        is_down = is_point and points[i].value >= PEDAL_DOWN
        if is_down and begun is None:
            begun = at, i
        elif not is_down and begun is not None:
            if at > begun[0]:
                found.append(PointSpan(begun[0], at, begun[1], i + is_point))
            begun = None
    if begun is not None:
        found.append(PointSpan(begun[0], math.inf, begun[1], len(points)))
    return found


def without_span(points: Sequence[Point], span: PointSpan) -> list[Point]:
    """The points without those of a span."""
    return [*points[: span.first], *points[span.after :]]


def with_span(
    points: Sequence[Point], start: float, end: float, inside: Sequence[Point] = (), joins: bool = True
) -> list[Point]:
    """The points with a pedal down from `start` to `end`; where another is down too, the two become one.

    Unless it `joins`: then the other ends where this one starts, and is pressed anew where this one ends. `inside` are
    the values in it, the first of them at its start, the last, if it lifts, at its end. Nothing lifts it where that is
    infinite.
    """
    before = [p for p in points if p.at < start or (p.at == start and p.value < PEDAL_DOWN)]
    past = [i for i, p in enumerate(points, 1) if p.at < end or (p.at == end and p.value < PEDAL_DOWN)]
    later = points[past[-1] if past else 0 :]  # at the end itself, what is pressed once it was lifted
    values = [p for p in inside if p.value >= PEDAL_DOWN and start <= p.at < end]
    if not values or values[0].at > start:
        values.insert(0, Point(start, values[0].value if values else PRESSED))
    if not joins and before and before[-1].value >= PEDAL_DOWN:
        before.append(Point(start, 0))
    if math.isinf(end):
        return [*before, *values]
    held = next((p.value for p in reversed(points) if p.at < end), 0)
    is_over = held >= PEDAL_DOWN and not any(p.at == end and p.value < PEDAL_DOWN for p in points)
    if is_over:
        lift = [] if later and later[0].at == end else [Point(end, held)]
        lift = lift if joins else [Point(end, 0), *lift]
    else:
        lift = [Point(end, inside[-1].value if inside and inside[-1].value < PEDAL_DOWN else 0)]
    return [*before, *values, *lift, *later]


def moved_span(points: Sequence[Point], span: PointSpan, start: float, end: float) -> list[Point]:
    """The points with a span from `start` to `end` instead: moved with all in it, or with other edges.

    What others it lies over then are shortened to what is left of them.
    """
    own = [p for p in points[span.first : span.after]]
    is_move = not math.isinf(span.end) and abs((end - start) - (span.end - span.start)) < 1e-6
    by = start - span.start if is_move else 0.0
    inside = [Point(p.at + by, p.value) for p in own]
    if own and not is_move:
        held = next((p.value for p in reversed(own) if p.at <= start and p.value >= PEDAL_DOWN), own[0].value)
        lifted = [Point(end, own[-1].value)] if own[-1].value < PEDAL_DOWN else []
        inside = [Point(start, held), *(p for p in own if start < p.at < end and p.value >= PEDAL_DOWN), *lifted]
    elif own:
        inside[0] = Point(start, inside[0].value)
    return with_span(without_span(points, span), start, end, inside, joins=False)


# Writing


def with_points(
    score: Score, track: Track, number: int, before: Sequence[Point], after: Sequence[Point]
) -> tuple[bytes, ...]:
    """The bodies of the score's chunks with other points of a controller of a track's channel, in ticks.

    Where the two do not differ, events stay where they are, and so do all others; what is new stands in the track's
    own chunk. A chunk that nothing is changed in stays byte for byte.
    """
    old, new = _by_tick(before), _by_tick(after)
    changed = {tick: new.get(tick, []) for tick in {*old, *new} if old.get(tick) != new.get(tick)}
    return tuple(_rewritten(score, chunk, track, number, changed) for chunk in range(len(score.chunks)))


def _by_tick(points: Iterable[Point]) -> dict[int, list[int]]:
    values: dict[int, list[int]] = {}
    for point in points:
        values.setdefault(int(point.at), []).append(point.value)
    return values


def _rewritten(score: Score, chunk: int, track: Track, number: int, changed: Mapping[int, Sequence[int]]) -> bytes:
    body = score.chunks[chunk]
    scan = scan_track(body)
    ports = event_ports(score, chunk, scan)
    events = [(tick, port, message) for (tick, message), port in zip(scan.events, ports, strict=True)]
    kept = [e for e in events if not (e[0] in changed and _is_of(e, track, number))]
    added = changed if chunk == track.chunk else {}
    if len(kept) == len(events) and not any(added.values()):
        return body
    for tick in sorted(added):
        for value in added[tick]:
            message = control_message(number, value, track.channel)
            kept.insert(_place(kept, tick, number), (tick, track.port, message))
    several = len({port for _, port, message in kept if message[0] < SYSEX}) > 1
    written: list[Event] = with_ports(score, kept) if several else [(tick, message) for tick, _, message in kept]
    return encode_track(written, max(scan.end_tick, written[-1][0] if written else 0))


def _is_of(event: tuple[int, int, bytes], track: Track, number: int) -> bool:
    _, port, message = event
    if message[0] >= SYSEX or (port, message[0] & 0x0F) != track.place:
        return False
    return value_of(message, number) is not None


def _place(events: Sequence[tuple[int, int, bytes]], tick: int, number: int) -> int:
    """Where a controller belongs at a tick: behind what resets it, before notes, in order of numbers.

    So two controllers come to stand in one order, whichever was written first.
    """
    place, after = (find(events, tick, key=itemgetter(0)) for find in (bisect_left, bisect_right))
    at_tick = range(place, after)
    first = max((i + 1 for i in at_tick if _resets(events[i][2])), default=place)
    return next((i for i in range(first, after) if _comes_after(events[i][2], number)), after)


def _resets(message: bytes) -> bool:
    return message[0] >= SYSEX or is_control(message, RESET_CONTROLLERS)


def _comes_after(message: bytes, number: int) -> bool:
    if kind(message) == NOTE_ON and message[2]:
        return True
    own = BEND if kind(message) == PITCH_BEND else message[1] if kind(message) == CONTROL else -1
    return own > number
