"""A pool of processes that ends with the program, however that ends."""

import multiprocessing
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

_MOST_ON_WINDOWS = 61  # processes that one can wait for at once there


def process_pool(processes: int) -> ProcessPoolExecutor:
    """So many processes to share work out to; on Windows 61 at most.

    Spawned: a forked child of a process with threads may hang.
    """
    most = _MOST_ON_WINDOWS if sys.platform == "win32" else processes
    return ProcessPoolExecutor(min(processes, most), multiprocessing.get_context("spawn"), _end_with_parent)


def _end_with_parent() -> None:
    """In a process of the pool: it would wait for work for ever once the program was killed (SIGKILL)."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="continuo-pool-watch", daemon=True).start()
