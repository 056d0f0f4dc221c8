"""Which events may come next in a take, so that whatever a model says is playable music.

Small models forget to let notes go, strike what already sounds, or fall silent. Each of those is
ruled out before sampling, or mended by an event that goes into the model's context too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.codec.events import DEFAULT_VELOCITY, NoteMessage, StreamingDecoder
from core.codec.steps import PLAIN, Steps
from core.codec.vocabulary import (
    BOUNDARY,
    LONGEST_SHIFT,
    NOTE_OFF,
    NOTE_ON,
    STEPS_PER_SECOND,
    TIME_SHIFT,
    VELOCITY,
    VOCABULARY_SIZE,
    note_off,
    shift_steps,
    time_shift,
)
from core.errors import UsageError
from core.generation.dynamics import Loudness

_ONS = slice(NOTE_ON.first, NOTE_ON.end)
_OFFS = slice(NOTE_OFF.first, NOTE_OFF.end)
_SHIFTS = slice(TIME_SHIFT.first, TIME_SHIFT.end)
_VELOCITIES = slice(VELOCITY.first, VELOCITY.end)
_LATE = 2  # steps past a line at which a time shift still means the line


@dataclass(frozen=True, slots=True)
class Rules:
    """What a take may not do. Times in seconds; `scale` holds pitch classes 0 to 11 (None: all).

    `low` and `high` are the lowest and highest pitch struck. `ends` lets the model end the piece.
    A take's `longest_note` is often less (core.generation.holding).
    """

    scale: frozenset[int] | None = None
    low: int = 0
    high: int = 127
    longest_silence: float = 3.0
    longest_note: float = 10.0
    ends: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for rules that leave no note, or limits under one step."""
        if not 0 <= self.low <= self.high <= 127:
            raise UsageError(f"The range from note {self.low} to note {self.high} is empty or not within 0 to 127.")
        if not self.pitches.any():
            raise UsageError("No note of the scale lies within that range; widen the range or change the scale.")
        if not all(1 / STEPS_PER_SECOND <= limit < 3600 for limit in (self.longest_silence, self.longest_note)):
            raise UsageError("The longest silence and the longest note must last 0.01 seconds to an hour.")

    @property
    def pitches(self) -> NDArray[np.bool_]:
        """Which of the 128 pitches may be struck."""
        pitch = np.arange(128)
        allowed = (pitch >= self.low) & (pitch <= self.high)
        return allowed if self.scale is None else allowed & np.isin(pitch % 12, list(self.scale))


class Grammar:
    """The state of one take: its clock and its sounding notes (`decoder`), and what may follow.

    Time is in steps from the take's start, which last as `steps` says. A new take starts with nothing
    sounding. Where the steps have lines, notes begin on those alone: a note-on between two waits for the
    second, and a silence ends on the last line that its longest reaches. `loudness` says which velocities
    there are (none given: all) and what is heard of them.
    """

    def __init__(self, rules: Rules, steps: Steps = PLAIN, loudness: Loudness | None = None) -> None:
        self.decoder = StreamingDecoder(loudness.first if loudness else DEFAULT_VELOCITY, steps, loudness)
        self._velocities = np.ones(VELOCITY.size, dtype=bool)
        if loudness and loudness.bins:
            self._velocities = np.isin(np.arange(VELOCITY.size), loudness.bins)
        self._steps = steps
        self._pitches = rules.pitches
        self._longest_note = steps.span(rules.longest_note)
        self._longest_silence = steps.span(rules.longest_silence)
        self._silent_since = 0  # meaningful while nothing sounds
        self._after_velocity = False
        self._ends = rules.ends
        self._allowed = np.zeros(VOCABULARY_SIZE, dtype=bool)

    @property
    def step(self) -> int:
        """The take's clock."""
        return self.decoder.step

    def allowed(self) -> NDArray[np.bool_]:
        """(vocab) mask of the events that may come next; valid until the next call, never empty.

        Note-off only for what sounds, and not in the step it was struck; note-on only for a pitch of
        the rules that is silent; a velocity only if the take may have it, and after it its note-on; no time
        shift when silence has lasted its longest; boundary only if the rules let the piece end; never padding.
        """
        mask = self._allowed
        mask[_ONS] = self._pitches
        mask[_OFFS] = False
        for pitch, onset in self.decoder.sounding.items():
            mask[NOTE_ON.first + pitch] = False
            mask[NOTE_OFF.first + pitch] = onset < self.step and not self._after_velocity
        mask[_SHIFTS] = not self._after_velocity and self._patience() > 0
        mask[BOUNDARY] = self._ends and not self._after_velocity
        mask[_VELOCITIES] = self._velocities & (not self._after_velocity and bool(mask[_ONS].any()))
        return mask

    def due(self) -> int | None:
        """The note-off that must come now: of a note held its longest. It goes before anything else."""
        for pitch, onset in self.decoder.sounding.items():
            if self.step - onset >= self._longest_note and not self._after_velocity:
                return note_off(pitch)
        return None

    def fit(self, event: int, until: int | None = None) -> int:
        """The event, a time shift made short enough not to pass a limit (or step `until`).

        What begins a note between two lines gives way to the time shift that leads to the second; the model
        is asked again there. A shift that ends a hair past a line ends on it.
        """
        steps = shift_steps(event)
        if steps:
            late = self._steps.since_line(self.step + steps)
            if late < steps and late <= _LATE and late <= self._steps.to_line(self.step + steps) // 3:
                steps -= late
        elif event < NOTE_ON.end or VELOCITY.first <= event < VELOCITY.end:
            steps = min(self._steps.to_line(self.step), LONGEST_SHIFT)
        if not steps:
            return event
        most = self._patience()
        if until is not None:
            most = min(most, until - self.step)
        return time_shift(max(1, min(steps, most)))

    def accept(self, event: int) -> list[NoteMessage]:
        """Move on by an event: the note messages that it makes."""
        sounded = bool(self.decoder.sounding)
        messages = self.decoder.feed(event)
        self._after_velocity = VELOCITY.first <= event < VELOCITY.end
        if sounded and not self.decoder.sounding:
            self._silent_since = self.step
        return messages

    def _patience(self) -> int:
        """Steps that time may move on by before a note must be let go or struck."""
        if self.decoder.sounding:
            return min(self.decoder.sounding.values()) + self._longest_note - self.step
        end = self._silent_since + self._longest_silence
        line = end - self._steps.since_line(end)
        if line <= self._silent_since and line != end:
            line = end + self._steps.to_line(end)
        return line - self.step
