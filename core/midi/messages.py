"""The bytes of MIDI messages: statuses, controllers, meta events, and the system exclusives that matter here.

One table; nothing else in the program spells these numbers. From the MIDI 1.0 specification, General MIDI 2, and
Roland's and Yamaha's published GS and XG tables.
"""

from enum import Enum
from typing import NamedTuple

# Statuses of channel messages; the channel (0 to 15) is added.
NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL = 0x80, 0x90, 0xA0, 0xB0
PROGRAM, CHANNEL_PRESSURE, PITCH_BEND = 0xC0, 0xD0, 0xE0
SYSEX, ESCAPE, META = 0xF0, 0xF7, 0xFF
FIRST_STATUS = NOTE_OFF  # what is less is data

# Controllers.
BANK_MSB, BANK_LSB = 0, 32
MODULATION, VOLUME, PAN, EXPRESSION = 1, 7, 10, 11
SUSTAIN, SOSTENUTO, SOFT = 64, 66, 67
PEDALS = (SUSTAIN, SOSTENUTO, SOFT)
PEDAL_DOWN = 64  # the least value of these that holds notes
ALL_SOUND_OFF, RESET_CONTROLLERS, ALL_NOTES_OFF = 120, 121, 123

# Meta events.
SEQUENCE_NUMBER, SMPTE_OFFSET = 0x00, 0x54
TEXTS = range(0x01, 0x10)
TEXT = 0x01
TRACK_NAME, DEVICE_NAME, CHANNEL_PREFIX, PORT = 0x03, 0x09, 0x20, 0x21
END_OF_TRACK_META, TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x2F, 0x51, 0x58, 0x59

DEFAULT_RELEASE = 64  # velocity of a note-off where nobody measured one
DEFAULT_VOLUME, DEFAULT_PAN, DEFAULT_EXPRESSION = 100, 64, 127  # General MIDI's


def kind(message: bytes) -> int:
    """The status of a channel message without its channel."""
    return message[0] & 0xF0


def channel_of(message: bytes) -> int:
    """The channel of a channel message, 0 to 15."""
    return message[0] & 0x0F


def is_note(message: bytes) -> bool:
    """Whether a message is a note-on or a note-off."""
    return NOTE_OFF <= message[0] < KEY_PRESSURE


def is_control(message: bytes, *numbers: int) -> bool:
    """Whether a message is a control change of one of these controllers."""
    return message[0] & 0xF0 == CONTROL and message[1] in numbers


def on_channel(message: bytes, to: int) -> bytes:
    """A channel message, moved to another channel."""
    return bytes((message[0] & 0xF0 | to, *message[1:]))


class Mode(Enum):
    """What a synth has been told to be; "none" until it was told anything."""

    NONE = "none"
    GM = "GM"
    GM2 = "GM2"
    GS = "GS"
    XG = "XG"


class PartMode(NamedTuple):
    """A system exclusive that makes a channel play drums, or no drums."""

    channel: int
    is_drums: bool


class MasterVolume(NamedTuple):
    """A system exclusive that sets the volume of all channels, 0 to 127."""

    value: int


# Roland numbers the parts of a GS synth so that part 10 comes first.
_GS_CHANNELS = (9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15)


def read_sysex(data: bytes) -> tuple[Mode | PartMode | MasterVolume, ...]:
    """What a system exclusive (its bytes between F0 and F7) says about modes, drums and volume; nothing for others.

    Device numbers and checksums are not looked at: programs write them wrongly, and synths are forgiving.
    """
    match tuple(data):
        case (0x7E, _, 0x09, 0x01 | 0x02):
            return (Mode.GM,)
        case (0x7E, _, 0x09, 0x03):
            return (Mode.GM2,)
        case (0x7F, _, 0x04, 0x01, _, high):
            return (MasterVolume(high),)
        case (0x41, _, 0x42, 0x12, 0x40 | 0x00, 0x00, 0x7F, *_):
            return (Mode.GS,)
        case (0x41, _, 0x42, 0x12, 0x40, 0x00, 0x04, value, *_):
            return (MasterVolume(value),)
        case (0x41, _, 0x42, 0x12, 0x40, part, first, *values) if 0x10 <= part <= 0x1F:
            return _part_mode(_GS_CHANNELS[part - 0x10], values[:-1], 0x15 - first, (1, 2))
        case (0x43, _, 0x4C, 0x00, 0x00, 0x7E | 0x7F, *_):
            return (Mode.XG,)
        case (0x43, _, 0x4C, 0x00, 0x00, 0x04, value):
            return (MasterVolume(value),)
        case (0x43, _, 0x4C, 0x08, part, first, *values) if part < 16:
            return _part_mode(part, values, 0x07 - first, range(1, 6))
        case _:
            return ()


def _part_mode(
    part_channel: int, values: list[int], place: int, drums: tuple[int, ...] | range
) -> tuple[PartMode, ...]:
    """The part mode among values that are written from some address on, if it is one of them."""
    return (PartMode(part_channel, values[place] in drums),) if 0 <= place < len(values) else ()


def master_volume(value: int) -> bytes:
    """The universal system exclusive that sets the volume of all channels, as it stands in a MIDI file."""
    return bytes((SYSEX, 7, 0x7F, 0x7F, 0x04, 0x01, 0, value, ESCAPE))
