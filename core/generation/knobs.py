"""Knobs: how a take is to differ from its prompt, in steps both ways from "as the prompt".

They change what the logits processors compare a take with: the notes, density, register and bounds of a PromptSummary.
A knob at 0 changes nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.generation.constraints import Bounds
from core.generation.prompt_summary import PromptSummary
from core.midi.key import Key
from core.midi.score import TakeNote

MOST = 2  # steps either way

LOUDER = 9  # MIDI velocity a step

# What a step up multiplies.
_DENSITY = 1.4
_LENGTH = 1.6
_CHORD = 1.5  # notes that begin together
_VARIETY = 1.8  # by this power times between onsets that are rare become likelier
_SHORTER_WHEN_BUSY = 0.5  # the power of the density by which notes become shorter, as real ones do
_DENSER_WHEN_FULL = 0.5  # the power of the chords' size by which there are more notes a second
_HIGHER = 4  # semitones a step

# The words of each knob, for a step down and a step up.
WORDS = {
    "busy": ("calmer", "busier"),
    "high": ("lower", "higher"),
    "loud": ("softer", "louder"),
    "long": ("shorter", "longer"),
    "full": ("thinner", "fuller"),
    "bright": ("darker", "brighter"),
    "free": ("steadier", "freer"),
}


@dataclass(frozen=True, slots=True)
class Knobs:
    """Each from -MOST to MOST steps. Raises UsageError for more.

    `busy` notes per second, `high` register, `loud` velocity, `long` note lengths, `full` notes that begin together,
    `bright` mode, `free` variety of the times between onsets.
    """

    busy: int = 0
    high: int = 0
    loud: int = 0
    long: int = 0
    full: int = 0
    bright: int = 0
    free: int = 0

    def __post_init__(self) -> None:
        for name, steps in self.turned().items():
            if not -MOST <= steps <= MOST:
                low, high = WORDS[name]
                raise UsageError(f"From {low} to {high} there are {MOST} steps either way, not {abs(steps)}.")

    def turned(self) -> dict[str, int]:
        """The knobs that are not at 0, by name."""
        return {field.name: steps for field in fields(self) if (steps := getattr(self, field.name))}

    @property
    def words(self) -> str:
        """In words, such as "much busier, softer"; empty if none is turned."""
        return ", ".join(
            ("much " if abs(steps) > 1 else "") + WORDS[name][steps > 0] for name, steps in self.turned().items()
        )


def parse_knobs(words: Iterable[str]) -> Knobs:
    """Knobs from words such as "busier" and "softer=2". Raises UsageError, which says what words there are."""
    steps: dict[str, int] = {}
    for word in words:
        match = re.fullmatch(r"\s*([a-z]+)\s*(?:=\s*(\d))?\s*", word.lower())
        name = next((name for name, both in WORDS.items() if match and match[1] in both), None)
        if match is None or name is None:
            known = ", ".join(word for both in WORDS.values() for word in both)
            raise UsageError(f'"{word}" is no knob; there are {known}, each alone or with its steps, as in busier=2.')
        if name in steps:
            raise UsageError(f"The knob from {' to '.join(WORDS[name])} is named twice.")
        steps[name] = int(match[2] or 1) * (1 if match[1] == WORDS[name][1] else -1)
    return Knobs(**steps)


def aim(summary: PromptSummary, knobs: Knobs) -> PromptSummary:
    """What a take is to be like: the summary of a prompt, changed by the knobs."""
    if not knobs.turned():
        return summary
    busier, fuller = _DENSITY**knobs.busy, _CHORD**knobs.full
    longer = _LENGTH**knobs.long * busier**-_SHORTER_WHEN_BUSY
    higher = _HIGHER * knobs.high
    return replace(
        summary,
        notes=tuple(_turned(note, busier, longer, LOUDER * knobs.loud) for note in summary.notes),
        density=summary.density * busier * fuller**_DENSER_WHEN_FULL,
        mean_pitch=None if summary.mean_pitch is None else float(np.clip(summary.mean_pitch + higher, 12, 115)),
        outside_key=summary.outside_key & ~_parallel(summary, knobs.bright),
        bounds=summary.bounds and _loosened(summary.bounds, busier, longer, fuller, higher),
        chord_factor=fuller,
        rhythm_power=_VARIETY**-knobs.free,
        brightness=knobs.bright,
    )


def _turned(note: TakeNote, busier: float, longer: float, louder: int) -> TakeNote:
    start = note.start / busier
    velocity = min(max(note.velocity + louder, 1), 127)
    return replace(note, start=start, end=start + (note.end - note.start) * longer, velocity=velocity)


def _loosened(bounds: Bounds, busier: float, longer: float, fuller: float, higher: int) -> Bounds:
    """The bounds, moved as far as the knobs ask for, and never narrower than the prompt's."""
    more = max(1.0, busier * fuller)
    return Bounds(
        bounds.longest_note * max(1.0, longer),
        bounds.lowest + min(0, higher),
        bounds.highest + max(0, higher),
        round(bounds.most_at_once * max(more, more * longer)),
        round(bounds.most_in_window * more),
    )


def _parallel(summary: PromptSummary, bright: int) -> NDArray[np.bool_]:
    """The pitches of the parallel mode that the knob asks for: they do not count as outside the key."""
    if not bright or summary.tonic is None:
        return np.zeros_like(summary.outside_key)
    key = Key(summary.tonic, "major" if bright > 0 else "minor")
    return np.isin(np.arange(len(summary.outside_key)) % 12, list(key.pitch_classes))
