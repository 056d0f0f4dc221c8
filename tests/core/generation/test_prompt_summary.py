"""The end of a prompt, and a take that is held to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Prompt, decode
from core.codec.vocabulary import note_off, note_on, time_shift
from core.generation.options import Options, Sampling, Take
from core.generation.prompt_summary import end_notes, summarize
from tests.core.generation.test_continuation import continued
from tests.core.generation.tunes import SCALE, line

# Chords nearly all of which are low: a network that knows nothing spreads its notes over the whole range.
LOW = (40, 43, 45, 48, 52, 55)
CHORD = [*map(note_on, LOW), time_shift(10), *map(note_off, LOW), time_shift(30)]
PROMPT = Prompt(tuple([note_on(96), time_shift(40), note_off(96), *CHORD * 50]), 20.4)


def takes() -> list[Take]:
    options = [Options(Sampling(top_p=1.0), seed=seed, seconds=10) for seed in range(2)]
    return [continued(each, prompt=PROMPT)[0] for each in options]


def pitch_off(take: Take) -> float:
    return abs(float(np.mean([note.pitch for note in take.notes])) - float(np.mean(LOW)))


def test_leaning_to_the_register_brings_takes_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = np.mean([pitch_off(take) for take in takes()])
    monkeypatch.setattr("core.generation.logits_processors.Register._NATS", 0.0)
    assert with_it < 0.5 * np.mean([pitch_off(take) for take in takes()])


def test_only_the_end_of_a_prompt_counts_and_only_if_there_is_enough_of_it() -> None:
    assert {note.pitch for note in end_notes(PROMPT)} == set(LOW)
    assert end_notes(Prompt(tuple(line(list(SCALE)[:7])), 1.75)) == ()
    assert len(end_notes(Prompt(tuple(line(list(SCALE))), 2.0))) == 8
    assert end_notes(Prompt((), 0.0)) == ()


def density(events: list[int]) -> float:
    """Notes per second."""
    return 100 * summarize(Prompt(tuple(events), 0.0)).density


@given(st.integers(5, 60))
def test_steady_notes_are_as_dense_as_they_are(steps: int) -> None:
    assert density(line([*SCALE] * 10, steps)) == pytest.approx(100 / steps, rel=0.05)


def test_what_notes_came_last_tells_most_of_how_dense_it_is() -> None:
    slow, fast = line([*SCALE] * 2, 50)[1:], line([*SCALE] * 10, 10)[1:]  # eight seconds each
    assert density(fast + slow) < 5 < density(slow + fast)  # 6 on average
    assert density(slow + fast) + density(fast + slow) == pytest.approx(12, rel=0.05)


def test_how_long_the_last_note_lasts_changes_nothing() -> None:
    events = line([*SCALE] * 10, 25)
    held = [*events[:-1], *[time_shift(100)] * 4, events[-1]]
    assert density(held) == pytest.approx(density(events), rel=0.05)


def test_a_chord_alone_has_no_density() -> None:
    chord = [*map(note_on, range(60, 70)), time_shift(50), *map(note_off, range(60, 70))]
    assert density(chord) == 0
    assert density(chord * 2) <= 10  # within half a second, counted as one


@given(st.lists(st.one_of(st.integers(0, 255), st.integers(256, 387), st.sampled_from([355])), max_size=300))
def test_it_is_the_end_of_the_whole(events: list[int]) -> None:
    prompt = Prompt(tuple(events), 0.0)
    notes = decode(events)
    end = max((note.end for note in notes), default=0.0)
    late = [note for note in notes if note.start >= end - 20]
    found = end_notes(prompt)
    if len(late) < 8:
        assert not found
        return
    last = max(note.end for note in found)
    assert [(n.pitch, n.velocity) for n in found] == [(n.pitch, n.velocity) for n in late]
    for name in ("start", "end"):
        times = [getattr(note, name) - end for note in late]
        assert [getattr(note, name) - last for note in found] == pytest.approx(times)
