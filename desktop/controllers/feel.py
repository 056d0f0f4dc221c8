"""Feel: what is said in words, and the presets, of how takes are to differ from the prompt."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.session.knobs import AS_THE_PROMPT, UNTURNED
from core.settings import MOST_PRESETS, Preset
from desktop.adapters.task_worker import TaskWorker
from desktop.controllers.preferences import Preferences
from desktop.dialogs.questions import Dialogs
from desktop.panels.generation_panel import GenerationPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.words.understanding import Understanding, Understood


class Feel(QObject):
    """Joins the panel's Feel with what understands words and with the saved presets."""

    message = Signal(str)

    def __init__(
        self,
        panel: GenerationPanel,
        preferences: Preferences,
        files: TaskWorker,
        dialogs: "Callable[[], Dialogs]",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel, self._feel, self._preferences, self._dialogs = panel, panel.feelings, preferences, dialogs
        self._files = files
        self._understanding: Understanding | None = None
        self._feel.words_entered.connect(self.say)
        self._feel.preset_chosen.connect(self.choose)
        self._feel.preset_wanted.connect(self.save)
        self._feel.preset_dropped.connect(self.drop)
        preferences.changed.connect(self._show_presets)
        self._show_presets()

    def say(self, words: str) -> None:
        """Set the knobs as a line of words says; they go back where the user has emptied it."""
        if not words.strip():
            self._empty()
            return
        self._files.run(self.tr("Reading the words"), lambda _: self._understand(words), lambda u: self._show(words, u))

    def _empty(self) -> None:
        if self._feel.words.isModified():  # else it says nothing of where the knobs stand
            self._feel.show_understood(self.tr("No words: {0}.").format(UNTURNED), (AS_THE_PROMPT,))
            self._panel.set_feel(AS_THE_PROMPT)
        else:
            self._feel.show_understood(self.tr("Write how it is to sound: {0}.").format(self._feel.example))

    def _understand(self, words: str) -> "Understood":
        """On the worker's thread: reading the encoder's weights takes a while, the first time."""
        if self._understanding is None:
            from core.words.understanding import bundled_understanding

            self._understanding = bundled_understanding()
        return self._understanding.understand(words)

    def _show(self, words: str, understood: "Understood") -> None:
        if words != self._feel.words.text():  # more was typed meanwhile
            return
        if any(clause.is_understood for clause in understood.clauses):
            first, *then = understood.parts
            self._feel.show_understood(understood.words, understood.parts)
            self._panel.set_feel(first, tuple(then))
        else:
            self._feel.show_understood(understood.words)

    # Presets

    def choose(self, name: str) -> None:
        """Set the knobs as they were saved."""
        for preset in self._preferences.now.presets:
            if preset.name == name:
                self._panel.set_feel(preset.knobs, preset.then)

    def save(self) -> None:
        """Save the knobs as they stand under a name, which may be one that there is."""
        settings = self._panel.settings()
        if len(self._preferences.now.presets) >= MOST_PRESETS:
            self.message.emit(self.tr("There are {0} presets: delete one first.").format(MOST_PRESETS))
            return
        name = self._dialogs().name(self.tr("Save Preset"), self.tr("Name:"), self._feel.words.text()).strip()
        if name:
            kept = [preset for preset in self._preferences.now.presets if preset.name != name]
            presets = sorted([*kept, Preset(name, settings.knobs, settings.then)], key=lambda preset: preset.name)
            self._preferences.change(presets=tuple(presets))

    def drop(self, name: str) -> None:
        """Delete a preset."""
        presets = self._preferences.now.presets
        self._preferences.change(presets=tuple(preset for preset in presets if preset.name != name))

    def _show_presets(self) -> None:
        self._feel.show_presets([preset.name for preset in self._preferences.now.presets])
