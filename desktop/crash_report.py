"""What a crash leaves for a report: versions, the traces of native crashes, the end of the log; nothing personal.

The report is text for the clipboard: Continuo opens no connection to any network. Paths and file names are taken out.
"""

import contextlib
import faulthandler
import platform
import re
import sys
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import qVersion

from core.logs import log_path

_LINES = 150  # of the log's end
LIBRARIES = ("torch", "PySide6-Essentials", "numpy", "python-rtmidi", "miniaudio")  # build.spec bundles their versions
_MUSIC = r"\.(?:midi?|smf|kar|rmi|continuo|wav|safetensors|pth?)\b"
_open: list[TextIO] = []  # faulthandler writes to it for as long as the program runs


def traces_path() -> Path:
    """Where Python writes its stack when the program is killed by a fault of its own, such as a bad memory access."""
    return log_path().with_name("crash.log")


def record_crashes() -> None:
    """From now on a native crash leaves a trace; that of the run before is kept beside it for the report."""
    path = traces_path()
    with contextlib.suppress(OSError):  # without a place to write there is no trace
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size:
            path.replace(path.with_suffix(".before"))
        file = path.open("w", encoding="utf-8")
        _open.append(file)
        faulthandler.enable(file)


def versions() -> str:
    """Continuo, its libraries and the system, one a line."""
    from importlib.metadata import PackageNotFoundError, version  # here, because the window comes first

    lines = [f"Continuo {version('continuo')}", f"Qt {qVersion()}, Python {platform.python_version()}"]
    with contextlib.suppress(PackageNotFoundError):
        lines.append(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    return "\n".join([*lines, platform.platform()])


def crash_report() -> str:
    """The report, without paths and names of files."""
    parts = [versions()]
    trace = _read(traces_path().with_suffix(".before"))
    if trace:
        parts.append(f"The last crash:\n{trace}")
    log = "\n".join(_read(log_path()).splitlines()[-_LINES:])
    parts.append(f"The end of the log:\n{log or '(empty)'}")
    return "\n\n".join((parts[0], *map(without_personal_paths, parts[1:])))


def without_personal_paths(text: str) -> str:
    """The text with places in the program made short, and every other path and name of a music file taken out."""
    for root in sorted({str(Path(__file__).resolve().parents[1]), sys.prefix, sys.base_prefix}, key=len, reverse=True):
        text = text.replace(root, "<program>")
    text = text.replace(str(Path.home()), "/")  # it may have spaces in it, which no pattern could tell
    # A path in quotes ends with them; another, which may have spaces in it, with the line.
    text = re.sub(r'(?<=")(?:[A-Za-z]:[\\/]|/|\\\\)[^"\n]*', "<path>", text)
    text = re.sub(r"(?<=')(?:[A-Za-z]:[\\/]|/|\\\\)[^'\n]*", "<path>", text)
    text = re.sub(r'(?<![\w>"\'./])(?:[A-Za-z]:[\\/]|/|\\\\)[^"\n]*', "<path>", text)
    text = re.sub(rf'"[^"\n]*{_MUSIC}', '"<file>', text, flags=re.IGNORECASE)
    return re.sub(rf"[^\s\"'<>]+{_MUSIC}", "<file>", text, flags=re.IGNORECASE)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
