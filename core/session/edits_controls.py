"""Edits of pedals, pitch bend and other controllers, of the score's tracks and of takes alike.

Those of a track are its channel's, and stand in the MIDI file that the score is read from; those of a take are the
take's own. Times are seconds of the song.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.midi.controllers import (
    Point,
    PointSpan,
    Values,
    by_number,
    drawn,
    most,
    moved_span,
    numbers_of,
    points_of,
    resets_of,
    values_of,
    with_points,
    with_span,
    without_span,
)
from core.midi.controllers import spans as spans_of
from core.midi.messages import SUSTAIN
from core.midi.score import TrackKey
from core.session.edits import SHORTEST_NOTE, Part
from core.session.edits_song import with_chunks
from core.session.session import LATEST, Session, TakeControl

TimeSpan = tuple[float, float]  # start and end


class Owner(NamedTuple):
    """Whose controllers: those of a track (its index), or of a take (its id) on the track of this key."""

    part: Part
    track: TrackKey | None = None


class Drawing(NamedTuple):
    """The values that a controller is to have in [start, end]."""

    owner: Owner
    number: int
    start: float
    end: float
    points: Sequence[Point]


class _Change(NamedTuple):
    """Other points for those of a controller."""

    owner: Owner
    number: int
    of: Callable[[Sequence[Point]], list[Point]]


def curve(session: Session, owner: Owner, number: int) -> list[Point]:
    """The values of a controller over the song's seconds; nothing where there is no such track or take."""
    points = _points(session, owner, number)
    times = _Clock(session, owner).seconds_of(np.array([point.at for point in points], np.float64)).tolist()
    return [Point(time, point.value) for time, point in zip(times, points, strict=True)]


def curves(session: Session, owner: Owner) -> dict[int, Values]:
    """`curve` of every controller that is used, as arrays."""
    lines: dict[int, Values] = {}
    if not _is_there(session, owner):
        return lines
    if isinstance(owner.part, str):
        controls = [c for c in session.take(owner.part).controls if c.track == owner.track]
        if controls:
            at, numbers, values, _ = zip(*controls, strict=True)
            lines = by_number(np.array(numbers), np.array(at, np.float64), np.array(values))
    elif session.score is not None:
        lines = values_of(session.score, session.score.tracks[owner.part])
    clock = _Clock(session, owner)
    return {number: Values(clock.seconds_of(values.at), values.value) for number, values in lines.items()}


def pedals(session: Session, owner: Owner) -> list[TimeSpan]:
    """When the sustain pedal is down, in the song's seconds; a pedal that nothing lifts has an infinite end."""
    clock = _Clock(session, owner)
    return [(clock.seconds(span.start), clock.seconds(span.end)) for span in _spans(session, owner)]


def used_numbers(session: Session, owner: Owner) -> set[int]:
    """The controllers that a track's channel uses, or a take."""
    if isinstance(owner.part, str):
        take = session.find_take(owner.part)
        return {control.number for control in take.controls if control.track == owner.track} if take else set()
    score = session.score
    return numbers_of(score, score.tracks[owner.part]) if score and _is_there(session, owner) else set()


def draw_curve(
    session: Session, owner: Owner, number: int, start: float, end: float, points: Sequence[Point]
) -> Session:
    """Put these values into [start, end], in place of those that were there; none: what held before goes on."""
    return draw_curves(session, [Drawing(owner, number, start, end, points)])


def draw_curves(session: Session, drawings: Iterable[Drawing]) -> Session:
    """`draw_curve` of several at once, each controller of each owner once: the file is read anew but once."""
    return _changed(session, [change for it in drawings if (change := _drawing(session, it)) is not None])


def _drawing(session: Session, it: Drawing) -> _Change | None:
    clock = _Clock(session, it.owner)
    if clock.is_before(it.end):
        return None
    first, last = clock.place(it.start), clock.place(it.end)
    values = [Point(clock.place(p.at), min(max(p.value, 0), most(it.number))) for p in it.points]
    new = list({p.at: p for p in values}.values())  # of several at one place the last
    return _Change(it.owner, it.number, lambda old: drawn(old, first, last, new))


def draw_pedal(session: Session, owner: Owner, start: float, end: float) -> Session:
    """Press the sustain pedal for a while; where it is down already the two become one."""
    clock = _Clock(session, owner)
    if clock.is_before(end):
        return session
    first = clock.place(start)
    last = clock.at_least_after(first, clock.place(end))
    return _changed(session, [_Change(owner, SUSTAIN, lambda old: with_span(old, first, last))])


def delete_pedal(session: Session, owner: Owner, start: float) -> Session:
    """Take away the pedal that goes down there."""
    span = _span_at(session, owner, start)
    if span is None:
        return session
    return _changed(session, [_Change(owner, SUSTAIN, lambda old: without_span(old, span))])


def erase_pedals(session: Session, owner: Owner, start: float, end: float) -> Session:
    """Take away the pedals that are down anywhere between two times."""
    clock = _Clock(session, owner)
    first, last = clock.place(start), clock.place(end)
    for span in reversed(_spans(session, owner)):
        if span.start < last and span.end > first:
            session = delete_pedal(session, owner, clock.seconds(span.start))
    return session


def move_pedal(session: Session, owner: Owner, start: float, to: float, until: float) -> Session:
    """Let the pedal that goes down at `start` last from `to` until `until` instead, with all that is in it."""
    span = _span_at(session, owner, start)
    if span is None:
        return session
    clock = _Clock(session, owner)
    first, last = clock.place(to), math.inf if math.isinf(until) else clock.place(until)
    if not math.isinf(span.end) and math.isclose(to - start, until - clock.seconds(span.end), abs_tol=1e-6):
        last = first + (span.end - span.start)  # moved: as long as it was
    last = clock.at_least_after(first, last)
    return _changed(session, [_Change(owner, SUSTAIN, lambda old: moved_span(old, span, first, last))])


class _Clock:
    """Seconds of the song <-> what points of an owner count in: ticks, or seconds from a take's marker."""

    def __init__(self, session: Session, owner: Owner) -> None:
        self._map = session.tempo_map
        take = session.find_take(owner.part) if isinstance(owner.part, str) else None
        self._marker = take.marker if take else None

    def place(self, seconds: float) -> float:
        seconds = min(max(seconds, 0.0), LATEST)
        return self._map.tick(seconds) if self._marker is None else max(seconds - self._marker, 0.0)

    def is_before(self, seconds: float) -> bool:
        """Whether a take begins later."""
        return self._marker is not None and seconds < self._marker

    def seconds(self, at: float) -> float:
        if math.isinf(at):
            return at
        return self._map.seconds(int(at)) if self._marker is None else self._marker + at

    def seconds_of(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """`seconds` of many finite places, (n,)."""
        if self._marker is not None:
            return self._marker + places
        return self._map.seconds_array(places.astype(np.int64))

    def at_least_after(self, first: float, last: float) -> float:
        return max(last, first + (1 if self._marker is None else SHORTEST_NOTE))


def _is_there(session: Session, owner: Owner) -> bool:
    if isinstance(owner.part, str):
        return session.find_take(owner.part) is not None
    return 0 <= owner.part < len(session.tracks)


def _points(session: Session, owner: Owner, number: int) -> list[Point]:
    if not _is_there(session, owner):
        return []
    if isinstance(owner.part, str):
        controls = session.take(owner.part).controls
        return [Point(c.at, c.value) for c in controls if (c.number, c.track) == (number, owner.track)]
    assert session.score is not None  # or there would be no such track
    return points_of(session.score, session.score.tracks[owner.part], number)


def _spans(session: Session, owner: Owner) -> list[PointSpan]:
    resets: Iterable[float] = ()
    if session.score is not None and isinstance(owner.part, int) and _is_there(session, owner):
        resets = resets_of(session.score, session.score.tracks[owner.part])
    return spans_of(_points(session, owner, SUSTAIN), resets)


def _span_at(session: Session, owner: Owner, start: float) -> PointSpan | None:
    """The span that begins nearest to a time, if that is within a hair."""
    clock = _Clock(session, owner)
    found = min(_spans(session, owner), key=lambda span: abs(clock.seconds(span.start) - start), default=None)
    return found if found and abs(clock.seconds(found.start) - start) < SHORTEST_NOTE / 2 else None


def _changed(session: Session, changes: Iterable[_Change]) -> Session:
    """The session with other points, each controller of each owner once."""
    before = session.score.chunks if session.score else ()
    chunks = before
    for owner, number, change in changes:
        if not _is_there(session, owner):
            continue
        old = _points(session, owner, number)
        new = change(old)
        if new == old:
            continue
        if isinstance(owner.part, str):
            session = _with_take_points(session, owner, number, new)
        else:
            assert session.score is not None  # or there would be no such track
            score = replace(session.score, chunks=chunks)
            chunks = with_points(score, score.tracks[owner.part], number, old, new)
    return session if chunks is before else with_chunks(session, chunks)


def _with_take_points(session: Session, owner: Owner, number: int, points: Sequence[Point]) -> Session:
    take = session.take(str(owner.part))
    others = [c for c in take.controls if (c.number, c.track) != (number, owner.track)]
    own = [TakeControl(point.at, number, point.value, owner.track) for point in points]
    # By number at one time: then it does not matter which was changed first.
    both = sorted([*others, *own], key=lambda c: (c.at, c.number, c.track or (-1, -1)))
    return session.with_changed_take(replace(take, controls=tuple(both)))
