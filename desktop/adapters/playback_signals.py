"""Qt's signals around what plays: whatever thread it happens on, the window hears of it on its own."""

from PySide6.QtCore import QObject, Signal

from core.logs import sentence_for
from core.performance.events import PlaybackEvents
from core.performance.playback import Playback


class PlaybackSignals(QObject):
    """Has a `playback` and tells of it."""

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
