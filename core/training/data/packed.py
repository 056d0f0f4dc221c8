"""A corpus as one small file to carry to another machine, and back: a tar.xz of uint16 columns.

    index.json  the pieces, without their places in the arrays
    notes.u16   (6, N) words: waits since the note before in the piece (low, high), lengths (low, high), pitch and
                velocity in one, and the track. Unlike absolute times these hardly differ from note to note, so xz makes
                little of them

The events are not in it: they follow from the notes.
"""

import io
import json
import lzma
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableInput, UsageError
from core.files import make_folder, replacing
from core.training.data.corpus import FORMAT, INDEX, NOTES, Corpus, Draft, write_corpus
from core.training.data.notes import NOTE, Notes, note_events

_LEFT_OUT = ("first_note", "first_event", "events", "seconds")  # which write_corpus finds anew


def pack(corpus: Corpus, file: Path, sources: Collection[str] = ()) -> int:
    """Write the pieces of these sources (none named: of all) to `file`; how many there are.

    Raises UsageError for a source that is not there, WriteError.
    """
    if unknown := sorted(set(sources) - {piece.source for piece in corpus.pieces}):
        raise UsageError(f"The corpus has no source called {', '.join(unknown)}.")
    pieces = [piece for piece in corpus.pieces if not sources or piece.source in sources]
    rows = [{k: v for k, v in asdict(piece).items() if k not in _LEFT_OUT} for piece in pieces]
    index = {"format": FORMAT, "digest": corpus.digest, "pieces": rows}
    columns = [_to_columns(corpus.notes(piece)) for piece in pieces]
    words = np.concatenate(columns, axis=1) if columns else np.empty((6, 0), np.uint16)
    with replacing(file) as out, tarfile.open(fileobj=out, mode="w:xz") as tar:
        for name, data in ((INDEX, json.dumps(index).encode()), (NOTES, words.astype("<u2").tobytes())):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return len(pieces)


def unpacked(corpus: Path, folder: Path) -> Path:
    """The folder of a corpus: `corpus` itself, or where that is a packed file `folder`, to which it is unpacked.

    One that was unpacked there before from the same file is left as it is. Raises UnreadableInput, WriteError.
    """
    if not corpus.is_file():
        return corpus
    try:
        with tarfile.open(corpus, "r:xz") as tar:
            index = json.loads(_member(tar, INDEX))
            if index["format"] != FORMAT:
                raise UnreadableInput(f"The corpus {corpus} is of another version: prepare and pack it anew.")
            if _holds(folder, index):
                return folder
            words = np.frombuffer(_member(tar, NOTES), "<u2").reshape(6, -1)
        make_folder(folder)
        write_corpus(folder, _drafts(index["pieces"], words), index["digest"])
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableInput(f"{corpus} is not a packed corpus, or is damaged: pack it anew.") from error
    return folder


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def _holds(folder: Path, index: dict[str, Any]) -> bool:
    try:
        there = Corpus(folder)
    except UnreadableInput:
        return False
    return there.digest == index["digest"] and [p.path for p in there.pieces] == [p["path"] for p in index["pieces"]]


def _drafts(rows: list[dict[str, Any]], words: NDArray[np.uint16]) -> Iterator[Draft]:
    first = 0
    for row in rows:
        count = row.pop("notes")
        notes = _to_notes(words[:, first : first + count])
        first += count
        yield Draft(**row, notes=notes, events=note_events(notes))


def _to_columns(notes: Notes) -> NDArray[np.uint16]:
    waits = np.diff(notes["start"], prepend=np.uint32(0)).astype(np.uint32)  # sorted by start: never negative
    lengths = (notes["end"] - notes["start"]).astype(np.uint32)
    keys = notes["pitch"].astype(np.uint32) << 8 | notes["velocity"]
    columns = [waits & 0xFFFF, waits >> 16, lengths & 0xFFFF, lengths >> 16, keys, notes["track"]]
    return np.stack(columns).astype(np.uint16)


def _to_notes(words: NDArray[np.uint16]) -> Notes:
    wide = words.astype(np.uint32)
    notes = np.empty(wide.shape[1], NOTE)
    notes["start"] = np.cumsum(wide[0] | wide[1] << 16)
    notes["end"] = notes["start"] + (wide[2] | wide[3] << 16)
    notes["pitch"], notes["velocity"] = wide[4] >> 8, wide[4] & 0xFF
    notes["track"] = wide[5]
    return notes
