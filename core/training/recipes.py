"""How each preset trains, as plain values; and the learning rate over a run."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from core.codec.vocabulary import SYMBOLS_SIZE
from core.errors import UsageError
from core.model.transformer import BOOK, ModelConfig

GOING_ON = 0.4  # rates of a training that goes on from a model, against those from scratch


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a crop may be changed: semitones up or down, share of the tempo, MIDI velocity up or down.

    A piece on a grid was given its tempo by an engraver: it may be `free_tempo` times as fast or slow.
    """

    transpose: int = 6
    tempo: float = 0.1
    velocity: int = 12
    free_tempo: float = 1.4


@dataclass(frozen=True, slots=True)
class Recipe:
    """A preset. `batch` is that of one step over all processes, in sequences of a window.

    `crops`: "random" places, one version of a song per epoch; or the "first" window of every piece.
    `optimiser`: "muon" is Muon for the hidden matrices (`muon_lr`) and AdamW for the rest (`lr`);
    "adam" is Adam (`lr`) for all. `warm_up` and `decay` are shares of the run, in which the rates rise
    from 0 and fall to 0 in a line. `epochs` counts if neither minutes nor epochs are asked for.
    """

    name: str
    config: ModelConfig
    dropout: float
    batch: int
    crops: Literal["random", "first"]
    augmentation: Augmentation | None
    optimiser: Literal["muon", "adam"]
    lr: float
    muon_lr: float = 0.0
    weight_decay: float = 0.0
    warm_up: float = 0.0
    decay: float = 0.0
    clip: float = 1.0
    attention_dropout: float = 0.0
    epochs: float = 100
    mixed_precision: bool = True

    def rate(self, progress: float) -> float:
        """Factor of the learning rates at `progress` (0 to 1) through the run."""
        if progress < self.warm_up:
            return max(progress / self.warm_up, 0.01)  # a first step of rate 0 would teach nothing
        if progress > 1 - self.decay:
            return max((1 - progress) / self.decay, 0.0)
        return 1.0

    def at_rate(self, factor: float) -> "Recipe":
        """The same with learning rates so many times as high. Raises UsageError for a factor that cannot be."""
        if not (factor > 0 and math.isfinite(factor)):
            raise UsageError(f"The rate must be a number above 0, not {factor:g}.")
        return replace(self, lr=self.lr * factor, muon_lr=self.muon_lr * factor)

    def going_on(self, config: ModelConfig, rate: float | None = None) -> "Recipe":
        """The same for a network that is trained already: gentler rates (`rate` times), which fall from the start."""
        gentler = self.at_rate(GOING_ON if rate is None else rate)
        return replace(gentler, config=config, warm_up=0.05, decay=0.95)

    def with_symbols(self) -> "Recipe":
        """The same for a model that knows symbols. Raises UsageError for crops that have no place for any."""
        if self.crops == "first":
            raise UsageError(f"A model of preset {self.name} is trained without symbols: choose another preset.")
        return replace(self, config=replace(self.config, vocab_size=SYMBOLS_SIZE))

    def as_dict(self) -> dict[str, Any]:
        """For the run's record."""
        return asdict(self)


# Liu, Learn Generative AI with PyTorch, ch. 14, listings 14.5 to 14.9: every piece's first 2048 events,
# 388 as the target after the last of a shorter one, Adam 1e-4, norm clipped to 1, batch 2, 100 epochs.
BOOK_RECIPE = Recipe("book", BOOK, 0.1, 2, "first", None, "adam", lr=1e-4, mixed_precision=False, attention_dropout=0.1)

SMALL = Recipe(
    name="small",
    config=ModelConfig(n_layer=8, n_head=4, n_embd=256, block_size=1024),
    dropout=0.0,  # what is seen once, in ever new crops, is not learned by heart
    batch=8,
    crops="random",
    augmentation=Augmentation(),
    optimiser="muon",
    lr=2e-3,
    muon_lr=0.02,
    weight_decay=0.02,
    warm_up=0.02,
    decay=0.3,
    epochs=10,
)

BASE = replace(
    SMALL,
    name="base",
    config=ModelConfig(n_layer=6, n_head=8, n_embd=512, block_size=2048),
    dropout=0.1,
    batch=32,
    lr=1e-3,
    epochs=20,
)

RECIPES = {recipe.name: recipe for recipe in (BOOK_RECIPE, SMALL, BASE)}
