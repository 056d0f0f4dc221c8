"""What the network is shown: the plan of an epoch, windows of pieces, batches of ids.

Every crop draws from random numbers of its own, seeded by run, epoch and place in the plan: so a
run goes on exactly where it stood, and any number of processes show the network the same.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from core.codec.vocabulary import END, PADDING, VOCABULARY_SIZE
from core.training.data.corpus import Corpus, Piece
from core.training.data.crops import first_events, random_crop
from core.training.data.middles import symbol_window
from core.training.data.notes import Events
from core.training.recipes import Recipe


def epoch_plan(
    pieces: Sequence[Piece], recipe: Recipe, weights: Mapping[str, float], seed: int, epoch: int
) -> list[Piece]:
    """The piece of each crop of an epoch, in order.

    With "first" every piece comes once. With "random" one version of each song comes, as often as windows
    go into it, times the weight of its source (1 if none is given).
    """
    rng = np.random.default_rng((seed, epoch, 0))
    if recipe.crops == "first":
        chosen = list(pieces)
    else:
        songs: dict[str, list[Piece]] = {}
        for piece in pieces:
            songs.setdefault(f"{piece.source}/{piece.song}", []).append(piece)
        chosen = []
        for versions in songs.values():
            piece = versions[rng.integers(len(versions))]
            crops = max(1.0, piece.events / recipe.config.block_size) * weights.get(piece.source, 1.0)
            chosen += [piece] * int(crops + rng.random())
    return [chosen[i] for i in rng.permutation(len(chosen))]


def training_crop(corpus: Corpus, piece: Piece, recipe: Recipe, seed: tuple[int, ...]) -> Events:
    """Up to window + 1 ids of a piece, as the recipe shows it."""
    window, conventions = recipe.config.block_size, recipe.config.conventions
    if recipe.crops == "first":
        return first_events(corpus.notes(piece), conventions, window + 1)
    rng = np.random.default_rng(seed)
    show = symbol_window if recipe.config.has_symbols else random_crop
    return show(corpus.notes(piece), piece, conventions, window + 1, recipe.augmentation, rng)


def stack(crops: Sequence[Events], rows: int, length: int) -> tuple[Tensor, Tensor]:
    """Crops of up to `length` + 1 ids -> inputs and targets, (rows, length) each, filled up with padding.

    Symbols that a model is always given are no targets: of all of them, it is only asked for END.
    """
    ids = np.full((rows, length + 1), PADDING, np.int64)
    for row, crop in enumerate(crops):
        ids[row, : len(crop)] = crop
    inputs, targets = ids[:, :-1].copy(), ids[:, 1:]
    for row, crop in enumerate(crops):
        inputs[row, len(crop) - 1 :] = PADDING  # the last id is only a target
    targets = np.where((targets < VOCABULARY_SIZE) | (targets == END), targets, PADDING)
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def parts(inputs: Tensor, targets: Tensor, rows: int) -> list[tuple[Tensor, Tensor]]:
    """A batch cut into parts of `rows` rows (the last may have fewer): what goes through the network at once.

    Parts at the end that are all padding are left out, except that there is always a first one.
    """
    filled = (targets != PADDING).any(1).nonzero()
    end = int(filled[-1]) + 1 if len(filled) else 1
    return [(inputs[i : i + rows], targets[i : i + rows]) for i in range(0, end, rows)]


def held_out_batches(
    corpus: Corpus, pieces: Sequence[Piece], recipe: Recipe, crops: int
) -> list[tuple[Tensor, Tensor]]:
    """Batches of unaltered crops for validation, the same ones each time: spread evenly over the pieces.

    A piece gives no more of them than it has windows.
    """
    window = recipe.config.block_size
    if len(pieces) > crops:
        chosen = [pieces[i * len(pieces) // crops] for i in range(crops)]
    else:
        turns = 1 if recipe.crops == "first" else crops
        chosen = [piece for turn in range(turns) for piece in pieces if not turn or turn * window < piece.events]
        chosen = chosen[:crops]
    rows = []
    for i, piece in enumerate(chosen):
        if recipe.crops == "first":
            rows.append(first_events(corpus.notes(piece), recipe.config.conventions, window + 1))
        else:
            rng = np.random.default_rng((0, i))
            crop = random_crop(corpus.notes(piece), piece, recipe.config.conventions, window + 1, None, rng)
            rows.append(crop)
    size = recipe.batch
    return [stack(rows[i : i + size], len(rows[i : i + size]), window) for i in range(0, len(rows), size)]
