"""Which pieces are nearly the same: a sketch of each melody-and-chords text, compared by overlap.

The text is the intervals between consecutive notes (by onset, then pitch), so a transposition does not
hide a copy. Of its n-grams the smallest hashes are kept (A. Broder, "On the resemblance and
containment of documents", 1997): the share that two sketches have in common estimates how much of
their n-grams they share.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.training.data.notes import TICKS, Notes

_SIZE = 64  # hashes in a sketch
NEAR = 0.5  # resemblance from which two pieces count as one
_GRAM = 8  # intervals
_COMMON = 64  # pieces from which an n-gram (a scale, a tremolo) says nothing about who copied whom

Sketch = NDArray[np.uint64]  # (up to _SIZE) sorted hashes


def sketch(notes: Notes) -> Sketch:
    """The sketch of a piece. One of fewer than 24 notes has none: such short ones resemble by chance."""
    if len(notes) < 24:
        return np.empty(0, np.uint64)
    order = np.lexsort((notes["pitch"], notes["start"] // TICKS))
    return np.unique(gram_hashes(np.diff(notes["pitch"][order].astype(np.int64)), _GRAM))[:_SIZE]


def gram_hashes(intervals: NDArray[np.integer], size: int) -> NDArray[np.uint64]:
    """Hashes of all runs of `size` intervals, in order: (N) -> (N - size + 1, or none)."""
    values = intervals.astype(np.int64).astype(np.uint64)
    count = max(0, len(values) - size + 1)
    grams = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for i in range(size):
            grams = grams * np.uint64(1_000_003) + values[i : i + count]
        # The finaliser of splitmix64 (S. Vigna) spreads the sums over all 64 bits.
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            grams = (grams ^ (grams >> np.uint64(shift))) * np.uint64(factor)
        grams ^= grams >> np.uint64(31)
    return grams


def resemblance(a: Sketch, b: Sketch) -> float:
    """Estimated share of n-grams in common, 0 to 1."""
    union = np.union1d(a, b)[:_SIZE]
    if not len(union):
        return 0.0
    return float(np.isin(np.intersect1d(a, b), union).sum() / len(union))


def near_pairs(sketches: Sequence[Sketch]) -> Iterator[tuple[int, int]]:
    """Pairs (i, j), i < j, that are nearly the same, in order of j."""
    holders: dict[int, list[int]] = defaultdict(list)  # hash -> pieces that have it
    for piece, hashes in enumerate(sketches):
        shared = Counter(other for h in hashes.tolist() for other in holders[h][:_COMMON])
        for other in sorted(shared):
            if shared[other] >= 4 and resemblance(sketches[other], hashes) >= NEAR:
                yield other, piece
        for h in hashes.tolist():
            holders[h].append(piece)
