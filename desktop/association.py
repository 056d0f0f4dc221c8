"""Double-click on Linux: an entry in the user's menu that opens MIDI files and sessions with this Continuo.

On macOS and Windows the installed app is registered by its bundle and its installer. Sources: the Desktop Entry
and Shared MIME-info specifications of freedesktop.org.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from core.errors import WriteError
from core.files import write_atomically
from core.resources import bundled
from desktop.other_programs import system_libraries

SESSION_TYPE = "application/x-continuo-session"
_ENTRY = """[Desktop Entry]
Type=Application
Name=Continuo
GenericName=MIDI continuation
Comment=Plays on from your MIDI
Exec={program} %f
Icon={icon}
Terminal=false
Categories=AudioVideo;Audio;Midi;Music;
MimeType=audio/midi;audio/x-midi;{session_type};
StartupWMClass=continuo
"""
_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{session_type}">
    <comment>Continuo session</comment>
    <sub-class-of type="application/zip"/>
    <glob pattern="*.continuo"/>
  </mime-type>
</mime-info>
"""


def associate() -> Path:
    """Register the program that runs for this user; the entry written. Raises WriteError.

    MIDI files then offer Continuo under "Open with"; sessions, which nothing else opens, open with it.
    """
    if sys.platform != "linux":
        raise WriteError("Only on Linux does Continuo register itself; elsewhere its installer does.")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    program = Path(sys.executable).with_name("continuo")
    entry = data / "applications" / "continuo.desktop"
    types = data / "mime" / "packages" / "continuo.xml"
    words = _ENTRY.format(
        program=_quoted(str(program)), icon=bundled("icons", "continuo.png"), session_type=SESSION_TYPE
    )
    for path, text in ((entry, words), (types, _TYPES.format(session_type=SESSION_TYPE))):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{path.parent} cannot be made: {error.strerror}.") from error
        write_atomically(path, text.encode())
    # File managers read these caches where there are the tools that make them, and the files themselves elsewhere.
    for tool, folder in (("update-mime-database", data / "mime"), ("update-desktop-database", entry.parent)):
        if shutil.which(tool):
            with system_libraries():
                subprocess.run([tool, folder], check=False, capture_output=True)
    return entry


def _quoted(program: str) -> str:
    """A program's path as the key Exec wants it: quoted, and no per cent sign of it a field code."""
    for sign in '\\"`$':
        program = program.replace(sign, "\\" + sign)
    return '"' + program.replace("\\", "\\\\").replace("%", "%%") + '"'
