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

MOST_INT8 = 4  # sequences: with more of them a CPU is bound by arithmetic, where float32 is as fast
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


class _Int8Linear(NamedTuple):
    """The same with each output's weights in 8 bits, times that output's scale; weight (out, in).

    A quarter of the memory to read for each event. Sums are exact, inputs and outputs rounded to bfloat16.
    """

    weight: Tensor
    scale: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""
        return torch.ops.aten._weight_int8pack_mm(x.bfloat16(), self.weight, self.scale) + self.bias

    @classmethod
    def of(cls, linear: _Linear) -> "_Int8Linear":
        """Round to the nearest of 255 levels per output."""
        weight = linear.weight.t()  # (out, in)
        scale = (weight.abs().amax(1) / 127).clamp_min(1e-12).bfloat16()
        levels = (weight / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
        return cls(levels.contiguous(), scale, linear.bias)


class _Layer(NamedTuple):
    """The weights of one block, in order of use."""

    ln_1: tuple[Tensor, Tensor]
    c_attn: _Linear | _Int8Linear
    attn_c_proj: _Linear | _Int8Linear
    ln_2: tuple[Tensor, Tensor]
    c_fc: _Linear | _Int8Linear
    mlp_c_proj: _Linear | _Int8Linear

    def in_int8(self) -> "_Layer":
        """The layer with its matrices in 8 bits."""
        return self._replace(
            **{name: _Int8Linear.of(part) for name, part in self._asdict().items() if isinstance(part, _Linear)}
        )


class Inference:
    """A trained network on a device, ready to sample from; holds its own copy of the weights, in float32.

    With `int8`, a CPU decodes with matrices in 8 bits, twice as fast and more; prompts are always read
    in float32. Without it, logits are the same however a sequence is split between the two.
    """

    def __init__(self, model: MusicTransformer, device: torch.device | str = "cpu", *, int8: bool = True) -> None:
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
        int8 = int8 and self.device.type == "cpu"
        self._decode_layers = [layer.in_int8() for layer in self._layers] if int8 else self._layers
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
        for i, layer in enumerate(self._decode_layers if t == 1 and b <= MOST_INT8 else self._layers):
            qkv = layer.c_attn(F.layer_norm(x, (c,), *layer.ln_1)).view(b, t, 3 * h, c // h).transpose(1, 2)
            qk, v = qkv[:, : 2 * h], qkv[:, 2 * h :]  # (B, 2H, T, D), (B, H, T, D)
            if self._wpe is None:
                qk = rotate(qk, cos, sin)
            keys, values = cache.update(i, qk[:, h:], v)  # (B, H, end, D)
            y = F.scaled_dot_product_attention(qk[:, :h], keys, values, attn_mask=mask)  # (B, H, T, D)
            x = x + layer.attn_c_proj(y.transpose(1, 2).reshape(b * t, c))
            hidden = F.gelu(layer.c_fc(F.layer_norm(x, (c,), *layer.ln_2)), approximate="tanh")
            x = x + layer.mlp_c_proj(hidden)
        cache.advance(t)
        last = F.layer_norm(x.view(b, t, c)[:, -1], (c,), *self._ln_f)
        return last @ self._lm_head
