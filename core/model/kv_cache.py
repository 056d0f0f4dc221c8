"""The keys and values of the events read so far, preallocated for a whole window, and attention to them.

`KVCache` leaves attention to PyTorch. `TableCache` is for one event at a time on a CPU, where reading the cache
takes much of the time. With one query, attention is two weighted sums of a table's rows: of scores, weighted by
the query, if keys lie transposed; then of values, weighted by probabilities. PyTorch has such sums for word
embeddings (`embedding_bag`, on x86 FBGEMM's). They read a table of 16-bit numbers as fast as memory gives it,
which its products of a matrix and a vector do not; and each sum is one thread's work, so that it is the same,
to the last bit, on any number of threads.
"""

import weakref

import torch
import torch.nn.functional as F
from torch import Tensor

PAGE = 128  # places whose keys lie together in a TableCache


class KVCache:
    """Keys and values of every layer, (n_layer, B, H, window, D); the first `length` places are filled."""

    def __init__(self, n_layer: int, shape: tuple[int, int, int, int], *, dtype: torch.dtype, device: torch.device):
        values = torch.empty((n_layer, *shape), dtype=dtype, device=device)
        self._hold(self._empty_keys(values), values, 0)

    def _empty_keys(self, values: Tensor) -> Tensor:
        return torch.empty_like(values)

    def _hold(self, keys: Tensor, values: Tensor, length: int) -> None:
        self.keys, self.values, self.length = keys, values, length
        self._branch: weakref.ref[KVCache] | None = None

    @property
    def batch(self) -> int:
        """Number of sequences."""
        return self.values.shape[1]

    @property
    def window(self) -> int:
        """Number of places."""
        return self.values.shape[3]

    def grow(self, places: int) -> None:
        """Count `places` more as filled; `attend` has then to fill them in every layer."""
        start, end = self.length, self.length + places
        # All layers' views at once: for one event, making them is a good part of the work.
        self._new_values = self.values.narrow(3, start, places).unbind(0)
        self._past_values = self.values.narrow(3, 0, end).unbind(0)
        self._new_keys = self.keys.narrow(3, start, places).unbind(0)
        self._past_keys = self.keys.narrow(3, 0, end).unbind(0)
        self.length = end

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Fill a layer's new places with k and v; what the queries find there and before; all (B, H, places, D).

        `mask` (places, length) tells which places each query sees; None: all.
        """
        self._new_keys[layer].copy_(k)
        self._new_values[layer].copy_(v)
        return F.scaled_dot_product_attention(q, self._past_keys[layer], self._past_values[layer], attn_mask=mask)

    def branch(self) -> "KVCache":
        """A cache that goes on from here while this one stays as it is.

        It writes into the free places of the same memory, which takes no time, or while another branch that does
        so is in use, into a copy.
        """
        if self._branch is not None and self._branch() is not None:
            return self.rows(list(range(self.batch)))
        branch = self._of(self.keys, self.values)
        self._branch = weakref.ref(branch)
        return branch

    def rows(self, indices: list[int]) -> "KVCache":
        """A cache of its own with these sequences, in this order; [0, 0, 0] makes three of one."""
        keys = self._rows(self.keys, indices, self._filled_of_keys())
        return self._of(keys, self._rows(self.values, indices, self.length))

    def _filled_of_keys(self) -> int:
        return self.length

    def _of(self, keys: Tensor, values: Tensor) -> "KVCache":
        cache = object.__new__(type(self))
        cache._hold(keys, values, self.length)
        return cache

    @staticmethod
    def _rows(tensor: Tensor, indices: list[int], filled: int) -> Tensor:
        copy = tensor.new_empty((tensor.shape[0], len(indices), *tensor.shape[2:]))
        for row, index in enumerate(indices):
            copy[:, row, :, :filled] = tensor[:, index, :, :filled]
        return copy


class TableCache(KVCache):
    """The same laid out for decoding, on a CPU alone: keys in pages, each transposed, (n_layer, B, H, pages, D, PAGE).

    For one event, scores and probabilities are of the cache's type, too.
    """

    def _empty_keys(self, values: Tensor) -> Tensor:
        n_layer, b, h, window, d = values.shape
        return values.new_empty((n_layer, b, h, _pages(window), d, PAGE))

    def _filled_of_keys(self) -> int:
        return _pages(self.length)

    def _hold(self, keys: Tensor, values: Tensor, length: int) -> None:
        super()._hold(keys, values, length)
        self._key_tables = keys.view(len(keys), -1, PAGE).unbind(0)
        self._value_tables = values.view(len(values), -1, values.shape[-1]).unbind(0)

    def grow(self, places: int) -> None:
        """Count `places` more as filled; `attend` has then to fill them in every layer."""
        start = self.length
        self._new_values = self.values.narrow(3, start, places).unbind(0)
        self.length += places
        if places > 1:
            self._past_values = self.values.narrow(3, 0, self.length).unbind(0)
            self._past_keys = self.keys.narrow(3, 0, _pages(self.length)).unbind(0)
            return
        _, b, h, pages, d, _ = self.keys.shape
        self._new_keys = self.keys.select(3, start // PAGE).select(-1, start % PAGE).unbind(0)
        self._pages_used = _pages(self.length)
        self._key_rows, self._key_bags = _bags(b * h, pages * d, self._pages_used * d, d)
        self._value_rows, self._value_bags = _bags(b * h, self.window, self.length, self.length)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Fill a layer's new places with k and v; what the queries find there and before; all (B, H, places, D).

        `mask` (places, length) tells which places each query sees; None: all.
        """
        b, h, t, d = q.shape
        self._new_values[layer].copy_(v)
        if t > 1:
            keys, values = self._past_keys[layer], self._past_values[layer]
            self._fill_pages(keys, k)
            keys = keys.transpose(-1, -2).flatten(2, 3).narrow(2, 0, self.length)
            return F.scaled_dot_product_attention(q, keys.to(q.dtype), values.to(q.dtype), attn_mask=mask)
        self._new_keys[layer].copy_(k.squeeze(2))
        query = (q * d**-0.5).to(self.keys.dtype).expand(b, h, self._pages_used, d)  # every page's rows, by the same
        scores = F.embedding_bag(
            self._key_rows, self._key_tables[layer], self._key_bags, mode="sum", per_sample_weights=query.flatten()
        )  # (B * H * pages, PAGE)
        probabilities = scores.view(b * h, -1).narrow(1, 0, self.length).softmax(-1)
        y = F.embedding_bag(
            self._value_rows, self._value_tables[layer], self._value_bags,
            mode="sum", per_sample_weights=probabilities.flatten(),
        )  # (B * H, D)  # fmt: skip
        return y.view(b, h, 1, d).to(q.dtype)

    def _fill_pages(self, pages: Tensor, k: Tensor) -> None:
        """Write new keys (B, H, T, D) into the pages (B, H, pages, D, PAGE) in use."""
        start = self.length - k.shape[2]
        for page in range(start // PAGE, pages.shape[2]):
            first, end = max(start, page * PAGE), min(self.length, (page + 1) * PAGE)
            new = k[:, :, first - start : end - start].transpose(-1, -2)
            pages[:, :, page, :, first - page * PAGE : end - page * PAGE] = new


def _pages(places: int) -> int:
    return -(-places // PAGE)


def _bags(parts: int, size: int, used: int, bag: int) -> tuple[Tensor, Tensor]:
    """Of a table of `parts` times `size` rows, the first `used` of each part; and where each bag of them begins."""
    rows = torch.arange(0, parts * size, size, dtype=torch.int32)[:, None] + torch.arange(used, dtype=torch.int32)
    return rows.flatten(), torch.arange(0, parts * used, bag, dtype=torch.int32)
