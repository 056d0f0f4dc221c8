"""Moving notes to a grid; as the edits of `edits`, on tracks and takes alike."""

from dataclasses import dataclass, replace
from math import floor
from typing import Literal

import numpy as np

from core.errors import UsageError
from core.midi.grid import NOTE_VALUES
from core.midi.tempo_map import TempoMap
from core.session.edits import Chosen, Columns, Edited, Ticks, change_notes, notes_there
from core.session.session import Session

QUANTISE_GRIDS = ("1/4", "1/4t", "1/8", "1/8t", "1/16", "1/16t", "1/32", "1/32t")  # of NOTE_VALUES
Edges = Literal["starts", "ends", "both"]
STRAIGHT = 50  # per cent of swing


@dataclass(frozen=True)
class Quantisation:
    """How notes go to a grid: one of QUANTISE_GRIDS, with `what` of them, how far (`strength` in per cent of the way).

    `swing` says where in a pair of lines the second lies, in per cent: 50 is straight, 67 as triplets, which
    themselves have none.
    """

    grid: str = "1/16"
    what: Edges = "starts"
    strength: int = 100
    swing: int = STRAIGHT


def quantise(session: Session, chosen: Chosen, to: Quantisation) -> Edited:
    """Move starts, ends or both toward the nearest line of a grid, counted from their bar's start.

    Where only starts move, notes keep their length in ticks; none becomes shorter than a tick. A take's first line is
    the first at or after its marker. Raises UsageError for another grid.
    """
    if to.grid not in QUANTISE_GRIDS:
        raise UsageError(f'"{to.grid}" is not a grid: use one of {", ".join(QUANTISE_GRIDS)}.')
    tempo_map = session.tempo_map
    step = float(tempo_map.ticks_per_quarter * NOTE_VALUES[to.grid])
    share = 0.5 if to.grid.endswith("t") else min(max(to.swing, 1), 99) / 100
    lines = _Lines(tempo_map, step, share)
    strength = min(max(to.strength, 0), 100) / 100

    def change(parts: list[Columns]) -> list[Columns]:
        return [_quantised(part, lines, to.what, strength) for part in parts]

    return change_notes(session, chosen, change) if strength else Edited(session, notes_there(session, chosen))


def _quantised(part: Columns, lines: "_Lines", what: Edges, strength: float) -> Columns:
    start, end = part.start, part.end
    if what != "ends":
        start = start + (lines.nearest(start, np.full_like(start, part.first)) - start) * strength
    if what == "starts":
        return replace(part, start=start, end=end + (start - part.start))
    wanted = lines.nearest(end, np.nextafter(start, np.inf))
    return replace(part, start=start, end=np.maximum(end + (wanted - end) * strength, start + 1))


class _Lines:
    """The lines of a grid: pairs, `step` ticks apart on average, the second `share` of the way to the next pair.

    They are counted from each bar's start; a bar line is a line, whatever the metre.
    """

    def __init__(self, tempo_map: TempoMap, step: float, share: float) -> None:
        self._tempo_map, self._pair, self._share = tempo_map, 2 * step, share

    def nearest(self, ticks: Ticks, least: Ticks) -> Ticks:
        """For each tick the nearest line at or after the least that it may be."""
        found = np.empty_like(ticks)
        low = high = 0  # the bar that holds the tick at hand
        for i, (tick, first) in enumerate(zip(ticks.tolist(), least.tolist(), strict=True)):
            at = max(tick, first)
            if not low <= at < high:
                low, high = self._tempo_map.bar_around(int(at))
            about = [line for line in self._about(at, low, high) if line >= first]
            found[i] = min(about, key=lambda line: abs(line - tick))
        return found

    def _about(self, tick: float, low: int, high: int) -> list[int]:
        """The lines of a bar before and after a tick in it."""
        pair = floor((tick - low) / self._pair)
        places = ((pair + k) * self._pair + second * self._share * self._pair for k in (0, 1) for second in (0, 1))
        return [*(line for place in places if (line := low + round(place)) < high), high]
