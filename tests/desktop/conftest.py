"""Windows of tests are painted into memory, unless the environment says where else."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.desktop.windows import Desk


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders are the test's own."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home" / variable))
    return tmp_path


@pytest.fixture
def desk(qapp: Any, homes: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Callable[..., Desk]]":
    """Makes windows, and closes them. The bundled model is real, and read only once for all of them."""
    from core.generation import engine
    from tests.desktop.windows import Desk

    monkeypatch.setattr(engine, "open_engine", _open_engine_once)
    desks: list[Desk] = []

    def make(*arguments: Any, **named: Any) -> Desk:
        desks.append(Desk(*arguments, **named))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


def _open_engine_once(model: Any = None, device: str = "auto", say: Any = None) -> Any:
    return _engines(model, device)


@cache
def _engines(model: Any, device: str) -> Any:
    return _open_engine(model, device)


def _open_engine(model: Any, device: str) -> Any:
    from core.generation.engine import choose_device, find_model, load_model

    from core.generation.engine import Engine  # isort: skip

    network, info = load_model(find_model(model))
    return Engine(network, choose_device(device), info.name), info
