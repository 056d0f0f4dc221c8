"""The keys and values of the events read so far, preallocated for a whole window."""

import weakref
from typing import NamedTuple

import torch
from torch import Tensor


class Past(NamedTuple):
    """One layer's places in the cache: those to be written now, and all up to and with them; (B, H, places, D)."""

    new_keys: Tensor
    new_values: Tensor
    keys: Tensor
    values: Tensor


class KVCache:
    """Keys and values of every layer, (n_layer, B, H, window, D); the first `length` places are filled."""

    def __init__(self, n_layer: int, shape: tuple[int, int, int, int], *, dtype: torch.dtype, device: torch.device):
        self.keys = torch.empty((n_layer, *shape), dtype=dtype, device=device)
        self.values = torch.empty_like(self.keys)
        self.length = 0
        self._branch: weakref.ref[KVCache] | None = None

    @property
    def batch(self) -> int:
        """Number of sequences."""
        return self.keys.shape[1]

    @property
    def window(self) -> int:
        """Number of places."""
        return self.keys.shape[3]

    def grow(self, places: int) -> list[Past]:
        """Count `places` more as filled: what each layer has to write there, and what it then reads."""
        parts = [
            part.unbind(0)
            for start, length in ((self.length, places), (0, self.length + places))
            for part in (self.keys.narrow(3, start, length), self.values.narrow(3, start, length))
        ]
        self.length += places
        return [Past(*tensors) for tensors in zip(*parts, strict=True)]

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

    def _of(self, keys: Tensor, values: Tensor) -> "KVCache":
        cache = object.__new__(KVCache)
        cache.keys, cache.values, cache.length, cache._branch = keys, values, self.length, None
        return cache

    def _rows(self, tensor: Tensor, indices: list[int]) -> Tensor:
        copy = tensor.new_empty((tensor.shape[0], len(indices), *tensor.shape[2:]))
        for row, index in enumerate(indices):
            copy[:, row, :, : self.length] = tensor[:, index, :, : self.length]
        return copy
