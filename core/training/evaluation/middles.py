"""Whether a model that knows symbols tells the true middle from another piece's, between what is around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.codec.vocabulary import PADDING, STEPS_PER_SECOND
from core.model.transformer import MusicTransformer
from core.training.data.batches import stack
from core.training.data.middles import Parts, divide, span_of
from core.training.data.notes import TICKS
from core.training.evaluation.continuations import HeldOut
from core.training.evaluation.fills import choose_regions
from core.training.run.learner import summed_loss

_WINDOW = 1024  # ids that are read of each, at most
_FOLLOWS = 0.4  # of the room around a middle


@dataclass(frozen=True, slots=True)
class MiddleFigures:
    """Over `regions`: nats per event of the true middles and of others of the same length, END counted in.

    `likelier` is the share in which the true one has fewer of them, `error` the standard error of that share.
    """

    regions: int
    true: float
    other: float
    likelier: float
    error: float


def tell_middles(
    model: MusicTransformer, device: torch.device, pieces: Mapping[str, Sequence[HeldOut]], count: int, seed: int = 0
) -> MiddleFigures | None:
    """The figures over at most `count` regions of 2 to 16 seconds; None where there are not two.

    The other middle of each is what stands at the region of another piece, as long as its own.
    """
    model = model.to(device).eval()
    places = choose_regions(pieces, count, seed)
    strangers = [places[i] for i in np.random.default_rng(seed).permutation(len(places)).tolist()]
    found: list[tuple[float, float]] = []
    for piece, region in places:
        seconds = region.end - region.start
        mine = _parts(model, piece, region.start, seconds)
        others = (_parts(model, p, r.start, seconds) for p, r in strangers if p.title != piece.title)
        its = next((parts for parts in others if parts), None)
        strangers = [*strangers[1:], *strangers[:1]]
        if mine is None or its is None:
            continue
        both = [_nats(model, device, mine._replace(new=new)) for new in (mine.new, its.new)]
        if both[0] is not None and both[1] is not None:
            found.append((both[0], both[1]))
    if len(found) < 2:
        return None
    true, other = np.array(found).T
    error = float((true < other).std(ddof=1) / np.sqrt(len(true)))
    return MiddleFigures(len(true), float(true.mean()), float(other.mean()), float((true < other).mean()), error)


def _parts(model: MusicTransformer, piece: HeldOut, start: float, seconds: float) -> Parts | None:
    per_second = TICKS * STEPS_PER_SECOND
    # Where the time of core.training.evaluation.continuations.as_file begins.
    begin = round(start * per_second) + (int(piece.notes["start"][0]) if piece.quarter else TICKS // 2)
    span = span_of(piece.notes, begin, begin + round(seconds * per_second))
    return divide(piece.notes, piece.quarter, span, model.config.conventions, _window(model))


def _window(model: MusicTransformer) -> int:
    return min(_WINDOW, model.config.block_size) + 1


@torch.inference_mode()
def _nats(model: MusicTransformer, device: torch.device, parts: Parts) -> float | None:
    """Nats per event of the new notes and END; None where a window has no place for them."""
    ids = parts.window(model.config.conventions, _window(model), _FOLLOWS)
    if ids is None:
        return None
    inputs, targets = stack([ids], 1, len(ids) - 1)
    targets[:, : -len(parts.new) - 1] = PADDING
    return float(summed_loss(model(inputs.to(device)), targets.to(device))) / (len(parts.new) + 1)
