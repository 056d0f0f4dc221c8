from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.midi.read import parse_score
from core.session import edits
from core.session.edits import Chosen, Edited, SessionNoteRef, note_at
from core.session.edits_pitch import transpose_by_rows, transpose_often
from core.session.edits_quantise import QUANTISE_GRIDS, Quantisation, quantise
from core.session.export import midi_bytes
from core.session.forks import accept_take
from core.session.history import History
from core.session.session import Session, session_from_midi
from core.session.storage import parse_session, session_bytes
from tests.core.midi.builders import control, file_of, off, on
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band, band_with_take, midi


def notes_of(session: Session, chosen: Chosen) -> list[Any]:
    """The notes chosen, all of which must be there."""
    notes = [note_at(session, SessionNoteRef(part, int(i))) for part, indices in chosen.items() for i in indices]
    assert None not in notes
    return notes


def pitches(session: Session, chosen: Chosen) -> list[int]:
    return sorted(note.pitch for note in notes_of(session, chosen))


def test_transposing_stops_for_all_where_the_outermost_note_stops() -> None:
    session = band()
    chosen: Chosen = {0: [0, 7], 1: [0]}
    up = edits.transpose(session, chosen, 100)
    assert pitches(up.session, up.chosen) == [36 + 55, 60 + 55, 127]
    down = edits.transpose(session, chosen, -100)
    assert pitches(down.session, down.chosen) == [0, 24, 36]
    assert_written_as_it_is(up.session)


def test_only_the_selected_notes_change_and_the_rest_is_shared() -> None:
    session = band()
    after, chosen = edits.transpose(session, {0: [2]}, 12)
    assert chosen == {0: [2]}
    old, new = session.score, after.score
    assert old is not None
    assert new is not None
    assert [n.pitch for n in new.tracks[0].notes] == [60, 62, 76, 65, 67, 69, 71, 72]
    assert new.tracks[1] is old.tracks[1]
    assert new.tracks[0].notes[0] is old.tracks[0].notes[0]
    assert after.edited == {0}


def test_a_note_moved_past_others_stays_selected() -> None:
    session = band()
    after, chosen = edits.nudge(session, {0: [0]}, 600)
    assert chosen == {0: [2]}
    assert note_at(after, SessionNoteRef(0, 2)).pitch == 60  # type: ignore[union-attr]
    assert_sound(after)


def test_nudging_keeps_the_shape_of_what_is_selected_at_the_start() -> None:
    session = band()
    chosen: Chosen = {0: [1, 3], 1: [1]}
    after, chosen = edits.nudge(session, chosen, -(10**30))
    starts = sorted(note.start_tick for note in notes_of(after, chosen))
    assert starts == [0, 480, 720]


def test_nudging_keeps_rhythm_and_grid_across_a_change_of_tempo() -> None:
    session = band()
    chosen: Chosen = {0: [3, 4, 5], session.current: [0]} if session.current else {0: [3, 4, 5]}
    before = notes_of(session, chosen)
    by = session.tempo_map.tick(before[-1].start) * 2.0 + 0.4  # a track's notes stand on whole ticks
    after, moved = edits.nudge(session, chosen, by)
    for old, new in zip(before, notes_of(after, moved), strict=True):
        assert (new.start_tick - old.start_tick, new.end_tick - old.end_tick) == (round(by), round(by))  # type: ignore[union-attr]
    assert_sound(after)


def test_nudging_a_take_is_exact() -> None:
    session = band_with_take()
    tempo_map, marker = session.tempo_map, session.takes[0].marker
    by = tempo_map.exact_tick(marker + 3.01) - tempo_map.exact_tick(marker + 3.0)
    after, _ = edits.nudge(session, {session.current: [2]}, by)
    assert after.takes[0].notes[2].start == pytest.approx(3.01, abs=1e-9)
    assert after.takes[0].seconds == 5.0
    later, _ = edits.nudge(after, {session.current: [2]}, 200 * by)
    assert later.takes[0].seconds == pytest.approx(6.51)
    assert later.takes[0].events == session.takes[0].events


def test_references_to_nothing_do_nothing() -> None:
    session = band()
    nothing: list[Chosen] = [{}, {9: [0]}, {0: [99]}, {0: [-1]}, {"gone": [0]}]
    for chosen in nothing:
        assert edits.transpose(session, chosen, 1) == Edited(session, {})
        assert edits.delete(session, chosen).session == session
        assert edits.nudge(session, chosen, 1).session == session
        assert quantise(session, chosen, Quantisation("1/4")).session == session


def test_a_format_0_chunk_keeps_its_other_channels_in_order() -> None:
    data = file_of(
        [control(7, 99), on(60), on(40, 0, 1), control(64, 127, 10), off(60, 90), off(40, 5, 1)], smf_format=0
    )
    session = session_from_midi(data, "x.mid")
    assert session.score is not None
    after, _ = edits.set_velocity(session, {0: [0]}, 7)
    out = midi_bytes(after, "score")
    back = parse_score(out, "x.mid")
    assert back.smf_format == 0
    assert [(t.channel, t.notes[0].velocity, t.controls) for t in back.tracks] == [
        (0, 7, session.score.tracks[0].controls),
        (1, 80, ()),
    ]


def test_a_note_moved_across_all_notes_off_is_not_cut() -> None:
    data = file_of([on(60), off(60, 100), control(123, 0, 100), on(62, 10), off(62, 100)])
    session = session_from_midi(data, "x.mid")
    after, _ = edits.nudge(session, {0: [0]}, 150)
    assert_written_as_it_is(after)


def test_an_unedited_score_is_saved_as_it_came() -> None:
    assert midi_bytes(band(), "score") == midi()


EDITS = st.one_of(
    st.tuples(st.just("transpose"), st.integers(-200, 200)),
    st.tuples(st.just("set_velocity"), st.integers(-5, 300)),
    st.tuples(st.just("nudge"), st.one_of(st.integers(-2000, 2000), st.floats(-1e12, 1e12))),
    st.tuples(
        st.just("quantise"),
        st.builds(
            Quantisation,
            st.sampled_from(QUANTISE_GRIDS),
            st.sampled_from(("starts", "ends", "both")),
            st.integers(-5, 120),
            st.integers(0, 100),
        ),
    ),
    st.tuples(st.just("by_rows"), st.integers(-200, 200)),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("accept"), st.none()),
    st.tuples(st.just("duplicate"), st.none()),
    st.tuples(st.just("mute"), st.none()),
)


CHANGES: dict[str, Any] = {
    "quantise": quantise,
    "by_rows": lambda session, chosen, by: transpose_by_rows(session, chosen, (3, 4, 50, 60, 61, 64, 72, 127), by),
}


def apply(session: Session, kind: str, value: object, picks: list[tuple[int, int]]) -> Session:
    parts: list[int | str] = [*range(len(session.score.tracks) if session.score else 0), *(t.id for t in session.takes)]
    chosen: dict[int | str, list[int]] = {}
    for part, index in picks:
        chosen.setdefault(parts[part % len(parts)], []).append(index)
    if kind == "accept":
        return accept_take(session, session.takes[0].id) if session.takes else session
    if kind == "duplicate":
        return session.duplicate_take(session.takes[0].id) if session.takes else session
    if kind == "mute":
        return session.with_flags(0, mute=True, in_prompt=False)
    if kind == "delete":
        return edits.delete(session, chosen).session
    there = {
        (part, i) for part, indices in chosen.items() for i in indices if note_at(session, SessionNoteRef(part, i))
    }
    after, moved = CHANGES.get(kind, getattr(edits, kind, None))(session, chosen, value)  # type: ignore[misc]
    assert len(notes_of(after, moved)) == len(there)
    return after


def without_bin(session: Session) -> Session:
    """Undo takes back all but the bin, in which lie the takes that it took out, and the numbers that are used up."""
    return replace(session, bin=(), numbers=0)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(EDITS, st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6)), max_size=8
    )
)
def test_any_edits_keep_a_session_sound_undo_whole_and_reopen_equal(
    steps: list[tuple[tuple[str, object], list[tuple[int, int]]]],
) -> None:
    start = band_with_take()
    history = History(start)
    states = [start]
    for (kind, value), picks in steps:
        session = apply(history.session, kind, value, picks)
        assert_sound(session)
        history.do(kind, session)
        if history.session is not states[-1]:
            states.append(history.session)
    end = history.session
    assert_written_as_it_is(end)
    assert parse_session(session_bytes(end), "x.continuo") == end
    for state in reversed(states[:-1]):
        assert history.undo()
        assert without_bin(history.session) == without_bin(state)
    assert history.undo() == ""
    assert without_bin(history.session) == without_bin(start)
    assert start == replace(band_with_take(), takes=start.takes, current=start.current)
    while history.redo():
        pass
    assert without_bin(history.session) == without_bin(end)


@given(st.data())
def test_the_same_notes_are_found_after_any_edit_of_others(data: st.DataObject) -> None:
    session = band()
    count = len(edits.part_notes(session, 0))
    order = data.draw(st.permutations(range(count)))
    cut = data.draw(st.integers(1, count - 1))
    moved, kept = order[:cut], order[cut:]
    after = edits.nudge(session, {0: moved}, data.draw(st.integers(-2000, 2000))).session
    found = edits.same_notes(session, after, {0: kept})
    assert found is not None
    assert [edits.part_notes(after, 0)[i] for i in found[0]] == [edits.part_notes(session, 0)[i] for i in kept]
    without = edits.delete(session, {0: moved}).session
    assert edits.same_notes(session, without, {0: [*kept, moved[0]]}) is None


@given(st.integers(1, 24), st.booleans(), st.integers(1, 30))
def test_notes_go_up_or_down_as_often_as_they_can_go_whole(interval: int, is_up: bool, times: int) -> None:
    session = band()
    chosen: Chosen = {0: [0, 7], 1: [0]}
    by = interval if is_up else -interval
    after = transpose_often(session, chosen, by, times)
    old, new = pitches(session, chosen), pitches(after.session, after.chosen)
    (moved,) = {b - a for a, b in zip(old, new, strict=True)}
    assert moved % interval == 0
    assert moved == by * times or min(new) + by < 0 or max(new) + by > 127
    assert min(new) >= 0
    assert max(new) <= 127
