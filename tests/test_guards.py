"""Tests that need what only some systems have say so, and are skipped on others."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import NotFound
from core.live.outputs import BuiltInSynth, OutputChoice, VirtualPort, open_output
from tests.conftest import JACK_FIXTURES, reason_to_skip, use_of_jack, wait_for

# What Windows has not, or has under another meaning: there os.kill ends the process, whatever the signal.
POSIX = re.compile(r"os\.(kill|killpg|fork|umask)\(|SIG(KILL|STOP|HUP)|\.chmod\(0\)|symlink_to\(|start_new_session")
# What Linux alone has.
LINUX = re.compile(r"/proc/self|/dev/(full|snd)|import_module\(\"jack\"\)|Xvfb")
NEEDY = ("os.kill(1, 2)", "open('/dev/full')")
FIXTURES = {*JACK_FIXTURES, "jack"}


@pytest.mark.parametrize(
    ("marks", "fixtures", "systems"),
    [
        ((), (), ("linux", "darwin", "win32")),
        (("parametrize",), ("tmp_path",), ("linux", "darwin", "win32")),
        (("posix",), (), ("linux", "darwin")),
        (("linux",), (), ("linux",)),
        ((), ("jack", "jack_server"), ("linux",)),
        ((), ("mortal_jack",), ("linux",)),
    ],
)
def test_where_a_test_runs(marks: tuple[str, ...], fixtures: tuple[str, ...], systems: tuple[str, ...]) -> None:
    assert tuple(s for s in ("linux", "darwin", "win32") if not reason_to_skip(marks, fixtures, s)) == systems


def unmarked(file: Path) -> list[str]:
    """The tests of a file that name what some systems have not, without a marker or a fixture that says so."""
    text = file.read_text("utf-8")
    lines = text.splitlines()
    found: list[str] = []
    for test in ast.walk(ast.parse(text)):
        if not isinstance(test, ast.FunctionDef) or not test.name.startswith("test_"):
            continue
        body = "\n".join(lines[test.lineno - 1 : test.end_lineno])
        marks = {ast.unparse(decorator).removeprefix("pytest.mark.") for decorator in test.decorator_list}
        is_linux = "linux" in marks or bool(FIXTURES & {argument.arg for argument in test.args.args})
        if (LINUX.search(body) and not is_linux) or (POSIX.search(body) and not is_linux and "posix" not in marks):
            found.append(f"{file.name}: {test.name}")
    return found


def test_what_needs_a_system_is_marked() -> None:
    assert [name for file in sorted(Path(__file__).parent.rglob("test_*.py")) for name in unmarked(file)] == []


@pytest.mark.linux
@pytest.mark.parametrize("choice", [VirtualPort(), BuiltInSynth()])
def test_no_test_meets_the_midi_and_sound_of_the_machine(choice: OutputChoice) -> None:
    with pytest.raises(NotFound):
        open_output(choice)


_KILLED = """
import sys
from tests.conftest import JackServer
print(JackServer().process.pid, flush=True)
sys.stdin.readline()
"""


@pytest.mark.linux
def test_tests_that_are_killed_leave_no_jack_server() -> None:
    """JACK has places for eight."""
    with use_of_jack():
        tests = subprocess.Popen([sys.executable, "-c", _KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert tests.stdout is not None
        server = Path("/proc") / tests.stdout.readline().decode().strip()
        assert b"jackd" in (server / "cmdline").read_bytes()
        tests.kill()
        tests.communicate()
        wait_for(lambda: not server.is_dir() or ") Z " in (server / "stat").read_text(), "the server to end")


def test_what_is_not_marked_is_found(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    for line in NEEDY:
        for mark, is_found in (("", True), ("@pytest.mark.linux\n", False)):
            file.write_text(f"{mark}def test_it():\n    {line}\n")
            assert (unmarked(file) != []) == is_found
