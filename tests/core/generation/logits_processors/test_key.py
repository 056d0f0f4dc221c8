"""In the key of the prompt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.codec.events import Prompt
from core.codec.vocabulary import BOUNDARY, NOTE_ON, VOCABULARY_SIZE
from core.errors import UsageError
from core.generation.logits_processors import KeyPenalty
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import summarize
from tests.core.generation.test_continuation import continued
from tests.core.generation.tunes import SCALE, line, position

C_MAJOR = {0, 2, 4, 5, 7, 9, 11}


def penalties(events: list[int], nats: float) -> NDArray[np.float32]:
    """What the key adds to even logits after a prompt of these events."""
    processor = KeyPenalty(summarize(Prompt(tuple(events), 0.0)), nats)
    return processor.process(np.zeros(VOCABULARY_SIZE, np.float32), position())


@given(st.permutations(SCALE * 4), st.integers(-20, 20), st.floats(0.01, 10))
def test_notes_outside_the_key_and_nothing_else_become_less_likely(pitches: list[int], up: int, nats: float) -> None:
    added = penalties(line([p + up for p in pitches]), nats)
    assert not added[NOTE_ON.end :].any()
    less = {pitch for pitch in range(128) if added[pitch] < 0}
    assert {p % 12 for p in range(128) if p not in less}.isdisjoint(p % 12 for p in less)
    assert len({p % 12 for p in less}) in (4, 5)  # a minor key has a note more
    assert not {p + up for p in pitches} & less or len({p % 12 for p in less}) == 4
    assert np.unique(added[added < 0]) == pytest.approx([-nats], rel=1e-6)


def test_the_more_of_the_prompt_lies_outside_the_less_is_held_against_it() -> None:
    def nats(outside: int) -> float:
        return -float(penalties(line(list(SCALE * 12) + [61] * outside), 2.0).min())

    assert nats(0) == 2.0
    assert 2.0 > nats(2) > nats(5) > 0
    assert nats(11) == 0
    assert not penalties(line(list(range(48, 84)) * 3), 2.0).any()


def test_a_prompt_too_short_to_have_a_key_has_none() -> None:
    assert not penalties(line(list(SCALE)), 2.0).any()
    assert not penalties([BOUNDARY], 2.0).any()
    assert not penalties([], 2.0).any()
    assert not penalties(line(list(SCALE * 4)), 0.0).any()


def test_only_the_end_of_the_prompt_counts() -> None:
    f_sharp = [p + 6 for p in SCALE]
    added = penalties(line(f_sharp * 30 + list(SCALE) * 16), 1.0)
    assert {p % 12 for p in range(128) if added[p] == 0} == C_MAJOR


def test_a_take_keeps_to_the_key_the_more_the_stronger() -> None:
    prompt = Prompt(tuple(line(list(SCALE) * 2)), 4.0)

    def inside(strength: float) -> float:
        notes = [
            n
            for seed in range(6)
            for n in continued(
                Options(Sampling(2.0, top_p=1.0, key_strength=strength), seed=seed, seconds=20), prompt=prompt
            )[0].notes
        ]
        return sum(n.pitch % 12 in C_MAJOR for n in notes) / len(notes)

    shares = [inside(strength) for strength in (0.0, 2.0, 20.0)]
    assert shares[0] < 0.8
    assert shares[0] < shares[1] < shares[2] == 1.0


@pytest.mark.parametrize("wrong", [-0.1, 21.0, float("nan")])
def test_strengths_out_of_range_are_refused(wrong: float) -> None:
    with pytest.raises(UsageError):
        Sampling(key_strength=wrong)
