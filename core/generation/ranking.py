"""Which of several takes goes on from its prompt most alike in kind: best first."""

from collections.abc import Sequence

from core.codec.events import Prompt, decode
from core.generation.options import Take
from core.midi.statistics import apart, music, stretch

_STRETCH = 20.0  # seconds of the prompt's end that a take is held against


def best_first(takes: Sequence[Take], prompt: Prompt) -> list[int]:
    """Indices of the takes by their distance (core.midi.statistics.apart) to the prompt's end; ties stay in order.

    Takes without a note come last, also after a prompt without any.
    """
    notes = decode(prompt.events, steps=prompt.steps)
    length = max((note.end for note in notes), default=0.0)
    end = stretch(music(notes, length), max(0.0, length - _STRETCH), length)
    order = [(not take.notes, apart(music(take.notes, take.seconds), end)) for take in takes]
    return sorted(range(len(takes)), key=order.__getitem__)
