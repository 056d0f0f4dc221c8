"""The performance vocabulary: which id is which event. The ids are a file format, never renumber.

388 events as in Oore et al. 2018 ("This Time with Feeling") and Huang et al. 2018 ("Music
Transformer"), then boundary and padding. Models that were trained with them know symbols besides: those by which the
middle of some music is told from what is around it (see core.training.data.middles), and attributes, which say in front
of a window what its music is like. No take has any of them.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """The ids of one kind of event: from `first` to before `end`."""

    name: str
    first: int
    end: int

    def __contains__(self, event: int) -> bool:
        return self.first <= event < self.end

    @property
    def size(self) -> int:
        """How many there are."""
        return self.end - self.first


NOTE_ON = Kind("note on", 0, 128)  # pitch
NOTE_OFF = Kind("note off", 128, 256)  # pitch
TIME_SHIFT = Kind("time shift", 256, 356)  # 1 to 100 steps
VELOCITY = Kind("velocity", 356, 388)  # bins of 4
BOUNDARY = 388  # starts and ends a piece
PADDING = 389  # ignored by the loss
VOCABULARY_SIZE: Final = 390  # what a take is made of

SUFFIX = 390  # what follows a middle, and what is kept in it, comes now
END = 391  # of a middle
MIDDLE = Kind("middle", 392, 424)  # now it comes, so long: steps of a fifth of an octave from half a second on
MODE = Kind("mode", 424, 426)  # major, minor
DENSITY = Kind("density", 426, 434)  # onsets per second
LOUDNESS = Kind("loudness", 434, 442)  # mean MIDI velocity
REGISTER = Kind("register", 442, 450)  # mean pitch
POLYPHONY = Kind("polyphony", 450, 456)  # notes that sound at once, mean over time
ARTICULATION = Kind("articulation", 456, 460)  # how often chords are struck while a note lasts
ORIGIN = Kind("origin", 460, 462)  # performed, from a score
ATTRIBUTES = (MODE, DENSITY, LOUDNESS, REGISTER, POLYPHONY, ARTICULATION, ORIGIN)
SYMBOLS_SIZE: Final = 462  # of the vocabulary with symbols

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
    return event - TIME_SHIFT.first + 1 if event in TIME_SHIFT else 0


def last_bin(events: Sequence[int]) -> int | None:
    """The velocity bin that holds after some events; None where none of them says one."""
    return next((event - VELOCITY.first for event in reversed(events) if event in VELOCITY), None)


def to_step(seconds: float) -> int:
    """The grid step nearest to a time; halves go up, so that equal intervals round alike."""
    return int(seconds * STEPS_PER_SECOND + 0.5) if seconds >= 0 else -int(0.5 - seconds * STEPS_PER_SECOND)


def to_bin(midi_velocity: int) -> int:
    """Velocity bin (0 to 31) of a MIDI velocity (1 to 127)."""
    return midi_velocity // 4


def from_bin(velocity_bin: int) -> int:
    """The middle of a bin as MIDI velocity: 2 to 126, never 0, which would be a note-off."""
    return 4 * velocity_bin + 2


def middle(seconds: float) -> int:
    """Id of the middle that lasts so long, of bins that are 15 % wide; the first and the last hold all beyond them."""
    return MIDDLE.first + min(max(round(5 * log2(max(seconds, 0.01) / 0.5)), 0), MIDDLE.size - 1)


_EDGES: dict[Kind, tuple[float, ...]] = {  # between one bin and the next
    DENSITY: (1, 2, 3, 4.5, 6.5, 9, 13),
    LOUDNESS: (16, 32, 48, 64, 80, 96, 112),
    REGISTER: (42, 48, 54, 60, 66, 72, 78),
    POLYPHONY: (1, 2, 3, 4.5, 6.5),
    ARTICULATION: (0.8, 1.6, 3.2),
}


def attribute(kind: Kind, value: float) -> int:
    """Id of an attribute: of its bin by edges, or of `value` itself where it has none (minor and score are 1)."""
    return kind.first + (bisect_right(_EDGES[kind], value) if kind in _EDGES else int(value))


def describe(event: int) -> str:
    """An id in words, for messages and for people who study the codec."""
    for kind in (NOTE_ON, NOTE_OFF, VELOCITY, MIDDLE, *ATTRIBUTES):
        if event in kind:
            return f"{kind.name} {event - kind.first}"
    if steps := shift_steps(event):
        return f"{TIME_SHIFT.name} {steps * 10} ms"
    return {BOUNDARY: "boundary", PADDING: "padding", SUFFIX: "suffix", END: "end of the middle"}.get(
        event, f"unknown event {event}"
    )
