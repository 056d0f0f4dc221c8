"""Autosave, and finding what a crash left behind.

An autosave is three files in one folder: NAME.continuo, the session; NAME.json, which files it belongs to;
NAME.lock, locked for as long as the program that writes it lives. The system lifts the lock when the program
ends in whatever way, so a NAME.continuo without a locked NAME.lock is what a crash has left.
"""

import contextlib
import json
import os
import secrets
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import WriteError
from core.files import write_atomically
from core.resources import user_folder
from core.session.session import Session
from core.session.storage import SESSION_SUFFIX, open_session, save_session


def autosave_folder() -> Path:
    """Where autosaves lie."""
    return user_folder("autosave")


class Autosave:
    """The autosave of one open session; `save` may be called from any one thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises WriteError if nothing can be written there."""
        folder = folder or autosave_folder()
        self._files = _Files(folder, f"{os.getpid()}-{secrets.token_hex(4)}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._files.lock.acquire(timeout=0)
        except (OSError, Timeout) as error:
            raise WriteError(f'Nothing can be saved for recovery in "{folder}".') from error

    def save(self, session: Session, document: str = "") -> None:
        """Write the session; `document` is the path of its `.continuo` file, if it has one. Raises WriteError."""
        note = {"document": document, "source": session.source}
        write_atomically(self._files.note, json.dumps(note).encode())
        save_session(session, self._files.session)

    def clear(self) -> None:
        """Forget what was autosaved: it was saved, or the user does not want it. `save` may come again."""
        _unlink(self._files.session, self._files.note)

    def close(self) -> None:
        """End in good order: remove all."""
        self._files.remove()


class Recovery:
    """A session that a crash left behind, held so that no other window finds it, until `discard` or `keep`."""

    def __init__(self, files: "_Files") -> None:
        self._files = files
        self.saved_at = files.session.stat().st_mtime  # Unix time
        note = _read_note(files.note)
        self.document = note.get("document", "")  # path of the session's own file, or empty
        self.source = note.get("source", "")  # path of the MIDI file that it was made from, or empty

    @property
    def name(self) -> str:
        """The name of its file, or empty."""
        return Path(self.document or self.source).name

    def open(self) -> Session:
        """The session. Raises UnreadableInput if its file is damaged."""
        return open_session(self._files.session)

    def discard(self) -> None:
        """Remove it: it lives on in another autosave or file, or is not wanted."""
        self._files.remove()

    def set_aside(self) -> Path:
        """Keep what cannot be read under another name, so that it is not found again. Returns its path."""
        kept = self._files.session.with_suffix(".unreadable")
        with contextlib.suppress(OSError):  # then it stays where it is, and is found again
            self._files.session.replace(kept)
        if not self._files.session.exists():
            self._files.remove()
            return kept
        self._files.lock.release()
        return self._files.session

    def keep(self) -> None:
        """Leave it for the next start."""
        self._files.lock.release()


def find_recoverable(folder: Path | None = None) -> list[Recovery]:
    """The autosaves whose program is gone, the newest first. What is left of others is cleared away."""
    folder = folder or autosave_folder()
    found: list[Recovery] = []
    others_live = False
    names = sorted({path.stem for path in folder.glob("*") if path.suffix in (SESSION_SUFFIX, ".json", ".lock")})
    for name in names:
        files = _Files(folder, name)
        try:
            files.lock.acquire(timeout=0)
        except Timeout:  # its program lives
            others_live = True
            continue
        except OSError:  # not ours to touch
            continue
        if files.session.is_file():
            found.append(Recovery(files))
        else:
            files.remove()
    if not others_live:  # then what is half-written will never be finished
        _unlink(*folder.glob(".continuo-*.part"))
    return sorted(found, key=lambda recovery: -recovery.saved_at)


class _Files:
    """The three files of one autosave."""

    def __init__(self, folder: Path, name: str) -> None:
        self.session = folder / f"{name}{SESSION_SUFFIX}"
        self.note = folder / f"{name}.json"
        # Saved and closed from different threads: the lock is the program's.
        self.lock = FileLock(folder / f"{name}.lock", thread_local=False)

    def remove(self) -> None:
        _unlink(self.session, self.note)
        self.lock.release()
        _unlink(Path(self.lock.lock_file))


def _unlink(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):  # a leftover is cleared away at the next start
            path.unlink()


def _read_note(note: Path) -> dict[str, str]:
    """The paths in NAME.json; none if it says nothing that can be read."""
    try:
        values = json.loads(note.read_text("utf-8"))
        return {key: value for key, value in values.items() if isinstance(value, str)}
    except (OSError, ValueError, AttributeError):
        return {}
