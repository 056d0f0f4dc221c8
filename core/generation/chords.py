"""Chords: notes that begin together, or as nearly so as players spread them."""

import numpy as np
from numpy.typing import NDArray

CHORD_STEPS = 3  # steps from a chord's first onset to its last, at most


def chord_onsets(steps: NDArray[np.int64], within: int = CHORD_STEPS) -> NDArray[np.int64]:
    """The first onset of each chord in turn; `steps` are the onsets of notes, in any order."""
    firsts: list[int] = []
    for step in np.unique(steps).tolist():
        if not firsts or step - firsts[-1] > within:
            firsts.append(step)
    return np.array(firsts, np.int64)


def chord_sizes(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many notes begin together, at each onset in turn; `steps` are their onsets, in any order."""
    firsts = chord_onsets(steps)
    return np.bincount(np.searchsorted(firsts, steps, "right") - 1, minlength=len(firsts)).astype(np.int64)
