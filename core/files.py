"""Writing files so that nothing is ever half-written."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from core.errors import WriteError

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
    errno.ENAMETOOLONG: "its name is too long",
}


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all: to a temporary file beside it, then in its place.

    A link is followed, an existing file keeps its permissions. Raises WriteError with a sentence
    that names the file and the reason; what was there before is then as it was.
    """
    temporary = ""
    try:
        target = Path(os.path.realpath(path))
        mode = _mode_for(target)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".continuo-", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, target)
        temporary = ""
    except (OSError, ValueError) as error:  # ValueError: a name with a null character in it
        raise WriteError(f'Cannot write "{os.fspath(path)}": {_reason(error)}.') from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise the WriteError that writing there would raise, before hours of work depend on it."""
    try:
        target = Path(os.path.realpath(path))
        _mode_for(target)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".continuo-", suffix=".part"):
            pass
    except (OSError, ValueError) as error:
        raise WriteError(f'Cannot write "{os.fspath(path)}": {_reason(error)}.') from error


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


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return _REASONS.get(error.errno, error.strerror or str(error))
    return "its name is not a possible file name"
