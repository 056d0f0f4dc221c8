"""Gap: a region of music as a model reads it: what comes before, what is kept in it, and what follows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.codec.events import Conventions, GridNote, Prompt, encode_prompt, grid_notes
from core.codec.steps import Steps
from core.codec.vocabulary import STEPS_PER_SECOND
from core.midi.grid import Grid
from core.midi.region import Region
from core.midi.score import Track

_HEARD = 30.0  # seconds before a region in which a note may begin that still sounds in it
_FOLLOWS = 60.0  # seconds behind it that are looked at
_FEW_TICKS = 1e-6  # of a step: what a time may be off for its rounding


@dataclass(frozen=True, slots=True)
class Gap:
    """What a model needs to know to fill a region, in steps of `prompt` from the region's start.

    `prompt` ends at the region's start; notes that sound into the region are not let go in it. `kept` are those notes
    (with a negative start), those that stay inside, and those that follow, in order of start, then pitch. The region
    ends at step `end`; new notes may sound up to step `rings_to`. `low` and `high` are the pitches allowed.
    """

    prompt: Prompt
    kept: tuple[GridNote, ...]
    end: int
    rings_to: int
    low: int = 0
    high: int = 127


def make_gap(
    tracks: Sequence[Track],
    region: Region,
    conventions: Conventions,
    grid: Grid | None = None,
    rings_to: float = 0.0,
) -> Gap:
    """The gap of a region: `tracks` are what is kept, without the notes that are replaced; drums are left out.

    New notes may sound up to `rings_to` (score seconds), at least to the region's end. `grid` is as in `encode_prompt`.
    """
    prompt = encode_prompt(tracks, region.start, conventions, None, grid)
    steps = prompt.steps
    kept = placed_notes(tracks, region, steps)
    end = max(1, math.ceil(steps.place(region.end - region.start) - _FEW_TICKS))
    furthest = math.ceil(steps.place(rings_to - region.start) - _FEW_TICKS)
    return Gap(prompt, tuple(kept), end, max(end, furthest), region.low, region.high)


def placed_notes(tracks: Sequence[Track], region: Region, steps: Steps) -> list[GridNote]:
    """The notes that sound into a region, begin in it, or follow it, in steps from its start, as one piano."""
    notes = grid_notes([_in_steps(track, region, steps) for track in tracks])
    return [note for note in notes if note.end > 0]


def _in_steps(track: Track, region: Region, steps: Steps) -> Track:
    """A track about a region, whose times count hundredths of a second from step 0, a step each."""
    first, last = region.start - _HEARD, region.end + _FOLLOWS

    def at(seconds: float) -> float:
        return steps.place(seconds - region.start) / STEPS_PER_SECOND

    def onset(seconds: float) -> float:
        # What begins half a step before the region begins before it, whatever it is rounded to.
        return min(at(seconds), -1 / STEPS_PER_SECOND) if seconds < region.start else max(at(seconds), 0.0)

    notes = (replace(n, start=onset(n.start), end=at(n.end)) for n in track.notes if first <= n.start < last)
    pedals = (replace(p, start=at(p.start), end=at(p.end)) for p in track.pedals if p.end > first and p.start < last)
    return replace(track, notes=tuple(notes), pedals=tuple(pedals))
