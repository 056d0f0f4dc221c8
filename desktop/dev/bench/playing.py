"""The real window at work: how long Continue takes, what holds the GUI thread up, how late events leave."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer

from core.errors import ContinuoError
from core.live.outputs import NoOutput, VirtualPort
from core.resources import bundled
from desktop.dev.bench.listening import Listener
from desktop.main_window import MainWindow

_SIZE = 1600, 900
_PATIENCE = 60.0  # seconds for anything to happen
LOOK = 5  # ms between two looks at whether it has
_BEAT = 5  # ms between heartbeats of the GUI thread
BETWEEN_CLICKS = 0.5  # seconds in which what the last one left to do is done
_TAKE = 20.0  # seconds of music asked for by a click
WITHOUT_END = 3600.0  # seconds of music, which are not sampled while it is measured


class Heartbeat(QObject):
    """Measures how long the GUI thread does not come round: seconds by which each beat was late."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(_BEAT)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max(now - self._last - _BEAT / 1000, 0.0))
        self._last = now

    def stop(self) -> None:
        """No more beats."""
        self._timer.stop()


class Sitting:
    """A window with an example open, playing to the listener's port or, without a listener, to nothing."""

    def __init__(self, window: MainWindow, listener: Listener | None) -> None:
        self._window, self._listener = window, listener
        output = VirtualPort() if listener else NoOutput()
        window.preferences.now = replace(window.preferences.now, output=output)  # not kept
        window.resize(*_SIZE)
        window.show()
        window.start(str(bundled("examples", "bwv846.mid")), looks_for_recovery=False)
        self._wait(lambda: window.document.session.score, "the example to open")
        self._wait(lambda: window.playback.output.description, "the output to open")
        if listener:
            self._wait(listener.is_connected, "the listener")
        self._wait_until_ready()

    @property
    def output(self) -> str:
        """Where the sound goes."""
        return self._window.playback.output.description

    def measure_continue(self, times: int) -> dict[str, Any]:
        """Click on Continue so many times, the prompt being prepared: ms until the take's first event goes out.

        A rest with which a take begins is music, and taken off.
        """
        took = [self._click(seed) for seed in range(1, times + 1)]
        return {
            "first_ms": round(took[0], 1),  # the first since the model was loaded
            "p50_ms": round(median(took), 1),
            "longest_ms": round(max(took), 1),
            "clicks": times,
            "output": self.output,
            "heard": self._listener is not None,
        }

    def measure_playing(self, seconds: float) -> dict[str, Any]:
        """Sample without end while it plays and is shown, for so many seconds; then stop and keep the take."""
        window = self._window
        self._set(seed=1, length=WITHOUT_END)
        self._rest(BETWEEN_CLICKS)
        heartbeat = Heartbeat()
        window.panel.button.click()
        self._rest(seconds)
        status, run = window.playback.output.status(), window.generation.run
        factor = run.real_time_factor if run else 0.0
        self._stop()
        heartbeat.stop()
        blocks = np.array(heartbeat.late) * 1000
        return {
            "seconds": seconds,
            "longest_block_ms": round(float(blocks.max()), 1),
            "block_ms_p99": round(float(np.percentile(blocks, 99)), 1),
            "late_ms_p50": round(status.late_ms_p50, 3),
            "late_ms_p99": round(status.late_ms_p99, 3),
            "sent": status.sent,
            "underruns": status.underruns,
            "real_time_factor": round(factor, 2),
        }

    def _click(self, seed: int) -> float:
        window = self._window
        self._set(seed=seed, length=_TAKE)
        self._rest(BETWEEN_CLICKS)
        begun = time.perf_counter()
        window.panel.button.click()
        heard: list[float] = []

        def is_heard() -> bool:
            at = self._listener.first_note_since(begun) if self._listener else self._started(begun)
            heard.extend([] if at is None else [at])
            return bool(heard)

        self._wait(is_heard, "the first note")
        self._wait(lambda: window.generation.in_progress[0].notes or window.document.session.takes, "a note")
        self._stop()
        take = window.document.session.takes[-1]
        rest = min(note.start for note in take.notes) if self._listener else 0.0
        window.document.undo()
        self._wait_until_ready()
        return (heard[0] - rest - begun) * 1000

    def _started(self, begun: float) -> float | None:
        """When the player began with the take, by its own word."""
        state = self._window.playback.poll()
        if not state.is_playing or state.is_waiting or state.position is None:
            return None
        return time.perf_counter() - (state.position - self._window.document.session.marker)

    def _set(self, seed: int, length: float) -> None:
        document = self._window.document
        settings = replace(document.session.settings, seed=seed, seed_locked=True, unit="seconds", length=length)
        document.amend(document.session.with_settings(settings))

    def _stop(self) -> None:
        self._window.transport.stop()
        self._wait(lambda: not self._window.generation.is_running, "the take to be kept")
        self._wait(lambda: not self._window.files.is_busy, "the files")

    def _wait_until_ready(self) -> None:
        self._wait(lambda: self._window.generation.is_prepared, "the prompt to be read")

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._wait(lambda: time.monotonic() > end, "the end", seconds + _PATIENCE)

    def _wait(self, is_so: Callable[[], object], what: str, patience: float = _PATIENCE) -> None:
        """Let the window live as it does, until something is so."""
        loop, timer, deadline = QEventLoop(), QTimer(), time.monotonic() + patience
        errors: list[Exception] = []

        def look() -> None:
            try:
                if is_so() or time.monotonic() > deadline:
                    loop.quit()
            except ContinuoError as error:
                errors.append(error)
                loop.quit()

        timer.timeout.connect(look)
        timer.start(LOOK)
        loop.exec()
        timer.stop()
        if errors:
            raise errors[0]
        if time.monotonic() > deadline:
            raise ContinuoError(f"The measurement waited in vain for {what}.")
