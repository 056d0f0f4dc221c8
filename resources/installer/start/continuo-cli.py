"""The bundled command line's start: a process spawned from it plays or reads files, and must not run it again."""

import multiprocessing

if __name__ == "__main__":
    multiprocessing.freeze_support()

    from core.cli.start import main

    main()
