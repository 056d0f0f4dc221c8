"""What the roll shows: notes of one part as sorted arrays that are never changed, only replaced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from desktop.widgets.theme import PartKind


class RollNote(NamedTuple):
    """A note to show: start and end in seconds, MIDI pitch, velocity 1 to 127."""

    start: float
    end: float
    pitch: int
    velocity: int


class NoteRef(NamedTuple):
    """One note: the key of its part, and its place in the order in which the part was given."""

    part: str
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]


@dataclass(frozen=True, eq=False)
class RollPart:
    """The notes of one part, in order of their starts. Make it with `of`; arrays are all (n,).

    `kind` decides colour and what can be done: notes of "other" parts are faint and cannot be
    selected. `colour` tells parts of one kind apart. `index` is each note's place as given, `latest`
    the latest end among the notes up to and with each one, which never falls and so can be bisected.
    """

    key: str
    kind: PartKind
    colour: int
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int32]
    velocity: NDArray[np.int32]
    index: NDArray[np.int32]
    latest: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "latest", np.maximum.accumulate(self.end))

    @classmethod
    def of(cls, key: str, kind: PartKind, notes: Sequence[RollNote], colour: int = 0) -> "RollPart":
        """A part of notes in any order."""
        return cls.of_columns(key, kind, np.array(notes, np.float64).reshape(-1, 4), colour)

    @classmethod
    def of_columns(cls, key: str, kind: PartKind, columns: NDArray[np.float64], colour: int = 0) -> "RollPart":
        """The same of an array (n, 4): starts, ends, pitches, velocities."""
        return cls._sorted(key, kind, colour, columns, np.arange(len(columns), dtype=np.int32))

    @classmethod
    def _sorted(
        cls, key: str, kind: PartKind, colour: int, columns: NDArray[np.float64], index: NDArray[np.int32]
    ) -> "RollPart":
        order = np.argsort(columns[:, 0], kind="stable")
        start, end, pitch, velocity = columns[order].T
        return cls(
            key,
            kind,
            colour,
            np.ascontiguousarray(start),
            np.ascontiguousarray(end),
            pitch.astype(np.int32),
            velocity.astype(np.int32),
            index[order],
        )

    def __len__(self) -> int:
        return len(self.start)

    @property
    def length(self) -> float:
        """End of the last note in seconds, 0 without notes."""
        return float(self.latest[-1]) if len(self) else 0.0

    def looks_like(self, other: "RollPart") -> bool:
        """Whether the two are painted alike, whatever their keys."""
        if (self.kind, self.colour, len(self)) != (other.kind, other.colour, len(other)):
            return False
        columns = ((self.start, other.start), (self.end, other.end), (self.pitch, other.pitch),
                   (self.velocity, other.velocity))  # fmt: skip
        return all(a is b or np.array_equal(a, b) for a, b in columns)

    def with_appended(self, notes: Sequence[RollNote]) -> "RollPart":
        """The part with notes added to the end of its order; they may start before notes already here."""
        old = np.column_stack((self.start, self.end, self.pitch, self.velocity))
        columns = np.concatenate((old, np.array(notes, np.float64).reshape(-1, 4))).astype(np.float64)
        index = np.concatenate((self.index, np.arange(len(self), len(columns), dtype=np.int32)))
        return self._sorted(self.key, self.kind, self.colour, columns, index)

    def between(self, start: float, end: float, low: int = 0, high: int = 127) -> NDArray[np.intp]:
        """Places in the arrays of the notes that sound in [start, end) with low <= pitch <= high."""
        first = int(np.searchsorted(self.latest, start, side="right"))
        last = int(np.searchsorted(self.start, end, side="left"))
        if first >= last:
            return np.empty(0, np.intp)
        pitch = self.pitch[first:last]
        inside = (self.end[first:last] > start) & (pitch >= low) & (pitch <= high)
        return np.nonzero(inside)[0] + first

    def places(self, indices: ArrayLike) -> NDArray[np.intp]:
        """Places in the arrays of the notes with these indices; indices that are not there are left out."""
        wanted = np.asarray(indices, np.intp)
        wanted = wanted[(wanted >= 0) & (wanted < len(self))]
        place = np.empty(len(self), np.intp)
        place[self.index] = np.arange(len(self))
        return np.sort(place[wanted])
