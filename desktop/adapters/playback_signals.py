"""PlaybackSignals: the callbacks of `Playback` as Qt signals, which reach the window on its own thread."""

from PySide6.QtCore import QObject, Signal

from core.logs import sentence_for
from core.performance.events import PlaybackEvents
from core.performance.playback import Playback


class PlaybackSignals(QObject):
    """Makes a `playback`; its callbacks emit the signals here."""

    opened = Signal(str)  # where the sound goes now
    message = Signal(str)  # a sentence: the output or the player was lost, or is back
    ports_changed = Signal(object)  # tuple[PortInfo, ...]

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.playback = Playback(
            PlaybackEvents(
                opened=self.opened.emit,
                message=self.message.emit,
                ports_changed=self.ports_changed.emit,
                failed=lambda error, doing: self.message.emit(sentence_for(error, doing)),
            )
        )
