"""Train, validation, test. All versions of a song are in one of them."""

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

from core.errors import UnreadableInput

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_HELD_OUT = 5  # per cent of the songs, for validation and for test each


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
        split: Split | None = next((s for s in SPLITS if s == row["split"]), None)
        if split is None:
            raise UnreadableInput(f'"{row["split"]}" in {path} is not one of {", ".join(SPLITS)}.')
        table[PurePosixPath(row["path"])] = split
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
