"""Dialogs: every question that the window asks, one method each, so that a test can answer in the user's place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QPushButton, QWidget

from core.session.export import SoundFormat
from desktop.dialogs.export import ExportDialog

Leaving = Literal["save", "discard", "cancel"]
Recovering = Literal["recover", "discard", "later"]

MIDI_FILES = "MIDI files (*.mid *.midi *.smf *.kar *.rmi)"
SESSIONS = "Continuo sessions (*.continuo)"


class Dialogs:
    """Modal questions over a window."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._tr = window.tr

    def tell(self, sentence: str) -> None:
        """Something went wrong."""
        question_box(self._window, QMessageBox.Icon.Warning, sentence).exec()

    def file_to_open(self, folder: str) -> str:
        """A file, or empty."""
        all_of_them = self._tr("Music and sessions (*.mid *.midi *.smf *.kar *.rmi *.continuo)")
        kinds = ";;".join((all_of_them, self._tr(MIDI_FILES), self._tr(SESSIONS), self._tr("All files (*)")))
        return QFileDialog.getOpenFileName(self._window, self._tr("Open"), folder, kinds)[0]

    def file_to_save(self, title: str, suggestion: str, kinds: str, suffixes: Sequence[str]) -> str:
        """Where to save; empty: not at all. What has none of the suffixes gets the first."""
        dialog = QFileDialog(self._window, title, str(Path(suggestion).parent), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffixes[0].removeprefix("."))
        dialog.selectFile(Path(suggestion).name)
        if not dialog.exec():
            return ""
        path = dialog.selectedFiles()[0]
        if path.lower().endswith(tuple(suffixes)):
            return path
        path += suffixes[0]  # "Song No.2": Qt takes that for a suffix, and has not asked about this name
        return path if not Path(path).exists() or self.replace(Path(path).name) else ""

    def sound_format(self, words: str, first: SoundFormat) -> SoundFormat | None:
        """How to write sound, as `first` at first; None: not at all. `words` say what is written."""
        dialog = ExportDialog(self._window, words, first)
        return dialog.form if dialog.exec() else None

    def replace(self, name: str) -> bool:
        """Something has the name already."""
        return self._ask(self._tr("{0} is there already. Replace it?").format(name), self._tr("Replace"))

    def save_over(self, name: str) -> bool:
        """The session's file was changed by another program, and would be lost."""
        question = self._tr("{0} was changed by another program. Save over it?").format(name)
        return self._ask(question, self._tr("Save over it"))

    def empty_bin(self, count: int) -> bool:
        """The takes in the bin are to go for good."""
        question = self._tr("The take in the bin will not be kept any longer.")
        if count != 1:
            question = self._tr("The {0} takes in the bin will not be kept any longer.")
        return self._ask(question.format(count), self._tr("Empty the bin"))

    def number(self, title: str, words: str, value: int, least: int, most: int) -> int | None:
        """A number from `least` to `most`; None: it was called off."""
        number, is_given = QInputDialog.getInt(self._window, title, words, value, least, most)
        return number if is_given else None

    def delete_preset(self, name: str) -> bool:
        """A preset is to go for good."""
        return self._ask(self._tr('Delete the preset "{0}"?').format(name), self._tr("Delete"))

    def name(self, title: str, words: str, suggestion: str) -> str:
        """A name; empty if it was called off."""
        name, is_given = QInputDialog.getText(self._window, title, words, text=suggestion)
        return name if is_given else ""

    def give_up_export(self) -> bool:
        """The window is to close while sound is being exported."""
        question = self._tr("The sound is still being exported. Close now, and it will not be written.")
        return self._ask(question, self._tr("Close"), self._tr("Keep exporting"))

    def _ask(self, question: str, yes: str, no: str = "") -> bool:
        box = question_box(self._window, QMessageBox.Icon.Question, question)
        wanted = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        if no:
            box.addButton(no, QMessageBox.ButtonRole.RejectRole)
        else:
            box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is wanted

    def about_to_leave(self, name: str) -> Leaving:
        """The session has changes."""
        buttons = QMessageBox.StandardButton
        answers: dict[object, Leaving] = {buttons.Save: "save", buttons.Discard: "discard"}
        return answers.get(buttons(leaving_box(self._window, name).exec()), "cancel")

    def recover(self, name: str, when: str, others: int) -> Recovering:
        """A crash has left a session behind: the name of its file, or "", and when it was last kept."""
        box, recover, discard = recovery_box(self._window, name, when, others)
        box.exec()
        answers: dict[object, Recovering] = {recover: "recover", discard: "discard"}
        return answers.get(box.clickedButton(), "later")

    def read_again(self, name: str) -> bool:
        """The file was changed by another program."""
        question = self._tr("{0} was changed by another program. Read it again?").format(name)
        return self._ask(question, self._tr("Read again"), self._tr("Keep what is shown"))


def question_box(window: QWidget, icon: QMessageBox.Icon, words: str) -> QMessageBox:
    """Words with an icon beside them; names in them are shown as they are, with whatever signs."""
    box = QMessageBox(icon, "Continuo", words, parent=window)
    box.setTextFormat(Qt.TextFormat.PlainText)
    return box


def leaving_box(window: QWidget, name: str) -> QMessageBox:
    """Asks whether to save what has changed."""
    buttons = QMessageBox.StandardButton
    words = window.tr("Save the takes and changes of {0} as a session?").format(name)
    box = question_box(window, QMessageBox.Icon.Warning, words)
    box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
    box.setDefaultButton(buttons.Save)
    return box


def recovery_box(window: QWidget, name: str, when: str, others: int) -> tuple[QMessageBox, QPushButton, QPushButton]:
    """Asks about a session that a crash left behind; with its buttons to open and to discard it."""
    words = window.tr("Continuo ended unexpectedly. {0} was kept as it was at {1}: open it again?")
    words = words.format(name or window.tr("A session without a file"), when)
    box = question_box(window, QMessageBox.Icon.Question, words)
    if others:
        box.setInformativeText(window.tr("{0} more will be offered at the next start.").format(others))
    recover = box.addButton(window.tr("Open it"), QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton(window.tr("Discard it"), QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(window.tr("Later"), QMessageBox.ButtonRole.RejectRole)
    report = box.addButton(window.tr("Copy report"), QMessageBox.ButtonRole.HelpRole)
    report.setToolTip(window.tr("Copy versions and the end of the log, without file names, for a message."))
    report.clicked.disconnect()  # else it would close the box
    report.clicked.connect(copy_report)
    report.clicked.connect(lambda: report.setText(window.tr("Copied")))
    box.setDefaultButton(recover)
    return box, recover, discard


def copy_report() -> None:
    """Put what can be told of a crash onto the clipboard; nothing is sent anywhere."""
    from desktop.crash_report import crash_report  # here, because the window comes first

    QGuiApplication.clipboard().setText(crash_report())
