"""Try a package where there is nothing else: a bare Debian or Ubuntu, made for the test, without Python or build tools.

    sudo .venv/bin/python -m resources.installer.bare_root dist/continuo_0.1.0_amd64.deb trixie pictures
    sudo .venv/bin/python -m resources.installer.bare_root dist/Continuo-0.1.0-linux-x86_64.tar.xz bookworm pictures \
        --deb dist/continuo_0.1.0_amd64.deb

A .deb is installed with what it depends on and nothing more. An archive is unpacked into a folder that its user may not
write to; the libraries that a desktop has, it gets as the .deb names them.

What is tried runs as a user whose home has a space and a letter outside ASCII in its name, without a network and
without a sound device; the window is on an Xvfb outside, whose socket is bound into the root. Needs debootstrap, Xvfb,
xdotool, unshare and a network to install from. Some ten minutes; every step has a limit, and all processes and mounts
end with it.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from resources.installer.bare_system import (
    HOME,
    Root,
    Screen,
    end,
    ended,
    fail,
    outcome,
    say,
    start,
    takes,
    timed,
    wait_for,
    window,
)

ODD_NAME = os.fsdecode(b"caf\xe9.mid")  # not UTF-8
EXAMPLES = "_internal/resources/examples"
INSIDE = "CONTINUO_BARE_ROOT"  # set in the namespace of its own that the test runs in
MOST = 3600  # s, for everything
TOOLS = ("debootstrap", "Xvfb", "xdotool", "unshare", "dpkg-deb")
WORDS = "slow and sad, then wilder"


def main() -> None:
    """Read the command line, go into a namespace of its own, and try the package there."""
    parser = argparse.ArgumentParser(description="Try a package in a bare Debian or Ubuntu.")
    parser.add_argument("package", type=Path, help="a .deb or .tar.xz of Continuo")
    parser.add_argument("suite", help="the release to make, such as trixie, bookworm or jammy")
    parser.add_argument("pictures", type=Path, help="a folder for pictures of the window")
    parser.add_argument("--deb", type=Path, help="for an archive: the .deb that names the libraries of a desktop")
    parser.add_argument("--mirror", default="", help="where to install from (default: debootstrap's own)")
    parser.add_argument("--minutes", type=float, default=1.0, help="length of the fine-tuning (default: 1)")
    parser.add_argument("--session", type=Path, help="a session that an older version saved, to be opened")
    given = parser.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid():
        sys.exit(f"This runs as root, with {', '.join(TOOLS)} installed (missing: {', '.join(missing) or 'root'}).")
    if INSIDE not in os.environ:
        # Mounts, processes and shared memory of the test end with this namespace, however it ends.
        space = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        command = ["timeout", "--kill-after=10", str(MOST), *space, sys.executable, "-m", __spec__.name, *sys.argv[1:]]
        sys.exit(subprocess.run(command, env={**os.environ, INSIDE: "1"}).returncode)
    given.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="continuo-root-") as folder, Screen() as screen:
        root = Root(Path(folder), screen)
        try:
            root.make(given.suite, given.mirror)
            if given.session:
                shutil.copy(given.session, root.home("older.continuo"))
            try_package(root, given.package.resolve(), given.deb, given.pictures, given.minutes)
        finally:
            root.unmount()
    print("All is well.")


def try_package(root: Root, package: Path, deb: Path | None, pictures: Path, minutes: float) -> None:
    """Install it, try all of it, and remove it."""
    shutil.copy(package, root.path / package.name)
    root.run("apt-get", "update", "-qq")
    if package.suffix == ".deb":
        before = root.files()
        with timed("installing, with what it depends on"):
            root.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", f"/{package.name}", limit=600)
        folder = "/usr/lib/continuo"
    else:
        before = set()
        root.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "xz-utils", limit=600)
        with timed("unpacking"):
            root.run("tar", "--extract", "--directory", "/opt", "--file", f"/{package.name}", limit=600)
        folder = "/opt/My Apps/Continuo"
        (root.path / "opt/My Apps").mkdir()
        (root.path / "opt/Continuo").rename(root.path / folder.lstrip("/"))
        say("the window without a desktop's libraries", ended(root, f"{folder}/continuo", code=1, display=True))
    print(f"Python in it: {root.run('sh', '-c', 'command -v python3 || echo none').strip()}", flush=True)
    try_command_line(root, folder, minutes)
    if deb:
        needed = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True, check=True).stdout
        names = [name.split("|")[0].split("(")[0].strip() for name in needed.split(",")]
        root.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *names, limit=600)
    try_window(root, folder, pictures, package.suffix.lstrip("."), minutes)
    if package.suffix == ".deb":
        remove(root, before)


def try_command_line(root: Root, folder: str, minutes: float) -> None:
    """Continue, cold and warm; without a sound device; as an old processor; odd names; a fine-tuning."""
    cli, bach = f"{folder}/continuo-cli", f"{folder}/{EXAMPLES}/bwv846.mid"
    out = f"{HOME}/out.mid"
    Path("/proc/sys/vm/drop_caches").write_text("3\n")
    for state in ("cold", "warm"):
        with timed(f"first event, {state}, with the start of the program"):
            ended(root, cli, "continue", bach, "-o", out, "--events", "1")
    with timed("a take of 10 s"):
        print(ended(root, cli, "continue", bach, "-o", out, "--seconds", "10", "--json"))
    if root.home("out.mid").read_bytes()[:4] != b"MThd":
        fail("The take is no MIDI file.")
    with timed("the same in the C locale, on a processor without AVX2"):
        line = (cli, "continue", bach, "-o", out, "--seconds", "10", "--json")
        print(ended(root, *line, LANG="C", ATEN_CPU_CAPABILITY="default"))
    say("no sound device", ended(root, cli, "continue", bach, "-o", out, "--synth", code=4))
    say("no display", ended(root, f"{folder}/continuo", code=1))
    shutil.copy(root.path / bach.lstrip("/"), root.home(ODD_NAME))
    ended(root, cli, "continue", f"{HOME}/{ODD_NAME}", "-o", out, "--seconds", "2")
    print("a name that is not UTF-8: continued", flush=True)
    say("words", outcome(root, cli, "continue", bach, "-o", out, "--seconds", "4", "--words", WORDS)[1])
    with timed(f"fine-tuning for {minutes:g} minutes"):
        line = ("finetune", "continuo-base", f"{folder}/{EXAMPLES}", "--name", "mine", "--minutes", f"{minutes:g}")
        print(ended(root, cli, *line, "--json", limit=60 * minutes + 180))
    ended(root, cli, "continue", bach, "-o", out, "--seconds", "2", "--model", "mine")
    print("the new model: continued", flush=True)


def try_window(root: Root, folder: str, pictures: Path, kind: str, minutes: float) -> None:
    """Open it cold and warm, continue by key press, and hand it files from further starts."""
    bach, ragtime = (f"{folder}/{EXAMPLES}/{name}.mid" for name in ("bwv846", "ragtime"))
    program = f"{folder}/continuo"
    Path("/proc/sys/vm/drop_caches").write_text("3\n")
    for state in ("cold", "warm", "warm"):
        with window(root, "bwv846", program, bach) as took:
            print(f"window, {state}: {took:.2f} s", flush=True)
    with window(root, "bwv846", program, bach):
        with timed("a file opened while the window runs"):
            ended(root, program, ragtime, display=True)
            wait_for(lambda: root.screen.windows("ragtime"), "the other file")
        time.sleep(5)
        root.screen.picture(pictures / f"{kind}-opened.png")
        root.screen.press("ragtime", "c")
        wait_for(lambda: takes(root) > 0, "a take by key press")
        time.sleep(5)
        root.screen.picture(pictures / f"{kind}-continued.png")
    shutil.rmtree(root.home(".local/share/Continuo/autosave"), ignore_errors=True)
    starts = [start(root, program, name) for name in (bach, ragtime)]
    try:
        wait_for(lambda: any(process.poll() is not None for process in starts), "one of two starts to give way")
        wait_for(lambda: bool(root.screen.windows("bwv846|ragtime")), "the window of two starts")
        print(f"two starts at once: ended with {[process.poll() for process in starts]}", flush=True)
    finally:
        for process in starts:
            end(process)
    try_words_and_sound(root, program, bach, pictures / f"{kind}-words.png")
    with window(root, "caf", program, f"{HOME}/{ODD_NAME}"):
        print("a name that is not UTF-8: opened in the window", flush=True)
    try_dialog(root, program, f"{folder}/{EXAMPLES}", minutes, pictures / f"{kind}-fine-tuned.png")
    try_crash(root, program, bach, pictures / f"{kind}-crashed.png")
    if root.home("older.continuo").exists():
        with window(root, "older", program, f"{HOME}/older.continuo"):
            time.sleep(3)
            root.screen.picture(pictures / f"{kind}-older-session.png")
            print("a session of an older version: opened in the window", flush=True)


def try_words_and_sound(root: Root, program: str, file: str, picture: Path) -> None:
    """Say in words how a take is to be, have it sampled, and write what is heard as a WAV file: by keys alone."""
    root.home(".config/Continuo/settings.json").write_text('{"unfolded": ["feel"]}')  # where the words stand
    with window(root, "bwv846", program, file):
        time.sleep(5)
        to_the_words = ("F6", *("Tab",) * 14)
        root.screen.press("bwv846", *to_the_words)
        root.screen.type(WORDS)
        root.screen.press("bwv846", "Return", "F6", "F6", "c")
        wait_for(lambda: takes(root) > 0, "a take as the words want it")
        time.sleep(20)  # until it is whole: only then is it part of what is exported
        root.screen.press("bwv846", "ctrl+shift+w")
        wait_for(lambda: root.screen.windows("Export Audio"), "the question how sound is to be written")
        root.screen.press("Export Audio", "Return")
        wait_for(lambda: root.screen.windows("Export audio"), "the question where to")
        root.screen.press("Export audio")
        root.screen.type("sound")  # beside what is the user's own, as the example is the program's
        with timed("writing what is heard as WAV"):
            root.screen.press("Export audio", "Return")
            wait_for(lambda: list(root.home().rglob("sound.wav")), "the WAV file")
        (wav,) = root.home().rglob("sound.wav")
        print(f"{wav.relative_to(root.home())}: {wav.stat().st_size} bytes", flush=True)
        if wav.read_bytes()[:4] != b"RIFF" or wav.stat().st_size < 48 * 44100 * 4:
            fail("That is no WAV file of the prompt, which lasts 33 s, and a take of 8 bars.")
        time.sleep(2)
        root.screen.picture(picture)


def try_dialog(root: Root, program: str, examples: str, minutes: float, picture: Path) -> None:
    """Fine-tune by the menu's dialog, with the keyboard."""
    with window(root, "Continuo", program):
        root.screen.press("Continuo", "alt+f", "f")
        wait_for(lambda: root.screen.windows("Fine-tune a model"), "the dialog")
        root.screen.press("Fine-tune a model")
        root.screen.type(examples)
        time_field, start_button = ("Tab",) * 4, ("Tab",)
        root.screen.press("Fine-tune a model", *time_field, f"{max(1, minutes):.0f}", *start_button, "space")
        model = root.home(".local/share/Continuo/models/examples.safetensors")
        with timed(f"fine-tuning for {minutes:g} minutes by the dialog"):
            time.sleep(50 * minutes)
            root.screen.picture(picture.with_stem(f"{picture.stem}-before"))
            wait_for(model.exists, "the model of the dialog", limit=60 * minutes + 180)
        time.sleep(5)
        root.screen.picture(picture)


def try_crash(root: Root, program: str, file: str, picture: Path) -> None:
    """End it by a bad memory access: the next start offers the session, and a report without the user's names."""
    process = start(root, program, file)
    try:
        wait_for(lambda: root.screen.windows("bwv846"), "the window")
        time.sleep(5)
        root.screen.press("bwv846", "c")
        wait_for(lambda: takes(root) > 0, "a take to be lost")
        os.kill(process.pid, signal.SIGSEGV)
        process.wait(30)
    finally:
        end(process)
    process = start(root, program)
    try:
        wait_for(lambda: len(root.screen.windows("Continuo")) > 1, "the question after a crash")
        time.sleep(2)
        root.screen.press("Continuo", "Tab", "Tab", "Tab", "space")
        root.screen.picture(picture)
        report = root.screen.clipboard()
        named = [word for word in ("Zo", "Müller", "bwv846", "/home") if word in report]
        print(
            f"report after a crash: {len(report.splitlines())} lines, personal in it: {named or 'nothing'}", flush=True
        )
        if "Segmentation fault" not in report or named:
            fail(f"That is no report of this crash:\n{report}")
        root.screen.press("Continuo", "shift+Tab", "shift+Tab", "shift+Tab", "space")
        wait_for(lambda: takes(root) > 0 and root.screen.windows("bwv846"), "the session from before the crash")
        time.sleep(2)
        root.screen.picture(picture.with_stem(f"{picture.stem}-recovered"))
    finally:
        end(process)
        shutil.rmtree(root.home(".local/share/Continuo/autosave"), ignore_errors=True)


def remove(root: Root, before: set[str]) -> None:
    """Purge the package and what came with it; only the user's own may be left."""
    root.run("apt-get", "purge", "-y", "-qq", "continuo", limit=300)
    if (root.path / "usr/lib/continuo").exists():
        fail("The program's folder is still there.")
    root.run("apt-get", "autoremove", "--purge", "-y", "-qq", limit=300)
    left = sorted(name for name in root.files() - before if "continuo" in name.lower())
    others = sorted(root.files() - before)
    print(f"left of it after purging: {left or 'nothing'}; of what came with it: {len(others)} {others[:8]}")
    if left:
        fail("Purging leaves files.")
    own = [str(path.relative_to(root.home())) for path in root.home().rglob("*") if path.is_file()]
    print(f"the user's own, which stay: {len(own)} files, the model among them: {any('mine' in name for name in own)}")


if __name__ == "__main__":
    main()
