"""Drawing, dividing, lengthening and erasing notes in the window, by the keys and the mouse."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from core.session.edits import part_notes
from desktop.piano_roll.notes import NoteRef
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.test_song import song
from tests.desktop.windows import BACH, Desk


@pytest.mark.parametrize("where", ["track", "take"])
def test_tools_change_prompt_and_take_each_as_one_step(desk: Callable[..., Desk], where: str) -> None:
    at = desk()
    at.open(BACH)
    take = at.sample(1.0)
    window, document, roll = at.window, at.window.document, at.window.roll
    part: int | str = 0 if where == "track" else take.id
    key = "track:0" if where == "track" else f"take:{take.id}"
    begin = 2.0 if where == "track" else take.marker + 0.5
    hand = Hand(roll)
    start = document.session
    count = len(part_notes(start, part))
    roll.zoom_time(roll.visible_seconds / 4, 0.0)
    roll.scroll_to(begin - 1.0)
    roll.scroll_by(0.0, roll.coordinates.y(104))
    roll.set_selection([NoteRef(key, 0)])

    def tool(name: str, digit: Qt.Key) -> None:
        QTest.keyClick(roll, digit)
        assert roll.tool == name
        assert window.actions_[name].isChecked()

    def drawn() -> list[tuple[float, float]]:
        return [(n.start, n.end) for n in part_notes(document.session, part) if n.pitch == 100]

    def point(seconds: float) -> QPoint:
        return QPointF(hand.at(seconds, 100)).toPoint()

    tool("pencil", Qt.Key.Key_2)
    hand.drag(point(begin), point(begin + 1.0))
    assert len(drawn()) == 1
    assert document.undo_name == "Draw note"
    tool("knife", Qt.Key.Key_4)
    hand.click(point(begin + 0.5))
    assert len(drawn()) == 2
    assert document.undo_name == "Split"
    tool("pointer", Qt.Key.Key_1)
    end = drawn()[1][1]
    for note in roll.selection.refs:
        assert note.part == key
    last = max(roll.selection.refs)
    edge = QPointF(roll.keyboard_width + roll.coordinates.x(roll.note(last).end) - 3, point(begin).y()).toPoint()
    hand.drag(edge, edge + QPoint(round(roll.coordinates.pixels_per_second * 0.5), 0), Qt.KeyboardModifier.AltModifier)
    assert document.undo_name == "Change 2 lengths"
    assert drawn()[1][1] > end + 0.3
    tool("eraser", Qt.Key.Key_3)
    hand.drag(point(begin + 0.1), point(begin + 1.2))
    assert drawn() == []
    assert len(part_notes(document.session, part)) == count
    for _ in range(4):
        window.actions_["undo"].trigger()
    assert document.session.score == start.score
    assert document.session.takes == start.takes


@pytest.mark.parametrize("where", ["track", "take"])
def test_notes_are_written_moved_and_lengthened_by_keys_alone(desk: Callable[..., Desk], where: str) -> None:
    at = desk()
    window, roll, document = at.window, at.window.roll, at.window.document
    window.actions_["insert note"].trigger()
    assert window.status.toolTip().startswith("There is no track to write into")
    at.open(BACH)
    take = at.sample(3.0)  # past where the note is written
    part: int | str = 0 if where == "track" else take.id
    key, marker = ("track:0", 0.0) if where == "track" else (f"take:{take.id}", take.marker)
    start = document.session
    roll.set_selection([NoteRef(key, 0)])
    pitch, step = part_notes(start, part)[0].pitch, roll.grid.step(marker + 1.0)
    taken = {round(roll.grid.nearest_line(n.start + marker), 3) for n in part_notes(start, part) if n.pitch == pitch}
    places = (roll.grid.nearest_line(marker + 1.0 + i * step) for i in range(32))
    line = next(place for place in places if round(place, 3) not in taken)
    window.transport.go_to(line)
    QTest.keyClick(roll, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert document.undo_name == "Draw note"
    (ref,) = roll.selection.refs
    drawn = document.session
    roll.clear_selection()
    roll.set_selection([ref])
    QTest.keyClick(roll, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)  # it is there: not a second one over it
    assert (document.session, roll.selection.refs) == (drawn, (ref,))
    assert (ref.part, roll.note(ref).pitch, roll.note(ref).start) == (key, pitch, pytest.approx(line, abs=0.002))
    length = roll.note(ref).end - roll.note(ref).start
    for pressed, change in ((Qt.Key.Key_Right, step), (Qt.Key.Key_Right, 2 * step), (Qt.Key.Key_Left, step)):
        QTest.keyClick(roll, pressed, Qt.KeyboardModifier.ShiftModifier)
        note = roll.note(roll.selection.refs[0])
        assert note.end - note.start == pytest.approx(length + change, abs=0.003)
    assert document.undo_name == "Change length"
    QTest.keyClick(roll, Qt.Key.Key_Up)
    assert roll.note(roll.selection.refs[0]).pitch == pitch + 1
    for _ in range(3):  # the lengths are one step
        window.actions_["undo"].trigger()
    assert (document.session.score, document.session.takes) == (start.score, start.takes)


def test_without_a_selection_notes_are_drawn_in_the_track_in_front(desk: Callable[..., Desk], homes: Path) -> None:
    (homes / "song.mid").write_bytes(song())
    at = desk()
    at.open(homes / "song.mid")
    roll, document = at.window.roll, at.window.document
    roll.marker_moved.emit(8.0)
    take = at.sample(2.0)  # two seconds, then the original comes back
    score = document.session.score
    assert score is not None
    at.window.tracks.brought_forward.emit(score.tracks[1].key)
    roll.clear_selection()
    assert roll.part_to_draw_in(1.0) == "track:1"
    assert roll.part_to_draw_in(9.0) == f"take:{take.id}"
    assert roll.part_to_draw_in(12.0) == "track:1"
    roll.set_selection([NoteRef("track:0", 0)])  # which is behind
    assert roll.part_to_draw_in(1.0) == "track:1"
    at.window.tracks.brought_forward.emit(None)
    assert roll.part_to_draw_in(1.0) == "track:0"
    roll.set_selection([NoteRef("track:1", 0)])
    assert roll.part_to_draw_in(1.0) == "track:1"
    roll.clear_selection()
    assert roll.part_to_draw_in(1.0) == "track:1"  # where the last one was


def test_nothing_is_drawn_or_pasted_under_the_take_that_is_on_view(desk: Callable[..., Desk], homes: Path) -> None:
    (homes / "song.mid").write_bytes(song())
    at = desk()
    at.open(homes / "song.mid")
    window, roll, document = at.window, at.window.roll, at.window.document
    roll.marker_moved.emit(8.0)
    first, second = at.sample(2.0), at.sample(2.0)
    roll.set_selection([NoteRef("track:0", 0)])
    assert roll.part_to_draw_in(1.0) == "track:0"
    assert roll.part_to_draw_in(9.0) == f"take:{second.id}"  # the note is of a track that is not heard there
    roll.clear_selection()
    window.commands.select_take(first.id)
    assert roll.part_to_draw_in(9.0) == f"take:{first.id}"
    roll.set_selection([NoteRef(f"take:{first.id}", 0)])
    assert roll.part_to_draw_in(1.0) == "track:0"  # the take begins later
    roll.set_selection([NoteRef("track:2", 0)])
    assert roll.part_to_draw_in(9.0) == "track:2"  # drums, which play on

    roll.set_selection([NoteRef("track:0", 0), NoteRef("track:1", 0), NoteRef("track:2", 0)])
    window.actions_["copy"].trigger()
    song_before = document.session.score
    for notes in ([], [NoteRef("track:0", 0)], [NoteRef("track:2", 0)]):  # selected
        count = len(document.session.take(first.id).notes)
        roll.set_selection(notes)
        window.transport.go_to(9.0)
        window.actions_["paste"].trigger()
        assert len(document.session.take(first.id).notes) == count + 3
    assert document.session.score is song_before
    roll.marker_moved.emit(4.0)  # the take stays where it is
    roll.clear_selection()
    assert roll.part_to_draw_in(5.0) == "track:2"
    window.commands.select_take("")
    assert roll.part_to_draw_in(9.0) == "track:2"


@pytest.mark.parametrize("step", ["undo", "redo"])
def test_a_step_in_mid_drag_gives_up_the_drag_alone(desk: Callable[..., Desk], step: str) -> None:
    at = desk()
    at.open(BACH)
    at.sample(1.0)
    roll, document = at.window.roll, at.window.document
    if step == "redo":
        at.window.actions_["undo"].trigger()
    before = document.session
    roll.scroll_by(0.0, roll.coordinates.y(104))
    QTest.keyClick(roll, Qt.Key.Key_2)
    hand = Hand(roll)
    QTest.mousePress(roll.viewport(), Qt.MouseButton.LeftButton, pos=QPointF(hand.at(1.0, 100)).toPoint())
    assert roll.has_gesture
    at.window.actions_[step].trigger()
    assert not roll.has_gesture
    QTest.mouseRelease(roll.viewport(), Qt.MouseButton.LeftButton, pos=QPointF(hand.at(2.0, 100)).toPoint())
    assert document.session is before
