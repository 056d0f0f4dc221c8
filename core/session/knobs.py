"""Knobs: how a take is to differ from its prompt, in steps both ways from "as the prompt"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.errors import UsageError

MOST_STEPS = 2  # steps either way
GRADUALLY = "gradually "  # before the word of a knob

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
    """Each from -MOST_STEPS to MOST_STEPS steps, whole ones but for where a curve passes. Raises UsageError for more.

    `busy` notes per second, `high` register, `loud` velocity, `long` note lengths, `full` notes that begin together,
    `bright` mode, `free` variety of the times between onsets. Those that are named in `gradual` get there only at the
    end of their part of a take, steadily from where they stood at its start.
    """

    busy: int | float = 0
    high: int | float = 0
    loud: int | float = 0
    long: int | float = 0
    full: int | float = 0
    bright: int | float = 0
    free: int | float = 0
    gradual: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, steps in self.turned().items():
            if not -MOST_STEPS <= steps <= MOST_STEPS:
                low, high = WORDS[name]
                raise UsageError(f"From {low} to {high} there are {MOST_STEPS} steps either way, not {abs(steps)}.")
        if unknown := [name for name in self.gradual if name not in WORDS]:
            raise UsageError(f'"{unknown[0]}" is no knob.')

    def turned(self) -> dict[str, int | float]:
        """The knobs that are not at 0, by name."""
        return {name: steps for name in WORDS if (steps := getattr(self, name))}

    def with_steps(self, name: str, steps: int | float) -> "Knobs":
        """With one knob at so many steps, all the time."""
        return replace(self, **{name: steps}, gradual=tuple(other for other in self.gradual if other != name))

    @property
    def words(self) -> str:
        """In words, such as "much busier, gradually softer"; empty if none is turned."""
        return ", ".join(
            (GRADUALLY if name in self.gradual else "") + ("much " if abs(steps) > 1 else "") + WORDS[name][steps > 0]
            for name, steps in self.turned().items()
        )


AS_THE_PROMPT = Knobs()
UNTURNED = "as the prompt"  # in words


def knobs_words(parts: Sequence[Knobs]) -> str:
    """Knobs of parts that follow each other, in words: "calmer, then much busier"; empty if none is turned."""
    if not any(knobs.turned() for knobs in parts):
        return ""
    return ", then ".join(knobs.words or UNTURNED for knobs in parts)


def turned_throughout(parts: Sequence[Knobs], name: str, steps: int) -> tuple[Knobs, ...]:
    """The knobs of parts that follow each other with one of them at so many steps in all; one if all are alike."""
    turned = tuple(knobs.with_steps(name, steps) for knobs in parts)
    return turned[:1] if len(set(turned)) == 1 and not turned[0].gradual else turned


def parse_knobs(words: Iterable[str]) -> Knobs:
    """Knobs from words such as "busier", "softer=2" and "gradually louder". Raises UsageError, which says what words
    there are.
    """
    steps: dict[str, int] = {}
    gradual: list[str] = []
    for word in words:
        match = re.fullmatch(rf"\s*({GRADUALLY})?\s*([a-z]+)\s*(?:=\s*(\d))?\s*", word.lower())
        name = next((name for name, both in WORDS.items() if match and match[2] in both), None)
        if match is None or name is None:
            known = ", ".join(word for both in WORDS.values() for word in both)
            raise UsageError(f'"{word}" is no knob; there are {known}, each alone or with its steps, as in busier=2.')
        if name in steps:
            raise UsageError(f"The knob from {' to '.join(WORDS[name])} is named twice.")
        steps[name] = int(match[3] or 1) * (1 if match[2] == WORDS[name][1] else -1)
        gradual += [name] if match[1] else []
    return Knobs(**steps, gradual=tuple(gradual))
