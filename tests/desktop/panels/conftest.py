"""A panel of takes for its tests."""

import pytest
from pytestqt.qtbot import QtBot

from core.session.session import Session
from desktop.panels.takes_panel import TakesPanel
from tests.desktop.panels.cards import session_of


@pytest.fixture
def session() -> Session:
    return session_of(3).select_take("t1")


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> TakesPanel:
    panel = TakesPanel()
    qtbot.addWidget(panel)
    panel.resize(280, 500)
    panel.show_takes(session.takes, session.current)
    panel.show()
    panel.activateWindow()
    panel.view.setFocus()
    return panel
