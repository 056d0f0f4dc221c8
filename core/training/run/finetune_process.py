"""Fine-tuning in a process of its own, so that whoever starts it, such as a window, is not slowed by it.

The process sends messages through a pipe and obeys "stop": it then keeps the best model so far.
"""

import contextlib
import os
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from core.errors import ContinuoError


@dataclass(frozen=True, slots=True)
class Reading:
    """So many of the MIDI files are read."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Training:
    """How the training stands: progress 0 to 1, seconds left, losses in nats per event (`held_out` now and then)."""

    progress: float
    seconds_left: float
    loss: float
    held_out: float | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The new model `name`, with its loss on the songs held out before and after; `name` is empty if there is none."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """It ended with this sentence."""

    sentence: str


FineTuneMessage = Reading | Training | Finished | Failed


def run(pipe: Connection, model: str, folder: str, name: str, minutes: float) -> None:
    """Fine-tune `model` (empty: the usual one) on the MIDI below `folder` as `name`, in the process that this is.

    Ends when `pipe` is closed.
    """
    if hasattr(os, "nice"):
        os.nice(10)  # what is heard meanwhile comes first
    from core.model.checkpoint import DEFAULT_MODEL
    from core.training.run.finetune import Callbacks, finetune, publish_stopped
    from core.training.run.train import Status, Trainer

    stopped = threading.Event()
    trainers: list[Trainer] = []

    def listen() -> None:
        try:
            pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # the app is gone; files are replaced whole, and the same name goes on from the checkpoint
        stopped.set()
        for trainer in trainers:
            trainer.stop()

    def on_trainer(trainer: Trainer) -> None:
        trainers.append(trainer)
        if stopped.is_set():
            trainer.stop()

    def on_status(status: Status) -> None:
        pipe.send(Training(status.progress, status.eta_seconds, status.loss, status.validation))

    threading.Thread(target=listen, name="continuo-finetune-listener", daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        try:
            tuned = finetune(
                model or DEFAULT_MODEL,
                [Path(folder)],
                name=name,
                minutes=minutes,
                jobs=1,  # a process that the app may end at any time must have none of its own
                callbacks=Callbacks(lambda done, total: pipe.send(Reading(done, total)), on_trainer, on_status),
            )
            is_made = tuned.outcome.finished or publish_stopped(tuned)
            pipe.send(Finished(tuned.name if is_made else "", tuned.before, tuned.after))
        except ContinuoError as error:
            pipe.send(Failed(str(error)))
