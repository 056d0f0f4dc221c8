"""Ticks <-> seconds <-> bars: the tempo and metre of one MIDI file."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEFAULT_TEMPO = 500_000  # microseconds per quarter: 120 bpm, what a file without a tempo plays at
DEFAULT_DIVISION = 480


class Tempo(NamedTuple):
    """A tempo from `tick` on."""

    tick: int
    microseconds_per_quarter: int

    @property
    def bpm(self) -> float:
        """Quarters per minute."""
        return 60e6 / self.microseconds_per_quarter


class Metre(NamedTuple):
    """A time signature from `tick` on, which is a bar line."""

    tick: int
    numerator: int
    denominator: int


_ON_THE_BEAT = 0.02  # of a beat: so little beside one a place reads as being on it
_FINE = 8  # ticks of a beat in which a tick is little; where a beat has fewer, each is a place of its own


class _Bars(NamedTuple):
    """Bars of one length: bar `first + k` starts at `tick + round(k * length / parts)`."""

    tick: int
    first: int
    length: int  # a bar is length / parts ticks long, which is not always a whole number
    parts: int
    metre: Metre

    def start(self, k: int) -> int:
        return self.tick + (2 * k * self.length + self.parts) // (2 * self.parts)

    def count_at(self, tick: int) -> int:
        """The largest k with start(k) <= tick; rounding moves a start by half a tick at most."""
        k = (tick - self.tick) * self.parts // self.length
        return k + 1 if self.start(k + 1) <= tick else k - (self.start(k) > tick)


@dataclass(frozen=True)
class TempoMap:
    """Where each tick of a file falls in seconds and in bars.

    `division` is the 16-bit word of the file's header: ticks per quarter, or (top bit set) SMPTE
    frames per second and ticks per frame, where a tick lasts the same whatever the tempo says.
    `tempos` and `metres` are sorted by tick when made (of two at one tick the later given counts);
    before the first of them 120 bpm and 4/4 hold, after the last it holds for ever.
    """

    division: int = DEFAULT_DIVISION
    tempos: tuple[Tempo, ...] = ()
    metres: tuple[Metre, ...] = ()

    def __post_init__(self) -> None:
        """Sort what was given. Raises ValueError for a division, tempo or metre that cannot be."""
        if not (0 < self.division < 0x8000 or (0x8000 <= self.division <= 0xFFFF and self.division & 0xFF)):
            raise ValueError(f"no such division: {self.division}")
        tempos = tuple({t.tick: t for t in sorted(self.tempos, key=lambda t: t.tick)}.values())
        metres = tuple({m.tick: m for m in sorted(self.metres, key=lambda m: m.tick)}.values())
        if any(t.tick < 0 or t.microseconds_per_quarter < 1 for t in tempos):
            raise ValueError("a tempo must be at least 1 us per quarter, at tick 0 or later")
        if any(m.tick < 0 or m.numerator < 1 or m.denominator < 1 for m in metres):
            raise ValueError("a metre must have a positive numerator and denominator, at tick 0 or later")
        object.__setattr__(self, "tempos", tempos)
        object.__setattr__(self, "metres", metres)

    # What the file states

    @property
    def is_smpte(self) -> bool:
        """Whether ticks are parts of a film frame rather than of a quarter."""
        return self.division >= 0x8000

    @property
    def has_metre(self) -> bool:
        """Whether the file states a time signature."""
        return bool(self.metres)

    @cached_property
    def ticks_per_quarter(self) -> int:
        """Ticks per quarter; with SMPTE division those of half a second, a quarter at 120 bpm."""
        return max(1, round(self._smpte_ticks_per_second / 2)) if self.is_smpte else self.division

    @property
    def _smpte_ticks_per_second(self) -> float:
        frames = 256 - (self.division >> 8)
        # 29 stands for "30 drop": 30 frames numbered in the time of 29.97.
        return (30_000 / 1001 if frames == 29 else frames) * (self.division & 0xFF)

    def tempo_at(self, tick: int) -> int:
        """Microseconds per quarter that hold at `tick`."""
        i = bisect_right(self.tempos, tick, key=lambda t: t.tick) - 1
        return self.tempos[i].microseconds_per_quarter if i >= 0 else DEFAULT_TEMPO

    def metre_at(self, tick: int) -> Metre:
        """The metre that holds at `tick`, with the tick it was stated at."""
        i = bisect_right(self.metres, tick, key=lambda m: m.tick) - 1
        return self.metres[i] if i >= 0 else Metre(0, 4, 4)

    # Ticks <-> seconds

    @cached_property
    def _segments(self) -> tuple[list[int], list[float], list[float]]:
        """Start tick, start second and seconds per tick of each stretch of constant tempo."""
        if self.is_smpte:
            return [0], [0.0], [1 / self._smpte_ticks_per_second]
        tempos = self.tempos if self.tempos and self.tempos[0].tick == 0 else (Tempo(0, DEFAULT_TEMPO), *self.tempos)
        scale = self.division * 1_000_000
        starts, elapsed = [0.0], 0  # elapsed in ticks x microseconds: whole numbers, so nothing drifts
        for before, after in pairwise(tempos):
            elapsed += (after.tick - before.tick) * before.microseconds_per_quarter
            starts.append(elapsed / scale)
        return [t.tick for t in tempos], starts, [t.microseconds_per_quarter / scale for t in tempos]

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        ticks, starts, slopes = self._segments
        return np.array(ticks, np.float64), np.array(starts, np.float64), np.array(slopes, np.float64)

    def seconds(self, tick: int) -> float:
        """When `tick` comes, in seconds from the start of the file."""
        ticks, starts, slopes = self._segments
        i = max(bisect_right(ticks, tick) - 1, 0)
        return starts[i] + (tick - ticks[i]) * slopes[i]

    def tick(self, seconds: float) -> int:
        """The tick nearest to `seconds`, never below 0."""
        return max(0, round(self.exact_tick(seconds)))

    def exact_tick(self, seconds: float) -> float:
        """The tick at `seconds`, not rounded."""
        ticks, starts, slopes = self._segments
        i = max(bisect_right(starts, seconds) - 1, 0)
        return ticks[i] + (seconds - starts[i]) / slopes[i]

    def moved(self, seconds: float, to: "TempoMap") -> float:
        """When what is at a time here comes in another map, in which it stays on its tick."""
        return float(to.seconds_array([self.exact_tick(seconds)])[0])

    def seconds_array(self, ticks: ArrayLike) -> NDArray[np.float64]:
        """`seconds` for many ticks at once: (n,) -> (n,), the very same values."""
        at = np.asarray(ticks, np.float64)
        bounds, starts, slopes = self._arrays
        i = np.maximum(np.searchsorted(bounds, at, side="right") - 1, 0)
        return starts[i] + (at - bounds[i]) * slopes[i]

    def ticks_array(self, seconds: ArrayLike) -> NDArray[np.int64]:
        """`tick` for many times at once: (n,) -> (n,)."""
        return np.maximum(np.rint(self.exact_ticks_array(seconds)), 0).astype(np.int64)

    def exact_ticks_array(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """`exact_tick` for many times at once: (n,) -> (n,)."""
        at = np.asarray(seconds, np.float64)
        bounds, starts, slopes = self._arrays
        i = np.maximum(np.searchsorted(starts, at, side="right") - 1, 0)
        return bounds[i] + (at - starts[i]) / slopes[i]

    # Ticks <-> bars

    @cached_property
    def _bars(self) -> list[_Bars]:
        """Stretches of bars of one length. A change of metre starts a bar, wherever it stands."""
        stretches: list[_Bars] = []
        for metre in (Metre(0, 4, 4), *self.metres):
            length, parts = metre.numerator * 4 * self.ticks_per_quarter, metre.denominator
            if length < parts:  # bars are at least a tick long
                length = parts
            first = 0
            if stretches:
                last = stretches[-1]
                if metre[1:] == last.metre[1:]:
                    continue  # stated again, often once per track: no new bar line
                if metre.tick == last.tick:
                    first = last.first
                    stretches.pop()
                else:
                    whole = last.count_at(metre.tick)
                    first = last.first + whole + (last.start(whole) < metre.tick)
            stretches.append(_Bars(metre.tick, first, length, parts, metre))
        return stretches

    def _stretch_at(self, tick: int) -> int:
        return max(bisect_right(self._bars, tick, key=lambda b: b.tick) - 1, 0)

    def until(self, tick: int) -> "TempoMap":
        """The map without what changes at `tick` or later: what holds there then holds for ever."""
        return TempoMap(
            self.division,
            tuple(t for t in self.tempos if t.tick < tick),
            tuple(m for m in self.metres if m.tick < tick),
        )

    def bar_beat(self, tick: int) -> tuple[int, float]:
        """Bar (the first is 0) and beat in it (from 0.0, in units of the metre's denominator)."""
        bars = self._bars[self._stretch_at(tick)]
        k = bars.count_at(tick)
        return bars.first + k, (tick - bars.start(k)) * bars.parts * bars.metre.numerator / bars.length

    def bar_beat_read(self, tick: int) -> tuple[int, float]:
        """`bar_beat` as users read it: a place that all but lies on a beat counts as that beat."""
        bars = self._bars[self._stretch_at(tick)]
        beat = bars.length / (bars.parts * bars.metre.numerator)  # ticks
        slack = max(int(_ON_THE_BEAT * beat), int(beat >= _FINE))
        behind, ahead = self.bar_beat(max(tick - slack, 0)), self.bar_beat(tick + slack)
        if (ahead[0], int(ahead[1])) != (behind[0], int(behind[1])):
            return ahead[0], float(int(ahead[1]))
        return self.bar_beat(tick)

    def bar_tick(self, bar: int) -> int:
        """Tick at which bar `bar` starts (the first is 0)."""
        i = max(bisect_right(self._bars, bar, key=lambda b: b.first) - 1, 0)
        return self._bars[i].start(bar - self._bars[i].first)

    def bar_around(self, tick: int) -> tuple[int, int]:
        """The ticks at which the bar that holds `tick` and the bar after it start."""
        bar = self.bar_beat(tick)[0]
        return self.bar_tick(bar), self.bar_tick(bar + 1)

    def next_bar_tick(self, tick: int) -> int:
        """The first bar line at or after `tick`."""
        start, after = self.bar_around(tick)
        return start if start == tick else after
