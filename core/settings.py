"""The user's choices that outlive a session, typed, in one JSON file in the user's configuration folder.

A value that cannot be read is replaced by its default, and the file is then kept aside for a human to look at.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from core.errors import UnreadableInput, WriteError
from core.files import read_file, write_atomically
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.session.export import SOUND_FORMAT, SoundFormat
from core.session.knobs import Knobs
from core.session.session import AT_FIRST, Channel, GenerationSettings
from core.session.storage import generation_settings

MOST_RECENT = 12
MOST_PRESETS = 50
_MOST_BYTES = 1 << 20
_SYNTH = BuiltInSynth()

Scheme = Literal["system", "light", "dark"]
_Line = Annotated[str, Meta(pattern=r"\A[^\0]*\Z")]
_Base64 = Annotated[str, Meta(pattern=r"\A([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")]


@dataclass(frozen=True, slots=True)
class Preset:
    """Knobs under a name: those of a take, and of further parts of it."""

    name: _Line
    knobs: Knobs
    then: tuple[Knobs, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's choices.

    `output` is where sound goes, `channel` (0 to 15, None: each its own) what all but percussion is put on,
    `programs` whether external ports get program changes. `recent` are paths, the newest first. `geometry`
    and `layout` are the window's, as base64 of bytes that only the window understands. `snap` is what drags among
    notes snap to, `lanes` what is shown under the notes, from top to bottom: names, and heights in pixels.
    `scale` is the one whose rows are light: "off", "auto" for the one found, or its name; `folds` says whether only
    rows in use are shown, `chords` whether their names are, `hears_edits` whether notes sound that are edited.
    `unfolded` are the parts of the generation panel that stand open. `merges_takes` says whether a take is saved within
    the tracks that it plays on. `presets` are knobs saved under a name; `sound` is how audio was exported last.
    `generation` is what a new session starts with.
    """

    output: OutputChoice = _SYNTH
    channel: Channel | None = None
    programs: bool = False
    recent: tuple[_Line, ...] = ()
    theme: Scheme = "system"
    geometry: _Base64 = ""
    layout: _Base64 = ""
    snap: _Line = "1/16"
    unfolded: tuple[_Line, ...] = ()
    scale: _Line = "off"
    folds: bool = False
    chords: bool = False
    hears_edits: bool = True
    presets: Annotated[tuple[Preset, ...], Meta(max_length=MOST_PRESETS)] = ()
    merges_takes: bool = False
    sound: SoundFormat = SOUND_FORMAT
    lanes: tuple[tuple[_Line, Annotated[int, Meta(ge=1, le=10_000)]], ...] = (("velocity", 90),)
    generation: GenerationSettings = AT_FIRST

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
        values = json.loads(data)  # not by msgspec, which refuses the lone surrogates in paths that are not UTF-8
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        _keep_aside(path)
        return Settings()
    read: dict[str, Any] = {}
    damaged = False
    for key, kind in get_type_hints(Settings, include_extras=True).items():
        if key in values:
            try:
                read[key] = _READERS.get(key, partial(msgspec.convert, type=kind))(values[key])
            except ValueError:  # msgspec's ValidationError is one
                damaged = True
    if damaged:
        _keep_aside(path)
    return Settings(**read)


def _keep_aside(path: Path) -> None:
    with suppress(OSError):  # then it is overwritten when settings are next saved
        os.replace(path, path.with_name(path.name + ".damaged"))


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


class _OutputJson(msgspec.Struct):
    kind: str
    name: _Line | None = None


def _output(value: object) -> OutputChoice:
    read = msgspec.convert(value, _OutputJson)
    match read.kind, read.name:
        case "virtual port", str(name):
            return VirtualPort(name)
        case "port", str(name):
            return ExistingPort(name)
        case "none", _:
            return NoOutput()
        case "synth", _:
            return BuiltInSynth()
    raise ValueError("no output")


def _sound(value: object) -> SoundFormat:
    read = msgspec.convert(value, SoundFormat)
    if isinstance(value, dict) and asdict(read).keys() <= value.keys():
        return read
    raise ValueError("no format")


def _recent(value: object) -> tuple[str, ...]:
    return msgspec.convert(value, tuple[_Line, ...])[:MOST_RECENT]


# Where the type of the field does not say how a value is read.
_READERS: dict[str, Callable[[object], object]] = {
    "output": _output,
    "recent": _recent,
    "sound": _sound,
    "generation": generation_settings,
}
