"""The user's settings while the app runs: kept at once, written a moment later off the GUI thread."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.settings import Settings, load_settings, save_settings
from desktop.adapters.task_worker import TaskWorker

WRITE_AFTER = 500  # ms without a further change


class Preferences(QObject):
    """The settings now. `changed` tells of every change."""

    changed = Signal()

    def __init__(self, files: TaskWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files = files
        self.now: Settings = load_settings()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WRITE_AFTER)
        self._timer.timeout.connect(self._write)

    def change(self, **values: Any) -> None:
        """Set some of the settings."""
        self.put(replace(self.now, **values))

    def put(self, settings: Settings) -> None:
        """Set all of them."""
        if settings != self.now:
            self.now = settings
            self._timer.start()
            self.changed.emit()

    def _write(self) -> None:
        settings = self.now
        self._files.run(self.tr("Keeping the settings"), lambda task: save_settings(settings))

    def flush(self) -> None:
        """Write what is not written yet: the app ends."""
        if self._timer.isActive():
            self._timer.stop()
            self._write()
