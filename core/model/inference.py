"""The network laid out for sampling: prefill a prompt, then decode one event at a time.

The arithmetic is `MusicTransformer.forward`; tests hold the two together. Decoding one event reads
every weight once, so on a CPU it is bound by memory, which one core saturates: it runs on one thread
(a second gains nothing and, when another program wants that core, waits for it in every operation),
each matrix lies the way in which the BLAS streams it fastest, and no module call stands between.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.model.kv_cache import KVCache
from core.model.transformer import ModelConfig, MusicTransformer, rotate

PREFILL_CHUNK = 256  # events between two looks at whether the prefill is still wanted


class Cancelled(Exception):
    """The prefill was no longer wanted."""


class _Linear(NamedTuple):
    """y = x @ weight + bias; weight (in, out). A wide one lies row by row, a tall one column by column."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""
        return torch.addmm(self.bias, x, self.weight)


class _Layer(NamedTuple):
    """The weights of one block, in order of use."""

    ln_1: tuple[Tensor, Tensor]
    c_attn: _Linear
    attn_c_proj: _Linear
    ln_2: tuple[Tensor, Tensor]
    c_fc: _Linear
    mlp_c_proj: _Linear


class Inference:
    """A trained network on a device, ready to sample from. Holds its own copy of the weights, in float32."""

    def __init__(self, model: MusicTransformer, device: torch.device | str = "cpu") -> None:
        self.config: ModelConfig = model.config
        self.device = torch.device(device)
        body = model.transformer

        def put(weight: Tensor) -> Tensor:
            return weight.detach().to(self.device, torch.float32)

        def linear(layer: torch.nn.Linear) -> _Linear:
            weight = put(layer.weight).t()  # (in, out)
            return _Linear(weight.contiguous() if layer.out_features >= layer.in_features else weight, put(layer.bias))

        def norm(layer: torch.nn.LayerNorm) -> tuple[Tensor, Tensor]:
            return put(layer.weight), put(layer.bias)

        self._wte = put(body.wte.weight)
        self._wpe = put(body.wpe.weight) if self.config.position == "learned" else None
        self._cos, self._sin = put(model.cos), put(model.sin)
        self._layers = [
            _Layer(norm(b.ln_1), linear(b.attn.c_attn), linear(b.attn.c_proj),  # type: ignore[arg-type]
                   norm(b.ln_2), linear(b.mlp.c_fc), linear(b.mlp.c_proj))  # type: ignore[arg-type]
            for b in body.h
        ]  # fmt: skip
        self._ln_f = norm(body.ln_f)
        self._lm_head = put(model.lm_head.weight).t().contiguous()  # (C, vocab)

    def new_cache(self, batch: int = 1) -> KVCache:
        """An empty cache for `batch` sequences of up to block_size events."""
        c = self.config
        shape = (batch, c.n_head, c.block_size, c.n_embd // c.n_head)
        return KVCache(c.n_layer, shape, dtype=torch.float32, device=self.device)

    @torch.inference_mode()
    def prefill(
        self,
        sequences: Sequence[Sequence[int]],
        cache: KVCache,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Tensor:
        """Read B sequences of T events each into the cache; logits (B, vocab) after the last.

        Raises Cancelled, the cache then being half filled, when `cancelled()` turns true on the way.
        """
        ids = torch.tensor(sequences, dtype=torch.long, device=self.device)  # (B, T)
        logits = torch.empty(0)
        for chunk in ids.split(PREFILL_CHUNK, dim=1):
            if cancelled():
                raise Cancelled
            logits = self._forward(chunk, cache)
        return logits

    @torch.inference_mode()
    def decode_one(self, events: Sequence[int], cache: KVCache) -> Tensor:
        """Read one more event of each sequence: (B) ids -> logits (B, vocab)."""
        ids = torch.tensor(events, dtype=torch.long, device=self.device)[:, None]
        if self.device.type != "cpu":
            return self._forward(ids, cache)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return self._forward(ids, cache)
        finally:
            torch.set_num_threads(threads)

    def _forward(self, ids: Tensor, cache: KVCache) -> Tensor:
        """(B, T) ids -> (B, vocab) logits after the last of them."""
        b, t = ids.shape
        h, c = self.config.n_head, self.config.n_embd
        start, end = cache.length, cache.length + t
        x = F.embedding(ids, self._wte)  # (B, T, C)
        if self._wpe is not None:
            x = x + self._wpe[start:end]
        x = x.view(b * t, c)
        cos, sin = self._cos[start:end], self._sin[start:end]  # (T, D)
        # A query at place p of this chunk sees all places up to start + p.
        mask = None if t == 1 else torch.ones(t, end, dtype=torch.bool, device=self.device).tril(start)
        for i, layer in enumerate(self._layers):
            qkv = layer.c_attn(F.layer_norm(x, (c,), *layer.ln_1)).view(b, t, 3 * h, c // h).transpose(1, 2)
            qk, v = qkv[:, : 2 * h], qkv[:, 2 * h :]  # (B, 2H, T, D), (B, H, T, D)
            if self._wpe is None:
                qk = rotate(qk, cos, sin)
            keys, values = cache.update(i, qk[:, h:], v)  # (B, H, end, D)
            y = _attend(qk[:, :h], keys, values, mask)
            x = x + layer.attn_c_proj(y.transpose(1, 2).reshape(b * t, c))
            hidden = F.gelu(layer.c_fc(F.layer_norm(x, (c,), *layer.ln_2)), approximate="tanh")
            x = x + layer.mlp_c_proj(hidden)
        cache.advance(t)
        last = F.layer_norm(x.view(b, t, c)[:, -1], (c,), *self._ln_f)
        return last @ self._lm_head


def _attend(q: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """(B, H, T, D) queries over (B, H, end, D) keys and values -> (B, H, T, D)."""
    b, h, t, d = q.shape
    if t > 1 or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
    # One query on one CPU thread: two batched products are faster than the fused kernel.
    weights = torch.bmm(q.reshape(b * h, 1, d), keys.view(b * h, -1, d).transpose(1, 2)).mul_(d**-0.5)
    return torch.bmm(weights.softmax(-1), values.view(b * h, -1, d)).view(b, h, 1, d)
