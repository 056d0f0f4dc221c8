"""Sampling as Liu's book does it (ch. 14, `sample()` and the network that it calls), for `bench` to compare with.

As published: nothing is kept from one event to the next; attention computes and masks all pairs of places; gradients
are made ready for; the distribution of every place is computed, and the last place's drawn from.
"""

import math
import time
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor

from core.codec.vocabulary import BOUNDARY, PADDING
from core.model.transformer import Block, CausalSelfAttention, MusicTransformer


class PublishedNetwork:
    """The book's forward pass over the weights of a network with learned positions."""

    def __init__(self, network: MusicTransformer) -> None:
        self._network = network
        window, self.device = network.config.block_size, network.lm_head.weight.device
        self._seen = torch.ones(window, window, device=self.device).tril()  # 1 where a row's place sees a column's

    def __call__(self, events: Tensor) -> Tensor:
        """(B, T) ids -> (B, T, vocab) logits."""
        body = self._network.transformer
        x = body.wte(events) + body.wpe(torch.arange(events.shape[1], device=self.device))  # (B, T, C)
        for block in cast(Iterable[Block], body.h):
            x = x + self._attention(block.attn, block.ln_1(x))
            hidden = block.mlp.c_fc(block.ln_2(x))
            inner = math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden.pow(3))  # GELU in its tanh form
            x = x + block.mlp.c_proj(0.5 * hidden * (1 + inner.tanh()))
        return self._network.lm_head(body.ln_f(x))

    def _attention(self, layer: CausalSelfAttention, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        b, t, c = x.shape
        heads = (part.view(b, t, layer.n_head, -1).transpose(1, 2) for part in layer.c_attn(x).split(c, dim=2))
        q, k, v = heads  # (B, H, T, D)
        scores = q @ k.transpose(2, 3) * (1 / math.sqrt(q.shape[-1]))
        scores = scores.masked_fill(self._seen[:t, :t] == 0, -math.inf).softmax(-1)
        return layer.c_proj((scores @ v).transpose(1, 2).reshape(b, t, c))


def loop_events_per_second(network: MusicTransformer, first: int, last: int) -> float:
    """Events sampled per second, from event `first` to event `last`, after a prompt of random events."""
    published = PublishedNetwork(network)
    torch.manual_seed(0)
    sequence = torch.full((1, last), PADDING, device=published.device)
    sequence[0, :first] = torch.randint(0, BOUNDARY, (first,))
    started = time.perf_counter()
    for length in range(first, last):
        probabilities = published(sequence[:, :length]).softmax(-1)[..., :BOUNDARY]
        sequence[0, length] = torch.distributions.Categorical(probs=probabilities[:, length - 1]).sample()
    return (last - first) / (time.perf_counter() - started)
