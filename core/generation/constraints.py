"""Constraints: which events may come next in a take, so that whatever a model says is playable music.

Small models forget to let notes go, strike what already sounds, or fall silent. Each of those is
masked before sampling, or mended by an event that goes into the model's context too.

Bounds limit how far a take may go beyond its prompt, in the length, number, density and range of its notes. A small
model that has strayed strays on: it forgets to let notes go, piles them up, runs to one end of the keyboard. Each bound
lies where true music hardly goes. Of the notes in the 20 seconds after any 20 seconds of held-out music (pop songs,
lieder, classical pieces, concert performances) at most 1.9 % last longer than the bound, 3.6 % sound together with more
others, 1.6 % come in a denser crowd, and 0.2 % lie out of range. Since then very long notes are kept to prompts that
have them, which on 100 of them left out at most 0.2 % more.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.codec.events import DEFAULT_VELOCITY, NoteMessage, Prompt, StreamingDecoder, decode
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
_LATE = 4  # steps past a line, at most, that still mean the line: players spread their chords

WINDOW = 2.0  # seconds in which notes are counted
_LONGER, _PERCENTILE = 1.5, 99.0
_LONG = 7.5  # seconds: longer notes are rare in true music, and come only after a prompt that has them
_MORE_AT_ONCE = 2
_DENSER = 1.5
_WIDER = 12  # semitones
# What a take may always do, however little its prompt does.
_SHORTEST = 2.0
_FEWEST_AT_ONCE = 6
_FEWEST_IN_WINDOW = 16


@dataclass(frozen=True, slots=True)
class Rules:
    """What a take may not do. Times in seconds; `scale` holds pitch classes 0 to 11 (None: all).

    `low` and `high` are the lowest and highest pitch struck. `ends` lets the model end the piece.
    What a prompt's Bounds allow is often less; they set no range if the rules do.
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
        allowed = _within(self.low, self.high)
        return allowed if self.scale is None else allowed & np.isin(np.arange(128) % 12, list(self.scale))


def _within(low: int, high: int) -> NDArray[np.bool_]:
    pitch = np.arange(128)
    return (pitch >= low) & (pitch <= high)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`longest_note` in seconds; `lowest` and `highest` pitch; most notes that sound at once; most in WINDOW."""

    longest_note: float
    lowest: int
    highest: int
    most_at_once: int
    most_in_window: int


@lru_cache(2)
def bounds_of(prompt: Prompt) -> Bounds | None:
    """The bounds of a prompt's takes; None if it has no notes."""
    notes = decode(prompt.events, steps=prompt.steps)
    if not notes:
        return None
    start, end = np.array([n.start for n in notes]), np.array([n.end for n in notes])
    long = float(np.percentile(end - start, _PERCENTILE))
    begun = np.searchsorted(start, start, "right")
    at_once = begun - np.searchsorted(np.sort(end), start, "right")
    in_window = begun - np.searchsorted(start, start - WINDOW, "right")
    return Bounds(
        max(_SHORTEST, min(_LONGER * long, max(long, _LONG))),
        min(n.pitch for n in notes) - _WIDER,
        max(n.pitch for n in notes) + _WIDER,
        max(_FEWEST_AT_ONCE, int(at_once.max()) + _MORE_AT_ONCE),
        max(_FEWEST_IN_WINDOW, int(np.ceil(in_window.max() * _DENSER))),
    )


class Grammar:
    """The state of one take: its clock and its sounding notes (`decoder`), and what may follow.

    Time is in steps from the take's start, which last as `steps` says. What is `sounding` from before, pitch and onset
    step, is not heard: the model lets it go, but it breaks no silence. Where the steps have lines, notes begin on those
    alone: a note-on between two waits for the second, and a silence ends on the last line that its longest reaches.
    `loudness` says which velocities there are (none given: all) and what is heard of them; `bounds` are the prompt's
    (none given: none).

    While it `rings_out` nothing begins any more: what sounds is let go when its time has come.

    `held` are sounding pitches that are ended from outside: no limit holds for them, and the model may not end them.
    """

    def __init__(
        self,
        rules: Rules,
        steps: Steps = PLAIN,
        loudness: Loudness | None = None,
        bounds: Bounds | None = None,
        sounding: Iterable[tuple[int, int]] = (),
    ) -> None:
        self.decoder = StreamingDecoder(loudness.first if loudness else DEFAULT_VELOCITY, steps, loudness, sounding)
        self._velocities = np.ones(VELOCITY.size, dtype=bool)
        if loudness and loudness.bins:
            self._velocities = np.isin(np.arange(VELOCITY.size), loudness.bins)
        self._steps = steps
        self._rules = rules
        self._onsets: deque[int] | None = None  # the steps of the newest onsets, as many as may lie within a window
        self.change_bounds(bounds)
        self._window = steps.span(WINDOW)
        self._longest_silence = steps.span(rules.longest_silence)
        self._silent_since = 0  # meaningful while nothing is heard
        self._after_velocity = False
        self._ends = rules.ends
        self._allowed = np.zeros(VOCABULARY_SIZE, dtype=bool)
        self.held: set[int] = set()
        self.rings_out = False

    def change_bounds(self, bounds: Bounds | None) -> None:
        """From now on the take keeps within other bounds."""
        rules = self._rules
        self._longest_note = self._steps.span(
            min(rules.longest_note, bounds.longest_note) if bounds else rules.longest_note
        )
        self._pitches = rules.pitches
        if bounds and (rules.low, rules.high) == (0, 127):
            self._pitches = self._pitches & _within(bounds.lowest, bounds.highest)
        self._most_at_once = bounds.most_at_once if bounds else 128
        self._onsets = deque(self._onsets or (), maxlen=bounds.most_in_window) if bounds else None

    @property
    def step(self) -> int:
        """The take's clock."""
        return self.decoder.step

    def allowed(self) -> NDArray[np.bool_]:
        """(vocab) mask of the events that may come next; valid until the next call, never empty.

        Note-off only for what sounds, and not in the step it was struck; note-on only for a pitch of
        the rules that is silent, and while neither too many sound nor too many have just begun; a velocity
        only if the take may have it, and after it its note-on; no time shift when silence has lasted its
        longest; boundary only if the rules let the piece end; never padding.
        """
        mask = self._allowed
        mask[_ONS] = self._pitches & (self._after_velocity or not self._is_crowded())
        mask[_OFFS] = False
        for pitch, onset in self.decoder.sounding.items():
            mask[NOTE_ON.first + pitch] = False
            mask[NOTE_OFF.first + pitch] = onset < self.step and not self._after_velocity and pitch not in self.held
        mask[_SHIFTS] = not self._after_velocity and self.max_shift() > 0
        # What comes a little after a line is meant to come on it: so it must come now.
        since = self._steps.since_line(self.step)
        late = self._late_until(self.step - since) - since
        if 0 < late < self.max_shift():
            mask[TIME_SHIFT.first : TIME_SHIFT.first + late] = False
        mask[BOUNDARY] = self._ends and not self._after_velocity
        mask[_VELOCITIES] = self._velocities & (not self._after_velocity and bool(mask[_ONS].any()))
        if self.rings_out:
            mask[_ONS] = mask[_VELOCITIES] = mask[BOUNDARY] = False
        return mask

    def forced_event(self) -> int | None:
        """The note-off that must come now, before anything else: of a note held its longest. None: sample freely."""
        for pitch, onset in self.decoder.sounding.items():
            if self.step - onset >= self._longest_note and not self._after_velocity and pitch not in self.held:
                return note_off(pitch)
        return None

    def max_shift(self) -> int:
        """Steps that time may move on by before a note must be let go or struck."""
        onsets = [onset for pitch, onset in self.decoder.sounding.items() if pitch not in self.held]
        ends = [min(onsets) + self._longest_note] if onsets else []
        if self.decoder.is_silent:
            ends.append(self._silence_end())
        return min(ends, default=self.step + self._longest_note) - self.step

    def _silence_end(self) -> int:
        """The step at which a silence has lasted its longest."""
        end = self._silent_since + self._longest_silence
        line = end - self._steps.since_line(end)
        if line <= self._silent_since and line != end:
            line = end + self._steps.to_line(end)
        return line

    def fit(self, event: int, until: int | None = None) -> int:
        """The event, a time shift made short enough not to pass a limit (or step `until`).

        What begins a note between two lines gives way to the time shift that leads to the second; the model
        is asked again there. A shift that ends a little past a line ends on it.
        """
        steps = shift_steps(event)
        if steps:
            late = self._steps.since_line(self.step + steps)
            if late < steps and late <= self._late_until(self.step + steps - late):
                steps -= late
        elif event in NOTE_ON or event in VELOCITY:
            steps = min(self._steps.to_line(self.step), LONGEST_SHIFT)
        if not steps:
            return event
        most = self.max_shift()
        if until is not None:
            most = min(most, until - self.step)
        return time_shift(max(1, min(steps, most)))

    def accept(self, event: int) -> list[NoteMessage]:
        """Move on by an event: the note messages that it makes."""
        was_silent = self.decoder.is_silent
        messages = self.decoder.feed(event)
        self._after_velocity = event in VELOCITY
        if self._onsets is not None and event in NOTE_ON:
            self._onsets.append(self.step)
        if self.decoder.is_silent and not was_silent:
            self._silent_since = self.step
        return messages

    def _is_crowded(self) -> bool:
        if len(self.decoder.sounding) >= self._most_at_once:
            return True
        onsets = self._onsets
        if onsets is None or len(onsets) < (onsets.maxlen or 0) or onsets[0] <= self.step - self._window:
            return False
        return self.max_shift() > 0  # a silence that has lasted its longest ends all the same

    def _late_until(self, line: int) -> int:
        """Steps past a line (a step) that still mean the line: up to a third of the way to the next."""
        return min(_LATE, (self._steps.to_line(line + 1) + 1) // 3)
