"""What playback tells of what happens: plain callbacks, all of them optional. (Generation's stand beside it: torch is
never imported from here.)

They are called on whatever thread it happens on, and must return at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.live.port_info import PortInfo


def nobody(*_: object) -> None:
    """Whom nobody listens to."""


@dataclass(frozen=True, slots=True)
class PlaybackEvents:
    """Of the sound."""

    opened: Callable[[str], object] = nobody  # where the sound goes now
    message: Callable[[str], object] = nobody  # a sentence: the output or the player was lost, or is back
    ports_changed: Callable[[tuple[PortInfo, ...]], object] = nobody
    failed: Callable[[Exception, str], object] = nobody  # what broke off, and what was being done
