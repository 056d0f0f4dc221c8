"""What music is like in numbers, and how far a model's continuations are from the true ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.midi.key import Key, detect_key
from core.midi.write import TakeNote

Floats = NDArray[np.float64]

DRIFT_AT = (120.0, 300.0)  # seconds into a continuation
_DRIFT_WINDOW = 30.0
_CHROMA_WINDOW = 2.0
_INTERVAL = 24  # semitones either way
# Inter-onset intervals in bins of equal ratio, 10 ms to 4 s.
_RHYTHM_EDGES = np.geomspace(0.01, 4.0, 25)


class Music(NamedTuple):
    """Notes of a stretch of `seconds`: onsets and ends in seconds from its start, pitches, velocities."""

    start: Floats
    end: Floats
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    seconds: float


class _Sounding(Protocol):
    @property
    def pitch(self) -> int: ...
    @property
    def velocity(self) -> int: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


def music(notes: Iterable[_Sounding], seconds: float) -> Music:
    """Notes as arrays, sorted by onset, then pitch; those that start at or after `seconds` are left out."""
    kept = sorted((n.start, n.pitch, n.end, n.velocity) for n in notes if n.start < seconds)
    table = np.array(kept, np.float64).reshape(-1, 4)
    return Music(table[:, 0], table[:, 2], table[:, 1].astype(np.int64), table[:, 3].astype(np.int64), seconds)


def stretch(whole: Music, start: float, end: float) -> Music:
    """The notes with an onset from `start` to before `end`, as music of its own."""
    inside = (whole.start >= start) & (whole.start < end)
    times = whole.start[inside] - start, whole.end[inside] - start
    return Music(*times, whole.pitch[inside], whole.velocity[inside], end - start)


def key_of(notes: Music) -> Key | None:
    """The key of the music; None without notes."""
    if not len(notes.pitch):
        return None
    rows = zip(notes.pitch.tolist(), notes.velocity.tolist(), notes.start.tolist(), notes.end.tolist(), strict=True)
    return detect_key(TakeNote(*row) for row in rows)


def density(notes: Music) -> float:
    """Onsets per second."""
    return len(notes.start) / max(notes.seconds, 1e-9)


def polyphony(notes: Music) -> float:
    """Notes that sound at once, on average over time."""
    held = np.minimum(notes.end, notes.seconds) - notes.start
    return float(np.maximum(held, 0).sum() / max(notes.seconds, 1e-9))


def share_in_key(notes: Music, key: Key | None) -> float | None:
    """Share of the notes that belong to a key's scale."""
    if key is None or not len(notes.pitch):
        return None
    return float(np.isin(notes.pitch % 12, list(key.pitch_classes)).mean())


def histograms(notes: Music) -> dict[str, Floats]:
    """Counts by pitch class (12), interval to the next note (49), velocity bin (32), inter-onset time (24)."""
    intervals = np.clip(np.diff(notes.pitch), -_INTERVAL, _INTERVAL) + _INTERVAL
    onsets = np.unique(notes.start)
    gaps = np.clip(np.diff(onsets), _RHYTHM_EDGES[0], _RHYTHM_EDGES[-1])
    return {
        "pitch class": np.bincount(notes.pitch % 12, minlength=12).astype(float),
        "interval": np.bincount(intervals, minlength=2 * _INTERVAL + 1).astype(float),
        "velocity": np.bincount(notes.velocity // 4, minlength=32).astype(float),
        "rhythm": np.histogram(gaps, _RHYTHM_EDGES)[0].astype(float),
    }


def self_similarity(notes: Music) -> float | None:
    """How alike the music's windows of two seconds are: mean cosine of their pitch-class counts, 0 to 1.

    Windows without notes are left out; None with fewer than two.
    """
    place = (notes.start / _CHROMA_WINDOW).astype(np.int64)
    if not len(place):
        return None
    chroma = np.zeros((place.max() + 1, 12))
    np.add.at(chroma, (place, notes.pitch % 12), 1.0)
    chroma = chroma[chroma.any(1)]
    if len(chroma) < 2:
        return None
    chroma /= np.linalg.norm(chroma, axis=1, keepdims=True)
    cosines = chroma @ chroma.T
    return float(cosines[np.triu_indices(len(chroma), 1)].mean())


def fifths_apart(a: Key, b: Key) -> int:
    """Steps between two keys' signatures on the circle of fifths, 0 to 6; a minor key is its relative major's."""
    places = [(key.tonic + (3 if key.mode == "minor" else 0)) * 7 % 12 for key in (a, b)]
    apart = abs(places[0] - places[1])
    return min(apart, 12 - apart)


def distance(a: Floats, b: Floats) -> float:
    """Total variation between two histograms: 0 alike, 1 nothing in common. Empty ones are alike."""
    if not a.any() or not b.any():
        return 0.0 if a.any() == b.any() else 1.0
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def apart(a: Music, b: Music) -> float:
    """How far two stretches of music are apart in their statistics: 0 alike, 1 nothing in common.

    The mean of the distances of their histograms and of their densities, polyphonies (an octave, twice
    as much, counts 1) and mean pitches (an octave counts 1).
    """
    if not len(a.pitch) or not len(b.pitch):
        return 0.0 if len(a.pitch) == len(b.pitch) else 1.0
    mine, other = histograms(a), histograms(b)
    parts = [distance(mine[name], other[name]) for name in mine]
    parts += [_octaves(density(a), density(b)), _octaves(polyphony(a), polyphony(b))]
    parts.append(min(1.0, abs(float(a.pitch.mean() - b.pitch.mean())) / 12))
    return sum(parts) / len(parts)


def _octaves(a: float, b: float) -> float:
    """How many times as much one is as the other, as a power of 2; at most 1."""
    return min(1.0, abs(float(np.log2(max(a, 1e-9) / max(b, 1e-9)))))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Continuations against the true ones: means of scalars (None: not there), summed histograms, distances."""

    true: Mapping[str, float | None]
    model: Mapping[str, float | None]
    histograms: Mapping[str, tuple[Floats, Floats]]
    distances: Mapping[str, float]


def _scalars(continuation: Music, prompt: Music) -> dict[str, float | None]:
    key = key_of(prompt)
    values: dict[str, float | None] = {
        "notes per second": density(continuation),
        "polyphony": polyphony(continuation),
        "share in key": share_in_key(continuation, key),
        "self-similarity": self_similarity(continuation),
    }
    for at in DRIFT_AT:
        late_key, ratio = None, None
        if continuation.seconds >= at:
            late = stretch(continuation, at - _DRIFT_WINDOW, at)
            late_key, ratio = key_of(late), density(late) / max(density(prompt), 1e-9)
        apart = None if key is None or late_key is None else float(fifths_apart(key, late_key))
        values[f"key drift at {at / 60:.0f} min"] = apart
        values[f"density against prompt at {at / 60:.0f} min"] = ratio
    return values


def compare(triples: Sequence[tuple[Music, Music, Music]]) -> Comparison:
    """Compare (prompt, true continuation, sampled continuation) of any number of pieces."""
    scalars = [(_scalars(true, prompt), _scalars(sampled, prompt)) for prompt, true, sampled in triples]
    counts = [(histograms(true), histograms(sampled)) for _, true, sampled in triples]
    sums = {
        name: (sum((c[0][name] for c in counts), np.zeros(1)), sum((c[1][name] for c in counts), np.zeros(1)))
        for name in (counts[0][0] if counts else ())
    }
    return Comparison(
        _means([s[0] for s in scalars]),
        _means([s[1] for s in scalars]),
        sums,
        {name: distance(*pair) for name, pair in sums.items()},
    )


def _means(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for name in rows[0] if rows else ():
        values = [value for row in rows if (value := row[name]) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means
