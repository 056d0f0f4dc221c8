from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import GridNote, Prompt, encode_grid
from core.generation.continuation import Continuation
from core.generation.options import Options, Take
from core.generation.ranking import best_first
from core.midi.statistics import apart, music
from core.midi.write import TakeNote
from tests.core.generation.test_continuation import ENGINE, PROMPT


def take(pitches: list[int], each: float) -> Take:
    notes = tuple(TakeNote(p, 82, i * each, (i + 1) * each) for i, p in enumerate(pitches))
    return Take((), notes, len(notes) * each, 0, Options(), "m", 0.0)


def prompt(pitches: list[int], steps: int) -> Prompt:
    notes = [GridNote(i * steps, p, (i + 1) * steps, 20) for i, p in enumerate(pitches)]
    return Prompt(tuple(encode_grid(notes)), len(notes) * steps / 100)


def test_what_goes_on_in_the_prompts_manner_comes_before_what_does_not() -> None:
    tune = [60, 62, 64, 65, 67, 65, 64, 62] * 5
    like, other_pitches, denser, silent = (
        take(tune, 0.5),
        take([p + 18 for p in tune], 0.5),
        take(tune, 0.1),
        take([], 1),
    )
    assert best_first([silent, denser, like, other_pitches], prompt(tune, 50))[0] == 2
    assert best_first([silent, denser, other_pitches], prompt(tune, 50))[-1] == 0
    assert best_first([like, like, like], prompt(tune, 50)) == [0, 1, 2]
    assert best_first([silent, denser, like], Prompt((), 0.0)) == [1, 2, 0]
    # Only the last 20 seconds of the prompt count.
    assert best_first([other_pitches, like], prompt([p + 18 for p in tune] * 3 + tune * 2, 50)) == [1, 0]


@given(st.lists(st.lists(st.integers(30, 90), max_size=12), min_size=1, max_size=6))
def test_a_ranking_is_an_order_of_all_by_distance(many: list[list[int]]) -> None:
    takes = [take(pitches, 0.25) for pitches in many]
    tune = [60, 64, 67, 72] * 10
    order = best_first(takes, prompt(tune, 25))
    assert sorted(order) == list(range(len(takes)))
    end = music(take(tune, 0.25).notes, 10.0)
    distances = [apart(music(takes[i].notes, takes[i].seconds), end) for i in order if takes[i].notes]
    assert not any(takes[i].notes for i in order[len(distances) :])
    assert all(a <= b + 1e-9 for a, b in pairwise(distances))


def test_a_continuation_ranks_its_takes() -> None:
    continuation = Continuation(ENGINE, ENGINE.prepare(PROMPT), Options(seed=3, events=60, takes=4))
    for _ in continuation:
        pass
    assert continuation.ranking == best_first(continuation.takes, PROMPT)
