"""The bundled window's start: a process spawned from it plays or reads files, and must not become a second window."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()

    from desktop.app import main

    sys.exit(main())
