"""Try a built bundle as a user would, print times, and fail by itself.

    python -m resources.installer.smoke dist/Continuo

Needs Python for itself alone: the bundle is run as programs of their own, with home folders made for the test, whose
names have a space and a letter outside ASCII.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NO_MIDI = 4  # how continuo-cli ends where there is no MIDI system or sound device, after a sentence
SUFFIX = ".exe" if sys.platform == "win32" else ""


def main(bundle: Path) -> None:
    """Continue an example, make a part of it anew, fine-tune for a minute, and open the window."""
    bundle = bundle.resolve()
    with tempfile.TemporaryDirectory(prefix="Zoë and ", ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, **{name: folder for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}}
        environment |= {f"XDG_{name}_HOME": f"{folder}/{name}" for name in ("DATA", "CONFIG", "STATE", "CACHE")}
        try_command_line(bundle, Path(folder), environment)
        try_window(bundle, environment)


def try_command_line(bundle: Path, folder: Path, environment: dict[str, str]) -> None:
    """What needs no display."""
    program = bundle / f"continuo-cli{SUFFIX}"
    examples = bundle / "_internal" / "resources" / "examples"

    def run(what: str, *arguments: str | Path, otherwise: int = 0) -> dict[str, object]:
        start = time.monotonic()
        done = subprocess.run([program, *arguments], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
        if done.returncode not in (0, otherwise):
            sys.exit(f"{what} ended with {done.returncode}.")
        print(f"{what}: {time.monotonic() - start:.1f} s", flush=True)
        return json.loads(done.stdout.splitlines()[-1]) if "--json" in arguments else {}

    run("version", "--version")
    out = folder / "out.mid"
    facts = run("continue", "continue", examples / "bwv846.mid", "-o", out, "--seconds", "5", "--json")
    print(f"  {facts}")
    if out.read_bytes()[:4] != b"MThd":
        sys.exit("The take is no MIDI file.")
    run("words", "continue", examples / "bwv846.mid", "-o", out, "--seconds", "2", "--words", "slow and sad")
    run("regenerate", "fill", examples / "bwv846.mid", "-o", out, "--from", "8", "--to", "12", "--candidates", "2")
    # The player is a process that is started from the bundle's own program. A machine may be without MIDI and sound.
    run("ports", "ports", otherwise=NO_MIDI)
    run("live", "continue", examples / "bwv846.mid", "-o", out, "--seconds", "2", "--live", otherwise=NO_MIDI)
    run("synth", "continue", examples / "bwv846.mid", "-o", out, "--seconds", "2", "--synth", otherwise=NO_MIDI)
    run("fine-tuning", "finetune", "continuo-base", examples, "--name", "smoke", "--minutes", "1", "--json")
    run("the new model", "continue", examples / "ragtime.mid", "-o", out, "--seconds", "2", "--model", "smoke")


def try_window(bundle: Path, environment: dict[str, str]) -> None:
    """Start the window without a screen, and end it: what it imports and opens at its start is there."""
    example = bundle / "_internal" / "resources" / "examples" / "bwv846.mid"
    command = [bundle / f"continuo{SUFFIX}", example]
    window = subprocess.Popen(command, env={**environment, "QT_QPA_PLATFORM": "offscreen"})
    try:
        ended = window.wait(20)
    except subprocess.TimeoutExpired:
        window.terminate()
        window.wait(20)
        print("window: open for 20 s", flush=True)
        return
    sys.exit(f"The window ended by itself, with {ended}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
