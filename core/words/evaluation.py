"""How often lines whose meaning is known move the right knobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.session.knobs import Knobs, parse_knobs
from core.words.understanding import NOTHING, Understanding


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line of words and the knobs that it means, for each part of the take."""

    words: str
    meant: tuple[Knobs, ...]


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What became of a line: `is_right` if every knob meant moves its way, gradually where that is meant, no other by
    more than a step, and nothing moves where nothing is meant; `beside` how many knobs moved that were not meant.
    """

    line: KnownLine
    found: tuple[Knobs, ...]
    is_right: bool
    beside: int


def read_lines(path: Path) -> list[KnownLine]:
    """The lines of a file: words, a colon, and knobs parted by commas, "then" between parts; "-" means none."""
    lines = []
    for row in path.read_text("utf-8").splitlines():
        if row and not row.startswith("#"):
            words, meant = row.rsplit(":", 1)
            parts = [[k.strip() for k in part.split(",") if k.strip() != NOTHING] for part in meant.split(" then ")]
            lines.append(KnownLine(words, tuple(parse_knobs(part) for part in parts)))
    return lines


def evaluate(understanding: Understanding, lines: Sequence[KnownLine]) -> list[LineOutcome]:
    """What becomes of each line."""
    outcomes = []
    for line in lines:
        found = understanding.understand(line.words).parts
        pairs = list(zip(line.meant, found, strict=False))
        is_right = len(found) == len(line.meant) and all(_is_right(meant, moved) for meant, moved in pairs)
        beside = sum(len(moved.turned().keys() - meant.turned().keys()) for meant, moved in pairs)
        outcomes.append(LineOutcome(line, found, is_right, beside))
    return outcomes


def _is_right(meant: Knobs, moved: Knobs) -> bool:
    wanted, got = meant.turned(), moved.turned()
    others = [steps for name, steps in got.items() if name not in wanted]
    if not wanted:
        return not others
    if not set(meant.gradual) <= set(moved.gradual):
        return False
    return all(got.get(name, 0) * steps > 0 for name, steps in wanted.items()) and all(abs(s) <= 1 for s in others)
