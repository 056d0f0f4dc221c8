"""The end of a prompt, which tells what a take should be like."""

from functools import lru_cache

from core.codec.events import Prompt, decode
from core.midi.write import TakeNote

_STRETCH = 20.0  # seconds
_FEWEST_NOTES = 8


@lru_cache(2)
def ending(prompt: Prompt) -> tuple[TakeNote, ...]:
    """The notes of a prompt's last 20 seconds, at 100 steps a second; none if they are too few to tell anything."""
    notes = decode(prompt.events)
    end = max((note.end for note in notes), default=0.0)
    late = tuple(note for note in notes if note.start >= end - _STRETCH)
    return late if len(late) >= _FEWEST_NOTES else ()
