"""Copies of notes in the real window, by keys and mouse: between tracks, takes and windows."""

from collections.abc import Callable
from io import BytesIO

import mido
import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtTest import QTest

from core.session.edits import Part, part_notes
from desktop.controllers.clipboard import MIDI_TYPES
from desktop.controllers.roll_parts import roll_key
from desktop.piano_roll.notes import NoteRef
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.windows import BACH, Desk

CONTROL, ESCAPE = Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Escape
_Place = tuple[int, float, float]


def places(at: Desk, part: Part) -> list[_Place]:
    return [
        (n.pitch, round(n.start, 3), round(n.end - n.start, 3)) for n in part_notes(at.window.document.session, part)
    ]


def test_notes_go_from_track_to_take_and_to_another_window(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    take = at.sample(1.0)
    window, roll, document = at.window, at.window.roll, at.window.document
    before, start = places(at, 0), document.session
    first = part_notes(start, 0)[0].start
    roll.set_selection([NoteRef("track:0", i) for i in range(4)])
    QTest.keyClick(roll, Qt.Key.Key_C, CONTROL)
    mime = QGuiApplication.clipboard().mimeData()
    (url,) = mime.urls()
    written = mido.MidiFile(url.toLocalFile())
    assert [m.note for m in written if m.type == "note_on" and m.velocity] == [p for p, _, _ in before[:4]]
    roll.set_selection([NoteRef(f"take:{take.id}", 0)])
    window.transport.go_to(take.marker + 0.51)  # the line nearest to it is at a quarter of a second
    QTest.keyClick(roll, Qt.Key.Key_V, CONTROL)
    line = roll.grid.nearest_line(take.marker + 0.51)
    pasted = [places(at, take.id)[ref.index] for ref in roll.selection.refs]
    assert pasted == [
        (p, pytest.approx(line - take.marker + s - first, abs=0.003), pytest.approx(length, abs=0.003))
        for p, s, length in before[:4]
    ]
    assert document.undo_name == "Paste"
    window.actions_["undo"].trigger()
    assert document.session.takes == start.takes
    other = desk()
    other.open(BACH)
    other.window.transport.go_to(0.0)
    other.window.actions_["paste"].trigger()
    assert len(places(other, 0)) == len(before) + 4
    window.paste_menu.show_parts()
    window.transport.go_to(0.0)
    next(a for a in window.paste_menu.actions() if a.text() == "Left hand").trigger()
    assert [ref.part for ref in roll.selection.refs] == ["track:1"] * 4


@pytest.mark.parametrize("where", ["track", "take"])
def test_cut_duplicate_repeat_and_dragged_copies_are_a_step_each(desk: Callable[..., Desk], where: str) -> None:
    at = desk()
    at.open(BACH)
    take = at.sample(1.0)
    window, roll, document = at.window, at.window.roll, at.window.document
    part: Part = 0 if where == "track" else take.id
    key, before, start = roll_key(part), places(at, part), document.session
    roll.set_selection([NoteRef(key, 0)])
    QTest.keyClick(roll, Qt.Key.Key_D, CONTROL)
    assert document.undo_name == "Duplicate"
    assert len(places(at, part)) == len(before) + 1
    assert [n for n in places(at, part) if n not in before or places(at, part).count(n) > 1]
    window.actions_["repeat"].trigger()
    assert document.undo_name == "Repeat 3 times"
    assert len(places(at, part)) == len(before) + 4
    QTest.keyClick(roll, Qt.Key.Key_X, CONTROL)
    assert document.undo_name == "Cut"
    assert len(places(at, part)) == len(before) + 1
    for _ in range(3):
        window.actions_["undo"].trigger()
    assert (document.session.score, document.session.takes) == (start.score, start.takes)

    note = part_notes(start, part)[0]
    middle = (note.start + note.end) / 2 + (take.marker if where == "take" else 0.0)
    hand = Hand(roll)
    roll.zoom_time(roll.visible_seconds / 4, 0.0)
    roll.scroll_to(middle - 0.5)
    roll.scroll_by(0.0, roll.coordinates.y(note.pitch) - 200)
    grip, to = hand.at(middle, note.pitch), hand.at(middle + 1.0, note.pitch + 5)
    hand.press(grip)
    hand.move(to, CONTROL)
    QTest.keyClick(roll, ESCAPE)
    hand.release(to, CONTROL)
    assert places(at, part) == before
    roll.clear_selection()
    hand.press(grip)
    hand.move(to, CONTROL)
    hand.release(to, CONTROL)
    assert document.undo_name == "Copy note"
    after = places(at, part)
    assert len(after) == len(before) + 1
    assert set(before) <= set(after)
    assert any(p == note.pitch + 5 for p, _, _ in set(after) - set(before))


def test_a_span_is_copied_with_its_silence_and_repeated_by_its_length(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll = at.window, at.window.roll
    tempo_map = window.document.session.tempo_map
    bars = [tempo_map.seconds(tempo_map.bar_tick(i)) for i in range(4)]
    roll.set_span((bars[1], bars[2]))
    window.actions_["duplicate"].trigger()
    for part in (0, 1):
        notes = places(at, part)
        inside = [(p, s + bars[2] - bars[1], length) for p, s, length in notes if bars[1] <= s < bars[2]]
        moved = [(p, pytest.approx(s, abs=0.003), pytest.approx(length, abs=0.003)) for p, s, length in inside]
        assert moved
        assert all(note in notes for note in moved)
    assert window.document.undo_name == "Duplicate"


def test_what_is_no_music_on_the_clipboard_is_told(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    paste = at.window.actions_["paste"]
    QGuiApplication.clipboard().setText("la la")
    paste.trigger()
    mime = QMimeData()
    mime.setData(MIDI_TYPES[0], b"MThd, or not")
    QGuiApplication.clipboard().setMimeData(mime)
    paste.trigger()
    empty = BytesIO()
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(file=empty)
    mime = QMimeData()
    mime.setData(MIDI_TYPES[0], empty.getvalue())
    QGuiApplication.clipboard().setMimeData(mime)
    paste.trigger()
    at.window.actions_["copy"].trigger()  # of nothing selected
    assert at.messages[-4] == at.messages[-2] == "There are no notes on the clipboard."
    assert "The clipboard" in at.messages[-3]
    assert "Select notes" in at.messages[-1]
    at.answers.numbers = [2]
    at.window.actions_["repeat"].trigger()
    assert at.answers.numbers == [2]  # nobody was asked
    assert at.messages[-1] == at.messages[-2]


def test_a_platform_may_have_nothing_on_its_clipboard(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = desk()
    at.open(BACH)
    monkeypatch.setattr(QClipboard, "mimeData", lambda *_: None)
    at.window.actions_["paste"].trigger()
    assert at.messages[-1] == "There are no notes on the clipboard."
