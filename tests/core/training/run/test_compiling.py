"""A network that is compiled, as on a graphics card: that takes none of a run's time and changes nothing it learns."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.training.run import learner
from core.training.run.run_folder import RunFolder
from core.training.run.train import Trainer, TrainingOptions
from tests.core.training.tunes import TINY_RECIPE, tiny_corpus

COMPILING = 100.0  # seconds


class Machine:
    """Time that passes by steps of a second, and by compiling when a network sees a shape of batch for the first time.

    It stands in for `torch.compile`, which would take minutes here, and is no part of what is tested.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.compiled: list[tuple[int, ...]] = []

    def clock(self) -> float:
        return self.now

    def compile(self, network: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        seen: set[tuple[int, ...]] = set()

        def run(ids: torch.Tensor) -> torch.Tensor:
            if tuple(ids.shape) not in seen:
                seen.add(tuple(ids.shape))
                self.compiled.append(tuple(ids.shape))
                self.now += COMPILING
            return network(ids)

        return run


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    step = learner.Learner.step

    def timed(self: learner.Learner, *arguments: Any) -> tuple[torch.Tensor, int]:
        machine.now += 1
        return step(self, *arguments)

    monkeypatch.setattr(learner.torch, "compile", machine.compile)
    monkeypatch.setattr(learner.Learner, "step", timed)
    return machine


def trainer(folder: Path, machine: Machine, **options: Any) -> Trainer:
    return Trainer(
        tiny_corpus(folder / "corpus"),
        RunFolder(folder / "run"),
        replace(TINY_RECIPE, mixed_precision=False),  # which is measured, and may come out otherwise in another run
        TrainingOptions(device="cpu", **options),
        clock=machine.clock,
    )


def test_compiling_takes_none_of_a_runs_time(tmp_path: Path, machine: Machine) -> None:
    run = trainer(tmp_path, machine, minutes=0.5, compile=True)
    assert str(run.hardware).endswith(", compiled")
    outcome = run.train()
    assert outcome.finished
    assert outcome.steps == 30
    assert outcome.seconds == pytest.approx(30)
    assert machine.compiled == [(4, 48)]


def test_a_part_counts_compiling_and_makes_a_step_even_so(tmp_path: Path, machine: Machine) -> None:
    """Whoever may use a card for ten minutes wants the checkpoint before they are over."""
    first = trainer(tmp_path, machine, minutes=1, compile=True, stop_after=2).train()
    assert not first.finished
    assert first.steps == 20
    assert first.seconds == pytest.approx(20)
    assert machine.now == pytest.approx(120)
    again = trainer(tmp_path, machine, minutes=1, compile=True, stop_after=1).train()
    assert not again.finished
    assert again.steps == 21


def test_nothing_is_learned_from_what_is_compiled_for(tmp_path: Path, machine: Machine) -> None:
    runs = [trainer(tmp_path / str(compile), machine, epochs=1, compile=compile) for compile in (False, True)]
    assert not str(runs[0].hardware).endswith("compiled")
    plain, compiled = (run.train() for run in runs)
    assert plain.steps == compiled.steps
    for weight, other in zip(runs[0].model.parameters(), runs[1].model.parameters(), strict=True):
        torch.testing.assert_close(other, weight)
