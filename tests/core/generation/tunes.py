"""Prompts, notes and positions that several tests share."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage
from core.codec.vocabulary import BOUNDARY, STEPS_PER_SECOND, VOCABULARY_SIZE, note_off, note_on, time_shift
from core.generation.logits_processors import LogitsProcessor, Position

SCALE: tuple[int, ...] = (60, 62, 64, 65, 67, 69, 71, 72)


def line(pitches: list[int], steps: int = 25) -> list[int]:
    """One note after the other, of so many steps each."""
    return [BOUNDARY, *(e for p in pitches for e in (note_on(p), time_shift(steps), note_off(p)))]


def struck(step: int, pitch: int = 60, velocity: int = 66) -> NoteMessage:
    """A note that begins at a step."""
    return NoteMessage(step, pitch, velocity, step / STEPS_PER_SECOND)


def position(step: int = 0, sounding: Mapping[int, int] | None = None) -> Position:
    """A step of a take in which every event is allowed."""
    return Position(step, sounding or {}, np.ones(VOCABULARY_SIZE, bool))


def processed(processor: LogitsProcessor, at: Position) -> NDArray[np.float32]:
    """What a processor makes of even logits, which themselves stay as they are."""
    logits = np.zeros(VOCABULARY_SIZE, np.float32)
    result = processor.process(logits, at)
    assert not logits.any()
    assert np.isfinite(result).all()
    return result
