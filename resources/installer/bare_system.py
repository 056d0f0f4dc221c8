"""A bare Debian or Ubuntu in a folder, its one user, and the screen that its windows are on: for bare_root."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HOME = "/home/Zoë Müller"
KEPT_BY_APT = ("var/lib/apt", "var/cache", "var/log", "var/lib/dpkg", "etc/ld.so.cache", "run", "tmp", "proc", "home")


class Screen:
    """An Xvfb, its keyboard, and what it shows."""

    def __enter__(self) -> "Screen":
        ours, theirs = os.pipe()
        command = ["Xvfb", "-displayfd", str(theirs), "-noreset", "-nolisten", "tcp", "-screen", "0", "1440x900x24"]
        self._server = subprocess.Popen(command, pass_fds=[theirs], stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            self.display = f":{pipe.readline().strip()}"
        return self

    def __exit__(self, *error: object) -> None:
        self._server.terminate()
        self._server.wait(10)

    def windows(self, title: str) -> list[str]:
        """The visible windows with this in their titles."""
        return self._do("search", "--onlyvisible", "--name", title).split()

    def press(self, title: str, *keys: str) -> None:
        """Give the uppermost window with this title the keyboard, and press keys."""
        self._do("windowfocus", "--sync", self.windows(title)[-1])
        for key in keys:
            self._do("key", key)
            time.sleep(0.3)  # a menu has to open before the next key is meant for it

    def type(self, words: str) -> None:
        """Write into the window that has the keyboard."""
        self._do("type", words)

    def clipboard(self) -> str:
        """The text that a program has copied."""
        code = "from PySide6.QtGui import QGuiApplication as A; app = A([]); print(app.clipboard().text())"
        environment = {**os.environ, "DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb"}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30).stdout

    def picture(self, file: Path) -> None:
        """Keep what it shows."""
        from PIL import ImageGrab

        ImageGrab.grab(xdisplay=self.display).save(file)

    def _do(self, *words: str) -> str:
        environment = {**os.environ, "DISPLAY": self.display}
        return subprocess.run(["xdotool", *words], env=environment, capture_output=True, text=True, timeout=30).stdout


class Root:
    """A bare system in a folder, and its one user."""

    def __init__(self, path: Path, screen: Screen) -> None:
        self.path = path
        self.screen = screen
        self._mounted: list[Path] = []

    def make(self, suite: str, mirror: str) -> None:
        """Install the smallest system there is of a release, and a user in it."""
        command = ["debootstrap", "--variant=minbase", suite, self.path, *([mirror] if mirror else [])]
        with timed(f"a bare {suite}"):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)
        self.path.chmod(0o755)  # temporary folders are for root alone
        self._mount("proc", "proc", "-t", "proc")
        self._mount("tmpfs", "dev/shm", "-t", "tmpfs")
        self._mount("/tmp/.X11-unix", "tmp/.X11-unix", "--bind")
        self.run("useradd", "--create-home", "--home-dir", HOME, "zoe")

    def _mount(self, what: str, place: str, *how: str) -> None:
        target = self.path / place
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", *how, what, target], check=True, timeout=30)
        self._mounted.append(target)

    def unmount(self) -> None:
        """Let go of what is mounted in it, or it could not be deleted."""
        for target in reversed(self._mounted):
            subprocess.run(["umount", "--lazy", target], check=False, timeout=30)

    def run(self, *command: str | Path, limit: float = 300) -> str:
        """Run a command in it as root, with a network; what it prints."""
        quiet = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
        done = subprocess.run(
            ["chroot", self.path, *quiet, *command], capture_output=True, text=True, timeout=limit, check=False
        )
        if done.returncode:
            fail(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"[-4000:])
        return done.stdout

    def as_user(self, *command: str, display: bool = False, **more: str) -> list[str]:
        """A command line that runs a program in it as its user, without a network; `more` are variables."""
        variables = [f"HOME={HOME}", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", *(f"{n}={v}" for n, v in more.items())]
        variables += [f"DISPLAY={self.screen.display}"] if display else []
        user = ["chroot", "--userspec=zoe", str(self.path), "env", "-i", "-C", HOME, *variables]
        return ["unshare", "--net", "--", *user, *command]

    def home(self, *parts: str) -> Path:
        """A place in the user's home, seen from outside."""
        return self.path.joinpath(HOME.lstrip("/"), *parts)

    def files(self) -> set[str]:
        """All files and folders of it but those that apt itself keeps, and the user's."""
        found: set[str] = set()
        for folder, _, names in os.walk(self.path):
            place = os.path.relpath(folder, self.path)
            if not place.startswith(KEPT_BY_APT):
                found |= {place, *(os.path.join(place, name) for name in names)}
        return {name for name in found if not name.startswith(KEPT_BY_APT)}


@contextmanager
def window(root: Root, title: str, *command: str) -> Iterator[float]:
    """A window that is open, and the seconds from its start until it was visible."""
    begin = time.monotonic()
    process = start(root, *command)
    try:
        wait_for(lambda: bool(root.screen.windows("Continuo")), "the window")
        took = time.monotonic() - begin
        wait_for(lambda: bool(root.screen.windows(title)), f"{title} in the window")
        yield took
    finally:
        end(process)
        shutil.rmtree(root.home(".local/share/Continuo/autosave"), ignore_errors=True)  # it was not closed by its user


def start(root: Root, *command: str) -> subprocess.Popen[bytes]:
    """Start a program with a window, first of a group of processes."""
    return subprocess.Popen(root.as_user(*command, display=True), start_new_session=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """End all processes of a program."""
    if process.poll() is None:
        os.killpg(process.pid, 9)
    process.wait(30)


def takes(root: Root) -> int:
    """Takes in the session that is kept for a crash."""
    found = 0
    for file in root.home(".local/share/Continuo/autosave").glob("*.continuo"):
        with zipfile.ZipFile(file) as archive:
            found += len(json.loads(archive.read("session.json"))["takes"])
    return found


def ended(root: Root, *command: str, code: int = 0, limit: float = 300, display: bool = False, **more: str) -> str:
    """Run a program as the user until it ends; the last line that it prints. Fails for another exit status."""
    printed, said = outcome(root, *command, code=code, limit=limit, display=display, **more)
    return ((printed or said).splitlines() or [""])[-1]


def outcome(
    root: Root, *command: str, code: int = 0, limit: float = 300, display: bool = False, **more: str
) -> tuple[str, str]:
    """The same: all that it prints, and all that it says on stderr."""
    done = subprocess.run(
        root.as_user(*command, display=display, **more), capture_output=True, timeout=limit, check=False
    )
    printed, said = (text.decode(errors="replace").strip() for text in (done.stdout, done.stderr))
    if done.returncode != code or "Traceback" in said:
        fail(f"{command} ended with {done.returncode}:\n{printed}\n{said[-3000:]}")
    return printed, said


def wait_for(is_so: Callable[[], object], what: str, limit: float = 90) -> None:
    """Look again and again; ends the test after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not is_so():
        if time.monotonic() > deadline:
            fail(f"Waited {limit:g} s in vain for {what}.")
        time.sleep(0.02)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took."""
    begin = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - begin:.1f} s", flush=True)


def say(what: str, sentence: str) -> None:
    """Print what Continuo said."""
    print(f"{what}: {sentence}", flush=True)


def fail(sentence: str) -> None:
    """End the test."""
    sys.exit(sentence)
