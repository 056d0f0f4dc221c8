"""A roll of 1000 x 500 pixels with a waltz in it: a bar is 1.5 s and 150 pixels."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart, TakeOnView
from desktop.piano_roll.view import PianoRoll
from tests.desktop.piano_roll.painted import PaintWatch

NONE = Qt.KeyboardModifier.NoModifier
SCORE = [
    RollNote(0.0, 0.5, 60, 80),
    RollNote(0.5, 1.0, 64, 100),
    RollNote(1.5, 3.0, 67, 40),
    RollNote(3.5, 4.2, 72, 127),
]
TAKE = [RollNote(4.5, 5.0, 62, 90), RollNote(5.0, 5.6, 65, 30)]
OTHER = [RollNote(6.0, 7.0, 70, 90)]


class Hand:
    """Mouse and keyboard on a roll, in seconds and pitches."""

    def __init__(self, roll: PianoRoll) -> None:
        self.roll = roll
        self.canvas = roll.viewport()

    def at(self, seconds: float, pitch: int) -> QPoint:
        view = self.roll.coordinates
        y = view.y(pitch) + view.row_height / 2
        return QPointF(self.roll.keyboard_width + view.x(seconds), self.roll.ruler_height + y).toPoint()

    def ruler(self, seconds: float, y: int = 40) -> QPoint:
        return QPointF(self.roll.keyboard_width + self.roll.coordinates.x(seconds), y).toPoint()

    def click(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseClick(self.canvas, Qt.MouseButton.LeftButton, modifiers, point)

    def press(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.canvas, Qt.MouseButton.LeftButton, modifiers, point)

    def release(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseRelease(self.canvas, Qt.MouseButton.LeftButton, modifiers, point)

    def move(self, point: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        from PySide6.QtCore import QEvent
        from PySide6.QtGui import QMouseEvent

        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(point),
            QPointF(self.canvas.mapToGlobal(point)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            modifiers,
        )
        QApplication.sendEvent(self.canvas, event)

    def drag(self, start: QPoint, end: QPoint, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.press(start, modifiers)
        self.move((start + end) / 2, modifiers)
        self.move(end, modifiers)
        self.release(end, modifiers)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.roll, key, modifiers)


@pytest.fixture
def roll(qtbot: QtBot) -> PianoRoll:
    widget = PianoRoll()
    qtbot.addWidget(widget)
    widget.resize(1000, 500)
    widget.set_tempo_map(TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 3, 4),)))
    widget.set_parts(
        [
            RollPart.of("score", "prompt", SCORE),
            RollPart.of("take", "take", TAKE),
            RollPart.of("old", "other", OTHER),
        ]
    )
    widget.set_prompt(0.0, 4.5)
    widget.take = TakeOnView(4.5, 5.6)
    with qtbot.waitExposed(widget):
        widget.show()
    view = replace(widget.coordinates, left=0.0, pixels_per_second=100.0, row=14)
    widget._set_coordinates(replace(view, top=(127 - 84) * 14))
    QApplication.processEvents()
    return widget


@pytest.fixture
def watch(roll: PianoRoll) -> PaintWatch:
    result = PaintWatch(roll.viewport())
    result.look()
    return result


@pytest.fixture
def hand(roll: PianoRoll) -> Hand:
    return Hand(roll)


Heard = Callable[[object], list[tuple[object, ...]]]


@pytest.fixture
def heard() -> Heard:
    """Collect what a signal says: `said = heard(roll.moved)`."""

    def listen(signal: object) -> list[tuple[object, ...]]:
        said: list[tuple[object, ...]] = []
        signal.connect(lambda *values: said.append(values))  # type: ignore[attr-defined]
        return said

    return listen


def score(*indices: int) -> tuple[NoteRef, ...]:
    """Notes of the score."""
    return tuple(NoteRef("score", i) for i in indices)
