"""How far a model's continuations are from the true ones, by the statistics of both (core.midi.statistics)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.midi.key import Key
from core.midi.statistics import (
    Floats,
    Music,
    density,
    distance,
    excerpt,
    histograms,
    key_of,
    polyphony,
    self_similarity,
    share_in_key,
)

DRIFT_AT = (120.0, 300.0)  # seconds into a continuation
_DRIFT_WINDOW = 30.0


def fifths_apart(a: Key, b: Key) -> int:
    """Steps between two keys' signatures on the circle of fifths, 0 to 6; a minor key is its relative major's."""
    places = [(key.tonic + (3 if key.mode == "minor" else 0)) * 7 % 12 for key in (a, b)]
    apart = abs(places[0] - places[1])
    return min(apart, 12 - apart)


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
            late = excerpt(continuation, at - _DRIFT_WINDOW, at)
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
