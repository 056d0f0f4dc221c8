"""The line between settings and takes lies where both have room."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from tests.desktop.panels.cards import session_of
from tests.desktop.windows import Desk


def is_seen(widget: QWidget) -> bool:
    return widget.visibleRegion().boundingRect().height() == widget.height()


def test_what_is_opened_is_seen_and_takes_have_their_place(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.open()
    window = at.window
    window.resize(1600, 900)
    QApplication.processEvents()
    closed = window.side.sizes()
    window.panel.feel.click()
    at.wait(lambda: window.side.sizes()[0] > closed[0], "room for what was opened")
    feelings = window.panel.feelings
    inside = [feelings.words, *feelings.knobs.sliders.values(), feelings.now]
    assert [widget for widget in inside if not is_seen(widget)] == []
    window.takes.show_takes(session_of(3).takes, "t0", window.document.session.tempo_map)
    QApplication.processEvents()
    assert window.side.sizes()[1] >= 240
    window.resize(1600, 600)
    QApplication.processEvents()
    window.panel.feel.click()
    window.panel.feel.click()
    at.wait(lambda: is_seen(feelings.words), "what was opened")
    assert is_seen(window.panel.feel)  # from its heading on, as much as there is room for

    window.side.setSizes([150, 400])
    window.side.splitterMoved.emit(150, 1)  # by hand
    window.panel.feel.click()
    QApplication.processEvents()
    assert window.side.sizes()[0] < 200
