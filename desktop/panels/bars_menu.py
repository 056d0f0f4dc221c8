"""BarsMenu: the takes that bars of the one that is shown can be put into."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from core.session.session import Session
from desktop.widgets.menu_words import add_named


class BarsMenu(QMenu):
    """Asks for the session whenever it opens."""

    chosen = Signal(str)  # the take's id

    def __init__(self, session: Callable[[], Session], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Use These Bars In"))
        self.setToolTipsVisible(True)
        self._session = session
        self.aboutToShow.connect(self.show_takes)

    def show_takes(self) -> None:
        """List the takes but the one that is shown."""
        self.clear()
        session = self._session()
        for take in session.takes if session.current else ():
            if take.id != session.current:
                action = add_named(self, take.name)
                action.triggered.connect(lambda _=False, id=take.id: self.chosen.emit(id))
                action.setToolTip(self.tr("It plays the span selected in the ruler as the take that is shown does"))
        if self.isEmpty():
            self.addAction(self.tr("No other take yet")).setEnabled(False)
