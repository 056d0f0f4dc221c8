"""Keeps Python's garbage collector from holding the window up.

A full collection looks at all there is, which takes 250 ms once PyTorch is imported. So what stays for good, or for
as long as its document, is left out of collections; the rest is looked through in a few milliseconds.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_frozen() -> Iterator[None]:
    """What is made inside (by any thread) is never looked at again; reference counts still free it."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
