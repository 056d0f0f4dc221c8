"""The way in. Loading the commands takes a tenth of a second, in which Ctrl-C must not print a traceback either."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Load the command line, run it, and end the process with its exit code."""
    try:
        from core.cli import app

        app.main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
