"""Notes that came from another take: a line in its colour, and its name over the note."""

from collections.abc import Callable
from dataclasses import replace
from unittest import mock

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from core.midi.score import TakeNote
from core.session.session import TakeRecord
from desktop.controllers.roll_parts import roll_key
from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.windows import BACH, Desk


def test_notes_of_another_take_say_so(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll, document = at.window, at.window.roll, at.window.document
    marker = document.session.marker
    notes = tuple(TakeNote(60 + 2 * k, 80, float(k), k + 0.9) for k in range(6))
    session = document.session
    for name, up in (("first", 0), ("second", 12)):
        own = tuple(replace(note, pitch=note.pitch + up) for note in notes)
        session = session.with_take(TakeRecord(own, seconds=6.0, marker=marker, end=6.0, id=name, name=name.title()))
    document.do("Make takes", session.select_take("first"))
    roll.set_span((marker + 2.0, marker + 4.0))
    window.editing.use_bars("second")
    roll.set_span(None)
    roll.clear_selection()
    part = next(part for part in roll.parts if part.kind == "take")
    assert part.key == roll_key("second")
    assert (part.origin.tolist(), part.origins) == ([0, 0, 1, 1, 0, 0], ("First",))
    roll.zoom_time(roll.visible_seconds / 8, 0.0)
    roll.scroll_to(marker - 0.5)
    roll.scroll_by(0.0, roll.coordinates.y(80))
    roll.zoom_pitch(2.0, 0.0)
    hand, shown = Hand(roll), roll.viewport().grab().toImage()

    def is_marked(start: float, pitch: int) -> bool:
        middle, half = hand.at(start + 0.4, pitch), round(roll.coordinates.row_height / 2)
        column = [shown.pixelColor(middle + QPoint(0, y)).rgb() for y in range(-half, half)]
        return roll.theme.origin(1).rgb() in column

    marked = [is_marked(start, pitch) for start, pitch in zip(part.start.tolist(), part.pitch.tolist(), strict=True)]
    assert marked == [False, False, True, True, False, False]
    with mock.patch.object(QToolTip, "showText") as show:
        point = hand.at(marker + 2.4, 64)
        QApplication.sendEvent(roll.viewport(), QHelpEvent(QEvent.Type.ToolTip, point, point))
    assert show.call_args.args[1].endswith("Second, from First")
    document.do("Rename take", document.session.rename_take("first", "The calm one"))
    assert next(part for part in roll.parts if part.kind == "take").origins == ("The calm one",)
    document.do("Delete take", document.session.delete_takes(["first"]))
    assert next(part for part in roll.parts if part.kind == "take").origins == ("The calm one",)  # it lies in the bin
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    window.actions_["undo"].trigger()
    part = next(part for part in roll.parts if part.kind == "take")
    assert not part.origin.any()
