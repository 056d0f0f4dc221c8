"""The way in. Loading the commands takes a tenth of a second, in which a signal must end it in order too."""

import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Load the command line, run it, and end the process with its exit code."""
    try:
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.default_int_handler)
        from core.cli import app

        app.main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
