"""The user's choices that outlive a session, typed, in one JSON file in the user's configuration folder.

A value that cannot be read is replaced by its default, and the file is then kept aside for a human to look at.
"""

import base64
import binascii
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from core.errors import UnreadableInput, WriteError
from core.files import read_file, write_atomically
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.session.session import DEFAULTS, GenerationSettings
from core.session.storage import generation_settings

MOST_RECENT = 12
_MOST_BYTES = 1 << 20
_SYNTH = BuiltInSynth()

Theme = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's choices.

    `output` is where sound goes, `channel` (0 to 15, None: each its own) what all but percussion is put on,
    `programs` whether external ports get program changes. `recent` are paths, the newest first. `geometry`
    and `layout` are the window's, as base64 of bytes that only the window understands. `generation` is what
    a new session starts with.
    """

    output: OutputChoice = _SYNTH
    channel: int | None = None
    programs: bool = False
    recent: tuple[str, ...] = ()
    theme: Theme = "system"
    geometry: str = ""
    layout: str = ""
    generation: GenerationSettings = DEFAULTS

    def with_recent(self, path: str | os.PathLike[str]) -> "Settings":
        """Put a file at the head of the recent ones."""
        newest = os.path.abspath(path)
        return replace(self, recent=(newest, *(p for p in self.recent if p != newest))[:MOST_RECENT])

    def without_recent(self, path: str | os.PathLike[str]) -> "Settings":
        """Take a file that is gone out of the recent ones."""
        gone = os.path.abspath(path)
        return replace(self, recent=tuple(p for p in self.recent if p != gone))


def settings_path() -> Path:
    """Where the settings lie."""
    import platformdirs

    return Path(platformdirs.user_config_path("Continuo", appauthor=False)) / "settings.json"


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings, whole or not at all. Raises WriteError."""
    path = path or settings_path()
    values = {**asdict(settings), "output": _output_as_json(settings.output)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f'The settings cannot be kept: there is no folder "{path.parent}".') from error
    write_atomically(path, json.dumps(values, indent=2).encode())


def load_settings(path: Path | None = None) -> Settings:
    """The settings as they were saved; the default for each that is missing or cannot be.

    A file with anything in it that cannot be read is kept beside the new one as settings.json.damaged.
    """
    path = path or settings_path()
    try:
        data = read_file(path, _MOST_BYTES, "settings file")
    except UnreadableInput:
        if path.exists():
            _keep_aside(path)
        return Settings()
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        _keep_aside(path)
        return Settings()
    read: dict[str, Any] = {}
    damaged = False
    for key, take in _READERS.items():
        if key in values:
            try:
                read[key] = take(values[key])
            except (ValueError, TypeError, LookupError):
                damaged = True
    if damaged:
        _keep_aside(path)
    return Settings(**read)


def _keep_aside(path: Path) -> None:
    with suppress(OSError):  # then it is overwritten when settings are next saved
        os.replace(path, path.with_name(path.name + ".damaged"))


# The values, one by one: raising ValueError, TypeError or LookupError for one that cannot be


def _output_as_json(output: OutputChoice) -> dict[str, str]:
    match output:
        case VirtualPort(name):
            return {"kind": "virtual port", "name": name}
        case ExistingPort(part_of_name):
            return {"kind": "port", "name": part_of_name}
        case NoOutput():
            return {"kind": "none"}
        case _:  # a recording is no lasting choice
            return {"kind": "synth"}


def _output(value: Any) -> OutputChoice:
    kinds: dict[str, Callable[[], OutputChoice]] = {
        "virtual port": lambda: VirtualPort(_text(value["name"])),
        "port": lambda: ExistingPort(_text(value["name"])),
        "none": NoOutput,
        "synth": BuiltInSynth,
    }
    return kinds[value["kind"]]()


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _channel(value: Any) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value <= 15):
        raise ValueError("no MIDI channel")
    return value


def _recent(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return tuple(_text(path) for path in value)[:MOST_RECENT]


def _theme(value: Any) -> Theme:
    themes: dict[str, Theme] = {"system": "system", "light": "light", "dark": "dark"}
    return themes[value]


def _opaque(value: Any) -> str:
    try:
        base64.b64decode(_text(value), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "output": _output,
    "channel": _channel,
    "programs": _flag,
    "recent": _recent,
    "theme": _theme,
    "geometry": _opaque,
    "layout": _opaque,
    "generation": generation_settings,
}
