from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from core.resources import bundled
from core.session.session import Session, default_flags, open_midi
from desktop.panels.track_cells import Column, details, instrument
from desktop.panels.track_list import TrackList
from tests.desktop.looking import dark, reachable, unnamed

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def session() -> Session:
    """Three tracks, the last of them made percussion."""
    session = open_midi(bundled("examples", "pop-loop.mid"))
    assert session.score is not None
    tracks = (*session.score.tracks[:2], replace(session.score.tracks[2], channel=9))
    score = replace(session.score, tracks=tracks)
    return replace(session, score=score, flags=default_flags(score))


@pytest.fixture
def tracks(qtbot: QtBot, session: Session) -> TrackList:
    tracks = TrackList()
    qtbot.addWidget(tracks)
    tracks.resize(300, 300)
    tracks.show_tracks(session)
    tracks.show()
    return tracks


def cell(tracks: TrackList, row: int, column: Column) -> QPoint:
    return tracks.table.visualRect(tracks.model.index(row, column)).center()


@pytest.mark.parametrize(
    ("column", "signal", "on"),
    [
        (Column.MUTE, "mute_changed", True),
        (Column.SOLO, "solo_changed", True),
        (Column.PROMPT, "in_prompt_changed", False),
    ],
)
def test_a_click_asks_for_the_switch(tracks: TrackList, qtbot: QtBot, column: Column, signal: str, on: bool) -> None:
    with qtbot.waitSignal(getattr(tracks, signal)) as said:
        QTest.mouseClick(tracks.table.viewport(), LEFT, pos=cell(tracks, 1, column))
    assert said.args == [1, on]
    assert tracks.model.is_on(1, column) is not on  # until the session says so


def test_the_keyboard_switches(tracks: TrackList, qtbot: QtBot) -> None:
    table = tracks.table
    table.setFocus()
    table.setCurrentIndex(tracks.model.index(0, Column.NAME))
    QTest.keyClick(table, Qt.Key.Key_Down)
    for key, signal, args in (
        (Qt.Key.Key_M, tracks.mute_changed, [1, True]),
        (Qt.Key.Key_S, tracks.solo_changed, [1, True]),
        (Qt.Key.Key_P, tracks.in_prompt_changed, [1, False]),
    ):
        with qtbot.waitSignal(signal) as said:
            QTest.keyClick(table, key)
        assert said.args == args
    QTest.keyClick(table, Qt.Key.Key_Right)
    QTest.keyClick(table, Qt.Key.Key_Right)
    with qtbot.waitSignal(tracks.solo_changed) as said:
        QTest.keyClick(table, Qt.Key.Key_Space)
    assert said.args == [1, True]


def test_percussion_is_never_in_the_prompt(tracks: TrackList, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(tracks.in_prompt_changed):
        QTest.mouseClick(tracks.table.viewport(), LEFT, pos=cell(tracks, 2, Column.PROMPT))
        tracks.table.setCurrentIndex(tracks.model.index(2, Column.PROMPT))
        QTest.keyClick(tracks.table, Qt.Key.Key_P)
    index = tracks.model.index(2, Column.PROMPT)
    assert tracks.model.data(index, Qt.ItemDataRole.CheckStateRole) is None
    assert "never in the prompt" in tracks.model.data(index, Qt.ItemDataRole.ToolTipRole)


def test_a_press_dragged_off_the_switch_does_nothing(tracks: TrackList, qtbot: QtBot) -> None:
    view = tracks.table.viewport()
    with qtbot.assertNotEmitted(tracks.mute_changed), qtbot.assertNotEmitted(tracks.solo_changed):
        QTest.mousePress(view, LEFT, pos=cell(tracks, 0, Column.MUTE))
        QTest.mouseRelease(view, LEFT, pos=cell(tracks, 0, Column.SOLO))


def test_two_fast_clicks_are_two_clicks(tracks: TrackList, session: Session) -> None:
    asked: list[bool] = []
    tracks.mute_changed.connect(
        lambda row, on: (asked.append(on), tracks.show_tracks(session.with_flags(row, mute=on)))
    )
    view, at = tracks.table.viewport(), cell(tracks, 0, Column.MUTE)
    QTest.mouseClick(view, LEFT, pos=at)
    QTest.mouseDClick(view, LEFT, pos=at)
    QTest.mouseRelease(view, LEFT, pos=at)
    assert asked[:2] == [True, False]


def test_flags_are_shown_and_the_cursor_stays(tracks: TrackList, session: Session) -> None:
    tracks.table.setCurrentIndex(tracks.model.index(1, Column.SOLO))
    tracks.show_tracks(session.with_flags(0, solo=True))
    assert tracks.table.currentIndex() == tracks.model.index(1, Column.SOLO)
    assert tracks.model.is_on(0, Column.SOLO)
    assert tracks.model.audible == {0}
    assert "Not heard now" in tracks.model.data(tracks.model.index(1, 0), Qt.ItemDataRole.ToolTipRole)


def test_without_a_score_it_says_what_will_be_here(tracks: TrackList) -> None:
    tracks.show_tracks(Session())
    assert tracks.empty.isVisible()
    assert not tracks.table.isVisible()


def test_words(session: Session) -> None:
    assert session.score is not None
    chords, bass, drums = session.score.tracks
    assert details(chords) == "72 notes · Acoustic Grand Piano"
    assert details(replace(bass, name="", notes=bass.notes[:1])) == "1 note"
    assert instrument(drums) == "Drums"


def test_one_tab_stop_with_names_for_every_cell(tracks: TrackList) -> None:
    assert reachable(tracks) == [tracks.table]
    assert unnamed(tracks) == []
    model = tracks.model
    said = [
        model.data(model.index(row, column), Qt.ItemDataRole.AccessibleTextRole)
        for row in range(model.rowCount())
        for column in Column
    ]
    assert len(set(said)) == len(said)
    assert {"Bass, not muted", "Bass, not solo", "Bass, in the prompt"} < set(said)
    (drums,) = (row for row in range(model.rowCount()) if model.tracks[row].is_percussion)
    assert "never in the prompt" in model.data(model.index(drums, Column.PROMPT), Qt.ItemDataRole.AccessibleTextRole)
    assert not any(model.flags(model.index(0, column)) & Qt.ItemFlag.ItemIsSelectable for column in Column)


def test_who_comes_to_the_list_is_told_of_the_current_cell(tracks: TrackList, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def update(event: Any) -> None:
        if event.type() == QAccessible.Event.Focus:
            told.append(event.accessibleInterface().text(QAccessible.Text.Name))

    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(QAccessible, "updateAccessibility", update)
    monkeypatch.setattr(tracks.table, "hasFocus", lambda: True)
    tracks.table.setCurrentIndex(tracks.model.index(1, Column.SOLO))
    QApplication.sendEvent(tracks.table, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason))
    QApplication.processEvents()
    assert told[-1] == "Bass, not solo"


def test_it_is_painted_light_and_dark_narrow_and_wide(tracks: TrackList, session: Session) -> None:
    switched = session.with_flags(0, mute=True, solo=True).with_flags(1, in_prompt=False)
    tracks.show_tracks(switched)
    pictures = []
    for width in (tracks.table.minimumWidth(), 500):
        for palette in (tracks.palette(), dark()):
            tracks.resize(width, 200)
            tracks.setPalette(palette)
            pictures.append(tracks.grab().toImage())
    assert pictures[0] != pictures[1]
    columns = [tracks.table.columnWidth(column) for column in Column]
    assert sum(columns) <= tracks.table.viewport().width()


# What a track is


def test_a_click_on_the_name_brings_the_track_forward_and_another_back(tracks: TrackList, qtbot: QtBot) -> None:
    key = tracks.model.tracks[1].key
    for expected in (key, None):
        with qtbot.waitSignal(tracks.brought_forward) as said:
            QTest.mouseClick(tracks.table.viewport(), LEFT, pos=cell(tracks, 1, Column.NAME))
        assert said.args == [expected]
        assert tracks.model.in_front == expected
    tracks.table.setFocus()
    with qtbot.waitSignal(tracks.brought_forward):
        QTest.keyClick(tracks.table, Qt.Key.Key_Return)
    with qtbot.waitSignal(tracks.brought_forward) as said:  # a session without it
        tracks.show_tracks(Session())
    assert said.args == [None]


def test_the_menu_of_a_track_asks_for_what_it_says(tracks: TrackList, session: Session, qtbot: QtBot) -> None:
    menu = tracks.menu(1)
    actions = {action.text().partition("\t")[0]: action for action in menu.actions()}
    for words, signal, args in (
        ("Hide in the piano roll", tracks.hidden_changed, [1, True]),
        ("Only this in the prompt", tracks.prompt_narrowed, [1]),
        ("Edit track …", tracks.edit_requested, [1]),
    ):
        with qtbot.waitSignal(signal) as said:
            actions[words].trigger()
        assert said.args == args
    colours = actions["Colour"].menu()
    assert isinstance(colours, QMenu)
    with qtbot.waitSignal(tracks.colour_chosen) as said:
        colours.actions()[5].trigger()
    assert said.args == [1, 4]
    assert "Show all tracks" not in actions
    assert not next(a for a in tracks.menu(2).actions() if a.text() == "Only this in the prompt").isEnabled()  # drums
    tracks.show_tracks(session.with_flags(0, hidden=True, colour=7))
    assert "Show all tracks" in [action.text() for action in tracks.menu(1).actions()]
    assert tracks.model.colours[tracks.model.tracks[0].key] == 7
    tracks.table.setFocus()
    tracks.table.setCurrentIndex(tracks.model.index(0, Column.NAME))
    with qtbot.waitSignal(tracks.edit_requested):
        QTest.keyClick(tracks.table, Qt.Key.Key_F2)
    tracks.grab()
