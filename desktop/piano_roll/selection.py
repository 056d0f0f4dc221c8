"""Which notes are selected, as sorted indices for each part. No Qt."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from desktop.piano_roll.notes import NoteRef, RollPart

Indices = Mapping[str, ArrayLike]  # part -> indices of notes in it
_Sorted = dict[str, NDArray[np.int64]]


class Selection:
    """An immutable set of notes; the operations return new ones. Parts without notes in it do not occur."""

    def __init__(self, indices: Indices | None = None) -> None:
        arrays = {key: _sorted(np.asarray(i, np.int64)) for key, i in (indices or {}).items()}
        self.indices: _Sorted = {key: i for key, i in arrays.items() if len(i)}

    @classmethod
    def of(cls, refs: Iterable[NoteRef]) -> "Selection":
        """The selection of some notes."""
        by_part: dict[str, list[int]] = {}
        for ref in refs:
            by_part.setdefault(ref.part, []).append(ref.index)
        return cls(by_part)

    def __len__(self) -> int:
        return sum(len(i) for i in self.indices.values())

    def __contains__(self, ref: NoteRef) -> bool:
        return bool(np.isin(ref.index, self.indices.get(ref.part, ())))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Selection)
            and self.indices.keys() == other.indices.keys()
            and all(np.array_equal(i, other.indices[key]) for key, i in self.indices.items())
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def refs(self) -> tuple[NoteRef, ...]:
        """The notes, part by part in the order of their indices."""
        return tuple(NoteRef(key, i) for key, indices in self.indices.items() for i in indices.tolist())

    def first(self, count: int) -> list[NoteRef]:
        """The first of `refs`, without making all of them."""
        found: list[NoteRef] = []
        for key, indices in self.indices.items():
            found += [NoteRef(key, i) for i in indices[: count - len(found)].tolist()]
        return found

    def plus(self, other: "Selection") -> "Selection":
        """What is in either."""
        return self._joined(other, np.union1d)

    def toggled(self, other: "Selection") -> "Selection":
        """What is in one of both, not in both."""
        return self._joined(other, np.setxor1d)

    def common(self, other: "Selection") -> "Selection":
        """What is in both."""
        return self._joined(other, np.intersect1d)

    def _joined(self, other: "Selection", join: Callable[..., NDArray[np.int64]]) -> "Selection":
        none = np.empty(0, np.int64)
        keys = self.indices | other.indices
        return Selection({k: join(self.indices.get(k, none), other.indices.get(k, none)) for k in keys})

    def within(self, parts: Sequence[RollPart]) -> "Selection":
        """Without notes that these parts do not have or do not let be selected."""
        by_key = {part.key: part for part in parts}
        can_be = {key: by_key[key].can_be_selected(i) for key, i in self.indices.items() if key in by_key}
        if len(can_be) == len(self.indices) and all(each.all() for each in can_be.values()):
            return self
        return Selection({key: self.indices[key][each] for key, each in can_be.items()})

    def behind(self, parts: Sequence[RollPart]) -> "Selection":
        """Those of notes in these parts that are behind the track in front."""
        found: _Sorted = {}
        for part in parts:
            if part.key in self.indices and part.kind != "other" and part.is_behind.any():
                places = part.places(self.indices[part.key])
                found[part.key] = part.index[places[part.is_behind[places]]].astype(np.int64)
        return Selection(found)


def _sorted(indices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each index once. np.unique, which hashes, takes a hundred times as long for all notes of a large file."""
    indices = np.sort(indices)
    return indices[np.append(True, indices[1:] != indices[:-1])[: len(indices)]]
