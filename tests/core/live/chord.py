"""A chord that is played by a Player, and what ends it."""

from core.live.player import Player

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
