"""Telling: says for screen readers what commands have done. Others see it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QToolButton

from core.midi.score import TrackKey
from desktop.actions import COMMANDS, Actions
from desktop.controllers.document import Document
from desktop.controllers.generation import GenerationController
from desktop.controllers.transport import TransportController
from desktop.panels.take_words import place_words, plan_words
from desktop.panels.takes_panel import TakesPanel
from desktop.panels.track_list import TrackList
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.fields import notes_words
from desktop.widgets.menu_words import plain

_AT_PLAYHEAD = ("back", "on", "return")
_ON_LOOP, _ON_SPAN = ("loop start", "loop end", "loop span"), ("span start", "span end")


class Telling(QObject):
    """Follows what was done by the menus and in the lists; made last, so that all is done by then."""

    def __init__(
        self,
        document: Document,
        transport: TransportController,
        generation: GenerationController,
        roll: PianoRoll,
        say: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._transport, self._roll, self._say = document, transport, roll, say
        self._known: set[str] = set()  # ids of takes
        document.stepped.connect(say)
        roll.marker_moved.connect(self._on_marker)
        roll.marker_stepped.connect(self._on_marker)
        generation.running_changed.connect(self._on_running)

    def follow_actions(self, actions: Actions) -> None:
        """What the menus do that is seen in the roll or the transport bar."""
        for name in _AT_PLAYHEAD:
            actions.on(name, lambda: self._say(self._roll.grid.position(self._transport.position)))
        for name in _ON_LOOP:
            actions.on(name, lambda: self._say_stretch(self.tr("Loop: {0} to {1}"), self._transport.loop))
        for name in _ON_SPAN:
            actions.on(name, lambda: self._say_stretch(self.tr("Span: {0} to {1}"), self._roll.span))
        actions.on("marker here", self._on_marker)
        actions.on("start here", self._on_prompt_start)
        actions.on("end here", self._on_end_marker)
        actions.on("copy", self._on_copied)
        for command in COMMANDS:
            action = actions[command.name]
            if action.isCheckable():
                action.triggered.connect(lambda is_on, action=action: self._on_switched(action, is_on))

    def follow_tracks(self, tracks: TrackList) -> None:
        """Switches of tracks, and which is in front."""
        for signal, words in (
            (tracks.mute_changed, self.tr("Mute")),
            (tracks.solo_changed, self.tr("Solo")),
            (tracks.in_prompt_changed, self.tr("In prompt")),
            (tracks.hidden_changed, self.tr("Hidden")),
        ):
            signal.connect(
                lambda row, is_on, words=words: self._say(f"{self._track(row)}: {self._switched(words, is_on)}")
            )
        tracks.prompt_narrowed.connect(
            lambda row: self._say(self.tr("Only {0} in the prompt").format(self._track(row)))
        )
        tracks.brought_forward.connect(self._on_front)

    def follow_takes(self, takes: TakesPanel) -> None:
        """Stars, and takes that go into the bin and come back."""
        takes.starred.connect(lambda take, is_on: self._say(self._switched(self.tr("Star"), is_on)))
        takes.deleted.connect(lambda ids: self._say(self.tr("In the bin: {0}").format(self._takes(ids))))
        takes.restored.connect(lambda take: self._say(self.tr("Brought back: {0}").format(self._takes([take]))))

    def _on_marker(self, *_: object) -> None:
        self._say(plan_words(self._document.session))

    def _on_prompt_start(self) -> None:
        at = self._roll.grid.position(self._document.session.prompt_start)
        self._say(self.tr("Prompt from {0}").format(at))

    def _on_end_marker(self) -> None:
        if at := self._document.session.end_marker:
            self._say(self.tr("Takes end at {0}").format(self._roll.grid.position(at)))
        else:
            self._say(self.tr("Takes are as long as the panel says"))

    def _say_stretch(self, words: str, stretch: tuple[float, float] | None) -> None:
        if stretch is not None:
            self._say(words.format(*map(self._roll.grid.position, stretch)))

    def _on_copied(self) -> None:
        if self._roll.has_selection:
            self._say(self.tr("Copied: {0}").format(notes_words(len(self._roll.selection))))

    def _on_switched(self, action: QAction, is_on: bool) -> None:
        focus = QApplication.focusWidget()
        if isinstance(focus, QToolButton) and focus.defaultAction() is action:
            return  # the button itself is told of
        words = plain(action.text().partition("\t")[0])
        self._say(words if action.actionGroup() is not None else self._switched(words, is_on))

    def _switched(self, words: str, is_on: bool) -> str:
        return (self.tr("{0} on") if is_on else self.tr("{0} off")).format(words)

    def _on_front(self, key: TrackKey | None) -> None:
        names = [track.name for track in self._document.session.tracks if track.key == key]
        self._say(self.tr("In front: {0}").format(names[0]) if names else self.tr("No track in front"))

    def _track(self, row: int) -> str:
        return self._document.session.tracks[row].name or self.tr("Track {0}").format(row + 1)

    def _takes(self, ids: Sequence[str]) -> str:
        session = self._document.session
        return ", ".join(take.name for take in (*session.takes, *session.bin) if take.id in ids)

    def _on_running(self, is_running: bool) -> None:
        """The model began, or there are other takes now."""
        takes = self._document.session.takes
        if is_running:
            self._known = {take.id for take in takes}
            self._say(self.tr("Continuing"))
            return
        new = [take for take in takes if take.id not in self._known]
        if len(new) > 1:
            self._say(self.tr("{0} takes are there").format(len(new)))
        for take in new if len(new) == 1 else ():
            place = place_words(take, self._document.session.tempo_map)
            self._say(f"{take.name}: {place}, {notes_words(len(take.notes))}")
