"""Bar and beat lines over time, the ruler's labels, and snapping to them. Of Qt it has only words translated."""

from collections.abc import Callable
from functools import lru_cache
from math import ceil, floor, log2
from statistics import median
from typing import Literal, NamedTuple, get_args

from PySide6.QtCore import QCoreApplication

from core.midi.grid import NOTE_VALUES
from core.midi.tempo_map import TempoMap

Snap = Literal[
    "bar", "1/2", "1/4", "1/8", "1/16", "1/32", "1/64", "1/4t", "1/8t", "1/16t", "1/32t",
    "1/4d", "1/8d", "1/16d", "adaptive", "off",
]  # fmt: skip
SNAPS: tuple[Snap, ...] = get_args(Snap)  # as in NOTE_VALUES; adaptive: as fine as there is room for
DEFAULT_SNAP: Snap = "1/16"

BAR, BEAT, PART = 2, 1, 0  # strength of a line
_LABEL_WIDTH = 56.0  # pixels from one label to the next, at least
_BAR_WIDTH, _BEAT_WIDTH, _PART_WIDTH = 7.0, 11.0, 6.0  # pixels between lines, at least
_ADAPTIVE_WIDTH = 15.0  # the same between those of "adaptive"
_RULER_WIDTH = 10.0  # the same between lines that the playhead goes to: they are hit without Alt
_BAR_REACH = 8.0  # pixels beside a bar line that draw to it
_NEAR_BAR = 300.0  # pixels of a bar that is so wide that a part of it may be selected
_FINEST = 1 / 16  # of a quarter: how fine "adaptive" becomes
_SAMPLES = 64  # tempos looked at to find the usual length of a bar
_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


class Line(NamedTuple):
    """A line of the grid: where, how strong, and what the ruler says there (often nothing)."""

    seconds: float
    strength: int
    label: str = ""


class GridLines:
    """The lines of one tempo map: bars and beats, or seconds if the file states no metre.

    How dense they are follows the zoom; what is a line at one zoom is one at every nearer zoom.
    """

    def __init__(self, tempo_map: TempoMap, snap: Snap = DEFAULT_SNAP, zoom: float = 100.0) -> None:
        self.tempo_map = tempo_map
        self.snap: Snap = snap
        self.zoom = zoom  # pixels a second, which the lines of "adaptive" follow
        self._starts: dict[int, float] = {}  # second of each bar line asked for so far
        self._last: tuple[tuple[float, float, float], list[Line]] | None = None
        self._zoom = 0.0
        self._found: dict[int, tuple[list[Line], int]] = {}  # at that zoom: a bar's lines, and bars to the next
        places = [tempo.tick for tempo in tempo_map.tempos[:_SAMPLES]] or [0]
        # In seconds. One usual length for all bars keeps the lines even when the tempo breathes.
        self._usual = median(self._length(tempo_map.bar_beat(tick)[0]) for tick in places)

    @property
    def has_bars(self) -> bool:
        """Whether the lines are bars and beats rather than seconds."""
        return self.tempo_map.has_metre

    # Lines

    def lines(self, start: float, end: float, pixels_per_second: float) -> list[Line]:
        """The lines in [start, end) at this zoom, in order."""
        asked = (start, end, pixels_per_second)
        if self._last is None or self._last[0] != asked:  # tiles above each other ask for the same
            self._last = asked, self._find_lines(max(start, 0.0), end, pixels_per_second)
        return self._last[1]

    def _find_lines(self, start: float, end: float, pixels_per_second: float) -> list[Line]:
        if end <= start:
            return []
        if not self.has_bars:
            return _second_lines(start, end, pixels_per_second)
        if pixels_per_second != self._zoom:
            self._zoom = pixels_per_second
            self._found.clear()
        lines: list[Line] = []
        bar = self._bar_at(start)
        while self._start(bar) < end:
            found = self._found.get(bar)
            if found is None:
                found = self._found[bar] = self._lines_of(bar, pixels_per_second)
            lines += found[0]
            bar += found[1]
        return [line for line in lines if start <= line.seconds < end]

    def _lines_of(self, bar: int, pixels_per_second: float) -> tuple[list[Line], int]:
        """The lines of one bar, and how many bars on the next one with lines is."""
        width = self._even_length(bar) * pixels_per_second
        stride = _stride(width, _BAR_WIDTH)
        lines: list[Line] = []
        if bar % stride == 0:
            label = str(bar + 1) if bar % _stride(width, _LABEL_WIDTH) == 0 else ""
            lines.append(Line(self._start(bar), BAR, label))
        if width >= 2 * _BEAT_WIDTH:
            lines += self._beats(bar, pixels_per_second)
        return lines, stride - bar % stride

    def _bar_at(self, seconds: float) -> int:
        return self.tempo_map.bar_beat(self.tempo_map.tick(seconds))[0]

    def _start(self, bar: int) -> float:
        start = self._starts.get(bar)
        if start is None:
            start = self._starts[bar] = self.tempo_map.seconds(self.tempo_map.bar_tick(bar))
        return start

    def _length(self, bar: int) -> float:
        return self._start(bar + 1) - self._start(bar)

    def _even_length(self, bar: int) -> float:
        length = self._length(bar)
        return self._usual if length > 0.6 * self._usual else length

    def _beats(self, bar: int, pixels_per_second: float) -> list[Line]:
        tick, after = self.tempo_map.bar_tick(bar), self.tempo_map.bar_tick(bar + 1)
        beats = self._beats_of(bar)
        beat = (after - tick) / beats
        width = self._even_length(bar) * pixels_per_second / beats
        if width < _BEAT_WIDTH:
            return []
        lines = []
        for k in range(1, beats):
            label = f"{bar + 1}.{k + 1}" if width >= _LABEL_WIDTH else ""
            lines.append(Line(self.tempo_map.seconds(tick + round(k * beat)), BEAT, label))
        step = self._shown_step(bar, width / beat)
        known = {round(k * beat) for k in range(beats)}
        for k in range(1, ceil((after - tick) / step) if step else 0):
            if (place := round(k * step)) not in known:
                lines.append(Line(self.tempo_map.seconds(tick + place), PART))
        return sorted(lines)

    def _beats_of(self, bar: int) -> int:
        """How many beats a bar has: fewer where a change cut it short."""
        return max(round(self.tempo_map.bar_beat(self.tempo_map.bar_tick(bar + 1) - 1)[1] + 0.5), 1)

    def _shown_step(self, bar: int, pixels_per_tick: float) -> float:
        """Ticks from one line between beats to the next: those that are snapped to, as many as there is room for."""
        step = self._step_ticks(bar, "adaptive" if self.snap == "off" else self.snap, pixels_per_tick)
        quarter = self.tempo_map.ticks_per_quarter
        while step * pixels_per_tick < _PART_WIDTH:
            step *= 2
            if step >= quarter:
                return 0.0
        return step

    def _step_ticks(self, bar: int, snap: Snap, pixels_per_tick: float) -> float:
        """Ticks from one line that is snapped to to the next, not whole where triplets are not."""
        quarter = float(self.tempo_map.ticks_per_quarter)
        if snap == "bar":
            return float(self.tempo_map.bar_tick(bar + 1) - self.tempo_map.bar_tick(bar))
        if snap == "adaptive":
            room = max(_ADAPTIVE_WIDTH / max(pixels_per_tick * quarter, 1e-9), _FINEST)  # in quarters
            return max(quarter * 2.0 ** ceil(log2(room)), 1.0)
        return max(float(self.tempo_map.ticks_per_quarter * NOTE_VALUES["1/16" if snap == "off" else snap]), 1.0)

    # Snapping

    def nearest_bar(self, seconds: float) -> float:
        """The bar line nearest to a time; without a metre the nearest whole second."""
        if not self.has_bars:
            return float(max(round(seconds), 0))
        before = self._start(bar := self._bar_at(seconds))
        after = self._start(bar + 1)
        return before if seconds - before <= after - seconds else after

    def neighbour_bar(self, seconds: float, step: int) -> float:
        """The bar line after (step 1) or before (step -1) a time, leaving the one it stands on."""
        if not self.has_bars:
            return max(float(round(seconds) + step), 0.0)
        bar = self._bar_at(seconds)
        if step > 0:
            return self._start(bar + 1)
        is_inside = self.tempo_map.bar_tick(bar) < self.tempo_map.tick(seconds)
        return self._start(bar if is_inside else max(bar - 1, 0))

    def line_before(self, seconds: float) -> float:
        """The line of the nudging grid (see `step`) at or before a time, counted from its bar's start."""
        return self._snap(seconds, floor)

    def nearest_line(self, seconds: float) -> float:
        """The line of the nudging grid nearest to a time."""
        return self._snap(seconds, round)

    def nearest_line_on_ruler(self, seconds: float, pixels_per_second: float, is_stretch: bool) -> float | None:
        """The line nearest to a time of those that are snapped to, as many as there is room for; None: a bar's.

        What `is_stretch` goes from bar to bar, unless they are wide.
        """
        seconds = max(seconds, 0.0)
        bar = self._bar_at(seconds) if self.has_bars else 0
        if is_stretch and (self._length(bar) if self.has_bars else 1.0) * pixels_per_second < _NEAR_BAR:
            return None
        if self.snap == "off":
            return None if is_stretch else seconds
        if abs(self.nearest_bar(seconds) - seconds) * pixels_per_second <= _BAR_REACH:
            return None
        if not self.has_bars:
            return self.nearest_line(seconds) if 0.1 * pixels_per_second >= _RULER_WIDTH else None
        ticks = self.tempo_map.bar_tick(bar + 1) - self.tempo_map.bar_tick(bar)
        pixels_per_tick = self._length(bar) * pixels_per_second / max(ticks, 1)
        wanted, beat = self._step_ticks(bar, self.snap, pixels_per_tick), ticks / self._beats_of(bar)
        coarser = [step for k in range(1, 6) if (step := wanted * 2**k) < beat]
        steps = [wanted, *coarser, beat] if wanted < beat else [wanted]
        step = next((step for step in steps if step * pixels_per_tick >= _RULER_WIDTH), None)
        return None if step is None else self._snap(seconds, round, step)

    def _snap(self, seconds: float, whole: Callable[[float], int], step: float = 0.0) -> float:
        """The line that is `whole` steps (of so many ticks, else those of the grid) from the start of its bar."""
        seconds = max(seconds, 0.0)
        if self.snap == "off":
            return seconds
        if not self.has_bars:
            return whole(seconds / 0.1 + 1e-9) * 0.1
        tick = self.tempo_map.tick(seconds)
        bar = self.tempo_map.bar_beat(tick)[0]
        low, after = self.tempo_map.bar_tick(bar), self.tempo_map.bar_tick(bar + 1)
        step = step or self._snap_ticks(bar)
        return self.tempo_map.seconds(min(low + round(whole((tick - low) / step) * step), after))

    def _snap_ticks(self, bar: int) -> float:
        pixels_per_tick = (
            self._length(bar) * self.zoom / max(self.tempo_map.bar_tick(bar + 1) - self.tempo_map.bar_tick(bar), 1)
        )
        return self._step_ticks(bar, self.snap, pixels_per_tick)

    def step(self, seconds: float) -> float:
        """How many seconds a nudge at this time is: what is snapped to (a sixteenth if nothing is), or 0.1 s."""
        if not self.has_bars:
            return 0.1
        tick = self.tempo_map.tick(seconds)
        after = tick + max(round(self.step_ticks(seconds)), 1)
        return self.tempo_map.seconds(after) - self.tempo_map.seconds(tick)

    def step_ticks(self, seconds: float) -> float:
        """How many ticks a nudge at this time is, as `step`; not whole where triplets are not."""
        if not self.has_bars:
            return self.ticks_between(seconds, seconds + 0.1)
        return self._snap_ticks(self.tempo_map.bar_beat(self.tempo_map.tick(seconds))[0])

    def ticks_between(self, before: float, after: float) -> float:
        """The ticks from one time to another, not rounded; negative where the other is earlier."""
        return self.tempo_map.exact_tick(after) - self.tempo_map.exact_tick(before)

    def shifted(self, seconds: float, ticks: float) -> float:
        """The time so many ticks after another, or before it."""
        return float(self.tempo_map.seconds_array([self.tempo_map.exact_tick(seconds) + ticks])[0])

    def position(self, seconds: float) -> str:
        """A time in words: "bar 3, beat 2", between beats "bar 3, beat 2.5", or "4.2 s"."""
        if not self.has_bars:
            return f"{seconds:.1f} s"
        bar, beat = self.tempo_map.bar_beat_read(self.tempo_map.tick(seconds))
        return QCoreApplication.translate("PianoRoll", "bar {0}, beat {1:g}").format(bar + 1, round(beat + 1, 2))

    def length(self, start: float, end: float) -> str:
        """A length in words: "1.5 beats (0.75 s)", or "0.75 s"."""
        seconds = QCoreApplication.translate("PianoRoll", "{0:.2f} s").format(end - start)
        if not self.has_bars:
            return seconds
        denominator = self.tempo_map.metre_at(self.tempo_map.tick(start)).denominator
        beats = round(self.ticks_between(start, end) * denominator / (4 * self.tempo_map.ticks_per_quarter), 2)
        tr = QCoreApplication.translate
        words = tr("PianoRoll", "{0:g} beat ({1})") if beats == 1 else tr("PianoRoll", "{0:g} beats ({1})")
        return words.format(beats, seconds)


@lru_cache(1024)
def _stride(width: float, least: float) -> int:
    """How many bars (a power of 2) are at least `least` pixels wide together."""
    if width <= least * 2.0**-40:  # bars may last no time at all
        return 2**40
    return 2 ** max(ceil(log2(least / width)), 0)


def _second_lines(start: float, end: float, pixels_per_second: float) -> list[Line]:
    label_step = next((s for s in _SECONDS if s * pixels_per_second >= _LABEL_WIDTH), _SECONDS[-1])
    # The finest step that divides the label's and is wide enough to see.
    step = next(s for s in _SECONDS if s == label_step or _divides(s, label_step, pixels_per_second))
    lines = []
    k = int(start / step)
    while k * step < end:
        seconds = k * step
        if seconds >= start:
            is_label = abs(seconds / label_step - round(seconds / label_step)) < 1e-6
            lines.append(Line(seconds, BAR if is_label else PART, _clock(seconds, label_step) if is_label else ""))
        k += 1
    return lines


def _divides(step: float, whole: float, pixels_per_second: float) -> bool:
    return step * pixels_per_second >= _BEAT_WIDTH and abs(whole / step - round(whole / step)) < 1e-6


def _clock(seconds: float, step: float) -> str:
    decimals = 2 if step < 0.1 else 1 if step < 1 else 0
    if seconds < 60:
        return f"{seconds:.{decimals}f} s"
    minutes, rest = divmod(round(seconds, decimals), 60)
    return f"{int(minutes)}:{rest:0{3 + decimals if decimals else 2}.{decimals}f}"
