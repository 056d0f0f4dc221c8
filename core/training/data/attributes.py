"""Attributes: symbols that say what some events are like, to stand in front of a window."""

import numpy as np

from core.codec.vocabulary import (
    ARTICULATION,
    DENSITY,
    LOUDNESS,
    MODE,
    NOTE_OFF,
    NOTE_ON,
    ORIGIN,
    POLYPHONY,
    REGISTER,
    STEPS_PER_SECOND,
    VELOCITY,
    attribute,
    from_bin,
)
from core.midi.key import key_of_weights
from core.training.data.notes import Events, are_of, shifted

_FEWEST = 4  # notes that tell something
_ALL_DROPPED = 0.1  # share of the windows that have none, as models read what they are to continue without being told
_DROPPED = 1 / 9  # of each in the others: a fifth of all windows


def attributes(events: Events, is_score: bool) -> list[int]:
    """The symbols of some events (T), in the order of their ids; of too few notes, none."""
    ids = events.astype(np.int64)
    ons, offs = are_of(ids, NOTE_ON), are_of(ids, NOTE_OFF)
    pitch = ids[ons]
    steps = shifted(ids)
    length = int(steps.sum())
    if len(pitch) < _FEWEST or not length:
        return []
    spoken = np.maximum.accumulate(np.where(are_of(ids, VELOCITY), np.arange(len(ids)), -1))
    said = spoken[ons]
    bins = ids[said[said >= 0]] - VELOCITY.first
    sounding = np.cumsum(ons.astype(np.int64) - offs)
    sounding -= min(0, int(sounding.min()))  # what sounds from before is only heard of as it ends
    at_once = float((sounding * steps).sum()) / length
    chords = len(np.unique(np.cumsum(steps)[ons]))  # places at which notes begin
    values = {
        MODE: key_of_weights(np.bincount(pitch % 12, minlength=12).astype(float)).mode == "minor",
        DENSITY: len(pitch) * STEPS_PER_SECOND / length,
        LOUDNESS: from_bin(0) + 4 * float(bins.mean()) if len(bins) else None,
        REGISTER: float(pitch.mean()),
        POLYPHONY: at_once,
        ARTICULATION: at_once * chords / len(pitch),
        ORIGIN: is_score,
    }
    return [attribute(kind, value) for kind, value in values.items() if value is not None]


def shown(symbols: list[int], rng: np.random.Generator) -> Events:
    """Those that a window shows."""
    if rng.random() < _ALL_DROPPED:
        return np.empty(0, np.uint16)
    return np.array([symbol for symbol in symbols if rng.random() >= _DROPPED], np.uint16)
