"""PlaybackEvents: callbacks by which playback tells what happens. (Those of generation stand in `generation`.)

All are optional. They are called on whatever thread it happens on, and must return at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.live.port_info import PortInfo


def nobody(*_: object) -> None:
    """The callback where nobody wants to be told."""


@dataclass(frozen=True, slots=True)
class PlaybackEvents:
    """Callbacks of `Playback`."""

    opened: Callable[[str], object] = nobody  # where the sound goes now
    message: Callable[[str], object] = nobody  # a sentence: the output or the player was lost, or is back
    ports_changed: Callable[[tuple[PortInfo, ...]], object] = nobody
    failed: Callable[[Exception, str], object] = nobody  # what broke off, and what was being done
