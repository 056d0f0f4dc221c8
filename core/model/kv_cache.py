"""The keys and values of the events read so far, preallocated for a whole window."""

import torch
from torch import Tensor


class KVCache:
    """Keys and values of every layer: n_layer pairs of (B, H, window, D); the first `length` places are filled."""

    def __init__(self, n_layer: int, shape: tuple[int, int, int, int], *, dtype: torch.dtype, device: torch.device):
        self.keys = [torch.empty(shape, dtype=dtype, device=device) for _ in range(n_layer)]
        self.values = [torch.empty(shape, dtype=dtype, device=device) for _ in range(n_layer)]
        self.length = 0

    @property
    def batch(self) -> int:
        """Number of sequences."""
        return self.keys[0].shape[0]

    @property
    def window(self) -> int:
        """Number of places."""
        return self.keys[0].shape[2]

    def update(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write (B, H, T, D) after the filled places; give back all filled, these included.

        `length` moves only by `advance`, once all layers have written.
        """
        end = self.length + keys.shape[2]
        self.keys[layer][:, :, self.length : end] = keys
        self.values[layer][:, :, self.length : end] = values
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def advance(self, places: int) -> None:
        """Count `places` more as filled."""
        self.length += places

    def rows(self, indices: list[int]) -> "KVCache":
        """A cache of its own with these sequences, in this order; [0, 0, 0] makes three of one."""
        copy = object.__new__(KVCache)
        copy.keys = [self._rows(k, indices) for k in self.keys]
        copy.values = [self._rows(v, indices) for v in self.values]
        copy.length = self.length
        return copy

    def _rows(self, tensor: Tensor, indices: list[int]) -> Tensor:
        copy = torch.empty((len(indices), *tensor.shape[1:]), dtype=tensor.dtype, device=tensor.device)
        for row, index in enumerate(indices):
            copy[row, :, : self.length] = tensor[index, :, : self.length]
        return copy
