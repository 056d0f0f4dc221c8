"""The command, in this process or in one of its own, and what it is given."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import mido
import pytest

from core.cli.app import run
from core.midi.read import read_score
from core.midi.score import Note
from tests.core.midi.builders import file_of, off, on

ENTRY = [sys.executable, "-c", "from core.cli.start import main; main()"]
ONE = ("--into", "one")  # a take on a track of its own
KEYS = {
    "events", "notes", "music_seconds", "wall_seconds", "prefill_seconds", "first_event_seconds", "events_per_second",
    "real_time_factor", "underruns", "late_ms_p99", "device", "model", "seed", "seeds", "grid", "outputs",
}  # fmt: skip


class Command:
    """continuo-cli in this process: `command("info", path)` gives (exit code, stdout, stderr)."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *arguments: object) -> Any:
        """What it prints with --json as the last line; fails the test if it does not end well."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out.splitlines()[-1])

    def refuse(self, code: int, *arguments: object) -> str:
        """The one sentence with which it ends in `code`; fails the test for anything else."""
        got, out, err = self(*arguments)
        assert (got, out) == (code, ""), err
        assert err.startswith("continuo-cli: ")
        assert err.endswith(".\n")
        assert err.count("\n") == 1
        assert not any(word in err for word in ("Traceback", "Error:", "Something went wrong"))
        return err


def start(*arguments: object, env: dict[str, str]) -> subprocess.Popen[str]:
    """continuo-cli in a process of its own, first of a group and not under nohup, as in a terminal."""
    listening = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)"
    command = [*ENTRY[:2], f"{listening}; {ENTRY[2]}", *map(str, arguments)]
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def two_tracks() -> bytes:
    """Eight seconds at 60 bpm: a melody and a bass, both in C major and on the beats."""
    tempo = [mido.MetaMessage("set_tempo", tempo=1_000_000), mido.MetaMessage("time_signature", numerator=4)]
    melody = [m for pitch in (72, 74, 76, 77, 79, 77, 76, 74) for m in (on(pitch), off(pitch, 480))]
    bass = [m for pitch in (48, 53, 55, 48) for m in (on(pitch, channel=1), off(pitch, 960, channel=1))]
    return file_of([*tempo, *melody], bass)


def take_notes(path: Path) -> tuple[Note, ...]:
    """The notes of the take in a file: its last track's."""
    return read_score(path).tracks[-1].notes


def wire_groups(path: Path) -> list[Counter[tuple[int, int, int]]]:
    """Note messages of a file of a take, in groups of one moment: (0x90 or 0x80, pitch, velocity or 0)."""
    groups: dict[int, Counter[tuple[int, int, int]]] = {}
    for note in take_notes(path):
        groups.setdefault(note.start_tick, Counter())[0x90, note.pitch, note.velocity] += 1
        groups.setdefault(note.end_tick, Counter())[0x80, note.pitch, 0] += 1
    return [groups[tick] for tick in sorted(groups)]


def notes_on_wire(messages: list[bytes]) -> list[tuple[int, int, int]]:
    """Note messages as they came, in the form of `wire_groups`."""
    kinds = [(m[0] & 0xF0, *m[1:]) for m in messages if m[0] & 0xF0 in (0x80, 0x90)]
    return [(0x90, p, v) if kind == 0x90 and v else (0x80, p, 0) for kind, p, v in kinds]


def sounding(messages: list[bytes]) -> set[int]:
    """Pitches that sound after these messages."""
    pitches: set[int] = set()
    for kind, pitch, _ in notes_on_wire(messages):
        (pitches.add if kind == 0x90 else pitches.discard)(pitch)
    return pitches
