"""How well takes go on: the measures that a model is chosen and its sampling tuned by.

Each take is held against the true continuation of its own prompt, on prompts that the model has not seen.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from core.midi.statistics import Music, apart, density, key_of, share_in_key

DENSITY_WITHIN = 0.3  # of the true music's notes per second
LONG_SILENCE = 3.0  # seconds
LONG_NOTE = 8.0
LONG_COPY = 8.0
ON_GRID = 0.01


class Example(NamedTuple):
    """A prompt, of a piece from `start` seconds on, its true continuation and the sampled one.

    `grid` is how far apart the lines of the prompt's grid lie, in seconds, for each of its divisions (none
    without a grid); `copied` the seconds of the longest copy from the training data (None: not looked for).
    """

    piece: str
    start: float
    prompt: Music
    true: Music
    sampled: Music
    grid: tuple[float, ...] = ()
    copied: float | None = None

    @property
    def title(self) -> str:
        """What it is called in pictures."""
        return f"{self.piece}, {self.start:.0f} s"


@dataclass(frozen=True, slots=True)
class Criteria:
    """Shares, 0 to 1, of the takes if nothing else is said; None where nothing could be measured.

    `nearer_to_own`: nearer, by their statistics, to the prompt's true continuation than to a random other
    piece's, the mean over all of these. `density`: notes per second within 30 % of the true. `in_key`,
    `true_in_key`: share of the notes that belong to the prompt's key. `silences`: with over 3 s of silence.
    `long_notes`: of the notes, held over 8 s. `on_grid`: of the onsets after gridded prompts, within 10 ms of
    the grid. `copies`: with over 8 s copied from the training data.
    """

    takes: int
    nearer_to_own: float | None
    density: float | None
    in_key: float | None
    true_in_key: float | None
    silences: float | None
    true_silences: float | None
    long_notes: float | None
    true_long_notes: float | None
    gridded: int
    on_grid: float | None
    copies: float | None

    def as_dict(self) -> dict[str, float | int | None]:
        """For --json and tables."""
        return asdict(self)


def longest_silence(music: Music) -> float:
    """Seconds of the longest stretch in which no note sounds, those before the first and after the last included."""
    if not len(music.start):
        return music.seconds
    sounding_until = np.maximum.accumulate(music.end)
    gaps = music.start[1:] - sounding_until[:-1]
    return float(max(music.start[0], gaps.max(initial=0.0), music.seconds - sounding_until[-1]))


def share_on_grid(music: Music, grid: Sequence[float]) -> float | None:
    """Share of the onsets within 10 ms of a line of any division (see Example), counted from 0. None without notes."""
    if not len(music.start):
        return None
    off = np.min([np.abs(music.start - np.rint(music.start / apart) * apart) for apart in grid], axis=0)
    return float((off <= ON_GRID + 1e-9).mean())


def criteria(examples: Sequence[Example]) -> Criteria:
    """The measures over all examples."""
    gridded = [e for e in examples if e.grid]
    keyed = [
        (of_model, of_true)
        for e in examples
        if (of_model := share_in_key(e.sampled, key := key_of(e.prompt))) is not None
        and (of_true := share_in_key(e.true, key)) is not None
    ]
    return Criteria(
        takes=len(examples),
        nearer_to_own=_mean([share for e in examples if (share := _nearer_to_own(e, examples)) is not None]),
        density=_mean([_is_as_dense(e) for e in examples]),
        in_key=_mean([of_model for of_model, _ in keyed]),
        true_in_key=_mean([of_true for _, of_true in keyed]),
        silences=_mean([longest_silence(e.sampled) > LONG_SILENCE for e in examples]),
        true_silences=_mean([longest_silence(e.true) > LONG_SILENCE for e in examples]),
        long_notes=_long_notes([e.sampled for e in examples]),
        true_long_notes=_long_notes([e.true for e in examples]),
        gridded=len(gridded),
        on_grid=_mean([share for e in gridded if (share := share_on_grid(e.sampled, e.grid)) is not None]),
        copies=_mean([e.copied > LONG_COPY for e in examples if e.copied is not None]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _nearer_to_own(example: Example, examples: Sequence[Example]) -> float | None:
    """Of other pieces' true continuations the share that the take is further from than from its own."""
    own = apart(example.sampled, example.true)
    others = [other.true for other in examples if other.piece != example.piece]
    return _mean([own < apart(example.sampled, true) for true in others])


def _is_as_dense(example: Example) -> bool:
    true = density(example.true)
    return abs(density(example.sampled) - true) <= DENSITY_WITHIN * true


def _long_notes(music: Sequence[Music]) -> float | None:
    """Share of all notes that are held over 8 s."""
    return _mean(np.concatenate([m.end - m.start > LONG_NOTE for m in music]).tolist()) if music else None
