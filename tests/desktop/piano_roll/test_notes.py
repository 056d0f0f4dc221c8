import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.piano_roll.notes import NoteRef, RollNote, RollPart
from desktop.piano_roll.selection import Selection

roll_notes = st.lists(
    st.builds(
        lambda start, length, pitch, velocity: RollNote(start, start + length, pitch, velocity),
        st.floats(0, 100),
        st.floats(0.01, 30),
        st.integers(0, 127),
        st.integers(1, 127),
    ),
    max_size=40,
)


@given(roll_notes, st.floats(0, 130), st.floats(0, 50), st.integers(0, 127), st.integers(0, 127))
def test_between_finds_just_what_sounds(notes: list[RollNote], start: float, span: float, one: int, other: int) -> None:
    low, high = sorted((one, other))
    part = RollPart.of("a", "take", notes)
    found = part.index[part.between(start, start + span, low, high)].tolist()
    assert sorted(found) == [
        i for i, n in enumerate(notes) if n.start < start + span and n.end > start and low <= n.pitch <= high
    ]


@given(roll_notes, roll_notes)
def test_appending_is_as_given_at_once(first: list[RollNote], then: list[RollNote]) -> None:
    grown, whole = RollPart.of("a", "take", first).with_appended(then), RollPart.of("a", "take", first + then)
    for column in ("start", "end", "pitch", "velocity", "index", "latest"):
        assert np.array_equal(getattr(grown, column), getattr(whole, column))


@given(roll_notes, st.lists(st.integers(-5, 50)))
def test_places_lead_back_to_indices(notes: list[RollNote], indices: list[int]) -> None:
    part = RollPart.of("a", "take", notes)
    assert set(part.index[part.places(indices)].tolist()) == {i for i in indices if 0 <= i < len(notes)}


refs = st.sets(st.builds(NoteRef, st.sampled_from("ab"), st.integers(0, 8)))


@given(refs, refs)
def test_selections_are_sets(one: set[NoteRef], other: set[NoteRef]) -> None:
    a, b = Selection.of(one), Selection.of(other)
    assert set(a.plus(b).refs) == one | other
    assert set(a.toggled(b).refs) == one ^ other
    assert len(a) == len(one)
    assert (a == b) == (one == other)
