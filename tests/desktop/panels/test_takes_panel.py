from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from core.session.session import Session, TakeRecord
from desktop.panels.take_cards import Spot, facts
from desktop.panels.takes_panel import TakesPanel
from tests.desktop.panels.cards import card_box, notes, session_of

LEFT = Qt.MouseButton.LeftButton


def place(panel: TakesPanel, row: int, spot: Spot) -> QPoint:
    """The middle of a card's button, found by its own hit test."""
    option = QStyleOptionViewItem()
    panel.view.initViewItemOption(option)
    option.rect = card_box(panel, row)
    index = panel.model.index(row)
    hits = [
        QPoint(x, y)
        for x in range(option.rect.left(), option.rect.right(), 2)
        for y in range(option.rect.top(), option.rect.bottom(), 2)
        if panel.view.delegate.spot(option, index, QPoint(x, y)) is spot
    ]
    return QPoint(sum(p.x() for p in hits) // len(hits), sum(p.y() for p in hits) // len(hits))


def names_in(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


# Choosing and hearing


def test_a_click_selects(panel: TakesPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.selected) as said:
        QTest.mouseClick(panel.view.viewport(), LEFT, pos=card_box(panel, 2).center())
    assert said.args == ["t2"]


def test_being_shown_another_take_says_nothing(panel: TakesPanel, session: Session, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(panel.selected):
        panel.show_takes(session.takes, "t0")
        panel.show_takes(session.delete_takes(["t0"]).takes, "t1")
        panel.show_takes(session.takes, None)
    assert not panel.view.currentIndex().isValid()


def test_arrows_select_and_return_hears(panel: TakesPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.selected) as said:
        QTest.keyClick(panel.view, Qt.Key.Key_Down)
    assert said.args == ["t2"]
    with qtbot.waitSignal(panel.play_requested) as said:
        QTest.keyClick(panel.view, Qt.Key.Key_Return)
    assert said.args == ["t2"]


def test_the_buttons_of_a_card_leave_the_selection_alone(panel: TakesPanel, qtbot: QtBot) -> None:
    view = panel.view.viewport()
    with qtbot.assertNotEmitted(panel.selected):
        with qtbot.waitSignal(panel.play_requested) as said:
            QTest.mouseClick(view, LEFT, pos=place(panel, 0, Spot.HEAR))
        assert said.args == ["t0"]
        with qtbot.waitSignal(panel.starred) as said:
            QTest.mouseClick(view, LEFT, pos=place(panel, 0, Spot.STAR))
        assert said.args == ["t0", True]


def test_a_button_let_go_elsewhere_is_not_pressed(panel: TakesPanel, qtbot: QtBot) -> None:
    view = panel.view.viewport()
    with qtbot.assertNotEmitted(panel.play_requested), qtbot.assertNotEmitted(panel.starred):
        QTest.mousePress(view, LEFT, pos=place(panel, 0, Spot.HEAR))
        QTest.mouseRelease(view, LEFT, pos=place(panel, 0, Spot.STAR))


def test_a_double_click_hears(panel: TakesPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.play_requested) as said:
        QTest.mouseDClick(panel.view.viewport(), LEFT, pos=card_box(panel, 0).center())
    assert said.args == ["t0"]


# Changing


def test_f2_renames(panel: TakesPanel, qtbot: QtBot) -> None:
    QTest.keyClick(panel.view, Qt.Key.Key_F2)
    editor = panel.view.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    assert editor.text() == "Take 2"
    editor.selectAll()
    QTest.keyClicks(editor, "Bridge, slower")
    with qtbot.assertNotEmitted(panel.play_requested), qtbot.waitSignal(panel.renamed) as said:
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert said.args == ["t1", "Bridge, slower"]
    qtbot.waitUntil(panel.view.hasFocus)
    with qtbot.waitSignal(panel.play_requested):  # the key is the list's again
        QTest.keyClick(panel.view, Qt.Key.Key_Return)


def test_a_name_is_typed_while_takes_grow_and_arrive(panel: TakesPanel, session: Session, qtbot: QtBot) -> None:
    QTest.keyClick(panel.view, Qt.Key.Key_F2)
    editor = panel.view.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "Bri")
    panel.show_growing("new 1", (), 1.0)
    panel.show_growing("new 2", (), 1.0)
    panel.show_growing("new 2", (), 2.0)
    qtbot.waitUntil(lambda: panel.model.cards[-1].take.seconds == 2.0)
    first, second = (replace(session.takes[0], id=name) for name in ("new 1", "new 2"))
    panel.show_takes((*session.takes, second, first), session.current)  # the better one comes first
    QTest.keyClicks(editor, "dge")
    with qtbot.waitSignal(panel.renamed) as said:
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert said.args == ["t1", "Bridge"]


def test_an_empty_name_and_escape_rename_nothing(panel: TakesPanel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(panel.renamed):
        for text, key in (("  ", Qt.Key.Key_Return), ("other", Qt.Key.Key_Escape)):
            QTest.keyClick(panel.view, Qt.Key.Key_F2)
            editor = panel.view.findChild(QLineEdit)
            assert isinstance(editor, QLineEdit)
            editor.selectAll()
            QTest.keyClicks(editor, text)
            QTest.keyClick(editor, key)
            QApplication.sendPostedEvents(None, 52)  # the editor is deleted later


def test_delete_and_star_by_key(panel: TakesPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.starred) as said:
        QTest.keyClicks(panel.view, "*")
    assert said.args == ["t1", True]
    with qtbot.waitSignal(panel.deleted) as said:
        QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    assert said.args == [["t1"]]


def test_the_menu_has_everything(panel: TakesPanel, qtbot: QtBot) -> None:
    menu = panel.menu("t0")
    signals = {
        "Hear": (panel.play_requested, ["t0"]),
        "Star": (panel.starred, ["t0", True]),
        "Duplicate": (panel.duplicated, ["t0"]),
        "Continue this take": (panel.fork_requested, ["t0"]),
        "Another take with a new seed": (panel.another_requested, ["t0"]),
        "Make part of the score": (panel.accept_requested, ["t0"]),
        "Delete": (panel.deleted, [["t0"]]),
    }
    assert set(names_in(menu)) == {*signals, "Rename"}
    for action in menu.actions():
        assert action.isSeparator() or action.toolTip()
        if action.text() in signals:
            said, args = signals[action.text()]
            with qtbot.waitSignal(said) as said:
                action.trigger()
            assert said.args == args


def test_the_menu_key_opens_the_current_cards_menu(panel: TakesPanel, session: Session) -> None:
    panel.show_takes(session.star_take("t1", True).takes, "t1")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0))
    QApplication.sendEvent(panel.view.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Remove star" in names_in(menu)
    menu.close()


def test_the_dots_open_the_menu(panel: TakesPanel) -> None:
    QTest.mouseClick(panel.view.viewport(), LEFT, pos=place(panel, 2, Spot.MORE))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()


# Takes in the making


def test_a_growing_card_grows_and_cannot_be_touched(panel: TakesPanel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(panel.selected):
        panel.show_growing("new", notes(3), 1.5)
    assert panel.model.rowCount() == 4
    view = panel.view.viewport()
    with qtbot.assertNotEmitted(panel.play_requested), qtbot.assertNotEmitted(panel.selected):
        QTest.mouseDClick(view, LEFT, pos=card_box(panel, 3).center())
    panel.show_growing("new", notes(9), 4.5)
    qtbot.waitUntil(lambda: len(panel.model.cards[3].take.notes) == 9)
    assert facts(panel.model.cards[3], panel.fontMetrics(), 500) == "4.5 s so far"


def test_a_growing_card_stays_while_others_change_and_then_becomes_the_take(
    panel: TakesPanel, session: Session
) -> None:
    panel.show_growing("new", notes(3), 1.5)
    panel.show_takes(session.rename_take("t0", "Intro").takes, "t1")
    assert [card.growing for card in panel.model.cards] == [False, False, False, True]
    done = session.with_take(TakeRecord(id="new", notes=notes(9)))
    panel.show_takes(done.takes, done.current)
    assert [card.growing for card in panel.model.cards] == [False] * 4
    panel.show_growing("other", notes(3), 1.5)
    panel.end_growing()
    assert panel.model.rowCount() == 4


# Looks and words


def test_empty_says_what_will_be_here(panel: TakesPanel) -> None:
    panel.show_takes([], None)
    assert panel.empty.isVisible()
    assert "appear here" in panel.empty.text()


def test_the_best_of_several_new_takes_is_seen(panel: TakesPanel) -> None:
    session = session_of(4)
    panel.resize(panel.width(), 200)
    for take in session.takes:
        panel.show_growing(take.id, take.notes, 1.0)
    panel.show_takes(session.takes, session.takes[0].id)
    area = panel.view.viewport().rect()
    assert area.contains(panel.view.visualRect(panel.model.index(0)))


def test_many_takes_scroll_to_the_current_one(panel: TakesPanel) -> None:
    session = session_of(30)
    panel.show_takes(session.takes, "t29")
    assert panel.view.viewport().rect().contains(card_box(panel, 29).center())


def test_the_current_take_of_a_session_just_opened_is_in_view(qtbot: QtBot) -> None:
    panel = TakesPanel()
    qtbot.addWidget(panel)
    panel.resize(280, 250)
    panel.show()
    session = session_of(6).select_take("t4")
    panel.show_takes(session.takes, session.current)
    QApplication.processEvents()
    assert panel.view.viewport().rect().contains(card_box(panel, 4))


def test_several_cards_are_selected_and_deleted_at_once(panel: TakesPanel, session: Session, qtbot: QtBot) -> None:
    panel.selected.connect(lambda take: panel.show_takes(session.takes, take))  # as the window does
    control = Qt.KeyboardModifier.ControlModifier
    for row, modifier in ((0, Qt.KeyboardModifier.NoModifier), (2, control)):
        panel.view.scrollTo(panel.model.index(row, 0))
        box = panel.view.visualRect(panel.model.index(row, 0))
        QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, modifier, box.center())
    assert panel.view.selected_ids() == ["t0", "t2"]
    assert panel.model.current == "t2"
    panel.grab()
    with qtbot.waitSignal(panel.deleted) as said:
        QTest.keyClick(panel.view, Qt.Key.Key_Delete)
    assert said.args == [["t0", "t2"]]
    panel._do("Delete", "t1")  # the menu of a card that is not among them
    assert len(panel.view.selected_ids()) == 2


def test_only_starred_takes_are_shown_where_that_is_wanted(panel: TakesPanel, session: Session) -> None:
    panel.show_takes(session.star_take("t1", True).takes, "t1")
    panel.starred_only.click()
    assert [card.take.id for card in panel.model.cards] == ["t1"]
    panel.show_takes(session.takes, "t1")
    assert panel.empty.isVisible()
    assert panel.empty.text() == "No take is starred."
    panel.starred_only.click()
    assert len(panel.model.cards) == 3
