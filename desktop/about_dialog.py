"""AboutDialog: version, licences of what is bundled, where the log file lies."""

from pathlib import Path

from PySide6.QtWidgets import QDialog, QWidget


class AboutDialog(QDialog):
    """What this is and what it is made of."""

    def __init__(self, log_file: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
