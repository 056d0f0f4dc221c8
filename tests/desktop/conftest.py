"""Windows of tests are painted into memory, unless the environment says where else."""

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from tests.conftest import WAIT

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.desktop.windows import Desk


@pytest.fixture
def qtbot(qtbot: "QtBot", monkeypatch: pytest.MonkeyPatch) -> "QtBot":
    """pytest-qt's, which waits as long as all tests do: on a busy machine five seconds may be too few."""
    for name in ("waitUntil", "waitSignal", "waitExposed"):
        monkeypatch.setattr(qtbot, name, partial(getattr(qtbot, name), timeout=round(1000 * WAIT)))
    return qtbot


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, which holds the user's folders, too."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home" / variable))
    monkeypatch.setenv(
        "WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path / "home" / "XDG_DATA_HOME")
    )  # all of them on Windows
    return tmp_path


@pytest.fixture
def desk(qapp: Any, homes: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Callable[..., Desk]]":
    """Makes windows, and closes them. The model is the bundled one, loaded once for all of them."""
    from core.generation import engine
    from tests.desktop.windows import Desk

    monkeypatch.setattr(engine, "open_engine", lambda model, device, say: _engine(model, device))
    desks: list[Desk] = []

    def make(*arguments: Any, **named: Any) -> Desk:
        desks.append(Desk(*arguments, **named))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()
    # Qt's own exit comes after Python's, and would crash on what is Python's there; on real screens it gives it away.
    qapp.clipboard().clear()


@cache
def _engine(model: str | None, device: str) -> Any:
    from core.generation.engine import Engine, choose_device
    from core.model.checkpoint import find_model, load_model

    network, info = load_model(find_model(model))
    return Engine(network, choose_device(device), info.name), info
