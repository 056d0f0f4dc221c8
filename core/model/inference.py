"""The network laid out for sampling: prefill a prompt, then decode one event at a time.

The arithmetic is `MusicTransformer.forward`; tests hold the two together. Decoding one event reads
every weight and the whole cache once, so on a CPU it is bound by memory: where the processor can multiply them so,
its matrices are rounded to 8 bits and the cache to 16, and no module call stands between. There every sum is exact or
one thread's work, so that logits are the same on any number of threads of one machine, and the number can be changed
as it suits. Sums of float32 come out otherwise on another number of threads (by 6e-6 with MKL on some processors), so
there events are decoded on one. Prompts are read with matrices in float32 on all threads: arithmetic is their bound.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.codec.vocabulary import VOCABULARY_SIZE
from core.model.cuda_graph import GraphDecoder, capture_on_card
from core.model.int8 import Int8Linear, Int8Ops
from core.model.kv_cache import KVCache, PagedKVCache
from core.model.thread_choice import ThreadChoice
from core.model.transformer import ModelConfig, MusicTransformer, rotate

MOST_THREADS = 4  # to decode on, in 8 bits
PREFILL_CHUNK = 256  # events between two looks at whether the prefill is still wanted


class Cancelled(Exception):
    """The prefill was no longer wanted."""


class _Linear(NamedTuple):
    """y = x @ weight + bias. A wide weight lies row by row, a tall one column by column."""

    weight: Tensor  # (in, out)
    bias: Tensor  # (out)

    def __call__(self, x: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""
        return torch.addmm(self.bias, x, self.weight)

    def add_to(self, sum_: Tensor, x: Tensor) -> None:
        """Add it to (N, out)."""
        sum_ += self(x)

    def in_int8(self) -> Int8Linear:
        """The same with the weight in 8 bits."""
        return Int8Linear.of(self.weight.t().contiguous(), self.bias)

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor) -> "_Linear":
        """Of a weight (out, in) and a bias (out)."""
        out, inputs = weight.shape
        return cls(weight.t().contiguous() if out >= inputs else weight.t(), bias)


class _Layer(NamedTuple):
    """The weights of one block, in order of use."""

    ln_1: tuple[Tensor, Tensor]
    c_attn: _Linear | Int8Linear
    attn_c_proj: _Linear | Int8Linear
    ln_2: tuple[Tensor, Tensor]
    c_fc: _Linear | Int8Linear
    mlp_c_proj: _Linear | Int8Linear


class _Matrices(NamedTuple):
    """All that is multiplied by: the blocks and the last linear layer."""

    layers: list[_Layer]
    lm_head: _Linear | Int8Linear

    def in_int8(self) -> "_Matrices":
        """The same in 8 bits."""

        def rounded(layer: _Layer) -> _Layer:
            parts = {name: part.in_int8() for name, part in layer._asdict().items() if isinstance(part, _Linear)}
            return layer._replace(**parts)

        assert isinstance(self.lm_head, _Linear)
        return _Matrices([rounded(layer) for layer in self.layers], self.lm_head.in_int8())


class Inference:
    """A trained network on a device, ready to sample from; holds its own copy of the weights, in float32.

    For one thread at a time. With `int8`, a CPU that can decodes with matrices in 8 bits and a cache in 16, two to
    three times as fast, on as many threads as prove faster; prompts are always read with matrices in float32.
    Without it, a CPU decodes on one thread, and logits are the same, but for rounding, however a sequence is split
    between the two. With `graphs`, an NVIDIA card decodes by CUDA graphs (see core.model.cuda_graph).
    """

    def __init__(
        self, model: MusicTransformer, device: torch.device | str = "cpu", *, int8: bool = True, graphs: bool = True
    ) -> None:
        self.config: ModelConfig = model.config
        self.device = torch.device(device)
        body = model.transformer

        def put(weight: Tensor) -> Tensor:
            return weight.detach().to(self.device, torch.float32)

        decodes_in_int8 = int8 and self.device.type == "cpu" and Int8Ops.is_there()
        self._most_threads = MOST_THREADS if decodes_in_int8 else 1

        def linear(layer: torch.nn.Linear, scale: Tensor | None = None) -> _Linear:
            weight = put(layer.weight)
            bias = torch.zeros(layer.out_features, device=self.device) if layer.bias is None else put(layer.bias)
            if scale is not None:
                weight, bias = weight * scale[:, None], bias * scale
            return _Linear.of(weight, bias)

        def norm(layer: torch.nn.LayerNorm) -> tuple[Tensor, Tensor]:
            return put(layer.weight), put(layer.bias)

        self._wte = put(body.wte.weight)
        self._wpe = put(body.wpe.weight) if self.config.position == "learned" else None
        self._cos, self._sin = put(model.cos), put(model.sin)
        c = self.config.n_embd
        queries_scaled = put(torch.ones(3 * c))
        queries_scaled[:c] = (c // self.config.n_head) ** -0.5
        layers = [
            _Layer(norm(b.ln_1), linear(b.attn.c_attn, queries_scaled), linear(b.attn.c_proj),  # type: ignore[arg-type]
                   norm(b.ln_2), linear(b.mlp.c_fc), linear(b.mlp.c_proj))  # type: ignore[arg-type]
            for b in body.h
        ]  # fmt: skip
        self._ln_f = norm(body.ln_f)
        # Symbols are read but never expected: no logits are theirs.
        head = put(model.lm_head.weight)[:VOCABULARY_SIZE].contiguous()
        self._matrices = _Matrices(layers, _Linear.of(head, torch.zeros(len(head), device=self.device)))
        self._decode_matrices = self._matrices
        if decodes_in_int8:
            self._decode_matrices = self._matrices.in_int8()
        self._graphs = GraphDecoder(partial(capture_on_card, device=self.device))
        self._decodes_by_graphs = graphs and self.device.type == "cuda"
        self._thread_choices: dict[tuple[int, int], ThreadChoice] = {}  # by batch and the most there may be

    @property
    def arithmetic(self) -> str:
        """What events are decoded in: "float32", or "int8" for matrices in 8 bits."""
        return "float32" if self._decode_matrices is self._matrices else "int8"

    @property
    def _cache_dtype(self) -> torch.dtype:
        return torch.float16 if self.arithmetic == "int8" else torch.float32

    @property
    def cache_bytes(self) -> int:
        """What the keys and values of one sequence take."""
        return 2 * self.config.n_layer * self.config.block_size * self.config.n_embd * self._cache_dtype.itemsize

    def new_cache(self, batch: int = 1) -> KVCache:
        """An empty cache for `batch` sequences of up to block_size events."""
        c = self.config
        shape = (batch, c.n_head, c.block_size, c.n_embd // c.n_head)
        kind = PagedKVCache if self.arithmetic == "int8" else KVCache
        return kind(c.n_layer, shape, dtype=self._cache_dtype, device=self.device)

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
            logits = self._read(chunk, cache)
        return logits

    @torch.inference_mode()
    def read(self, events: Sequence[int], cache: KVCache) -> Tensor:
        """Read T more events of one sequence into its cache: logits (T, vocab) after each, as decoding gives them."""
        ids = torch.tensor([events], dtype=torch.long, device=self.device)
        x = self._read_all(ids, cache, self._decode_matrices)
        return self._decode_matrices.lm_head(torch.layer_norm(x, x.shape[1:], *self._ln_f))

    @torch.inference_mode()
    def decode_one(self, events: Sequence[int], cache: KVCache) -> Tensor:
        """Read one more event of each sequence: (B) ids -> logits (B, vocab)."""
        if self._decodes_by_graphs:
            decoded = self._graphs.decode_one(events, cache, self._decode_static)
            if decoded is not None:
                return decoded
        ids = torch.tensor(events, dtype=torch.long, device=self.device)
        if self.device.type != "cpu":
            return self._decode(ids, cache)
        threads = torch.get_num_threads()
        most = min(self._most_threads, threads)
        if (len(events), most) not in self._thread_choices:
            self._thread_choices[len(events), most] = ThreadChoice(most)
        choice = self._thread_choices[len(events), most]
        try:
            torch.set_num_threads(choice.threads)
            started = time.perf_counter()
            logits = self._decode(ids, cache)
            choice.record(time.perf_counter() - started)
            return logits
        finally:
            torch.set_num_threads(threads)

    def _read(self, ids: Tensor, cache: KVCache) -> Tensor:
        """(B, T) ids -> (B, vocab) logits after the last of them."""
        x = self._read_all(ids, cache, self._matrices)
        last = torch.layer_norm(x.view(*ids.shape, -1)[:, -1], x.shape[1:], *self._ln_f)
        return self._matrices.lm_head(last)

    def _read_all(self, ids: Tensor, cache: KVCache, matrices: _Matrices) -> Tensor:
        """(B, T) ids -> (B * T, C), what the layers make of each."""
        b, t = ids.shape
        h, c = self.config.n_head, self.config.n_embd
        start, end = cache.length, cache.length + t
        x = F.embedding(ids, self._wte)  # (B, T, C)
        if self._wpe is not None:
            x = x + self._wpe[start:end]
        x = x.view(b * t, c)
        cos, sin = self._cos[start:end], self._sin[start:end]  # (T, D)
        # A query at place p of this chunk sees all places up to start + p.
        mask = torch.ones(t, end, dtype=torch.bool, device=self.device).tril(start)
        cache.grow(t)
        for number, layer in enumerate(matrices.layers):
            qkv = layer.c_attn(torch.layer_norm(x, (c,), *layer.ln_1)).view(b, t, 3, h, c // h).permute(2, 0, 3, 1, 4)
            q, k, v = qkv.unbind(0)  # (B, H, T, D)
            if self._wpe is None:
                q, k = rotate(qkv[:2], cos, sin).unbind(0)
            y = cache.attend(number, q, k, v, mask)  # (B, H, T, D)
            self._finish(layer, x, y.transpose(1, 2).reshape(b * t, c))
        return x

    def _decode(self, ids: Tensor, cache: KVCache) -> Tensor:
        """(B) ids -> (B, vocab) logits: the same for one event, where each operation's overhead counts."""
        b = len(ids)
        h, c = self.config.n_head, self.config.n_embd
        place = cache.length
        x = F.embedding(ids, self._wte)  # (B, C)
        if self._wpe is not None:
            x = x + self._wpe[place]
        cos, sin = self._cos[place], self._sin[place]  # (D)
        cache.grow_one()
        for number, layer in enumerate(self._decode_matrices.layers):
            qkv = layer.c_attn(torch.layer_norm(x, (c,), *layer.ln_1)).view(b, 3, h, c // h)
            q, k, v = qkv.unbind(1)  # (B, H, D)
            if self._wpe is None:
                q, k = rotate(qkv[:, :2], cos, sin).unbind(1)
            self._finish(layer, x, cache.attend_one(number, q, k, v).reshape(b, c))
        last = torch.layer_norm(x, (c,), *self._ln_f)
        return self._decode_matrices.lm_head(last)

    def _decode_static(self, ids: Tensor, place: Tensor, cache: KVCache) -> Tensor:
        """(B) ids at their place (1) -> (B, vocab) logits: the same by the same kernels whatever the place is."""
        b = len(ids)
        h, c = self.config.n_head, self.config.n_embd
        x = F.embedding(ids, self._wte)  # (B, C)
        if self._wpe is not None:
            x = x + self._wpe.index_select(0, place)
        cos, sin = self._cos.index_select(0, place), self._sin.index_select(0, place)  # (1, D)
        unseen = torch.zeros(cache.window, device=self.device)
        unseen.masked_fill_(torch.arange(cache.window, device=self.device) > place, -torch.inf)
        for number, layer in enumerate(self._decode_matrices.layers):
            qkv = layer.c_attn(torch.layer_norm(x, (c,), *layer.ln_1)).view(b, 3, h, c // h)
            q, k, v = qkv.unbind(1)  # (B, H, D)
            if self._wpe is None:
                q, k = rotate(qkv[:, :2], cos, sin).unbind(1)
            self._finish(layer, x, cache.attend_static(number, q, k, v, place, unseen).reshape(b, c))
        last = torch.layer_norm(x, (c,), *self._ln_f)
        return self._decode_matrices.lm_head(last)

    def _finish(self, layer: _Layer, x: Tensor, y: Tensor) -> None:
        """Add to the residual stream x (N, C) what a layer's attention found, y (N, C), and its MLP's answer."""
        layer.attn_c_proj.add_to(x, y)
        hidden = F.gelu(layer.c_fc(torch.layer_norm(x, x.shape[1:], *layer.ln_2)), approximate="tanh")
        layer.mlp_c_proj.add_to(x, hidden)
