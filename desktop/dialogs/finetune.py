"""FineTuneDialog: a folder of the user's MIDI in, a model of their own out. It stays usable beside the window."""

import math
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.training.run import finetune_process
from core.training.run.finetune_process import Failed, FineTuneMessage, Finished, Reading, Training
from desktop.widgets.announce import announce
from desktop.widgets.loss_curve import LossCurve
from desktop.widgets.palettes import DropDown

_LOOK = 200  # ms between two looks into the pipe
MINUTES = (1, 15, 600)  # least, usual, most
ENDING = 2.0  # s

Start = Callable[[str, str, str, int], "tuple[BaseProcess, Connection]"]


def start_process(model: str, folder: str, name: str, minutes: int) -> "tuple[BaseProcess, Connection]":
    """Start the training; its process and our end of the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=finetune_process.run,
        args=(theirs, model, folder, name, minutes),
        name="continuo-finetune",
        daemon=True,
    )
    process.start()
    theirs.close()
    return process, ours


class FineTuneDialog(QDialog):
    """Asks for a folder and trains a model on it; `made` brings the new model's name."""

    made = Signal(str)

    def __init__(self, parent: QWidget | None = None, start: Start = start_process) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Fine-tune a model"))
        self._start_process = start
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self.look)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        words = QLabel(
            self.tr(
                "Train a model further on MIDI files of your own, so that it plays more like them. Every tenth song "
                "is held back to check on. It takes the time you give it, on this computer; you can go on working "
                "meanwhile."
            )
        )
        words.setWordWrap(True)
        layout.addWidget(words)
        layout.addLayout(self._form())
        self.curve = LossCurve()
        layout.addWidget(self.curve, 1)
        self.bar = QProgressBar()
        self.bar.setAccessibleName(self.tr("Progress"))
        self.bar.setTextVisible(False)
        keeps_place = self.bar.sizePolicy()
        keeps_place.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(keeps_place)
        layout.addWidget(self.bar)
        self.says = QLabel(self.tr("Choose a folder with MIDI files; the folders in it are read, too."))
        self.says.setWordWrap(True)
        layout.addWidget(self.says)
        layout.addWidget(self._buttons())
        self.resize(520, 520)
        self._show_state()

    def _form(self) -> QFormLayout:
        self.folder = QLineEdit()
        self.folder.setAccessibleName(self.tr("Folder of MIDI files"))
        self.folder.textChanged.connect(self._on_folder)
        self.choose = QPushButton(self.tr("Choose …"))
        self.choose.setAutoDefault(False)
        self.choose.setAccessibleName(self.tr("Choose the folder of MIDI files"))
        self.choose.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        self.model = DropDown()
        self.model.setAccessibleName(self.tr("Model to start from"))
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the new model"))
        self.name.textChanged.connect(self._show_state)
        self.minutes = QSpinBox()
        self.minutes.setAccessibleName(self.tr("Minutes at most"))
        self.minutes.setRange(MINUTES[0], MINUTES[2])
        self.minutes.valueChanged.connect(
            lambda value: self.minutes.setSuffix(self.tr(" minute at most" if value == 1 else " minutes at most"))
        )
        self.minutes.setValue(MINUTES[1])
        form = QFormLayout()
        form.addRow(self.tr("MIDI files"), row)
        form.addRow(self.tr("Start from"), self.model)
        form.addRow(self.tr("Name"), self.name)
        form.addRow(self.tr("Time"), self.minutes)
        return form

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        self.start_button = buttons.addButton(self.tr("Start"), QDialogButtonBox.ButtonRole.ActionRole)
        self.start_button.clicked.connect(self.start)
        self.stop_button = buttons.addButton(
            self.tr("Stop, keep the best so far"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.stop_button.clicked.connect(self.stop)
        buttons.addButton(QDialogButtonBox.StandardButton.Close)  # last, as Tab goes from one to the next that was made
        buttons.rejected.connect(self.close)
        return buttons

    def show_models(self, models: list[tuple[str, str]]) -> None:
        """The models to start from: (name, words for the user), the usual one first."""
        if not self.is_running:
            chosen = self.model.currentData()
            self.model.clear()
            for name, words in models:
                self.model.addItem(words, name)
            self.model.setCurrentIndex(max(self.model.findData(chosen), 0))

    # What the user does

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder of MIDI files"), self.folder.text())
        if folder:
            self.folder.setText(folder)

    def _on_folder(self) -> None:
        self.name.setText(Path(self.folder.text().strip()).name)
        self._show_state()

    def start(self) -> None:
        """Begin to train."""
        folder = self.folder.text().strip()
        if not Path(folder).is_dir():
            self._say(self.tr("There is no folder {0}.").format(folder))
            return
        self.curve.clear()
        self.bar.setRange(0, 0)
        self._say(self.tr("Starting …"))
        self._process, self._pipe = self._start_process(
            self.model.currentData(), folder, self.name.text().strip(), self.minutes.value()
        )
        self._timer.start()
        self._show_state()

    def stop(self) -> None:
        """End after the step that is being made; the best model so far is kept."""
        if self._pipe is not None:
            self.stop_button.setEnabled(False)
            self._say(self.tr("Stopping after this step …"))
            try:
                self._pipe.send("stop")
            except OSError:  # it has just ended
                self.look()

    def end(self) -> None:
        """The app ends: so does the training. The same name and folder go on from its last checkpoint."""
        self._timer.stop()
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.terminate()
            self._process.join(ENDING)
            if self._process.is_alive():
                self._process.kill()
                self._process.join(ENDING)
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether a training is on."""
        return self._process is not None

    # What comes of it

    def look(self) -> None:
        """Show what the process has sent."""
        try:
            while self._pipe is not None and self._pipe.poll():
                self._show(self._pipe.recv())
        except (EOFError, OSError):
            self._show(Failed(self.tr("The training has ended unexpectedly, perhaps for lack of memory.")))

    def _show(self, message: FineTuneMessage) -> None:
        match message:
            case Reading(done, total):
                self.bar.setRange(0, max(total, 1))
                self.bar.setValue(done)
                self.says.setText(self.tr("Reading: {0} of {1} files").format(done, total))
            case Training(progress, seconds_left, loss, held_out):
                self.bar.setRange(0, 1000)
                self.bar.setValue(round(1000 * progress))
                self.curve.add(progress, loss, held_out)
                if self.stop_button.isEnabled():
                    minutes, seconds = divmod(int(seconds_left), 60)
                    words = (
                        self.tr("loss {0:.3f}").format(loss)
                        if math.isfinite(loss)
                        else self.tr("making the first step")
                    )
                    self.says.setText(self.tr("{0}:{1:02} left at most · {2}").format(minutes, seconds, words))
            case Finished(name, before, after):
                self._finish(self._outcome(name, before, after))
                if name:
                    self.made.emit(name)
            case Failed(sentence):
                self._finish(sentence)

    def _finish(self, sentence: str) -> None:
        self.end()
        self._say(sentence)
        self._show_state()

    def _say(self, sentence: str) -> None:
        """Say a sentence, for screen readers too."""
        self.says.setText(sentence)
        announce(self, sentence)

    def _show_state(self) -> None:
        running = self.is_running
        for widget in (self.folder, self.choose, self.model, self.name, self.minutes):
            widget.setEnabled(not running)
        self.start_button.setEnabled(not running and bool(self.folder.text().strip() and self.name.text().strip()))
        self.stop_button.setEnabled(running)
        self.bar.setVisible(running)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Out of sight; a training goes on, and the menu brings it back."""
        self.hide()
        event.ignore()

    def _outcome(self, name: str, before: float | None, after: float | None) -> str:
        """What to tell of a training that has ended."""
        if not name:
            return self.tr("Stopped before anything was trained; there is no new model.")
        words = self.tr("The new model is called {0}, and is in the list of models.").format(name)
        if before is None or after is None:
            rest = self.tr("There were too few songs to hold any back, so nobody knows yet how much better it is.")
        elif after >= before:
            rest = self.tr("On the songs held back it is no better than before: it may need more music or more time.")
        else:
            rest = self.tr("On the songs held back its loss fell from {0:.3f} to {1:.3f}.").format(before, after)
        return f"{words} {rest}"
