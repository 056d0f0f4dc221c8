"""The presets as plain values."""

import pytest

from core.model.transformer import ModelConfig
from core.training.recipes import RECIPES, Recipe


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: r.name)
def test_presets_are_whole(recipe: Recipe) -> None:
    ModelConfig.from_dict(recipe.config.as_dict())
    assert all(0 <= recipe.rate(p / 100) <= 1 for p in range(101))
    assert recipe.rate(0.5) == 1.0
