"""OutputMenu: where the sound goes."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from core.live.outputs import OutputChoice, PortInfo


class OutputMenu(QMenu):
    """The outputs that can be chosen, and what goes out to them."""

    chosen = Signal(object)  # OutputChoice
    channel_chosen = Signal(object)  # 0 to 15, None: each its own (as Settings.channel)
    programs_chosen = Signal(bool)
    sound_check_requested = Signal()
    panic_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Output", parent)

    def show_outputs(self, ports: Sequence[PortInfo], choice: OutputChoice, virtual_possible: bool) -> None:
        """Show what is there, and which is chosen."""

    def show_channel(self, channel: int | None) -> None:
        """Show the output channel (0 to 15; None: each its own)."""

    def show_programs(self, programs: bool) -> None:
        """Show whether external ports get program changes."""
