from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.midi.score import TakeNote
from core.session.arrangement import arrangement
from core.session.assembly import use_bars
from core.session.session import Session, TakeRecord
from core.session.storage import parse_session, session_bytes
from tests.core.session.sessions import assert_sound, band


def two_takes(offset: float = 0.0) -> Session:
    """Takes from 2 s (and a bit) on: eight notes a second apart, 1.5 s long, of pitch 60 and of pitch 70."""
    session = band()
    for name, pitch, at in (("a", 60, 2.0), ("b", 70, 2.0 + offset)):
        notes = tuple(TakeNote(pitch, 80, float(i), i + 1.5, track=(1, 0)) for i in range(8))
        session = session.with_take(TakeRecord(notes=notes, seconds=9.5, marker=at, id=name, name=name))
    return session


def test_bars_of_one_take_stand_in_the_other_at_the_same_place() -> None:
    session = two_takes(offset=0.5)
    after, chosen = use_bars(session, "b", "a", 4.0, 6.0)
    notes = after.take("a").notes
    came = [notes[i] for i in chosen["a"]]
    assert [(n.pitch, n.start, n.end, n.take, n.track) for n in came] == [
        (70, 2.5, 4.0, "b", (1, 0)), (70, 3.5, 4.0, "b", (1, 0))
    ]  # fmt: skip
    own = [(n.start, n.end) for n in notes if n.pitch == 60]
    assert own == [(0.0, 1.5), (1.0, 2.0), *((float(i), i + 1.5) for i in range(4, 8))]
    assert after.current == "a"
    assert after.take("b") == session.take("b")
    assert_sound(after)
    assert parse_session(session_bytes(after), "x.continuo").take("a").notes == notes


def test_a_note_that_comes_home_is_its_takes_own_again() -> None:
    session = use_bars(two_takes(), "b", "a", 4.0, 6.0).session
    session = use_bars(session, "a", "b", 4.0, 6.0).session
    assert {n.take for n in session.take("b").notes} == {""}


def test_what_cannot_be_used_says_so() -> None:
    session = two_takes()
    for source, target, start, end in (("a", "a", 3, 4), ("a", "b", 0, 2), ("a", "b", 40, 50), ("a", "c", 3, 4)):
        with pytest.raises(UsageError):
            use_bars(session, source, target, start, end)


@given(st.floats(0, 12), st.floats(0.01, 12), st.floats(-1, 5))
def test_all_that_lies_outside_stays(start: float, length: float, offset: float) -> None:
    session = two_takes(offset)
    try:
        after, _ = use_bars(session, "b", "a", start, start + length)
    except UsageError:
        return
    assert_sound(after)
    before, notes = session.take("a").notes, after.take("a").notes
    begin = 2.0 + offset  # of the other take
    first, last = max(start, begin, 2.0) - 2.0, min(start + length, begin + 9.5) - 2.0
    outside = [n for n in before if not first <= n.start < last]
    assert [(n.pitch, n.start) for n in notes if n.pitch == 60] == [(n.pitch, n.start) for n in outside]
    assert all(n.take == "b" for n in notes if n.pitch == 70)
    assert replace(after, takes=session.takes, current=session.current) == session


def test_bars_behind_the_end_of_the_target_are_heard_there() -> None:
    session = two_takes()
    short = replace(session.take("a"), notes=session.take("a").notes[:3], end=4.0)
    session = session.with_changed_take(short)
    after, chosen = use_bars(session, "b", "a", 8.0, 10.0)
    song = arrangement(after, after.take("a"))
    heard = [note for notes in song.notes.values() for note in notes if note.pitch == 70]
    assert [note.end - note.start for note in heard] == pytest.approx([1.5, 1.0], abs=0.01)
    assert len(chosen["a"]) == 2
