"""A track in front: notes of the others are seen behind it, and no gesture takes hold of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.piano_roll.lanes.velocity import VelocityLane
from desktop.piano_roll.notes import NoteRef
from desktop.widgets.theme import Shade
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.piano_roll.lane_hand import LaneHand
from tests.desktop.test_song import BASS, song
from tests.desktop.windows import Desk

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
FIRST_OF_MELODY, FIRST_OF_BASS = (0.25, 74), (0.5, 43)  # seconds and pitches within them


@pytest.fixture
def at(desk: Callable[..., Desk], homes: Path) -> Desk:
    """A melody, a bass and drums, with the bass in front."""
    (homes / "song.mid").write_bytes(song())
    at_work = desk()
    at_work.open(homes / "song.mid")
    at_work.window.tracks.brought_forward.emit(BASS)
    roll = at_work.window.roll
    roll.zoom_time(4.0, 0.0)
    roll.scroll_to(0.0)
    QApplication.processEvents()
    return at_work


@pytest.mark.parametrize("key", [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4])
def test_no_tool_takes_hold_of_a_note_behind(at: Desk, key: Qt.Key) -> None:
    roll, hand, document = at.window.roll, Hand(at.window.roll), at.window.document
    assert document.session.score is not None
    before = document.session.score.tracks
    QTest.keyClick(roll, key)
    hand.drag(hand.at(*FIRST_OF_MELODY), hand.at(*FIRST_OF_MELODY) + QPoint(200, 30))
    assert document.session.score is not None
    after = document.session.score.tracks
    assert (after[0], after[2]) == (before[0], before[2])
    assert len(after[1].notes) - len(before[1].notes) == (1 if roll.tool == "pencil" else 0)  # it writes over them
    assert set(roll.selection.indices) <= {"track:1"}
    assert roll.note_seen_at(*_place(hand, *FIRST_OF_MELODY)) == NoteRef("track:0", 0)


def _place(hand: Hand, seconds: float, pitch: int) -> tuple[float, float]:
    point = hand.at(seconds, pitch)
    return point.x() - hand.roll.keyboard_width, point.y() - hand.roll.ruler_height


def test_all_a_band_and_keys_reach_the_track_in_front_alone(at: Desk) -> None:
    roll, hand, document = at.window.roll, Hand(at.window.roll), at.window.document
    score = document.session.score
    assert score is not None
    bass = {"track:1": list(range(len(score.tracks[1].notes)))}

    def selected() -> dict[str, list[int]]:
        return {key: indices.tolist() for key, indices in roll.selection.indices.items()}

    QTest.keyClick(roll, Qt.Key.Key_A, CONTROL)
    assert selected() == bass
    roll.clear_selection()
    roll.select_indices(roll.indices_between(0.0, 16.0, 0, 127), {}, Qt.KeyboardModifier.NoModifier)
    assert selected() == bass
    roll.set_span((0.0, 2.0))
    roll.select_span()
    assert selected() == {"track:1": [0, 1]}
    roll.set_span(None)
    for chosen in (NoteRef("track:1", 2), NoteRef("track:1", 3)):  # from note to note
        QTest.keyClick(roll, Qt.Key.Key_Right, CONTROL)
        assert roll.selection.refs == (chosen,)
    assert not roll.is_selectable(NoteRef("track:0", 0))
    at.window.tracks.brought_forward.emit(None)
    hand.click(hand.at(*FIRST_OF_MELODY))
    assert selected() == {"track:0": [0]}
    at.window.tracks.brought_forward.emit(BASS)
    assert selected() == {}  # what fades is no longer selected
    hand.click(hand.at(*FIRST_OF_BASS))
    assert selected() == {"track:1": [0]}


def test_a_muted_track_behind_stays_behind_and_a_muted_one_in_front_is_edited(at: Desk) -> None:
    window, roll = at.window, at.window.roll
    for track in (0, 1):
        window.tracks.mute_changed.emit(track, True)
    melody, bass = roll.parts[:2]
    assert {int(part.shade[0]) for part in (melody, bass)} == {Shade.SILENT}
    assert (melody.is_selectable.any(), bass.is_selectable.all()) == (False, True)


def test_velocities_behind_are_faint_and_stay(at: Desk) -> None:
    roll, document = at.window.roll, at.window.document
    at.window.lanes.show_lanes([("velocity", 90)])
    QApplication.processEvents()
    (row,) = at.window.lanes.rows
    lane = row.lane
    assert isinstance(lane, VelocityLane)
    hand, theme = LaneHand(roll, row), roll.theme
    image = row.grab().toImage()
    melody = int(roll.parts[0].colour[0])
    full, faint = theme.part("prompt", melody), theme.edge("prompt", melody, Shade.BEHIND)
    seen = {image.pixelColor(x, y).rgb() for x in range(image.width()) for y in range(image.height())}
    assert full.rgb() not in seen
    assert faint.rgb() in seen
    score = document.session.score
    assert score is not None
    hand.drag(hand.at(0.0, 127), hand.at(4.0, 10))
    changed = document.session.score
    assert changed is not None
    assert changed.tracks[0] == score.tracks[0]
    assert np.any(
        [a.velocity != b.velocity for a, b in zip(changed.tracks[1].notes, score.tracks[1].notes, strict=True)]
    )


def test_a_note_drawn_into_a_take_is_of_the_track_in_front(at: Desk) -> None:
    window, roll, document = at.window, at.window.roll, at.window.document
    roll.marker_moved.emit(8.0)
    take = at.sample(1.0)
    hand = Hand(roll)
    roll.scroll_to(take.marker - 1.0)
    QTest.keyClick(roll, Qt.Key.Key_2)
    hand.drag(hand.at(take.marker + 0.2, 60), hand.at(take.marker + 0.7, 60))
    (drawn,) = [note for note in document.session.takes[0].notes if note not in take.notes]
    assert drawn.track == BASS
    (ref,) = roll.selection.refs  # it is to be worked on
    assert ref.part == f"take:{take.id}"
    window.tracks.brought_forward.emit(None)


def test_what_is_pasted_into_a_take_is_of_the_track_in_front(at: Desk) -> None:
    window, roll, document = at.window, at.window.roll, at.window.document
    window.tracks.brought_forward.emit(None)
    roll.set_selection([NoteRef("track:0", 0)])
    window.actions_["copy"].trigger()
    roll.marker_moved.emit(8.0)
    take = at.sample(1.0)
    window.tracks.brought_forward.emit(BASS)
    window.transport.go_to(take.marker)
    window.actions_["paste"].trigger()
    (pasted,) = [note for note in document.session.takes[0].notes if note not in take.notes]
    assert pasted.track == BASS
    assert [ref.part for ref in roll.selection.refs] == [f"take:{take.id}"]


def test_what_is_pasted_beside_the_track_in_front_is_before_it_while_selected(at: Desk) -> None:
    window, roll, document = at.window, at.window.roll, at.window.document
    window.tracks.brought_forward.emit(None)
    roll.set_selection([NoteRef("track:0", 0), NoteRef("track:1", 0)])
    window.actions_["copy"].trigger()
    window.tracks.brought_forward.emit(BASS)
    roll.clear_selection()
    window.transport.go_to(20.0)  # out of sight
    window.actions_["paste"].trigger()
    assert document.session.score is not None
    pasted = {f"track:{i}": len(document.session.score.tracks[i].notes) - 1 for i in (0, 1)}
    new = tuple(NoteRef(key, index) for key, index in pasted.items())

    def shade(ref: NoteRef) -> int:
        (part,) = (part for part in roll.parts if part.key == ref.part)
        return int(part.shade[part.places([ref.index])[0]])

    assert roll.selection.refs == new
    assert [shade(ref) for ref in new] == [Shade.FULL] * 2
    assert shade(NoteRef("track:0", 0)) == Shade.BEHIND
    assert 0 < roll.coordinates.x(20.0) < roll.coordinates.width
    window.tracks.mute_changed.emit(2, True)  # something else
    assert roll.selection.refs == new
    notes = document.session.score.tracks[0].notes
    QTest.keyClick(roll, Qt.Key.Key_Up)
    changed = document.session.score.tracks
    assert changed[0].notes[-1].pitch == notes[-1].pitch + 1  # and is edited
    assert changed[0].notes[:-1] == notes[:-1]
    assert [shade(ref) for ref in new] == [Shade.FULL] * 2
    roll.clear_selection()
    assert [shade(ref) for ref in new] == [Shade.BEHIND, Shade.FULL]
    assert not roll.is_selectable(new[0])
    assert roll.note_at(roll.coordinates.x(20.1), roll.coordinates.y(changed[0].notes[-1].pitch) + 3) is None
    for name in ("undo", "undo", "redo"):
        window.actions_[name].trigger()
    assert roll.selection.refs == new  # what a step brings back, too
    assert shade(new[0]) == Shade.FULL
    window.tracks.brought_forward.emit((3, 9))
    assert (len(roll.selection), {shade(ref) for ref in new}) == (0, {Shade.BEHIND})


def test_what_is_pasted_into_a_hidden_track_is_told(at: Desk) -> None:
    window, roll = at.window, at.window.roll
    roll.set_selection([NoteRef("track:1", 0)])
    window.actions_["copy"].trigger()
    window.tracks.hidden_changed.emit(0, True)
    window.clipboard.paste(0)
    assert at.messages[-1] == "These notes are on a hidden track, Melody: its menu in the list of tracks shows it."


def test_another_document_has_no_track_in_front(at: Desk, homes: Path) -> None:
    window = at.window
    window.tracks.show_in_front(BASS)
    (homes / "other.mid").write_bytes(song())  # with tracks of the same channels
    at.open(homes / "other.mid")
    assert all(part.is_selectable.all() for part in window.roll.parts)
    assert (window.roll.in_front, window.tracks.model.in_front) == ("", None)


def test_a_track_in_front_is_seen(at: Desk) -> None:
    window, roll = at.window, at.window.roll
    window.tracks.show_in_front(BASS)
    window.tracks.hidden_changed.emit(1, True)
    assert (window.tracks.model.in_front, roll.in_front) == (None, "")
    assert [part.key for part in roll.parts if part.is_selectable.all()] == ["track:0", "track:2"]
    window.tracks.table.name_pressed.emit(1)
    assert (window.tracks.model.in_front, roll.in_front) == (BASS, "track:1")
    assert [part.key for part in roll.parts if part.is_selectable.any()] == ["track:1"]
    assert window.document.undo_name == "Show track"


def test_a_take_that_grows_is_as_it_will_be(at: Desk) -> None:
    window, roll = at.window, at.window.roll
    window.tracks.show_in_front(BASS)
    roll.marker_moved.emit(8.0)
    at.set(length=600.0, takes=2)
    window.proceed()
    at.wait(lambda: all(growing.notes for growing in window.generation.in_progress), "notes of both")
    first, other = window.generation.in_progress
    part, faint = (next(p for p in roll.parts if p.key == f"take:{growing.id}") for growing in (first, other))
    keys = [first.notes[i].track for i in part.index]
    assert part.is_behind.tolist() == [key != BASS for key in keys]
    assert part.shade.tolist() == [Shade.FULL if key == BASS else Shade.BEHIND for key in keys]
    assert set(faint.shade.tolist()) == {Shade.FULL}
    window.tracks.brought_forward.emit(None)
    assert next(p for p in roll.parts if p.key == part.key).is_selectable.all()
    window.transport.stop()
    at.wait(lambda: not window.generation.is_running, "the model to stop")
