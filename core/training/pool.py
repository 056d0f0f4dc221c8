"""A pool of processes that ends with the program, however that ends."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor


def process_pool(processes: int) -> ProcessPoolExecutor:
    """So many processes to share work out to. Spawned: a forked child of a process with threads may hang."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _end_with_parent)


def _end_with_parent() -> None:
    """In a process of the pool: it would wait for work for ever once the program was killed (SIGKILL)."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="continuo-pool-watch", daemon=True).start()
