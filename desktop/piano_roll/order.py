"""NoteOrder: the notes of a roll one after the other, as keys and screen readers go through them. No Qt."""

from collections.abc import Sequence

import numpy as np

from desktop.piano_roll.notes import NoteRef, RollPart
from desktop.piano_roll.selection import Selection


class NoteOrder:
    """The notes of some parts that can be selected, in the order of their starts; its places count from 0."""

    def __init__(self, parts: Sequence[RollPart]) -> None:
        self._parts = tuple(parts)
        which = [part.is_selectable for part in parts]
        starts = np.concatenate([np.empty(0), *(part.start[chosen] for part, chosen in zip(parts, which, strict=True))])
        order = np.argsort(starts, kind="stable")
        counts = [np.count_nonzero(chosen) for chosen in which]
        indices = [part.index[chosen] for part, chosen in zip(parts, which, strict=True)]
        self.starts = starts[order]  # seconds, (n,)
        self._part = np.repeat(np.arange(len(parts)), counts)[order]
        self._index = np.concatenate([np.empty(0, np.int32), *indices])[order]

    def is_of(self, parts: Sequence[RollPart]) -> bool:
        """Whether these are its parts."""
        return len(parts) == len(self._parts) and all(a is b for a, b in zip(parts, self._parts, strict=True))

    def __len__(self) -> int:
        return len(self.starts)

    def ref(self, place: int) -> NoteRef:
        """The note at a place."""
        return NoteRef(self._parts[self._part[place]].key, int(self._index[place]))

    def first_from(self, seconds: float) -> int:
        """The place of the first note that begins then or later; as many as there are notes if none does."""
        return int(np.searchsorted(self.starts, seconds))

    def ends(self, selection: Selection) -> tuple[int, int]:
        """The places of the first and the last selected note; there must be some."""
        is_selected = np.zeros(len(self), np.bool_)
        for number, part in enumerate(self._parts):
            if part.key in selection.indices:
                of_part = np.flatnonzero(self._part == number)
                is_selected[of_part] = np.isin(self._index[of_part], selection.indices[part.key])
        places = np.flatnonzero(is_selected)
        return int(places[0]), int(places[-1])
