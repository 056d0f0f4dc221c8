"""A chord that is played by a Player, and what ends it; what a listener got without repeated ends."""

from core.live.player import Player
from core.live.sounding import Sounding
from core.midi.messages import NOTE_ON, kind

CHORD = [bytes((0x90, pitch, 80)) for pitch in (48, 60, 64, 67)]
CHORD_ENDED = [
    *(bytes((0x80, pitch, 0)) for pitch in (48, 60, 64, 67)),
    b"\xb0\x40\x00",
    b"\xb0\x7b\x00",
]
PORT = "Continuo test"


def play_chord(player: Player) -> None:
    """Play a chord that lasts ten minutes."""
    player.start()
    player.feed([(0.0, message) for message in CHORD], 600.0)
    player.finish(600.0)


def without_repeats(messages: list[bytes]) -> list[bytes]:
    """Notes and pedals, but for what ends something that has ended already.

    It is sent again where JACK says that a cycle was lost, which on a busy machine is at any time.
    """
    sounding, kept = Sounding(), []
    for message in messages:
        before = set(sounding.notes), set(sounding.pedals)
        sounding.follow(message)
        is_on = kind(message) == NOTE_ON and message[2] > 0
        if is_on or before != (sounding.notes, sounding.pedals):
            kept.append(message)
    return kept
