"""Reading files of a bounded size, and writing them so that nothing is ever half-written."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from core.errors import UnreadableInput, WriteError

_PREFIX, _SUFFIX = ".continuo-", ".part"  # of the files that become others

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your disk quota is used up",
    errno.EFBIG: "the file would be too large for this disk",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "there is no such folder",
    errno.EISDIR: "it is a folder",
    errno.EEXIST: "a file has that name",
    errno.ENAMETOOLONG: "its name is too long",
}


def read_file(path: str | os.PathLike[str], most: int, kind: str) -> bytes:
    """The bytes of a file of that `kind` ("MIDI file"), `most` of them at most.

    Raises UnreadableInput, a sentence with its name, if that cannot be.
    """
    name = Path(path).name or os.fspath(path)
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > most:
                raise too_large(name, most, kind)
            data = file.read(most + 1)
    except FileNotFoundError as error:
        raise UnreadableInput(f'There is no file "{os.fspath(path)}".') from error
    except IsADirectoryError as error:
        raise UnreadableInput(f'"{name}" is a folder, not a {kind}.') from error
    except PermissionError as error:
        if os.path.isdir(path):  # what Windows says of folders
            raise UnreadableInput(f'"{name}" is a folder, not a {kind}.') from error
        raise UnreadableInput(f'You may not read "{name}".') from error
    except (OSError, ValueError) as error:  # ValueError: a name with a null character in it
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such name"
        raise UnreadableInput(f'"{name}" cannot be read: {reason}.') from error
    if len(data) > most:
        raise too_large(name, most, kind)
    return data


def too_large(name: str, most: int, kind: str) -> UnreadableInput:
    """The error of a file that has more than `most` bytes."""
    return UnreadableInput(f'"{name}" is larger than {most >> 20} MB, too large for a {kind}.')


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all: `replacing`, for bytes that are all there."""
    with replacing(path) as file:
        file.write(data)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where it is not there yet. Raises WriteError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f'Cannot make the folder "{path}": {reason(error)}.') from error


def clear_unfinished(folder: Path) -> None:
    """Delete what a process that was killed had begun to write there; none may be writing there now."""
    for part in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            part.unlink()


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write into, which comes in the place of `path` when the block ends without an error.

    A link is followed, an existing file keeps its permissions. Raises WriteError with a sentence
    that names the file and the reason; what was there before is then as it was.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _mode_for(target)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=_PREFIX, suffix=_SUFFIX)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character in it
        raise WriteError(f'Cannot write "{os.fspath(path)}": {reason(error)}.') from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise WriteError(f'Cannot write "{os.fspath(path)}": {reason(error)}.') from error
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the WriteError that writing there would raise, before hours of work depend on it."""
    try:
        target = Path(os.path.realpath(path))
        _mode_for(target)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=_PREFIX, suffix=_SUFFIX):
            pass
    except (OSError, ValueError) as error:
        raise WriteError(f'Cannot write "{os.fspath(path)}": {reason(error)}.') from error


def _mode_for(target: Path) -> int:
    """Permissions for the new file. Raises OSError if the place is taken by something else."""
    try:
        there = target.stat()
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(there.st_mode):
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_IMODE(there.st_mode)


def reason(error: OSError | ValueError) -> str:
    """Why a file could not be written, in a few words that go behind a colon."""
    if isinstance(error, OSError) and error.errno is not None:
        return _REASONS.get(error.errno, error.strerror or str(error))
    return "its name is not a possible file name"
