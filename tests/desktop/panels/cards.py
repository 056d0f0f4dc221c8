"""Takes for the tests of their panel, and where their cards are."""

from PySide6.QtCore import QRect

from core.midi.score import TakeNote
from core.session.session import Session, TakeRecord
from desktop.panels.takes_panel import TakesPanel


def notes(count: int = 8) -> tuple[TakeNote, ...]:
    return tuple(TakeNote(60 + i % 12, 20 + i % 100, i * 0.5, i * 0.5 + 0.4) for i in range(count))


def session_of(count: int) -> Session:
    session = Session()
    for i in range(count):
        session = session.with_take(TakeRecord(id=f"t{i}", notes=notes(8 + i), seed=1000 + i, temperature=0.95))
    return session


def card_box(panel: TakesPanel, row: int) -> QRect:
    return panel.view.visualRect(panel.model.index(row))
