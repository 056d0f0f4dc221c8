"""What the window remembers from one start to the next."""

from collections.abc import Callable
from pathlib import Path

from core.settings import load_settings
from tests.desktop.windows import Desk


def test_the_parts_of_the_panel_that_were_open_are_open_again(desk: Callable[..., Desk], homes: Path) -> None:
    first = desk().window
    assert not first.panel.more.isChecked()
    first.panel.more.click()
    first.preferences.flush()
    first.files.close()
    assert load_settings().unfolded == ("more",)
    second = desk().window
    assert second.panel.more.isChecked()
    assert second.panel.temperature.isVisibleTo(second.panel)
    assert not second.panel.feel.isChecked()
    second.panel.more.click()
    assert second.preferences.now.unfolded == ()
