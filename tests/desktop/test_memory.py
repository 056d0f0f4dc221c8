"""What was worked with is freed when its last user lets go of it: the window leaves most of it out of collections."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.desktop.windows import Desk

MakeDesk = Callable[..., Desk]
EDITS = ("up", "undo", "redo", "legato", "mirror", "louder", "set length", "reverse", "split", "join", "humanise")


@pytest.fixture
def left_to_collect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Tells of which of our types there was something since, or since it was last asked, that only a collection frees.

    Frozen, as the window has it, that would stay for good.
    """
    gc.collect()
    gc.disable()
    for name in ("freeze", "enable"):
        monkeypatch.setattr(gc, name, lambda: None)

    def look() -> list[str]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        found = sorted({f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.garbage})
        gc.garbage.clear()
        return [name for name in found if name.startswith(("core.", "desktop."))]

    yield look
    monkeypatch.undo()
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def test_all_that_edits_leave_behind_is_freed_at_once(
    desk: MakeDesk, homes: Path, left_to_collect: Callable[[], list[str]]
) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.window.grab()
    left_to_collect()  # what happens once, as the window is made, is not looked at
    roll = at.window.roll
    for name in EDITS:
        roll.setFocus()
        at.window.actions_["select all"].trigger()
        at.window.actions_[name].trigger()
        at.settle()
        at.window.grab()
        assert left_to_collect() == [], name
    at.window.actions_["select all"].trigger()
    roll.delete_selected()
    at.settle()
    at.window.grab()
    assert left_to_collect() == []


def test_all_that_takes_and_files_leave_behind_is_freed_at_once(
    desk: MakeDesk, homes: Path, left_to_collect: Callable[[], list[str]]
) -> None:
    at = desk()
    at.open()
    at.window.grab()
    left_to_collect()
    for _ in range(2):
        at.sample(1.0)
        at.window.grab()
        assert left_to_collect() == []
    at.answers.path = str(homes / "song.continuo")
    at.window.actions_["save as"].trigger()
    at.settle()
    at.answers.path = str(homes / "song.mid")
    at.window.actions_["save score and take"].trigger()
    at.settle()
    assert left_to_collect() == []
    at.window.file_controller.new()
    at.settle()
    at.window.grab()
    assert left_to_collect() == []
    at.open(homes / "song.mid")
    at.window.grab()
    assert left_to_collect() == []
