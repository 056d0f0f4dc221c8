from hypothesis import given, settings
from hypothesis import strategies as st

from core.session import edits_velocity as ev
from core.session.edits import Chosen, Edited, part_notes
from core.session.session import Session
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band_with_take
from tests.core.session.test_clips import CHOSEN, picked, take_of


def loudness(after: Edited) -> list[int]:
    return [part_notes(after.session, part)[i].velocity for part, places in after.chosen.items() for i in places]


def loud(session: Session, *velocities: int) -> Session:
    return ev.set_velocities(session, {0: (range(len(velocities)), velocities)}).session


def test_each_note_gets_its_own_velocity() -> None:
    session = band_with_take()
    after = ev.set_velocities(session, {0: ([3, 1], [7, 300]), take_of(session): ([0, 99], [0, 5])})
    assert loudness(after) == [127, 7, 1]
    assert_sound(after.session)
    assert_written_as_it_is(after.session)


def test_louder_scaled_and_compressed() -> None:
    session = loud(band_with_take(), 20, 60, 100)
    chosen: Chosen = {0: [0, 1, 2]}
    assert loudness(ev.change_velocity(session, chosen, 30)) == [50, 90, 127]
    assert loudness(ev.change_velocity(session, chosen, -30)) == [1, 30, 70]
    assert loudness(ev.scale_velocity(session, chosen, 150)) == [30, 90, 127]
    assert loudness(ev.compress_velocity(session, chosen, 50)) == [40, 60, 80]
    assert loudness(ev.compress_velocity(session, chosen, 0)) == [60, 60, 60]


@settings(max_examples=40)
@given(CHOSEN, st.sampled_from(["change_velocity", "scale_velocity", "compress_velocity"]), st.integers(-500, 500))
def test_only_velocities_of_the_chosen_change(picks: list[tuple[int, int]], name: str, value: int) -> None:
    session = band_with_take()
    chosen = picked(session, picks)
    after, now = getattr(ev, name)(session, chosen, value)
    assert_sound(after)
    assert_written_as_it_is(after)
    for part in (0, 1, 2, take_of(session)):
        before, notes = part_notes(session, part), part_notes(after, part)
        assert [(n.pitch, n.start, n.end) for n in notes] == [(n.pitch, n.start, n.end) for n in before]
        others = set(range(len(notes))) - set(now.get(part, ()))
        assert all(notes[i] == before[i] for i in others)
