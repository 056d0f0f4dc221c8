"""The real window for tests: real model, real player process; only the user's folders and answers are the test's."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QEvent
from PySide6.QtWidgets import QApplication

from core.live.outputs import NoOutput, OutputChoice
from core.resources import bundled
from core.session.export import SoundFormat
from core.session.session import GenerationSettings, TakeRecord
from desktop.connections import connected_window
from desktop.dialogs.questions import Dialogs, Leaving, Recovering
from desktop.main_window import MainWindow

BACH = bundled("examples", "bwv846.mid")
PATIENCE = 120_000  # ms; a machine may be busy, and where all is well a wait ends early


class Answers(Dialogs):
    """Answers every question at once, and keeps what was told."""

    recovering: Recovering = "recover"

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.told: list[str] = []
        self.path = ""
        self.sound: SoundFormat | None = SoundFormat()
        self.sound_words, self.sound_before = "", SoundFormat()  # what was offered
        self.leaving: Leaving = "discard"
        self.recovered = ""  # the name of the file that was offered
        self.reads_again = False
        self.saves_over = False
        self.gives_up_export = False
        self.numbers: list[int | None] = []  # answers to questions for one; then as suggested
        self.names: list[str] = []  # the same for names
        self.replaces = False
        self.asked: list[str] = []

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    def file_to_open(self, folder: str) -> str:
        return self.path

    def file_to_save(self, title: str, suggestion: str, kinds: str, suffixes: Sequence[str]) -> str:
        return self.path

    def sound_format(self, words: str, first: SoundFormat) -> SoundFormat | None:
        self.sound_words, self.sound_before = words, first
        return self.sound

    def about_to_leave(self, name: str) -> Leaving:
        return self.leaving

    def recover(self, name: str, when: str, others: int) -> Recovering:
        self.recovered = name
        return self.recovering

    def read_again(self, name: str) -> bool:
        return self.reads_again

    def empty_bin(self, count: int) -> bool:
        self.told.append(f"{count} in the bin")
        return True

    def number(self, title: str, words: str, value: int, least: int, most: int) -> int | None:
        return self.numbers.pop(0) if self.numbers else value

    def name(self, title: str, words: str, suggestion: str) -> str:
        return self.names.pop(0) if self.names else suggestion

    def replace(self, name: str) -> bool:
        self.asked.append(f"replace {name}")
        return self.replaces

    def delete_preset(self, name: str) -> bool:
        self.asked.append(f"delete {name}")
        return True

    def give_up_export(self) -> bool:
        self.told.append("still being exported")
        return self.gives_up_export

    def save_over(self, name: str) -> bool:
        self.told.append(f"{name} was changed")
        return self.saves_over


class Desk:
    """A window at work."""

    def __init__(
        self, output: OutputChoice | None = None, model: str = "", looks_for_recovery: bool = False, path: str = ""
    ) -> None:
        self.window = window = connected_window()
        self.answers = window.dialogs = window.file_controller.dialogs = Answers(window)
        self.messages: list[str] = []
        self.opened_beside: list[str] = []
        for speaker in (
            window.document,
            window.generation,
            window.fill,
            window.sound_signals,
            window.file_controller,
            window.editing,
            window.clipboard,
            window.lane_display,
            window.commands,
        ):
            speaker.message.connect(self.messages.append)
        window.preferences.change(output=output or NoOutput(), generation=GenerationSettings(model=model, length=8.0))
        window.document.amend(window.document.session.with_settings(window.preferences.now.generation))
        window.show()
        window.file_controller.open_beside = self.opened_beside.append
        window.start(path, looks_for_recovery=looks_for_recovery)

    @property
    def takes(self) -> tuple[TakeRecord, ...]:
        return self.window.document.session.takes

    def wait(self, is_so: Callable[[], Any], what: str, patience: int = PATIENCE) -> None:
        """Let the window live until something is so."""
        timer = QElapsedTimer()
        timer.start()
        while not is_so():
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, 0)
            time.sleep(0.001)  # asking all the time would keep the model from Python's lock
            if timer.hasExpired(patience):
                raise AssertionError(f"waited in vain for {what}; said: {self.messages}, told: {self.answers.told}")

    def settle(self) -> None:
        """Wait until files are read and written."""
        self.wait(lambda: not self.window.files.is_busy and not self.window.exports.is_busy, "the file worker")

    def open(self, path: Path | str = BACH) -> None:
        opened: list[None] = []
        self.window.file_controller.open_path(path, lambda: opened.append(None))
        self.wait(lambda: opened or self.answers.told, "the file to open")
        self.settle()

    def wait_until_ready(self) -> None:
        self.wait(lambda: self.window.generation.is_prepared, "the prompt to be read")

    def wait_until_open(self) -> None:
        self.wait(lambda: self.window.playback.output.description, "the output to open")

    def set(self, **settings: Any) -> None:
        """Change generation settings as the panel would; a length is of seconds, if nothing else is said."""
        from dataclasses import replace

        if "length" in settings:
            settings.setdefault("unit", "seconds")
        self.window.panel.settings_changed.emit(replace(self.window.document.session.settings, **settings))

    def sample(self, seconds: float = 2.0, **settings: Any) -> TakeRecord:
        """Continue to the end; the first new take."""
        before = len(self.takes)
        self.set(length=seconds, **settings)
        self.window.proceed()
        self.wait(lambda: not self.window.generation.is_running, "the continuation to end")
        return self.takes[before]

    def close(self) -> None:
        self.window._close()
        QApplication.processEvents()
        self.window.deleteLater()
        # Deleted for good: else its timers would run, and its memory be held, through all tests that follow.
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()
