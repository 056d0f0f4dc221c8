"""ScaleDisplay: the scale that the roll's rows show, fold, and the chords' names, in the menu and the settings."""

import numpy as np
from PySide6.QtCore import QObject, QTimer

from core.midi.chords import Chord, beats, find_chords
from core.midi.key import key_of_weights
from core.midi.scale import MODES, Scale, parse_scale
from desktop.actions import Actions
from desktop.adapters.task_worker import Task, TaskWorker
from desktop.controllers.preferences import Preferences
from desktop.piano_roll.chord_strip import ChordStrip
from desktop.piano_roll.notes import RollPart
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import Shade

OFF, FOUND = "off", "auto"
_CALM, _GROWING = 200, 1000  # ms after notes have changed, or a take grew, until scale and chords are found anew
_SHORTEST = 0.02  # seconds a note counts for at least


class ScaleDisplay(QObject):
    """One choice of scale, shown and set in several places; what is found follows the notes."""

    def __init__(self, roll: PianoRoll, actions: Actions, preferences: Preferences, worker: TaskWorker) -> None:
        super().__init__(roll)
        self._roll, self._actions, self._preferences, self._worker = roll, actions, preferences, worker
        self.strip = ChordStrip(roll)
        self._last = preferences.now.scale if preferences.now.scale != OFF else FOUND  # what was shown last
        self._found = Scale(0)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.find)
        roll.notes_changed.connect(lambda: self._timer.start(_CALM))
        roll.notes_appended.connect(lambda *_: self._timer.isActive() or self._timer.start(_GROWING))
        actions["scale"].triggered.connect(lambda is_on: self.choose(self._last if is_on else OFF))
        actions.on("scale auto", lambda: self.choose(FOUND))
        for mode in MODES:
            actions.on(f"scale {mode}", lambda mode=mode: self._choose_part(mode=mode))
        for tonic in range(12):
            actions.on(f"tonic {tonic}", lambda tonic=tonic: self._choose_part(tonic=tonic))
        actions["fold"].triggered.connect(lambda is_on: preferences.change(folds=is_on))
        actions["chords"].triggered.connect(lambda is_on: preferences.change(chords=is_on))
        preferences.changed.connect(self.show)
        self.show()

    @property
    def scale(self) -> Scale:
        """The scale that is shown, or would be: the one chosen, else the one found."""
        return parse_scale(self._last) or self._found

    def choose(self, scale: str) -> None:
        """Show a scale by name, the one found (`FOUND`) or none (`OFF`), now and at the next start."""
        if scale != OFF:
            self._last = scale
        self._preferences.change(scale=scale)
        self.show()

    def _choose_part(self, tonic: int | None = None, mode: str | None = None) -> None:
        """Another tonic or mode than the scale's that is shown or found."""
        now = self.scale
        self.choose(Scale(now.tonic if tonic is None else tonic, mode or now.mode).name)

    def show(self) -> None:
        """Show what is chosen."""
        now, actions = self._preferences.now, self._actions
        is_shown, is_found = now.scale != OFF, parse_scale(self._last) is None
        scale = self.scale
        actions["scale"].setChecked(is_shown)
        actions["scale auto"].setChecked(is_found)
        words = self.tr("&Found in the Notes")
        actions["scale auto"].setText(f"{words} ({self._found.name})" if self._counting() else words)
        for mode in MODES:
            actions[f"scale {mode}"].setChecked(not is_found and mode == scale.mode)
        for tonic in range(12):
            actions[f"tonic {tonic}"].setChecked(not is_found and tonic == scale.tonic)
        actions["fold"].setChecked(now.folds)
        actions["chords"].setChecked(now.chords)
        self._roll.set_scale(scale if is_shown else None)
        self._roll.set_folded(now.folds)
        if self.strip.isHidden() == now.chords:
            self.strip.set_shown(now.chords)
            self._timer.start(0)

    def find(self) -> None:
        """Tell scale and chords from the notes there are."""
        parts = self._counting()
        start, end, pitch = (
            np.concatenate([getattr(part, name)[_counts(part)] for part in parts] or [np.empty(0)])
            for name in ("start", "end", "pitch")
        )
        pitch = pitch.astype(np.int64)
        weights = np.bincount(pitch % 12, np.maximum(end - start, _SHORTEST), minlength=12)
        self._found = Scale.of_key(key_of_weights(weights.astype(np.float64))) if weights.any() else Scale(0)
        self.show()
        if not self._preferences.now.chords:
            return
        if self._worker.is_busy:  # with notes that are others by now
            self._timer.start(_CALM)
            return
        tempo_map = self._roll.grid.tempo_map

        def work(task: Task) -> list[Chord]:
            edges, strong = beats(tempo_map, float(end.max(initial=0.0)))
            return find_chords(start, end, pitch, edges, strong)

        self._worker.run(self.tr("Finding chords"), work, lambda chords: self.strip.show_chords(chords, self.scale))

    def _counting(self) -> list[RollPart]:
        """The parts that are heard."""
        return [part for part in self._roll.parts if part.kind != "other" and _counts(part).any()]


def _counts(part: RollPart) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which notes tell of scale and chords: those that are heard and no drums."""
    return ~part.is_drum & (part.shade != Shade.SILENT)
