"""How the steps of a sequence lie in time: 10 ms apart, or scaled so that a metre's grid falls on whole steps."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from core.codec.vocabulary import STEPS_PER_SECOND
from core.midi.grid import Grid


@dataclass(frozen=True)
class Steps:
    """Step n of a sequence comes at `offset` + n / `rate` seconds, up to the first of the `changes`.

    A change is (place, seconds at it, seconds that a step lasts from there); a place is a step, not always a whole one.
    `lines` says for each step of one quarter, from step 0 on and then over again, whether a note may
    begin there; without any, one may begin at every step. Step 0 is `into` steps into a quarter.
    """

    rate: float = STEPS_PER_SECOND
    offset: float = 0.0
    lines: tuple[bool, ...] = ()
    into: int = 0
    changes: tuple[tuple[float, float, float], ...] = ()

    def seconds(self, step: int) -> float:
        """When a step comes. It is counted from the start each time, so that nothing drifts."""
        if self.changes and step >= self.changes[0][0]:
            place, at, length = self.changes[bisect_right(self.changes, step, key=itemgetter(0)) - 1]
            return at + (step - place) * length
        return self.offset + step / self.rate

    def place(self, seconds: float) -> float:
        """Where among the steps a time lies, not rounded: the inverse of `seconds`, negative before step 0."""
        if self.changes and seconds >= self.changes[0][1]:
            place, at, length = self.changes[bisect_right(self.changes, seconds, key=itemgetter(1)) - 1]
            return place + (seconds - at) / length
        return (seconds - self.offset) * self.rate

    def span(self, seconds: float) -> int:
        """How many steps so much time lasts, rounded, and at least one."""
        return max(1, int(seconds * self.rate + 0.5))

    def to_line(self, step: int) -> int:
        """Steps from a step to the first line at or after it."""
        return self._to_line[step % len(self.lines)] if self.lines else 0

    def since_line(self, step: int) -> int:
        """Steps from the last line at or before a step up to it."""
        return self._since_line[step % len(self.lines)] if self.lines else 0

    @cached_property
    def _to_line(self) -> list[int]:
        return [(self.lines[i:] + self.lines[:i]).index(True) for i in range(len(self.lines))]

    @cached_property
    def _since_line(self) -> list[int]:
        return [(self.lines[i::-1] + self.lines[:i:-1]).index(True) for i in range(len(self.lines))]


PLAIN = Steps()


def gridded_steps(grid: Grid, marker: float) -> Steps:
    """The steps of a take that begins at `marker` (score seconds), scaled so that all lines of a grid are whole steps.

    A quarter becomes the nearest number of steps that sixteenths, and triplets if the grid has any, divide.
    Step 0 is the first at or after the marker.
    """
    parts = math.lcm(4, *grid.parts)
    quarter = parts * max(1, round(grid.quarter * STEPS_PER_SECOND / parts))
    rate = quarter / grid.quarter
    into = (marker - grid.line) * rate
    first = math.ceil(into - 1e-6)
    lines = [any((first + i) % (quarter // count) == 0 for count in grid.parts) for i in range(quarter)]
    offset = max(0.0, (first - into) / rate)
    return Steps(rate, offset, tuple(lines), first % quarter, _changes(grid, quarter, first - into, rate))


def _changes(grid: Grid, quarter: int, before: float, rate: float) -> tuple[tuple[float, float, float], ...]:
    """The tempo changes of a grid as those of steps: `quarter` of them are one, and `before` lie before step 0."""
    changes: list[tuple[float, float, float]] = []
    place, at, length = -before, 0.0, 1 / rate  # the marker
    for quarters, seconds in grid.changes:
        here = quarters * quarter - before
        place, at, length = here, at + (here - place) * length, seconds / quarter
        changes.append((place, at, length))
    return tuple(changes)
