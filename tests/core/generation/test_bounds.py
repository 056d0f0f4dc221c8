import pytest

from core.codec.events import Prompt
from core.codec.vocabulary import VELOCITY, note_off, note_on, time_shift
from core.generation.bounds import Bounds, bounds_of
from core.generation.continuation import Continuation
from core.generation.grammar import Rules
from core.generation.options import Options
from tests.core.generation.test_continuation import ENGINE


def chords(count: int, seconds: float, size: int) -> Prompt:
    """Chords of so many notes from middle C up, one after the other."""
    pitches = range(60, 60 + size)
    chord = [*map(note_on, pitches), time_shift(round(seconds * 100)), *map(note_off, pitches)]
    return Prompt((VELOCITY.first + 20, *chord * count), count * seconds)


def test_bounds_lie_beyond_the_prompt() -> None:
    # Eight chords begin within two seconds, the first just not.
    assert bounds_of(chords(20, 0.25, 7)) == Bounds(2.0, 48, 78, 9, 84)
    assert bounds_of(chords(9, 1.0, 1)) == Bounds(2.0, 48, 72, 6, 16)
    assert bounds_of(chords(2, 4.0 / 5, 1)) == Bounds(2.0, 48, 72, 6, 16)
    assert bounds_of(Prompt((), 0.0)) is None


@pytest.mark.parametrize(("held", "longest"), [(1, 2.0), (4, 6.0), (5, 7.5), (7, 7.5), (9, 9.0)])
def test_very_long_notes_come_only_where_the_prompt_has_them(held: int, longest: float) -> None:
    bounds = bounds_of(Prompt((note_on(60), *[time_shift(100)] * held, note_off(60)), held))
    assert bounds is not None
    assert bounds.longest_note == longest


def test_a_take_keeps_within_them() -> None:
    prepared = ENGINE.prepare(chords(9, 0.5, 2))
    longest = []
    for seed in range(4):
        continuation = Continuation(ENGINE, prepared, Options(seed=seed, events=300, rules=Rules(longest_silence=1.0)))
        for _ in continuation:
            pass
        notes = continuation.takes[0].notes
        longest.append(max(note.end - note.start for note in notes))
        assert {note.pitch for note in notes} <= set(range(48, 74))
    assert max(longest) == pytest.approx(2.0)  # the network of the tests hardly lets go by itself
