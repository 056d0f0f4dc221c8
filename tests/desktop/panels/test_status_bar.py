"""The status bar by itself: what it shows of work that takes long. Its figures are tested with the window."""

import pytest
from pytestqt.qtbot import QtBot

from core.performance.song import PlaybackState
from desktop.adapters.task_worker import Task
from desktop.panels import status_bar
from desktop.panels.status_bar import StatusBar


@pytest.fixture
def bar(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> StatusBar:
    monkeypatch.setattr(status_bar, "SHOWN_AFTER", 0)
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(900, 30)
    bar.show()
    return bar


def task(words: str, can_cancel: bool = False) -> Task:
    return Task(words, lambda *_: None, can_cancel)


def test_what_continue_waits_for_is_shown_until_it_is_there(bar: StatusBar, qtbot: QtBot) -> None:
    bar.show_waiting("Reading the prompt …")
    qtbot.waitUntil(bar._bar.isVisible)
    assert bar._words.text() == "Reading the prompt …"
    assert not bar._cancel.isVisible()
    bar.show_waiting("")
    assert not bar._bar.isVisible()
    assert not bar._words.isVisible()


def test_a_short_wait_is_not_shown(bar: StatusBar, qtbot: QtBot) -> None:
    bar.show_waiting("Reading the prompt …")
    bar.show_waiting("")
    qtbot.wait(20)
    assert not bar._bar.isVisible()


def test_a_wait_leaves_the_sentence_that_is_being_read(bar: StatusBar, qtbot: QtBot) -> None:
    bar.say("Part of this file was damaged and left out.")
    bar.show_waiting("Reading the prompt …")
    qtbot.wait(20)
    assert bar.currentMessage()
    assert not bar._bar.isVisible()
    bar.clearMessage()
    qtbot.waitUntil(bar._bar.isVisible)


def test_opening_a_file_takes_the_place_of_a_sentence(bar: StatusBar, qtbot: QtBot) -> None:
    bar.say("Part of this file was damaged and left out.")
    bar.show_started(task("Opening song.mid"))
    qtbot.waitUntil(bar._bar.isVisible)
    assert not bar.currentMessage()


def test_files_come_before_waiting(bar: StatusBar, qtbot: QtBot) -> None:
    opening = task("Opening song.mid", can_cancel=True)
    bar.show_started(opening)
    bar.show_waiting("Loading the model …")
    qtbot.waitUntil(bar._cancel.isVisible)
    assert bar._words.text() == "Opening song.mid …"
    bar.show_waiting("")
    assert bar._bar.isVisible()
    bar._cancel.click()
    assert opening.is_cancelled()
    bar.show_ended(opening)
    assert not bar._bar.isVisible()


def test_a_sentence_that_is_too_long_ends_in_dots_and_is_whole_for_the_pointer(bar: StatusBar) -> None:
    sentence = "The file is still as it was, for the disk is full. " * 5
    bar.say(sentence)
    assert bar.currentMessage().endswith("…")
    assert bar.fontMetrics().horizontalAdvance(bar.currentMessage()) < bar.model.x()
    assert bar.toolTip() == sentence
    bar.clearMessage()
    assert not bar.toolTip()
    bar.say("Saved.")
    assert bar.currentMessage() == "Saved."


def test_a_wait_for_the_sound_is_told(bar: StatusBar) -> None:
    def shown(state: PlaybackState) -> str:
        bar._next_figures = 0.0
        bar.show_figures(None, None, state)
        return bar.ahead.text()

    assert shown(PlaybackState(True, True, 0.0, ahead=3.0, wait=12.3)) == "Sound in about 12 s"
    assert shown(PlaybackState(True, True, 0.0, ahead=3.0, wait=0.4)) == "3.0 s ahead"
    assert shown(PlaybackState(True, False, 0.0, ahead=3.0)) == "3.0 s ahead"


def test_what_can_be_cancelled_stays_on_view_whatever_comes_between(bar: StatusBar, qtbot: QtBot) -> None:
    export, saving, opening = task("Exporting song.wav"), task("Saving"), task("Opening a.mid", can_cancel=True)
    bar.show_started(export)
    bar.show_progress(export, 0.25)
    qtbot.waitUntil(bar._cancel.isVisible)
    bar.show_started(saving)
    qtbot.wait(20)
    bar.show_ended(saving)
    assert (bar._words.text(), bar._bar.value(), bar._bar.maximum()) == ("Exporting song.wav …", 250, 1000)
    bar.show_started(opening)
    qtbot.waitUntil(lambda: bar._words.text() == "Opening a.mid …")
    bar.show_progress(export, 0.5)
    assert bar._bar.maximum() == 0
    bar.show_ended(opening)
    qtbot.waitUntil(bar._cancel.isVisible)
    assert (bar._words.text(), bar._bar.value(), bar._bar.maximum()) == ("Exporting song.wav …", 500, 1000)
    bar._cancel.click()
    assert export.is_cancelled()
    bar.show_ended(export)
    assert not bar._bar.isVisible()
