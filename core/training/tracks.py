"""Learning the network of core.arrangement.track_assignment, which gives notes to tracks, from songs of known tracks.

In a take the assigner goes on from its own decisions, right or wrong. So it learns from what it meets then: in the
first round it is told the truth of every note before, in the following rounds it decides most of them itself, with the
weights learned so far, while the true tracks stay what it is to say; what it met in these rounds adds up (dataset
aggregation: Ross, Gordon and Bagnell, A Reduction of Imitation Learning to No-Regret Online Learning, 2011).
"""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.arrangement.evaluation import Passage, passage_at, play
from core.arrangement.features import FEATURES
from core.arrangement.note_stream import StreamNote
from core.arrangement.track_assignment import TrackAssigner, Weights
from core.errors import UnreadableInput
from core.files import write_atomically
from core.midi.read import read_score

HIDDEN = (48, 24)
PASSES = 8  # over the notes, in each round
OWN_SHARE = 0.9  # of the notes that it decides itself, behind the first round
_FIRST_SHARE = 0.3  # of the passages, in the first round
_MOST_TRACKS = 6  # of a song that is learned from; songs with more are left out
_BATCH = 1024  # notes
_RATE, _DECAY = 3e-3, 1e-2


class Examples(NamedTuple):
    """Notes: `tables` (notes, tracks, FEATURES), padded; `owners` and `there` (notes, tracks): which tracks play the
    note, and which there are.
    """

    tables: NDArray[np.float32]
    owners: NDArray[np.bool_]
    there: NDArray[np.bool_]


class _Pupil(TrackAssigner):
    """Keeps what it sees; decides a note itself, or as it is told."""

    told: int | None = None
    seen: list[NDArray[np.float32]]

    def choose(self, table: NDArray[np.float64]) -> int:
        self.seen.append(table.astype(np.float32))
        return super().choose(table) if self.told is None else self.told


def choose_passages(paths: Sequence[Path], notes: int, each: int, seed: int) -> list[Passage]:
    """Passages of these songs, `each` of one at most, at bars drawn by chance: as many as make about so many notes."""
    rng = np.random.default_rng(seed)
    found: list[Passage] = []
    count = 0
    for k in rng.permutation(len(paths)):
        if count >= notes:
            break
        try:
            score = read_score(paths[k])
        except UnreadableInput:
            continue
        last = score.tempo_map.bar_beat(score.end_tick)[0]
        for bar in sorted(rng.integers(max(1, last // 8), max(2, last), each).tolist()):
            passage = passage_at(score, bar)
            if passage is not None and len(passage.tracks) <= _MOST_TRACKS:
                found.append(passage)
                count += len(passage.notes)
    return found


def examples(passage: Passage, weights: Weights | None, seed: int) -> Examples:
    """What an assigner with these weights sees of each note of a passage; without any it is told who plays each."""
    pupil = _Pupil(passage.tracks, passage.marker, None, passage.tempo_map, weights=weights)
    pupil.seen = []
    rng = np.random.default_rng(seed)

    def notes() -> Iterator[StreamNote]:
        for note in passage.notes:
            pupil.told = note.tracks[0] if weights is None or rng.random() >= OWN_SHARE else None
            yield note

    play(pupil, notes())
    count = len(passage.tracks)
    tables = np.zeros((len(passage.notes), _MOST_TRACKS, FEATURES), np.float32)
    tables[:, :count] = pupil.seen
    owners = np.zeros(tables.shape[:2], bool)
    for k, note in enumerate(passage.notes):
        owners[k, list(note.tracks)] = True
    return Examples(tables, owners, np.broadcast_to(np.arange(_MOST_TRACKS) < count, owners.shape))


def learn(passages: Sequence[Passage], rounds: int, seed: int, pool: Executor, say: Callable[[str], None]) -> Weights:
    """Weights from passages, in so many rounds; a pool of processes looks at several passages at once."""
    weights: Weights | None = None
    met: list[Examples] = []
    for number in range(rounds):
        chosen = passages[:: round(1 / _FIRST_SHARE)] if weights is None and rounds > 1 else passages
        seeds = range(seed + 10_000 * number, seed + 10_000 * number + len(chosen))
        seen = list(pool.map(examples, chosen, [weights] * len(chosen), seeds, chunksize=4))
        if weights is not None:
            seen = met = met + seen
        together = Examples(*(np.concatenate(parts) for parts in zip(*seen, strict=True)))
        weights, loss, right = fit(together, seed)
        say(f"Round {number + 1} of {rounds}: {len(together.tables)} notes, {loss:.3f} nats a note, {right:.1%} right.")
    assert weights is not None
    return weights


def fit(given: Examples, seed: int) -> tuple[Weights, float, float]:
    """Weights that make the true tracks likely, the mean loss (nats) of the last pass, and the share that was right."""
    generator = torch.Generator().manual_seed(seed)
    inside = given.tables[given.there]
    mean, scale = inside.mean(0), 1 / np.maximum(inside.std(0), 1e-3)
    inputs = torch.from_numpy((given.tables - mean) * scale)
    owners, there = torch.from_numpy(given.owners), torch.from_numpy(np.ascontiguousarray(given.there))
    sizes = (FEATURES, *HIDDEN)
    layers = [torch.randn(n, m, generator=generator) / n**0.5 for n, m in pairwise(sizes)]
    biases = [torch.zeros(m) for m in HIDDEN]
    out, straight = torch.zeros(HIDDEN[-1]), torch.zeros(FEATURES)
    parameters = [p.requires_grad_() for p in (*layers, *biases, out, straight)]
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    steps = PASSES * -(-len(inputs) // _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loss_sum = right = 0.0
    for _ in range(PASSES):
        loss_sum = right = 0.0
        for rows in torch.randperm(len(inputs), generator=generator).split(_BATCH):
            layer = inputs[rows]
            scores = layer @ straight
            for matrix, bias in zip(layers, biases, strict=True):
                layer = torch.tanh(layer @ matrix + bias)
            scores = (scores + layer @ out).masked_fill(~there[rows], -torch.inf)
            shares = scores.log_softmax(1)
            loss = -shares.masked_fill(~owners[rows], -torch.inf).logsumexp(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item() * len(rows)
            right += owners[rows].gather(1, scores.argmax(1, keepdim=True)).sum().item()
    arrays = [p.detach().numpy().astype(np.float64) for p in (*layers, *biases, out, straight)]
    hidden = ((arrays[0], arrays[2]), (arrays[1], arrays[3]))
    weights = Weights(mean.astype(np.float64), scale.astype(np.float64), hidden, arrays[4], arrays[5])
    return weights, loss_sum / len(inputs), right / len(inputs)


def save_weights(weights: Weights, path: Path) -> None:
    """Write weights as `core.arrangement.track_assignment.load_weights` reads them. Raises WriteError."""
    arrays = {"mean": weights.mean, "scale": weights.scale, "out": weights.out, "straight": weights.straight}
    for k, (matrix, bias) in enumerate(weights.hidden):
        arrays |= {f"hidden{k}": matrix, f"bias{k}": bias}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array.astype(np.float32) for name, array in arrays.items()})  # pyright: ignore[reportArgumentType]
    write_atomically(path, buffer.getvalue())
