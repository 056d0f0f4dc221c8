"""The batches of a run in the order of its steps, for a GPU made ahead by processes of their own.

Every batch can be made alone, from the run's seed and its place: a run goes on exactly where it stood, and it makes no
difference which process made what.
"""

import os
import signal
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from core.training.data.batches import epoch_plan, stack, training_crop
from core.training.data.corpus import Corpus, Piece
from core.training.recipes import Recipe

MOST_WORKERS = 4  # one makes some two million events a second

StepPlace = tuple[int, int]  # epoch, step in it


class Batch(NamedTuple):
    """What one process of a run is shown in a step; `inputs` and `targets` (rows, window) ids."""

    epoch: int
    step: int  # in the epoch
    inputs: Tensor
    targets: Tensor


class Feed(Dataset[Batch]):
    """The batches of one process, by place: its share of the `recipe.batch` crops of each step."""

    def __init__(
        self,
        corpus: Corpus,
        pieces: Sequence[Piece],
        recipe: Recipe,
        weights: Mapping[str, float],
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """`weights` by source, see core.training.data.batches.epoch_plan; `rank` of `world` processes."""
        self._corpus, self._pieces, self._recipe, self._weights = corpus, pieces, recipe, dict(weights)
        self._seed, self._rank, self._world = seed, rank, world
        self._plans: dict[int, list[Piece]] = {}

    def steps(self, epoch: int) -> int:
        """How many steps an epoch has."""
        return max(1, -(-len(self._plan(epoch)) // self._recipe.batch))

    def places(self, epoch: int, step: int) -> Iterator[StepPlace]:
        """All places from one on, without end."""
        while True:
            yield from ((epoch, i) for i in range(step, self.steps(epoch)))
            epoch, step = epoch + 1, 0

    def __getitem__(self, place: StepPlace) -> Batch:
        """A batch. Short rows and a short last batch are filled with padding."""
        epoch, step = place
        plan, size = self._plan(epoch), self._recipe.batch
        rows = range(step * size + self._rank, min((step + 1) * size, len(plan)), self._world)
        crops = [training_crop(self._corpus, plan[i], self._recipe, (self._seed, epoch, 1, i)) for i in rows]
        inputs, targets = stack(crops, -(-size // self._world), self._recipe.config.block_size)
        return Batch(epoch, step, inputs, targets)

    def _plan(self, epoch: int) -> list[Piece]:
        if epoch not in self._plans:
            # What is made ahead may lie in the next epoch already.
            self._plans = {e: plan for e, plan in self._plans.items() if e >= epoch - 1}
            self._plans[epoch] = epoch_plan(self._pieces, self._recipe, self._weights, self._seed, epoch)
        return self._plans[epoch]


class _From(Iterable[StepPlace]):
    """The places of a feed from one on, as a DataLoader wants its sampler."""

    def __init__(self, feed: Feed, epoch: int, step: int) -> None:
        self._feed, self._epoch, self._step = feed, epoch, step

    def __iter__(self) -> Iterator[StepPlace]:
        return self._feed.places(self._epoch, self._step)


def batches(feed: Feed, epoch: int, step: int, device: torch.device) -> Generator[Batch, None, None]:
    """Batches from a place on, without end, in memory from which a GPU can fetch them by itself."""
    is_gpu = device.type == "cuda"
    loader = DataLoader(
        feed,
        batch_size=None,
        sampler=_From(feed, epoch, step),
        num_workers=max(1, min(MOST_WORKERS, (os.cpu_count() or 1) - 1)) if is_gpu else 0,
        prefetch_factor=4 if is_gpu else None,
        pin_memory=is_gpu,
        worker_init_fn=_set_apart,
    )
    yield from loader


def _set_apart(worker: int) -> None:
    """Leave signals to the process that trains, which ends its workers itself.

    A terminal sends Ctrl-C, and `timeout` its signal, to a whole process group.
    """
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        os.setpgid(0, 0)
