"""Side: the settings above the takes, with the line between them where both have room."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from desktop.panels.generation_panel import GenerationPanel
from desktop.panels.takes_panel import TakesPanel

_TAKES = 240  # pixels for takes at least, once there are some


class Side(QSplitter):
    """The settings have the height of all that is open in them, as far as the takes leave it, until the user moves the
    line.
    """

    def __init__(self, panel: GenerationPanel, takes: TakesPanel, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._panel, self._takes = panel, takes
        self._is_moved = False
        self.addWidget(panel)
        self.addWidget(takes)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(self._keep)
        for changed in (takes.model.modelReset, takes.model.rowsInserted, takes.model.rowsRemoved):
            changed.connect(self._divide)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There is more room, or less."""
        super().resizeEvent(event)
        self._divide()

    def event(self, event: QEvent) -> bool:
        """Something was opened in the settings, or closed."""
        is_done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._divide()
        return is_done

    def _keep(self) -> None:
        self._is_moved = True

    def _divide(self) -> None:
        if self._is_moved:
            return
        room = self.height() - self.handleWidth()
        least = max(self._takes.minimumSizeHint().height(), _TAKES if self._takes.model.rowCount() else 0)
        settings = min(self._panel.sizeHint().height(), room - least)
        self.setSizes([settings, room - settings])
