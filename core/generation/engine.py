"""A model on a device: prefill of prompts into the KV cache, decoding of one event, moving the window on.

A window holds `block_size` events. When it is full, the later half is read again into an empty one
and sampling goes on: that costs one prefill of half a window every half window, and memory stays flat
however long the music. Playing some way behind the sampling head hides it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.codec.events import Conventions, Prompt
from core.codec.vocabulary import BOUNDARY, last_bin, velocity
from core.errors import ContinuoError, NotFound, UsageError
from core.model.checkpoint import ModelInfo, find_model, load_model
from core.model.inference import Cancelled, Inference
from core.model.kv_cache import KVCache
from core.model.memory import physical_memory
from core.model.transformer import ModelConfig, MusicTransformer

DEVICES = ("auto", "cuda", "mps", "cpu")

__all__ = ["DEVICES", "Cancelled", "Engine", "PreparedPrompt", "choose_device", "cut_window", "open_engine"]


def choose_device(wanted: str = "auto") -> torch.device:
    """The device of that name; "auto" takes cuda, mps or cpu, the first there is. Raises NotFound, UsageError."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, is_there in there.items() if is_there))
    kind = wanted.partition(":")[0]
    if kind not in there:
        raise UsageError(f'There is no kind of device called "{wanted}"; choose one of {", ".join(DEVICES)}.')
    if not there[kind]:
        raise NotFound(f'This machine has no "{kind}" device that PyTorch can use; try --device cpu.')
    try:
        return torch.device(wanted)
    except RuntimeError:
        raise UsageError(f'"{wanted}" does not name a device; choose one of {", ".join(DEVICES)}.') from None


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """A prompt read into the cache: `events` is what the model saw of it, `logits` (1, vocab) what it expects next."""

    prompt: Prompt
    events: tuple[int, ...]
    cache: KVCache
    logits: Tensor


def cut_window(events: Sequence[int], most: int, conventions: Conventions) -> list[int]:
    """The last events, `most` at the most. A cut sequence restates the velocity that its first note needs."""
    if len(events) <= most:
        return list(events)
    kept = list(events[-(most - 1) :])
    velocity_bin = last_bin(events[: -(most - 1)])
    if velocity_bin is None or conventions.velocity == "each":
        return list(events[-most:])
    return [velocity(velocity_bin), *kept]


class Engine:
    """One model, ready to sample. `say` gets a sentence when the engine has to change its plan."""

    def __init__(
        self,
        model: MusicTransformer,
        device: torch.device,
        name: str = "",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._model = model
        self._say = say
        with suppress(torch.OutOfMemoryError):
            self._inference = Inference(model, device)
            return
        self._fall_back()

    @property
    def config(self) -> ModelConfig:
        """The model's config."""
        return self._model.config

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._inference.device

    def prepare(self, prompt: Prompt, cancelled: Callable[[], bool] = lambda: False) -> PreparedPrompt:
        """Read a prompt into a cache (prefill), as much of its end as leaves a quarter of the window free.

        Raises Cancelled when `cancelled()` turns true on the way.
        """
        # Without any event there would be nothing to predict from: the boundary stands for silence.
        events = prompt.events or (BOUNDARY,)
        seen = cut_window(events, max(1, self.config.block_size * 3 // 4), self.config.conventions)
        logits, cache = self.prefill([seen], cancelled)
        return PreparedPrompt(prompt, tuple(seen), cache, logits)

    def prefill(
        self, sequences: Sequence[Sequence[int]], cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[Tensor, KVCache]:
        """Prefill B sequences of one length into a new cache: logits (B, vocab) after the last event, the cache.

        Raises ContinuoError where the cache cannot be in the memory of this machine.
        """
        self._require_memory(len(sequences))
        with suppress(torch.OutOfMemoryError):
            cache = self._inference.new_cache(len(sequences))
            return self._inference.prefill(sequences, cache, cancelled), cache
        self._fall_back()
        cache = self._inference.new_cache(len(sequences))
        return self._inference.prefill(sequences, cache, cancelled), cache

    def _require_memory(self, takes: int) -> None:
        """Refuse caches that memory does not hold: a system that has none left ends programs, with all they have."""
        needed, there = takes * self._inference.cache_bytes, physical_memory()
        if self.device.type == "cpu" and needed > there:
            gibibytes = f"{needed / 2**30:.1f} GiB of memory, and there are {there / 2**30:.1f}"
            raise ContinuoError(f"{takes} takes at once need {gibibytes}. Ask for fewer of them.")

    def fork(self, prepared: PreparedPrompt, takes: int) -> tuple[Tensor, KVCache]:
        """Logits (takes, vocab) and a cache of its own for that many takes of one prompt.

        Raises ContinuoError where that cannot be in the memory of this machine.
        """
        self._require_memory(takes)
        if prepared.cache.keys[0].device.type == self.device.type:
            with suppress(torch.OutOfMemoryError):
                cache = prepared.cache.branch() if takes == 1 else prepared.cache.rows([0] * takes)
                return prepared.logits.expand(takes, -1), cache
            self._fall_back()
        return self.prefill([prepared.events] * takes)

    def decode_one(
        self, events: Sequence[int], cache: KVCache, histories: Callable[[], Sequence[Sequence[int]]]
    ) -> tuple[Tensor, KVCache]:
        """Read the newest event of each take: logits (B, vocab), and the cache to go on with.

        `histories()` gives all events of each take so far, prompt and newest included, all of one
        length: what a full window (or one lost with the GPU's memory) is refilled from.
        """
        if cache.length < cache.window and cache.keys[0].device.type == self.device.type:
            with suppress(torch.OutOfMemoryError):
                return self._inference.decode_one(events, cache), cache
            self._fall_back()
        half = max(1, self.config.block_size // 2)
        return self.prefill(_same_length([cut_window(h, half, self.config.conventions) for h in histories()]))

    def read(self, events: Sequence[int], cache: KVCache, history: Sequence[int]) -> Tensor:
        """Read T more events of one take, which come after its `history`: logits (T, vocab) after each of them."""
        if cache.length + len(events) <= cache.window and cache.keys[0].device.type == self.device.type:
            with suppress(torch.OutOfMemoryError):
                return self._inference.read(events, cache)
            self._fall_back()
        rows: list[Tensor] = []
        for count, event in enumerate(events, 1):
            raw, cache = self.decode_one([event], cache, lambda count=count: [[*history, *events[:count]]])
            rows.append(raw)
        return torch.cat(rows)

    def _fall_back(self) -> None:
        """Go on with the CPU. Not in the handler of the error: it holds what had been allocated on the card."""
        self._say("The graphics card has too little free memory for this model, so it runs on the CPU.")
        self._inference = Inference(self._model, "cpu")  # in place of the one on the card, whose memory is then free
        with suppress(RuntimeError):  # what the card had left to do may have failed as well
            torch.cuda.empty_cache()


def _same_length(sequences: list[list[int]]) -> list[list[int]]:
    """Sequences that restate a velocity may be one event longer than those that need not."""
    shortest = min(len(s) for s in sequences)
    return [s[len(s) - shortest :] for s in sequences]


def to_numpy(logits: Tensor) -> NDArray[np.float32]:
    """(B, vocab) logits on the CPU."""
    return logits.float().cpu().numpy()


def open_engine(
    model: str | Path | None = None, device: str = "auto", say: Callable[[str], None] = lambda _: None
) -> tuple[Engine, ModelInfo]:
    """The model of that name or path (None: the default) on a device. Raises NotFound, UnreadableInput, UsageError."""
    chosen = choose_device(device)
    path = model if isinstance(model, Path) else find_model(model)
    network, info = load_model(path)
    return Engine(network, chosen, info.name, say), info
