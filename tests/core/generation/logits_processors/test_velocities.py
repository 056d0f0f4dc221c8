"""As loud as the prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import DEFAULT_VELOCITY, Prompt
from core.codec.vocabulary import (
    BOUNDARY,
    NOTE_ON,
    VELOCITY,
    from_bin,
    note_off,
    note_on,
    time_shift,
    to_bin,
    velocity,
)
from core.generation.logits_processors import Velocities
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import summarize
from tests.core.generation.test_continuation import continued
from tests.core.generation.tunes import SCALE, line, position, processed, struck

SOFT, LOUD = 10, 24  # bins
# Soft and loud notes in turn; all keys of the middle, so that a network that knows nothing may play them.
NOTES = [(bin, 48 + i % 24) for i in range(60) for bin in (SOFT, LOUD)]
EVENTS = [e for bin, p in NOTES for e in (velocity(bin), note_on(p), time_shift(15), note_off(p))]
PROMPT = Prompt((BOUNDARY, *EVENTS), 18.0)

bins = st.integers(0, 31)


def leaned(heard: list[int], prompt: Prompt = PROMPT) -> NDArray[np.float32]:
    """What becomes of even logits after notes in these bins."""
    velocities = Velocities(summarize(prompt))
    for step, bin in enumerate(heard):
        velocities.observe(struck(step, velocity=from_bin(bin)))
    return processed(velocities, position(len(heard)))


def of_bins(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return logits[VELOCITY.first : VELOCITY.end]


def test_too_soft_a_take_is_leaned_to_be_loud_and_the_other_way_round() -> None:
    for heard, other in ((SOFT, LOUD), (LOUD, SOFT)):
        logits = leaned([heard] * 40)
        assert of_bins(logits)[other] > of_bins(logits)[heard]
        # A note-on alone would keep the velocity: it leans as much as that.
        assert np.allclose(logits[NOTE_ON.first : NOTE_ON.end], of_bins(logits)[heard])
        assert not logits[NOTE_ON.end : VELOCITY.first].any()
        assert not logits[VELOCITY.end :].any()


@given(st.lists(bins, min_size=1, max_size=80))
def test_whether_a_note_begins_is_left_as_it_was(heard: list[int]) -> None:
    logits = leaned(heard)
    begins = np.exp(np.concatenate([logits[: NOTE_ON.end], of_bins(logits)]).astype(float)).sum()
    assert begins == pytest.approx(NOTE_ON.size + VELOCITY.size, rel=1e-4)


def test_a_take_as_loud_as_its_prompt_is_let_be() -> None:
    assert np.ptp(of_bins(leaned([SOFT, LOUD] * 30))[[SOFT, LOUD]]) < 0.1
    assert np.ptp(of_bins(leaned([SOFT] * 60))[[SOFT, LOUD]]) > 0.5


def test_a_prompt_too_short_to_tell_leaves_all_as_it_is() -> None:
    for prompt in (Prompt((), 0.0), Prompt(tuple(line(list(SCALE)[:4])), 1.0)):
        assert not leaned([31] * 40, prompt).any()


def test_before_any_velocity_a_prompt_has_the_usual_one() -> None:
    logits = of_bins(leaned([SOFT, to_bin(DEFAULT_VELOCITY)] * 20, Prompt(tuple(line(list(SCALE) * 5)), 10.0)))
    assert logits[to_bin(DEFAULT_VELOCITY)] > logits[SOFT] + 0.5


def test_a_take_that_is_held_flat_is_not_leaned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all the velocities that it may not have would take from its notes."""

    def leaned(*arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Velocities, "process", leaned)
    assert continued(Options(seconds=2, dynamics="flat"), prompt=PROMPT)
    with pytest.raises(AssertionError):
        continued(Options(seconds=2), prompt=PROMPT)


def test_leaning_brings_takes_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    def off() -> float:
        options = [Options(Sampling(top_p=1.0), seed=seed, seconds=10) for seed in range(2)]
        notes = [note for each in options for note in continued(each, prompt=PROMPT)[0].notes]
        loud = np.array([note.velocity for note in notes])[:, None]
        return float(np.abs(loud - [from_bin(SOFT), from_bin(LOUD)]).min(1).mean())

    with_it = off()
    monkeypatch.setattr("core.generation.logits_processors.Frequencies._MOST_NATS", 0.0)
    assert with_it < 0.8 * off()
