"""Edits of when notes begin and how long they last; as those of `edits`, on tracks and takes alike."""

from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.midi.tempo_map import TempoMap
from core.session.edits import (
    LATEST_TICK,
    Chosen,
    Columns,
    Edited,
    Part,
    Ticks,
    change_notes,
    notes_there,
    part_notes,
    put,
)
from core.session.session import LATEST, Session

_CHORD = 0.03  # seconds within which notes begin together


def set_length(session: Session, chosen: Chosen, sixteenths: float) -> Edited:
    """Let notes last so many sixteenths, from where they begin."""
    ticks = max(session.tempo_map.ticks_per_quarter * sixteenths / 4, 1.0)
    return change_notes(session, chosen, lambda parts: [replace(p, end=p.start + ticks) for p in parts])


def legato(session: Session, chosen: Chosen) -> Edited:
    """Let each note last until the next chosen one of its track begins; the last stay as they are.

    Notes that begin all but together are a chord, which lasts until the next.
    """
    to_seconds, to_ticks = session.tempo_map.seconds_array, session.tempo_map.exact_ticks_array

    def change(parts: list[Columns]) -> list[Columns]:
        changed = []
        for part in parts:
            end = part.end.copy()
            for voice in _voices(session, part):
                start = part.start[voice]
                onsets = np.unique(start)
                after = np.searchsorted(onsets, to_ticks(to_seconds(start) + _CHORD), side="right")
                ends = np.append(onsets, np.inf)[after]
                end[voice] = np.where(np.isfinite(ends), ends, end[voice])
            changed.append(replace(part, end=end))
        return changed

    return change_notes(session, chosen, change)


def _voices(session: Session, part: Columns) -> list[NDArray[np.intp]]:
    """Which of the chosen notes of a part are of each track: a take may play on several."""
    if isinstance(part.part, int):
        return [np.arange(len(part.places))]
    notes = session.take(part.part).notes
    numbers: dict[object, int] = {}
    number = np.array([numbers.setdefault(notes[i].track, len(numbers)) for i in part.places])
    return [np.flatnonzero(number == each) for each in range(len(numbers))]


def reverse(session: Session, chosen: Chosen) -> Edited:
    """Play notes backwards: where the first began, the last ends. None begins before the start of its part."""

    def change(parts: list[Columns]) -> list[Columns]:
        around = min(part.start.min() for part in parts) + max(part.end.max() for part in parts)
        late = max(part.first - (around - part.end.max()) for part in parts)
        around += max(late, 0.0)
        return [replace(part, start=around - part.end, end=around - part.start) for part in parts]

    return change_notes(session, chosen, change)


def stretch(session: Session, chosen: Chosen, percent: float) -> Edited:
    """Multiply times and lengths, counted from where the first note begins."""
    limit = min(session.tempo_map.exact_tick(LATEST), LATEST_TICK)

    def change(parts: list[Columns]) -> list[Columns]:
        first = min(part.start.min() for part in parts)

        def moved(at: Ticks) -> Ticks:
            return np.minimum(first + (at - first) * percent / 100, np.maximum(at, limit))

        return [replace(p, start=(s := moved(p.start)), end=np.maximum(moved(p.end), s + 1)) for p in parts]

    return change_notes(session, chosen, change)


def humanise(session: Session, chosen: Chosen, milliseconds: float, seed: int) -> Edited:
    """Move starts at random by at most so much, and velocities by at most half as many steps; lengths in ticks stay."""
    random = np.random.default_rng(seed)
    tempo_map = session.tempo_map

    def change(parts: list[Columns]) -> list[Columns]:
        changed = []
        for part in parts:
            by = random.uniform(-milliseconds, milliseconds, len(part.start)) / 1000
            seconds = np.maximum(tempo_map.seconds_array(part.start) + by, 0.0)
            start = np.maximum(tempo_map.exact_ticks_array(seconds), part.first)
            loudness = part.velocity + random.uniform(-milliseconds / 2, milliseconds / 2, len(part.start))
            velocity = np.clip(np.rint(loudness), 1, 127).astype(np.int64)
            changed.append(replace(part, start=start, end=part.end + (start - part.start), velocity=velocity))
        return changed

    return change_notes(session, chosen, change)


def swing(session: Session, chosen: Chosen, percent: float) -> Edited:
    """Let off-beat eighths begin so far into their quarter (50: straight, 67: as triplets); all between goes along.

    Quarters are counted from the start of each bar. Notes are as long as they were, but those that end where another
    begins go on to do so, and none sounds into the next of its pitch that did not.
    """
    share = min(max(percent, 1.0), 99.0) / 100
    tempo_map = session.tempo_map

    def swung(at: Ticks) -> Ticks:
        low = _quarter_starts(tempo_map, at)
        quarter = float(tempo_map.ticks_per_quarter)
        place = (at - low) / quarter
        return low + quarter * np.where(place < 0.5, place * 2 * share, share + (place - 0.5) * 2 * (1 - share))

    def change(parts: list[Columns]) -> list[Columns]:
        changed = []
        for part in parts:
            start = np.maximum(swung(part.start), part.first)
            touches = np.isin(np.rint(part.end), np.rint(part.start))
            end = np.where(touches, swung(part.end), start + (part.end - part.start))
            order = np.lexsort((part.start, part.pitch))
            one, after = order[:-1], order[1:]  # of one pitch, one after the other
            apart = (part.pitch[one] == part.pitch[after]) & (part.end[one] <= part.start[after])
            end[one] = np.where(apart, np.minimum(end[one], start[after]), end[one])
            changed.append(replace(part, start=start, end=np.maximum(end, start + 1)))
        return changed

    return change_notes(session, chosen, change)


def _quarter_starts(tempo_map: TempoMap, ticks: Ticks) -> Ticks:
    """The tick of the quarter, counted from its bar's start, that each tick lies in."""
    starts = np.empty_like(ticks)
    low = high = 0  # the bar at hand
    quarter = tempo_map.ticks_per_quarter
    for i, tick in enumerate(ticks.tolist()):
        if not low <= tick < high:
            low, high = tempo_map.bar_around(int(tick))
        starts[i] = low + (tick - low) // quarter * quarter
    return starts


def join(session: Session, chosen: Chosen) -> Edited:
    """Make one note of all that are chosen of a pitch and part: from the first's start to the latest end."""
    now: dict[Part, list[int]] = {}
    for part, places in notes_there(session, chosen).items():
        notes: Any = part_notes(session, part)
        by_pitch = sorted((notes[i] for i in places), key=lambda n: (n.pitch, getattr(n, "track", None) or (-1, -1)))
        joined = []
        for _, group in groupby(by_pitch, key=lambda n: (n.pitch, getattr(n, "track", None))):
            joined.append(_joined(list(group)))
        session, at = put(session, part, places, joined) if len(joined) < len(places) else (session, {part: places})
        now |= at
    return Edited(session, now)


def _joined(notes: list[Any]) -> Any:
    """One note for several of a pitch."""
    first, last = min(notes, key=lambda n: n.start), max(notes, key=lambda n: n.end)
    if first is last or not hasattr(first, "end_tick"):
        return replace(first, end=last.end)
    return replace(first, end=last.end, end_tick=last.end_tick, release=last.release)
