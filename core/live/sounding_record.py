"""What may still sound at the listener, in memory that outlives the player: so the app can end it after a kill.

The player writes the record before it sends, and takes a note out only some time after its note-off: what a port has
taken and not yet delivered dies with it.
"""

from collections.abc import Iterable, MutableSequence, Sequence

from core.live.sounding import Sounding
from core.midi.messages import NOTE_ON, SYSEX, channel_of, is_note, kind

_CHANNEL = 129  # bytes of a channel: one for each pitch, and one for whether it is in use
_IN_USE = 128
RECORD_BYTES = 16 * _CHANNEL


class SoundingRecord:
    """The player's side: `memory` is RECORD_BYTES bytes that the app reads, zeros at first."""

    def __init__(self, memory: MutableSequence[int]) -> None:
        self._memory = memory
        self._ended: dict[int, bool] = {}  # by place: whether the last `age` found it ended already

    def add(self, message: bytes) -> None:
        """A message is about to be sent."""
        status, channel = kind(message), channel_of(message)
        if status == SYSEX or len(message) < 2:
            return
        self._put(channel * _CHANNEL + _IN_USE)
        if status == NOTE_ON and message[2] > 0:
            self._put(channel * _CHANNEL + message[1])

    def _put(self, place: int) -> None:
        self._memory[place] = 1
        self._ended[place] = False

    def age(self, sounding: Sounding) -> None:
        """Called now and then: what did not sound at the last call, and does not now, is taken out."""
        now = {channel * _CHANNEL + pitch for channel, pitch in sounding.notes}
        now |= {channel * _CHANNEL + _IN_USE for channel in sounding.channels}
        for place, has_ended in list(self._ended.items()):
            if place in now:
                self._ended[place] = False
            elif has_ended:
                self._memory[place] = 0
                del self._ended[place]
            else:
                self._ended[place] = True

    def clear(self) -> None:
        """All has ended, and that is delivered."""
        for place in self._ended:
            self._memory[place] = 0
        self._ended.clear()


def recorded(memory: Sequence[int]) -> Sounding:
    """The app's side: what may sound, and the channels in use (of pedals it does not tell)."""
    sounding = Sounding()
    for channel in range(16):
        pitches = memory[channel * _CHANNEL : channel * _CHANNEL + _IN_USE]
        sounding.notes.update((channel, pitch) for pitch, sounds in enumerate(pitches) if sounds)
        if memory[channel * _CHANNEL + _IN_USE]:
            sounding.channels.add(channel)
    return sounding


def still_wanted(release: Iterable[bytes], sounding: Sounding) -> list[bytes]:
    """What of `release` (see `Sounding.silence`) ends nothing that was struck since."""
    busy = {channel for channel, _ in sounding.notes} | sounding.pedals
    wanted = []
    for message in release:
        channel = channel_of(message)
        if (channel, message[1]) not in sounding.notes if is_note(message) else channel not in busy:
            wanted.append(message)
    return wanted
