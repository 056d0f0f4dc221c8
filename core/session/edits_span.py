"""Controllers of a span of time: what of them is copied, cut, pasted and repeated with its notes.

Times are seconds of the song; the values that are taken along count ticks from the start of their span.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.midi.chase import PARAMETERS, resting_value
from core.midi.controllers import BEND, BEND_CENTRE, Point
from core.midi.messages import BANK_LSB, BANK_MSB, DEFAULT_PAN, DEFAULT_VOLUME, PAN, PEDALS, VOLUME
from core.session.edits_controls import Drawing, Owner, curve, curves, draw_curves
from core.session.session import Session

SpanValues = Mapping[int, Sequence[Point]]  # by controller, its values in order; they hold up to the span's end

NO_LINES = {BANK_MSB, BANK_LSB, *PARAMETERS}  # they choose sounds, or tell one thing in several messages
_HELD = {BEND, *PEDALS}  # whoever sees them held through a span takes them along with it
_HAIR = 1e-6  # seconds
# What a synth begins with where nothing says otherwise, and no reset changes; from General MIDI 2.
_AT_FIRST = {VOLUME: DEFAULT_VOLUME, PAN: DEFAULT_PAN, **dict.fromkeys(range(70, 80), 64)}


class _Line(NamedTuple):
    """A controller in a span: its values in it, what held before them, and what holds behind the span."""

    points: list[Point]
    before: int | None
    after: int | None


def passage(session: Session, owner: Owner, start: float, end: float) -> SpanValues:
    """The controllers that do something in [start, end), each from what it begins with; nothing of who is not there."""
    first = session.tempo_map.exact_tick(start)
    found: dict[int, list[Point]] = {}
    for number, line in _lines(session, owner, start, end).items():
        points = line.points
        if line.before is not None and not (points and points[0].at <= start + _HAIR):
            points = [Point(start, line.before), *points]
        ticks = session.tempo_map.exact_ticks_array([point.at for point in points]).tolist()
        found[number] = [Point(max(tick - first, 0.0), p.value) for tick, p in zip(ticks, points, strict=True)]
    return found


def put_passages(session: Session, at: float, ticks: float, passages: Mapping[Owner, SpanValues]) -> Session:
    """Let owners play passages of so many ticks from `at` on; behind them holds what held there before.

    Other values of the same controllers in that span go.
    """
    tempo_map = session.tempo_map
    first = tempo_map.exact_tick(at)
    end = float(tempo_map.seconds_array([first + ticks])[0])
    drawings: list[Drawing] = []
    for owner, values in passages.items():
        for number, points in values.items():
            inside = [point for point in points if point.at < ticks]
            times = tempo_map.seconds_array([first + point.at for point in inside]).tolist()
            new = [Point(time, point.value) for time, point in zip(times, inside, strict=True)]
            after = _held(curve(session, owner, number), end + _HAIR, number)
            if after is not None and new and new[-1].value != after:
                new.append(Point(end, after))
            drawings.append(Drawing(owner, number, at, end, new))
    return draw_curves(session, drawings)


def without_passages(session: Session, start: float, end: float, owners: Iterable[Owner]) -> Session:
    """Take away what `passage` finds: pedals are up there, bends in the middle; behind it all is as before."""
    drawings: list[Drawing] = []
    for owner in owners:
        for number, line in _lines(session, owner, start, end).items():
            rest = at_rest(number) if number in _HELD else line.before
            new = [Point(start, rest)] if rest is not None and rest != line.before else []
            if line.after is not None and line.after != rest:
                new.append(Point(end, line.after))
            drawings.append(Drawing(owner, number, start, end, new))
    return draw_curves(session, drawings)


def repeated(values: SpanValues, ticks: float, times: int) -> SpanValues:
    """A passage so many times over, each time as many ticks later."""
    return {
        number: [Point(point.at + i * ticks, point.value) for i in range(times) for point in points]
        for number, points in values.items()
    }


def _lines(session: Session, owner: Owner, start: float, end: float) -> dict[int, _Line]:
    found: dict[int, _Line] = {}
    for number, points in sorted(curves(session, owner).items()):
        if number in NO_LINES:
            continue
        before = _held(points, start - _HAIR, number)
        inside = [point for point in points if start - _HAIR <= point.at < end - _HAIR]
        if inside or (number in _HELD and before != at_rest(number)):
            found[number] = _Line(inside, before, _held(points, end + _HAIR, number))
    return found


def _held(points: Sequence[Point], seconds: float, number: int) -> int | None:
    """What a controller is at a time; None if nothing says so."""
    return next((point.value for point in reversed(points) if point.at <= seconds), at_rest(number))


def at_rest(number: int) -> int | None:
    """What a controller is where nothing has set it; None if that cannot be told."""
    return BEND_CENTRE if number == BEND else _AT_FIRST.get(number, resting_value(number))
