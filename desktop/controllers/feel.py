"""Feel: what is said in words, and the presets, of how takes are to differ from the prompt."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.session.knobs import AS_THE_PROMPT, UNTURNED, knobs_words
from core.session.session import one_line
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
        self._feel.preset_renamed.connect(self.rename)
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
                self.message.emit(f"{name}: {knobs_words((preset.knobs, *preset.then)) or UNTURNED}.")

    def save(self) -> None:
        """Save the knobs as they stand under a name, which may be one that there is if the user says so."""
        settings = self._panel.settings()
        words = knobs_words((settings.knobs, *settings.then))
        self._put(self.tr("Save Preset"), self._feel.words.text() or words, Preset("", settings.knobs, settings.then))

    def rename(self, name: str) -> None:
        """Give a preset another name."""
        for preset in self._preferences.now.presets:
            if preset.name == name:
                self._put(self.tr("Rename Preset"), name, preset)
                return

    def drop(self, name: str) -> None:
        """Delete a preset, if the user says so: that is not undone."""
        if self._dialogs().delete_preset(name):
            self._keep([preset for preset in self._preferences.now.presets if preset.name != name])

    def _put(self, title: str, suggestion: str, preset: Preset) -> None:
        """Ask for a name and keep the preset under it, in place of what it was and of another of that name."""
        name = one_line(self._dialogs().name(title, self.tr("Name:"), suggestion))
        others = [other for other in self._preferences.now.presets if other.name != preset.name]
        kept = [other for other in others if other.name != name]
        if not name:
            return
        if len(kept) >= MOST_PRESETS:
            self.message.emit(self.tr("There are {0} presets: delete one first.").format(MOST_PRESETS))
        elif len(kept) == len(others) or self._dialogs().replace(name):
            self._keep([*kept, replace(preset, name=name)])
            self.message.emit(self.tr('Saved as preset "{0}".').format(name))

    def _keep(self, presets: Sequence[Preset]) -> None:
        self._preferences.change(presets=tuple(sorted(presets, key=lambda preset: preset.name.casefold())))

    def _show_presets(self) -> None:
        self._feel.show_presets([preset.name for preset in self._preferences.now.presets])
