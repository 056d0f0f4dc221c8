"""The start of both bundled programs, `continuo` and `continuo-cli`: the name it is called by says which is meant."""

import multiprocessing
import sys
from pathlib import Path

if __name__ == "__main__":
    from core.processor import TOO_OLD, is_too_old

    if is_too_old():
        sys.exit(TOO_OLD)
    multiprocessing.freeze_support()  # a process spawned to play or to train must not become a second window

    if Path(sys.argv[0]).stem.lower() == "continuo-cli":
        from core.cli.start import main as run_commands

        run_commands()
    else:
        try:
            from desktop.app import main as open_window
        except ImportError as error:  # the portable archive on a system without a desktop
            sys.exit(f"The window needs a library that this system does not have: {error}")
        sys.exit(open_window())
