"""One step of learning: the gradients of a batch, alone or shared out to many processes, and what they change.

Gradients are those of the mean loss over all events of the global batch, however it is dealt out, and every
step seeds its own random numbers. A batch goes through the network in as many parts as the memory asks for, whose
gradients add up.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.codec.vocabulary import BOUNDARY, PADDING
from core.errors import UsageError
from core.model.transformer import MusicTransformer
from core.training.data.batches import parts
from core.training.recipes import Recipe
from core.training.run.hardware import Hardware, rank_and_world, windows_at_once
from core.training.run.muon import make_optimisers

_T = TypeVar("_T")


class Learner:
    """The network that is trained (`model`), and its optimisers. `say` gets a sentence when memory changes the plan."""

    def __init__(
        self,
        recipe: Recipe,
        hardware: Hardware,
        seed: int,
        initial: MusicTransformer | None,
        say: Callable[[str], None],
    ) -> None:
        """`initial` gives the weights to start from."""
        self._recipe, self._hardware, self._seed, self._say = recipe, hardware, seed, say
        self._rank, self._world = rank_and_world()
        self._at_once = windows_at_once(hardware.device, recipe)
        torch.manual_seed(seed)
        self.model = MusicTransformer(recipe.config, recipe.dropout, recipe.attention_dropout)
        if initial is not None:
            self.model.load_state_dict(initial.state_dict())
        self.model.to(hardware.device)
        self._network = self._wrapped()
        self._optimisers = make_optimisers(self.model, recipe, hardware.dtype)
        self._base_rates = [[g["lr"] for g in o.param_groups] for o in self._optimisers]

    def state(self) -> dict[str, Any]:
        """What it takes to go on from here: the weights, the optimisers' moments."""
        return {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)

    def compile_for(self, inputs: Tensor, targets: Tensor) -> None:
        """Have the network compiled for batches of this shape; nothing is learned from this one.

        Raises UsageError when the graphics card does not hold the model.
        """
        self._fitted(lambda: self._gradients(inputs, targets, targets.numel(), 0))
        self.model.zero_grad(set_to_none=True)

    def step(self, inputs: Tensor, targets: Tensor, rate: float, number: int) -> tuple[Tensor, int]:
        """Learn from this process's share of a batch: the mean loss over the whole batch, and its events.

        `rate` is the factor of the learning rates, `number` the step's, which seeds its random numbers.
        Raises UsageError when the graphics card does not hold the model.
        """
        events = torch.tensor(int((targets != PADDING).sum()))
        if self._world > 1:
            events = events.to(self._hardware.device)
            dist.all_reduce(events)
        total = int(events)
        loss = self._fitted(lambda: self._gradients(inputs, targets, total, number))
        nn.utils.clip_grad_norm_(self.model.parameters(), self._recipe.clip)
        for optimiser, base in zip(self._optimisers, self._base_rates, strict=True):
            for group, base_rate in zip(optimiser.param_groups, base, strict=True):
                group["lr"] = base_rate * rate
            optimiser.step()
        if self._world > 1:
            dist.all_reduce(loss)
        return loss, total

    def held_out_loss(self, batches: list[tuple[Tensor, Tensor]], stopped: Callable[[], bool]) -> float | None:
        """Nats per event over batches, boundaries excluded; None if it was `stopped`."""
        return self._fitted(lambda: self._mean_loss(batches, stopped))

    def _wrapped(self) -> Callable[[Tensor], Tensor]:
        network: Any = torch.compile(self.model) if self._hardware.compile else self.model
        if self._world == 1:
            return network
        return DistributedDataParallel(network, broadcast_buffers=False)

    def _gradients(self, inputs: Tensor, targets: Tensor, total: int, number: int) -> Tensor:
        """Leave the gradients of the mean loss over the `total` events of the global batch; this process's share of it.

        May be called again for the same step, and then draws the same random numbers.
        """
        device = self._hardware.device
        torch.manual_seed(number * self._world + self._rank + (self._seed << 32))
        self.model.train()
        self.model.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=device)
        some = parts(inputs, targets, self._at_once)
        for i, (ids, wanted) in enumerate(some, 1):
            x, y = ids.to(device, non_blocking=True), wanted.to(device, non_blocking=True)
            with self._exchanged(last=i == len(some)):
                with self._hardware.autocast():
                    logits = self._network(x)
                share = summed_loss(logits, y) / total
                # DistributedDataParallel takes the mean over processes of what must be a sum.
                (share * self._world).backward()
            loss += share.detach()
        return loss

    def _exchanged(self, last: bool) -> AbstractContextManager[None]:
        """The context of a pass: many processes add up their gradients once, after the `last` part of a step."""
        if last or not isinstance(self._network, DistributedDataParallel):
            return nullcontext()
        return self._network.no_sync()

    @torch.no_grad()
    def _mean_loss(self, batches: list[tuple[Tensor, Tensor]], stopped: Callable[[], bool]) -> float | None:
        device = self._hardware.device
        was_training = self.model.training
        self.model.eval()
        total, count = 0.0, 0
        for inputs, targets in (part for batch in batches for part in parts(*batch, self._at_once)):
            if stopped():
                return None
            targets = targets.masked_fill(targets == BOUNDARY, PADDING)
            with self._hardware.autocast():
                logits = self.model(inputs.to(device))
            total += float(summed_loss(logits, targets.to(device)))
            count += int((targets != PADDING).sum())
        self.model.train(was_training)
        return total / max(count, 1)

    def _fitted(self, work: Callable[[], _T]) -> _T:
        """What `work` gives; while the graphics card has too little memory for it, again with half the windows at once.

        Raises UsageError when one window is too much. (What many processes have begun together none can repeat.)
        """
        while True:
            try:
                return work()
            except torch.OutOfMemoryError as error:
                if self._world > 1:
                    raise UsageError(
                        "A graphics card has too little free memory for its share of a step: give a smaller --batch, "
                        "or start more processes."
                    ) from error
                if self._at_once == 1:
                    raise UsageError(
                        "The graphics card has too little free memory to train this model: choose a smaller preset, "
                        "or --device cpu."
                    ) from error
            # Only here, out of the handler, is nothing left that holds what the failed pass had allocated.
            torch.cuda.empty_cache()
            before, self._at_once = self._at_once, self._at_once // 2
            self._say(
                f"The graphics card has too little free memory for {before} windows at once, so a step takes them "
                f"{self._at_once} at a time; what is learned stays the same."
            )


def summed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum of the cross-entropies, in nats; padding counts nothing. logits (B, T, vocab), targets (B, T)."""
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=PADDING, reduction="sum")
