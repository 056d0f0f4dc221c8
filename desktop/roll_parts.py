"""RollParts: what the piano roll shows of a session. Parts that did not change are not made again."""

from collections.abc import Sequence
from typing import Any

from core.midi.write import TakeNote
from core.session.edits import NoteRef as SessionRef
from core.session.session import Session
from desktop.growth import Growth
from desktop.piano_roll.notes import NoteRef, RollNote, RollPart

TRACK = "track:"
TAKE = "take:"

_Name = tuple[str, str, int]  # key, kind and colour of a part
_Made = tuple[Any, float, RollPart]  # the notes and the offset that it was made of, and it


class RollParts:
    """Makes parts and keeps them. Safe to `prepare` on another thread before they are wanted here."""

    def __init__(self) -> None:
        self._kept: dict[_Name, _Made] = {}
        self._replaced: dict[_Name, _Made] = {}  # what each of them was before, which Undo may bring back

    def parts(self, session: Session, growths: Sequence[Growth] = ()) -> list[RollPart]:
        """The tracks, the current take, the others faint; while takes grow, they in the current one's place."""
        kept, parts = self._kept, []
        self._kept = {}
        for i, track in enumerate(session.score.tracks if session.score else ()):
            parts.append(self._part(kept, f"{TRACK}{i}", "prompt", i, track.notes, 0.0))
        for take in session.takes:
            is_current = take.id == session.current and not growths
            parts.append(
                self._part(kept, TAKE + take.id, "take" if is_current else "other", 0, take.notes, take.marker)
            )
        for i, growth in enumerate(growths):
            growth.fresh()
            parts.append(RollPart.of(TAKE + growth.id, "other" if i else "take", rolled(growth.notes, growth.marker)))
        self._replaced = {name: old for name, old in self._replaced.items() if name in self._kept}
        return parts

    def prepare(self, session: Session) -> None:
        """Make the parts of a session, for `parts` to find. On any thread."""
        other = RollParts()
        other._kept, other._replaced = dict(self._kept), dict(self._replaced)
        other.parts(session)
        self._replaced = {**self._replaced, **other._replaced}
        self._kept = {**self._kept, **other._kept}

    def _part(self, kept: dict[_Name, _Made], key: str, kind: Any, colour: int, notes: Any, offset: float) -> RollPart:
        name = key, kind, colour
        old = kept.get(name)
        made = next((m for m in (old, self._replaced.get(name)) if m and m[0] is notes and m[1] == offset), None)
        if made is None:
            made = notes, offset, RollPart.of(key, kind, rolled(notes, offset), colour)
        if old is not None and made is not old:
            self._replaced[name] = old
        self._kept[name] = made
        return made[2]


def rolled(notes: Sequence[Any], offset: float) -> list[RollNote]:
    """Notes of a track or take as the roll shows them, `offset` seconds later."""
    return [RollNote(n.start + offset, max(n.end, n.start) + offset, n.pitch, n.velocity) for n in notes]


def as_roll(note: TakeNote, offset: float) -> RollNote:
    """One note of a take."""
    return RollNote(note.start + offset, note.end + offset, note.pitch, note.velocity)


def session_ref(ref: NoteRef) -> SessionRef:
    """The session's name for a note of the roll."""
    if ref.part.startswith(TRACK):
        return SessionRef(int(ref.part.removeprefix(TRACK)), ref.index)
    return SessionRef(ref.part.removeprefix(TAKE), ref.index)


def roll_ref(ref: SessionRef) -> NoteRef:
    """The roll's name for a note of the session."""
    return NoteRef(f"{TAKE}{ref.part}" if isinstance(ref.part, str) else f"{TRACK}{ref.part}", ref.index)
