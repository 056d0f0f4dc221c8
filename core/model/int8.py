"""Matrices in 8 bits and sums over a cache in 16: the operations of PyTorch that decoding on a CPU is fast by."""

import warnings
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

# Int8Ops says what replaces these functions where PyTorch drops them.
warnings.filterwarnings("ignore", message="fbgemm_")


class Packed(NamedTuple):
    """A matrix of 8-bit levels (out, in), laid out for `Int8Ops.multiply`."""

    levels: Tensor  # as FBGEMM packs them, or (out, in)
    shape: Tensor  # (out, in) without memory of its own: only its shape is looked at
    row_sums: Tensor  # (out)


class Int8Ops:
    """The two operations that PyTorch may drop, and what replaces them.

    `multiply`: FBGEMM's product of float32 inputs with a matrix in 8 bits, which PyTorch calls deprecated. It rounds
    inputs to 256 levels as well, and its sums are exact. Where it is gone, `torch._weight_int8pack_mm` on inputs in
    bfloat16 takes its place: for one row of 512 by a matrix of (1536, 512), on one thread of an AMD CPU with AVX2,
    16 us by FBGEMM, 52 us by that, and 158 us in float32. Where that is gone too, or on a CPU without AVX2, `is_there`
    is false, and events are decoded in float32.

    `weighted_sums`: sums of a table's rows by `torch.embedding_bag`, made for word embeddings. It reads a table of
    16-bit numbers as fast as memory gives it, which products of a matrix and a vector do not; and each sum is one
    thread's work, so that it is the same, to the last bit, on any number of threads. Where it is gone, the rows are
    gathered and summed by a batched product.
    """

    has_fbgemm: ClassVar[bool] = hasattr(torch, "fbgemm_linear_int8_weight_fp32_activation")
    has_embedding_bag: ClassVar[bool] = hasattr(torch, "embedding_bag")

    @classmethod
    def is_there(cls) -> bool:
        """Whether this CPU and this PyTorch can multiply by matrices in 8 bits: x86 with AVX2 or more."""
        if cls.has_fbgemm:
            return "x86" in torch.backends.quantized.supported_engines
        return hasattr(torch, "_weight_int8pack_mm") and torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")

    @classmethod
    def pack(cls, levels: Tensor) -> Packed:
        """A matrix of levels (out, in), int8, for `multiply`."""
        packed = torch.fbgemm_pack_quantized_matrix(levels) if cls.has_fbgemm else levels
        return Packed(packed, levels[:1, :1].clone().expand_as(levels), levels.sum(1, dtype=torch.int32))

    @classmethod
    def multiply(cls, x: Tensor, matrix: Packed, bias: Tensor) -> Tensor:
        """x (N, in) @ matrix.T + bias (out), (N, out), all float32.

        All of x together is rounded, to 256 levels from its least number to its greatest (or to bfloat16).
        """
        levels, shape, row_sums = matrix
        if cls.has_fbgemm:
            return torch.fbgemm_linear_int8_weight_fp32_activation(x, shape, levels, row_sums, 1.0, 0, bias)
        ones = torch.ones(len(levels), dtype=torch.bfloat16)
        product = torch._weight_int8pack_mm(x.bfloat16(), levels, ones)  # pyright: ignore[reportPrivateImportUsage]
        return product.float() + bias

    @classmethod
    def weighted_sums(cls, table: Tensor, rows: Tensor, bags: Tensor, weights: Tensor) -> Tensor:
        """Weighted sums of a table's rows, (bags, width): bag number i sums `rows` from bags[i] to bags[i + 1].

        All bags have equally many rows; `weights`, of any shape, has one for each row, in the table's type.
        """
        if cls.has_embedding_bag:
            # F.embedding_bag's checks take as long as a small sum.
            return torch.embedding_bag(table, rows, bags, mode=0, per_sample_weights=weights.flatten())[0]
        count = len(bags)
        return torch.bmm(weights.view(count, 1, -1), table[rows].view(count, -1, table.shape[1])).squeeze(1)


class Int8Linear(NamedTuple):
    """y = x @ weight.T + bias with the weight in 8 bits: a quarter of the memory to read.

    Each output's weights are rounded to at most 255 levels; for the inputs see `Int8Ops.multiply`.
    """

    matrix: Packed
    bias: Tensor  # (out), in units of `scale`
    scale: Tensor  # (out)

    def __call__(self, x: Tensor) -> Tensor:
        """(N, in) -> (N, out)."""
        return Int8Ops.multiply(x, self.matrix, self.bias).mul_(self.scale)

    def add_to(self, sum_: Tensor, x: Tensor) -> None:
        """Add it to (N, out)."""
        sum_.addcmul_(Int8Ops.multiply(x, self.matrix, self.bias), self.scale)

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor) -> "Int8Linear":
        """Round each weight (out, in) to the nearest level."""
        # AVX2 adds the products of two neighbours in 16 bits: an input's level is at most 255, so two
        # weights' levels together must not pass 128.
        pairs = weight[:, ::2] + weight[:, 1::2]
        scale = (torch.maximum(weight.abs().amax(1), pairs.abs().amax(1)) / 127).clamp_min(1e-12)
        levels = (weight / scale[:, None]).round().to(torch.int8)
        return cls(Int8Ops.pack(levels), bias / scale, scale)
