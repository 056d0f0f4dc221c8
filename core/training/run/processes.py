"""The processes that train together under torchrun; without it there is one, of rank 0."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

_T = TypeVar("_T")


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
