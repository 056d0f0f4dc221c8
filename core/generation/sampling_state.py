"""SamplingState: what the events of one take, or of one candidate for a gap, are chosen by."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt
from core.generation.constraints import Grammar
from core.generation.dynamics import Loudness
from core.generation.knobs import LOUDER, aim, knob_processors
from core.generation.logits_processors import (
    Density,
    Logits,
    LogitsProcessor,
    Position,
    Repetition,
    logits_processors,
)
from core.generation.options import Options
from core.generation.prompt_summary import PromptSummary
from core.generation.sampler import sample
from core.session.knobs import Knobs

_REMEMBERED = 500  # note messages that processors made anew are told of: what they count is forgotten after some 200


class SamplingState:
    """Random numbers, `loudness`, `grammar` and logits processors. `index` counts the takes of one run.

    `summary` is of the prompt: what is asked of the take otherwise is for the knobs.
    """

    def __init__(self, options: Options, index: int, prompt: Prompt, summary: PromptSummary) -> None:
        self.seed = options.seed + index
        self.knobs = options.knobs
        self.loudness = Loudness(options.dynamics, prompt, self.seed, LOUDER * self.knobs.loud)
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

    def turn(self, knobs: Knobs) -> None:
        """Go on with other knobs; the processors learn again what was lately played, but how dense it was is over."""
        self.knobs = knobs
        self.loudness.change(self.grammar.step + 1, LOUDER * knobs.loud)  # what sounds already stays as it was
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
