"""Tempo and metre: what the dialog asks, and what becomes of the answer in the window."""

from collections.abc import Callable

import pytest
from mido import MetaMessage
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.dialogs.tempo import TempoDialog
from desktop.panels.transport_bar import tempo_words
from desktop.piano_roll.ruler_marks import RulerMarks
from tests.core.midi.builders import file_of, scale
from tests.desktop.looking import cut_off, unnamed, untold
from tests.desktop.piano_roll.conftest import NONE, Hand
from tests.desktop.windows import Desk

SONG = TempoMap(480, (Tempo(0, 500_000), Tempo(3840, 600_000)), (Metre(0, 4, 4), Metre(3840, 3, 4)))


def asked(qtbot: QtBot, tempo_map: TempoMap, tick: int = 0) -> TempoDialog:
    dialog = TempoDialog(tempo_map, tick)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_what_is_left_alone_stays_as_it_is(qtbot: QtBot) -> None:
    dialog = asked(qtbot, SONG)
    assert (dialog.tempo.value(), dialog.beats.value(), dialog.unit.currentText()) == (120.0, 4, "4")
    assert (dialog.bpm, dialog.metre) == (None, None)
    assert not dialog.has_bars.isVisible()
    assert not any(button.isVisible() for button in (dialog.from_start, dialog.from_here))  # there is no choice
    dialog.tempo.setValue(90.5)
    assert (dialog.tick, dialog.bpm, dialog.metre) == (0, 90.5, None)
    assert (cut_off(dialog), unnamed(dialog)) == ([], [])
    assert [w for w in untold(dialog) if w.parent() is dialog and w.accessibleName()] == []


def test_a_change_of_tempo_within_a_bar_is_changed_where_it_is(qtbot: QtBot) -> None:
    song = TempoMap(480, (Tempo(0, 500_000), Tempo(720, 600_000)), (Metre(0, 4, 4),))
    dialog = TempoDialog(song, 720, is_there=True)
    qtbot.addWidget(dialog)
    assert (dialog.tick, dialog.tempo.value(), dialog.from_here.text()) == (720, 100.0, "Bar 1, beat 2.5")
    assert not dialog.beats.isEnabled()
    dialog.tempo.setValue(90.0)
    assert (dialog.bpm, dialog.metre) == (90.0, None)
    dialog.from_start.setChecked(True)
    assert (dialog.tick, dialog.beats.isEnabled()) == (0, True)


def test_the_bar_of_the_playhead_can_be_chosen_and_shows_what_holds_there(qtbot: QtBot) -> None:
    dialog = asked(qtbot, SONG, 3840 + 1440 + 100)  # in the second bar of 3/4
    dialog.from_here.click()
    assert dialog.from_here.text() == "Bar 4"
    assert (dialog.tempo.value(), dialog.beats.value()) == (100.0, 3)
    dialog.beats.setValue(2)
    assert (dialog.tick, dialog.bpm, dialog.metre) == (3840 + 1440, None, (2, 4))


def test_what_was_set_is_kept_when_another_place_is_chosen(qtbot: QtBot) -> None:
    dialog = asked(qtbot, SONG, 3840)
    dialog.tempo.setValue(90.0)
    dialog.from_here.click()
    assert (dialog.tempo.value(), dialog.beats.value(), dialog.bpm, dialog.metre) == (90.0, 3, 90.0, None)
    dialog.from_start.click()
    assert (dialog.tempo.value(), dialog.beats.value(), dialog.bpm, dialog.metre) == (90.0, 4, 90.0, None)


def test_a_song_without_bars_gets_some_unless_they_are_not_wanted(qtbot: QtBot) -> None:
    dialog = asked(qtbot, TempoMap())
    assert dialog.metre == (4, 4)
    dialog.has_bars.click()
    assert dialog.metre is None
    assert not dialog.beats.isEnabled()


@pytest.mark.parametrize(
    ("tempo_map", "words"),
    [
        (TempoMap(), "120 bpm"),
        (SONG, "120 bpm  4/4"),
        (TempoMap(480, (Tempo(0, 655_738),), (Metre(0, 6, 8),)), "91.5 bpm  6/8"),
        (TempoMap(0xE728), "no tempo"),
    ],
)
def test_the_transport_says_what_holds(tempo_map: TempoMap, words: str) -> None:
    assert tempo_words(tempo_map, 0) == words


def test_a_file_without_a_metre_gets_bars_that_are_undone_and_saved(
    desk: Callable[..., Desk], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{tmp_path}/plain.mid"
    with open(path, "wb") as file:
        file.write(file_of(scale()))
    at = desk()
    at.open(path)
    window = at.window
    assert window.transport_bar.tempo.text() == "120 bpm"

    def answer(dialog: TempoDialog) -> int:
        dialog.tempo.setValue(90.0)
        dialog.beats.setValue(3)
        return 1

    monkeypatch.setattr(TempoDialog, "exec", answer)
    window.transport_bar.tempo.click()
    at.wait(lambda: window.transport_bar.tempo.text() == "90 bpm  3/4", "the tempo to be taken over")
    assert window.transport_bar.clock.text().startswith("  1.1")
    score = window.document.session.score
    assert score is not None
    assert score.tracks[0].notes[1].start == pytest.approx(1 / 3, abs=1e-5)  # an eighth
    window.actions_["undo"].trigger()
    assert window.transport_bar.tempo.text() == "120 bpm"
    window.actions_["redo"].trigger()
    at.answers.path = f"{tmp_path}/bars.continuo"
    window.actions_["save"].trigger()
    at.settle()
    at.open(at.answers.path)
    assert window.transport_bar.tempo.text() == "90 bpm  3/4"


def test_a_double_click_in_the_ruler_changes_and_removes_a_metre(
    desk: Callable[..., Desk], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{tmp_path}/bars.mid"
    with open(path, "wb") as file:
        file.write(file_of([MetaMessage("time_signature", numerator=4, denominator=4), *scale()]))
    at = desk()
    at.open(path)
    window, roll = at.window, at.window.roll
    hand, before = Hand(roll), at.window.document.session
    bar = before.tempo_map.bar_tick(1)
    asked: list[tuple[int, bool]] = []

    def answer(dialog: TempoDialog) -> int:
        asked.append((dialog.tick, dialog.remove.isVisibleTo(dialog)))
        dialog.beats.setValue(3)
        return 1

    monkeypatch.setattr(TempoDialog, "exec", answer)

    def double_click(seconds: float, y: int) -> None:
        point = hand.ruler(seconds, y)
        hand.click(point)
        QTest.mouseDClick(hand.canvas, Qt.MouseButton.LeftButton, NONE, point)
        at.settle()

    there = before.tempo_map.seconds(bar)
    double_click(there + 0.1, 40)
    session = window.document.session
    assert [(m.tick, m.words) for m in RulerMarks(session.tempo_map).all] == [(0, "4/4"), (bar, "3/4")]
    assert [note.start_tick for note in session.score.tracks[0].notes] == [240 * i for i in range(8)]  # type: ignore[union-attr]
    assert not roll.has_gesture

    def remove(dialog: TempoDialog) -> int:
        asked.append((dialog.tick, dialog.remove.isVisibleTo(dialog)))
        dialog.remove.click()
        return dialog.result()

    monkeypatch.setattr(TempoDialog, "exec", remove)
    double_click(there + 6 / roll.coordinates.pixels_per_second, 26)  # on the mark
    assert [m.words for m in RulerMarks(window.document.session.tempo_map).all] == ["4/4"]
    assert asked == [(bar, False), (bar, True)]
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    assert window.document.session.midi == before.midi
