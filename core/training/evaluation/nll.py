"""Negative log-likelihood per event of whole pieces, with the context carried on as in sampling.

When a window is full it moves on by half, so every event but a piece's first ones is told from half
a window or more. Boundaries are given, not scored.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from core.codec.vocabulary import BOUNDARY, PADDING
from core.model.transformer import MusicTransformer
from core.training.data.notes import Events
from core.training.run.learner import summed_loss

Ids = NDArray[np.int64]

_BATCH = 4  # windows that are read at once


def windows(events: Events, window: int) -> Iterator[tuple[Ids, Ids]]:
    """Inputs and targets of one piece, (window) each; every event but the first is a target once."""
    half = max(1, window // 2)
    scored = 1  # the first event has nothing before it
    start = 0
    while scored < len(events):
        piece = events[start : start + window + 1]
        ids = np.full(window + 1, PADDING, np.int64)
        ids[: len(piece)] = piece
        targets = ids[1:].copy()
        targets[: scored - start - 1] = PADDING
        targets[targets == BOUNDARY] = PADDING
        yield ids[:-1], targets
        scored = start + len(piece)
        start += window - half
    # The ids after the last event are padding: causal attention never looks at them.


@torch.inference_mode()
def nll_per_event(model: MusicTransformer, pieces: Iterable[Events], device: torch.device) -> tuple[float, int]:
    """Nats per event over pieces (each encoded by the model's conventions), and how many were scored."""
    model = model.to(device).eval()
    total, count = 0.0, 0
    rows = (row for piece in pieces for row in windows(piece, model.config.block_size))
    while some := list(islice(rows, _BATCH)):
        inputs = torch.from_numpy(np.stack([row[0] for row in some])).to(device)
        targets = torch.from_numpy(np.stack([row[1] for row in some])).to(device)
        total += float(summed_loss(model(inputs), targets))
        count += int((targets != PADDING).sum())
    return total / max(count, 1), count
