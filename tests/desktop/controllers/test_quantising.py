"""Quantise in the real window: what becomes of the notes is seen before it is done."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.session.export import midi_bytes
from desktop.dialogs.quantise import QuantiseDialog
from desktop.piano_roll.selection import Selection
from tests.core.midi.builders import file_of, off, on
from tests.desktop.windows import Desk


def test_notes_are_shown_where_they_would_go_and_cancel_leaves_no_step(desk: Callable[..., Desk], homes: Path) -> None:
    played = [on(60, 130), off(60, 100), on(62, 277), off(62, 90), on(64, 1003), off(64, 333)]
    (homes / "played.mid").write_bytes(file_of(played))
    at = desk()
    at.open(homes / "played.mid")
    window, roll, document = at.window, at.window.roll, at.window.document
    step = 60 / 120 / 480  # seconds a tick
    before, undo = midi_bytes(document.session, "score"), document.undo_name
    chosen = Selection({"track:0": range(3)})

    def shown() -> list[int]:
        return [round(tick / step) for tick in roll.parts[0].start.tolist()]

    seen: list[list[int]] = []

    def during(act: Callable[[QuantiseDialog], None]) -> None:
        roll.select(chosen)

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

    during(cancel)
    assert seen == [[120, 480, 1560], [125, 494, 1580]]
    assert shown() == [130, 507, 1600]
    assert roll.selection == chosen
    assert midi_bytes(document.session, "score") == before
    assert document.undo_name == undo
    during(accept)
    assert seen[2] == shown() == [0, 480, 1440]
    assert document.undo_name == "Quantise to 1/8"
    during(lambda dialog: seen.append([dialog.wanted.swing, *shown()]))
    assert seen[3] == [75, 0, 480, 1440]  # it begins with what was chosen last
    window.actions_["undo"].trigger()
    assert midi_bytes(document.session, "score") == before
