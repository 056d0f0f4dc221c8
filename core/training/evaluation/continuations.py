"""Held-out prompts, spread over the sources, and what a model makes of each: examples for the criteria."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import NamedTuple

import numpy as np

from core.codec.events import encode_prompt
from core.codec.vocabulary import STEPS_PER_SECOND
from core.generation.continuation import Continuation
from core.generation.engine import Engine
from core.generation.options import Options
from core.midi.grid import find_grid
from core.midi.score import Note, Track
from core.midi.statistics import excerpt, music
from core.midi.tempo_map import Tempo, TempoMap
from core.training.data.notes import TICKS, Notes
from core.training.evaluation.criteria import Example

PROMPT_SECONDS = 20.0
_SHORTEST = 5.0  # seconds of true continuation that a prompt must have
_EVERY = 60.0  # seconds from one prompt of a piece to its next


class HeldOut(NamedTuple):
    """A piece that the model has not seen; `quarter` in seconds, 0 without a steady grid (see corpus.Piece)."""

    title: str
    notes: Notes
    quarter: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.notes["end"].max()) / (TICKS * STEPS_PER_SECOND)


class PromptPlace(NamedTuple):
    """Where a prompt begins in a piece, in seconds."""

    piece: HeldOut
    start: float


def choose_places(pieces: Mapping[str, Sequence[HeldOut]], prompts: int) -> list[PromptPlace]:
    """At most so many prompts, as equally many of each source as there are.

    Each piece gives one from its start before any gives another, a minute further on.
    """
    by_source = []
    for some in pieces.values():
        last = max((piece.seconds for piece in some), default=0.0) - PROMPT_SECONDS - _SHORTEST
        starts = np.arange(0.0, max(last, 0.0), _EVERY).tolist()
        by_source.append(
            [PromptPlace(p, s) for s in starts for p in some if s + PROMPT_SECONDS + _SHORTEST < p.seconds]
        )
    share = -(-prompts // max(1, len(by_source)))
    # A source with fewer leaves its places to the others.
    first = [_spread(places, share) for places in by_source]
    rest = [[p for p in places if p not in some] for places, some in zip(by_source, first, strict=True)]
    in_turn = chain(*(zip_longest(*lists) for lists in (first, rest)))
    return [place for row in in_turn for place in row if place is not None][:prompts]


def _spread(places: Sequence[PromptPlace], most: int) -> list[PromptPlace]:
    """At most so many of those with the earliest starts, evenly from the first piece to the last."""
    if len(places) <= most:
        return list(places)
    at_start = sum(place.start == places[0].start for place in places)
    count = max(at_start, most)
    return [places[i * count // most] for i in range(most)]


def continue_place(engine: Engine, place: PromptPlace, options: Options) -> Example:
    """The example of one prompt; `options.seconds` is how long to go on, at most to the piece's end.

    The take is sampled as for a user's file: a piece on a grid is continued on it, from a quarter on.
    """
    piece, start = place
    tempo_map, track = as_file(piece)
    marker = start + PROMPT_SECONDS
    if piece.quarter:
        marker = np.ceil(marker / piece.quarter) * piece.quarter
    grid = find_grid(tempo_map, [track], marker, start)
    prepared = engine.prepare(encode_prompt([track], marker, engine.config.conventions, start, grid))
    length = min(options.seconds or np.inf, piece.seconds - marker)
    continuation = Continuation(engine, prepared, replace(options, seconds=length))
    for _ in continuation:
        pass
    whole = music(track.notes, piece.seconds)
    true = excerpt(whole, marker, marker + length)
    lines = tuple(grid.quarter / parts for parts in grid.parts) if grid else ()
    sampled = music(continuation.takes[0].notes, length)
    return Example(piece.title, start, excerpt(whole, start, marker), true, sampled, lines)


def as_file(piece: HeldOut) -> tuple[TempoMap, Track]:
    """The piece as if read from a file, whose ticks lie on its grid if it has one."""
    quarter = piece.quarter or 0.5
    tempo_map = TempoMap(tempos=(Tempo(0, round(quarter * 1e6)),))
    per_second = TICKS * STEPS_PER_SECOND
    # Where a grid's first line lies, or half a step, which the arrays carry (see notes.score_notes).
    zero = int(piece.notes["start"][0]) if piece.quarter else TICKS // 2
    starts, ends = (np.maximum(piece.notes[name].astype(int) - zero, 0) / per_second for name in ("start", "end"))
    ticks = [np.rint(times / quarter * tempo_map.ticks_per_quarter).astype(int) for times in (starts, ends)]
    if piece.quarter:
        starts, ends = ([tempo_map.seconds(tick) for tick in some] for some in ticks)
    columns = (piece.notes["pitch"], piece.notes["velocity"], starts, ends, *ticks)
    rows = zip(*(np.asarray(column).tolist() for column in columns), strict=True)
    return tempo_map, Track("", 0, 0, tuple(Note(*row) for row in rows), (), (), 0)
