"""How well a Filler fills: on regions of music that the model has not seen, against what really stands there.

Scored in the same way as the candidates, the true middle should be ranked first; what is chosen should be nearer to it
than the average candidate, in statistics and in how likely it makes what follows; and it should meet what follows as
real music does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from core.codec.gap import make_gap, placed_notes
from core.generation.filling.filler import Candidate, Filler
from core.generation.options import Options
from core.midi.grid import find_grid
from core.midi.region import Region
from core.midi.score import Note, TakeNote
from core.midi.statistics import Music, apart, excerpt, music
from core.training.evaluation.continuations import HeldOut, as_file

LENGTHS = (2.0, 4.0, 8.0, 16.0)  # seconds of the regions, in turn
_BEFORE, _BEHIND = 20.0, 8.0  # seconds of music that a region has around it, at least
_SEAM = 0.03  # seconds from the region's start or end within which an onset meets it
_HELD = 0.03  # seconds past the region's end from which on a note is held over it


@dataclass(frozen=True, slots=True)
class FilledRegion:
    """One region: what came of it. Scores in nats, distances as core.midi.statistics.apart gives them.

    `candidates` are as they were first sampled, `chosen` is the best in the end. `distances` are the chosen one's and
    then the candidates' to the true middle, `copy` that of the bars before; `spread` is how far candidates are from
    each other on average. `begins`, `onsets` and `held` tell, for the true middle, the chosen one and then each
    candidate, whether a note begins within 30 ms after the region's start, whether one does within 30 ms before its
    end, and whether one is held over it.
    """

    piece: str
    start: float
    length: float
    true: dict[str, float]
    candidates: list[dict[str, float]]
    chosen: dict[str, float]
    distances: list[float]
    copy: float
    spread: float
    begins: list[bool]
    onsets: list[bool]
    held: list[bool]


def choose_regions(pieces: Mapping[str, Sequence[HeldOut]], count: int, seed: int = 0) -> list[tuple[HeldOut, Region]]:
    """At most so many regions, of each length and each source as many as there are; on the beats of gridded pieces."""
    random = np.random.default_rng(seed)
    chosen: list[tuple[HeldOut, Region]] = []
    for length in LENGTHS:
        by_source = [list(_regions(some, length, random)) for some in pieces.values()]
        share = -(-count // len(LENGTHS))
        in_turn = [some[i] for i in range(max(map(len, by_source), default=0)) for some in by_source if i < len(some)]
        chosen += in_turn[:share]
    return chosen[:count]


def _regions(pieces: Sequence[HeldOut], length: float, random: np.random.Generator) -> Iterator[tuple[HeldOut, Region]]:
    """Regions of one length: in random order, one of each piece that is long enough, then another, and so on."""
    for _ in range(8):
        for i in random.permutation(len(pieces)).tolist():
            piece = pieces[i]
            last = piece.seconds - length - _BEHIND
            if last <= _BEFORE:
                continue
            start, quarter = float(random.uniform(_BEFORE, last)), piece.quarter
            end = start + length
            if quarter:
                start = round(start / quarter) * quarter
                end = start + max(1, round(length / quarter)) * quarter
            region = Region(start, end)
            _, track = as_file(piece)
            if sum(map(region.has, track.notes)) >= 4:
                yield piece, region


def fill_region(filler: Filler, piece: HeldOut, region: Region, options: Options) -> FilledRegion:
    """Fill a region of a piece, the true middle ranked among the candidates."""
    tempo_map, track = as_file(piece)
    if piece.quarter:  # the beats, or a tick before them, where some of their notes lie
        at = (tempo_map.seconds(tempo_map.tick(time) - 1) for time in (region.start, region.end))
        region = replace(region, **dict(zip(("start", "end"), at, strict=True)))
    kept, inside = region.divided(track.notes)
    around = replace(track, notes=kept)
    grid = find_grid(tempo_map, [track], region.start)
    rings_to = max([region.end, *(note.end for note in inside)])
    gap = make_gap([around], region, filler.engine.config.conventions, grid, rings_to)
    whole = placed_notes([track], region, gap.prompt.steps)
    made = filler.candidates(gap, options, [whole])
    seconds = region.end - region.start
    original = music((_from(note, region.start) for note in inside), seconds)
    before = excerpt(music(kept, region.start), region.start - seconds, region.start)
    chosen = max(made.ended, key=lambda candidate: candidate.score)
    best, *drafts = (music(candidate.notes, seconds) for candidate in (chosen, *made.sampled))
    return FilledRegion(
        piece.title,
        round(region.start, 2),
        seconds,
        _scores(made.given[0]),
        [_scores(candidate) for candidate in made.sampled],
        _scores(chosen),
        [apart(each, original) for each in (best, *drafts)],
        apart(before, original),
        float(np.mean([apart(a, b) for i, a in enumerate(drafts) for b in drafts[:i]])) if len(drafts) > 1 else 0.0,
        [bool((each.start < _SEAM).any()) for each in (original, best, *drafts)],
        [_has_onset(each) for each in (original, best, *drafts)],
        [_is_held(each) for each in (original, best, *drafts)],
    )


def _from(note: Note, start: float) -> TakeNote:
    return TakeNote(note.pitch, note.velocity, note.start - start, note.end - start)


def _scores(candidate: Candidate) -> dict[str, float]:
    return {**candidate.scores, "apart": candidate.apart, "score": candidate.score}


def _has_onset(notes: Music) -> bool:
    return bool((notes.start >= notes.seconds - _SEAM).any())


def _is_held(notes: Music) -> bool:
    return bool((notes.end > notes.seconds + _HELD).any())


def summary(filled: Sequence[FilledRegion]) -> dict[str, Any]:
    """The figures over all regions, and by their length: each a mean and its standard error.

    `true_first`: how often the true middle has the best score. `way`: how far the chosen candidate's score goes from
    the average one's to the true middle's, in one ratio over all regions (standard error by the jackknife);
    `way_follow`: the same in the likelihood of what follows alone.
    """
    by_length = {f"{n:g}": _figures([f for f in filled if _nearest(f.length) == n]) for n in LENGTHS}
    return {"all": _figures(filled), **{length: figures for length, figures in by_length.items() if figures}}


def _nearest(length: float) -> float:
    return min(LENGTHS, key=lambda each: abs(each - length))


def _figures(filled: Sequence[FilledRegion]) -> dict[str, Any]:
    if not filled:
        return {}
    first = [f.true["score"] > f.chosen["score"] for f in filled]
    mean_distance = [float(np.mean(f.distances[1:])) for f in filled]
    chosen_distance = [f.distances[0] for f in filled]
    figures: dict[str, Any] = {
        "regions": len(filled),
        "true_first": _mean(first),
        "distance_chosen": _mean(chosen_distance),
        "distance_average": _mean(mean_distance),
        "distance_copy": _mean([f.copy for f in filled]),
        "nearer_by": _mean([a - c for a, c in zip(mean_distance, chosen_distance, strict=True)]),
        "apart": _mean([f.spread for f in filled]),
        "way": _way(filled, "score"),
        "way_follow": _way(filled, "follow"),
    }
    for name in ("begins", "onsets", "held"):
        told = [getattr(f, name) for f in filled]
        figures[f"{name}_true"] = _mean([each[0] for each in told])
        figures[f"{name}_chosen"] = _mean([each[1] for each in told])
        figures[f"{name}_average"] = _mean([float(np.mean(each[2:])) for each in told])
    return figures


def _mean(values: Iterable[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    array = np.array(list(values), np.float64)
    error = float(array.std(ddof=1) / np.sqrt(len(array))) if len(array) > 1 else 0.0
    return float(array.mean()), error


def _way(filled: Sequence[FilledRegion], part: str) -> tuple[float, float]:
    average = np.array([np.mean([c[part] for c in f.candidates]) for f in filled])
    gone = np.array([f.chosen[part] for f in filled]) - average
    wanted = np.array([f.true[part] for f in filled]) - average
    ratio = float(gone.sum() / wanted.sum())
    if len(filled) < 2:
        return ratio, 0.0
    without = (gone.sum() - gone) / (wanted.sum() - wanted)
    error = float(np.sqrt(((without - without.mean()) ** 2).sum() * (len(without) - 1) / len(without)))
    return ratio, error


def as_rows(filled: Sequence[FilledRegion]) -> list[dict[str, Any]]:
    """Each region by itself, for --json."""
    return [asdict(region) for region in filled]
