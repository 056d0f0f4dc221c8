"""The key of some notes, and the names of keys."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.midi.pitch_names import TONIC_NAMES, pitch_class

# How well each pitch class, counted from the tonic, fits a key. From C. L. Krumhansl and E. J. Kessler,
# "Tracing the dynamic changes in perceived tonal organization in a spatial representation of musical
# keys", Psychological Review 89 (1982), as listed in Krumhansl, Cognitive Foundations of Musical Pitch
# (1990), p. 30.
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
# What a correlation with each of them takes, (24, 12): major, then minor, by tonic.
_FITS = np.array(
    [
        np.roll((profile - profile.mean()) / (12 * profile.std()), tonic)
        for profile in map(np.array, _PROFILES.values())
        for tonic in range(12)
    ]
)
_STEPS = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
_SPELLING = re.compile(r"([a-g])\s*(#|♯|sharp|b|♭|flat)?\s*(major|maj|minor|min|m)?")
_SHORTEST = 0.02  # seconds a note counts for at least, so that those without length count too


class _Sounding(Protocol):
    @property
    def pitch(self) -> int: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key: `tonic` 0 to 11 (0 is C), and how well the notes it was told from fit it (-1 to 1)."""

    tonic: int
    mode: Literal["major", "minor"]
    correlation: float = 1.0

    @property
    def name(self) -> str:
        """The key in words, such as "Eb major"."""
        return f"{TONIC_NAMES[self.mode][self.tonic]} {self.mode}"

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes of the scale; in minor the natural scale and the raised seventh."""
        return frozenset((self.tonic + step) % 12 for step in _STEPS[self.mode])


def detect_key(notes: Iterable[_Sounding]) -> Key:
    """The key whose Krumhansl-Kessler profile correlates best with how long each pitch class sounds.

    Raises UsageError if there are no notes.
    """
    weights = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += max(note.end - note.start, _SHORTEST)
    if not weights.any():
        raise UsageError("No key can be told: there are no notes.")
    return key_of_weights(weights)


def key_of_weights(weights: NDArray[np.float64]) -> Key:
    """The same of how long each pitch class sounds, (12,), which must not all be 0."""
    if weights.std() < 1e-9 * weights.mean():  # all twelve alike
        return Key(0, "major", 0.0)
    standard = (weights - weights.mean()) / weights.std()
    fits = (_FITS * standard).sum(1)
    best = int(fits.argmax())
    return Key(best % 12, "major" if best < 12 else "minor", float(fits[best]))


def parse_key(text: str) -> Key:
    """The key that a name such as "D minor", "Eb major", "f# min", "Am" or "C" (major) means.

    Raises UsageError, which says what names there are.
    """
    plain = text.strip()
    # A lone capital M is major and a small one minor; otherwise case says nothing.
    plain = f"{plain[:-1]} major" if re.search(r"[A-Ga-g#b♯♭\s]M$", plain) else plain
    match = _SPELLING.fullmatch(plain.lower())
    if match is None:
        raise UsageError(
            f'"{text}" is not a key: use a letter from A to G, # or b if needed, and major or minor, '
            'such as "D minor" or "Eb major".'
        )
    letter, accidental, mode = match.groups()
    return Key(pitch_class(letter, accidental or ""), "minor" if mode in ("minor", "min", "m") else "major")
