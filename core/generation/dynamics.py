"""How loud a take is played: as the model says, flat like a flat prompt, or flat with a human touch.

A model hears in a flat prompt that nothing is ever accented, and goes on so. The human touch is
therefore not the model's: it is added to what sounds, and the model never sees it.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from core.codec.events import Prompt
from core.codec.vocabulary import from_bin, last_bin, to_bin

Dynamics = Literal["auto", "flat", "human"]
DYNAMICS: tuple[Dynamics, ...] = get_args(Dynamics)

_ON_BEAT, _ON_HALF_BEAT, _BETWEEN = 5, 1, -4  # MIDI velocity more or less
_SWELL = 5  # at most, louder and softer
_SWELL_SECONDS = 2.0  # from one turning point to the next
_JITTER = 3


class Loudness:
    """What velocities a take may have, and what is played for each; a `Touch`.

    With "auto" a flat prompt is continued flat, at its very velocities, and any other as the model plays. "flat"
    goes on at the prompt's median velocity even then. "human" plays flat takes with accents on the beats
    of their grid, slow swells and a little chance, all drawn from the take's seed.
    """

    def __init__(self, dynamics: Dynamics, prompt: Prompt, seed: int, louder: int = 0) -> None:
        """`louder` is added to the velocities that are played; the model never sees it."""
        levels = prompt.levels or ((prompt.velocity,) if dynamics == "flat" else ())
        self._exact = {from_bin(to_bin(level)): level for level in levels}
        self.bins = tuple(to_bin(level) for level in levels)  # those that may be sampled; none: all
        self._steps = prompt.steps
        self._seed = seed
        self._louder = [(0, louder)]  # from a step on
        self._is_human = dynamics == "human" and bool(levels)
        self._swell_steps = prompt.steps.span(_SWELL_SECONDS)
        self.first = self._first(prompt, levels)

    def __call__(self, step: int, pitch: int, velocity: int) -> int:
        """The velocity, 1 to 127, with which a note is played that the events give `velocity`."""
        velocity = self._exact.get(velocity, velocity)
        velocity += next(louder for first, louder in reversed(self._louder) if first <= step)
        if not self._is_human:
            return min(max(velocity, 1), 127)
        played = velocity + self._accent(step) + _SWELL * self._swell(step) + _JITTER * _chance(self._seed, step, pitch)
        return min(max(round(played), 1), 127)

    def change(self, step: int, louder: int) -> None:
        """From a step on, the take is so much louder."""
        self._louder.append((step, louder))

    def _first(self, prompt: Prompt, levels: Sequence[int]) -> int:
        """Until it says otherwise, a take is as loud as the prompt's last note; the velocity as events give it."""
        last = last_bin(prompt.events)
        if last is None:
            last = to_bin(prompt.velocity)
        return from_bin(last if not self.bins or last in self.bins else self.bins[0])

    def _accent(self, step: int) -> int:
        quarter = len(self._steps.lines)
        if not quarter:
            return 0
        place = (step + self._steps.into) % quarter
        return _ON_BEAT if place == 0 else _ON_HALF_BEAT if 2 * place == quarter else _BETWEEN

    def _swell(self, step: int) -> float:
        """-1 to 1, on straight lines between turning points."""
        knot, rest = divmod(step, self._swell_steps)
        before, after = _chance(self._seed, knot), _chance(self._seed, knot + 1)
        return before + (after - before) * rest / self._swell_steps


def _chance(seed: int, *numbers: int) -> float:
    """A number from -1 to 1 that these numbers, and they alone, decide (mixed as in Steele et al., SplitMix, 2014)."""
    mixed = seed
    for number in numbers:
        mixed = (mixed + number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 31
    return mixed / 2**63 - 1
