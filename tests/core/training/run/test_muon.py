"""Muon: whose updates they are, and that they are orthogonal."""

import torch

from core.model.transformer import MusicTransformer
from core.training.run.muon import Muon, make_optimisers, orthogonalise
from tests.core.training.tunes import TINY, TINY_RECIPE


def test_muon_makes_updates_orthogonal_and_takes_hidden_matrices() -> None:
    torch.manual_seed(0)
    for shape in ((3, 16, 40), (3, 40, 16)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert values.min() > 0.3
        assert values.max() < 1.4
    model = MusicTransformer(TINY)
    muon, adam = make_optimisers(model, TINY_RECIPE, torch.float32)
    assert isinstance(muon, Muon)
    held = {id(p) for o in (muon, adam) for g in o.param_groups for p in g["params"]}
    assert held == {id(p) for p in model.parameters()}
    assert {p.ndim for p in muon.param_groups[0]["params"]} == {2}
    assert len(muon.param_groups[0]["params"]) == 4 * TINY.n_layer
