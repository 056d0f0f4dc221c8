"""The keys and values of the events read so far, preallocated for a whole window, and attention to them.

`KVCache` leaves attention to PyTorch. `PagedKVCache` is for one event at a time on a CPU, where reading the cache
takes much of the time. With one query, attention is two weighted sums of a table's rows: of scores, weighted by
the query, if keys lie transposed; then of values, weighted by probabilities. `Int8Ops.weighted_sums` has them.
"""

import weakref

import torch
import torch.nn.functional as F
from torch import Tensor

from core.model.int8 import Int8Ops

PAGE_SIZE = 128  # places whose keys lie together in a PagedKVCache


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
        """Count `places` more as filled; `attend` has then to fill them in every layer.

        Raises IndexError when there are not so many.
        """
        if self.length + places > self.window:
            raise IndexError(f"{places} more places in a window of {self.window}, {self.length} of them filled")
        self.length += places

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        """Fill a layer's new places with k and v; what the queries find there and before; all (B, H, places, D).

        Queries are scaled already. `mask` (places, length) tells which places each of them sees.
        """
        end = self.length
        start = end - q.shape[2]
        self.keys[layer, :, :, start:end] = k
        self.values[layer, :, :, start:end] = v
        keys, values = self.keys[layer, :, :, :end], self.values[layer, :, :, :end]
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=1.0)

    def grow_one(self) -> None:
        """Count one place more as filled; `attend_one` has then to fill it in every layer.

        Raises IndexError when there is none.
        """
        # All layers' views at once: making them is a good part of the work.
        self._new_values = self.values.select(3, self.length).unbind(0)
        self._new_keys = self.keys.select(3, self.length).unbind(0)
        self.length += 1
        self._past_values = self.values.narrow(3, 0, self.length).unbind(0)
        self._past_keys = self.keys.narrow(3, 0, self.length).unbind(0)

    def attend_one(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Fill a layer's new place with k and v; what the queries find there and before; all (B, H, D).

        Queries are scaled already.
        """
        self._new_keys[layer].copy_(k)
        self._new_values[layer].copy_(v)
        keys, values = self._past_keys[layer], self._past_values[layer]
        return F.scaled_dot_product_attention(q.unsqueeze(2), keys, values, scale=1.0).squeeze(2)

    def attend_static(self, layer: int, q: Tensor, k: Tensor, v: Tensor, place: Tensor, unseen: Tensor) -> Tensor:
        """`attend_one` by the same kernels whatever the `place` (1) of k and v; these, q and the answer are (B, H, D).

        `unseen` (window) is 0 at the places that the queries see, and minus infinity elsewhere.
        """
        b, h, d = q.shape
        for table, new in ((self.keys[layer], k), (self.values[layer], v)):
            table.index_copy_(2, place, new.unsqueeze(2))
        keys, values = self.keys[layer].view(b * h, -1, d), self.values[layer].view(b * h, -1, d)
        scores = torch.baddbmm(unseen.expand(b * h, 1, -1), q.reshape(b * h, 1, d), keys.transpose(1, 2))
        return torch.bmm(scores.softmax(-1), values).view(b, h, d)

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
        return self._of(self._rows(self.keys, indices), self._rows(self.values, indices))

    def part(self, indices: list[int]) -> "KVCache":
        """A cache that goes on with some of these sequences, each once, which are then over here."""
        return self.rows(indices)

    def _of(self, keys: Tensor, values: Tensor) -> "KVCache":
        cache = object.__new__(type(self))
        cache._hold(keys, values, self.length)
        return cache

    def _rows(self, tensor: Tensor, indices: list[int]) -> Tensor:
        copy = tensor.new_empty((tensor.shape[0], len(indices), *tensor.shape[2:]))
        for row, index in enumerate(indices):
            copy[:, row, :, : self.length] = tensor[:, index, :, : self.length]
        return copy


class PagedKVCache(KVCache):
    """The same laid out for decoding, on a CPU alone: keys lie in pages, each transposed.

    `keys` is (n_layer, R, H, pages, D, PAGE_SIZE). For one event, scores and probabilities are of the cache's type.
    Each sequence is written into one of R rows of memory. A full page that several sequences have alike, as those of
    one prompt do, lies in one row alone, so that it is read from memory once for all (Kwon et al., Efficient Memory
    Management for Large Language Model Serving with PagedAttention, 2023).
    """

    def _empty_keys(self, values: Tensor) -> Tensor:
        n_layer, rows, h, window, d = values.shape
        return values.new_empty((n_layer, rows, h, _pages(window), d, PAGE_SIZE))

    def _hold(self, keys: Tensor, values: Tensor, length: int) -> None:
        super()._hold(keys, values, length)
        self._key_tables = keys.view(len(keys), -1, PAGE_SIZE).unbind(0)
        self._value_tables = values.view(len(values), -1, values.shape[-1]).unbind(0)
        rows = torch.arange(keys.shape[1])
        self._place(rows, rows[:, None].repeat(1, keys.shape[3]))

    def _place(self, own: Tensor, pages: Tensor) -> None:
        """Write sequences into their `own` rows (B), and read them where their `pages` (B, pages) are, in rows too."""
        self._own, self._pages = own, pages
        self._writes_all = own.equal(torch.arange(self.keys.shape[1]))
        h, window = self.values.shape[2:4]
        places = torch.arange(window)
        parts = pages[:, None, places // PAGE_SIZE] * h + torch.arange(h)[:, None]  # (B, H, window)
        self._all_value_rows = (parts * window + places).to(torch.int32).view(-1, window)
        self._pages_used = 0  # in the last event's attention

    def _of(self, keys: Tensor, values: Tensor) -> "PagedKVCache":
        cache = super()._of(keys, values)
        assert isinstance(cache, PagedKVCache)
        if keys is self.keys:
            cache._place(self._own, self._pages)
        return cache

    @property
    def batch(self) -> int:
        """Number of sequences."""
        return len(self._own)

    def rows(self, indices: list[int]) -> "PagedKVCache":
        """A cache of its own with these sequences, in this order; [0, 0, 0] makes three of one."""
        keys, values = (
            tensor.new_empty((tensor.shape[0], len(indices), *tensor.shape[2:])) for tensor in (self.keys, self.values)
        )
        cache = self._of(keys, values)
        before, pages = self._pages.tolist(), cache._pages.clone()
        copied: dict[tuple[int, int], int] = {}  # the rows into which full pages went, by their old rows and numbers
        for row, index in enumerate(indices):
            for page in range(_pages(self.length)):
                source, first, end = before[index][page], page * PAGE_SIZE, min((page + 1) * PAGE_SIZE, self.length)
                is_full = end - first == PAGE_SIZE
                pages[row, page] = copied.setdefault((source, page), row) if is_full else row
                if pages[row, page] == row:
                    keys[:, row, :, page] = self.keys[:, source, :, page]
                    values[:, row, :, first:end] = self.values[:, source, :, first:end]
        cache._place(cache._own, pages)
        return cache

    def part(self, indices: list[int]) -> "PagedKVCache":
        """A cache that goes on with some of these sequences, each once, which are then over here; it takes no time."""
        cache = self._of(self.keys, self.values)
        cache._place(self._own[indices], self._pages[indices])
        return cache

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        """Fill a layer's new places with k and v; what the queries find there and before; all (B, H, places, D).

        Queries are scaled already. `mask` (places, length) tells which places each of them sees.
        """
        b, h, t, d = q.shape
        start, end = self.length - t, self.length
        self.values[layer, self._own, :, start:end] = v.to(self.values.dtype)
        for page in range(start // PAGE_SIZE, _pages(end)):
            first, last = max(start, page * PAGE_SIZE), min(end, (page + 1) * PAGE_SIZE)
            new = k[:, :, first - start : last - start].transpose(-1, -2).to(self.keys.dtype)
            self.keys[layer, self._own, :, page, :, first - page * PAGE_SIZE : last - page * PAGE_SIZE] = new
        keys = self._key_tables[layer][self._rows_of_keys(_pages(end))]  # (B * H * pages * D, PAGE_SIZE)
        keys = keys.view(b, h, -1, d, PAGE_SIZE).transpose(-1, -2).flatten(2, 3)[:, :, :end].to(q.dtype)
        values = self._value_tables[layer][self._all_value_rows[:, :end]].view(b, h, end, d).to(q.dtype)
        return F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=1.0)

    def _rows_of_keys(self, used: int) -> Tensor:
        """Which rows of the keys' tables the sequences have in their first pages, (B * H * used * D)."""
        h, pages, d = self.keys.shape[2:5]
        parts = self._pages[:, None, :used] * h + torch.arange(h)[:, None]  # (B, H, used)
        rows = (parts * pages + torch.arange(used))[..., None] * d + torch.arange(d)
        return rows.to(torch.int32).flatten()

    def grow_one(self) -> None:
        """Count one place more as filled; `attend_one` has then to fill it in every layer."""
        page, place = divmod(self.length, PAGE_SIZE)
        self._new_values = self.values.select(3, self.length).unbind(0)
        self._new_keys = self.keys.select(3, page).select(-1, place).unbind(0)
        self.length += 1
        self._use_pages(page + 1)
        parts = len(self._all_value_rows)
        self._value_rows = self._all_value_rows.narrow(1, 0, self.length).flatten()
        self._value_bags = torch.arange(0, parts * self.length, self.length, dtype=torch.int32)

    def _use_pages(self, used: int) -> None:
        """Which rows of the keys' tables are summed, page by page, and room for the weights that they have."""
        if self._pages_used == used:
            return
        self._pages_used = used
        h, _, d, _ = self.keys.shape[2:]
        self._key_rows = self._rows_of_keys(used)
        self._key_bags = torch.arange(0, len(self._key_rows), d, dtype=torch.int32)
        self._queries = self.keys.new_empty(self.batch, h, used, d)

    def attend_one(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Fill a layer's new place with k and v; what the queries find there and before; all (B, H, D).

        Queries are scaled already.
        """
        b, h, d = q.shape
        if self._writes_all:
            self._new_keys[layer].copy_(k)
            self._new_values[layer].copy_(v)
        else:
            self._new_keys[layer][self._own] = k.to(self.keys.dtype)
            self._new_values[layer][self._own] = v.to(self.values.dtype)
        self._queries.copy_(q.unsqueeze(2))  # every page's rows are weighted by the same
        keys, values = self._key_tables[layer], self._value_tables[layer]
        scores = Int8Ops.weighted_sums(keys, self._key_rows, self._key_bags, self._queries)
        scores = scores.view(b * h, -1).narrow(1, 0, self.length)  # the last page's unfilled places left out
        y = Int8Ops.weighted_sums(values, self._value_rows, self._value_bags, scores.softmax(-1))  # (B * H, D)
        return y.view(b, h, d).to(q.dtype)


def _pages(places: int) -> int:
    return -(-places // PAGE_SIZE)
