"""Decoding as one CUDA graph a cache: a card spends most of an event's time waiting to be told of the next kernel.

All that an event takes, some hundred kernels, is captured once and started as one. For that nothing may depend on how
long the cache is: it is attended to whole, with what is not filled yet masked (a static cache), and the event and its
place are read from the card's memory.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from core.model.kv_cache import KVCache

CAPTURED_AFTER = 16  # events of a cache; candidates that are soon sorted out are not worth a graph

Kernels = Callable[[Tensor, Tensor, KVCache], Tensor]
"""(B) ids, their place (1) and a cache -> (B, vocab) logits, by the same kernels whatever the place."""
Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""What runs kernels -> what runs the same ones again."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Captured:
    """One cache's kernels: `replay` reads `told`, (B + 1) ids and place, and writes `logits` (B, vocab)."""

    told: Tensor
    logits: Tensor
    replay: Callable[[], None]


class GraphDecoder:
    """Decodes caches that live long enough by graphs of their own, which end with them.

    It holds no network, only what captured kernels hold: so the network that has it ends with its last user.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._decoded: WeakKeyDictionary[KVCache, int] = WeakKeyDictionary()
        self._graphs: WeakKeyDictionary[KVCache, _Captured] = WeakKeyDictionary()
        self._is_out_of_use = False

    def decode_one(self, events: Sequence[int], cache: KVCache, step: Kernels) -> Tensor | None:
        """(B) ids -> (B, vocab) logits by the kernels of `step`, as `Inference.decode_one`.

        None where it has to be done without a graph. Raises IndexError when the cache is full.
        """
        if cache.length == cache.window:
            raise IndexError("the window is full")  # kernels that write past it would end all use of the card
        decoded = self._decoded.get(cache, 0)
        self._decoded[cache] = decoded + 1
        if decoded < CAPTURED_AFTER or self._is_out_of_use:
            return None
        graph = self._graphs.get(cache)
        if graph is None:
            try:
                graph = self._graphs[cache] = self._captured(cache, step)
            except RuntimeError:  # too little memory for a graph is one of them: without it a card still beats a CPU
                _log.exception("This card decodes without CUDA graphs")
                self._is_out_of_use = True
                return None
        place = cache.length
        cache.grow(1)
        graph.told.copy_(torch.tensor([*events, place]))
        graph.replay()
        return graph.logits.clone()  # the next event is written over it

    def _captured(self, cache: KVCache, step: Kernels) -> _Captured:
        # What nothing was written to yet is multiplied by 0, and must be a number for that.
        for tensor in (cache.keys, cache.values):
            tensor[:, :, :, cache.length :].zero_()
        told = torch.zeros(cache.batch + 1, dtype=torch.long, device=cache.values.device)
        told[-1] = cache.length  # the place of the next event, which the kernels' first runs may fill
        ids, place = told[:-1], told[-1:]
        logits = step(ids, place, cache).clone()

        def run() -> None:
            logits.copy_(step(ids, place, cache))

        return _Captured(told, logits, self._capture(run))


def capture_on_card(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """A CUDA graph of the kernels that `run` starts on `device`. Raises RuntimeError where they cannot be in one."""
    with torch.cuda.device(device):
        stream = torch.cuda.Stream(device)  # of this graph alone: others may be captured at the same time
        stream.wait_stream(torch.cuda.current_stream(device))
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(stream):
            for _ in range(3):  # libraries take their workspaces first, which a graph cannot hold
                run()
            stream.synchronize()
            # Not torch.cuda.graph: when ending a capture fails, it stays on its stream.
            graph.capture_begin(capture_error_mode="thread_local")  # others may go on using the card
            try:
                run()
            finally:
                graph.capture_end()
        torch.cuda.current_stream(device).wait_stream(stream)
    return graph.replay
