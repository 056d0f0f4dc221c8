"""Pieces on disk: `notes.u16` and `events.u16`, memory-mapped, and `index.json`.

The events are the codec's at the written tempo (velocity on change, no boundary): for validation,
statistics and the search for copies. The notes are what augmented training data is made of.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.codec.vocabulary import STEPS_PER_SECOND
from core.errors import UnreadableInput
from core.files import replacing, write_atomically
from core.training.data.notes import NOTE, TICKS, Events, Notes
from core.training.data.sources import Split

FORMAT = 3
INDEX = "index.json"
NOTES = "notes.u16"
EVENTS = "events.u16"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the corpus: what it is, and where its notes and events lie in the arrays.

    `quarter` is how long a quarter lasts, in seconds, in a piece that lies on its metre's grid at one
    tempo; 0 in all others.
    """

    path: str
    source: str
    licence: str
    song: str
    split: Split
    seconds: float
    quarter: float
    first_note: int
    notes: int
    first_event: int
    events: int


class Corpus:
    """A prepared corpus, opened for reading. Nothing is loaded until it is used."""

    def __init__(self, folder: Path) -> None:
        """Raises UnreadableInput if `folder` holds no complete corpus."""
        self.folder = folder
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            if index["format"] != FORMAT:
                raise UnreadableInput(f"The corpus {folder} is of another version of Continuo: prepare it anew.")
            self.pieces = [Piece(**piece) for piece in index["pieces"]]
            self.digest = str(index["digest"])
            # An empty file cannot be mapped.
            self._notes = _map(folder / NOTES).view(NOTE) if self.pieces else np.empty(0, NOTE)
            self._events: Events = _map(folder / EVENTS) if self.pieces else np.empty(0, np.uint16)
        except FileNotFoundError as error:
            raise UnreadableInput(
                f"{folder} is not a prepared corpus: make one with `continuo-cli prepare`."
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnreadableInput(f"The corpus {folder} is damaged: prepare it anew.") from error
        if any(
            p.first_note + p.notes > len(self._notes) or p.first_event + p.events > len(self._events)
            for p in self.pieces
        ):
            raise UnreadableInput(f"The corpus {folder} is damaged: prepare it anew.")

    def __reduce__(self) -> tuple[type["Corpus"], tuple[Path]]:
        """Pickled, for another process, it is its folder: the arrays are mapped there anew."""
        return Corpus, (self.folder,)

    def notes(self, piece: Piece) -> Notes:
        """(N) notes of a piece, sorted by start."""
        return self._notes[piece.first_note : piece.first_note + piece.notes]

    def events(self, piece: Piece) -> Events:
        """(T) ids of a piece."""
        return self._events[piece.first_event : piece.first_event + piece.events]

    def of_split(self, split: Split) -> list[Piece]:
        """The pieces of one split."""
        return [piece for piece in self.pieces if piece.split == split]


def _map(path: Path) -> Events:
    return np.memmap(path, np.uint16, "r")


@dataclass(frozen=True, slots=True)
class Draft:
    """A piece on its way into a corpus."""

    path: str
    source: str
    licence: str
    song: str
    split: Split
    quarter: float
    notes: Notes
    events: Events


def write_corpus(folder: Path, drafts: Iterable[Draft], digest: str) -> list[Piece]:
    """Write the arrays, then the index, whose presence says that the corpus is whole. Raises WriteError."""
    pieces: list[Piece] = []
    first_note = first_event = 0
    with replacing(folder / NOTES) as notes_file, replacing(folder / EVENTS) as events_file:
        for draft in drafts:
            seconds = float(draft.notes["end"].max()) / (TICKS * STEPS_PER_SECOND)
            counts = (first_note, len(draft.notes), first_event, len(draft.events))
            names = (draft.path, draft.source, draft.licence, draft.song, draft.split)
            pieces.append(Piece(*names, round(seconds, 2), draft.quarter, *counts))
            notes_file.write(draft.notes.tobytes())
            events_file.write(draft.events.tobytes())
            first_note += len(draft.notes)
            first_event += len(draft.events)
    index = {"format": FORMAT, "digest": digest, "pieces": [asdict(piece) for piece in pieces]}
    write_atomically(folder / INDEX, json.dumps(index, indent=0).encode())
    return pieces
