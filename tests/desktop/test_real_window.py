"""The app on an X server, with a real keyboard and mouse (xdotool); what it did shows in files and at its port."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.live.outputs import VirtualPort
from core.session.session import GenerationSettings, Session
from core.session.storage import open_session
from core.settings import Settings, save_settings
from tests.conftest import Listener, wait_for
from tests.desktop.adapters.test_sound import ons, sounding
from tests.desktop.windows import BACH

SIZE = (1400, 900)
PATIENCE = 120.0  # seconds for anything to come true, on a machine that is busy, too
PINK, ORANGE = (324, 344), (18, 38)  # hues, in degrees, of the left hand's notes and of takes


class Screen:
    """An X server without a screen, its keyboard and mouse, and what it shows."""

    def __init__(self) -> None:
        for tool in ("Xvfb", "xdotool"):
            if shutil.which(tool) is None:
                pytest.fail(f"{tool} is missing: install it with `sudo apt-get install xvfb xdotool`.")
        ours, theirs = os.pipe()
        # Without -noreset it starts anew whenever its last client leaves, and turns away who comes meanwhile.
        command = ["Xvfb", "-displayfd", str(theirs), "-noreset", "-nolisten", "tcp"]
        command += ["-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
        self._server = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            self.display = f":{pipe.readline().strip()}"  # told once it takes clients

    def do(self, *words: object) -> str:
        """One command of xdotool; what it says, empty if it finds nothing."""
        command = ["xdotool", *map(str, words)]
        return subprocess.run(
            command, env={**os.environ, "DISPLAY": self.display}, capture_output=True, text=True, timeout=PATIENCE
        ).stdout.strip()

    def window(self, name: str) -> str:
        """Wait for a window with this in its title, and give it the keyboard."""
        wait_for(lambda: self.do("search", "--onlyvisible", "--name", name) != "", f"window {name}", PATIENCE)
        window = self.do("search", "--onlyvisible", "--name", name).split()[0]
        self.do("windowfocus", "--sync", window)
        return window

    def click(self, at: tuple[int, int]) -> None:
        self.do("mousemove", "--sync", *at, "click", 1)

    def picture(self) -> NDArray[np.uint8]:
        """(height, width, 3) what the screen shows."""
        from PIL import ImageGrab

        return np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB"))

    def find(self, hues: tuple[int, int]) -> tuple[int, int] | None:
        """The middle of the longest run of a hue in any line of the screen, if it is as long as a note."""
        from PIL import Image

        hue, saturation, _ = np.moveaxis(np.asarray(Image.fromarray(self.picture()).convert("HSV"), np.int32), 2, 0)
        is_it = (hue >= hues[0] * 255 // 360) & (hue <= hues[1] * 255 // 360) & (saturation > 90)
        longest, place = 10, None
        for y in range(0, is_it.shape[0], 3):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], is_it[y].astype(np.int8), [0]))))
            for first, last in edges.reshape(-1, 2):
                if last - first > longest:
                    longest, place = int(last - first), (int(first + last) // 2, y)
        return place

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(PATIENCE)


@pytest.fixture
def screen() -> Iterator[Screen]:
    screen = Screen()
    yield screen
    screen.close()


@pytest.fixture
def app(screen: Screen, homes: Path, jack: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`continuo` with an example, on the screen, playing to its virtual port."""
    save_settings(Settings(output=VirtualPort(), theme="light", generation=GenerationSettings(length=3.0)))
    environment = {**os.environ, "DISPLAY": screen.display, "QT_QPA_PLATFORM": "xcb"}
    source = homes / "prelude.mid"
    source.write_bytes(BACH.read_bytes())
    process = subprocess.Popen([Path(sys.executable).with_name("continuo"), source], env=environment)
    yield process
    process.kill()
    process.wait()


def delete_save_undo_and_save(screen: Screen, window: str, saved: Path) -> None:
    """Delete the selected note and save the session to `saved`, then undo that and save again: each is in the file."""

    def session() -> Session:
        return open_session(saved)

    screen.do("key", "Delete")
    screen.do("key", "ctrl+s")
    screen.window("Save session")
    screen.do("type", str(saved))
    screen.do("key", "Return")
    wait_for(saved.is_file, "the session to be saved", PATIENCE)
    score = session().score
    assert score is not None
    assert score.notes == 159
    assert [take.name for take in session().takes] == ["Take 1"]

    screen.window("saved.continuo")
    screen.do("key", "ctrl+z")
    wait_for(lambda: "*" in screen.do("getwindowname", window), "the change to be undone", PATIENCE)
    screen.do("key", "ctrl+s")
    wait_for(lambda: "*" not in screen.do("getwindowname", window), "the session to be saved again", PATIENCE)
    score = session().score
    assert score is not None
    assert score.notes == 160


@pytest.mark.linux
def test_with_real_keyboard_and_mouse(screen: Screen, app: subprocess.Popen[bytes], homes: Path) -> None:
    window = screen.window("prelude.mid")
    saved = homes / "saved.continuo"

    with Listener("Continuo", timeout=PATIENCE) as listener:

        def heard_since(count: int) -> list[int]:
            return ons(listener.messages[count:])

        wait_for(lambda: screen.find(PINK) is not None, "notes on the screen", PATIENCE)
        screen.do("key", "c")
        listener.wait_for(lambda m: ons(m) != [], PATIENCE)
        wait_for(lambda: screen.do("getwindowname", window).startswith("prelude.mid*"), "the take", PATIENCE)
        wait_for(lambda: screen.find(ORANGE) is not None, "the take on the screen", PATIENCE)

        screen.do("key", "Escape", "key", "Home")
        listener.wait_for(lambda m: not sounding(m), PATIENCE)
        before = len(listener.messages)
        screen.do("key", "space")
        wait_for(lambda: len(heard_since(before)) >= 4, "the prelude at the port", PATIENCE)
        assert heard_since(before)[:4] == [60, 64, 67, 72]
        screen.do("key", "space")
        listener.wait_for(lambda m: not sounding(m), PATIENCE)

        note = screen.find(PINK)
        assert note is not None
        before = len(listener.messages)
        screen.click(note)
        wait_for(lambda: len(heard_since(before)) == 1, "the note that was clicked", PATIENCE)
        listener.wait_for(lambda m: not sounding(m), PATIENCE)

        picture = screen.picture()
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100
        assert picture.std() > 20

        delete_save_undo_and_save(screen, window, saved)
        screen.do("key", "ctrl+a", "key", "ctrl+c")  # what lies on the clipboard must not make the end a crash
        screen.do("key", "ctrl+q")
        wait_for(lambda: app.poll() is not None, "the app to end", PATIENCE)
        assert app.returncode == 0
        assert (homes / "prelude.mid").read_bytes() == BACH.read_bytes()
        assert not sounding(listener.messages)
