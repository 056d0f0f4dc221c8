"""bench: that what it times runs, and what it prints. How fast is for the machine to say."""

import pytest
import torch

from core.cli import bench
from core.cli.published_loop import PublishedNetwork, loop_events_per_second
from core.model.inference import Inference
from core.model.int8 import Int8Ops
from core.model.transformer import ModelConfig, MusicTransformer
from tests.core.cli.helpers import Command


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "FIRST", 5)
    monkeypatch.setattr(bench, "LAST", 12)
    monkeypatch.setattr(bench, "ROUNDS", 1)


@pytest.fixture
def network() -> MusicTransformer:
    torch.manual_seed(2)
    config = ModelConfig(n_layer=2, n_head=2, n_embd=16, block_size=32, position="learned")
    return MusicTransformer(config).eval()


def test_both_loops_run_on_the_same_network(network: MusicTransformer) -> None:
    assert bench.events_per_second(Inference(network, "cpu")) > 0
    assert loop_events_per_second(network, 5, 12) > 0


def test_the_book_s_network_predicts_what_ours_does(network: MusicTransformer) -> None:
    """Else the two would not do the same work."""
    events = torch.randint(0, 388, (2, 32))
    assert torch.allclose(PublishedNetwork(network)(events), network(events), atol=1e-5)


def test_what_it_prints(command: Command) -> None:
    threads = torch.get_num_threads()
    try:
        result = command.json("bench", "--threads", 1, "--device", "cpu")
    finally:
        torch.set_num_threads(threads)
    assert (result["threads"], result["device"]) == (1, "cpu")
    book, bundled = result["book"], result["bundled"]
    expected = "int8" if Int8Ops.is_there() else "float32"
    assert (book["arithmetic"], bundled["arithmetic"]) == (expected, expected)
    assert min(book["events_per_second"], bundled["events_per_second"], book["loop_events_per_second"]) > 0
    # The ratio compares like with like: both in float32.
    assert book["ratio"] == pytest.approx(
        book["float32_events_per_second"] / book["loop_events_per_second"], rel=0.02, abs=0.1
    )


def test_the_window_is_measured_whole(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "WINDOW_BENCH", (*bench.WINDOW_BENCH, "--short"))
    result = command.json("bench", "--gui")
    assert result["start"].keys() == {"to_window_s", "longest_s", "starts", "torch_loaded"}
    assert result["start"]["torch_loaded"] is False
    assert {"scroll", "playhead", "zoom, everything on view"} <= result["frames"]["scenes"].keys()
    assert result["continue"].keys() == {"first_ms", "p50_ms", "longest_ms", "clicks", "output", "heard"}
    assert result["continue"]["heard"]
    assert "JACK" in result["continue"]["output"]
    assert result["playing"]["sent"] > 0
    assert {"longest_block_ms", "block_ms_p99", "late_ms_p50", "late_ms_p99", "underruns"} <= result["playing"].keys()
    for *_, usual, worst in bench.FIGURES:
        assert 0 < bench._look_up(result, usual) <= bench._look_up(result, worst)


def test_the_window_that_cannot_be_measured(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "WINDOW_BENCH", ("-c", "raise SystemExit(1)"))
    assert "could not be measured" in command.refuse(1, "bench", "--gui")
