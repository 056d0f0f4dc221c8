"""Scales: the pitch classes of a key in a mode, their names, and how notes are spelled in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.midi.key import Key
from core.midi.pitch_names import TONIC_NAMES

# Semitones above the tonic, and above the tonic of the major scale whose signature the mode is written with.
_MODES: Mapping[str, tuple[tuple[int, ...], int]] = {
    "major": ((0, 2, 4, 5, 7, 9, 11), 0),
    "minor": ((0, 2, 3, 5, 7, 8, 10), 9),
    "harmonic minor": ((0, 2, 3, 5, 7, 8, 11), 9),
    "melodic minor": ((0, 2, 3, 5, 7, 9, 11), 9),
    "dorian": ((0, 2, 3, 5, 7, 9, 10), 2),
    "phrygian": ((0, 1, 3, 5, 7, 8, 10), 4),
    "lydian": ((0, 2, 4, 6, 7, 9, 11), 5),
    "mixolydian": ((0, 2, 4, 5, 7, 9, 10), 7),
    "locrian": ((0, 1, 3, 5, 6, 8, 10), 11),
    "major pentatonic": ((0, 2, 4, 7, 9), 0),
    "minor pentatonic": ((0, 3, 5, 7, 10), 9),
    "blues": ((0, 3, 5, 6, 7, 10), 9),
}
MODES = tuple(_MODES)
TONICS = TONIC_NAMES["major"]
_LETTERS = "FCGDAEB"


@dataclass(frozen=True)
class Scale:
    """A scale: `tonic` 0 to 11 (0 is C) and one of `MODES`."""

    tonic: int
    mode: str = "major"

    @classmethod
    def of_key(cls, key: Key) -> "Scale":
        """The scale of a key; in minor the natural one."""
        return cls(key.tonic, key.mode)

    @property
    def name(self) -> str:
        """In words, such as "C# dorian"."""
        return f"{self.spelled(self.tonic)} {self.mode}"

    @property
    def steps(self) -> tuple[int, ...]:
        """Its notes as semitones above the tonic, from 0 up."""
        return _MODES[self.mode][0]

    @cached_property
    def _contained(self) -> NDArray[np.bool_]:
        contained = np.zeros(12, np.bool_)
        contained[[(self.tonic + step) % 12 for step in self.steps]] = True
        return contained

    def contains(self, pitches: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of these MIDI pitches are of the scale, (n,)."""
        return self._contained[pitches % 12]

    def spelled(self, pitch: int) -> str:
        """The name of a pitch's class in this scale: its own notes by its key signature, others near it.

        They are twelve in a row on the line of fifths, from three below the major tonic, as they are mostly written.
        """
        above = _MODES[self.mode][1]
        fifths = ((self.tonic - above) * 7 + 5) % 12 - 5  # sharps of the signature; flats below 0
        if fifths == 6 and above == _MODES["minor"][1]:
            fifths = -6  # Eb minor
        first = min(max(fifths - 3, -6), fifths - 1, 0)
        place = first + (pitch * 7 - first) % 12 + 1  # counted from F
        accidentals, letter = divmod(place, 7)
        return _LETTERS[letter] + ("#" * accidentals if accidentals > 0 else "b" * -accidentals)


def parse_scale(text: str) -> Scale | None:
    """The scale of a name as `Scale.name` gives it, or with the tonic as in `TONICS`; None for any other text."""
    tonic, _, mode = text.partition(" ")
    if mode not in _MODES:
        return None
    known = {name: i for i, name in enumerate(TONICS)} | {Scale(i, mode).spelled(i): i for i in range(12)}
    return Scale(known[tonic], mode) if tonic in known else None
