import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Prompt
from core.codec.vocabulary import note_off, note_on, time_shift
from core.generation.continuation import Continuation
from core.generation.grammar import Rules
from core.generation.holding import FACTOR, SHORTEST, longest_note
from core.generation.options import Options
from tests.core.generation.test_continuation import ENGINE


def prompt_of(lengths: list[int]) -> Prompt:
    """One note after the other, each so many steps long."""
    events = [e for steps in lengths for e in (note_on(60), *[time_shift(100)] * (steps // 100), note_off(60))]
    return Prompt(tuple(events), 0.0)


@given(st.lists(st.sampled_from([100, 200, 300, 900]), max_size=20), st.floats(0.5, 12))
def test_between_the_shortest_and_the_most(lengths: list[int], most: float) -> None:
    found = longest_note(prompt_of(lengths), most)
    assert found <= most
    assert found == most or found >= SHORTEST
    if lengths:
        assert found <= max(SHORTEST, FACTOR * max(lengths) / 100)
        assert found >= min(most, min(lengths) / 100)


def test_a_prompt_of_short_notes_makes_short_notes() -> None:
    assert longest_note(prompt_of([100] * 9), 10.0) == 1.5
    assert longest_note(prompt_of([]), 10.0) == 10.0
    prepared = ENGINE.prepare(prompt_of([100] * 9))
    longest = []
    for seed in range(4):
        continuation = Continuation(ENGINE, prepared, Options(seed=seed, events=300, rules=Rules(longest_silence=1.0)))
        for _ in continuation:
            pass
        longest.append(max(note.end - note.start for note in continuation.takes[0].notes))
    assert max(longest) == pytest.approx(1.5)  # the network of the tests never lets go by itself
