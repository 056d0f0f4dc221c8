"""Decoding by graphs: on every machine what a graph is made of; on one with an NVIDIA card the graphs themselves."""

import gc
import json
from collections.abc import Callable

import pytest
import torch

from core.model.checkpoint import find_model, load_model
from core.model.cuda_graph import CAPTURED_AFTER, GraphDecoder, capture_on_card
from core.model.inference import Inference
from core.model.kv_cache import KVCache
from core.model.transformer import ModelConfig
from tests.core.model.test_transformer import CHECK, CONFIGS, events, network

needs_card = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")


def graph_decoder(captures: list[int]) -> GraphDecoder:
    """By the kernels of a graph, run one by one: what a CPU can show of it."""

    def capture(run: Callable[[], None]) -> Callable[[], None]:
        captures.append(1)
        return run

    return GraphDecoder(capture)


def filled_with_nan(inference: Inference, rows: int = 1) -> KVCache:
    """A cache whose free places hold no numbers, as memory that was used before may."""
    cache = inference.new_cache(rows)
    for tensor in (cache.keys, cache.values):
        tensor.fill_(torch.nan)
    return cache


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("config", CONFIGS)
def test_the_same_kernels_at_every_place_give_what_decoding_gives(config: ModelConfig, rows: int) -> None:
    inference = Inference(network(config), int8=False)
    sequences = [events(config.block_size, seed) for seed in range(rows)]
    plain, static = inference.new_cache(rows), filled_with_nan(inference, rows)
    captures: list[int] = []
    decoder = graph_decoder(captures)
    for cache in (plain, static):
        inference.prefill([sequence[:10] for sequence in sequences], cache)
    for place in range(10, config.block_size):
        newest = [sequence[place] for sequence in sequences]
        expected = inference.decode_one(newest, plain)
        with torch.inference_mode():
            decoded = decoder.decode_one(newest, static, inference._decode_static)
        if place < 10 + CAPTURED_AFTER:
            assert decoded is None
            decoded = inference.decode_one(newest, static)
        assert decoded is not None
        torch.testing.assert_close(decoded, expected, atol=1e-4, rtol=1e-4)
    assert captures == [1]
    torch.testing.assert_close(static.keys, plain.keys, atol=1e-5, rtol=1e-4)
    with pytest.raises(IndexError):
        decoder.decode_one([1] * rows, static, inference._decode_static)


def test_a_branch_goes_on_by_a_graph_of_its_own() -> None:
    inference = Inference(network(CONFIGS[0]), int8=False)
    captures: list[int] = []
    decoder = graph_decoder(captures)
    prompt = inference.new_cache()
    inference.prefill([events(8)], prompt)
    for take in range(2):
        branch, plain = prompt.branch(), prompt.rows([0])
        for event in events(30, seed=take + 5):
            with torch.inference_mode():
                decoded = decoder.decode_one([event], branch, inference._decode_static)
            decoded = inference.decode_one([event], branch) if decoded is None else decoded
            torch.testing.assert_close(decoded, inference.decode_one([event], plain), atol=1e-4, rtol=1e-4)
    assert captures == [1, 1]


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("operation not permitted when stream is capturing"), torch.OutOfMemoryError("CUDA out of memory")],
    ids=["kernels", "memory"],
)
def test_where_nothing_can_be_captured_decoding_goes_on_without(
    fault: RuntimeError, caplog: pytest.LogCaptureFixture
) -> None:
    inference = Inference(network(CONFIGS[0]), int8=False)

    def fail(run: Callable[[], None]) -> Callable[[], None]:
        raise fault

    decoder = GraphDecoder(fail)
    cache, plain = inference.new_cache(), inference.new_cache()
    for one in (cache, plain):
        inference.prefill([events(8)], one)
    with torch.inference_mode():
        for event in events(CAPTURED_AFTER + 4):
            assert decoder.decode_one([event], cache, inference._decode_static) is None
            decoded = inference.decode_one([event], cache)
            torch.testing.assert_close(decoded, inference.decode_one([event], plain), atol=1e-5, rtol=1e-4)
    assert cache.length == 8 + CAPTURED_AFTER + 4
    assert len([r for r in caplog.records if "without CUDA graphs" in r.message]) == 1


@needs_card
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("config", CONFIGS)
def test_a_card_gives_what_the_cpu_gives(config: ModelConfig, rows: int) -> None:
    model = network(config)
    on_cpu, on_card = Inference(model, int8=False), Inference(model, "cuda")
    sequences = [events(config.block_size, seed) for seed in range(rows)]
    expected, found = (all_logits(inference, sequences) for inference in (on_cpu, on_card))
    torch.testing.assert_close(found.cpu(), expected, atol=1e-3, rtol=1e-3)
    gc.collect()
    assert not len(on_card._graphs._graphs), "a graph outlived its cache"


def all_logits(inference: Inference, sequences: list[list[int]]) -> torch.Tensor:
    """(T, B, vocab) from the tenth event on, the others one by one."""
    cache = inference.new_cache(len(sequences))
    rows = [inference.prefill([sequence[:10] for sequence in sequences], cache)]
    rows += [inference.decode_one(newest, cache) for newest in list(zip(*sequences, strict=True))[10:]]
    assert len(inference._graphs._graphs) == (inference.device.type == "cuda")
    return torch.stack(rows)


@needs_card
def test_a_bundled_model_expects_the_same_on_a_card() -> None:
    model, _ = load_model(find_model("continuo-base"))
    sequence = json.loads(CHECK.read_text())["events"]
    rows = []
    for inference in (Inference(model, int8=False), Inference(model, "cuda")):
        cache = inference.new_cache()
        read = inference.prefill([sequence[:100]], cache)
        decoded = [inference.decode_one([event], cache) for event in sequence[100:250]]
        rows.append(torch.cat((read, *decoded)).cpu())
    torch.testing.assert_close(rows[1], rows[0], atol=1e-3, rtol=1e-3)


@needs_card
def test_what_a_card_does_is_captured() -> None:
    total = torch.zeros(1, device="cuda")

    def count() -> None:
        total.add_(1)

    before = torch.cuda.current_stream()
    again = capture_on_card(count, total.device)
    assert torch.cuda.current_stream() == before
    counted = float(total)
    again()
    assert float(total) == counted + 1


@needs_card
def test_what_a_card_cannot_capture_leaves_no_trace() -> None:
    total = torch.zeros(1, device="cuda")

    def read() -> None:
        float(total.add_(1))  # which waits for the card, and no graph can hold that

    before = torch.cuda.current_stream()
    with pytest.raises(RuntimeError):
        capture_on_card(read, total.device)
    assert torch.cuda.current_stream() == before

    def empty() -> None:
        total.zero_()

    again = capture_on_card(empty, total.device)
    total.fill_(5)
    again()
    assert float(total) == 0
