"""What is found in a cache, however it was filled; and branches, which go on each for itself in whatever memory."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.inference import Inference
from core.model.kv_cache import KVCache, PagedKVCache
from core.model.transformer import ModelConfig, MusicTransformer

PROMPT = [60, 300, 64, 188, 192]


@pytest.fixture(autouse=True, scope="module")
def on_one_thread() -> Iterator[None]:
    """Sums this small are not worth waking another for."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "tables"])
def inference(request: pytest.FixtureRequest) -> Inference:
    torch.manual_seed(3)
    config = ModelConfig(n_layer=2, n_head=2, n_embd=16, block_size=32)
    return Inference(MusicTransformer(config).eval(), "cpu", int8=request.param)


@pytest.fixture
def prompt(inference: Inference) -> KVCache:
    cache = inference.new_cache()
    inference.prefill([PROMPT], cache)
    return cache


def decode(inference: Inference, cache: KVCache, events: list[int]) -> torch.Tensor:
    return torch.stack([inference.decode_one([event], cache) for event in events])


def assert_close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """The same but for rounding: in which order a processor adds depends on where numbers lie in memory."""
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


def read(cache: KVCache, qkv: torch.Tensor, at_once: bool) -> torch.Tensor:
    """What is found, (layer, B, H, T, D), by each layer's queries, keys and values, (layer, 3, B, H, T, D)."""
    t = qkv.shape[-2]
    if at_once:
        mask = torch.ones(t, cache.length + t, dtype=torch.bool).tril(cache.length)
        cache.grow(t)
        return torch.stack([cache.attend(layer, q, k, v, mask) for layer, (q, k, v) in enumerate(qkv)])
    found = []
    for place in range(t):
        cache.grow_one()
        of_place = enumerate(qkv[..., place, :])
        found.append(torch.stack([cache.attend_one(layer, q, k, v) for layer, (q, k, v) in of_place]))
    return torch.stack(found, -2)


def test_a_branch_takes_no_memory_and_leaves_the_prompt_as_it_is(inference: Inference, prompt: KVCache) -> None:
    first = decode(inference, prompt.branch(), [70, 71, 72])
    decode(inference, prompt.branch(), [10, 11, 12, 13])
    branch = prompt.branch()
    assert branch.keys is prompt.keys
    assert_close(decode(inference, branch, [70, 71, 72]), first)
    assert prompt.length == len(PROMPT)


def test_branches_in_use_at_once_do_not_disturb_each_other(inference: Inference, prompt: KVCache) -> None:
    alone = [decode(inference, prompt.rows([0]), events) for events in ([70, 71, 72], [10, 11, 12])]
    one, other = prompt.branch(), prompt.branch()
    together = [(inference.decode_one([a], one), inference.decode_one([b], other)) for a, b in
                zip([70, 71, 72], [10, 11, 12], strict=True)]  # fmt: skip
    assert_close(torch.stack([a for a, _ in together]), alone[0])
    assert_close(torch.stack([b for _, b in together]), alone[1])


def assert_both_find_the_same(
    plain: KVCache, table: KVCache, places: int, at_once: bool, random: torch.Generator
) -> None:
    """Let both read the same events: what their queries find there is the same."""
    qkv = torch.randn(2, 3, plain.batch, 2, places, 4, generator=random)
    near = 1e-5 if table.keys.dtype == torch.float32 else 1e-2
    assert torch.allclose(read(table, qkv, at_once), read(plain, qkv, not at_once), atol=near)
    assert table.length == plain.length


@settings(max_examples=40)
@given(
    stretches=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    batch=st.integers(1, 3),
    dtype=st.sampled_from([torch.float32, torch.float16]),
    data=st.data(),
)
def test_a_table_cache_attends_as_the_plain_one_does(
    stretches: list[int], batch: int, dtype: torch.dtype, data: st.DataObject
) -> None:
    """Whatever was read in one go and whatever event by event, within a page, over its end, in branch, copy, part."""
    shape = (batch, 2, min(50, sum(stretches)), 4)
    random = torch.Generator().manual_seed(batch)
    with patch("core.model.kv_cache.PAGE_SIZE", 8):
        plain: KVCache = KVCache(2, shape, dtype=torch.float32, device=torch.device("cpu"))
        table: KVCache = PagedKVCache(2, shape, dtype=dtype, device=torch.device("cpu"))
        for stretch in stretches:
            at_once = data.draw(st.booleans())
            where = data.draw(st.sampled_from(["here", "in a branch", "beside a branch", "in a copy", "in a part"]))
            if where == "in a copy":
                rows = data.draw(st.lists(st.integers(0, plain.batch - 1), min_size=1, max_size=3))
                plain, table = plain.rows(rows), table.rows(rows)
            elif where == "in a part":
                rows = data.draw(st.lists(st.integers(0, plain.batch - 1), min_size=1, unique=True))
                plain, table = plain.part(rows), table.part(rows)
            elif where != "here":
                branches = plain.branch(), table.branch()
                if where == "beside a branch":  # which writes into the same memory, and is then given up
                    if few := min(3, plain.window - plain.length):
                        assert_both_find_the_same(*branches, few, False, random)
                    del branches
                else:
                    plain, table = branches
            if places := min(stretch, plain.window - plain.length):
                assert_both_find_the_same(plain, table, places, at_once, random)


def test_full_pages_that_sequences_have_alike_lie_in_memory_once() -> None:
    """Of three copies only the first has them: what lies there in the others is never read, nor in a part of them."""
    shape, random = (1, 2, 40, 4), torch.Generator().manual_seed(0)
    with patch("core.model.kv_cache.PAGE_SIZE", 8):
        prompt: KVCache = KVCache(2, shape, dtype=torch.float32, device=torch.device("cpu"))
        table: KVCache = PagedKVCache(2, shape, dtype=torch.float32, device=torch.device("cpu"))
        assert_both_find_the_same(prompt, table, 19, True, random)
        plain, table = prompt.rows([0, 0, 0]), table.rows([0, 0, 0])
        table.keys[:, 1:, :, :2] = table.values[:, 1:, :, :16] = torch.nan
        assert_both_find_the_same(plain, table, 3, False, random)
        assert_both_find_the_same(plain.part([1, 2]), table.part([1, 2]), 4, False, random)
        assert_both_find_the_same(plain.part([2]), table.part([2]), 4, True, random)


def test_what_lies_in_unfilled_places_changes_nothing() -> None:
    """It may be anything: the memory was never written."""
    table: KVCache = PagedKVCache(1, (1, 1, 200, 4), dtype=torch.float32, device=torch.device("cpu"))
    table.keys.fill_(torch.nan)
    table.values.fill_(torch.nan)
    for t, at_once in ((126, True), (3, False), (30, True), (1, True), (1, False)):
        assert bool(read(table, torch.randn(1, 3, 1, 1, t, 4), at_once).isfinite().all())


def test_a_full_cache_does_not_grow() -> None:
    for kind in (KVCache, PagedKVCache):
        cache = kind(1, (1, 1, 8, 4), dtype=torch.float32, device=torch.device("cpu"))
        cache.grow(8)
        with pytest.raises(IndexError):
            cache.grow_one()
        for places in (1, 2):
            with pytest.raises(IndexError):
                cache.grow(places)
        assert cache.length == 8
