"""Leaning to the prompt's key: notes outside it become less likely, as far as the prompt itself keeps to it."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.codec.events import decode
from core.codec.vocabulary import NOTE_ON, VOCABULARY_SIZE
from core.midi.key import detect_key

_STRETCH = 30.0  # seconds of the prompt's end that tell its key
_FEWEST_NOTES = 16
# A prompt with this share of its notes outside its key is chromatic: nothing is held against its notes.
_CHROMATIC = 0.1


def key_leaning(events: Sequence[int], nats: float) -> NDArray[np.float32]:
    """What to add to the logits, (vocab): up to `nats` less for each note outside the key of a prompt's end.

    The array must not be changed. The full number where none of the prompt's notes lies outside, the less the more do.
    """
    return _leaning(tuple(events), nats)


@lru_cache(2)
def _leaning(events: tuple[int, ...], nats: float) -> NDArray[np.float32]:
    leaning = np.zeros(VOCABULARY_SIZE, np.float32)
    notes = decode(events)
    notes = [note for note in notes if note.start >= notes[-1].start - _STRETCH]
    if nats == 0 or len(notes) < _FEWEST_NOTES:
        return leaning
    key = detect_key(notes)
    outside = sum(note.pitch % 12 not in key.pitch_classes for note in notes) / len(notes)
    foreign = ~np.isin(np.arange(NOTE_ON.size) % 12, list(key.pitch_classes))
    leaning[NOTE_ON.first : NOTE_ON.end][foreign] = -nats * max(0.0, 1 - outside / _CHROMATIC)
    return leaning
