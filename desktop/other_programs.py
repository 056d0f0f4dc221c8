"""Programs of the system that Continuo starts, such as the one that shows a folder.

They are to find the system's libraries: inside of a bundle on Linux, LD_LIBRARY_PATH names the bundle's own, and
LD_LIBRARY_PATH_ORIG is what the user had (PyInstaller's manual, "LD_LIBRARY_PATH / LIBPATH considerations").
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

_PATHS = "LD_LIBRARY_PATH"
_BEFORE = "LD_LIBRARY_PATH_ORIG"


@contextmanager
def system_libraries() -> Iterator[None]:
    """While this is held, programs start with the user's library path, not the bundle's."""
    ours = os.environ.get(_PATHS)
    if sys.platform != "linux" or not getattr(sys, "frozen", False) or ours is None:
        yield
        return
    before = os.environ.get(_BEFORE)
    if before is None:
        del os.environ[_PATHS]
    else:
        os.environ[_PATHS] = before
    try:
        yield
    finally:
        os.environ[_PATHS] = ours


def show(path: Path) -> None:
    """Open a file or folder in the program that the user's system has for it."""
    with system_libraries():
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
