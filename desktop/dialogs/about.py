"""AboutDialog: version, model and device, licences of what is bundled with their texts, where the log file lies."""

import json
from html import escape
from importlib.metadata import version
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QUrl
from PySide6.QtGui import QFont, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.resources import bundled
from desktop.crash_report import versions
from desktop.other_programs import show
from desktop.widgets.fields import FaintLabel
from desktop.widgets.page import Page

# What an installed Continuo carries: name, licence, whose it is. THIRD_PARTY.md tells all of them.
COMPONENTS = (
    ("Qt and PySide6", "LGPL-3.0", "The Qt Company"),
    ("PyTorch", "BSD-3-Clause", "PyTorch contributors"),
    ("NumPy", "BSD-3-Clause", "NumPy developers"),
    ("safetensors", "Apache-2.0", "Hugging Face"),
    ("msgspec", "BSD-3-Clause", "Jim Crist-Harif"),
    ("chardet", "0BSD", "Dan Blanchard"),
    ("mido", "MIT", "Ole Martin Bjørndalen and others"),
    ("python-rtmidi, RtMidi", "MIT", "Christopher Arndt; Gary P. Scavone"),
    ("JACK-Client", "MIT", "Matthias Geier"),
    ("pretty_midi", "MIT", "Colin Raffel"),
    ("miniaudio", "MIT", "Irmen de Jong; David Reid"),
    ("tinysoundfont, TinySoundFont", "MIT", "Nathan Whitehead; Bernhard Schelling"),
    ("platformdirs", "MIT", "platformdirs developers"),
    ("filelock", "MIT", "Bernát Gábor and others"),
    ("Typer", "MIT", "Sebastián Ramírez"),
    ("pydantic", "MIT", "Samuel Colvin and others"),
    ("Rich", "MIT", "Will McGugan"),
    ("Sounds: FluidR3Mono GM", "MIT", "Frank Wen, Michael Cowgill"),
    (
        "Model: Continuo Base",
        "CC BY-SA 4.0",
        "trained on POP909 (Z. Wang et al., MIT), piano-midi.de (Bernd Krueger, CC BY-SA 3.0 DE), GiantMIDI-Piano "
        "(Q. Kong et al., CC BY 4.0) and the OpenScore Lieder Corpus (CC0 1.0)",
    ),
    (
        "Model: Continuo Concert",
        "CC BY-NC-SA 4.0",
        "not for commercial use: Base trained further on ASAP (F. Foscarin et al., CC BY-NC-SA 4.0)",
    ),
    (
        "Words: all-MiniLM-L6-v2",
        "Apache-2.0",
        "N. Reimers, I. Gurevych and others (Sentence Transformers), from MiniLM (Microsoft) and BERT (Google)",
    ),
    ("Example pieces", "CC0 1.0", "public domain or our own"),
)


class AboutDialog(QDialog):
    """What this is and what it is made of."""

    def __init__(self, log_file: Path | None, parent: QWidget | None = None, model: str = "") -> None:
        """`model` says which is in use, and where it runs."""
        super().__init__(parent)
        self._model = model
        self.setWindowTitle(self.tr("About Continuo"))
        self._log_file = log_file
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(self._head())
        self.licences = Page(self.tr("Licences"))
        self.licences.anchorClicked.connect(self._follow)
        self._write_licences()
        layout.addWidget(self.licences, 1)
        if log_file is not None:
            layout.addLayout(self._log_line(log_file))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = buttons.addButton(self.tr("Copy details"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setToolTip(self.tr("Copy versions and system, to put into a report of a problem."))
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.details()))
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()
        self.resize(520, 460)

    def details(self) -> str:
        """Versions and system, for a report of a problem."""
        lines = [versions(), *([self.tr("Model: {0}").format(self._model)] if self._model else [])]
        return "\n".join(lines + ([self.tr("Log file: {0}").format(self._log_file)] if self._log_file else []))

    def changeEvent(self, event: QEvent) -> None:
        """The page is written in the palette's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._write_licences()

    def _head(self) -> QHBoxLayout:
        picture = QLabel()
        icon = QIcon(str(bundled("icons", "continuo.png")))
        picture.setPixmap(icon.pixmap(QSize(64, 64), self.devicePixelRatio()))
        picture.setAccessibleName(self.tr("Continuo's icon"))
        name = QLabel(self.tr("Continuo {0}").format(version("continuo")))
        font = QFont(name.font())
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        name.setFont(font)
        words = QLabel(
            self.tr("Plays on from your MIDI, on your own computer.\nCopyright 2026 The Continuo authors. MIT licence.")
        )
        words.setWordWrap(True)
        text = QVBoxLayout()
        text.setSpacing(4)
        text.addWidget(name)
        text.addWidget(words)
        if self._model:
            text.addWidget(QLabel(self.tr("Model: {0}").format(self._model)))
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(text, 1)
        return head

    def _log_line(self, log_file: Path) -> QHBoxLayout:
        path = FaintLabel(self.tr("Log file: {0}").format(log_file))
        path.setAccessibleName(path.text())
        self.open_folder = QPushButton(self.tr("Show folder"))
        self.open_folder.setAutoDefault(False)
        self.open_folder.setToolTip(self.tr("Open the folder that the log file lies in."))
        self.open_folder.clicked.connect(lambda: show(log_file.parent))
        line = QHBoxLayout()
        line.addWidget(path, 1)
        line.addWidget(self.open_folder)
        return line

    def _write_licences(self) -> None:
        rows = "".join(
            f'<tr><td style="padding:3px 12px 3px 0"><b>{escape(name)}</b><br>{escape(whose)}</td>'
            f'<td style="padding:3px 0; white-space:nowrap">{escape(licence)}</td></tr>'
            for name, licence, whose in COMPONENTS
        )
        words = self.tr("Continuo is built on the work of others:")
        self.licences.setHtml(f"<p>{words}</p><table width='100%'>{rows}</table>{self._packages()}")

    def _follow(self, link: QUrl) -> None:
        """Show a licence's text here, or the list again."""
        if link.scheme() == "list":
            self._write_licences()
            return
        # Named by our own page, and only ever one of the bundled texts.
        text = (_texts() / Path(link.path()).name).read_text("utf-8")
        back = self.tr("Back to the list")
        self.licences.setHtml(f"<p><a href='list:'>{back}</a></p><pre>{escape(text)}</pre>")

    def _packages(self) -> str:
        """A table of all that an installed Continuo holds, made when it was built; empty in a checkout."""
        try:
            index: list[dict[str, str]] = json.loads((_texts() / "index.json").read_text("utf-8"))
        except OSError:
            return ""
        rows = "".join(
            f'<tr><td style="padding:3px 12px 3px 0">{escape(part["name"])} {escape(part["version"])}</td>'
            f'<td style="padding:3px 0"><a href="text:{escape(part["text"])}">{escape(part["licence"])}</a></td></tr>'
            for part in index
        )
        words = self.tr("Every package and library in it, with the text of its licence:")
        return f"<p>{words}</p><table width='100%'>{rows}</table>"


def _texts() -> Path:
    return bundled("licences")
