"""From the start of the process to a window on screen."""

import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from core.errors import ContinuoError


class _FirstFrame(QObject):
    """`seen` once the window's first frame is painted."""

    seen = Signal()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window is about to be painted: its children follow, then the frame is shown, then timers run."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self.seen.emit)
        return False


def measure_start(times: int) -> dict[str, Any]:
    """Start the app so many times, after one start that counts for nothing; seconds until its first frame is shown."""
    took, has_torch = [], False
    # Python keeps compiled modules, unless told not to: then a start takes what no user's start takes.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(1 + times):
        begun = time.perf_counter()  # of the whole machine: the same clock in every process
        child = subprocess.run([sys.executable, "-m", __name__], env=environment, stdout=subprocess.PIPE, text=True)
        if child.returncode:
            raise ContinuoError("The window could not be started.")
        shown = json.loads(child.stdout.splitlines()[-1])
        took.append(shown["at"] - begun)
        has_torch |= shown["torch"]
    del took[0]
    return {
        "to_window_s": round(median(took), 3),
        "longest_s": round(max(took), 3),
        "starts": times,
        "torch_loaded": has_torch,
    }


def _start() -> None:
    """Start the app as its user does, say when its window was on screen, and end."""
    from desktop.app import build

    app, window, _ = build([])

    def end() -> None:
        print(json.dumps({"at": time.perf_counter(), "torch": "torch" in sys.modules}), flush=True)
        app.quit()

    watch = _FirstFrame()
    watch.seen.connect(end)
    window.installEventFilter(watch)
    window.show()
    app.exec()
    window.shut_down()


if __name__ == "__main__":
    _start()
