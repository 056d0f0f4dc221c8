"""Muon: momentum, made orthogonal, for the hidden matrices of a network.

K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), with decoupled
weight decay. torch.optim.Muon always multiplies in bfloat16, which takes 30 times as long
on a CPU without instructions for it (17 s a step for the 6.5 M network on two EPYC cores); this one
takes the precision the run uses, does all matrices of one shape at once, and treats the three parts of
`c_attn` (queries, keys, values) as the three matrices they are.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from core.training.recipes import Recipe

# The quintic iteration of Jordan et al.: it carries every singular value into about 0.7 to 1.2.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5


def orthogonalise(matrices: Tensor) -> Tensor:
    """(N, R, C) matrices -> about the nearest ones with orthonormal rows or columns, by Newton-Schulz."""
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(Optimizer):
    """Muon for a list of (parameter, parts): a weight of `parts` matrices, one above the other."""

    def __init__(
        self,
        weights: Iterable[tuple[nn.Parameter, int]],
        lr: float,
        *,
        weight_decay: float,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        pairs = list(weights)
        super().__init__([p for p, _ in pairs], {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self._parts = [parts for _, parts in pairs]
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; every parameter must have a gradient. `closure` is not used."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
            for p, parts in zip(group["params"], self._parts, strict=True):
                state: dict[str, Any] = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                momentum = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(momentum, group["momentum"])  # Nesterov
                rows = p.shape[0] // parts
                for part in range(parts):
                    place = slice(part * rows, (part + 1) * rows)
                    by_shape.setdefault((rows, p.shape[1]), []).append((p[place], update[place]))
            for (rows, columns), pairs in by_shape.items():
                updates = orthogonalise(torch.stack([update for _, update in pairs]).to(self._dtype))
                scale = group["lr"] * math.sqrt(max(1.0, rows / columns))
                for (weight, _), update in zip(pairs, updates, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update.to(weight.dtype), alpha=scale)


def make_optimisers(model: nn.Module, recipe: Recipe, dtype: torch.dtype) -> list[Optimizer]:
    """The recipe's optimisers over all parameters; `dtype` is the precision of Muon's products."""
    if recipe.optimiser == "adam":
        return [Adam(model.parameters(), lr=recipe.lr)]
    hidden: list[tuple[nn.Parameter, int]] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if ".h." in name and parameter.ndim == 2:
            hidden.append((parameter, 3 if ".c_attn." in name else 1))
        else:
            rest.append(parameter)
    return [
        Muon(hidden, recipe.muon_lr, weight_decay=recipe.weight_decay, dtype=dtype),
        AdamW(rest, lr=recipe.lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]
