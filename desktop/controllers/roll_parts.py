"""RollParts: what the piano roll shows of a session. Parts that did not change are not made again."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.midi.write import TakeNote
from core.performance.take_in_progress import TakeInProgress
from core.session.edits import NoteRef as SessionRef
from core.session.edits import Part
from core.session.session import Session
from desktop.piano_roll.notes import NoteRef, PartKind, RollNote, RollPart

TRACK = "track:"
TAKE = "take:"
MOST_KEPT = 1_000_000  # notes of parts that were replaced, 45 bytes each

_Name = tuple[str, PartKind, int]  # key, kind and colour of a part
_Made = tuple[Any, float, RollPart]  # the notes and the offset that it was made of, and it


class RollParts:
    """Makes parts and keeps them. Safe to `prepare` on another thread before they are wanted here."""

    def __init__(self) -> None:
        self._kept: dict[_Name, _Made] = {}
        self._older: list[tuple[_Name, _Made]] = []  # what was replaced, or will be wanted, newest last

    def parts(self, session: Session, in_progress: Sequence[TakeInProgress] = ()) -> list[RollPart]:
        """The tracks, the current take, the others faint; while takes grow, they in the current one's place."""
        kept, parts = self._kept, []
        self._kept = {}
        for i, track in enumerate(session.score.tracks if session.score else ()):
            parts.append(self._part(kept, f"{TRACK}{i}", "prompt", i, track.notes, 0.0))
        for take in session.takes:
            is_current = take.id == session.current and not in_progress
            parts.append(
                self._part(kept, TAKE + take.id, "take" if is_current else "other", 0, take.notes, take.marker)
            )
        for i, growing in enumerate(in_progress):
            growing.fresh()
            parts.append(rolled(TAKE + growing.id, "other" if i else "take", 0, growing.notes, growing.marker))
        self._forget()
        return parts

    def prepare(self, session: Session) -> None:
        """Make the parts of a session, for `parts` to find. On any thread."""
        other = RollParts()
        other._kept, other._older = dict(self._kept), list(self._older)
        other.parts(session)
        made = [(name, new) for name, new in other._kept.items() if new is not self._kept.get(name)]
        self._older = [*self._older, *made]

    def _part(
        self, kept: dict[_Name, _Made], key: str, kind: PartKind, colour: int, notes: Any, offset: float
    ) -> RollPart:
        name: _Name = key, kind, colour
        old = kept.get(name)
        candidates = [old, *(made for known, made in self._older if known == name)]
        made = next((m for m in candidates if m is not None and m[0] is notes and m[1] == offset), None)
        if made is None:
            made = notes, offset, rolled(*name, notes, offset)
        if old is not None and made is not old:
            self._older = [(known, m) for known, m in self._older if m is not made]
            self._older.append((name, old))
        self._kept[name] = made
        return made[2]

    def _forget(self) -> None:
        """Let the oldest go once they are too many notes."""
        notes = 0
        for place in range(len(self._older) - 1, -1, -1):
            notes += len(self._older[place][1][2])
            if notes > MOST_KEPT:
                self._older = self._older[place + 1 :]
                return


def rolled(key: str, kind: PartKind, colour: int, notes: Sequence[Any], offset: float) -> RollPart:
    """A part of the roll from the notes of a track or take, `offset` seconds later."""

    def column(name: str) -> NDArray[np.float64]:
        return np.fromiter(map(attrgetter(name), notes), np.float64, len(notes))

    start, end = column("start"), column("end")
    columns = start + offset, np.maximum(start, end) + offset, column("pitch"), column("velocity")
    return RollPart.of_columns(key, kind, np.column_stack(columns), colour)


def as_roll(note: TakeNote, offset: float) -> RollNote:
    """One note of a take."""
    return RollNote(note.start + offset, note.end + offset, note.pitch, note.velocity)


def session_part(key: str) -> Part:
    """The session's name for a part of the roll."""
    return int(key.removeprefix(TRACK)) if key.startswith(TRACK) else key.removeprefix(TAKE)


def roll_key(part: Part) -> str:
    """The roll's name for a part of the session."""
    return f"{TAKE}{part}" if isinstance(part, str) else f"{TRACK}{part}"


def session_ref(ref: NoteRef) -> SessionRef:
    """The session's name for a note of the roll."""
    return SessionRef(session_part(ref.part), ref.index)
