"""Buttons as screen readers find them."""

from typing import Any

import pytest
from PySide6.QtGui import QAccessible, QAccessibleActionInterface
from pytestqt.qtbot import QtBot

from desktop.widgets.buttons import Fold


def test_a_fold_is_a_button_that_is_expanded_or_collapsed(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    fold = Fold("More")
    qtbot.addWidget(fold)
    interface = QAccessible.queryAccessibleInterface(fold)
    assert (interface.text(QAccessible.Text.Name), interface.role()) == ("More", QAccessible.Role.Button)
    told: list[Any] = []
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(QAccessible, "updateAccessibility", told.append)
    press = QAccessibleActionInterface.pressAction()
    actions = interface.actionInterface()
    assert actions is not None
    assert press in actions.actionNames()
    for is_open in (True, False):
        actions.doAction(press)
        state = interface.state()
        assert (fold.isChecked(), bool(state.expanded), bool(state.collapsed)) == (is_open, is_open, not is_open)
        assert (state.expandable, state.checkable) == (True, False)
    assert [event.changedStates().expanded for event in told if event.type() == QAccessible.Event.StateChanged][
        -2:
    ] == [1, 1]
