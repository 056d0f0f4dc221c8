"""Selecting more notes by those that are selected: of the same pitch, track, place in the bar; or by velocity."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from desktop.actions import Actions
from desktop.dialogs.questions import Dialogs
from desktop.piano_roll.notes import RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.menu_words import plain

_Mask = NDArray[np.bool_]
_NEAR = 1 / 16  # of a quarter: places in the bar that count as the same


class Selecting:
    """The commands of Edit, Select."""

    def __init__(self, roll: PianoRoll, actions: Actions, dialogs: Callable[[], Dialogs]) -> None:
        self._roll, self._actions, self._dialogs = roll, actions, dialogs
        actions.on("select pitch", self.same_pitch)
        actions.on("select track", self.whole_parts)
        actions.on("select place", self.same_place)
        actions.on("select velocities", self.velocities)

    def same_pitch(self) -> None:
        """All notes of the pitches that are selected, in the parts that are."""
        pitches = np.unique(self._roll.overlays.selected.pitch)
        self._select(lambda part: np.isin(part.pitch, pitches))

    def whole_parts(self) -> None:
        """All notes of the tracks and takes of which some are selected."""
        self._select(lambda part: np.ones(len(part), np.bool_))

    def same_place(self) -> None:
        """All notes that begin where in its bar a selected one does, in the parts of which some are selected."""
        places = self._places(self._roll.overlays.selected.start)
        near = _NEAR * self._roll.grid.tempo_map.ticks_per_quarter

        def is_near(part: RollPart) -> _Mask:
            wanted = np.unique(places)
            at = self._places(part.start)
            after = np.clip(np.searchsorted(wanted, at), 1, max(len(wanted) - 1, 1))
            last = np.minimum(after, len(wanted) - 1)
            return np.minimum(np.abs(wanted[last] - at), np.abs(at - wanted[after - 1])) <= near

        self._select(is_near)

    def velocities(self) -> None:
        """Of the selected notes, or of all, those whose velocities lie between two that are asked for."""
        title = plain(self._actions["select velocities"].text())
        least = self._dialogs().number(title, self._roll.tr("From velocity:"), 1, 1, 127)
        most = None if least is None else self._dialogs().number(title, self._roll.tr("To:"), 127, least, 127)
        if least is None or most is None:
            return
        before = self._roll.selection if self._roll.has_selection else None
        chosen = {}
        for part in self._roll.parts:
            inside = part.index[(part.velocity >= least) & (part.velocity <= most)]
            chosen[part.key] = np.intersect1d(inside, before.indices.get(part.key, ())) if before else inside
        self._roll.select(Selection(chosen))

    def _places(self, starts: NDArray[np.float64]) -> NDArray[np.int64]:
        """Ticks from the start of the bar to each of these times (seconds), (n,)."""
        tempo_map = self._roll.grid.tempo_map
        ticks = tempo_map.ticks_array(starts).tolist()
        return np.array([tick - tempo_map.bar_around(tick)[0] for tick in ticks], np.int64)

    def _select(self, chosen: Callable[[RollPart], _Mask]) -> None:
        parts = [part for part in self._roll.parts if part.key in self._roll.selection.indices]
        self._roll.select(Selection({part.key: part.index[chosen(part)] for part in parts}))
