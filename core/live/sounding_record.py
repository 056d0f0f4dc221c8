"""What may still sound at the listener, in memory that outlives the player: so the app can end it after a kill.

The player writes the record before it sends, and takes a note out only some time after its note-off: what a port has
taken and not yet delivered dies with it, and JACK may lose a note-off on the way.
"""

from collections.abc import Iterable, MutableSequence, Sequence

from core.live.sounding import Sounding
from core.midi.messages import NOTE_ON, PEDAL_DOWN, SUSTAIN, SYSEX, channel_of, is_control, is_note, kind

_CHANNEL = 130  # bytes of a channel: one for each pitch, for whether it is in use, for its sustain pedal
_IN_USE, _PEDAL = 128, 129
RECORD_BYTES = 16 * _CHANNEL
LOOKS = 5  # at what has ended, after which that counts as delivered


class SoundingRecord:
    """The player's side: `memory` is RECORD_BYTES bytes that the app reads, zeros at first."""

    def __init__(self, memory: MutableSequence[int]) -> None:
        self._memory = memory
        self._ended: dict[int, int] = {}  # by place: how many calls of `age` have found it ended

    def add(self, message: bytes) -> None:
        """A message is about to be sent."""
        status, channel = kind(message), channel_of(message)
        if status == SYSEX or len(message) < 2:
            return
        self._put(channel * _CHANNEL + _IN_USE)
        if status == NOTE_ON and message[2] > 0:
            self._put(channel * _CHANNEL + message[1])
        elif is_control(message, SUSTAIN) and message[2] >= PEDAL_DOWN:
            self._put(channel * _CHANNEL + _PEDAL)

    def _put(self, place: int) -> None:
        self._memory[place] = 1
        self._ended[place] = 0

    def age(self, sounding: Sounding) -> None:
        """Called now and then: what did not sound at the last LOOKS calls, this one included, is taken out."""
        now = {channel * _CHANNEL + pitch for channel, pitch in sounding.notes}
        now |= {channel * _CHANNEL + _IN_USE for channel in sounding.channels}
        now |= {channel * _CHANNEL + _PEDAL for channel in sounding.pedals}
        for place, looks in list(self._ended.items()):
            self._ended[place] = 0 if place in now else looks + 1
            if self._ended[place] == LOOKS:
                self._memory[place] = 0
                del self._ended[place]

    def ended(self, sounding: Sounding) -> list[bytes]:
        """What ends once more all that is in the record and does not sound."""
        return still_wanted(recorded(self._memory).releases(), sounding)

    def clear(self) -> None:
        """All has ended, and that is delivered."""
        for place in self._ended:
            self._memory[place] = 0
        self._ended.clear()


def recorded(memory: Sequence[int]) -> Sounding:
    """The app's side: what may sound, the pedals that may be down, and the channels in use."""
    sounding = Sounding()
    for channel in range(16):
        pitches = memory[channel * _CHANNEL : channel * _CHANNEL + _IN_USE]
        sounding.notes.update((channel, pitch) for pitch, sounds in enumerate(pitches) if sounds)
        if memory[channel * _CHANNEL + _IN_USE]:
            sounding.channels.add(channel)
        if memory[channel * _CHANNEL + _PEDAL]:
            sounding.pedals.add(channel)
    return sounding


def still_wanted(release: Iterable[bytes], sounding: Sounding) -> list[bytes]:
    """What of `release` (see `Sounding.silence`) ends nothing that was struck since, nor a pedal that is down."""
    struck = {channel for channel, _ in sounding.notes}

    def is_wanted(message: bytes) -> bool:
        channel = channel_of(message)
        if is_note(message):
            return (channel, message[1]) not in sounding.notes
        return channel not in sounding.pedals and (is_control(message, SUSTAIN) or channel not in struck)

    return [message for message in release if is_wanted(message)]
