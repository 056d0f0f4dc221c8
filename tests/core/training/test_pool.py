"""Processes that work is shared out to leave nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.training.pool import process_pool
from tests.conftest import WAIT, wait_for

PROGRAM = """
import os, sys
from core.training.pool import process_pool
pool = process_pool(1)
print(pool.submit(os.getpid).result(), flush=True)
sys.stdin.readline()
"""


@pytest.mark.linux
def test_they_end_when_the_program_is_killed() -> None:
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        worker = Path("/proc") / program.stdout.readline().decode().strip()
        assert worker.is_dir()
    finally:
        program.kill()
        program.communicate(timeout=WAIT)
    wait_for(lambda: not worker.is_dir() or ") Z " in (worker / "stat").read_text(), "the process to end")


def test_more_processes_are_asked_for_than_windows_can_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    process_pool(96).shutdown()  # none has begun
