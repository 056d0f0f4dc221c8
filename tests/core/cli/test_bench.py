"""bench: that what it times runs, and what it prints. How fast is for the machine to say."""

import pytest
import torch

from core.cli import bench
from core.model.inference import Inference
from core.model.transformer import ModelConfig, MusicTransformer
from tests.core.cli.helpers import Command


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "FIRST", 5)
    monkeypatch.setattr(bench, "LAST", 12)
    monkeypatch.setattr(bench, "ROUNDS", 1)


def test_both_loops_run_on_the_same_network() -> None:
    torch.manual_seed(2)
    network = MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=32, position="learned")).eval()
    assert bench.events_per_second(Inference(network, "cpu")) > 0
    assert bench.loop_events_per_second(network) > 0


def test_what_it_prints(command: Command) -> None:
    threads = torch.get_num_threads()
    try:
        result = command.json("bench", "--threads", 1)
    finally:
        torch.set_num_threads(threads)
    assert result["threads"] == 1
    assert {"events_per_second", "loop_events_per_second", "ratio"} <= result["book"].keys()
    assert result["bundled"]["events_per_second"] > 0
