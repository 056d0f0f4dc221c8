"""StandingPort: the virtual port "Continuo", open from the app's start to its end, whatever the sound goes to.

So a DAW finds it as soon as the app runs, and keeps its connection while other outputs are tried.
"""

import logging
import sys
from collections.abc import Sequence

from core.errors import ContinuoError
from core.live.outputs import VirtualPort
from core.live.player import Player

_log = logging.getLogger("continuo")


class StandingPort:
    """A player at the virtual port, opened once. For one thread at a time."""

    def __init__(self) -> None:
        self._player: Player | None = None
        self._left: Sequence[bytes] = ()  # what ends all that a lost player may have left sounding
        self._is_refused = False  # nobody asked for it, so one attempt is enough

    def open(self, choice: VirtualPort) -> Player:
        """The player at the port. Raises what `Player` raises."""
        if self._player is None:
            self._player = Player(choice, self._left)
            self._left = ()
        return self._player

    def stand_by(self, has_midi: bool) -> None:
        """Open the port if there is a MIDI system; let go of one whose MIDI system has ended."""
        if self._player is not None and self._player.status().problem:
            self.let_go(self._player)
        if has_midi and self._player is None and not self._is_refused and sys.platform != "win32":
            try:
                self.open(VirtualPort())
            except ContinuoError as error:
                self._is_refused = not self._left  # else there are notes to be ended
                _log.info("opening the virtual port: %s", error)

    def let_go(self, player: Player) -> bool:
        """Another output is chosen or the player is lost. Whether it is this port's: it stays open if it lives."""
        if player is not self._player:
            return False
        try:
            if not player.status().problem:
                player.stop()
                return True
            player.close()
        except ContinuoError as error:
            _log.info("closing the player: %s", error)
        self._left = player.left_sounding()
        self._player = None
        return True

    def close(self) -> None:
        """The app ends."""
        player, self._player = self._player, None
        if player is not None:
            player.close()
