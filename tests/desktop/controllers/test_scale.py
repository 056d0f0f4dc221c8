"""Scale, fold and chords in the window: menus, keys and settings."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.midi.chords import Chord
from core.midi.scale import Scale
from core.session.export import midi_bytes
from desktop.piano_roll.chord_strip import HEIGHT, ChordStrip
from desktop.piano_roll.coordinates import ALL_ROWS
from desktop.piano_roll.keyboard import KEYBOARD_WIDTH
from desktop.piano_roll.notes import NoteRef
from tests.desktop.test_song import song
from tests.desktop.windows import BACH, Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_the_scale_is_found_or_chosen_and_remembered(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll, actions = at.window, at.window.roll, at.window.actions_
    at.wait(lambda: "C major" in actions["scale auto"].text(), "the key to be found")
    assert roll._paper.scale is None
    QTest.keyClick(roll, Qt.Key.Key_S, SHIFT)
    assert roll._paper.scale == Scale(0, "major")
    actions["scale dorian"].trigger()
    actions["tonic 2"].trigger()
    assert roll._paper.scale == Scale(2, "dorian")
    assert window.preferences.now.scale == "D dorian"
    checked = [
        action for action in actions._by_name if action.startswith(("scale ", "tonic ")) and actions[action].isChecked()
    ]
    assert checked == ["scale dorian", "tonic 2"]
    QTest.keyClick(roll, Qt.Key.Key_S, SHIFT)
    assert (roll._paper.scale, window.preferences.now.scale) == (None, "off")
    QTest.keyClick(roll, Qt.Key.Key_S, SHIFT)
    assert roll._paper.scale == Scale(2, "dorian")
    window.preferences.flush()
    at.settle()
    again = desk()
    assert again.window.roll._paper.scale == Scale(2, "dorian")
    again.window.actions_["scale auto"].trigger()
    assert again.window.actions_["scale auto"].isChecked()


def test_folded_notes_go_by_rows_and_undo_brings_the_bytes_back(desk: Callable[..., Desk], tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(song())
    at = desk()
    at.open(tmp_path / "song.mid")
    window, roll, document = at.window, at.window.roll, at.window.document
    before = midi_bytes(document.session, "score")
    QTest.keyClick(roll, Qt.Key.Key_F, SHIFT)
    assert roll.coordinates.rows.pitches == (36, 38, 42, 43, 67, 71, 72, 74, 76, 77, 79)
    assert window.preferences.now.folds
    roll.set_selection([NoteRef("track:0", 0), NoteRef("track:0", 1)])  # 74 and 71
    QTest.keyClick(roll, Qt.Key.Key_Up)
    notes = document.session.score.tracks[0].notes  # type: ignore[union-attr]
    assert [note.pitch for note in notes[:3]] == [76, 72, 67]
    assert document.undo_name == "Transpose"
    roll.copied.emit(roll.selection, 0.0, -2)  # Ctrl-drag, two rows down: 72 and 67
    assert len(document.session.score.tracks[0].notes) == len(notes) + 2  # type: ignore[union-attr]
    assert sorted(roll.pitch_of(ref) for ref in roll.selection.refs) == [67, 72]
    window.actions_["undo"].trigger()
    roll.set_selection([NoteRef("track:0", 0), NoteRef("track:0", 1)])
    window.actions_["octave up"].trigger()
    assert 88 in roll.coordinates.rows.pitches
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    assert midi_bytes(document.session, "score") == before
    QTest.keyClick(roll, Qt.Key.Key_F, SHIFT)
    assert roll.coordinates.rows == ALL_ROWS


def test_chords_are_found_on_another_thread(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def find(*notes: object) -> list[Chord]:
        threads.append(threading.current_thread())
        return [Chord(0.0, 1.0, 2, "m", 2)]

    monkeypatch.setattr("desktop.controllers.scale.find_chords", find)
    at = desk()
    at.open(BACH)
    strip = at.window.roll.findChild(ChordStrip)
    assert strip is not None
    QTest.keyClick(at.window.roll, Qt.Key.Key_H, SHIFT)
    at.wait(lambda: strip.names, "the chords")
    assert strip.names == ["Dm"]
    assert threading.main_thread() not in threads


def test_chords_stand_over_the_ruler_where_they_begin(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll = at.window, at.window.roll
    strip = roll.findChild(ChordStrip)
    assert strip is not None
    assert not strip.isVisible()
    top = roll.viewport().geometry().top()
    QTest.keyClick(roll, Qt.Key.Key_H, SHIFT)
    at.wait(lambda: strip.names, "the chords")
    assert strip.names == ["C", "Dm7/C", "G7/B", "C", "Am/C", "D7/C", "G/B", "Cmaj7/B", "Am7", "D7"]
    assert strip.geometry().bottom() + 1 == roll.viewport().geometry().top() == top + HEIGHT
    second = window.document.session.tempo_map.seconds(window.document.session.tempo_map.bar_tick(1))
    chord = strip.chord_at(KEYBOARD_WIDTH + roll.coordinates.x(second) + 2)
    assert chord is not None
    assert (chord.root, chord.kind) == (2, "m7")
    roll.select_all()
    window.actions_["delete notes"].trigger()
    at.wait(lambda: not strip.names, "the chords to go with their notes")
    QTest.keyClick(roll, Qt.Key.Key_H, SHIFT)
    assert roll.viewport().geometry().top() == top
    assert not window.preferences.now.chords


def test_editing_can_be_silent(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll = at.window, at.window.roll
    sounds: list[int] = []
    window.playback.note = lambda pitch, *_: sounds.append(pitch)  # type: ignore[method-assign]
    window.actions_["hear edits"].trigger()
    assert not window.preferences.now.hears_edits
    roll.note_pressed.emit(NoteRef("track:0", 0))
    roll.set_selection([NoteRef("track:0", 0)])
    QTest.keyClick(roll, Qt.Key.Key_Up)
    assert sounds == []
    window.actions_["hear edits"].trigger()
    QTest.keyClick(roll, Qt.Key.Key_Down)
    assert sounds == [window.document.session.score.tracks[0].notes[0].pitch]  # type: ignore[union-attr]
