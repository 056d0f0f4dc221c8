"""Chords of the notes that sound, and their names.

Each beat is compared with every chord of the table on every root; the sequence that fits best as a whole, where a
change costs something, is found by the Viterbi algorithm. So broken chords are told from all of their notes, and
passing notes make none of their own. (Libraries such as pychord name a set of notes; they do not find chords in music.)
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.midi.scale import Scale
from core.midi.tempo_map import TempoMap

# What is written behind the root, and semitones above it; the usual ones first.
KINDS: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "7sus4": (0, 5, 7, 10),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "5": (0, 7),
    "m(maj7)": (0, 3, 7, 11),
    "add9": (0, 2, 4, 7),
    "m(add9)": (0, 2, 3, 7),
    "aug7": (0, 4, 8, 10),
    "7b5": (0, 4, 6, 10),
    "maj7#5": (0, 4, 8, 11),
    "9": (0, 2, 4, 7, 10),
    "m9": (0, 2, 3, 7, 10),
    "maj9": (0, 2, 4, 7, 11),
    "9sus4": (0, 2, 5, 7, 10),
    "7b9": (0, 1, 4, 7, 10),
    "7#9": (0, 3, 4, 7, 10),
    "7#11": (0, 4, 6, 7, 10),
    "maj7#11": (0, 4, 6, 7, 11),
    "7b13": (0, 4, 7, 8, 10),
    "6/9": (0, 2, 4, 7, 9),
    "m6/9": (0, 2, 3, 7, 9),
    "m11": (0, 2, 3, 5, 7, 10),
    "9#11": (0, 2, 4, 6, 7, 10),
    "13": (0, 2, 4, 7, 9, 10),
    "maj13": (0, 2, 4, 7, 9, 11),
}
_NAMES = tuple(KINDS)
_FOREIGN = 1.1  # what a note costs that is not of the chord, if it sounds all the time
_MISSING = 0.3  # what a note of the chord costs that does not sound in the beat
_TONE = 0.12  # what each note of a chord costs, so that simple ones are found
_RARE = 0.02  # what each place further down in the table costs
_ROOT = 0.25  # what it is worth that the lowest note is the root
_CHANGE, _CHANGE_IN_BAR = 0.8, 1.3  # what a change costs on a strong beat, and on another
_NOTHING = 0.35  # worth of no chord: what fits less has no name
_HEARD = 0.3  # share of a beat from which on a note counts whole
_MOST_BEATS = 2000
_LONGEST = 16  # beats in which a note may be the lowest


@dataclass(frozen=True)
class Chord:
    """A chord from `start` to `end` (seconds); `root` and `bass` are pitch classes, `kind` one of `KINDS`."""

    start: float
    end: float
    root: int
    kind: str
    bass: int

    def name(self, scale: Scale) -> str:
        """Such as "F#m7" or "C/E", spelled as in a scale."""
        below = f"/{scale.spelled(self.bass)}" if self.bass != self.root else ""
        return f"{scale.spelled(self.root)}{self.kind}{below}"


def beats(tempo_map: TempoMap, end: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where the beats begin up to the first at or after `end`, (n + 1,) s, and which of them are strong, (n,).

    Strong are the first of a bar and, in bars of an even number, the middle one. Without a metre a beat is half a
    second, and every fourth is strong. Of very long music beats are longer: a bar, where there are bars.
    """
    if not tempo_map.has_metre or tempo_map.is_smpte:
        length = max(0.5, end / _MOST_BEATS)
        count = max(int(np.ceil(end / length)), 1)
        times = np.arange(count + 1, dtype=np.float64) * length
        return times, np.arange(count) % 4 == 0
    bars = tempo_map.bar_beat(tempo_map.tick(end))[0] + 1
    ticks: list[float] = []
    strong: list[bool] = []
    for bar in range(bars):
        first, after = tempo_map.bar_tick(bar), tempo_map.bar_tick(bar + 1)
        count = max(round(tempo_map.bar_beat(after - 1)[1] + 0.5), 1) if bars < _MOST_BEATS / 4 else 1
        ticks += [first + (after - first) * k / count for k in range(count)]
        strong += [k == 0 or 2 * k == count for k in range(count)]
    ticks.append(tempo_map.bar_tick(bars))
    return tempo_map.seconds_array(np.rint(ticks).astype(np.int64)), np.array(strong)


def find_chords(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    pitch: NDArray[np.integer],
    edges: NDArray[np.float64],
    strong: NDArray[np.bool_],
) -> list[Chord]:
    """The chords of notes (n,) in the beats between `edges` (m + 1,); where nothing fits there is none."""
    if not len(start) or len(edges) < 2:
        return []
    weights = _weights(start, end, pitch, edges)
    lowest = _lowest(start, end, pitch, edges)
    fits = _fits(weights, lowest)
    found = _best_sequence(fits, np.where(strong, _CHANGE, _CHANGE_IN_BAR))
    changes = np.flatnonzero(np.diff(found)) + 1
    chords = []
    for first, after in zip([0, *changes.tolist()], [*changes.tolist(), len(found)], strict=True):
        state, heard = int(found[first]), np.flatnonzero(lowest[first:after] < 128) + first
        if state < 12 * len(KINDS) and len(heard):
            first = int(heard[0])
            bass = int(lowest[first]) % 12
            root, kind = state % 12, _NAMES[state // 12]
            if (bass - root) % 12 not in KINDS[kind]:
                bass = root  # a passing note
            chords.append(Chord(float(edges[first]), float(edges[after]), root, kind, bass))
    return chords


def _weights(
    start: NDArray[np.float64], end: NDArray[np.float64], pitch: NDArray[np.integer], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much of each beat each pitch class sounds, 0 to 1 from `_HEARD` of it on, (m, 12)."""
    sounding = np.zeros((len(edges), 12))  # seconds up to each edge
    for pitch_class in range(12):
        chosen = pitch % 12 == pitch_class
        sounding[:, pitch_class] = _up_to(edges, start[chosen]) - _up_to(edges, end[chosen])
    lengths = np.maximum(np.diff(edges), 1e-9)[:, None]
    return np.minimum(np.diff(sounding, axis=0) / lengths / _HEARD, 1.0)


def _up_to(edges: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each edge the seconds from each of the times before it, all together, (m + 1,)."""
    times = np.sort(times)
    sums = np.append(0.0, np.cumsum(times))
    before = np.searchsorted(times, edges)
    return before * edges - sums[before]


def _lowest(
    start: NDArray[np.float64], end: NDArray[np.float64], pitch: NDArray[np.integer], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The lowest pitch that sounds for long enough in each beat, 128 where none does, (m,)."""
    count = len(edges) - 1
    lowest = np.full(count, 128, np.int64)
    first = np.searchsorted(edges, start, side="right") - 1
    for step in range(_LONGEST):
        beat = first + step
        inside = (beat >= 0) & (beat < count)
        at = np.where(inside, beat, 0)
        shared = np.minimum(end, edges[at + 1]) - np.maximum(start, edges[at])
        inside &= shared >= 0.1 * (edges[at + 1] - edges[at])
        if step and not inside.any():
            break
        np.minimum.at(lowest, beat[inside], pitch[inside])
    return lowest


def _templates(kinds: Iterable[tuple[int, ...]]) -> NDArray[np.bool_]:
    """Which pitch classes each chord has, kind by kind on the twelve roots, (12 * kinds, 12)."""
    rows = []
    for steps in kinds:
        for root in range(12):
            row = np.zeros(12, np.bool_)
            row[[(root + step) % 12 for step in steps]] = True
            rows.append(row)
    return np.array(rows)


def _fits(weights: NDArray[np.float64], lowest: NDArray[np.int64]) -> NDArray[np.float64]:
    """How well each chord, and at last none, fits each beat, (m, 12 * kinds + 1)."""
    templates = _templates(KINDS.values()).astype(np.float64)
    inside = weights @ templates.T
    outside = weights.sum(axis=1, keepdims=True) - inside
    sizes = templates.sum(axis=1)
    fits = inside - _FOREIGN * outside - _MISSING * (sizes - inside) - _TONE * sizes
    fits -= np.repeat(_RARE * np.arange(len(KINDS)), 12)
    roots = np.tile(np.arange(12), len(KINDS))
    fits += _ROOT * ((lowest[:, None] % 12 == roots) & (lowest[:, None] < 128))
    silent = weights.sum(axis=1) < 1e-6
    fits[silent] = 0.0  # a pause belongs to the chord before
    return np.column_stack((fits, np.where(silent, 0.0, _NOTHING)))


def _best_sequence(fits: NDArray[np.float64], change: NDArray[np.float64]) -> NDArray[np.int64]:
    """The states (m,) whose fits together, less what changes between them cost, are best."""
    count, states = fits.shape
    came_from = np.zeros((count, states), np.int16)
    best = fits[0].copy()
    same = np.arange(states)
    for i in range(1, count):
        leader = int(best.argmax())
        changed = best[leader] - change[i]
        stays = best >= changed
        came_from[i] = np.where(stays, same, leader)
        best = np.where(stays, best, changed) + fits[i]
    found = np.empty(count, np.int64)
    found[-1] = best.argmax()
    for i in range(count - 1, 0, -1):
        found[i - 1] = came_from[i, found[i]]
    return found
