"""SoundCheckDialog: plays an arpeggio and finds out whether it came through."""

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QWidget

from core.live.outputs import OutputChoice, PortInfo

Timed = tuple[float, bytes]


class SoundCheckDialog(QDialog):
    """Plays an arpeggio through `play(messages)` (seconds from now, MIDI bytes) and says whether it arrived.

    `is_connected()` is asked a few times a second: True, False, or None where the system cannot tell.
    """

    output_chosen = Signal(object)  # OutputChoice: a loopback port that was found, chosen by the user

    def __init__(
        self,
        choice: OutputChoice,
        play: Callable[[Sequence[Timed]], None],
        is_connected: Callable[[], bool | None],
        ports: Sequence[PortInfo] = (),
        *,
        platform: str = sys.platform,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)

    def show_output(self, choice: OutputChoice, ports: Sequence[PortInfo]) -> None:
        """Show that another output was chosen, or that ports came or went."""
