"""Which notes sound on which channel, and the messages that end them all."""

from collections.abc import Iterable

from core.midi.messages import (
    ALL_NOTES_OFF,
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
    PEDAL_DOWN,
    SUSTAIN,
    SYSEX,
    channel_of,
    is_control,
    kind,
)


class Sounding:
    """Follows the messages that go out; always able to say what would silence them."""

    def __init__(self, messages: Iterable[bytes] = ()) -> None:
        self.notes: set[tuple[int, int]] = set()  # (channel, pitch), channels 0 to 15
        self.channels: set[int] = set()  # those used since the last `clear`
        self.pedals: set[int] = set()  # channels whose sustain pedal is down
        for message in messages:
            self.follow(message)

    def follow(self, message: bytes) -> None:
        """Take note of a message that goes out now."""
        status, channel = kind(message), channel_of(message)
        if status == SYSEX or len(message) < 2:
            return
        self.channels.add(channel)
        if status == NOTE_ON and message[2] > 0:
            self.notes.add((channel, message[1]))
        elif status in (NOTE_ON, NOTE_OFF):
            self.notes.discard((channel, message[1]))
        elif is_control(message, SUSTAIN):
            (self.pedals.add if message[2] >= PEDAL_DOWN else self.pedals.discard)(channel)

    def copy(self) -> "Sounding":
        """A second one that starts from what sounds here."""
        twin = Sounding()
        twin.notes, twin.channels, twin.pedals = set(self.notes), set(self.channels), set(self.pedals)
        return twin

    def releases(self) -> list[bytes]:
        """Note-offs for all that sounds, then the pedals that are down lifted."""
        notes = [bytes((NOTE_OFF | channel, pitch, 0)) for channel, pitch in sorted(self.notes)]
        return notes + [bytes((CONTROL | c, SUSTAIN, 0)) for c in sorted(self.pedals)]

    def silence(self) -> list[bytes]:
        """Note-offs for all that sounds, then CC 64 = 0 and CC 123 on every channel used.

        Note-offs come first and one by one because some synths ignore CC 123.
        """
        messages = [bytes((NOTE_OFF | channel, pitch, 0)) for channel, pitch in sorted(self.notes)]
        for channel in sorted(self.channels):
            messages.append(bytes((CONTROL | channel, SUSTAIN, 0)))
            messages.append(bytes((CONTROL | channel, ALL_NOTES_OFF, 0)))
        return messages

    def clear(self) -> None:
        """Forget everything: it has been silenced."""
        self.notes.clear()
        self.channels.clear()
        self.pedals.clear()
