"""Data sets that are known by the name of their folder: licence, credit, which files are one song."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

UNKNOWN_LICENCE = "not stated"
_VERSION = re.compile(r"([-_ ]?v\d+|\s*\(\d+\)|[-_ ]copy)$", re.IGNORECASE)


def _by_name(path: PurePosixPath) -> str:
    """Versions carry a number behind the name (`tune-v2`, `tune (1)`) or lie in a folder `versions`."""
    folders = [part for part in path.parts[:-1] if part != "versions"]
    return "/".join([*folders, _VERSION.sub("", path.stem)])


def _by_folder(path: PurePosixPath) -> str:
    return path.parent.as_posix()


@dataclass(frozen=True, slots=True)
class Source:
    """One data set. `song` gives the song of a file's path: its versions share it."""

    name: str
    licence: str = UNKNOWN_LICENCE
    credit: str = ""
    song: Callable[[PurePosixPath], str] = _by_name


KNOWN = {
    source.name: source
    for source in (
        Source("pop909", "MIT", "Z. Wang et al., POP909, ISMIR 2020"),
        Source("giantmidi", "CC BY 4.0", "Q. Kong et al., GiantMIDI-Piano, 2020"),
        Source("piano-midi-de", "CC BY-SA 3.0 DE", "Bernd Krueger, piano-midi.de"),
        Source("openscore-lieder", "CC0", "OpenScore Lieder Corpus"),
        Source("asap", "CC BY-NC-SA 4.0", "F. Foscarin et al., ASAP, ISMIR 2020", _by_folder),
    )
}


def locate(folder: PurePosixPath, relative: PurePosixPath) -> tuple[Source, PurePosixPath]:
    """The source of a file of `folder`, and the file's path with the source's name first.

    The source is the known data set whose folder the file lies in, else `folder` itself.
    """
    whole = PurePosixPath(folder.name) / relative
    for depth, part in enumerate(whole.parts[:-1]):
        if part in KNOWN:
            return KNOWN[part], PurePosixPath(*whole.parts[depth:])
    return Source(folder.name), whole


def combined_licence(licences: set[str]) -> str:
    """The licence of what is trained on data under these. Non-commercial and share-alike carry over."""
    if any("NC" in licence for licence in licences):
        return "CC BY-NC-SA 4.0"
    if UNKNOWN_LICENCE in licences:
        return UNKNOWN_LICENCE
    return "CC BY-SA 4.0"
