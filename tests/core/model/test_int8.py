"""Decoding in 8 bits: what it loses, and what replaces the operations that PyTorch may drop."""

import pytest
import torch
import torch.nn.functional as F

from core.model.inference import Inference
from core.model.int8 import Int8Linear, Int8Ops
from core.model.transformer import ModelConfig, MusicTransformer

in_int8 = pytest.mark.skipif(not Int8Ops.is_there(), reason="this CPU decodes in float32")


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch without the operations, on a CPU that can do with what replaces them."""
    monkeypatch.setattr(Int8Ops, "has_fbgemm", False)
    monkeypatch.setattr(Int8Ops, "has_embedding_bag", False)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr(torch, "fbgemm_pack_quantized_matrix", None, raising=False)
    monkeypatch.setattr(torch, "fbgemm_linear_int8_weight_fp32_activation", None, raising=False)
    monkeypatch.setattr(torch, "embedding_bag", None, raising=False)


@in_int8
@pytest.mark.parametrize("weights", ["any", "all of one sign"])
@pytest.mark.parametrize("inputs", ["any", "as large as can be"])
def test_matrices_in_8_bits_lose_nothing_but_by_rounding(weights: str, inputs: str) -> None:
    """Sums must not overflow anywhere on the way: AVX2 adds neighbours in 16 bits."""
    torch.manual_seed(0)
    weight = torch.randn(24, 64)
    x = torch.randn(3, 64)
    if weights == "all of one sign":
        weight = weight.abs().clamp_min(2.0)
    if inputs == "as large as can be":
        x = torch.ones(3, 64)
        x[:, -1] = 0.0
    bias = torch.randn(24)
    rounded = Int8Linear.of(weight, bias)
    # Half a level of each weight times its input, and half a level of each input times its weight.
    low, high = x.amin().clamp_max(0), x.amax().clamp_min(0)
    most = x.abs().sum(1, keepdim=True) * rounded.scale / 2 + weight.abs().sum(1) * (high - low) / 255 / 2
    most += 64 * rounded.scale * (high - low) / 255 / 4
    error = (rounded(x) - F.linear(x, weight, bias)).abs()
    assert bool((error <= most + 1e-4).all())
    assert rounded.scale.max() < 0.1  # so that the bound above says something


@pytest.mark.usefixtures("dropped")
def test_without_fbgemm_matrices_are_multiplied_by_pytorchs_own_product() -> None:
    """As exact as bfloat16 is: 8 bits of each input, and of each output."""
    torch.manual_seed(0)
    weight, x, bias = torch.randn(48, 64), torch.randn(3, 64), torch.randn(48)
    linear = Int8Linear.of(weight, bias)
    levels = linear.matrix.levels.float() * linear.scale[:, None]
    exact = F.linear(x, levels, bias)
    rounding = 2**-8 * (F.linear(x.abs(), levels.abs()) + (exact - bias).abs())
    assert bool(((linear(x) - exact).abs() <= rounding + 1e-4).all())
    total = torch.ones(3, 48)
    linear.add_to(total, x)
    assert torch.allclose(total, linear(x) + 1, atol=1e-4)


def test_without_embedding_bag_the_sums_are_the_same_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    table, weights = torch.randn(40, 6), torch.rand(5, 8)
    rows = torch.randint(0, 40, (40,), dtype=torch.int32)
    bags = torch.arange(0, 40, 8, dtype=torch.int32)
    expected = (table[rows].view(5, 8, 6) * weights[:, :, None]).sum(1)
    for has_embedding_bag in (Int8Ops.has_embedding_bag, False):
        monkeypatch.setattr(Int8Ops, "has_embedding_bag", has_embedding_bag)
        assert torch.allclose(Int8Ops.weighted_sums(table, rows, bags, weights), expected, atol=1e-5)
        half = Int8Ops.weighted_sums(table.half(), rows, bags, weights.half())
        assert half.dtype == torch.float16
        assert torch.allclose(half.float(), expected, atol=2e-2)


def decoded(int8: bool) -> tuple[str, torch.Tensor]:
    """Arithmetic and logits (10, vocab) of a small network, event by event."""
    torch.manual_seed(0)
    model = MusicTransformer(ModelConfig(n_layer=2, n_head=2, n_embd=64, block_size=32)).eval()
    inference = Inference(model, int8=int8)
    cache = inference.new_cache()
    inference.prefill([[60, 300, 188]], cache)
    rows = [inference.decode_one([event], cache) for event in range(60, 70)]
    return inference.arithmetic, torch.cat(rows)


@pytest.mark.usefixtures("dropped")
def test_what_replaces_them_is_used_where_they_are_gone() -> None:
    arithmetic, logits = decoded(int8=True)
    assert arithmetic == "int8"
    _, exact = decoded(int8=False)
    assert not torch.equal(logits, exact)
    assert float((logits - exact).abs().max()) < 0.1 * float(exact.std())


@pytest.mark.parametrize("lacks", ["the product", "AVX2"])
@pytest.mark.usefixtures("dropped")
def test_without_the_means_for_8_bits_events_are_decoded_in_float32(
    lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacks == "AVX2":
        monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: "DEFAULT")
    else:
        monkeypatch.delattr(torch, "_weight_int8pack_mm")
    arithmetic, logits = decoded(int8=True)
    assert arithmetic == "float32"
    assert torch.allclose(logits, decoded(int8=False)[1], atol=1e-5)
