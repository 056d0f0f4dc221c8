"""The one log file, and how an error becomes a sentence for the user while its traceback goes there."""

import logging
import sys
import threading
import types
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

from core.errors import ContinuoError

_log = logging.getLogger("continuo")
_MOST_BYTES = 1 << 20


class _LogFile(RotatingFileHandler):
    """Where the disk is full, what cannot be written is left out, without a word on stderr."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def log_path() -> Path:
    """Where the log file lies."""
    import platformdirs

    return Path(platformdirs.user_log_path("Continuo", appauthor=False)) / "continuo.log"


def start_logging(path: Path | None = None, *, otherwise: logging.Handler | None = None) -> Path | None:
    """Write what goes wrong into the log file; where that is. Without a place for one: into `otherwise`, if given."""
    path = path or log_path()
    _log.setLevel(logging.INFO)
    _log.propagate = False
    if _log.handlers:
        return path if isinstance(_log.handlers[0], _LogFile) else None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = _LogFile(path, maxBytes=_MOST_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        path, handler = None, otherwise or logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s: %(message)s"))
    _log.addHandler(handler)
    return path


def sentence_for(error: BaseException, doing: str = "") -> str:
    """What to tell the user of an error: its own sentence, or where the log file is, and then it is logged."""
    if isinstance(error, ContinuoError):
        _log.info("%s: %s", doing or "told the user", error)
        return str(error)
    _log.error("%s", doing or "unexpected", exc_info=(type(error), error, error.__traceback__))
    if isinstance(error, MemoryError):
        return "There is not enough memory for this."
    return f"Something went wrong inside Continuo. What it was stands in the log file, {log_path()}."


def install_hooks(tell: Callable[[str], None]) -> None:
    """Send whatever nobody caught, in any thread, to the log file, and a sentence to `tell`."""

    def hook(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        tell(sentence_for(error))

    def thread_hook(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            hook(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = hook
    threading.excepthook = thread_hook
