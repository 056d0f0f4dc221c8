"""A model's logits -> one event: by the grammar, logits processors and random numbers of one take, and by filters.

The filters come in the usual order: temperature, top-k (Fan et al. 2018), nucleus or top-p (Holtzman et al. 2020),
min-p (Nguyen et al. 2024). In numpy and float64, so that equal logits and one random number give one event on every
machine.
"""

from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt
from core.generation.constraints import Grammar
from core.generation.dynamics import Loudness
from core.generation.knobs import LOUDER, aim, knob_processors, knobs_at
from core.generation.logits_processors import (
    Density,
    Logits,
    LogitsProcessor,
    Position,
    Repetition,
    logits_processors,
)
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import PromptSummary
from core.session.knobs import Knobs

_REMEMBERED = 500  # note messages that processors made anew are told of: what they count is forgotten after some 200


def probabilities(logits: NDArray[np.floating], allowed: NDArray[np.bool_], params: Sampling) -> NDArray[np.float64]:
    """Probabilities of all events, (vocab) -> (vocab); 0 where not `allowed` or filtered out.

    At temperature 0 the likeliest allowed event has them all. At least one event must be allowed.
    """
    masked = np.where(allowed, logits, -np.inf).astype(np.float64)
    best = int(masked.argmax())
    if params.temperature == 0:
        certain = np.zeros_like(masked)
        certain[best] = 1.0
        return certain
    p = np.exp((masked - masked[best]) / params.temperature)
    if 0 < params.top_k < p.size:
        p[np.argsort(-p, kind="stable")[params.top_k :]] = 0.0
    p /= p.sum()
    if params.top_p < 1:
        order = np.argsort(-p, kind="stable")
        kept = int(np.searchsorted(np.cumsum(p[order]), params.top_p)) + 1  # those that reach top_p together
        p[order[kept:]] = 0.0
    if params.min_p > 0:
        p[p < params.min_p * p[best]] = 0.0
    return p / p.sum()


def sample(logits: NDArray[np.floating], allowed: NDArray[np.bool_], params: Sampling, chance: float) -> int:
    """One event, drawn by `chance`, a uniform random number in [0, 1)."""
    cumulative = np.cumsum(probabilities(logits, allowed, params))
    return int(np.searchsorted(cumulative, chance * cumulative[-1], side="right"))


class Sampler:
    """Chooses the events of one take, or of one candidate for a gap. `index` counts those that are sampled together.

    `summary` is the prompt's, whatever the knobs ask for: it is changed by them here, and again as they go on their
    curve over `options.seconds`.
    """

    def __init__(self, options: Options, index: int, prompt: Prompt, summary: PromptSummary) -> None:
        self.seed = options.seed + index
        self.parts, self._before, self._seconds = (options.knobs, *options.then), options.before, options.seconds
        self.knobs = self._knobs_at(0.0)
        self.loudness = Loudness(options.dynamics, prompt, self.seed, round(LOUDER * self.knobs.loud))
        self._summary, self._sampling = summary, options.sampling
        changed = aim(summary, self.knobs)
        self.grammar = Grammar(options.rules, prompt.steps, self.loudness, changed.bounds, prompt.sounding)
        self._random = np.random.default_rng(self.seed)
        self._repetition = Repetition(changed)  # which no knob changes
        self._density = Density(changed.density)
        self._processors = self._made_for(changed)
        self._messages: deque[NoteMessage] = deque(maxlen=_REMEMBERED)

    def choose(self, logits: Logits, allowed: NDArray[np.bool_]) -> int:
        """An event, drawn from the model's logits (vocab) among those `allowed` (vocab)."""
        if (knobs := self._knobs_at(self.grammar.decoder.time)) != self.knobs:
            self._change(knobs)
        position = Position(self.grammar.step, self.grammar.decoder.sounding, allowed)
        for processor in (self._density, *self._processors, self._repetition):
            logits = processor.process(logits, position)
        return sample(logits, allowed, self._repetition.loosen(self._sampling), self.chance())

    def chance(self) -> float:
        """The next random number, from 0 to 1."""
        return self._random.random()

    def part(self, number: int) -> None:
        """Go on by other random numbers, which the seed and this number give."""
        self._random = np.random.default_rng((self.seed, number))

    def observe(self, message: NoteMessage) -> None:
        """Tell the processors of a note that the newest event made: as loud as it was sampled, not as it is played."""
        if message.velocity:
            message = message._replace(velocity=self.grammar.decoder.velocity)
        for processor in (self._density, *self._processors, self._repetition):
            processor.observe(message)
        self._messages.append(message)

    def turn(self, parts: tuple[Knobs, ...]) -> None:
        """Go on with other knobs, where their curve stands by now."""
        self.parts = parts

    def _knobs_at(self, time: float) -> Knobs:
        """Where the knobs stand at a time, in seconds; at those of the first part where no end is known."""
        if self._seconds is None:
            return replace(self.parts[0], gradual=())
        return knobs_at(self.parts, (self._before + time) / (self._before + self._seconds))

    def _change(self, knobs: Knobs) -> None:
        """Other knobs: the processors learn again what was lately played, but how dense it was is over."""
        self.knobs = knobs
        self.loudness.change(self.grammar.step + 1, round(LOUDER * knobs.loud))  # what sounds already stays as it was
        changed = aim(self._summary, knobs)
        self.grammar.change_bounds(changed.bounds)
        self._density.change(changed.density, self.grammar.step)
        self._processors = self._made_for(changed)
        for message in self._messages:
            for processor in self._processors:
                processor.observe(message)

    def _made_for(self, summary: PromptSummary) -> list[LogitsProcessor]:
        strength, are_velocities_free = self._sampling.key_strength, not self.loudness.bins
        return [*logits_processors(summary, strength, are_velocities_free), *knob_processors(summary)]
