"""Every error that Continuo raises on purpose. Its text is one sentence for a musician.

ContinuoError          exit 1
├── UsageError         exit 2   an option or value that cannot work
├── UnreadableInput    exit 3   a MIDI or weights file that cannot be read
├── NotFound           exit 4   no such port, device or model
└── WriteError         exit 1   a file that could not be written
"""

INTERRUPTED = 130  # exit code of a command that was broken off by a signal


class ContinuoError(Exception):
    """The root; `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(ContinuoError):
    """An option or value that cannot work."""

    exit_code = 2


class UnreadableInput(ContinuoError):
    """A MIDI or weights file that cannot be read."""

    exit_code = 3


class NotFound(ContinuoError):
    """No such port, device or model."""

    exit_code = 4


class WriteError(ContinuoError):
    """A file that could not be written."""
