"""Learning the network of core.tracks.track_assignment, which gives notes to tracks, from songs of known tracks.

In a take the assigner goes on from its own decisions, right or wrong. So it learns from what it meets then: in the
first round it is told the truth of every note before, in the following rounds it decides most of them itself, with the
weights learned so far, while the true tracks stay what it is to say; what it met in these rounds adds up (dataset
aggregation: Ross, Gordon and Bagnell, A Reduction of Imitation Learning to No-Regret Online Learning, 2011).

Songs of many tracks are rare where the tracks are known, so they are made: two songs at once, marker upon marker.
"""

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import UnreadableInput
from core.files import write_atomically
from core.midi.read import read_score
from core.midi.score import Track
from core.tracks.evaluation import Passage, passage_at, play
from core.tracks.features import FEATURES
from core.tracks.note_stream import StreamNote, merged_notes, place
from core.tracks.track_assignment import TrackAssigner, Weights, weights_from

if TYPE_CHECKING:
    from core.training.run.run_folder import RunFolder

HIDDEN = (48, 24)
PASSES = 8  # over the notes, in each round
OWN_SHARE = 0.9  # of the notes that it decides itself, behind the first round
_FIRST_SHARE = 0.3  # of the passages, in the first round
_MOST_TRACKS = 4  # of a song that is learned from; the few songs with more are kept to measure by
_JOINED_SHARE = 0.4  # of the passages, those that are learned from a second time, joined in pairs
_BATCH = 1024  # notes
_BETWEEN_CHECKPOINTS = 120.0  # seconds
_RATE, _DECAY = 3e-3, 1e-2


class Examples(NamedTuple):
    """Notes, and for each a row for every track that it could go to, one after the other.

    `tables` (rows, FEATURES); `owners` (rows,): whether that track plays the note; `counts` (notes,): its rows.
    """

    tables: NDArray[np.float32]
    owners: NDArray[np.bool_]
    counts: NDArray[np.intp]


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


def joined_pairs(passages: Sequence[Passage], seed: int) -> list[Passage]:
    """Passages of many tracks: two songs at once, drawn by chance among those with bars of one length."""

    def bar(passage: Passage) -> float:
        return place(passage.tempo_map, passage.marker).bar

    order = np.random.default_rng(seed).permutation(len(passages))[: round(_JOINED_SHARE * len(passages))]
    drawn = sorted((passages[k] for k in order), key=bar)
    return [joined(one, other) for one, other in zip(drawn[::2], drawn[1::2], strict=False) if bar(one) == bar(other)]


def joined(one: Passage, other: Passage) -> Passage:
    """Both at once, in the tempo of `one`: the tracks of `other` are moved so that its marker falls on that of `one`.

    Their pedals, which would have to be moved as well, are left out.
    """
    to, of = one.tempo_map, other.tempo_map
    marker, origin = round(to.exact_tick(one.marker)), round(of.exact_tick(other.marker))

    def moved(track: Track) -> Track:
        notes = []
        for note in track.notes:
            start, end = (
                marker + round((tick - origin) * to.ticks_per_quarter / of.ticks_per_quarter)
                for tick in (note.start_tick, note.end_tick)
            )
            if 0 <= start < end:
                times = {"start": to.seconds(start), "end": to.seconds(end), "start_tick": start, "end_tick": end}
                notes.append(replace(note, **times))
        return replace(track, notes=tuple(notes), pedals=())

    tracks = [*one.tracks, *map(moved, other.tracks)]
    heard = tuple(track for track in tracks if any(note.start < one.marker for note in track.notes))
    end = max(note.end for note in one.notes)
    return Passage(heard, to, one.marker, tuple(merged_notes(heard, one.marker, end)))


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
    owners = np.array([[i in note.tracks for i in range(count)] for note in passage.notes])
    return Examples(np.concatenate(pupil.seen), owners.ravel(), np.full(len(passage.notes), count))


@dataclass(slots=True)
class _Progress:
    """Where learning stands: the round, what the one before came to, the passages that were looked at in this one.

    `seen` is what is learned from at its end: of these passages, and from the third round on of the rounds before.
    """

    round: int = 0
    weights: Weights | None = None
    looked_at: int = 0
    seen: list[Examples] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Numbers and tensors alone, for a checkpoint."""
        weights = None if self.weights is None else _tensors(_arrays(self.weights))
        seen = _tensors(_together(self.seen)._asdict()) if self.seen else None
        return {"round": self.round, "weights": weights, "looked_at": self.looked_at, "seen": seen}


def _restored(state: Mapping[str, Any]) -> _Progress:
    """The progress that `as_dict` told."""

    def arrays(tensors: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        return {name: tensor.numpy() for name, tensor in tensors.items()}

    weights = state["weights"] and weights_from(arrays(state["weights"]))
    seen = [Examples(**arrays(state["seen"]))] if state["seen"] else []
    return _Progress(state["round"], weights, state["looked_at"], seen)


def learn(
    passages: Sequence[Passage],
    rounds: int,
    seed: int,
    pool: Executor,
    say: Callable[[str], None],
    run: "RunFolder | None" = None,
    clock: Callable[[], float] = time.monotonic,
) -> Weights:
    """Weights from passages, in so many rounds; a pool of processes looks at several passages at once.

    With a run's folder it leaves checkpoints there, and goes on from the last one.
    """
    saved = run.load_state() if run else None
    now = _restored(saved) if saved else _Progress()
    if saved:
        say(f"Going on from round {now.round + 1} of {rounds}, passage {now.looked_at + 1}.")
    while now.round < rounds:
        chosen = passages[:: round(1 / _FIRST_SHARE)] if now.weights is None and rounds > 1 else passages
        first = seed + 10_000 * now.round
        left, seeds = chosen[now.looked_at :], range(first + now.looked_at, first + len(chosen))
        saved_at = clock()
        for found in pool.map(examples, left, [now.weights] * len(left), seeds, chunksize=4):
            now.seen.append(found)
            now.looked_at += 1
            if run and clock() - saved_at >= _BETWEEN_CHECKPOINTS:
                run.save_state(now.as_dict())
                saved_at = clock()
        together = _together(now.seen)
        weights, loss, right = fit(together, seed)
        number = now.round + 1
        say(f"Round {number} of {rounds}: {len(together.counts)} notes, {loss:.3f} nats a note, {right:.1%} right.")
        now = _Progress(number, weights, seen=now.seen if now.round else [])
        if run:
            run.save_state(now.as_dict())
    assert now.weights is not None
    return now.weights


def _together(seen: Sequence[Examples]) -> Examples:
    return Examples(*(np.concatenate(parts) for parts in zip(*seen, strict=True)))


def _tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def fit(given: Examples, seed: int) -> tuple[Weights, float, float]:
    """Weights that make the true tracks likely, the mean loss (nats) of the last pass, and the share that was right."""
    generator = torch.Generator().manual_seed(seed)
    mean, scale = given.tables.mean(0), 1 / np.maximum(given.tables.std(0), 1e-3)
    layers = [torch.randn(n, m, generator=generator) / n**0.5 for n, m in pairwise((FEATURES, *HIDDEN))]
    biases = [torch.zeros(m) for m in HIDDEN]
    out, straight = torch.zeros(HIDDEN[-1]), torch.zeros(FEATURES)
    parameters = [p.requires_grad_() for p in (*layers, *biases, out, straight)]
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    notes = len(given.counts)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, PASSES * -(-notes // _BATCH))
    loss_sum = right = 0.0
    for _ in range(PASSES):
        loss_sum = right = 0.0
        for chosen in torch.randperm(notes, generator=generator).split(_BATCH):
            tables, owners, there = _batch(given, chosen.numpy())
            inputs = layer = torch.from_numpy((tables - mean) * scale)
            for matrix, bias in zip(layers, biases, strict=True):
                layer = torch.tanh(layer @ matrix + bias)
            scores = torch.full(there.shape, -torch.inf).masked_scatter(there, layer @ out + inputs @ straight)
            loss = -scores.log_softmax(1).masked_fill(~owners, -torch.inf).logsumexp(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            loss_sum += loss.item() * len(chosen)
            right += owners.gather(1, scores.argmax(1, keepdim=True)).sum().item()
    arrays = [p.detach().numpy().astype(np.float64) for p in parameters]
    hidden = ((arrays[0], arrays[2]), (arrays[1], arrays[3]))
    weights = Weights(mean.astype(np.float64), scale.astype(np.float64), hidden, arrays[4], arrays[5])
    return weights, loss_sum / notes, right / notes


def _batch(given: Examples, notes: NDArray[np.intp]) -> tuple[NDArray[np.float32], torch.Tensor, torch.Tensor]:
    """Of these notes: the rows of their tracks, and (notes, most tracks) who plays them, and which tracks there are."""
    counts = given.counts[notes]
    there = np.arange(counts.max()) < counts[:, None]
    rows = ((given.counts.cumsum() - given.counts)[notes, None] + np.arange(counts.max()))[there]
    owners = np.zeros(there.shape, bool)
    owners[there] = given.owners[rows]
    return given.tables[rows], torch.from_numpy(owners), torch.from_numpy(there)


def save_weights(weights: Weights, path: Path) -> None:
    """Write weights as `core.tracks.track_assignment.load_weights` reads them. Raises WriteError."""
    arrays = {name: array.astype(np.float32) for name, array in _arrays(weights).items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    write_atomically(path, buffer.getvalue())


def _arrays(weights: Weights) -> dict[str, NDArray[np.float64]]:
    """The arrays of weights by the names that `weights_from` knows."""
    arrays = {"mean": weights.mean, "scale": weights.scale, "out": weights.out, "straight": weights.straight}
    for k, (matrix, bias) in enumerate(weights.hidden):
        arrays |= {f"hidden{k}": matrix, f"bias{k}": bias}
    return arrays
