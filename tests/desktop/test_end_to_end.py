"""One run through all of it: window, Continue, the virtual port on JACK, FluidSynth, a WAV file that is not silent."""

import importlib
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.live.outputs import VirtualPort
from core.resources import bundled
from tests.conftest import WAIT, wait_for
from tests.desktop.windows import Desk

SILENT, HEARD = 20, 300  # samples of 16 bits; FluidSynth adds a little noise to silence


def samples(path: Path) -> NDArray[np.int16]:
    """What is written so far of a WAV file of 16 bits."""
    data = path.read_bytes()[44:]
    return np.frombuffer(data[: len(data) // 2 * 2], np.int16)


def loudest(sound: NDArray[np.int16]) -> int:
    return int(np.abs(sound.astype(np.int32)).max(initial=0))


class FluidSynth:
    """FluidSynth with our soundfont: plays what comes to its JACK port into a WAV file."""

    def __init__(self, path: Path) -> None:
        program = shutil.which("fluidsynth")
        if program is None:
            pytest.fail("fluidsynth is missing: install it with `sudo apt-get install fluidsynth`.")
        settings = {"midi.jack.id": "synth", "audio.file.name": path, "audio.file.type": "wav", "synth.gain": 1.0}
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        command = [program, "-q", "-a", "file", "-m", "jack", *options, str(bundled("soundfont", "continuo-gm16.sf3"))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def connect(self, part_of_name: str) -> None:
        """Have it play what a port sends."""
        jack: Any = importlib.import_module("jack")
        with jack.Client("connects", no_start_server=True) as client:

            def is_connected() -> bool:
                """FluidSynth's port is there before its client is active, and refuses connections until then."""
                theirs = client.get_ports("synth", is_midi=True, is_input=True)
                ours = client.get_ports(part_of_name, is_midi=True, is_output=True)
                try:
                    client.connect(ours[0], theirs[0])
                except (IndexError, jack.JackError):
                    return False
                return True

            wait_for(is_connected, "FluidSynth to take a connection")

    def close(self) -> None:
        """End it; its file is whole then."""
        try:
            self._process.communicate(b"quit\n", WAIT)
        finally:
            self._process.kill()
            self._process.wait()


def test_a_continuation_reaches_the_ear(desk: Callable[..., Desk], jack: dict[str, str], homes: Path) -> None:
    path = homes / "heard.wav"
    at = desk(VirtualPort())
    at.wait_until_open()
    synth = FluidSynth(path)
    try:
        synth.connect("Continuo")
        at.open()
        at.wait_until_ready()
        at.set(length=3.0)
        before = len(samples(path))
        QTest.mouseClick(at.window.panel.button, Qt.MouseButton.LeftButton)
        assert at.window.generation.is_running
        at.wait(lambda: at.takes and not at.window.transport.is_playing, "the take to be played to its end")
        at.wait(lambda: loudest(samples(path)) > HEARD, "FluidSynth to write")
    finally:
        synth.close()
    assert at.takes[0].notes
    with wave.open(str(path)) as file:
        assert file.getnframes() > 0
    assert loudest(samples(path)[:before]) < SILENT
    assert loudest(samples(path)[before:]) > HEARD
