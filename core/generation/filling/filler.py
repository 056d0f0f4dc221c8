"""Filler: what fills a gap in music; and one that does so with a model that reads from left to right.

Such a model knows what comes before a gap, but not what follows. So several candidates are sampled up to the gap's end,
and each is judged by how well it leads on, the likelihood of the notes that follow, read after it, and by how like the
music around the gap it is. The best of them are then sampled anew from near the gap's end on, and keep the ending that
is judged best. The candidates share the KV cache of what comes before, endings that of their candidates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from core.codec.events import GridNote, decode
from core.codec.gap import Gap
from core.codec.steps import Steps
from core.codec.vocabulary import from_bin, shift_steps
from core.generation.engine import Engine, PreparedPrompt, cut_window, to_numpy
from core.generation.filling.fill_rounds import FillRows, FillStep, rounds
from core.generation.filling.fill_row import FillRow, ScoredPart, lead
from core.generation.options import Options
from core.generation.prompt_summary import PromptSummary, summarize
from core.midi.score import TakeNote
from core.midi.statistics import Music, apart, excerpt, music
from core.model.kv_cache import KVCache

_ENDED_ANEW, _ENDINGS = 4, 6  # how many of the best candidates get other endings, and how many each
SAMPLED = 0.35  # of the work is done, about, once the candidates are first sampled: then come endings and scores
_ENDING = 0.8  # of the gap: where the first candidate gets there, the endings of all part, as many events on
_READ = 1024  # events before a gap that are read: what a window has place for takes as long again
_NEAR = 0.15  # how far apart two candidates' statistics are, at least, if both are to be shown
# Chosen among some on regions of the validation split (see resources/models/FILLING.md).
_WEIGHTS: dict[ScoredPart, float] = {"inside": 1.0, "seam": 0.3, "follow": 1.0}
_LIKE = 35.0  # nats that a distance of 1 from the music around costs
_CLOSE = 0.03  # seconds before the gap's end: an onset there counts against what follows, as the model hears one chord
_CLOSE_ONSET = 3.0  # nats for it, with which onsets are chosen there as often as they are sampled


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may stand in a gap: new notes, in seconds from the gap's start.

    `scores` are log-probabilities (nats), summed over the kept notes that begin "inside" the gap, over how it is left
    (the "seam"), and over what "follow"s; `apart` is how far its music is from that around the gap, 0 (alike) to 1.
    `score` puts them together: more is better.
    """

    notes: tuple[TakeNote, ...]
    seed: int
    scores: dict[ScoredPart, float]
    apart: float
    score: float


class Candidates(NamedTuple):
    """The candidates for a gap: as first `sampled`; the same as `ended` best; and those `given`."""

    sampled: list[Candidate]
    ended: list[Candidate]
    given: list[Candidate]


class Filler(Protocol):
    """Fills gaps with the model of `engine`."""

    engine: Engine

    def fill(
        self,
        gap: Gap,
        options: Options,
        on_step: Callable[[FillStep], object] = lambda step: None,
        cancelled: Callable[[], bool] = lambda: False,
        on_share: Callable[[float], object] = lambda share: None,
    ) -> list[Candidate]:
        """As many candidates as `options.takes` says, best first; `on_step` gets each event as it comes, `on_share` how
        much of the work is done, 0 to 1.

        The gap has its end: `options.seconds` says only over how long the knobs go on their curve, and `options.events`
        nothing. Raises Cancelled when `cancelled()` turns true on the way.
        """
        made = self.candidates(gap, options, (), on_step, cancelled, on_share).ended
        return sorted(made, key=lambda candidate: -candidate.score)

    def candidates(
        self,
        gap: Gap,
        options: Options,
        given: Sequence[Sequence[GridNote]] = (),
        on_step: Callable[[FillStep], object] = lambda step: None,
        cancelled: Callable[[], bool] = lambda: False,
        on_share: Callable[[float], object] = lambda share: None,
    ) -> Candidates:
        """As many candidates as `options.takes` says, and those `given`, scored in the same way.

        What is given are the notes of a candidate and the kept ones, as one piano (see core.codec.gap.placed_notes).
        """
        ...


def _parted(rows: FillRows[FillRow]) -> FillRows[FillRow]:
    """Rows as they are now, for endings to go on from: they copy what there is by now of the cache, which fills on."""
    return FillRows([(i, row.copy()) for i, row in rows.running], rows.raw, rows.cache.branch())


def _endings(rows: FillRows[FillRow], numbers: Sequence[int]) -> FillRows[FillRow] | None:
    """FillRows that go on from those of the candidates with these numbers; None if all of these are filled already."""
    places = [at for at, (i, row) in enumerate(rows.running) if i in numbers and not row.is_filled]
    running = [rows.running[at] for at in places]
    endings = [(i, row.copy(ending)) for i, row in running for ending in range(1, _ENDINGS + 1)]
    places = [at for at in places for _ in range(_ENDINGS)]
    return FillRows(endings, rows.raw[places], rows.cache.rows(places)) if places else None


class LeftToRightFiller(Filler):
    """A Filler that samples candidates and judges them by what follows."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def candidates(
        self,
        gap: Gap,
        options: Options,
        given: Sequence[Sequence[GridNote]] = (),
        on_step: Callable[[FillStep], object] = lambda step: None,
        cancelled: Callable[[], bool] = lambda: False,
        on_share: Callable[[float], object] = lambda share: None,
    ) -> Candidates:
        """See Filler. `on_step` gets the events of the candidates as first sampled."""
        summary, prepared = self._prepared(gap, cancelled)
        conventions = self.engine.config.conventions
        rows = [FillRow(gap, options, i, summary, conventions) for i in range(options.takes)]
        both = rows + [FillRow(gap, options, options.takes, summary, conventions, notes) for notes in given]
        seconds = gap.prompt.steps.seconds(gap.end)
        parted, ending_at = None, _ENDING * seconds
        begun = FillRows(list(enumerate(both)), *self.engine.fork(prepared, len(both)))
        for now in self._rounds(begun, prepared.events, on_step, cancelled):
            if parted is None and max(row.head for row in rows) >= ending_at:
                parted = _parted(now)
            on_share(SAMPLED * min(min(row.head for row in rows) / seconds, 1.0))
        surroundings = _Surroundings(gap)
        made = [_candidate(row, surroundings) for row in both]
        sampled, ended = made[: len(rows)], made[: len(rows)]
        best = sorted(range(len(rows)), key=lambda i: -sampled[i].score)[:_ENDED_ANEW]
        if parted is not None and (endings := _endings(parted, best)) is not None:
            begun_at = min(row.head for _, row in endings.running)
            for _ in self._rounds(endings, prepared.events, cancelled=cancelled):
                done = (min(row.head for _, row in endings.running) - begun_at) / max(seconds - begun_at, 0.01)
                on_share(SAMPLED + (1 - SAMPLED) * min(done, 1.0))
            for i, row in endings.running:
                ended[i] = max(ended[i], _candidate(row, surroundings), key=lambda candidate: candidate.score)
        return Candidates(sampled, ended, made[len(rows) :])

    def judge(
        self,
        gap: Gap,
        options: Options,
        given: Sequence[Sequence[GridNote]],
        cancelled: Callable[[], bool] = lambda: False,
        on_share: Callable[[float], object] = lambda share: None,
    ) -> list[Candidate]:
        """The candidates that are `given` (see Filler), as they are scored here."""
        summary, prepared = self._prepared(gap, cancelled)
        rows = [FillRow(gap, options, 0, summary, self.engine.config.conventions, notes) for notes in given]
        begun = FillRows(list(enumerate(rows)), *self.engine.fork(prepared, len(rows)))
        for _ in self._rounds(begun, prepared.events, cancelled=cancelled):
            on_share(min(min(row.head for row in rows) / gap.prompt.steps.seconds(gap.end), 1.0))
        surroundings = _Surroundings(gap)
        return [_candidate(row, surroundings) for row in rows]

    def _rounds(
        self,
        rows: FillRows[FillRow],
        before: tuple[int, ...],
        on_step: Callable[[FillStep], object] = lambda step: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[FillRows[FillRow]]:
        """As `rounds` does, but what comes is read at once where the model has no more say in it."""
        for now in rounds(self.engine, rows, before, on_step, cancelled):
            yield now
            for at, (_, row) in enumerate(now.running):
                if row.is_settled and not row.is_over:
                    row.finish(to_numpy(now.raw[at]), partial(self._read, (*before, *row.events), now.cache.part([at])))

    def _read(self, history: Sequence[int], cache: KVCache, events: Sequence[int]) -> NDArray[np.float32]:
        """Logits (T, vocab) after each of T events, which come after `history`, which is in the cache."""
        return to_numpy(self.engine.read(events, cache, history))

    def _prepared(self, gap: Gap, cancelled: Callable[[], bool]) -> tuple[PromptSummary, PreparedPrompt]:
        """What comes before a gap, read into a cache."""
        config = self.engine.config
        most = min(_READ, config.block_size // 2)
        events = gap.prompt.events[:-1] if lead(gap.prompt) else gap.prompt.events
        shown = replace(gap.prompt, events=tuple(cut_window(events, most, config.conventions)))
        prepared = self.engine.prepare(shown, cancelled)
        return summarize(gap.prompt, prepared.events), prepared


class _Surroundings:
    """The music around a gap `seconds` long: what is kept in it, and as much as it lasts before it and behind it."""

    def __init__(self, gap: Gap) -> None:
        steps = gap.prompt.steps
        self.seconds = seconds = steps.seconds(gap.end)
        kept = [TakeNote(n.pitch, from_bin(n.bin), steps.seconds(n.start), steps.seconds(n.end)) for n in gap.kept]
        self._inside = [note for note in kept if 0 <= note.start < seconds]
        before = decode(gap.prompt.events, steps=Steps(steps.rate))
        length = sum(map(shift_steps, gap.prompt.events)) / steps.rate
        near = [
            excerpt(music(before, length), max(0.0, length - seconds), length),
            excerpt(music(kept, 2 * seconds), seconds, 2 * seconds),
        ]
        self._near: list[Music] = [each for each in near if len(each.pitch)]

    def apart(self, notes: Sequence[TakeNote]) -> float:
        """How far the gap's music with these new notes is from it in its statistics, 0 (alike, or none there) to 1."""
        filled = music([*notes, *self._inside], self.seconds)
        return sum(apart(filled, each) for each in self._near) / max(1, len(self._near))


def _candidate(row: FillRow, surroundings: _Surroundings) -> Candidate:
    scores: dict[ScoredPart, float] = {part: float(sum(logs)) for part, logs in row.scores.items()}
    notes = tuple(sorted(row.notes, key=lambda note: (note.start, note.pitch)))
    distance = surroundings.apart(notes)
    has_close_onset = any(note.start >= surroundings.seconds - _CLOSE for note in notes)
    score = sum(_WEIGHTS[part] * value for part, value in scores.items()) - _LIKE * distance
    score += _CLOSE_ONSET * has_close_onset
    return Candidate(notes, row.seed, scores, distance, score)


def choose(candidates: Sequence[Candidate], count: int, seconds: float) -> list[Candidate]:
    """The best of some candidates (best first), apart from each other if possible; the gap lasts `seconds`."""
    chosen: list[Candidate] = []
    others: list[Candidate] = []
    for candidate in candidates:
        mine = music(candidate.notes, seconds)
        is_like = any(apart(mine, music(other.notes, seconds)) < _NEAR for other in chosen)
        (others if is_like else chosen).append(candidate)
    picked = {id(candidate) for candidate in [*chosen, *others][:count]}
    return [candidate for candidate in candidates if id(candidate) in picked]
