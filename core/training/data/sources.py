"""Data sets that are known by the name of their folder, and the split of each song: train, validation or test.

A source says its licence, its credit and which of its files are one song. All versions of a song are in one split.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from core.errors import UnreadableInput, UsageError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
UNKNOWN_LICENCE = "not stated"
_HELD_OUT = 5  # per cent of the songs, for validation and for test each
_NC = "CC BY-NC-SA 4.0"
_VERSION = re.compile(r"([-_ ]?v\d+|\s*\(\d+\)|[-_ ]copy)$", re.IGNORECASE)


def parse_split(name: str) -> Split:
    """The split of that name. Raises UsageError, which says what names there are."""
    for split in SPLITS:
        if split == name:
            return split
    raise UsageError(f'"{name}" is not one of {", ".join(SPLITS)}.')


def _by_name(path: PurePosixPath) -> str:
    """Versions carry a number behind the name (`tune-v2`, `tune (1)`) or lie in a folder `versions`."""
    folders = [part for part in path.parts[:-1] if part != "versions"]
    return "/".join([*folders, _VERSION.sub("", path.stem)])


def _by_folder(path: PurePosixPath) -> str:
    return path.parent.as_posix()


@dataclass(frozen=True, slots=True)
class Source:
    """One data set. `song` gives the song of a file's path: its versions share it. Others than scores are performed."""

    name: str
    licence: str = UNKNOWN_LICENCE
    credit: str = ""
    song: Callable[[PurePosixPath], str] = _by_name
    is_score: bool = False


KNOWN = {
    source.name: source
    for source in (
        # What is trained on these alone may be CC BY-SA 4.0.
        Source("pop909", "MIT", "Z. Wang et al., POP909, ISMIR 2020"),
        Source("giantmidi", "CC BY 4.0", "Q. Kong et al., GiantMIDI-Piano, 2020"),
        Source("piano-midi-de", "CC BY-SA 3.0 DE", "Bernd Krueger, piano-midi.de"),
        Source("openscore-lieder", "CC0", "OpenScore Lieder Corpus", is_score=True),
        Source("pianolatron", "MIT", "Stanford University Piano Roll Archive, Shi, Sapp et al., Pianolatron"),
        Source(
            "nifc-polish-keyboard",
            "CC BY 4.0",
            "Polish Music Heritage in Open Access, The Fryderyk Chopin Institute",
            is_score=True,
        ),
        Source(
            "nifc-chopin",
            "CC BY 4.0",
            "First Editions of Fryderyk Chopin's Music, The Fryderyk Chopin Institute",
            is_score=True,
        ),
        Source(
            "mutopia",
            "public domain, CC BY or CC BY-SA, by piece",
            "the typesetters of the Mutopia Project",
            is_score=True,
        ),
        Source("openscore-quartets", "CC0", "OpenScore String Quartets", is_score=True),
        Source("openhymnal", "public domain", "Open Hymnal Project, B. J. Dumont", is_score=True),
        # These are for non-commercial use. Of supra an older release of the same rolls is.
        Source("asap", _NC, "F. Foscarin et al., ASAP, ISMIR 2020", _by_folder),
        Source("maestro", _NC, "C. Hawthorne et al., MAESTRO, ICLR 2019"),
        Source("supra", _NC, "Stanford University Piano Roll Archive, Shi, Sapp et al., SUPRA, ISMIR 2019"),
        Source("sapp-joplin", _NC, "C. S. Sapp, A Digital Edition of Scott Joplin's Music", is_score=True),
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
        return _NC
    if UNKNOWN_LICENCE in licences:
        return UNKNOWN_LICENCE
    return "CC BY-SA 4.0"


def read_splits(path: Path) -> dict[PurePosixPath, Split]:
    """The split of each file, from a CSV with columns `split` and `path`. Raises UnreadableInput."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInput(f"The table of splits {path} cannot be read.") from error
    if not rows or not {"split", "path"} <= rows[0].keys():
        raise UnreadableInput(f'The table of splits {path} has no columns "split" and "path".')
    table: dict[PurePosixPath, Split] = {}
    for row in rows:
        try:
            table[PurePosixPath(row["path"])] = parse_split(row["split"])
        except UsageError as error:
            raise UnreadableInput(f"{path}: {error}") from error
    return table


def split_by_hash(song: str) -> Split:
    """The same song always falls into the same split, on every machine."""
    percent = int.from_bytes(hashlib.blake2b(song.encode(), digest_size=8).digest(), "big") % 100
    if percent < _HELD_OUT:
        return "test"
    return "validation" if percent < 2 * _HELD_OUT else "train"


def split_songs(songs: Mapping[str, list[PurePosixPath]], table: Mapping[PurePosixPath, Split]) -> dict[str, Split]:
    """The split of each song, given its files: the table's for any of them, else by hash.

    Where the table puts files of one song into several splits, the song is kept out of training.
    """
    chosen: dict[str, Split] = {}
    for song, paths in songs.items():
        named = {table[path] for path in paths if path in table}
        held_out_most: list[Split] = [s for s in reversed(SPLITS) if s in named]
        chosen[song] = held_out_most[0] if held_out_most else split_by_hash(song)
    return chosen
