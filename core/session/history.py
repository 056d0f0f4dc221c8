"""Undo and redo: named snapshots of immutable sessions.

The bin is no part of what is undone: whatever step takes a take out of the list puts it there, and one that comes back
by another step leaves it. Neither are the settings, which are no edits, and the numbers that takes were given.
"""

from dataclasses import dataclass, fields, replace

from core.session.session import Session

MOST_UNDONE = 500
# What is asked about before it is given up. Snapshots share what did not change, so that looking is enough.
_WORK = tuple(field.name for field in fields(Session) if field.name not in ("source", "settings", "view"))


@dataclass(frozen=True, slots=True)
class _Step:
    """What was done, and the session before it."""

    name: str
    before: Session
    merge: str


class History:
    """The session now, those before it, and those that were undone. Not safe for two threads at once."""

    def __init__(self, session: Session, is_saved: bool = True) -> None:
        self._session = session
        self._saved = session if is_saved else None
        self._done: list[_Step] = []
        self._undone: list[tuple[str, Session]] = []

    @property
    def session(self) -> Session:
        """The session now."""
        return self._session

    @property
    def undo_name(self) -> str:
        """What `undo` takes back, such as "Transpose"; empty if there is nothing."""
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        """What `redo` does again; empty if there is nothing."""
        return self._undone[-1][0] if self._undone else ""

    @property
    def undo_session(self) -> Session | None:
        """The session that `undo` goes back to, or None."""
        return self._done[-1].before if self._done else None

    @property
    def redo_session(self) -> Session | None:
        """The session that `redo` goes on to, or None."""
        return self._undone[-1][1] if self._undone else None

    def do(self, name: str, session: Session, merge: str = "") -> None:
        """Go on to `session`; an equal one is no step.

        Steps that follow each other with one `merge` key count as one, such as those of a key that is held.
        """
        if session is self._session or session == self._session:
            return
        if not (merge and self._done and self._done[-1].merge == merge and not self._undone):
            self._done.append(_Step(name, self._session, merge))
            del self._done[:-MOST_UNDONE]
        self._undone.clear()
        self._session = self._carry(session)

    def amend(self, session: Session, is_saved: bool = True) -> None:
        """Go on to `session` without a step to undo. With `is_saved`, there is nothing new to save."""
        if is_saved and self._saved is self._session:
            self._saved = session
        self._session = session

    def _carry(self, session: Session) -> Session:
        """A session to go on to, with the takes in its bin that are in the bin or the list now, but not in its list."""
        listed = {take.id for take in session.takes}
        left = tuple(take for take in (*self._session.bin, *self._session.takes) if take.id not in listed)
        session = session if left == session.bin else replace(session, bin=left)
        return session.with_last_number(self._session.last_number)

    def _carry_all(self, session: Session) -> Session:
        """A session to go back or on to: `_carry`, and the settings that there are now."""
        session, settings = self._carry(session), self._session.settings
        return session if settings == session.settings else session.with_settings(settings)

    def undo(self) -> str:
        """Take back the last step; returns its name, or "" if there was none."""
        if not self._done:
            return ""
        step = self._done.pop()
        self._undone.append((step.name, self._session))
        self._session = self._carry_all(step.before)
        return step.name

    def redo(self) -> str:
        """Do again what was undone last; returns its name, or "" if there was none."""
        if not self._undone:
            return ""
        name, session = self._undone.pop()
        self._done.append(_Step(name, self._session, ""))
        self._session = self._carry_all(session)
        return name

    def mark_saved(self, session: Session | None = None) -> None:
        """Remember that a session (default: the one now) is what the file has."""
        self._saved = session or self._session

    def mark_unsaved(self) -> None:
        """Remember that no file has what was saved."""
        self._saved = None

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save; settings alone are not worth a question."""
        now, saved = self._session, self._saved
        return saved is None or (now is not saved and any(getattr(now, f) is not getattr(saved, f) for f in _WORK))
