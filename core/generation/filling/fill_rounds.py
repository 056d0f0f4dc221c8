"""Candidates for a gap that are sampled together, an event of each a round."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, Protocol, TypeVar

from torch import Tensor

from core.codec.events import NoteMessage
from core.codec.vocabulary import BOUNDARY
from core.generation.engine import Cancelled, Engine, to_numpy
from core.generation.logits_processors import Logits
from core.model.kv_cache import KVCache


class FillStep(NamedTuple):
    """One event of one candidate: the messages of new notes that it makes, and how far it is sampled.

    Times are seconds from the gap's start; `is_filled` tells that the candidate is complete.
    """

    candidate: int
    messages: tuple[NoteMessage, ...]
    head: float
    is_filled: bool


class AnyFillRow(Protocol):
    """One candidate on its way."""

    events: list[int]

    @property
    def head(self) -> float:
        """How far it has come, in seconds from the gap's start."""
        ...

    @property
    def is_filled(self) -> bool:
        """Whether the candidate is complete."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether no more events come."""
        ...

    def next(self, logits: Logits) -> list[NoteMessage]:
        """Choose the next event by the model's logits and move on: the messages of new notes that it makes."""
        ...


_R = TypeVar("_R", bound=AnyFillRow)


@dataclass(frozen=True)
class FillRows(Generic[_R]):
    """Rows with the numbers of their candidates: what the model expects next of each, and the cache of all."""

    running: list[tuple[int, _R]]
    raw: Tensor  # (B, vocab) logits
    cache: KVCache


def rounds(
    engine: Engine,
    rows: FillRows[_R],
    before: tuple[int, ...],
    on_step: Callable[[FillStep], object] = lambda step: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[FillRows[_R]]:
    """All rows to their ends, one event of each a round: the rows as they are before each.

    `before` is what the model has read of all of them. Raises Cancelled when `cancelled()` turns true on the way.
    """
    running, raw, cache, window = rows.running, rows.raw, rows.cache, engine.config.block_size
    while True:
        if cancelled():
            raise Cancelled
        yield FillRows(running, raw, cache)
        logits = to_numpy(raw)  # (B, vocab)
        newest = []
        for at, (index, row) in enumerate(running):
            if row.is_over:  # stays until a quarter of them are over: on how many threads depends on how many they are
                newest.append(BOUNDARY)
                continue
            was_filled = row.is_filled
            messages = row.next(logits[at])
            newest.append(row.events[-1])
            if not was_filled:
                on_step(FillStep(index, tuple(messages), row.head, row.is_filled))
        going_on = [at for at, (_, row) in enumerate(running) if not row.is_over]
        if not going_on:
            return
        if 4 * len(going_on) <= 3 * len(running):
            cache = cache.part(going_on)
            running, newest = [running[at] for at in going_on], [newest[at] for at in going_on]
        histories = partial(_histories, before, [row for _, row in running], window)
        raw, cache = engine.decode_one(newest, cache, histories)


def _histories(before: tuple[int, ...], rows: Sequence[AnyFillRow], window: int) -> list[list[int]]:
    """The last events of each row, those before the gap among them: at most a window, all of one length.

    Rows that are over may have fewer events than have been sampled, or more, which were read elsewhere.
    """
    count = max(len(row.events) for row in rows if not row.is_over)
    padded = [row.events[:count] + [BOUNDARY] * (count - len(row.events)) for row in rows]
    return [[*before, *events[-window:]][-window:] for events in padded]
