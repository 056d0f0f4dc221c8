"""What the roll shows: notes of one part as sorted arrays that are never changed, only replaced."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from desktop.widgets.theme import OWN, PartKind, Shade

_PAINTED = ("start", "end", "pitch", "velocity", "colour", "shade", "is_drum", "origin")
_COLUMNS = 8  # of numbers that make a note
_HAIR = 0.005  # seconds
_COLOURS = 256  # more than there are


class RollNote(NamedTuple):
    """A note to show: start and end in seconds, MIDI pitch, velocity 1 to 127, and its track's colour or `OWN`.

    `origin` says which of its part's `origins` it came from: 0 for none, 1 for the first; `is_behind` that it is of
    another track than the one in front.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    colour: int = OWN
    is_drum: bool = False
    origin: int = 0
    is_behind: bool = False


class NoteRef(NamedTuple):
    """One note: the key of its part, and its place in the order in which the part was given."""

    part: str
    index: int  # pyright: ignore[reportIncompatibleMethodOverride]


class TakeOnView(NamedTuple):
    """Where the take that is shown lasts, in seconds, and the parts (their keys) that it replaces until they return."""

    start: float
    end: float
    replaced: frozenset[str] = frozenset()
    until: float = 0.0

    def has_begun(self, seconds: float) -> bool:
        """Whether a time is its start, were it by a hair, or behind it."""
        return seconds >= self.start - _HAIR

    def lasts_at(self, seconds: float) -> bool:
        """Whether a time lies in it."""
        return self.has_begun(seconds) and seconds < self.end

    def replaces(self, key: str, seconds: float) -> bool:
        """Whether it is heard instead of a part at a time."""
        return key in self.replaced and self.has_begun(seconds) and seconds < self.until


NO_TAKE = TakeOnView(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class RollPart:
    """The notes of one part, in order of their starts. Make it with `of`; arrays are all (n,).

    `kind` decides look and what can be done: notes of "other" parts are faint and cannot be selected, nor can those
    that are `is_behind`: of other tracks than the one in front. `colour` is that of each note's track, or `OWN` for
    the kind's own; `shade` how each is drawn; drums are diamonds where they begin. `title` names the part, `origins`
    what notes came from, where that is another take.
    `index` is each note's place as given, `latest` the latest end among the notes up to and with each one, which never
    falls and so can be bisected.
    """

    key: str
    kind: PartKind
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int32]
    velocity: NDArray[np.int32]
    index: NDArray[np.int32]
    colour: NDArray[np.int16]
    shade: NDArray[np.uint8]  # values of Shade
    is_drum: NDArray[np.bool_]
    origin: NDArray[np.int16]
    is_behind: NDArray[np.bool_]
    title: str = ""
    origins: tuple[str, ...] = ()
    latest: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "latest", np.maximum.accumulate(self.end))

    @classmethod
    def of(cls, key: str, kind: PartKind, notes: Sequence[RollNote]) -> "RollPart":
        """A part of notes in any order."""
        return cls.of_columns(key, kind, np.array(notes, np.float64).reshape(-1, _COLUMNS))

    @classmethod
    def of_columns(
        cls,
        key: str,
        kind: PartKind,
        columns: NDArray[np.float64],
        title: str = "",
        origins: tuple[str, ...] = (),
    ) -> "RollPart":
        """The same of an array (n, 8), a column for each of what a `RollNote` has."""
        return cls._sorted(key, kind, columns, np.arange(len(columns), dtype=np.int32), title, origins)

    @classmethod
    def _sorted(
        cls,
        key: str,
        kind: PartKind,
        columns: NDArray[np.float64],
        index: NDArray[np.int32],
        title: str = "",
        origins: tuple[str, ...] = (),
    ) -> "RollPart":
        order = np.argsort(columns[:, 0], kind="stable")
        start, end, pitch, velocity, colour, is_drum, origin, is_behind = columns[order].T
        return cls(
            key,
            kind,
            np.ascontiguousarray(start),
            np.ascontiguousarray(end),
            pitch.astype(np.int32),
            velocity.astype(np.int32),
            index[order],
            colour.astype(np.int16),
            np.where(is_behind, Shade.BEHIND, Shade.FULL).astype(np.uint8),
            is_drum.astype(np.bool_),
            origin.astype(np.int16),
            is_behind.astype(np.bool_),
            title,
            origins,
        )

    def __len__(self) -> int:
        return len(self.start)

    @property
    def length(self) -> float:
        """End of the last note in seconds, 0 without notes."""
        return float(self.latest[-1]) if len(self) else 0.0

    @cached_property
    def pitches(self) -> frozenset[int]:
        """The pitches of its notes."""
        return frozenset(np.flatnonzero(np.bincount(self.pitch, minlength=1)).tolist())

    @cached_property
    def pitches_in_front(self) -> frozenset[int]:
        """The pitches of those of its notes that are not behind."""
        return frozenset(np.flatnonzero(np.bincount(self.pitch[~self.is_behind], minlength=1)).tolist())

    def looks_like(self, other: "RollPart") -> bool:
        """Whether the two are painted alike, whatever their keys."""
        if (self.kind, len(self)) != (other.kind, len(other)):
            return False
        pairs = ((getattr(self, name), getattr(other, name)) for name in _PAINTED)
        return all(a is b or np.array_equal(a, b) for a, b in pairs)

    def shaded(self, shade: NDArray[np.uint8], is_behind: NDArray[np.bool_]) -> "RollPart":
        """The part with its notes so, (n,) each in the order of its arrays: values of `Shade`, and which are behind."""
        return replace(self, shade=shade, is_behind=is_behind)

    def with_behind(self, indices: ArrayLike, is_behind: bool) -> "RollPart":
        """The part with the notes of these indices behind the track in front, or before it."""
        before, after = (Shade.FULL, Shade.BEHIND) if is_behind else (Shade.BEHIND, Shade.FULL)
        chosen = np.zeros(len(self), np.bool_)
        chosen[self.places(indices)] = True
        shade = np.where(chosen & (self.shade == before), after, self.shade)
        return self.shaded(shade.astype(np.uint8), np.where(chosen, is_behind, self.is_behind))

    @cached_property
    def is_selectable(self) -> NDArray[np.bool_]:
        """Which of its notes can be selected and edited, (n,) in the order of its arrays."""
        return np.zeros(len(self), np.bool_) if self.kind == "other" else ~self.is_behind

    def can_be_selected(self, indices: ArrayLike) -> NDArray[np.bool_]:
        """Which of these indices are of notes that are there and can be selected, (n,)."""
        wanted = np.asarray(indices, np.intp)
        is_there = (wanted >= 0) & (wanted < len(self))
        if self.kind != "other" and not self.is_behind.any():
            return is_there
        is_there[is_there] = self._selectable_by_index[wanted[is_there]]
        return is_there

    @cached_property
    def _selectable_by_index(self) -> NDArray[np.bool_]:
        by_index = np.empty(len(self), np.bool_)
        by_index[self.index] = self.is_selectable
        return by_index

    @property
    def layers(self) -> tuple["RollPart", ...]:
        """The part by what is painted alike: of one colour and shade each, drums or not, the palest first."""
        return self._several_layers or (self,)

    @cached_property
    def _several_layers(self) -> tuple["RollPart", ...]:
        """The layers, or none when all is painted alike: a part that kept itself would stay in memory."""
        looks = (self.shade.astype(np.int32) * 2 + self.is_drum) * _COLOURS + self.colour
        known = np.unique(looks)[::-1].tolist() if len(looks) and np.any(looks != looks[0]) else []
        return tuple(self._of(looks == look) for look in known)

    def _of(self, chosen: NDArray[np.bool_]) -> "RollPart":
        columns = {name: getattr(self, name)[chosen] for name in (*_PAINTED, "index", "is_behind")}
        return replace(self, **columns)

    def with_appended(self, notes: Sequence[RollNote]) -> "RollPart":
        """The part with notes added to the end of its order; they may start before notes already here."""
        looks = self.colour, self.is_drum, self.origin, self.is_behind
        old = (self.start, self.end, self.pitch, self.velocity, *looks)
        new = np.array(notes, np.float64).reshape(-1, _COLUMNS)
        columns = np.concatenate((np.column_stack(old), new)).astype(np.float64)
        index = np.concatenate((self.index, np.arange(len(self), len(columns), dtype=np.int32)))
        return self._sorted(self.key, self.kind, columns, index, self.title, self.origins)

    @property
    def are_drums(self) -> bool:
        """Whether all of its notes, and there are some, are drums."""
        return len(self) > 0 and bool(self.is_drum.all())

    def begun_between(self, start: float, end: float, low: int = 0, high: int = 127) -> NDArray[np.intp]:
        """Places in the arrays of the notes that begin in [start, end) with low <= pitch <= high."""
        first, last = np.searchsorted(self.start, (start, end), side="left")
        pitch = self.pitch[first:last]
        return np.nonzero((pitch >= low) & (pitch <= high))[0] + first

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
