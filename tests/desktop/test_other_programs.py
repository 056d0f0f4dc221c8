"""Programs of the system find the system's libraries, also from inside of a bundle."""

import os
import sys

import pytest

from desktop.other_programs import system_libraries


@pytest.mark.linux
@pytest.mark.parametrize("before", ["/home/zoe/lib", None])
def test_other_programs_have_the_library_path_that_the_user_had(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/lib/continuo/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    with system_libraries():
        assert os.environ.get("LD_LIBRARY_PATH") == before
    assert os.environ["LD_LIBRARY_PATH"] == "/usr/lib/continuo/_internal"  # our own processes need it


def test_without_a_bundle_the_library_path_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    with system_libraries():
        assert os.environ["LD_LIBRARY_PATH"] == "/opt/lib"
