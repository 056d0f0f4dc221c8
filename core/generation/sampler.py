"""Logits -> one event.

Filters in the usual order: temperature, top-k (Fan et al. 2018), nucleus or top-p (Holtzman et al.
2020), min-p (Nguyen et al. 2024). In numpy and float64, so that equal logits and one random number
give one event on every machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sampling:
    """How freely events are drawn. `top_k` 0, `top_p` 1 and `min_p` 0 leave that filter out.

    `key_strength`, in nats, is how much less likely notes outside the prompt's key become; 0: no less.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.98
    min_p: float = 0.0
    key_strength: float = 0.7

    def __post_init__(self) -> None:
        """Raises UsageError for a value out of its range."""
        if not 0 <= self.temperature <= 10:
            raise UsageError(f"The temperature must lie between 0 and 10, not {self.temperature:g}.")
        if self.top_k < 0:
            raise UsageError(f"top-k must be 0 (off) or more, not {self.top_k}.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p must be over 0 and at most 1, not {self.top_p:g}.")
        if not 0 <= self.min_p < 1:
            raise UsageError(f"min-p must be at least 0 and under 1, not {self.min_p:g}.")
        if not 0 <= self.key_strength <= 20:
            raise UsageError(f"The key strength must lie between 0 and 20, not {self.key_strength:g}.")


def probabilities(logits: NDArray[np.floating], allowed: NDArray[np.bool_], params: Sampling) -> NDArray[np.float64]:
    """Probabilities of all events, (vocab) -> (vocab); 0 where not `allowed` or filtered out.

    At temperature 0 the likeliest allowed event has them all. At least one event must be allowed.
    """
    masked = np.where(allowed, logits, -np.inf).astype(np.float64)
    best = int(masked.argmax())
    if params.temperature == 0:
        certain = np.zeros_like(masked)
        certain[best] = 1.0
        return certain
    p = np.exp((masked - masked[best]) / params.temperature)
    if 0 < params.top_k < p.size:
        p[np.argsort(-p, kind="stable")[params.top_k :]] = 0.0
    p /= p.sum()
    if params.top_p < 1:
        order = np.argsort(-p, kind="stable")
        kept = int(np.searchsorted(np.cumsum(p[order]), params.top_p)) + 1  # those that reach top_p together
        p[order[kept:]] = 0.0
    if params.min_p > 0:
        p[p < params.min_p * p[best]] = 0.0
    return p / p.sum()


def sample(logits: NDArray[np.floating], allowed: NDArray[np.bool_], params: Sampling, chance: float) -> int:
    """One event, drawn by `chance`, a uniform random number in [0, 1)."""
    cumulative = np.cumsum(probabilities(logits, allowed, params))
    return int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))
