"""The way in. Loading the commands takes a tenth of a second, in which a signal must end it in order too."""

import signal
import sys

from core.errors import INTERRUPTED


def main() -> None:
    """Load the command line, run it, and end the process with its exit code."""
    try:
        from core.cli.interrupts import NUMBERS

        for number in NUMBERS:
            signal.signal(number, signal.default_int_handler)
        from core.cli import app

        app.main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
