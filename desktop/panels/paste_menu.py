"""PasteMenu: the tracks and takes that notes can be pasted into."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from core.session.session import Session
from desktop.widgets.menu_words import add_named


class PasteMenu(QMenu):
    """Asks for the session whenever it opens."""

    chosen = Signal(object)  # the session's name for the part: a track's index or a take's id

    def __init__(self, session: Callable[[], Session], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Paste &Into"))
        self._session = session
        self.aboutToShow.connect(self.show_parts)

    def show_parts(self) -> None:
        """List the tracks, and the take that is shown."""
        self.clear()
        session = self._session()
        for i, track in enumerate(session.tracks):
            add_named(self, track.name).triggered.connect(lambda _=False, i=i: self.chosen.emit(i))
        if (take := session.current_take) is not None:
            self.addSeparator()
            add_named(self, take.name).triggered.connect(lambda: self.chosen.emit(take.id))
        if self.isEmpty():
            self.addAction(self.tr("No track or take yet")).setEnabled(False)
