"""Knobs: how a take is to differ from its prompt, in steps both ways from "as the prompt"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from core.errors import UsageError

MOST_STEPS = 2  # steps either way

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
    """Each from -MOST_STEPS to MOST_STEPS steps. Raises UsageError for more.

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
            if not -MOST_STEPS <= steps <= MOST_STEPS:
                low, high = WORDS[name]
                raise UsageError(f"From {low} to {high} there are {MOST_STEPS} steps either way, not {abs(steps)}.")

    def turned(self) -> dict[str, int]:
        """The knobs that are not at 0, by name."""
        return {field.name: steps for field in fields(self) if (steps := getattr(self, field.name))}

    @property
    def words(self) -> str:
        """In words, such as "much busier, softer"; empty if none is turned."""
        return ", ".join(
            ("much " if abs(steps) > 1 else "") + WORDS[name][steps > 0] for name, steps in self.turned().items()
        )


AS_THE_PROMPT = Knobs()
UNTURNED = "as the prompt"  # in words


def knobs_words(parts: Sequence[Knobs]) -> str:
    """Knobs of parts that follow each other, in words: "calmer, then much busier"; empty if none is turned."""
    if not any(knobs.turned() for knobs in parts):
        return ""
    return ", then ".join(knobs.words or UNTURNED for knobs in parts)


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
