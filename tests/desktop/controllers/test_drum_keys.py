"""Drums in the window: what the keyboard shows and plays, and what a drum sounds like."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.midi.score import TakeNote
from desktop.piano_roll.notes import NoteRef
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.test_song import DRUMS, MELODY, song
from tests.desktop.windows import Desk


@pytest.fixture
def at(desk: Callable[..., Desk], tmp_path: Path) -> Desk:
    (tmp_path / "song.mid").write_bytes(song())
    at_work = desk()
    at_work.open(tmp_path / "song.mid")
    return at_work


Note = tuple[int, int, int]


@pytest.fixture
def sounds(at: Desk, monkeypatch: pytest.MonkeyPatch) -> list[Note]:
    """Pitch, velocity and channel of each note that is asked for."""
    played: list[Note] = []

    def note(pitch: int, velocity: int, channel: int = 0, setup: object = ()) -> None:
        played.append((pitch, velocity, channel))

    monkeypatch.setattr(at.window.playback, "note", note)
    return played


def test_a_drum_track_in_front_has_the_keyboard_and_its_keys_play_it(at: Desk, sounds: list[Note]) -> None:
    roll, hand = at.window.roll, Hand(at.window.roll)
    assert [part.are_drums for part in roll.parts] == [False, False, True]
    assert roll.drum_part == ""
    at.window.tracks.brought_forward.emit(DRUMS)
    assert roll.drum_part == "track:2"
    roll.scroll_by(0.0, roll.coordinates.y(50))
    key = hand.at(0.0, 42)
    key.setX(10)
    hand.click(key)
    assert sounds == [(42, 80, 9), (42, 0, 9)]
    at.window.tracks.brought_forward.emit(MELODY)
    assert roll.drum_part == ""
    hand.click(key)
    assert sounds[2:] == [(42, 80, 0), (42, 0, 0)]


def test_where_only_drums_are_shown_the_keyboard_is_of_drums(at: Desk) -> None:
    window = at.window
    for track in (0, 1):
        window.tracks.hidden_changed.emit(track, True)
    assert window.roll.drum_part == "track:2"
    window.actions_["undo"].trigger()
    assert window.roll.drum_part == ""


def test_while_drums_alone_are_selected_the_keyboard_is_of_drums(at: Desk, sounds: list[Note]) -> None:
    roll, hand = at.window.roll, Hand(at.window.roll)
    roll.scroll_by(0.0, roll.coordinates.y(50))
    roll.set_selection([NoteRef("track:2", 0), NoteRef("track:2", 3)])
    assert roll.drum_part == "track:2"
    key = hand.at(0.0, 42)
    key.setX(10)
    hand.click(key)
    assert sounds == [(42, 80, 9), (42, 0, 9)]
    roll.set_selection([NoteRef("track:2", 0), NoteRef("track:0", 0)])
    assert roll.drum_part == ""
    roll.set_selection([NoteRef("track:2", 1)])
    roll.clear_selection()
    assert roll.drum_part == ""


def test_transposing_and_dragging_sound_in_the_notes_own_voice(at: Desk, sounds: list[Note]) -> None:
    window, roll, hand = at.window, at.window.roll, Hand(at.window.roll)
    roll.scroll_by(0.0, roll.coordinates.y(60))
    roll.set_selection([NoteRef("track:2", 3)])
    QTest.keyClick(roll, Qt.Key.Key_Up)
    assert sounds == [(43, 80, 9)]
    window.audition._tap_timer.timeout.emit()
    assert sounds[1:] == [(43, 0, 9)]
    sounds.clear()
    start, end = hand.at(1.5, 43), hand.at(1.5, 46)
    hand.press(start)
    hand.move(end)
    assert sounds == [(43, 80, 9), (43, 0, 9), (46, 80, 9)]  # as it was, then where it goes
    hand.release(end)
    assert sounds[3:] == [(46, 0, 9)]
    assert [note.pitch for note in window.document.session.score.tracks[2].notes[:4]] == [36, 42, 38, 46]  # type: ignore[union-attr]


def test_all_that_sounds_for_a_moment_ends_whatever_else_has_its_pitch(at: Desk, sounds: list[Note]) -> None:
    """A note of each of two tracks, of one pitch and on two channels: both end."""
    window, roll = at.window, at.window.roll
    note = roll.note(NoteRef("track:0", 0))
    window.editing.draw("track:1", note)
    (other,) = roll.selection.refs
    for name in ("up", "octave up"):
        roll.set_selection([NoteRef("track:0", 0), other])
        sounds.clear()
        window.actions_[name].trigger()
        begun = [(pitch, channel) for pitch, velocity, channel in sounds if velocity]
        assert len(set(begun)) == 2
        window.audition._tap_timer.timeout.emit()
        assert sorted(begun) == sorted((pitch, channel) for pitch, velocity, channel in sounds if not velocity)


def test_notes_of_a_take_are_dragged_and_drawn_in_the_voice_of_their_track(at: Desk, sounds: list[Note]) -> None:
    window, roll, hand = at.window, at.window.roll, Hand(at.window.roll)
    take = at.sample(1.0)
    score = window.document.session.score
    assert score is not None
    melody, bass = score.tracks[0], score.tracks[1]
    notes = (TakeNote(80, 90, 0.0, 0.4, track=bass.key), TakeNote(84, 90, 0.5, 0.9, track=melody.key))
    changed = window.document.session.with_changed_take(replace(take, notes=notes))
    window.document.do("Other notes", changed)
    roll.scroll_to(take.marker - 0.5)
    roll.scroll_by(0.0, roll.coordinates.y(92))
    sounds.clear()
    hand.drag(hand.at(take.marker + 0.2, 80), hand.at(take.marker + 0.2, 82))
    assert {channel for _, _, channel in sounds} == {bass.channel}
    sounds.clear()
    QTest.keyClick(roll, Qt.Key.Key_Up)
    window.audition._tap_timer.timeout.emit()
    assert {channel for _, _, channel in sounds} == {bass.channel}
    window.tracks.brought_forward.emit(bass.key)
    roll.clear_selection()
    sounds.clear()
    roll.set_tool("pencil")
    hand.click(hand.at(take.marker + 0.1, 90))
    assert {channel for _, _, channel in sounds} == {bass.channel}


def test_only_rows_in_use_are_the_drums_while_they_are_in_front(at: Desk) -> None:
    window, roll = at.window, at.window.roll
    window.actions_["fold"].trigger()
    both = roll.coordinates.rows.pitches
    assert {36, 38, 42, 72} <= set(both)
    window.tracks.brought_forward.emit(DRUMS)
    assert roll.coordinates.rows.pitches == (36, 38, 42)
    assert roll.coordinates.pitches == (36, 42)  # all of them are on view
    window.tracks.brought_forward.emit(MELODY)
    assert roll.coordinates.rows.pitches == (67, 71, 72, 74, 76, 77, 79)
    window.tracks.brought_forward.emit(None)
    assert roll.coordinates.rows.pitches == both
    window.actions_["fold"].trigger()
    assert not roll.coordinates.rows.is_folded
