"""What the network is shown: the plan of an epoch, crops of pieces, batches of ids.

Every crop draws from random numbers of its own, seeded by run, epoch and place in the plan: so a
run goes on exactly where it stood, and any number of processes show the network the same.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from core.codec.events import Conventions
from core.codec.vocabulary import BOUNDARY, PADDING, STEPS_PER_SECOND, VELOCITY
from core.training.data.corpus import Corpus, Piece
from core.training.data.notes import TICKS, Events, Notes, note_events
from core.training.recipes import Augmentation, Recipe

AT_START = 0.1  # share of the crops that start where the piece does
_LEAD = 64  # notes that are encoded before a crop, so that it may begin between any two events
ON_STEPS = 0.75  # share of the crops of gridded pieces whose grid falls on whole steps
LEVELS = (32, 112)  # MIDI velocities that a piece of one level may get


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
    return random_crop(corpus.notes(piece), piece, conventions, window + 1, recipe.augmentation, rng)


def first_events(notes: Notes, conventions: Conventions, length: int) -> Events:
    """The first ids of a piece; a boundary behind the last if there is room."""
    events = note_events(notes[: length + 1], conventions, boundary=True)
    if len(notes) <= length:
        events = np.append(events, np.uint16(BOUNDARY))
    return events[:length]


def random_crop(
    notes: Notes,
    piece: Piece,
    conventions: Conventions,
    length: int,
    augmentation: Augmentation | None,
    rng: np.random.Generator,
) -> Events:
    """`length` ids (fewer if the piece is shorter) from anywhere in a piece.

    A crop from mid-piece restates the velocity in force, as a prompt does that was cut to the window
    (core.generation.engine.cut_window). A boundary follows the piece's last event.
    """
    needed = int(0.75 * length * len(notes) / max(piece.events, 1))  # notes that must be left for a full crop
    last = max(0, len(notes) - needed)
    at_start = rng.random() < AT_START
    first = 0 if at_start else int(rng.integers(last + 1))
    tempo, transpose, louder = _draw(augmentation, notes, piece.quarter, rng) if augmentation else (1.0, 0, 0)
    while True:
        some = notes[first : first + 2 * _LEAD + length]  # every event but a shift or velocity takes a note
        if piece.quarter:
            some = _from_first(some)  # so that a line of the grid falls on a step
        ids = note_events(some, conventions, tempo=tempo, transpose=transpose, louder=louder, boundary=first == 0)
        if first == 0 or len(ids) >= length:
            break
        first = max(0, first - _LEAD)  # the piece ends in few events: begin earlier
    if first + len(some) == len(notes):
        ids = np.append(ids, np.uint16(BOUNDARY))
    cut = 0 if first == 0 else int(rng.integers(2 * _LEAD))
    # What is cut gives its place to the velocity restated.
    room = len(ids) - length + (conventions.velocity == "change")
    return _restated(ids, min(cut, max(0, room)), conventions)[:length]


def _restated(ids: Events, cut: int, conventions: Conventions) -> Events:
    if not cut or conventions.velocity == "each":
        return ids[cut:]
    before = ids[:cut]
    velocities = before[(before >= VELOCITY.first) & (before < VELOCITY.end)]
    return np.concatenate((velocities[-1:], ids[cut:]))


def _from_first(notes: Notes) -> Notes:
    """The notes with times counted from the first one's start, which lies in the middle of a step."""
    moved = notes.copy()
    for name in ("start", "end"):
        moved[name] += TICKS // 2
        moved[name] -= notes["start"][0]
    return moved


def _draw(augmentation: Augmentation, notes: Notes, quarter: float, rng: np.random.Generator) -> tuple[float, int, int]:
    """Tempo, transposition (that keeps all pitches on the keyboard of MIDI) and change of velocity.

    A piece on a grid mostly gets a tempo at which sixteenths (and often their triplets) are whole
    steps: what a gridded prompt is scaled to before sampling. Music of one level gets any level.
    """
    tempo = 1 + augmentation.tempo * rng.uniform(-1, 1)
    if quarter:
        tempo = augmentation.free_tempo ** rng.uniform(-1, 1)
        if rng.random() < ON_STEPS:
            parts = 12 if rng.random() < 0.5 else 4
            tempo = quarter * STEPS_PER_SECOND / max(parts * round(quarter * STEPS_PER_SECOND / tempo / parts), parts)
    transpose = int(rng.integers(-augmentation.transpose, augmentation.transpose + 1))
    transpose = max(-int(notes["pitch"].min()), min(127 - int(notes["pitch"].max()), transpose))
    louder = int(rng.integers(-augmentation.velocity, augmentation.velocity + 1))
    level = int(notes["velocity"][0])
    if (notes["velocity"] == level).all():
        louder = int(rng.integers(LEVELS[0], LEVELS[1] + 1)) - level
    return tempo, transpose, louder


def stack(crops: Sequence[Events], rows: int, length: int) -> tuple[Tensor, Tensor]:
    """Crops of up to `length` + 1 ids -> inputs and targets, (rows, length) each, filled up with padding."""
    ids = np.full((rows, length + 1), PADDING, np.int64)
    for row, crop in enumerate(crops):
        ids[row, : len(crop)] = crop
    inputs, targets = ids[:, :-1].copy(), ids[:, 1:]
    for row, crop in enumerate(crops):
        inputs[row, len(crop) - 1 :] = PADDING  # the last id is only a target
    return torch.from_numpy(inputs), torch.from_numpy(np.ascontiguousarray(targets))


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
