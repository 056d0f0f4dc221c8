from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from core.midi.score import Note, TakeNote
from core.session import clips, edits_notes
from core.session.edits import Chosen, Part, part_notes
from core.session.session import Session, session_from_midi
from tests.core.midi.builders import file_of, off, on
from tests.core.session.sessions import assert_sound, assert_written_as_it_is, band_with_take, picked, take_of


def pasted(session: Session, data: bytes, at: float, into: Part) -> list[Note | TakeNote]:
    after, chosen = clips.paste(session, clips.parse_clip(data), at, into)
    assert_sound(after)
    assert_written_as_it_is(after)
    return [part_notes(after, part)[i] for part, places in chosen.items() for i in places]


def test_a_copy_lands_at_the_place_it_is_pasted_at() -> None:
    session = band_with_take()
    notes = part_notes(session, 0)[2:5]
    data = clips.clip(session, {0: [2, 3, 4]}, notes[0].start)
    at = session.tempo_map.seconds(1440)
    for into in (0, 1):
        new = pasted(session, data, at, into)
        assert [n.pitch for n in new] == [n.pitch for n in notes]
        assert [n.start_tick for n in new] == [1440, 1680, 1920]  # type: ignore[union-attr]
    take = session.takes[0]
    new = pasted(session, data, take.marker + 1.0, take.id)
    assert [n.pitch for n in new] == [n.pitch for n in notes]
    assert new[0].start == pytest.approx(1.0, abs=0.002)
    assert {n.track for n in new if isinstance(n, TakeNote)} == {session.score.tracks[0].key}  # type: ignore[union-attr]


def test_notes_of_a_take_go_into_a_track_and_keep_their_own_in_a_take() -> None:
    session = band_with_take()
    take = session.takes[0]
    played = tuple(replace(note, track=(2, 1)) for note in take.notes)
    session = session.with_changed_take(replace(take, notes=played))
    data = clips.clip(session, {take.id: range(3)}, take.marker)
    assert [n.pitch for n in pasted(session, data, 0.0, 1)] == [60, 64, 67]
    new = pasted(session, data, take.marker + 5.0, take.id)
    assert [n.track for n in new if isinstance(n, TakeNote)] == [(2, 1)] * 3
    assert [n.start for n in new] == pytest.approx([5.0, 5.25, 8.0], abs=0.002)


def test_with_a_track_in_front_one_track_goes_there_in_a_take_and_several_to_their_own() -> None:
    session = band_with_take()
    assert session.score is not None
    take, (first, second) = session.takes[0], (track.key for track in session.score.tracks[:2])
    cases: list[tuple[dict[Part, list[int]], list[object]]] = [
        ({0: [2]}, [second]),
        ({0: [0], 1: [0]}, [first, second]),
    ]
    for picks, expected in cases:
        clip = clips.parse_clip(clips.clip(session, picks, 0.0))
        after, chosen = clips.paste(session, clip, take.marker, take.id, front=second)
        notes = after.take(take.id).notes
        assert sorted(notes[i].track or (0, 0) for i in chosen[take.id]) == expected


def test_several_tracks_go_back_to_their_own_and_to_one_that_is_asked_for() -> None:
    session = band_with_take()
    data = clips.clip(session, {0: [0], 1: [0]}, 0.0)
    after, chosen = clips.paste(session, clips.parse_clip(data), 2.0, 0)
    assert {part: len(places) for part, places in chosen.items()} == {0: 1, 1: 1}
    other = session_from_midi(file_of([on(50, 0, 4), off(50, 96, 4)]), "other.mid")
    after, chosen = clips.paste(other, clips.parse_clip(data), 0.0, 0)
    assert {part: len(places) for part, places in chosen.items()} == {0: 2}
    assert_written_as_it_is(after)


def test_a_file_of_another_resolution_keeps_its_beats() -> None:
    session = band_with_take()
    from mido import Message, MidiFile, MidiTrack

    file = MidiFile(ticks_per_beat=96)
    file.tracks.append(MidiTrack([Message("note_on", note=40, time=48), Message("note_off", note=40, time=96)]))
    from io import BytesIO

    written = BytesIO()
    file.save(file=written)
    (note,) = pasted(session, written.getvalue(), 0.0, 0)
    assert isinstance(note, Note)
    assert (note.start_tick, note.end_tick) == (240, 720)


def test_what_cannot_be_pasted_says_so() -> None:
    session = band_with_take()
    with pytest.raises(UsageError, match="no notes"):
        clips.parse_clip(file_of([]))
    notes = clips.parse_clip(clips.clip(session, {0: [0]}, 0.0))
    with pytest.raises(UsageError, match="no track"):
        clips.paste(session, notes, 0.0, 9)
    with pytest.raises(UsageError, match="begins later"):
        clips.paste(session, notes, 0.0, take_of(session))


CHOSEN = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=6)


@settings(max_examples=50)
@given(CHOSEN, st.integers(-5000, 5000), st.integers(1, 4))
def test_repeating_adds_notes_and_leaves_the_others(picks: list[tuple[int, int]], ticks: int, times: int) -> None:
    session = band_with_take()
    chosen: Chosen = picked(session, picks)
    after, new = edits_notes.repeat(session, chosen, ticks, times)
    assert_sound(after)
    assert_written_as_it_is(after)
    for part in (0, 1, 2, take_of(session)):
        before, notes = part_notes(session, part), part_notes(after, part)
        there = {i for i in chosen.get(part, ()) if i < len(before)}
        assert len(new.get(part, [])) == times * len(there)
        rest = [n for i, n in enumerate(notes) if i not in new.get(part, [])]
        assert rest == list(before)


def test_copies_come_so_much_later_each() -> None:
    session = band_with_take()
    after, new = edits_notes.repeat(session, {1: [0, 1]}, 1920, 3)
    starts = [n.start_tick for n in part_notes(after, 1)]  # type: ignore[union-attr]
    assert starts == [t + 1920 * k for k in range(4) for t in (0, 960)]
    assert new == {1: [2, 3, 4, 5, 6, 7]}
