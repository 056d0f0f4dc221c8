"""Quantise in the real window: what becomes of the notes is seen before it is done."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mido import MetaMessage
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.performance.playback import Playback
from core.performance.song import PlayRequest
from core.session.export import midi_bytes
from desktop.dialogs.quantise import QuantiseDialog
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from tests.core.midi.builders import file_of, off, on
from tests.desktop.windows import Desk

CHOSEN = Selection({"track:0": range(3)})


def asked_to(roll: PianoRoll, act: Callable[[QuantiseDialog], None]) -> None:
    """Press Q with three notes selected; `act` on the dialog, which is then given up if it is still there."""
    roll.select(CHOSEN)

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QuantiseDialog)
        try:
            act(dialog)
        finally:
            if dialog.isVisible():
                dialog.reject()

    QTimer.singleShot(0, look)
    QTest.keyClick(roll, Qt.Key.Key_Q)


def test_notes_are_shown_where_they_would_go_and_cancel_leaves_no_step(desk: Callable[..., Desk], homes: Path) -> None:
    played = [on(60, 130), off(60, 100), on(62, 277), off(62, 90), on(64, 1003), off(64, 333)]
    (homes / "played.mid").write_bytes(file_of(played))
    at = desk()
    at.open(homes / "played.mid")
    window, roll, document = at.window, at.window.roll, at.window.document
    step = 60 / 120 / 480  # seconds a tick
    before, undo = midi_bytes(document.session, "score"), document.undo_name

    def shown() -> list[int]:
        return [round(tick / step) for tick in roll.parts[0].start.tolist()]

    seen: list[list[int]] = []

    def cancel(dialog: QuantiseDialog) -> None:
        seen.append(shown())
        dialog.strength.spin.setValue(50)
        seen.append(shown())
        assert len(roll.selection) == 3
        assert midi_bytes(document.session, "score") == before

    def accept(dialog: QuantiseDialog) -> None:
        dialog.choice.setCurrentIndex(dialog.choice.findData("1/8"))
        dialog.swing.spin.setValue(75)
        seen.append(shown())
        QTest.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)

    asked_to(roll, cancel)
    assert seen == [[120, 480, 1560], [125, 494, 1580]]
    assert shown() == [130, 507, 1600]
    assert roll.selection == CHOSEN
    assert midi_bytes(document.session, "score") == before
    assert document.undo_name == undo
    asked_to(roll, accept)
    assert seen[2] == shown() == [0, 480, 1440]
    assert document.undo_name == "Quantise to 1/8"
    asked_to(roll, lambda dialog: seen.append([dialog.wanted.swing, *shown()]))
    assert seen[3] == [75, 0, 480, 1440]  # it begins with what was chosen last
    window.actions_["undo"].trigger()
    assert midi_bytes(document.session, "score") == before


Asked = list[tuple[str, list[int], tuple[float, float] | None]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What is asked to be played, or to go on: where its first three notes begin, and the loop."""
    requests: Asked = []
    for name in ("play", "refresh"):
        real = getattr(Playback, name)

        def request(engine: Playback, it: PlayRequest, *more: float, name: str = name, real: Any = real) -> None:
            assert it.session.score is not None
            requests.append((name, [note.start_tick for note in it.session.score.tracks[0].notes[:3]], it.loop))
            count = len(requests)
            real(engine, it, *more)
            del requests[count:]  # to go on with other notes may be to play them anew

        monkeypatch.setattr(Playback, name, request)
    return requests


def test_what_would_become_of_the_notes_is_heard(desk: Callable[..., Desk], homes: Path, asked: Asked) -> None:
    played = [on(60, 130), off(60, 100), on(62, 277), off(62, 90), on(64, 1003), off(64, 333), on(65, 2000), off(65, 9)]
    metre = MetaMessage("time_signature", numerator=3, denominator=4)
    (homes / "played.mid").write_bytes(file_of([metre], played))
    at = desk()
    at.open(homes / "played.mid")
    window, transport = at.window, at.window.transport
    at.wait(lambda: window.playback.output.description, "the output")
    at.settle()

    def listen(dialog: QuantiseDialog) -> None:
        dialog.listen.click()
        dialog.strength.spin.setValue(50)
        assert transport.is_playing

    loop = (0.0, 3.0)  # two bars: the last note ends in the second
    asked_to(window.roll, listen)
    assert asked == [("play", [120, 480, 1560], loop), ("refresh", [125, 494, 1580], loop)]
    assert not transport.is_playing
    asked.clear()
    transport.play(0.0)  # what plays while it asks is heard so too, and then as it was
    asked_to(window.roll, lambda dialog: None)
    assert [ticks for _, ticks, _ in asked] == [[130, 507, 1600], [120, 480, 1560], [130, 507, 1600]]
    assert transport.is_playing
    transport.stop()
