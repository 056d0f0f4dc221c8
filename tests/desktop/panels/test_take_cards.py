"""The cards of takes: dragged out, painted, and what they say."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.errors import WriteError
from core.midi.read import read_score
from core.midi.tempo_map import Metre, TempoMap
from core.session.export import save_midi
from core.session.knobs import Knobs
from core.session.session import Session, TakeRecord
from desktop.panels import takes_panel
from desktop.panels.take_cards import Card, facts
from desktop.panels.take_words import differences, length_words, place_words
from desktop.panels.takes_panel import TakesPanel
from tests.desktop.looking import dark, reachable, unnamed
from tests.desktop.panels.cards import card_box, notes

LEFT = Qt.MouseButton.LeftButton


class Folder(QWidget):
    """A file manager's window: keeps what is dropped on it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.dropped: list[Path] = []
        self.contents: list[bytes] = []

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.dropped = [Path(url.toLocalFile()) for url in event.mimeData().urls()]
        self.contents = [path.read_bytes() for path in self.dropped]
        event.acceptProposedAction()


def test_a_card_is_dragged_into_another_window_as_midi(
    panel: TakesPanel, session: Session, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(take_id: str) -> Path:
        path = tmp_path / f"{session.take(take_id).name}.mid"
        save_midi(session, path, "take", take_id)
        return path

    panel.export_for_drag = export
    folder = Folder()
    qtbot.addWidget(folder)
    folder.show()

    class Drag(takes_panel.QDrag):
        """Dropped on the folder at once: windows in memory have no pointer to carry it with."""

        def exec(self, *actions: Qt.DropAction) -> Qt.DropAction:  # type: ignore[override]
            at, none = QPoint(20, 20), Qt.KeyboardModifier.NoModifier
            enter = QDragEnterEvent(at, actions[0], self.mimeData(), LEFT, none)
            QApplication.sendEvent(folder, enter)
            assert enter.isAccepted()
            QApplication.sendEvent(folder, QDropEvent(QPointF(at), actions[0], self.mimeData(), LEFT, none))
            return actions[0]

    monkeypatch.setattr(takes_panel, "QDrag", Drag)
    window = panel.windowHandle()
    start = panel.view.viewport().mapTo(panel, card_box(panel, 2).center())
    QTest.mousePress(window, LEFT, Qt.KeyboardModifier.NoModifier, start)
    for step in (6, 20, 40):
        QTest.mouseMove(window, start + QPoint(step, 0))
        QApplication.processEvents()  # or Qt makes one move of them
    QTest.mouseRelease(window, LEFT, Qt.KeyboardModifier.NoModifier, start)
    (path,) = folder.dropped
    assert path.suffix == ".mid"
    assert folder.contents[0][:4] == b"MThd"
    score = read_score(path)
    assert [note.pitch for note in score.tracks[0].notes] == [note.pitch for note in session.take("t2").notes]


def test_the_data_of_a_drag_is_a_url_of_a_file_that_is_there(
    panel: TakesPanel, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.export_for_drag = lambda take_id: _save(session, take_id, tmp_path / "a take with #, % and ü.mid")
    carried: list[QMimeData] = []

    class Drag(takes_panel.QDrag):
        def exec(self, *actions: Qt.DropAction) -> Qt.DropAction:  # type: ignore[override]
            data = QMimeData()
            data.setData("text/uri-list", self.mimeData().data("text/uri-list"))
            carried.append(data)
            assert not self.pixmap().isNull()
            return Qt.DropAction.CopyAction

    monkeypatch.setattr(takes_panel, "QDrag", Drag)
    panel.view.startDrag(Qt.DropAction.CopyAction)
    (url,) = carried[0].urls()
    assert url.isLocalFile()
    assert read_score(url.toLocalFile()).notes == len(session.take("t1").notes)


def _save(session: Session, take_id: str, path: Path) -> Path:
    save_midi(session, path, "take", take_id)
    return path


def test_a_card_that_cannot_be_written_is_not_dragged_and_says_so(panel: TakesPanel, qtbot: QtBot) -> None:
    def export(take_id: str) -> Path:
        raise WriteError("There is no room left on the disk.")

    panel.export_for_drag = export
    with qtbot.waitSignal(panel.problem) as said:
        panel.view.startDrag(Qt.DropAction.CopyAction)
    assert said.args == ["There is no room left on the disk."]


@pytest.mark.parametrize("width", [170, 280, 600])
def test_facts_fit(panel: TakesPanel, session: Session, width: int) -> None:
    take = replace(session.takes[0], seed=10**17, seconds=3725.0)
    text = facts(Card(take), panel.fontMetrics(), width)
    assert panel.fontMetrics().horizontalAdvance(text) <= width
    assert text.startswith("62:05")


def test_every_detail_is_in_the_tooltip_and_said_aloud(panel: TakesPanel, session: Session) -> None:
    forked = replace(session.takes[0], id="f", name="Fork", parent="t0", forked_at=2.5, starred=True)
    panel.show_takes((*session.takes, forked), "f")
    index = panel.model.index(3)
    said = panel.model.data(index, Qt.ItemDataRole.AccessibleDescriptionRole)
    assert "Seed 1000, temperature 0.95" in said
    assert "Continues Take 1 from 2.5 s" in said
    assert panel.model.data(index, Qt.ItemDataRole.AccessibleTextRole) == "Fork, starred"
    assert reachable(panel) == [panel.view, panel.starred_only]
    assert unnamed(panel) == []


def test_it_is_painted_light_and_dark(panel: TakesPanel, session: Session) -> None:
    light = panel.grab().toImage()
    panel.setPalette(dark())
    shaded = panel.grab().toImage()
    assert light != shaded
    other = replace(session.takes[0], notes=notes(40))
    panel.show_takes([other, *session.takes[1:]], "t1")
    assert panel.grab().toImage() != shaded  # the tiny roll is not the old one


@pytest.mark.parametrize(("seconds", "words"), [(0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1:00"), (125, "2:05")])
def test_lengths(seconds: float, words: str) -> None:
    assert length_words(seconds) == words


def test_a_card_is_seen_whole_however_small_the_panel(panel: TakesPanel) -> None:
    panel.resize(panel.minimumSizeHint())
    QApplication.processEvents()
    panel.view.scrollTo(panel.model.index(1))
    assert panel.view.viewport().height() >= card_box(panel, 1).height()
    panel.view.setFont(QFont(panel.font().family(), 20))
    QApplication.processEvents()
    assert panel.view.minimumHeight() >= card_box(panel, 1).height()


def test_a_card_says_from_where_how_long_and_what_sets_it_apart() -> None:
    bars = TempoMap(480, (), (Metre(0, 4, 4),))
    take = TakeRecord(marker=8.0, seconds=15.8, end=16.0, seed=7, model="Continuo Base")
    other = replace(take, temperature=1.3, seed=8)
    assert place_words(take, bars) == "Bar 5, 8 bars"
    assert place_words(replace(take, marker=8.5, end=0.0, seconds=1.0), bars) == "Bar 5.2, 1 bar"
    assert place_words(take, TempoMap()) == "From 8.0 s, 15.8 s"
    assert differences(take, [take, replace(take, seed=8)]) == ["seed 7"]
    assert differences(other, [take, other]) == ["temperature 1.3"]
    turned = replace(take, knobs=Knobs(busy=1), then=(Knobs(loud=-1),))
    assert differences(turned, [turned]) == ["seed 7", "busier, then softer"]  # alone, too
    assert differences(turned, [take, turned]) == ["busier, then softer"]
    assert differences(take, [take, turned]) == ["seed 7"]
    concert = replace(take, model="Continuo Concert", rest="rest")
    assert differences(concert, [take, concert]) == ["Continuo Concert", "song left out"]
