"""Branches of a cache: each goes on for itself, whatever memory it does so in."""

import pytest
import torch

from core.model.inference import Inference
from core.model.kv_cache import KVCache
from core.model.transformer import ModelConfig, MusicTransformer

PROMPT = [60, 300, 64, 188, 192]


@pytest.fixture(scope="module")
def inference() -> Inference:
    torch.manual_seed(3)
    config = ModelConfig(n_layer=2, n_head=2, n_embd=16, block_size=32)
    return Inference(MusicTransformer(config).eval(), "cpu", int8=False)


@pytest.fixture
def prompt(inference: Inference) -> KVCache:
    cache = inference.new_cache()
    inference.prefill([PROMPT], cache)
    return cache


def decode(inference: Inference, cache: KVCache, events: list[int]) -> torch.Tensor:
    return torch.stack([inference.decode_one([event], cache) for event in events])


def test_a_branch_takes_no_memory_and_leaves_the_prompt_as_it_is(inference: Inference, prompt: KVCache) -> None:
    first = decode(inference, prompt.branch(), [70, 71, 72])
    decode(inference, prompt.branch(), [10, 11, 12, 13])
    branch = prompt.branch()
    assert branch.keys is prompt.keys
    assert torch.equal(decode(inference, branch, [70, 71, 72]), first)
    assert prompt.length == len(PROMPT)


def test_branches_in_use_at_once_do_not_disturb_each_other(inference: Inference, prompt: KVCache) -> None:
    alone = [decode(inference, prompt.rows([0]), events) for events in ([70, 71, 72], [10, 11, 12])]
    one, other = prompt.branch(), prompt.branch()
    together = [(inference.decode_one([a], one), inference.decode_one([b], other)) for a, b in
                zip([70, 71, 72], [10, 11, 12], strict=True)]  # fmt: skip
    assert torch.equal(torch.stack([a for a, _ in together]), alone[0])
    assert torch.equal(torch.stack([b for _, b in together]), alone[1])
