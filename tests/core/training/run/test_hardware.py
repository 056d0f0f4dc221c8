"""What the machine can do: how many windows it holds at once, and in which precision it is faster."""

import sys
from dataclasses import replace

import pytest
import torch

from core.model.transformer import ModelConfig, MusicTransformer
from core.training.recipes import RECIPES, SMALL, Recipe
from core.training.run import hardware
from core.training.run.learner import summed_loss


@pytest.mark.parametrize("attention_dropout", [0.0, 0.1])
def test_a_pass_keeps_the_memory_that_is_reckoned_with(attention_dropout: float) -> None:
    config = ModelConfig(n_layer=4, n_head=4, n_embd=256, block_size=128)
    recipe = replace(SMALL, config=config, dropout=0.1, attention_dropout=attention_dropout)
    model = MusicTransformer(config, recipe.dropout, recipe.attention_dropout)
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.zeros((2, config.block_size), dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = summed_loss(model(ids), ids)  # which holds on to what is kept
    assert loss.requires_grad
    assert sum(kept.values()) / 2 == pytest.approx(hardware.window_bytes(recipe), rel=0.15)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_every_preset_fits_a_laptop(recipe: Recipe) -> None:
    rows = hardware.windows_at_once(torch.device("cpu"), recipe)
    assert 1 <= rows <= recipe.batch
    assert rows * hardware.window_bytes(recipe) < 3e9
    assert hardware.windows_at_once(torch.device("cuda"), recipe) == recipe.batch


def test_precision_is_the_faster_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(bf16_seconds: float, wanted: bool = True, device: str = "cpu") -> torch.dtype:
        def timed(device: torch.device, dtype: torch.dtype, **limits: float) -> float:
            return bf16_seconds if dtype == torch.bfloat16 else 1.0

        monkeypatch.setattr(hardware, "_seconds", timed)
        return hardware.choose_hardware(torch.device(device), mixed_precision=wanted, compile=False).dtype

    assert choose(0.4) == torch.bfloat16
    assert choose(10.0) == torch.float32
    assert choose(0.4, wanted=False) == torch.float32
    # On a GPU so small a trial says nothing.
    for has_bf16 in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=has_bf16: has)
        assert (choose(10.0 if has_bf16 else 0.4, device="cuda") == torch.bfloat16) is has_bf16
        assert choose(0.4, wanted=False, device="cuda") == torch.float32


@pytest.mark.parametrize("bundled", [False, True])
def test_a_bundle_does_not_compile(bundled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(hardware.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "frozen", bundled, raising=False)
    chosen = hardware.choose_hardware(torch.device("cuda"), mixed_precision=False, compile=None)
    assert chosen.compile is not bundled
