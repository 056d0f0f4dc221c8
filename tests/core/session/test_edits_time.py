"""Edits of time and pitch: what each does, and what none may do to the notes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.midi.score import TakeNote
from core.session import edits_pitch, edits_time
from core.session.edits import Chosen, Edited, part_notes
from core.session.session import Session, session_from_midi
from tests.core.midi.builders import file_of, off, on
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band_with_take
from tests.core.session.test_clips import CHOSEN, picked, take_of


def tune() -> Session:
    """C E G B, a quarter apart, an eighth and a bit long; then C again."""
    notes = [message for pitch in (60, 64, 67, 71, 60) for message in (on(pitch, 220), off(pitch, 260))]
    return session_from_midi(file_of(notes), "tune.mid")


def ticks(after: Edited) -> list[tuple[int, int, int]]:
    notes = part_notes(after.session, 0)
    return [(n.pitch, n.start_tick, n.end_tick) for n in notes]  # type: ignore[union-attr]


ALL: Chosen = {0: range(5)}
STARTS = [220, 700, 1180, 1660, 2140]


def test_lengths() -> None:
    assert [e - s for _, s, e in ticks(edits_time.set_length(tune(), ALL, 2))] == [240] * 5
    assert [e for _, _, e in ticks(edits_time.legato(tune(), ALL))] == [*STARTS[1:], 2400]


def test_legato_is_by_track_and_leaves_chords_whole() -> None:
    """In a take a bass note lasts until the next of the bass; a chord that is spread a little is a chord."""
    session = band_with_take()
    take = session.takes[0]
    bass, chord = (0, 1), (0, 0)
    notes = (
        TakeNote(36, 80, 0.0, 0.3, track=bass),
        TakeNote(60, 80, 0.5, 0.6, track=chord),
        TakeNote(64, 80, 0.51, 0.6, track=chord),
        TakeNote(62, 80, 1.0, 1.2, track=chord),
        TakeNote(38, 80, 2.0, 2.1, track=bass),
    )
    session = session.with_changed_take(replace(take, notes=notes))
    after = edits_time.legato(session, {take.id: range(5)})
    ends = {n.pitch: pytest.approx(n.end) for n in part_notes(after.session, take.id)}
    assert ends == {36: 2.0, 60: 1.0, 64: 1.0, 62: 1.2, 38: 2.1}


def test_reversed_and_stretched() -> None:
    assert [(p, s) for p, s, _ in ticks(edits_time.reverse(tune(), ALL))] == [
        (60, 220), (71, 700), (67, 1180), (64, 1660), (60, 2140)
    ]  # fmt: skip
    assert [(s, e) for _, s, e in ticks(edits_time.stretch(tune(), {0: [0, 1]}, 200))][:2] == [(220, 740), (1180, 1700)]


def test_swing_moves_off_beats_and_leaves_beats() -> None:
    session = session_from_midi(file_of([on(60, 0), off(60, 240), on(62, 0), off(62, 240)]), "x.mid")
    assert [(s, e) for _, s, e in ticks(edits_time.swing(session, {0: [0, 1]}, 75))] == [(0, 360), (360, 600)]


def test_swing_keeps_lengths_but_for_the_next_note_of_the_pitch() -> None:
    notes = [on(60, 0), off(60, 440), on(62, 40), off(62, 440), on(64, 280), off(64, 200), on(64, 40), off(64, 400)]
    session = session_from_midi(file_of(notes), "x.mid")
    after = ticks(edits_time.swing(session, {0: [0, 1, 2, 3]}, 60))
    assert after == [(60, 0, 440), (62, 480, 920), (64, 1248, 1440), (64, 1440, 1840)]


def test_joining_makes_one_note_of_a_pitch() -> None:
    after = edits_time.join(tune(), ALL)
    assert ticks(after) == [(60, 220, 2400), (64, 700, 960), (67, 1180, 1440), (71, 1660, 1920)]
    assert after.chosen == {0: [0, 1, 2, 3]}


def test_mirrored_and_by_degrees() -> None:
    assert [p for p, _, _ in ticks(edits_pitch.mirror(tune(), ALL))] == [71, 67, 64, 60, 71]
    assert [p for p, _, _ in ticks(edits_pitch.transpose_in_key(tune(), ALL, 1))] == [62, 65, 69, 72, 62]
    session = tune()
    session = session.with_settings(replace(session.settings, scale="A minor"))  # a key that is chosen goes before
    there = edits_pitch.transpose_in_key(session, ALL, 3)
    assert ticks(edits_pitch.transpose_in_key(*there, -3)) == ticks(Edited(session, {}))


def test_humanising_goes_no_further_than_told() -> None:
    session = tune()
    after = edits_time.humanise(session, ALL, 20, seed=3)
    moved = [n.start - o.start for n, o in zip(part_notes(after.session, 0), part_notes(session, 0), strict=True)]
    assert any(moved)
    assert max(map(abs, moved)) <= 0.0211
    assert ticks(edits_time.humanise(session, ALL, 20, seed=3)) == ticks(after)


EDITS: dict[str, Callable[[Session, Chosen, int], Edited]] = {
    "length": edits_time.set_length,
    "legato": lambda s, c, n: edits_time.legato(s, c),
    "reverse": lambda s, c, n: edits_time.reverse(s, c),
    "stretch": edits_time.stretch,
    "humanise": lambda s, c, n: edits_time.humanise(s, c, n, n),
    "swing": edits_time.swing,
    "mirror": lambda s, c, n: edits_pitch.mirror(s, c),
    "degrees": edits_pitch.transpose_in_key,
}


@pytest.mark.parametrize("name", EDITS)
@settings(max_examples=25)
@given(picks=CHOSEN, number=st.integers(1, 400))
def test_no_note_is_lost_and_others_stay(name: str, picks: list[tuple[int, int]], number: int) -> None:
    session = band_with_take()
    chosen = picked(session, picks)
    after, now = EDITS[name](session, chosen, number)
    assert_sound(after)
    assert_written_as_it_is(after)
    for part in (0, 1, 2, take_of(session)):
        before, notes = part_notes(session, part), part_notes(after, part)
        there = {i for i in chosen.get(part, ()) if i < len(before)}
        assert len(notes) == len(before)
        assert len(now.get(part, ())) == len(there)
        others = [n for i, n in enumerate(before) if i not in there]
        assert [n for i, n in enumerate(notes) if i not in now.get(part, ())] == others
