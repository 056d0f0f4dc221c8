"""Pedal, controllers and tempo in the real window: drawn with the mouse or by keys, undone, heard and written."""

import io
from collections.abc import Callable
from dataclasses import replace

import mido
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.midi.controllers import Point
from core.midi.score import TakeNote
from core.session import edits_controls as edits
from core.session.edits_controls import Owner
from core.session.export import midi_bytes
from core.session.session import Session, TakeRecord
from core.session.timeline import timeline
from desktop.main_window import MainWindow
from desktop.piano_roll.notes import NoteRef
from tests.desktop.looking import reachable
from tests.desktop.piano_roll.lane_hand import LaneHand
from tests.desktop.windows import Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier


def opened(desk: Callable[..., Desk], *names: str) -> tuple[Desk, MainWindow, list[LaneHand]]:
    """A window with a song of two tracks and a take, and these lanes."""
    at = desk()
    at.open()
    window = at.window
    session = window.document.session
    notes = (TakeNote(60, 90, 0.0, 1.0), TakeNote(64, 90, 1.0, 2.0))
    window.document.amend(session.with_take(TakeRecord(notes=notes, seconds=4.0, marker=session.marker)))
    window.lanes.show_lanes([(name, 80) for name in names])
    window.lane_display.show_document()
    window.roll.zoom_time(window.roll.visible_seconds / 8, 0.0)
    window.roll.scroll_to(0.0)
    QApplication.processEvents()
    most = {"bend": 16383}
    return at, window, [LaneHand(window.roll, row, most.get(row.lane.name, 127)) for row in window.lanes.rows]


def written(session: Session) -> list[tuple[str, int]]:
    """The controls of the file, as mido reads them: (kind, value)."""
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(session, "score")))
    controls = [m for track in file.tracks for m in track if m.type in ("control_change", "pitchwheel")]
    return [(m.type, m.pitch if m.type == "pitchwheel" else m.value) for m in controls]


def test_a_pedal_is_drawn_heard_written_and_undone(desk: Callable[..., Desk]) -> None:
    at, window, (pedal,) = opened(desk, "pedal")
    before = window.document.session
    notes = before.score.tracks[0].notes  # type: ignore[union-attr]
    pedal.drag(pedal.at(1.0, 60), pedal.at(2.5, 60))
    at.settle()
    session = window.document.session
    ((start, end),) = edits.pedals(session, Owner(0))
    assert (start, end) == (pytest.approx(1.0, abs=0.1), pytest.approx(2.5, abs=0.1))
    assert window.document.undo_name == "Draw pedal"
    assert session.score.tracks[0].notes is notes  # type: ignore[union-attr]
    sent = [(time, message[2]) for time, message in timeline(session, "prompt") if message[:2] == b"\xb0\x40"]
    assert sent == [(start, 127), (end, 0)]
    assert written(session)[-2:] == [("control_change", 127), ("control_change", 0)]
    pedal.drag(pedal.at((start + end) / 2, 60), pedal.at((start + end) / 2 + 0.5, 60))
    at.settle()
    assert window.document.undo_name == "Move pedal"
    pedal.double_click(pedal.at((start + end) / 2 + 0.5, 60))
    at.settle()
    assert (window.document.undo_name, edits.pedals(window.document.session, Owner(0))) == ("Delete pedal", [])
    for _ in range(3):
        window.actions_["undo"].trigger()
    assert window.document.session.midi == before.midi
    assert window.document.session.score == before.score


def test_controllers_of_the_track_or_take_whose_notes_are_selected(desk: Callable[..., Desk]) -> None:
    at, window, (bend, volume) = opened(desk, "bend", "cc7")
    take = window.document.session.takes[0]
    bend.drag(bend.at(1.0, 8192), bend.at(2.0, 16383), SHIFT)
    at.settle()
    assert edits.curve(window.document.session, Owner(0), 128)[-1].value == 16383
    assert ("pitchwheel", 8191) in written(window.document.session)
    window.roll.set_selection([NoteRef(f"take:{take.id}", 0)])
    assert window.lane_display.owner == Owner(take.id)
    window.roll.scroll_to(take.marker)
    volume.drag(volume.at(take.marker + 0.5, 30), volume.at(take.marker + 1.5, 110))
    assert window.document.undo_name == "Draw Volume"
    values = [c.value for c in window.document.session.takes[0].controls]
    assert values == sorted(values)
    assert 25 < values[0] < 35
    assert volume.row.lane.owner == take.name
    window.actions_["undo"].trigger()
    assert window.document.session.takes[0] == take
    window.lanes.owner_chosen.emit(Owner(0))
    assert window.lane_display.owner == Owner(0)


def test_tab_goes_from_tracks_to_notes_and_on_through_the_lanes(desk: Callable[..., Desk]) -> None:
    _, window, _ = opened(desk, "velocity", "tempo", "pedal")
    order = reachable(window)
    first = order.index(window.tracks.table)
    velocity, tempo, pedal = window.lanes.rows
    lanes = [velocity.button, tempo, tempo.button, pedal, pedal.button]
    assert order[first + 1 : first + 7] == [window.roll, *lanes]


def test_lanes_by_keys(desk: Callable[..., Desk]) -> None:
    at, window, _ = opened(desk, "velocity")
    window.actions_["lane line"].trigger()
    assert at.messages[-1].startswith("Show a lane first")
    window.lanes.switch("cc1")
    assert window.preferences.now.lanes == (("velocity", 80), ("cc1", 90))
    QTest.keyClick(window.roll, Qt.Key.Key_D)
    assert at.messages[-1].startswith("Select the span first")
    window.roll.set_span((1.0, 2.0))
    at.answers.numbers = [10, 90]
    QTest.keyClick(window.roll, Qt.Key.Key_D)
    at.settle()
    curve = edits.curve(window.document.session, Owner(0), 1)
    assert (curve[0].value, curve[-1].value) == (10, 90)
    assert (curve[0].at, curve[-1].at) == (pytest.approx(1.0, abs=0.01), pytest.approx(2.0, abs=0.01))
    QTest.keyClick(window.roll, Qt.Key.Key_D, SHIFT)
    at.settle()
    assert edits.curve(window.document.session, Owner(0), 1) == []
    assert window.document.undo_name == "Erase Modulation"
    at.answers.numbers = [32, 64]
    window.lanes.other_requested.emit("")
    assert at.messages[-1].startswith("Controller 32 chooses a sound")
    window.lanes.other_requested.emit("cc1")  # which is the pedal's
    assert [lane.name for lane in window.lanes.shown] == ["velocity", "pedal"]
    QTest.keyClick(window.roll, Qt.Key.Key_D)
    at.settle()
    assert len(edits.pedals(window.document.session, Owner(0))) == 1
    QTest.keyClick(window.roll, Qt.Key.Key_D, SHIFT)
    at.settle()
    assert edits.pedals(window.document.session, Owner(0)) == []


def test_the_keys_of_a_lane_are_no_commands_while_it_has_the_focus(desk: Callable[..., Desk]) -> None:
    at, window, (tempo, velocity) = opened(desk, "tempo", "velocity")
    window.commands.set_tempo(window.roll.grid.tempo_map.bar_tick(1), 100.0, None)
    at.settle()
    QTest.keyClick(tempo.row, Qt.Key.Key_Right)
    for key, place in ((Qt.Key.Key_End, -1), (Qt.Key.Key_Home, 0)):
        window.transport.go_to(3.0)
        QTest.keyClick(tempo.row, key)
        assert tempo.row.keys.current == range(len(tempo.row.lane.times))[place]
        assert window.transport.position == 3.0
    QTest.keyClick(velocity.row, Qt.Key.Key_Home)
    assert window.transport.position == 0.0


@pytest.mark.parametrize("is_take", [False, True])
def test_values_are_put_and_moved_by_keys_each_one_step(desk: Callable[..., Desk], is_take: bool) -> None:
    at, window, (volume,) = opened(desk, "cc7")
    take = window.document.session.takes[0]
    owner = Owner(take.id) if is_take else Owner(0)
    window.lanes.owner_chosen.emit(owner)
    before = window.document.session
    first = len(edits.curve(before, owner, 7))
    window.transport.go_to(window.roll.grid.nearest_line(take.marker + 1.0))
    QApplication.processEvents()

    def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> list[Point]:
        QTest.keyClick(volume.row, key, modifiers)
        at.settle()
        return edits.curve(window.document.session, owner, 7)

    put = press(Qt.Key.Key_Return)
    assert len(put) == first + 1
    assert window.document.undo_name == "Draw Volume"
    index = volume.row.keys.current
    assert index is not None
    moved = press(Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    step = window.roll.grid.step(put[index].at)
    assert moved[index] == (pytest.approx(put[index].at + step, abs=0.002), put[index].value)
    assert window.document.undo_name == "Move Volume"
    assert volume.row.keys.current == index
    louder = press(Qt.Key.Key_Up)
    assert louder[index] == (moved[index].at, moved[index].value + 1)
    for _ in range(3):
        window.actions_["undo"].trigger()
        at.settle()
    assert window.document.session.midi == before.midi
    assert window.document.session.takes == before.takes


@pytest.mark.parametrize("is_take", [False, True])
def test_a_key_that_is_held_loses_no_press_and_is_one_step(desk: Callable[..., Desk], is_take: bool) -> None:
    """While the song's file is read anew after the first press, the others come."""
    at, window, (volume,) = opened(desk, "cc7")
    take = window.document.session.takes[0]
    owner = Owner(take.id) if is_take else Owner(0)
    window.lanes.owner_chosen.emit(owner)
    window.transport.go_to(window.roll.grid.nearest_line(take.marker + 1.0))
    before = window.document.session

    def held(key: Qt.Key, times: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> Point:
        for _ in range(times):
            QTest.keyClick(volume.row, key, modifiers)
        at.settle()
        index = volume.row.keys.current
        assert index is not None
        return edits.curve(window.document.session, owner, 7)[index]

    alt = Qt.KeyboardModifier.AltModifier
    put = held(Qt.Key.Key_Return, 1)
    sessions = [window.document.session]
    louder = held(Qt.Key.Key_Up, 7)
    assert louder == (put.at, put.value + 7)
    sessions.append(window.document.session)
    step = window.roll.grid.step(put.at)
    later = held(Qt.Key.Key_Right, 5, alt)
    assert later == (pytest.approx(put.at + 5 * step, abs=0.002), louder.value)
    sessions.append(window.document.session)
    for _ in range(3):  # pressed by turns before anything is read: each is done to what the one before has made
        QTest.keyClick(volume.row, Qt.Key.Key_Down)
        QTest.keyClick(volume.row, Qt.Key.Key_Left, alt)
    at.settle()
    index = volume.row.keys.current
    assert index is not None
    assert edits.curve(window.document.session, owner, 7)[index] == (
        pytest.approx(put.at + 2 * step, abs=0.002),
        louder.value - 3,
    )
    for _ in range(6):
        window.actions_["undo"].trigger()
    for session in reversed(sessions):
        assert window.document.session.score == session.score
        assert window.document.session.takes == session.takes
        window.actions_["undo"].trigger()
    assert (window.document.session.score, window.document.session.takes) == (before.score, before.takes)
    held_again = held(Qt.Key.Key_Return, 1)
    assert held_again == put


def test_a_tempo_that_a_held_key_changes_is_one_step(desk: Callable[..., Desk]) -> None:
    at, window, (tempo,) = opened(desk, "tempo")
    before = window.document.session.tempo_map
    QTest.keyClick(tempo.row, Qt.Key.Key_Right)
    for _ in range(6):
        QTest.keyClick(tempo.row, Qt.Key.Key_Up)
    at.settle()
    assert window.document.session.tempo_map.tempos[0].bpm == pytest.approx(round(before.tempos[0].bpm) + 6, abs=0.01)
    window.actions_["undo"].trigger()
    assert window.document.session.tempo_map == before


def test_keys_that_come_while_nothing_becomes_of_the_first_are_done(desk: Callable[..., Desk]) -> None:
    """What is asked for may be as it is already, or not possible: then the others are not kept for ever."""
    at, window, (tempo,) = opened(desk, "tempo")
    fastest = 1000.0
    window.commands.set_tempo(0, fastest, None)
    at.settle()
    QTest.keyClick(tempo.row, Qt.Key.Key_Right)
    QTest.keyClick(tempo.row, Qt.Key.Key_Up)
    QTest.keyClick(tempo.row, Qt.Key.Key_Down)
    at.settle()
    assert window.document.session.tempo_map.tempos[0].bpm == pytest.approx(fastest - 1, abs=0.01)


def test_the_tempo_is_changed_and_notes_stay_on_their_ticks(desk: Callable[..., Desk]) -> None:
    at, window, (tempo,) = opened(desk, "tempo")
    before = window.document.session
    ticks = [note.start_tick for note in before.score.tracks[0].notes]  # type: ignore[union-attr]
    bar = before.tempo_map.seconds(before.tempo_map.bar_tick(1))
    tempo.double_click(tempo.at(bar, 120))
    at.settle()
    session = window.document.session
    assert window.document.undo_name == "Tempo"
    assert [t.tick for t in session.tempo_map.tempos][-1] == before.tempo_map.bar_tick(1)
    assert [note.start_tick for note in session.score.tracks[0].notes] == ticks  # type: ignore[union-attr]
    there = [s.tempo_map.tick(s.takes[0].marker) for s in (before, session)]
    assert there[0] == there[1]
    tempo.double_click(tempo.at(bar, 120))
    at.settle()
    assert window.document.session.tempo_map == before.tempo_map
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    assert window.document.session == replace(before)
