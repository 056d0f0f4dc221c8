"""The end of a prompt, which tells what a take should be like."""

from collections.abc import Sequence
from functools import lru_cache

from core.codec.events import DEFAULT_VELOCITY, Prompt, decode
from core.codec.vocabulary import STEPS_PER_SECOND, VELOCITY, from_bin, shift_steps
from core.midi.write import TakeNote

_STRETCH = 20.0  # seconds
_FEWEST_NOTES = 8


@lru_cache(2)
def ending(prompt: Prompt) -> tuple[TakeNote, ...]:
    """The notes of a prompt's last 20 seconds, at 100 steps a second; none if they are too few to tell anything.

    Their times are right from one to the other.
    """
    first = _tail(prompt.events)
    notes = decode(prompt.events[first:], _velocity_before(prompt.events, first))
    end = max((note.end for note in notes), default=0.0)
    late = tuple(note for note in notes if note.start >= end - _STRETCH)
    return late if len(late) >= _FEWEST_NOTES else ()


def _tail(events: Sequence[int]) -> int:
    """Where the events begin that the last 20 seconds' notes are made of: a long prompt takes long to decode."""
    first = len(events)
    while first and shift_steps(events[first - 1]):  # silence after the last note
        first -= 1
    steps = 0
    while first and steps <= _STRETCH * STEPS_PER_SECOND:
        first -= 1
        steps += shift_steps(events[first])
    return first


def _velocity_before(events: Sequence[int], first: int) -> int:
    """The MIDI velocity that events before the one at `first` have set."""
    for event in reversed(events[:first]):
        if VELOCITY.first <= event < VELOCITY.end:
            return from_bin(event - VELOCITY.first)
    return DEFAULT_VELOCITY
