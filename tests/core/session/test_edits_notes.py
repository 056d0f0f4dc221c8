from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.midi.score import TakeNote
from core.session import edits, edits_notes
from core.session.edits import Chosen, part_notes
from core.session.session import Session
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band_with_take, picked, take_of


def with_origins() -> Session:
    """A take with notes that know their track and the take that they came from."""
    session = band_with_take()
    take = session.takes[0]
    notes = tuple(replace(n, track=(1, 0), take="earlier") for n in take.notes)
    return session.with_changed_take(replace(take, notes=notes))


def test_a_note_is_drawn_into_track_and_take() -> None:
    session = band_with_take()
    for part, start in ((0, 0.3), (take_of(session), session.marker + 0.3)):
        after, chosen = edits_notes.draw(session, part, 99, 100, start, start + 0.5)
        (index,) = chosen[part]
        note = part_notes(after, part)[index]
        assert (note.pitch, note.velocity) == (99, 100)
        assert note.end - note.start == pytest.approx(0.5, abs=0.002)
        assert len(part_notes(after, part)) == len(part_notes(session, part)) + 1
        assert_sound(after)
        assert_written_as_it_is(after)


def test_what_lies_before_a_take_is_cut_off() -> None:
    session = band_with_take()
    part, marker = take_of(session), session.takes[0].marker
    assert edits_notes.draw(session, part, 60, 80, marker - 2, marker - 1) == (session, {})
    after, chosen = edits_notes.draw(session, part, 99, 80, marker - 2, marker + 1)
    note = part_notes(after, part)[chosen[part][0]]
    assert (note.start, note.end) == (0.0, pytest.approx(1.0))


def test_nothing_is_drawn_into_a_part_that_is_not_there() -> None:
    session = band_with_take()
    assert edits_notes.draw(session, "none", 60, 80, 1, 2) == (session, {})
    assert edits_notes.draw(session, 99, 60, 80, 1, 2) == (session, {})


def test_both_halves_of_a_divided_note_are_chosen_and_as_long_as_it_was() -> None:
    session = band_with_take()
    part = take_of(session)
    longest = session.takes[0].notes[2]
    after, chosen = edits_notes.split(session, {part: [2]}, session.takes[0].marker + 3.5)
    halves = [part_notes(after, part)[i] for i in chosen[part]]
    assert [(n.start, pytest.approx(n.end)) for n in halves] == [(longest.start, 3.5), (3.5, longest.end)]
    note = part_notes(session, 1)[0]
    after, chosen = edits_notes.split(after, {1: [0]}, (note.start + note.end) / 2)
    assert len(chosen[1]) == 2
    assert_sound(after)
    assert_written_as_it_is(after)


@pytest.mark.parametrize("edit", ["transpose", "nudge", "resize", "split", "set_velocity"])
def test_edits_keep_where_a_note_of_a_take_comes_from(edit: str) -> None:
    session = with_origins()
    part = take_of(session)
    every: Chosen = {part: range(3)}
    after, _ = {
        "transpose": lambda: edits.transpose(session, every, 1),
        "nudge": lambda: edits.nudge(session, every, 100),
        "set_velocity": lambda: edits.set_velocity(session, every, 1),
        "resize": lambda: edits_notes.resize(session, every, 50.0, 100.0),
        "split": lambda: edits_notes.split(session, every, session.takes[0].marker + 0.4),
    }[edit]()
    assert after != session
    notes = part_notes(after, part)
    assert {(n.track, n.take) for n in notes if isinstance(n, TakeNote)} == {((1, 0), "earlier")}


def test_lengths_change_by_the_same_ticks_whatever_the_tempo() -> None:
    session = band_with_take()
    notes = part_notes(session, 0)
    assert len({(n.end - n.start) / (n.end_tick - n.start_tick) for n in notes}) > 1  # type: ignore[union-attr]
    after, _ = edits_notes.resize(session, {0: range(len(notes))}, 0.0, 120.4)
    longer = [(n.pitch, n.start_tick, n.end_tick - 120) for n in part_notes(after, 0)]  # type: ignore[union-attr]
    assert longer == [(n.pitch, n.start_tick, n.end_tick) for n in notes]  # type: ignore[union-attr]


CHOSEN = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=6)
SECONDS = st.floats(-3, 8) | st.floats(-1e9, 1e9)
TICKS = st.floats(-3000, 8000) | st.floats(-1e12, 1e12)


@settings(max_examples=60)
@given(CHOSEN, TICKS, TICKS)
def test_no_resizing_loses_a_note_or_makes_it_shorter_than_a_tick(
    picks: list[tuple[int, int]], start_by: float, end_by: float
) -> None:
    session = band_with_take()
    chosen = picked(session, picks)
    after, now = edits_notes.resize(session, chosen, start_by, end_by)
    assert_sound(after)
    assert {part: len(indices) for part, indices in now.items()} == {
        part: len(there) for part, indices in chosen.items()
        if (there := {i for i in indices if i < len(part_notes(session, part))})
    }  # fmt: skip
    for part in (0, 1, 2, take_of(session)):
        before, notes = part_notes(session, part), part_notes(after, part)
        assert sorted(n.pitch for n in notes) == sorted(n.pitch for n in before)
        assert all(n.end > n.start for n in notes)
    assert_written_as_it_is(after)


@settings(max_examples=60)
@given(CHOSEN, SECONDS)
def test_dividing_keeps_the_time_that_sounds(picks: list[tuple[int, int]], seconds: float) -> None:
    session = band_with_take()
    after, _ = edits_notes.split(session, picked(session, picks), seconds)
    assert_sound(after)
    for part in (0, 1, 2, take_of(session)):
        before, notes = part_notes(session, part), part_notes(after, part)
        assert sum(n.end - n.start for n in notes) == pytest.approx(sum(n.end - n.start for n in before))
    assert_written_as_it_is(after)
