"""StatusBar: model, device, how fast it samples, how far it is ahead, gaps in the sound, where the sound goes."""

import time

from PySide6.QtCore import QCoreApplication, Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from core.performance.generation import ModelFacts
from core.performance.run import Run
from core.performance.song import PlaybackState
from desktop.adapters.task_worker import Task
from desktop.widgets import icons
from desktop.widgets.announce import announce
from desktop.widgets.buttons import FlatButton

SAID_FOR = 9000  # ms that a sentence stays
FIGURES_EVERY = 0.2  # seconds; each time the whole bar is laid out anew
_MARGIN = 8  # pixels beside a sentence
LEAST_WAIT = 1.0  # seconds until the sound that are worth a word
SHOWN_AFTER = 400  # ms that work must last before it is shown


class StatusBar(QStatusBar):
    """Sentences come and go at the left; figures stay at the right."""

    output_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.model = self._label(self.tr("Model and device"))
        self.speed = self._label(self.tr("How many times faster than it plays the model samples"))
        self.ahead = self._label(
            self.tr("Seconds sampled ahead of the playhead; a slow model needs some before the sound begins")
        )
        self.gaps = self._label(self.tr("How often the sound had to wait for the model since it began"))
        self.output = FlatButton(self)
        self.output.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        icons.set_icon(self.output, "sound")
        self.output.setToolTip(self.tr("Where the sound goes: click to change it"))
        self.output.clicked.connect(self.output_clicked)
        self.addPermanentWidget(self.output)
        self._next_figures = 0.0
        self._was_waiting = False
        self.messageChanged.connect(lambda shown: shown or self._forget())
        self._tasks: dict[Task, float | None] = {}  # under way, the newest last: the share that is done, if it is told
        self._task: Task | None = None  # that is shown
        self._wait: Task | None = None
        self._bar = QProgressBar(self)
        self._bar.setMaximumWidth(160)
        self._bar.setMaximumHeight(14)
        self._bar.setTextVisible(False)
        self._cancel = QPushButton(self.tr("Cancel"), self)
        self._cancel.setToolTip(self.tr("Give up what is being done; nothing of yours is changed"))
        self._cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they are
        self._cancel.clicked.connect(self._on_cancel)
        self._words = QLabel(self)
        self._words.setContentsMargins(8, 0, 0, 0)  # below the first letter of the menus
        for widget in (self._words, self._bar, self._cancel):
            self.addWidget(widget)
            widget.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SHOWN_AFTER)
        self._timer.timeout.connect(self._show_task)
        self.model.setText(self.tr("Loading the model …"))
        self.show_output(self.tr("opening the output …"))

    def _label(self, meaning: str) -> QLabel:
        label = QLabel(self)
        label.setToolTip(meaning)
        label.setAccessibleDescription(meaning)
        label.setContentsMargins(6, 0, 6, 0)
        self.addPermanentWidget(label)
        return label

    def say(self, sentence: str) -> None:
        """Show a sentence for a while; as much of it as fits, and all of it to the pointer."""
        figures = [label.x() for label in (self.model, self.speed, self.ahead, self.gaps) if label.text()]
        room = min([*figures, self.output.x()]) - 2 * _MARGIN
        self.setToolTip(sentence)
        self.setAccessibleName(sentence)
        announce(self, sentence)
        self.showMessage(self.fontMetrics().elidedText(sentence, Qt.TextElideMode.ElideRight, room), SAID_FOR)

    def _forget(self) -> None:
        """The sentence is gone."""
        self.setToolTip("")
        self.setAccessibleName("")

    def show_output(self, words: str) -> None:
        """Where the sound goes."""
        self.output.setText(self.tr("Sound: {0}").format(words))
        self.output.setAccessibleName(self.output.text())

    def show_figures(self, model: ModelFacts | None, run: Run | None, state: PlaybackState) -> None:
        """The figures of this moment, if those on view are old enough to be read."""
        now = time.monotonic()
        if now < self._next_figures:
            return
        self._next_figures = now + FIGURES_EVERY
        if model is not None:
            _put(self.model, self.tr("{0} on the {1}").format(model.name, device_words(model.device)))
        if run is not None:
            factor = run.real_time_factor
            _put(self.speed, self.tr("{0:.1f}× real time").format(factor) if factor else "")
        is_on = run is not None or state.is_playing
        ahead = "" if state.ahead is None else self.tr("{0:.1f} s ahead").format(state.ahead)
        is_waiting = state.is_waiting and state.wait is not None and state.wait >= LEAST_WAIT
        if is_waiting:
            ahead = self.tr("Sound in about {0:.0f} s").format(state.wait)
            if not self._was_waiting:  # the seconds are not counted aloud
                announce(self, ahead)
        self._was_waiting = is_waiting
        _put(self.ahead, ahead)
        if is_on:
            count = state.underruns
            many = self.tr("{0} gaps").format(count) if count else self.tr("no gaps")
            _put(self.gaps, self.tr("1 gap") if count == 1 else many)

    # Work that takes long

    def show_started(self, task: Task) -> None:
        """Show a task, if it lasts; once it has ended those that are still under way are shown again."""
        self._tasks[task] = None
        self._timer.start(SHOWN_AFTER)

    def show_progress(self, task: Task, share: float) -> None:
        """How much of it is done; what tells that can be cancelled, too."""
        if task in self._tasks:
            self._tasks[task] = share
            if task is self._task:
                self._show_share()

    def show_ended(self, task: Task) -> None:
        """It is done."""
        self._tasks.pop(task, None)
        if not self._tasks:
            self._timer.stop()
        if task is self._task:
            self._task = None
            for widget in (self._words, self._bar, self._cancel):
                widget.hide()
            if self._tasks:
                self._timer.start(SHOWN_AFTER)

    def show_waiting(self, words: str) -> None:
        """What Continue waits for, such as "Reading the prompt …", if it lasts; "": nothing."""
        if words != (self._wait.words if self._wait else ""):
            if self._wait is not None:
                self.show_ended(self._wait)
            self._wait = Task(words, self.show_progress) if words else None
            if self._wait is not None:
                self.show_started(self._wait)

    def _show_task(self) -> None:
        """Show what is under way: of what can be cancelled the newest, and last what Continue waits for."""
        if not self._tasks:
            return
        task = max(reversed(self._tasks), key=lambda task: (task is not self._wait, self._can_cancel(task)))
        if task is self._wait and self.currentMessage():  # a sentence is read to its end before
            self._timer.start(SHOWN_AFTER)
        elif task is not self._task:
            self._task = task
            self.clearMessage()
            self._words.setText(f"{task.words.removesuffix(' …')} …")
            self._words.show()
            if task.can_cancel:  # of others there are many, and nobody waits for them
                announce(self, self._words.text())
            self._bar.show()
            self._show_share()

    def _show_share(self) -> None:
        assert self._task is not None
        share = self._tasks[self._task]
        self._bar.setRange(0, 0 if share is None else 1000)
        self._bar.setValue(0 if share is None else round(share * 1000))
        self._cancel.setVisible(self._can_cancel(self._task))

    def _can_cancel(self, task: Task) -> bool:
        return task.can_cancel or self._tasks[task] is not None

    def _on_cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._words.setText(self.tr("Cancelling …"))


def device_words(device: str) -> str:
    """What a device is called: "cpu" is the processor, all others are graphics cards."""
    tr = QCoreApplication.translate
    return tr("StatusBar", "processor") if device.startswith("cpu") else tr("StatusBar", "graphics card")


def _put(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)
