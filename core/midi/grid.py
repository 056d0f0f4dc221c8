"""Whether music lies on its metre's grid, on which lines of it, and from where a score is continued."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.midi.score import Note, Score, Track
from core.midi.tempo_map import TempoMap

# How many quarters each note value lasts; t: triplets, d: dotted.
NOTE_VALUES = {
    f"1/{part}{mark}": Fraction(4, part) * factor
    for part in (2, 4, 8, 16, 32, 64)
    for mark, factor in (("", Fraction(1)), ("t", Fraction(2, 3)), ("d", Fraction(3, 2)))
}
# The grids to continue on that a user may ask for, and into how many equal parts each divides a quarter.
GRIDS = {name: int(1 / NOTE_VALUES[name]) for name in ("1/4", "1/8", "1/16", "1/32", "1/8t", "1/16t")}
GRID_CHOICES = ("auto", "off", *GRIDS)

TAKE_BARS = 8  # length of a take if nobody says otherwise

_SHARE_ON_GRID = 0.9
_SHARE_EXPLAINED = 0.95
# Grids that a prompt may be found to lie on, the plainest first.
_LIKELY = ((4,), (6,), (4, 6), (8,), (8, 6))
_MOST_COVERED = 0.7
_SEEN = 512  # notes before the marker that tell the grid: about as many as a model looks back on
_TOLERANCE = 1 / 240  # of a quarter: 2 ticks of 480
_FEWEST_TICKS = 12  # of a quarter: with fewer there is hardly a place off the grid
_HOLDS = 2  # quarters that a tempo lasts on average, at least, where it is one to go on at
_CLOSEST = 0.005  # seconds between two lines; closer ones lie within a step of the codec
_HAIR = 1 / 16  # of a quarter: what an overlap between two played or drawn notes may be


def is_gridded(score: Score) -> bool:
    """Whether at least 90 % of the note onsets (drums aside) lie on sixteenths or their triplets.

    A played score comes out false: the lines and the tolerance cover 7 % of its time. Files of fewer
    than 12 ticks per quarter have hardly a place off the grid, so nothing can be told: false.
    """
    tempo_map = score.tempo_map
    quarter = tempo_map.ticks_per_quarter
    if tempo_map.is_smpte or quarter < _FEWEST_TICKS:
        return False
    onsets = {note.start_tick for track in score.tracks if not track.is_percussion for note in track.notes}
    return bool(onsets) and _share_on_lines(onsets, quarter, (4, 6)) >= _SHARE_ON_GRID


def _share_on_lines(onsets: Iterable[int], quarter: int, parts: Sequence[int]) -> float:
    """The share of the onsets (ticks) that lie on the lines of a grid; `quarter` in ticks."""
    ticks = np.array(sorted(onsets), np.float64)
    # Lines that do not fall on a tick were rounded to one when the file was written.
    tolerance = max(quarter * _TOLERANCE, 0.5)
    on_lines: NDArray[np.bool_] = np.zeros(len(ticks), bool)
    for count in parts:
        step = quarter / count
        slack = tolerance if step % 1 or tolerance >= 1 else 0.0
        on_lines |= np.abs(ticks - np.rint(ticks / step) * step) <= slack
    return float(on_lines.mean())


@dataclass(frozen=True, slots=True)
class Grid:
    """The lines that notes begin on: a quarter lasts `quarter` seconds, and one begins at `line` (score seconds).

    Each is divided into as many equal parts as `parts` says, in each of the ways it says: (4,) are
    sixteenths, (4, 6) sixteenths and their triplets. `changes` are the tempi from the marker on that are others than
    the prompt's: (quarters from the marker, seconds that a quarter lasts from there), in order.
    """

    quarter: float
    line: float
    parts: tuple[int, ...]
    changes: tuple[tuple[float, float], ...] = ()

    @property
    def name(self) -> str:
        """The grid as users know it, such as "1/16" or "1/16+1/16t"."""
        names = {parts: name for name, parts in GRIDS.items()}
        return "+".join(names[parts] for parts in self.parts)


def find_grid(
    tempo_map: TempoMap,
    tracks: Sequence[Track],
    marker: float,
    start: float | None = None,
    wanted: str = "auto",
) -> Grid | None:
    """The grid to continue a prompt on: tracks from `start` to `marker` (seconds), as `encode_prompt` takes them.

    `tempo_map` is the one that holds under the take: its lines lie where that says, whatever changes on the way.

    "auto" finds out whether the prompt's last notes lie on the lines of their metre, and on which, never coarser than
    sixteenths: None for any other prompt, as for "off", and where tempi do not hold for two quarters on average, as in
    one that follows a performance: they say nothing of the tempo to come. One of `GRIDS` is taken at its word. Where
    the tempo is so fast that its lines would lie closer than 5 ms, there is none. Raises UsageError for what is none of
    GRID_CHOICES.
    """
    if wanted not in GRID_CHOICES:
        raise UsageError(f'There is no grid called "{wanted}"; choose one of {", ".join(GRID_CHOICES)}.')
    if wanted == "off":
        return None
    parts = (GRIDS[wanted],) if wanted in GRIDS else _parts(tempo_map, tracks, marker, start)
    if parts is None:
        return None
    # The prompt is read at the tempo that holds up to its marker.
    division = tempo_map.ticks_per_quarter
    last = max(tempo_map.tick(marker) - 1, 0)
    quarter = tempo_map.seconds(last + division) - tempo_map.seconds(last)
    if not tempo_map.is_smpte:
        quarter = tempo_map.tempo_at(last) / 1e6
    if quarter / math.lcm(4, *parts) < _CLOSEST:
        return None
    into = round(tempo_map.exact_tick(marker), 6) % division
    return Grid(quarter, marker - into * quarter / division, parts, _changes(tempo_map, marker, quarter))


def _changes(tempo_map: TempoMap, marker: float, quarter: float) -> tuple[tuple[float, float], ...]:
    """The tempi from the marker on, as in `Grid`, if they are others than a quarter of so many seconds."""
    if tempo_map.is_smpte:
        return ()
    first, division = tempo_map.tick(marker), tempo_map.ticks_per_quarter
    at = max(tempo_map.exact_tick(marker), 0.0)
    changes: list[tuple[float, float]] = []
    for tempo in tempo_map.tempos:
        seconds = tempo.microseconds_per_quarter / 1e6
        if tempo.tick >= first and seconds != (changes[-1][1] if changes else quarter):
            changes.append((max((tempo.tick - at) / division, 0.0), seconds))
    return tuple(changes)


def _parts(tempo_map: TempoMap, tracks: Sequence[Track], marker: float, start: float | None) -> tuple[int, ...] | None:
    """The plainest grid that the last notes of a prompt lie on; None if there is none, or if no tempo holds."""
    quarter = tempo_map.ticks_per_quarter
    if tempo_map.is_smpte or quarter < _FEWEST_TICKS:
        return None
    onsets = sorted(
        note.start_tick
        for track in tracks
        if not track.is_percussion
        for note in track.notes
        if note.start < marker and (start is None or note.start >= start)
    )[-_SEEN:]
    if not onsets:
        return None
    last = tempo_map.tick(marker)
    tempi = [tempo_map.tempo_at(onsets[0])]
    tempi += [tempo.microseconds_per_quarter for tempo in tempo_map.tempos if onsets[0] < tempo.tick < last]
    changes = sum(after != before for before, after in pairwise(tempi))
    if changes * _HOLDS > (last - onsets[0]) / quarter:
        return None
    # Lines that take up most of a quarter's few ticks tell nothing.
    telling = [parts for parts in _LIKELY if _share_on_lines(range(quarter), quarter, parts) < _MOST_COVERED]
    shares = {parts: _share_on_lines(set(onsets), quarter, parts) for parts in telling}
    for parts, share in shares.items():
        if share >= _SHARE_EXPLAINED:
            return parts
    best = max(telling, key=lambda parts: shares[parts])
    return best if shares[best] >= _SHARE_ON_GRID else None


def is_hair(ticks: int, tempo_map: TempoMap) -> bool:
    """Whether so many ticks are too short to count: a 64th at most."""
    return ticks <= tempo_map.ticks_per_quarter * _HAIR


def prompt_notes(score: Score, tracks: Collection[int] | None = None) -> list[Note]:
    """The notes of the chosen tracks (indices of `score.tracks`; None for all), drums left out."""
    return [
        note
        for i, track in enumerate(score.tracks)
        if (tracks is None or i in tracks) and not track.is_percussion
        for note in track.notes
    ]


def default_marker(score: Score, tracks: Collection[int] | None = None) -> float:
    """Where a continuation starts if nobody says otherwise, in seconds.

    That is the end of the last note of the chosen tracks (drums and pedal aside), and in a gridded
    score the next bar line at or after it; a note that ends a hair past a bar line skips no bar, unless it
    begins there: the marker lies after the last onset.
    """
    notes = prompt_notes(score, tracks)
    onset = max((note.start_tick for note in notes), default=-1)
    end = max((note.end_tick for note in notes), default=0)
    end = max(end, onset + 1)
    tempo_map = score.tempo_map
    if not is_gridded(score):
        return tempo_map.seconds(end)
    this_bar, _ = tempo_map.bar_around(end)
    is_over = onset < this_bar and is_hair(end - this_bar, tempo_map)
    tick = this_bar if is_over else tempo_map.next_bar_tick(end)
    return tempo_map.seconds(tick)


def take_end(tempo_map: TempoMap, marker: int, bars: int = TAKE_BARS) -> int | None:
    """The bar line (tick) that a take from `marker` (tick) ends on, nearest to so many bars; None without a metre."""
    if not tempo_map.has_metre or tempo_map.is_smpte:
        return None
    bar = tempo_map.bar_beat(marker)[0]
    start, following = tempo_map.bar_tick(bar), tempo_map.bar_tick(bar + 1)
    return tempo_map.bar_tick(bar + bars + (2 * (marker - start) > following - start))
