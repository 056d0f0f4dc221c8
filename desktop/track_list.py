"""TrackList: the tracks of the score, with mute, solo and "in prompt"."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from core.session.session import Session


class TrackList(QWidget):
    """One row for each track of the score."""

    mute_changed = Signal(int, bool)
    solo_changed = Signal(int, bool)
    in_prompt_changed = Signal(int, bool)

    def show_tracks(self, session: Session) -> None:
        """Show the tracks and flags of a session."""
