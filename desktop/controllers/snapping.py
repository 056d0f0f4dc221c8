"""Snapping: what drags in the roll snap to, in the transport bar, the menu and the settings."""

from desktop.actions import Actions
from desktop.controllers.preferences import Preferences
from desktop.panels.transport_bar import TransportBar
from desktop.piano_roll.grid import DEFAULT_SNAP, SNAPS, Snap
from desktop.piano_roll.view import PianoRoll


class Snapping:
    """One choice, shown and set in several places."""

    def __init__(self, roll: PianoRoll, bar: TransportBar, actions: Actions, preferences: Preferences) -> None:
        self._roll, self._transport_bar, self._actions, self._preferences = roll, bar, actions, preferences
        self._last: Snap = DEFAULT_SNAP  # that was not "off"
        bar.snap_chosen.connect(self.choose)
        actions["snap"].triggered.connect(self.switch)
        self.choose(preferences.now.snap)

    def choose(self, snap: str) -> None:
        """Snap to this, now and at the next start."""
        known: dict[str, Snap] = {each: each for each in SNAPS}
        chosen = known.get(snap.lower(), DEFAULT_SNAP)  # settings may have "1/8T" from before
        if chosen != "off":
            self._last = chosen
        self._roll.set_snap(chosen)
        self._transport_bar.show_snap(chosen)
        self._actions["snap"].setChecked(chosen != "off")
        self._preferences.change(snap=chosen)

    def switch(self, is_on: bool) -> None:
        """Snap to what was snapped to last, or to nothing."""
        self.choose(self._last if is_on else "off")
