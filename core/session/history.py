"""Undo and redo: named snapshots of immutable sessions."""

from dataclasses import dataclass

from core.session.session import Session

MOST_STEPS = 500


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

        Steps that follow each other with one `merge` key count as one, such as those of a dragged marker.
        """
        if session is self._session or session == self._session:
            return
        if not (merge and self._done and self._done[-1].merge == merge and not self._undone):
            self._done.append(_Step(name, self._session, merge))
            del self._done[:-MOST_STEPS]
        self._undone.clear()
        self._session = session

    def amend(self, session: Session) -> None:
        """Go on to `session` without a step and without anything new to save: for what nobody undoes."""
        if self._saved is self._session:
            self._saved = session
        self._session = session

    def undo(self) -> str:
        """Take back the last step; returns its name, or "" if there was none."""
        if not self._done:
            return ""
        step = self._done.pop()
        self._undone.append((step.name, self._session))
        self._session = step.before
        return step.name

    def redo(self) -> str:
        """Do again what was undone last; returns its name, or "" if there was none."""
        if not self._undone:
            return ""
        name, session = self._undone.pop()
        self._done.append(_Step(name, self._session, ""))
        self._session = session
        return name

    def mark_saved(self, session: Session | None = None) -> None:
        """Remember that a session (default: the one now) is what the file has."""
        self._saved = session or self._session

    def mark_unsaved(self) -> None:
        """Remember that no file has what was saved."""
        self._saved = None

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self._session is not self._saved
