"""PortInfo: a MIDI port of another program."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A MIDI port that could be played to, and the system it belongs to (ALSA, JACK, ...)."""

    name: str
    api: str
