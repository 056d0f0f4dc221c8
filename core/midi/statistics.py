"""What music is like in numbers, and how far two pieces of music are apart."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.midi.key import Key, detect_key
from core.midi.score import TakeNote

Floats = NDArray[np.float64]

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
    """Notes as arrays, sorted by onset, then pitch; those that start at or after `seconds` are left out.

    They are one piano's, as what is encoded is (core.codec.events.grid_notes): of notes with one pitch and one onset
    the louder velocity and the later end count, and a re-strike ends the note that sounds. A pedal holds each of the
    old ones, too; counted in, they would make true music a third fuller than any take of it can be.
    """
    struck: dict[tuple[float, int], tuple[float, int]] = {}  # (onset, pitch) -> (end, velocity)
    for note in notes:
        if note.start < seconds:
            later, louder = struck.get((note.start, note.pitch), (note.end, 0))
            struck[note.start, note.pitch] = (max(later, note.end), max(louder, note.velocity))
    next_onset: dict[int, float] = {}  # by pitch
    rows: list[tuple[float, float, int, int]] = []
    for (start, pitch), (end, velocity) in sorted(struck.items(), reverse=True):
        rows.append((start, min(end, next_onset.get(pitch, end)), pitch, velocity))
        next_onset[pitch] = start
    table = np.array(rows[::-1], np.float64).reshape(-1, 4)
    return Music(table[:, 0], table[:, 1], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64), seconds)


def excerpt(whole: Music, start: float, end: float) -> Music:
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
