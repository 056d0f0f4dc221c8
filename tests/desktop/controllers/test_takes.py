"""What can be done in the window to notes, tracks, takes, marker and loop; and that all of it undoes, by name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mido
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolButton

from core.live.outputs import VirtualPort
from desktop.dialogs.quantise import QuantiseDialog
from desktop.panels.track_cells import Column
from desktop.piano_roll.notes import NoteRef
from tests.conftest import Listener
from tests.desktop.looking import reachable, unnamed, untold
from tests.desktop.windows import BACH, Desk

MakeDesk = Callable[..., Desk]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def band(homes: Path) -> Path:
    """Organ, bass and drums."""
    file = mido.MidiFile(ticks_per_beat=480)
    for name, channel, program, pitch in (("Organ", 0, 19, 60), ("Bass", 1, 32, 36), ("Drums", 9, 0, 38)):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        track.append(mido.Message("program_change", channel=channel, program=program))
        for _ in range(8):
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=480))
        file.tracks.append(track)
    file.save(homes / "band.mid")
    return homes / "band.mid"


def chosen(menu: QMenu, words: str) -> QAction:
    return next(action for action in menu.actions() if words in action.text().replace("&", ""))


def test_every_edit_of_prompt_and_take_undoes_by_name(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuantiseDialog, "exec", lambda dialog: True)  # 1/16 is offered first
    at = desk()
    at.open(BACH)
    take = at.sample(1.0)
    window, document = at.window, at.window.document
    start = document.session
    for part in ("track:0", f"take:{take.id}"):
        for command, name in (
            ("later", "Nudge"),
            ("earlier", "Nudge"),
            ("up", "Transpose"),
            ("octave down", "Transpose"),
            ("quantise", "Quantise to 1/16"),
            ("delete notes", "Delete 3 notes"),
        ):
            window.roll.set_selection([NoteRef(part, i) for i in (1, 2, 3)])
            if command == "quantise":  # what stands on the grid already would not move
                window.editing.move(window.roll.selection, 70, 0)
                window.roll.set_selection(window.roll.selection.refs)
            before = document.session
            window.actions_[command].trigger()
            assert document.session != before, (part, command)
            assert document.undo_name == name
            assert window.actions_["undo"].text() == f"&Undo {name}"
            assert len(window.roll.selection) == (0 if command == "delete notes" else 3)
            while document.session.takes != start.takes or document.session.score != start.score:
                window.actions_["undo"].trigger()


def test_tracks_are_muted_soloed_and_taken_out_of_the_prompt(desk: MakeDesk, band: Path) -> None:
    at = desk()
    at.open(band)
    at.wait_until_ready()
    window, table = at.window, at.window.tracks.table
    drums = 2

    def click(row: int, column: Column) -> None:
        QTest.mouseClick(table.viewport(), LEFT, pos=table.visualRect(window.tracks.model.index(row, column)).center())

    click(0, Column.MUTE)
    assert 0 not in window.document.session.audible_tracks
    assert window.document.undo_name == "Mute"
    click(drums, Column.SOLO)
    assert window.document.session.audible_tracks == (drums,)
    before = window.document.session
    click(drums, Column.PROMPT)
    assert window.document.session is before
    click(0, Column.PROMPT)
    assert 0 not in window.document.session.prompt_indices
    assert not window.generation.is_prepared
    at.wait_until_ready()
    assert window.worker._prepared is not None
    assert len(window.worker._prepared[0].tracks) == len(window.document.session.prompt_indices)
    for _ in range(3):
        window.actions_["undo"].trigger()
    assert window.document.undo_name == ""
    assert window.tracks.model.is_on(0, Column.PROMPT)
    window.activateWindow()
    table.setFocus()
    table.setCurrentIndex(window.tracks.model.index(1, Column.NAME))
    QTest.keyClick(table, Qt.Key.Key_M)  # in the list it is mute, elsewhere the metronome
    assert window.document.session.flags[1].mute
    assert not window.transport.has_metronome


def test_cards_are_renamed_starred_duplicated_and_deleted(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    take = at.sample(1.0)
    window = at.window

    def do(words: str) -> None:
        chosen(window.takes.menu(window.document.session.current), words).trigger()

    window.takes.model.setData(window.takes.model.index(0), "The calm one")
    do("Star")
    do("Duplicate")
    assert [(t.name, t.starred) for t in at.takes] == [("The calm one", True), ("The calm one copy", False)]
    assert window.document.session.current == at.takes[1].id
    assert [part.kind for part in window.roll.parts if part.key.startswith("take:")] == ["other", "take"]
    window.takes.view.setCurrentIndex(window.takes.model.index(0))  # another card is shown, and heard from now on
    assert window.document.session.current == take.id
    do("Delete")
    assert [t.name for t in at.takes] == ["The calm one copy"]
    names = []
    while window.document.undo_name:
        names.append(window.document.undo_name)
        window.actions_["undo"].trigger()
    assert names == ["Delete take", "Duplicate take", "Star take", "Rename take", "Continue"]


def test_no_card_stays_selected_that_was_not_chosen(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    for _ in range(3):
        at.sample(0.5)
    window, chosen = at.window, at.window.takes.view.selectionModel()
    for key, count in ((Qt.Key.Key_Z, 2), (Qt.Key.Key_Y, 2)):
        for _ in range(count):
            window.actions_["undo" if key == Qt.Key.Key_Z else "redo"].trigger()
            QTest.keyPress(window.roll, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)  # it is held
            assert [at.takes[index.row()].id for index in chosen.selectedIndexes()] == [window.document.session.current]
    QTest.keyRelease(window.roll, Qt.Key.Key_Control)
    assert len(at.takes) == 3
    assert [index.row() for index in chosen.selectedIndexes()] == [window.takes.view.currentIndex().row()]


def test_a_take_is_continued_from_the_place_that_was_clicked(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    take = at.sample(1.5)
    window = at.window

    def open_menu(seconds: float) -> QAction:
        window.roll.context_menu_requested.emit(QPoint(0, 0), (), seconds)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        action = chosen(menu, "Continue from here")
        menu.hide()
        return action

    assert not open_menu(take.marker - 1.0).isEnabled()
    open_menu(take.marker + 1.0).trigger()
    at.wait(lambda: at.window.generation.run is None, "the fork")
    assert at.takes[-1].parent == take.id
    assert at.takes[-1].forked_at == pytest.approx(1.0, abs=0.006)


def test_marker_prompt_and_loop_from_the_keyboard(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    window, transport = at.window, at.window.transport
    roll, document = window.roll, window.document
    bar = roll.grid.neighbour_bar(0.0, 1)

    def press(*keys: str) -> None:
        for key in keys:
            QTest.keySequence(roll, key)

    press(".", ".", "Shift+K")
    assert transport.position == pytest.approx(2 * bar)
    assert document.session.prompt_start == pytest.approx(2 * bar)
    press(".", ".", "K")
    assert document.session.marker == pytest.approx(4 * bar)
    assert window.panel.reason.text().startswith("Continues from bar 5") or not window.generation.is_prepared
    press(",", "]", ",", "[")
    assert transport.loop == pytest.approx((2 * bar, 3 * bar))
    assert transport.is_looping
    assert roll.overlays.loop == pytest.approx((2 * bar, 3 * bar))
    press("L")
    assert not transport.is_looping
    press("Home")
    assert transport.position == 0.0
    names = []
    while document.undo_name:
        names.append(document.undo_name)
        document.undo()
    assert names == ["Move marker", "Move prompt start"]


def test_marker_prompt_and_loop_snap_to_bars_unless_alt_is_held(
    desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = desk()
    at.open()
    window, transport = at.window, at.window.transport
    roll, document = window.roll, window.document
    bar = roll.grid.neighbour_bar(0.0, 1)
    transport.go_to(2.2 * bar)
    QTest.keySequence(roll, "Shift+K")
    QTest.keySequence(roll, "[")
    transport.go_to(3.9 * bar)
    QTest.keySequence(roll, "K")
    QTest.keySequence(roll, "]")
    session = document.session
    assert (session.prompt_start, session.marker) == pytest.approx((2 * bar, 4 * bar))
    assert transport.loop == pytest.approx((2 * bar, 4 * bar))
    window.roll.context_menu_requested.emit(QPoint(), [], 5.3 * bar)
    menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
    chosen(menu, "Put the marker here").trigger()
    assert document.session.marker == pytest.approx(5 * bar)
    menu.close()
    QTest.keySequence(roll, "Alt+K")
    QTest.keySequence(roll, "Alt+]")
    assert document.session.marker == pytest.approx(3.9 * bar)
    assert transport.loop == pytest.approx((2 * bar, 3.9 * bar))


def test_notes_are_heard_in_the_voice_of_their_track(desk: MakeDesk, jack: dict[str, str], band: Path) -> None:
    at = desk(VirtualPort())
    window = at.window
    at.wait_until_open()
    with Listener("Continuo") as listener:
        at.open(band)
        on, off, program = bytes((0x91, 36, 90)), bytes((0x81, 36, 64)), bytes((0xC1, 32))
        for times, programs in ((1, False), (2, True)):
            window.preferences.change(programs=programs)
            window.roll.note_pressed.emit(NoteRef("track:1", 0))
            window.roll.note_released.emit(NoteRef("track:1", 0))
            messages = listener.wait_for(lambda m, times=times: m.count(off) == times)
            assert messages.count(on) == times
            assert messages.count(program) == programs


def test_everything_is_reached_by_tab_and_has_a_name(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    window = at.window
    window.activateWindow()
    stops = reachable(window)
    assert unnamed(window) == []
    assert untold(window) == []
    for widget in (window.roll, window.tracks.table, window.takes.view, window.panel.button, window.status.output):
        assert widget in stops
    names = {b.accessibleName() for b in window.transport_bar.findChildren(QToolButton)}
    assert names >= {"Stop", "Return to Start", "Loop", "Metronome", "Panic"}
    assert names & {"Play", "Pause"}  # what a press does now


def test_return_in_a_field_gives_the_keys_back_to_the_roll(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    window = at.window
    window.activateWindow()
    window.panel.takes.setFocus()
    window.panel.takes.selectAll()
    QTest.keyClicks(window.panel.takes, "3")
    QTest.keyClick(window.panel.takes, Qt.Key.Key_Return)
    assert window.roll.hasFocus()
    assert window.document.session.settings.takes == 3


def test_choosing_by_mouse_leaves_the_keys_to_the_roll(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    window = at.window
    window.activateWindow()
    window.roll.setFocus()
    for field in (window.panel.temperature.slider, window.panel.dice, window.transport_bar._what, window.panel.scale):
        QTest.mouseClick(field, LEFT)
        if popup := QApplication.activePopupWidget():
            popup.close()
        assert window.roll.hasFocus(), field.accessibleName()


def test_the_first_start_needs_one_click_to_be_heard(desk: MakeDesk) -> None:
    at = desk()
    window = at.window
    assert window.centre.currentWidget() is window.empty
    assert not window.panel.button.isEnabled()
    assert not window.actions_["continue"].isEnabled()
    window.preferences.change(generation=replace(window.preferences.now.generation, length=1.0))
    QTest.mouseClick(window.empty.example, LEFT)
    at.wait(lambda: at.takes, "a continuation")
    assert window.document.name == "bwv846.mid"
    assert window.centre.currentWidget() is window.roll
    at.wait(lambda: window.transport.position > at.takes[0].marker, "it to be heard")


def test_the_status_bar_says_what_goes_on(desk: MakeDesk) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    at.wait_until_open()
    status = at.window.status
    at.set(length=60.0)
    at.window.proceed()
    at.wait(lambda: status.speed.text() and at.window.transport.state.is_playing, "figures")
    assert status.model.text().endswith(("on the processor", "on the graphics card"))
    assert status.speed.text().endswith("× real time")
    assert status.ahead.text().endswith("s ahead")
    assert "gap" in status.gaps.text()
    assert status.output.text() == "Sound: no output"
    at.window.transport.stop()
    at.wait(lambda: not at.window.generation.is_running, "the end")
    at.window.transport.play(0.0)
    at.wait(lambda: at.window.transport.state.is_playing and not status.ahead.text(), "the score, which is all there")
