"""The performance vocabulary: which id is which event. The ids are a file format, never renumber.

388 events as in Oore et al. 2018 ("This Time with Feeling") and Huang et al. 2018 ("Music
Transformer"), then boundary and padding.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """One run of ids: from `first` up to, and without, `end`."""

    name: str
    first: int
    end: int

    @property
    def size(self) -> int:
        """How many they are."""
        return self.end - self.first


NOTE_ON = Kind("note on", 0, 128)  # pitch
NOTE_OFF = Kind("note off", 128, 256)  # pitch
TIME_SHIFT = Kind("time shift", 256, 356)  # 1 to 100 steps
VELOCITY = Kind("velocity", 356, 388)  # bins of 4
BOUNDARY = 388  # starts and ends a piece
PADDING = 389  # ignored by the loss
VOCABULARY_SIZE = 390

STEPS_PER_SECOND = 100  # the grid: one step is 10 ms
LONGEST_SHIFT = TIME_SHIFT.size  # steps


def note_on(pitch: int) -> int:
    """Id of the note-on of a pitch (0 to 127)."""
    return NOTE_ON.first + pitch


def note_off(pitch: int) -> int:
    """Id of the note-off of a pitch (0 to 127)."""
    return NOTE_OFF.first + pitch


def time_shift(steps: int) -> int:
    """Id of the time shift of 1 to 100 steps."""
    return TIME_SHIFT.first + steps - 1


def velocity(velocity_bin: int) -> int:
    """Id of the velocity event of a bin (0 to 31)."""
    return VELOCITY.first + velocity_bin


def shift_steps(event: int) -> int:
    """Steps of a time-shift id; 0 for any other id."""
    return event - TIME_SHIFT.first + 1 if TIME_SHIFT.first <= event < TIME_SHIFT.end else 0


def to_step(seconds: float) -> int:
    """The grid step nearest to a time; halves go up, so that equal intervals round alike."""
    return int(seconds * STEPS_PER_SECOND + 0.5) if seconds >= 0 else -int(0.5 - seconds * STEPS_PER_SECOND)


def to_bin(midi_velocity: int) -> int:
    """Velocity bin (0 to 31) of a MIDI velocity (1 to 127)."""
    return midi_velocity // 4


def from_bin(velocity_bin: int) -> int:
    """The middle of a bin as MIDI velocity: 2 to 126, never 0, which would be a note-off."""
    return 4 * velocity_bin + 2


def describe(event: int) -> str:
    """An id in words, for messages and for people who study the codec."""
    for kind in (NOTE_ON, NOTE_OFF, VELOCITY):
        if kind.first <= event < kind.end:
            return f"{kind.name} {event - kind.first}"
    if steps := shift_steps(event):
        return f"{TIME_SHIFT.name} {steps * 10} ms"
    return {BOUNDARY: "boundary", PADDING: "padding"}.get(event, f"unknown event {event}")
