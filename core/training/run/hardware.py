"""Device, precision and compilation for training, and the processes that train together.

On a CPU precision is measured, on a GPU known. Under torchrun there are many processes; without it one, of rank 0.
"""

import importlib.util
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F

from core.model.transformer import ModelConfig, MusicTransformer
from core.training.recipes import Recipe

_T = TypeVar("_T")

_TRIAL = ModelConfig(n_layer=1, n_head=4, n_embd=256, block_size=256)
_MEMORY = 3 << 29  # bytes that a pass may keep for its way back where memory is the machine's own


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where and how a run computes. `why` says in a few words how the precision was chosen."""

    device: torch.device
    dtype: torch.dtype
    compile: bool
    why: str

    def __str__(self) -> str:
        compiled = ", compiled" if self.compile else ""
        return f"{self.device} in {str(self.dtype).removeprefix('torch.')} ({self.why}){compiled}"

    def autocast(self) -> torch.autocast:
        """The context of the forward pass."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)


def choose_hardware(device: torch.device, *, mixed_precision: bool, compile: bool | None) -> Hardware:
    """bfloat16 if it is wanted and faster here; `compile` None: on a GPU whose compiler is there.

    In a bundle it is not: build.spec leaves it out. A CUDA GPU is not timed: a trial small enough for any is one of
    starting kernels there, in which fp32 wins.
    """
    dtype, why = torch.float32, "as the recipe says"
    if mixed_precision and device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        dtype = torch.bfloat16 if has_bf16 else torch.float32
        why = "which the GPU has units for" if has_bf16 else "the GPU has no units for bf16"
    elif mixed_precision:
        full = _seconds(device, torch.float32)
        mixed = _seconds(device, torch.bfloat16, give_up_at=4 * full)
        dtype = torch.bfloat16 if mixed < full else torch.float32
        why = f"bf16 takes {mixed / full:.2g} times as long as fp32 here"
    if compile is None:
        has_compiler = importlib.util.find_spec("triton") is not None and bool(shutil.which("cc"))
        compile = device.type == "cuda" and has_compiler and not getattr(sys, "frozen", False)
    return Hardware(device, dtype, compile, why)


def windows_at_once(device: torch.device, recipe: Recipe) -> int:
    """How many windows go through the network in one pass: on a GPU of its own memory the whole batch at first.

    Elsewhere as many as fit _MEMORY, and one at least: with too many the system ends the process without a word.
    """
    return recipe.batch if device.type == "cuda" else max(1, min(recipe.batch, _MEMORY // window_bytes(recipe)))


def window_bytes(recipe: Recipe) -> int:
    """What a pass through the network keeps of each window for its way back, in bytes, in float32.

    20 floats per event, layer and unit of width; and where the attention has a dropout, which no fused kernel has on
    a CPU, 3 per event, layer, head and event of the window. Both are measured.
    """
    config = recipe.config
    floats = 20 * config.n_embd + (3 * config.n_head * config.block_size if recipe.attention_dropout else 0)
    return 4 * config.n_layer * config.block_size * floats


def _seconds(device: torch.device, dtype: torch.dtype, give_up_at: float = math.inf) -> float:
    """Time of a forward and backward pass of one small layer; the best of three after one to warm up.

    No more are made once one takes `give_up_at` seconds after the first.
    """
    state = torch.get_rng_state()
    model = MusicTransformer(_TRIAL).to(device)
    torch.set_rng_state(state)
    ids = torch.zeros((2, _TRIAL.block_size), dtype=torch.long, device=device)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            logits = model(ids)
        F.cross_entropy(logits.float().flatten(0, 1), ids.flatten()).backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
        if len(times) > 1 and times[-1] >= give_up_at:
            break
    return min(times[1:])


@contextmanager
def processes() -> Iterator[int]:
    """Join the processes that torchrun started, if it did; gives this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    # What is sent decides who sends it: sums of GPUs' gradients, or what the CPU gathers, or has itself computed.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=timedelta(hours=2))
    try:
        yield dist.get_rank()
    finally:
        dist.destroy_process_group()


def leave(status: int) -> None:
    """End this process if torchrun started it, with an exit status, once all it had to do is done.

    Threads of gloo live on, since DistributedDataParallel never lets go of its process group. If one of them is at work
    as Python ends, it aborts the process (-6), and torchrun calls a run that is over a failure.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def rank_and_world() -> tuple[int, int]:
    """Which of the processes this one is, from 0 on, and how many there are."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def gathered(value: _T) -> list[_T]:
    """Every process's value, by rank; all of them must ask."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return cast(list[_T], values)
