"""Edits of pitch that know of keys, and mirroring; as those of `edits`, on tracks and takes alike."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.midi.key import Key, detect_key, parse_key
from core.midi.scale import Scale
from core.session.edits import Chosen, Columns, Edited, change_notes, notes_there, part_notes
from core.session.session import Session


def mirror(session: Session, chosen: Chosen) -> Edited:
    """Turn pitches upside down: the lowest becomes the highest."""

    def change(parts: list[Columns]) -> list[Columns]:
        both = min(part.pitch.min() for part in parts) + max(part.pitch.max() for part in parts)
        return [replace(part, pitch=both - part.pitch) for part in parts]

    return change_notes(session, chosen, change)


def transpose_often(session: Session, chosen: Chosen, semitones: int, times: int) -> Edited:
    """Move notes up or down by an interval, so many times, or as often as none of them leaves the range."""

    def change(parts: list[Columns]) -> list[Columns]:
        lowest, highest = min(part.pitch.min() for part in parts), max(part.pitch.max() for part in parts)
        room = int(127 - highest if semitones > 0 else lowest)
        by = semitones * min(times, room // max(abs(semitones), 1))
        return [replace(part, pitch=part.pitch + by) if by else part for part in parts]

    return change_notes(session, chosen, change)


def transpose_by_rows(session: Session, chosen: Chosen, rows: Sequence[int], by: int) -> Edited:
    """Move notes up or down among some pitches, in order: all by as many, as far as the outermost can go.

    A note that is on none of them goes from the one above it.
    """
    shown = np.array(rows, np.int64)

    def change(parts: list[Columns]) -> list[Columns]:
        places = [np.searchsorted(shown, part.pitch) for part in parts]
        lowest, highest = min(int(p.min()) for p in places), max(int(p.max()) for p in places)
        most = min(max(by, -lowest), len(shown) - 1 - highest)
        return [replace(p, pitch=shown[at + most]) if most else p for p, at in zip(parts, places, strict=True)]

    return change_notes(session, chosen, change)


def transpose_in_key(session: Session, chosen: Chosen, degrees: int) -> Edited:
    """Move notes by degrees of a key: all by as many, as far as the outermost can go.

    The key is that chosen for takes, else the one that the notes' parts are in. A note that is not of the scale
    stays as far above the degree below it as it was.
    """
    there = notes_there(session, chosen)
    if not there:
        return Edited(session, {})
    notes: list[Any] = [note for part in there for note in part_notes(session, part)]
    scale = session.settings.scale
    key = detect_key(notes) if scale in ("off", "auto") else parse_key(scale)

    def change(parts: list[Columns]) -> list[Columns]:
        every = np.concatenate([part.pitch for part in parts])
        by = degrees
        while by and not ((moved := _moved(every, by, key)).min() >= 0 and moved.max() <= 127):
            by -= 1 if by > 0 else -1
        return [replace(part, pitch=_moved(part.pitch, by, key)) if by else part for part in parts]

    return change_notes(session, chosen, change)


def _moved(pitch: NDArray[np.int64], degrees: int, key: Key) -> NDArray[np.int64]:
    scale = np.array(Scale.of_key(key).steps)
    octave, above = np.divmod(pitch - key.tonic, 12)
    degree = np.searchsorted(scale, above, side="right") - 1
    off = above - scale[degree]
    more, degree = np.divmod(degree + degrees, len(scale))
    return key.tonic + 12 * (octave + more) + scale[degree] + off
