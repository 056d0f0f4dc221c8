"""The app's start."""

import os
import subprocess
import sys
from pathlib import Path

from desktop.app import NO_DISPLAY

CONTINUO = Path(sys.executable).with_name("continuo")


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run([CONTINUO, *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_without_a_display_it_says_what_works() -> None:
    ended = start("song.mid")
    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (1, "", NO_DISPLAY)


def test_it_tells_its_version_without_a_display() -> None:
    assert start("--version").stdout.startswith("Continuo ")
