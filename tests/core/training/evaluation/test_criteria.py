"""The measures of takes, on takes whose faults are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.midi.score import TakeNote
from core.midi.statistics import Music, apart, music
from core.training.evaluation.criteria import Example, criteria, longest_silence, share_on_grid

C_MAJOR, F_SHARP = [60, 62, 64, 65, 67, 69, 71, 72], [66, 68, 70, 71, 73, 75, 77, 78]


def line(pitches: list[int], each: float = 0.5, *, velocity: int = 80) -> list[TakeNote]:
    return [TakeNote(p, velocity, i * each, (i + 1) * each) for i, p in enumerate(pitches)]


def tune(pitches: list[int], seconds: float = 20.0, each: float = 0.5) -> Music:
    return music(line(pitches * 20, each), seconds)


def example(sampled: Music, **changes: object) -> Example:
    own = tune(C_MAJOR)
    return Example("x", 0.0, own, own, sampled)._replace(**changes)


OTHER = tune(F_SHARP, each=0.2)


def test_a_take_like_the_true_music_meets_all() -> None:
    found = criteria([example(tune(C_MAJOR), grid=(0.5,), copied=2.0)])
    assert (found.takes, found.gridded, found.density, found.on_grid) == (1, 1, 1.0, 1.0)
    assert found.in_key == found.true_in_key == 1.0
    assert (found.silences, found.long_notes, found.copies) == (0.0, 0.0, 0.0)


def test_each_fault_is_seen_by_its_measure() -> None:
    assert criteria([example(tune(C_MAJOR, each=0.35))]).density == 0.0
    assert criteria([example(tune(C_MAJOR, each=0.4))]).density == 1.0
    assert criteria([example(tune(F_SHARP))]).in_key == pytest.approx(2 / 8)
    assert criteria([example(tune(C_MAJOR)), example(music(line(C_MAJOR), 20.0))]).silences == 0.5
    held = music([*line(C_MAJOR), TakeNote(40, 80, 1.0, 9.5)], 20.0)
    assert criteria([example(held)]).long_notes == pytest.approx(1 / 9)
    assert criteria([example(tune(C_MAJOR, each=0.52), grid=(0.5,))]).on_grid < 0.1  # type: ignore[operator]
    copied = [example(tune(C_MAJOR), copied=9.0), example(tune(C_MAJOR), copied=7.0), example(tune(C_MAJOR))]
    assert criteria(copied).copies == 0.5


def test_a_take_is_held_against_all_other_pieces() -> None:
    def found(*sampled: Music) -> float | None:
        """Of takes after prompts of these pieces: one in C major, twice, one in F sharp, one between the two."""
        trues = (tune(C_MAJOR), tune(C_MAJOR), OTHER, tune(C_MAJOR, each=0.3))
        rows = zip(("c", "c", "f", "b"), trues, sampled, strict=False)
        return criteria([Example(piece, 0.0, true, true, take) for piece, true, take in rows]).nearer_to_own

    assert found(tune(C_MAJOR)) is None  # there is no other piece
    assert found(tune(C_MAJOR), OTHER) is None  # nor here
    assert found(tune(C_MAJOR), tune(C_MAJOR), OTHER) == 1.0
    assert found(OTHER, OTHER, tune(C_MAJOR)) == 0.0
    # After the last prompt, two of the three others are nearer than its own.
    assert found(tune(C_MAJOR), tune(C_MAJOR), OTHER, tune(C_MAJOR)) == pytest.approx((1 + 1 + 1 + 1 / 3) / 4)


def test_silences_at_both_ends_and_between_count() -> None:
    assert longest_silence(music([], 5.0)) == 5.0
    notes = [TakeNote(60, 80, 1.0, 2.0), TakeNote(62, 80, 1.5, 1.6), TakeNote(64, 80, 4.5, 5.0)]
    assert longest_silence(music(notes, 6.0)) == 2.5
    assert longest_silence(music(notes, 9.0)) == 4.0
    assert longest_silence(music([TakeNote(60, 80, 3.0, 9.0)], 6.0)) == 3.0


def test_a_line_of_any_division_counts() -> None:
    triplets = music([TakeNote(60, 80, i / 6, i / 6 + 0.1) for i in range(6)], 1.0)
    assert share_on_grid(triplets, [0.25]) == pytest.approx(2 / 6)
    assert share_on_grid(triplets, [0.25, 1 / 6]) == 1.0


def test_nothing_measured_is_none() -> None:
    found = criteria([])
    assert (found.takes, found.gridded) == (0, 0)
    assert found.nearer_to_own is found.density is found.in_key is found.on_grid is found.copies is None
    assert share_on_grid(music([], 1.0), [0.1]) is None


@given(st.integers(0, 2**32 - 1))
def test_apart_is_a_distance_from_0_to_1(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def some() -> Music:
        pitches = rng.integers(20, 100, rng.integers(0, 40)).tolist()
        return music(line(pitches, float(rng.uniform(0.05, 1)), velocity=int(rng.integers(1, 128))), 20.0)

    a, b = some(), some()
    assert apart(a, a) == 0
    assert apart(a, b) == pytest.approx(apart(b, a))
    assert 0 <= apart(a, b) <= 1
