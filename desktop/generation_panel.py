"""GenerationPanel: what to sample next, and the button that starts and stops it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from core.session.session import DEFAULTS, GenerationSettings


class GenerationPanel(QWidget):
    """The settings of the next continuation; says what the user changed and pressed."""

    settings_changed = Signal(object)  # GenerationSettings
    continue_clicked = Signal()
    stop_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = DEFAULTS

    def show_settings(self, settings: GenerationSettings) -> None:
        """Show settings; emits nothing."""
        self._settings = settings

    def settings(self) -> GenerationSettings:
        """The settings as they stand."""
        return self._settings

    def show_models(self, models: Sequence[tuple[str, str, str]]) -> None:
        """The models to choose from: (name as settings keep it, words for the user, licence)."""

    def set_running(self, running: bool) -> None:
        """Whether the button says Stop."""

    def set_ready(self, ready: bool, reason: str = "") -> None:
        """Whether Continue can be pressed, and the sentence under it."""

    def show_detected_key(self, key: str | None) -> None:
        """The key of the prompt, such as "D minor"."""
