"""The training loop: from a corpus to a model, on one process or, under torchrun, on many.

Gradients are those of the mean loss over all events of the global batch, however it is dealt out to
processes, and every step seeds its own random numbers: so a run that was killed and goes on, and a
run on many processes, come to what an uninterrupted one on one process comes to.
A batch goes through the network in as many parts as the memory asks for, whose gradients add up.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core.codec.vocabulary import BOUNDARY, PADDING
from core.errors import UsageError
from core.generation.engine import choose_device
from core.model.checkpoint import ModelInfo
from core.model.transformer import MusicTransformer
from core.training.batches import Ids, epoch_batches, epoch_plan, held_out_batches, parts
from core.training.corpus import Corpus, Piece
from core.training.hardware import Hardware, choose_hardware, windows_at_once
from core.training.muon import make_optimisers
from core.training.recipes import Recipe
from core.training.run_folder import Diverged, RunFolder
from core.training.sources import KNOWN, UNKNOWN_LICENCE, combined_licence

VALIDATIONS = 20  # at most so many in a run

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chooses. `minutes` or `epochs` (the recipe's if neither) is the length of the run.

    `weights` by source (0 leaves one out). `patience`: validations without a new best after which the
    run ends. `validation_crops`: windows a validation reads. `compile` None: where it helps.
    """

    minutes: float | None = None
    epochs: float | None = None
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    device: str = "auto"
    compile: bool | None = None
    checkpoint_minutes: float = 5.0
    validation_crops: int = 64
    patience: int | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a length or weight that cannot be."""
        if self.minutes is not None and self.epochs is not None:
            raise UsageError("Give either --minutes or --epochs, not both.")
        for value in (self.minutes, self.epochs):
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise UsageError(f"The length of a run must be more than 0, not {value:g}.")
        for source, weight in self.weights.items():
            if not (weight >= 0 and math.isfinite(weight)):
                raise UsageError(f"The weight of {source} must be 0 or more, not {weight:g}.")


@dataclass(frozen=True, slots=True)
class Status:
    """How a run stands, after each logged step; `validation` only after a validation."""

    step: int
    epoch: int
    progress: float
    loss: float
    events: int
    events_per_second: float
    eta_seconds: float
    validation: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `finished` is false if it was stopped before its end."""

    finished: bool
    steps: int
    events: int
    seconds: float
    loss: float
    best_validation: float | None
    model: Path
    hardware: Hardware


@dataclass(slots=True)
class _State:
    """Where a run stands; all that is not in the weights and optimisers."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    seconds: float = 0.0
    events: int = 0
    loss: float = math.nan
    best: float = math.inf
    since_best: int = 0
    validated: int = 0  # twentieths of the run at the last validation
    validated_step: int = -1

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _State.__slots__}


class Trainer:
    """One run. `train` may be called once; `stop` ends it after the step, from a signal or thread."""

    def __init__(
        self,
        corpus: Corpus,
        run: RunFolder,
        recipe: Recipe,
        settings: Settings,
        *,
        initial: MusicTransformer | None = None,
        base: ModelInfo | None = None,
        provenance: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_status: Callable[[Status], None] = lambda status: None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """`initial` gives the weights to start from; the best model is then never worse than they are.

        `base` is what the header says of the model they are; `provenance` overrides what the new header says.
        `say` gets a sentence when the training has to change its plan.

        Raises UsageError for a corpus with nothing to train on.
        """
        self.recipe, self.settings, self.corpus, self.run = recipe, settings, corpus, run
        self._clock, self._on_status, self._say = clock, on_status, say
        self._rank, self._world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        unknown = settings.weights.keys() - {p.source for p in corpus.pieces}
        if unknown:
            raise UsageError(f"The corpus has no source called {', '.join(sorted(unknown))}.")
        used = [p for p in corpus.pieces if settings.weights.get(p.source, 1.0) > 0]
        self._pieces = [p for p in used if p.split == "train"]
        if not self._pieces:
            raise UsageError("The corpus has no pieces to train on.")
        held_out = [p for p in used if p.split == "validation"]
        self._held_out = held_out_batches(corpus, held_out, recipe, settings.validation_crops)
        self.hardware = self._choose_hardware()
        self._at_once = windows_at_once(self.hardware.device, recipe)
        torch.manual_seed(settings.seed)
        self.model = MusicTransformer(recipe.config, recipe.dropout, recipe.attention_dropout)
        if initial is not None:
            self.model.load_state_dict(initial.state_dict())
        self.model.to(self.hardware.device)
        self._network = self._wrap(self.model)
        self._optimisers = make_optimisers(self.model, recipe, self.hardware.dtype)
        self._base_rates = [[g["lr"] for g in o.param_groups] for o in self._optimisers]
        self._state = _State()
        self._is_refining = initial is not None
        self._provenance = {**_provenance(self._pieces, base), "preset": recipe.name, **(provenance or {})}
        self._stopped = False
        self._resume()

    def stop(self) -> None:
        """End after the step that is being made, or in the middle of a validation; the checkpoint is then written."""
        self._stopped = True

    def _choose_hardware(self) -> Hardware:
        device = choose_device(self.settings.device)
        if device.type == "cuda" and self._world > 1:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(device)
        chosen = choose_hardware(device, mixed_precision=self.recipe.mixed_precision, compile=self.settings.compile)
        if self._world == 1:
            return chosen
        votes = [None] * self._world  # the first process's measurement holds for all
        dist.all_gather_object(votes, chosen.dtype)
        return Hardware(device, cast(torch.dtype, votes[0]), chosen.compile, chosen.why)

    def _wrap(self, model: MusicTransformer) -> Callable[[Tensor], Tensor]:
        network: Any = torch.compile(model) if self.hardware.compile else model
        if self._world == 1:
            return network
        return DistributedDataParallel(network, broadcast_buffers=False)

    def _resume(self) -> None:
        saved = self.run.load_state()
        if saved is None:
            return
        self.model.load_state_dict(saved["model"])
        for optimiser, state in zip(self._optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self._state = _State(**saved["state"])
        if self._rank == 0:
            self.run.rewind_log(self._state.step)

    def train(self) -> Outcome:
        """Train to the end, or until `stop`.

        Raises Diverged when the loss is no number any more, UsageError when there was no time for a single step or the
        graphics card does not hold the model.
        """
        state = self._state
        begun = self._clock() - state.seconds
        saved_at = shown_at = self._clock()
        shown_events = state.events
        validation_cost = 0.0
        finished = False
        if self._is_refining and state.validated_step < 0:
            self._validate(0.0, 0.0)  # what is to be bettered
        elif self._due() > state.validated and state.validated_step != state.step:
            self._validate(0.0, state.seconds)  # what a stop broke off
        with closing_iterator(self._batches()) as batches:
            while True:
                state.seconds = self._clock() - begun
                progress, stop = self._agree(self._progress(), self._stopped)
                finished = state.step > 0 and (progress >= 1 or self._is_out_of_patience())
                if finished or stop:
                    break
                if progress >= 1:
                    raise UsageError(
                        f"Nothing was trained: to measure the model as it is took {state.seconds:.1f} seconds, "
                        "and then the time was over, so give it more --minutes."
                    )
                inputs, targets = next(batches)
                loss = self._step(inputs, targets, self.recipe.rate(progress))
                state.step += 1
                state.step_in_epoch += 1
                now = self._clock()
                if state.step % 10 and self.hardware.device.type == "cuda":
                    continue  # reading the loss would wait for the GPU
                state.loss = loss.item()
                if not math.isfinite(state.loss):
                    raise Diverged(
                        "The training has diverged: begin anew at a lower rate (train --rate), or with another seed."
                    )
                rate = (state.events - shown_events) / max(now - shown_at, 1e-9)
                self._report(rate, now - begun)
                shown_at, shown_events = now, state.events
                if self._due() > state.validated and now - begun >= 20 * validation_cost:
                    self._validate(rate, now - begun)
                    validation_cost += self._clock() - now
                    shown_at = self._clock()
                if now - saved_at >= 60 * self.settings.checkpoint_minutes:
                    self._save()
                    saved_at = now
        if finished and state.validated_step != state.step:
            finished = self._validate(0.0, state.seconds)
        model = self._save()
        if self._rank == 0 and finished and self.recipe.name == "book":
            model = self.run.save_book(self.model)
        best = None if math.isinf(state.best) else state.best
        return Outcome(finished, state.step, state.events, state.seconds, state.loss, best, model, self.hardware)

    def _progress(self) -> float:
        """How far the run is, 0 to 1, by time or by epochs."""
        state = self._state
        if self.settings.minutes is not None:
            return min(1.0, state.seconds / (60 * self.settings.minutes))
        epochs = self.settings.epochs or self.recipe.epochs
        return min(1.0, (state.epoch + state.step_in_epoch / self._epoch_steps()) / epochs)

    def _due(self) -> int:
        """How many of the run's VALIDATIONS should have been made by now."""
        return int(self._progress() * VALIDATIONS)

    def _is_out_of_patience(self) -> bool:
        return self.settings.patience is not None and self._state.since_best >= self.settings.patience

    def _agree(self, progress: float, stop: bool) -> tuple[float, bool]:
        """All processes go by the first one's clock, and stop when any of them is told to."""
        if self._world == 1:
            return progress, stop
        votes: list[Any] = [None] * self._world
        dist.all_gather_object(votes, (progress, stop, self._state.since_best))
        self._state.since_best = votes[0][2]
        return votes[0][0], any(vote[1] for vote in votes)

    def _plan(self) -> list[Any]:
        epoch = self._state.epoch
        if getattr(self, "_planned", None) != epoch:
            self._planned = epoch
            self._current = epoch_plan(self._pieces, self.recipe, self.settings.weights, self.settings.seed, epoch)
        return self._current

    def _epoch_steps(self) -> int:
        return max(1, -(-len(self._plan()) // self.recipe.batch))

    def _batches(self) -> Iterator[tuple[Ids, Ids]]:
        """Batches from the state's place on, without end; the next one is made while a step runs."""
        with ThreadPoolExecutor(1, "continuo-batches") as pool:
            while True:
                state = self._state
                seed = (self.settings.seed, state.epoch)
                batches = epoch_batches(
                    self.corpus, self._plan(), self.recipe, seed, state.step_in_epoch, self._rank, self._world
                )
                coming = pool.submit(next, batches, None)
                while (batch := coming.result()) is not None:
                    coming = pool.submit(next, batches, None)
                    yield batch
                state.epoch, state.step_in_epoch = state.epoch + 1, 0

    def _step(self, inputs: Ids, targets: Ids, rate: float) -> Tensor:
        """One step of all optimisers; the mean loss over this process's share, weighted as in the gradient."""
        total = torch.tensor(int((targets != PADDING).sum()))
        if self._world > 1:
            total = total.to(self.hardware.device)
            dist.all_reduce(total)
        self._state.events += int(total)
        loss = self._fitted(lambda: self._gradients(inputs, targets, int(total)))
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        for optimiser, base in zip(self._optimisers, self._base_rates, strict=True):
            for group, base_rate in zip(optimiser.param_groups, base, strict=True):
                group["lr"] = base_rate * rate
            optimiser.step()
        if self._world > 1:
            dist.all_reduce(loss)
        return loss

    def _gradients(self, inputs: Ids, targets: Ids, total: int) -> Tensor:
        """Leave the gradients of the mean loss over the `total` events of the global batch; this process's share of it.

        May be called again for the same step, and then draws the same random numbers.
        """
        device = self.hardware.device
        torch.manual_seed(self._state.step * self._world + self._rank + (self.settings.seed << 32))
        self.model.train()
        self.model.zero_grad(set_to_none=True)
        loss = torch.zeros((), device=device)
        some = parts(inputs, targets, self._at_once)
        for number, (ids, wanted) in enumerate(some, 1):
            x = torch.from_numpy(ids).to(device, non_blocking=True)
            y = torch.from_numpy(np.ascontiguousarray(wanted)).to(device, non_blocking=True)
            with self._exchanged(last=number == len(some)):
                with self.hardware.autocast():
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

    def _report(self, rate: float, seconds: float, validation: float | None = None) -> None:
        if self._rank:
            return
        state = self._state
        progress = self._progress()
        if self.settings.minutes is not None:
            eta = max(0.0, 60 * self.settings.minutes - seconds)
        else:
            eta = seconds * (1 - progress) / max(progress, 1e-9)
        status = Status(state.step, state.epoch, progress, state.loss, state.events, rate, eta, validation)
        record = {"step": state.step, "epoch": state.epoch, "events": state.events, "seconds": round(seconds, 2)}
        if validation is None:
            record |= {"loss": round(state.loss, 5), "events_per_second": round(rate, 1)}
        else:
            record |= {"validation": round(validation, 5)}
        self.run.log(record)
        self._on_status(status)

    def _validate(self, rate: float, seconds: float) -> bool:
        """Loss on the held-out crops, on the first process; keeps the best model. False if it was told to stop."""
        state = self._state
        if self._rank or not self._held_out:
            return True
        loss = self._fitted(
            lambda: mean_loss(self.model, self._held_out, self._at_once, self.hardware, lambda: self._stopped)
        )
        if loss is None:
            return False
        state.validated, state.validated_step = self._due(), state.step
        state.since_best += 1
        if loss < state.best:
            state.best, state.since_best = loss, 0
            self.run.save_model("best", self.model, self._header(loss))
        self._report(rate, seconds, loss)
        return True

    def _save(self) -> Path:
        """Checkpoint, newest model and curve; the path of the model to use."""
        path = self.run.path / "last.safetensors"
        if self._rank == 0:
            self.run.save_model("last", self.model, self._header(None))
            self.run.save_state(
                {
                    "model": self.model.state_dict(),
                    "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
                    "state": self._state.as_dict(),
                }
            )
            self.run.draw_curve()
        best = self.run.path / "best.safetensors"
        return best if best.is_file() else path

    def _header(self, validation: float | None) -> dict[str, str]:
        state = self._state
        known = {"name": self.run.path.resolve().name, "steps": str(state.step), "events_seen": str(state.events)}
        if validation is not None:
            known["nll"] = f"{validation:.4f} nats per event on validation windows"
        return {**known, **self._provenance}


@contextmanager
def closing_iterator(batches: Iterator[tuple[Ids, Ids]]) -> Iterator[Iterator[tuple[Ids, Ids]]]:
    """Close a generator (and the thread it holds) whatever ends the loop over it."""
    try:
        yield batches
    finally:
        cast(Any, batches).close()


def summed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum of the cross-entropies, in nats; padding counts nothing. logits (B, T, vocab), targets (B, T)."""
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=PADDING, reduction="sum")


@torch.no_grad()
def mean_loss(
    model: MusicTransformer,
    batches: list[tuple[Ids, Ids]],
    at_once: int,
    hardware: Hardware,
    stopped: Callable[[], bool],
) -> float | None:
    """Nats per event over batches, boundaries excluded, `at_once` windows in a pass; None if it was `stopped`."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for inputs, targets in (part for batch in batches for part in parts(*batch, at_once)):
        if stopped():
            return None
        targets = np.where(targets == BOUNDARY, PADDING, targets)
        with hardware.autocast():
            logits = model(torch.from_numpy(inputs).to(hardware.device))
        total += float(summed_loss(logits, torch.from_numpy(targets).to(hardware.device)))
        count += int((targets != PADDING).sum())
    model.train(was_training)
    return total / max(count, 1)


def _provenance(pieces: list[Piece], base: ModelInfo | None) -> dict[str, str]:
    """Licence, data and credit of what is trained on these pieces, going on from `base`."""
    sources = sorted({p.source for p in pieces})
    credits = [KNOWN[s].credit if s in KNOWN else s for s in sources]
    licences, data = {p.licence for p in pieces}, ", ".join(sources)
    if base is None:
        return {"licence": combined_licence(licences), "data": data, "credit": "; ".join(credits)}
    before = base.provenance
    credits = list(dict.fromkeys([*before.get("credit", "").split("; "), *credits]))
    return {
        "licence": combined_licence({before.get("licence", UNKNOWN_LICENCE), *licences}),
        "data": f"{before.get('data', 'not stated')}; then {data}",
        "credit": "; ".join(filter(None, credits)),
        "base": base.name,
        "events_seen_before": str(sum(int(before.get(key, "0")) for key in ("events_seen", "events_seen_before"))),
    }


@contextmanager
def processes() -> Iterator[int]:
    """Join the processes that torchrun started, if it did; gives this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=timedelta(hours=2))
    try:
        yield dist.get_rank()
    finally:
        dist.destroy_process_group()
