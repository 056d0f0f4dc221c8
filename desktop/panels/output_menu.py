"""OutputMenu: where the sound goes, and what goes out to it."""

import re
from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.live.port_info import PortInfo
from core.midi.score import PERCUSSION_CHANNEL

CHANNELS = 16
_NUMBER = re.compile(r"\s+\d+(:\d+)?$")  # what ALSA and WinMM add to a port's name, another one each time


class OutputMenu(QMenu):
    """The outputs that can be chosen, and what goes out to them. The frame lists ports and opens outputs."""

    chosen = Signal(object)  # OutputChoice
    channel_chosen = Signal(object)  # 0 to 15, None: each its own (as Settings.channel)
    programs_chosen = Signal(bool)
    sound_check_requested = Signal()
    panic_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("O&utput"))
        self.setToolTipsVisible(True)
        self.setAccessibleName(self.tr("Output"))
        self._outputs = QActionGroup(self)
        self._shown: tuple[object, ...] | None = None
        self._end_of_outputs = self.addSeparator()
        self.channels = self._build_channels()
        self.programs = self.addAction(self.tr("Send &program changes"))
        self.programs.setCheckable(True)
        self.programs.setToolTip(
            self.tr(
                "Let Continuo choose the sounds of other programs and instruments. Off, they keep the sound you have "
                "set."
            )
        )
        self.programs.triggered.connect(self.programs_chosen)
        self.addSeparator()
        self.sound_check = self.addAction(self.tr("&Sound check …"), self.sound_check_requested.emit)
        self.sound_check.setToolTip(self.tr("Play a few notes and see whether they come through."))
        self.panic = self.addAction(self.tr("Panic: silence &everything"), self.panic_requested.emit)
        self.panic.setToolTip(self.tr("End every note on every channel."))
        self.show_outputs([], BuiltInSynth(), True)

    def show_outputs(self, ports: Sequence[PortInfo], choice: OutputChoice, virtual_possible: bool) -> None:
        """Show what is there, and which is chosen. A chosen port that is gone is shown as missing."""
        shown = (tuple(ports), choice, virtual_possible)
        if shown == self._shown:
            return  # an open menu is not built anew under the pointer
        self._shown = shown
        for action in self._outputs.actions():
            self.removeAction(action)
            self._outputs.removeAction(action)
            action.deleteLater()
        self._add(
            self.tr("&Built-in synth"),
            BuiltInSynth(),
            choice,
            self.tr("Continuo's own sounds, through your loudspeakers."),
        )
        if virtual_possible:
            port = choice if isinstance(choice, VirtualPort) else VirtualPort()
            self._add(
                self.tr('&Virtual port "{0}"').format(plain(port.name)),
                port,
                choice,
                self.tr("A MIDI port that your DAW finds by this name."),
            )
        else:
            self._add_line(self.tr("To your DAW: see Sound check …"))
        self._add_line()
        for name, part in lasting_names(ports):
            words = self.tr("{0} (sounds late)").format(plain(name)) if "wavetable" in name.lower() else plain(name)
            is_chosen = isinstance(choice, ExistingPort) and _is_meant(choice.part_of_name, name, part)
            tip = self.tr("A MIDI port of another program or an instrument.")
            self._add(words, ExistingPort(part), ExistingPort(part) if is_chosen else choice, tip)
        if not ports:
            self._add_line(self.tr("No MIDI ports found"))
        if isinstance(choice, ExistingPort) and self._outputs.checkedAction() is None:
            missing = self._add(
                self.tr("{0} (not there)").format(plain(choice.part_of_name)),
                choice,
                choice,
                self.tr("It is unplugged or closed."),
            )
            missing.setEnabled(False)
        self._add_line()
        self._add(self.tr("&No sound"), NoOutput(), choice, self.tr("Play without being heard."))

    def show_channel(self, channel: int | None) -> None:
        """Show the output channel (0 to 15; None: each its own)."""
        for action in self.channels.actions():
            action.setChecked(not action.isSeparator() and action.data() == (-1 if channel is None else channel))

    def show_programs(self, programs: bool) -> None:
        """Show whether external ports get program changes."""
        self.programs.setChecked(programs)

    def _build_channels(self) -> QMenu:
        menu = self.addMenu(self.tr("&Channel"))
        menu.menuAction().setToolTip(self.tr("The MIDI channel that all but percussion is played on."))
        group = QActionGroup(menu)
        for channel in (None, *range(CHANNELS)):
            action = menu.addAction(self._channel_words(channel))
            action.setCheckable(True)
            action.setData(-1 if channel is None else channel)
            action.triggered.connect(lambda _, channel=channel: self.channel_chosen.emit(channel))
            group.addAction(action)
            if channel is None:
                action.setChecked(True)
                menu.addSeparator()
        return menu

    def _channel_words(self, channel: int | None) -> str:
        """What a channel is called."""
        if channel is None:
            return self.tr("As in the file")
        is_drums = channel == PERCUSSION_CHANNEL
        return self.tr("{0} (percussion)").format(channel + 1) if is_drums else str(channel + 1)

    def _add(self, words: str, output: OutputChoice, choice: OutputChoice, tip: str) -> QAction:
        action = QAction(words, self)
        action.setCheckable(True)
        action.setChecked(output == choice)
        action.setToolTip(tip)
        action.triggered.connect(lambda: self.chosen.emit(output))
        self._outputs.addAction(action)
        self.insertAction(self._end_of_outputs, action)
        return action

    def _add_line(self, words: str = "") -> None:
        """A line that says something and does nothing; without words, a line between."""
        action = QAction(words, self)
        action.setSeparator(not words)
        action.setEnabled(False)
        self._outputs.addAction(action)
        self.insertAction(self._end_of_outputs, action)


def lasting_names(ports: Sequence[PortInfo]) -> list[tuple[str, str]]:
    """Each port's name, and what of it will still name it when the system numbers the ports anew."""
    stems = [_NUMBER.sub("", port.name) for port in ports]
    counts = Counter(stems)
    return [(port.name, stem if counts[stem] == 1 else port.name) for port, stem in zip(ports, stems, strict=True)]


def plain(name: str) -> str:
    """A name as a menu shows it: an ampersand in it is no mnemonic."""
    return name.replace("&", "&&")


def _is_meant(wanted: str, name: str, part: str) -> bool:
    """Whether a chosen part of a name is that of a port, as `ExistingPort` means it."""
    wanted = wanted.strip().casefold()
    return bool(wanted) and (wanted in (name.casefold(), part.casefold()) or wanted in name.casefold())
