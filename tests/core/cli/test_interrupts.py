"""Ctrl-C while a command loads what it needs, and while it computes for long."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from core.cli.interrupts import told_at_once

LOSING = """
import os, signal, sys

class LosesOne:  # as torch does, parts of whose loading go on after an exception
    def find_spec(self, name, *_):
        if name == "torch":
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                pass

sys.meta_path.insert(0, LosesOne())
from core.cli.start import main
main()
"""


@pytest.mark.posix
@pytest.mark.parametrize(
    "arguments",
    [
        ("continue", "song.mid", "-o", "out.mid", "--events", "4"),
        ("models",),
        ("import-model", "book.pth", "-o", "out.safetensors"),
        ("bench",),
        ("train", "corpus", "-o", "run"),
        ("finetune", "continuo-base", "."),
        ("evaluate", "continuo-base", "song.mid"),
        ("pack", "continuo-base", "-o", "out.safetensors"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_ctrl_c_while_torch_is_loaded_is_not_lost(arguments: tuple[str, ...], tmp_path: Path, song: Path) -> None:
    command = [sys.executable, "-c", LOSING, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert [path.name for path in tmp_path.iterdir()] == [song.name]


@pytest.mark.posix
def test_ctrl_c_is_told_while_the_main_thread_computes() -> None:
    came: list[str] = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append("handled"))
    try:
        for rounds in (1_000_000, 4_000_000, 16_000_000):  # longer where the other thread got no turn meanwhile
            came.clear()
            with told_at_once(lambda: came.append("told")):
                timer = Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
                timer.start()
                hashlib.pbkdf2_hmac("sha256", b"", b"", rounds)  # no handler runs before it is done
                timer.join()
            if came == ["told", "handled"]:
                break
    finally:
        signal.signal(signal.SIGINT, before)
    assert came == ["told", "handled"]
    assert signal.set_wakeup_fd(-1) == -1
