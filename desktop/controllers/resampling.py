"""Resampling: Now samples anew what is not heard yet of the take that plays, also once all of it is sampled."""

from PySide6.QtCore import QObject, Signal

from core.errors import ContinuoError
from core.session.knobs import Knobs
from core.session.session import GenerationSettings
from desktop.controllers.document import Document
from desktop.controllers.generation import SOUNDS_ON, GenerationController, feel_of
from desktop.controllers.transport import TransportController
from desktop.panels.generation_panel import GenerationPanel


class Resampling(QObject):
    """Lets Now be pressed while there is a take that it can change, and says so once a knob is turned."""

    message = Signal(str)

    def __init__(
        self,
        document: Document,
        generation: GenerationController,
        transport: TransportController,
        panel: GenerationPanel,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._generation, self._transport = document, generation, transport
        self._now = panel.feelings.now
        self._feel: tuple[Knobs, ...] = feel_of(document.session.settings)
        document.replaced.connect(self._take_over)
        panel.settings_changed.connect(self._tell)
        panel.feelings.now_wanted.connect(self._sample)
        for signal in (transport.moved, transport.changed, generation.running_changed, document.changed):
            signal.connect(lambda *_: self._show())
        self._show()

    def _place(self) -> float:
        """From where to sample anew, in score seconds: what comes before sounds until there is something else."""
        take = self._generation.take_to_come if self._generation.is_running else self._document.session.current_take
        return max(self._transport.position, take.marker if take else 0.0) + SOUNDS_ON

    @property
    def _plays_finished(self) -> bool:
        """Whether there is more to hear of a take that plays and is sampled."""
        take, transport = self._document.session.current_take, self._transport
        if take is None or self._generation.is_running or not transport.is_playing or transport.heard == "prompt":
            return False
        return take.marker <= transport.position and self._place() < take.marker + take.seconds

    def _take_over(self) -> None:
        self._feel = feel_of(self._document.session.settings)

    def _show(self) -> None:
        self._now.setEnabled(self._generation.is_running or self._plays_finished)

    def _tell(self, settings: GenerationSettings) -> None:
        if feel_of(settings) != self._feel and self._plays_finished:
            self.message.emit(self.tr("All of the take is sampled: Now samples anew what is not heard yet."))
        self._feel = feel_of(settings)

    def _sample(self) -> None:
        is_running = self._generation.is_running
        try:
            if (is_running or self._plays_finished) and self._generation.sample_again_from(self._place()):
                return
        except ContinuoError as error:
            self.message.emit(str(error))
            return
        self.message.emit(
            self.tr("Nothing more is sampled ahead: what is changed is heard at once.")
            if is_running
            else self.tr("There is nothing more to hear of the take.")
        )
