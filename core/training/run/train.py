"""The training loop: from a corpus to a model, on one process or, under torchrun, on many.

Every step seeds its own random numbers, and its gradients do not depend on how the batch is dealt out (see
core.training.run.learner): so a run that was killed and goes on, and a run on many processes, come to what an
uninterrupted one on one process comes to.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from core.errors import UsageError
from core.generation.engine import choose_device
from core.model.checkpoint import ModelInfo
from core.model.transformer import MusicTransformer
from core.training.data.batches import held_out_batches
from core.training.data.corpus import Corpus
from core.training.data.feed import Feed, batches
from core.training.recipes import Recipe
from core.training.run.hardware import Hardware, choose_hardware, gathered, rank_and_world
from core.training.run.learner import Learner
from core.training.run.run_folder import Diverged, RunFolder, trained_on

VALIDATIONS = 20  # at most so many in a run
VALIDATING = 0.1  # share of a run's time that they take at most, but for the last


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What the user chooses. `minutes` or `epochs` (the recipe's if neither) is the length of the run, from the first
    step on: what comes before it, such as compiling, takes nothing of them.

    `weights` by source (0 leaves one out). `patience`: validations without a new best after which the
    run ends. `validation_crops`: windows a validation reads. `compile` None: where it helps. `stop_after`: minutes
    after which this part of the run stops, all that it does counted, with a checkpoint to go on from.
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
    stop_after: float | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a length or weight that cannot be."""
        if self.minutes is not None and self.epochs is not None:
            raise UsageError("Give either --minutes or --epochs, not both.")
        for value in (self.minutes, self.epochs, self.stop_after):
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
        settings: TrainingOptions,
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

        Raises UsageError for a corpus with nothing to train on, and for more processes than graphics cards.
        """
        self.recipe, self.settings, self.run = recipe, settings, run
        self._clock, self._on_status = clock, on_status
        self._rank, self._world = rank_and_world()
        unknown = settings.weights.keys() - {p.source for p in corpus.pieces}
        if unknown:
            raise UsageError(f"The corpus has no source called {', '.join(sorted(unknown))}.")
        used = [p for p in corpus.pieces if settings.weights.get(p.source, 1.0) > 0]
        pieces = [p for p in used if p.split == "train"]
        if not pieces:
            raise UsageError("The corpus has no pieces to train on.")
        self._feed = Feed(corpus, pieces, recipe, settings.weights, settings.seed, self._rank, self._world)
        held_out = [p for p in used if p.split == "validation"]
        self._held_out = held_out_batches(corpus, held_out, recipe, settings.validation_crops)
        self.hardware = self._choose_hardware()
        self._learner = Learner(recipe, self.hardware, settings.seed, initial, say)
        self._state = _State()
        self._is_refining = initial is not None
        self._provenance = {**trained_on(pieces, base), "preset": recipe.name, **(provenance or {})}
        self._stopped = False
        self._validation_cost = 0.0  # seconds spent on validations
        self._resume()

    def stop(self) -> None:
        """End after the step that is being made, or in the middle of a validation; the checkpoint is then written."""
        self._stopped = True

    def _choose_hardware(self) -> Hardware:
        device = choose_device(self.settings.device)
        if device.type == "cuda" and self._world > 1:
            cards = torch.cuda.device_count()
            if int(os.environ["LOCAL_WORLD_SIZE"]) > cards:
                raise UsageError(
                    f"There are more processes than graphics cards: give torchrun --nproc-per-node {cards}, "
                    "or train with --device cpu."
                )
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)
        chosen = choose_hardware(device, mixed_precision=self.recipe.mixed_precision, compile=self.settings.compile)
        return replace(chosen, dtype=gathered(chosen.dtype)[0])  # the first process's measurement holds for all

    @property
    def model(self) -> MusicTransformer:
        """The network as it stands."""
        return self._learner.model

    def _resume(self) -> None:
        saved = self.run.load_state()
        if saved is None:
            return
        self._learner.restore(saved)
        self._state = _State(**saved["state"])
        if self._rank == 0:
            self.run.rewind_log(self._state.step)

    def train(self) -> Outcome:
        """Train to the end, a step at least, or until `stop`.

        Raises Diverged when the loss is no number any more, UsageError when the graphics card does not hold the model.
        """
        state = self._state
        until = self._clock() + 60 * (self.settings.stop_after or math.inf)
        finished, first_step = False, state.step
        self._validate_at_first()
        if self.hardware.compile:
            example = self._feed[state.epoch, state.step_in_epoch]
            self._learner.compile_for(example.inputs, example.targets)
        begun = self._clock() - state.seconds  # only now: a short run on a slow machine must come to a step, too
        saved_at = shown_at = self._clock()
        shown_events = state.events
        with closing(batches(self._feed, state.epoch, state.step_in_epoch, self.hardware.device)) as coming:
            while True:
                now = self._clock()
                state.seconds = now - begun
                is_over = now >= until and state.step > first_step
                progress, stop = self._agree(self._progress(), self._stopped or is_over)
                finished = state.step > 0 and (progress >= 1 or self._is_out_of_patience())
                if finished or stop:
                    break
                batch = next(coming)
                loss, events = self._learner.step(batch.inputs, batch.targets, self.recipe.rate(progress), state.step)
                state.step, state.events = state.step + 1, state.events + events
                state.epoch, state.step_in_epoch = batch.epoch, batch.step + 1
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
                if self._due() > state.validated and now - begun >= self._validation_cost / VALIDATING:
                    self._validate(rate, now - begun)
                    shown_at = self._clock()
                if now - saved_at >= 60 * self.settings.checkpoint_minutes:
                    self._save()
                    saved_at = now
        return self._ended(finished)

    def _validate_at_first(self) -> None:
        state = self._state
        if self._is_refining and state.validated_step < 0:
            self._validate(0.0, 0.0)  # what is to be bettered
        elif self._due() > state.validated and state.validated_step != state.step:
            self._validate(0.0, state.seconds)  # what a stop broke off

    def _ended(self, finished: bool) -> Outcome:
        """Validate and save what the run came to."""
        state = self._state
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
        return min(1.0, (state.epoch + state.step_in_epoch / self._feed.steps(state.epoch)) / epochs)

    def _due(self) -> int:
        """How many of the run's VALIDATIONS should have been made by now."""
        return int(self._progress() * VALIDATIONS)

    def _is_out_of_patience(self) -> bool:
        return self.settings.patience is not None and self._state.since_best >= self.settings.patience

    def _agree(self, progress: float, stop: bool) -> tuple[float, bool]:
        """All processes go by the first one's clock, and stop when any of them is told to."""
        votes = gathered((progress, stop, self._state.since_best))
        self._state.since_best = votes[0][2]
        return votes[0][0], any(stops for _, stops, _ in votes)

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
        begun = self._clock()
        loss = self._learner.held_out_loss(self._held_out, lambda: self._stopped)
        self._validation_cost += self._clock() - begun
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
            self.run.save_state({**self._learner.state(), "state": self._state.as_dict()})
            self.run.draw_curve()
        best = self.run.path / "best.safetensors"
        return best if best.is_file() else path

    def _header(self, validation: float | None) -> dict[str, str]:
        state = self._state
        known = {"name": self.run.path.resolve().name, "steps": str(state.step), "events_seen": str(state.events)}
        if validation is not None:
            known["nll"] = f"{validation:.4f} nats per event on validation windows"
        return {**known, **self._provenance}
