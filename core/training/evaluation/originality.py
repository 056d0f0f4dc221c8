"""The longest stretch that music copies from the training data, in seconds.

A copy is a run of notes (by onset, then pitch) with the same intervals: the same pitches in the same
order, in any key, at any tempo. So it finds too much rather than too little.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.midi.statistics import Music
from core.training.data.fingerprint import gram_hashes
from core.training.data.notes import TICKS, Notes

_SHORTEST = 12  # intervals in a run that is looked up; anything shorter is no copy
_CANDIDATES = 64  # places of one n-gram that are followed
_BETWEEN = 127  # an interval that is none: between pieces, so that no run crosses


class Copy(NamedTuple):
    """A run of `notes` notes that lasts `seconds`, `start` seconds into the music; it is in piece `piece`."""

    seconds: float
    notes: int
    start: float
    piece: int


class CopyIndex:
    """All n-grams of the training pieces, sorted: 13 bytes a note."""

    def __init__(self, pieces: Iterable[Notes]) -> None:
        lines = []
        firsts = [0]
        for notes in pieces:
            order = np.lexsort((notes["pitch"], notes["start"] // TICKS))
            line = np.append(np.diff(notes["pitch"][order].astype(np.int16)), _BETWEEN).astype(np.int8)
            lines.append(line)
            firsts.append(firsts[-1] + len(line))
        self._intervals = np.concatenate(lines) if lines else np.empty(0, np.int8)
        self._firsts = np.array(firsts)
        hashes = gram_hashes(self._intervals, _SHORTEST)
        self._places = np.argsort(hashes, kind="stable").astype(np.uint32)
        self._hashes = hashes[self._places]

    def longest_copy(self, music: Music) -> Copy | None:
        """The copy that lasts longest in the music; None if there is none of 13 notes."""
        intervals = np.diff(music.pitch).astype(np.int8)
        hashes = gram_hashes(intervals, _SHORTEST)
        lows = np.searchsorted(self._hashes, hashes, "left")
        highs = np.searchsorted(self._hashes, hashes, "right")
        best: Copy | None = None
        reached: dict[int, int] = {}  # offset between music and data -> end of the run followed there
        for i in np.flatnonzero(highs > lows).tolist():
            for place in self._places[lows[i] : min(highs[i], lows[i] + _CANDIDATES)].tolist():
                if reached.get(place - i, -1) > i:
                    continue
                length = _run(intervals[i:], self._intervals[place:])
                reached[place - i] = i + length
                seconds = float(music.start[i + length] - music.start[i])
                if length >= _SHORTEST and (best is None or seconds > best.seconds):
                    piece = int(np.searchsorted(self._firsts, place, "right")) - 1
                    best = Copy(seconds, length + 1, float(music.start[i]), piece)
        return best


def _run(a: NDArray[np.int8], b: NDArray[np.int8]) -> int:
    """How many of the first elements are equal."""
    most = min(len(a), len(b))
    size = 64
    while True:
        end = min(size, most)
        different = np.flatnonzero(a[:end] != b[:end])
        if len(different):
            return int(different[0])
        if end == most:
            return most
        size *= 4
