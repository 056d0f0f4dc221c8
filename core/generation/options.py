"""What to sample and what came of it: plain values, for those who must not wait for torch."""

from dataclasses import dataclass, field

from core.errors import UsageError
from core.generation.constraints import Rules
from core.generation.dynamics import DYNAMICS, Dynamics
from core.midi.score import TakeNote
from core.session.knobs import Knobs

MOST_TAKES = 16


@dataclass(frozen=True, slots=True)
class Sampling:
    """How freely events are drawn. `top_k` 0, `top_p` 1 and `min_p` 0 leave that filter out.

    `key_strength`, in nats, is how much less likely notes outside the prompt's key become; 0: no less.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.98
    min_p: float = 0.0
    key_strength: float = 0.7

    def __post_init__(self) -> None:
        """Raises UsageError for a value out of its range."""
        if not 0 <= self.temperature <= 10:
            raise UsageError(f"The temperature must lie between 0 and 10, not {self.temperature:g}.")
        if self.top_k < 0:
            raise UsageError(f"top-k must be 0 (off) or more, not {self.top_k}.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p must be over 0 and at most 1, not {self.top_p:g}.")
        if not 0 <= self.min_p < 1:
            raise UsageError(f"min-p must be at least 0 and under 1, not {self.min_p:g}.")
        if not 0 <= self.key_strength <= 20:
            raise UsageError(f"The key strength must lie between 0 and 20, not {self.key_strength:g}.")


@dataclass(frozen=True, slots=True)
class Options:
    """What to sample: `seconds` or `events` of length (neither: until stopped), `takes` at once.

    `dynamics` says how loud flat prompts are continued (see core.generation.dynamics), `knobs` how takes are to differ
    from the prompt, and `then` how in the parts that follow, all equally long: they go steadily from one to the next,
    need `seconds`, and with these count those `before` the marker, sampled already. For `ring` seconds past `seconds`
    the last notes may sound, as long as the model holds them. Take number i (from 0) draws from its own random numbers,
    seeded by `seed` + i.
    """

    sampling: Sampling = field(default_factory=Sampling)
    rules: Rules = field(default_factory=Rules)
    seed: int = 0
    seconds: float | None = None
    events: int | None = None
    takes: int = 1
    dynamics: Dynamics = "auto"
    knobs: Knobs = field(default_factory=Knobs)
    then: tuple[Knobs, ...] = ()
    before: float = 0.0
    ring: float = 0.0

    def __post_init__(self) -> None:
        """Raises UsageError for a value out of its range."""
        if self.seconds is not None and not 0.01 <= self.seconds <= 7 * 86400:
            raise UsageError(
                f"The length must be at least 0.01 seconds and at most a week, not {self.seconds:g} seconds."
            )
        if self.events is not None and self.events < 1:
            raise UsageError(f"The length must be at least one event, not {self.events}.")
        if not 1 <= self.takes <= MOST_TAKES:
            raise UsageError(f"The number of takes must lie between 1 and {MOST_TAKES}, not {self.takes}.")
        if self.seed < 0:
            raise UsageError(f"The seed must be 0 or more, not {self.seed}.")
        if self.dynamics not in DYNAMICS:
            raise UsageError(f'The dynamics can be {", ".join(DYNAMICS)}, not "{self.dynamics}".')


@dataclass(frozen=True, slots=True)
class Take:
    """One finished continuation: its events, its notes (seconds from the marker), and what made it."""

    events: tuple[int, ...]
    notes: tuple[TakeNote, ...]
    seconds: float
    seed: int
    options: Options
    model: str
    marker: float
