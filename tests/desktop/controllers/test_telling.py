"""What screen readers are told that has no focus: commands done, sentences, switches of lists."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.performance.song import PlaybackState
from core.resources import bundled
from desktop.panels.status_bar import StatusBar
from tests.desktop.windows import Desk


@pytest.fixture
def aloud(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is announced."""
    words: list[str] = []

    def update(event: Any) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            words.append(event.message())

    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(QAccessible, "updateAccessibility", update)
    return words


def test_commands_say_what_they_have_done(desk: Callable[..., Desk], aloud: list[str]) -> None:
    at = desk()
    at.open(bundled("examples", "pop-loop.mid"))
    window = at.window

    def said(*names: str) -> list[str]:
        aloud.clear()
        for name in names:
            window.actions_[name].trigger()
        QApplication.processEvents()
        return list(aloud)

    assert said("on", "on", "back") == ["bar 2, beat 1", "bar 3, beat 1", "bar 2, beat 1"]
    assert said("loop start", "span start") == [
        "Loop: bar 2, beat 1 to bar 8, beat 4.95",
        "Span: bar 2, beat 1 to bar 8, beat 4.95",
    ]
    assert said("metronome", "metronome", "pencil", "fold") == [
        "Metronome on",
        "Metronome off",
        "Pencil",
        "Only Rows in Use on",
    ]
    assert said("on", "marker here", "start here") == [
        "bar 3, beat 1",
        "Continues from bar 3",
        "Prompt from bar 3, beat 1",
    ]
    window.roll.select_first_from(0.0)
    assert said("copy") == ["Copied: 1 note"]
    window.roll.delete_selected()
    assert said("undo", "redo") == ["Undone: Delete note", "Done again: Delete note"]

    aloud.clear()
    tracks, table = window.tracks, window.tracks.table
    table.setFocus(Qt.FocusReason.TabFocusReason)
    table.setCurrentIndex(tracks.model.index(1, 0))
    for key in (Qt.Key.Key_M, Qt.Key.Key_S, Qt.Key.Key_P, Qt.Key.Key_Return, Qt.Key.Key_Return):
        QTest.keyClick(table, key)
    assert aloud == ["Bass: Mute on", "Bass: Solo on", "Bass: In prompt off", "In front: Bass", "No track in front"]
    name = tracks.model.data(tracks.model.index(1, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert name == "Bass, muted, solo, 32 notes, Electric Bass (finger)"


def test_takes_are_told_of(desk: Callable[..., Desk], aloud: list[str]) -> None:
    at = desk()
    at.open()
    aloud.clear()
    take = at.sample(1.0)
    assert [words for words in aloud if words not in at.messages] == [
        "Continuing",
        f"{take.name}: {at.window.takes.model.cards[0].place}, {len(take.notes)} notes",
    ]
    aloud.clear()
    takes = at.window.takes
    for key in (Qt.Key.Key_Asterisk, Qt.Key.Key_Asterisk, Qt.Key.Key_Delete):
        QTest.keyClick(takes.view, key)
    takes.restored.emit(take.id)
    assert aloud == ["Star on", "Star off", f"In the bin: {take.name}", f"Brought back: {take.name}"]


def test_sentences_and_waits_of_the_status_bar_are_said(
    qtbot: Any, aloud: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(300, 20)
    sentence = "The output is gone: the sound comes back as soon as it is plugged in, or choose another by Output."
    bar.say(sentence)
    name = QAccessible.queryAccessibleInterface(bar).text
    assert (aloud, name(QAccessible.Text.Name)) == ([sentence], sentence)  # however much of it is seen
    bar.clearMessage()
    assert name(QAccessible.Text.Name) == ""
    aloud.clear()
    for wait in (None, 12.0, 11.0, 10.2, None, 3.0):
        bar._next_figures = 0.0
        bar.show_figures(None, None, PlaybackState(is_waiting=wait is not None, wait=wait))
    assert aloud == ["Sound in about 12 s", "Sound in about 3 s"]
