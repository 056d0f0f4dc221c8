"""Controllers of a span of time: what of them is copied, cut, pasted and repeated with its notes.

Times are seconds of the song; the values that are taken along count ticks from the start of their span.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from core.midi.chase import PARAMETERS, resting_value
from core.midi.controllers import BEND, BEND_CENTRE, Point, Values
from core.midi.messages import BANK_LSB, BANK_MSB, DEFAULT_PAN, DEFAULT_VOLUME, PAN, PEDALS, VOLUME
from core.session.edits_controls import Drawing, Owner, curves, draw_curves
from core.session.session import Session

SpanValues = Mapping[int, Sequence[Point]]  # by controller, its values in order; they hold up to the span's end

NO_LINES = {BANK_MSB, BANK_LSB, *PARAMETERS}  # they choose sounds, or tell one thing in several messages
_HELD = {BEND, *PEDALS}  # whoever sees them held through a span takes them along with it
_HAIR = 1e-6  # seconds
# What a synth begins with where nothing says otherwise, and no reset changes; from General MIDI 2.
_AT_FIRST = {VOLUME: DEFAULT_VOLUME, PAN: DEFAULT_PAN, **dict.fromkeys(range(70, 80), 64)}


class _Line(NamedTuple):
    """A controller in a span: its values in it, what held before them, and what holds behind the span."""

    values: Values
    before: int | None
    after: int | None


def passage(session: Session, owner: Owner, start: float, end: float) -> SpanValues:
    """The controllers that do something in [start, end), each from what it begins with; none if there is no owner."""
    first = session.tempo_map.exact_tick(start)
    found: dict[int, list[Point]] = {}
    for number, line in _lines(session, owner, start, end).items():
        at, values = line.values
        if line.before is not None and not (len(at) and at[0] <= start + _HAIR):
            at, values = np.append(start, at), np.append(line.before, values)
        ticks = np.maximum(session.tempo_map.exact_ticks_array(at) - first, 0.0)
        found[number] = list(map(Point, ticks.tolist(), values.tolist()))
    return found


def has_passage(session: Session, owner: Owner, start: float, end: float) -> bool:
    """Whether there is a `passage`."""
    return bool(_lines(session, owner, start, end))


def put_passages(session: Session, at: float, ticks: float, passages: Mapping[Owner, SpanValues]) -> Session:
    """Let owners play passages of so many ticks from `at` on; behind them holds what held there before.

    Other values of the same controllers in that span go.
    """
    tempo_map = session.tempo_map
    first = tempo_map.exact_tick(at)
    end = float(tempo_map.seconds_array([first + ticks])[0])
    drawings: list[Drawing] = []
    for owner, values in passages.items():
        lines = curves(session, owner)
        for number, points in values.items():
            inside = [point for point in points if point.at < ticks]
            times = tempo_map.seconds_array([first + point.at for point in inside]).tolist()
            new = [Point(time, point.value) for time, point in zip(times, inside, strict=True)]
            after = _held(lines.get(number), end + _HAIR, number)
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
    for number, line in sorted(curves(session, owner).items()):
        if number in NO_LINES:
            continue
        before = _held(line, start - _HAIR, number)
        first, after = np.searchsorted(line.at, (start - _HAIR, end - _HAIR))
        if first < after or (number in _HELD and before != at_rest(number)):
            inside = Values(line.at[first:after], line.value[first:after])
            found[number] = _Line(inside, before, _held(line, end + _HAIR, number))
    return found


def _held(line: Values | None, seconds: float, number: int) -> int | None:
    """What a controller is at a time; None if nothing says so."""
    count = 0 if line is None else int(np.searchsorted(line.at, seconds, side="right"))
    return at_rest(number) if line is None or not count else int(line.value[count - 1])


def at_rest(number: int) -> int | None:
    """What a controller is where nothing has set it; None if that cannot be told."""
    return BEND_CENTRE if number == BEND else _AT_FIRST.get(number, resting_value(number))
