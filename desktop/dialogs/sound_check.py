"""SoundCheckDialog: plays an arpeggio and finds out whether it came through."""

import sys
from collections.abc import Callable, Sequence

from PySide6.QtCore import QElapsedTimer, QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.errors import ContinuoError
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.live.port_info import PortInfo
from core.live.scheduler import Message
from core.midi.messages import DEFAULT_RELEASE, NOTE_OFF, NOTE_ON
from desktop.panels.output_menu import lasting_names
from desktop.widgets import icons
from desktop.widgets.announce import announce
from desktop.widgets.theme import Theme, mix

TEST_PITCHES = (60, 64, 67, 72, 76)
BETWEEN, LENGTH = 0.22, 0.6  # seconds from note to note, and how long each sounds
_LOOK_AGAIN = 300  # ms between two questions whether something listens
_FRAME = 40  # ms
_LOOPBACKS = ("loopmidi", "loopback", "default app", "loopbe", "midi yoke")

WINDOWS_STEPS = """
<p>Windows has no virtual ports of its own, so Continuo reaches a DAW through a loopback port: what goes in at one end
comes out at the other. Make one once, in one of two ways.</p>
<p><b>Windows 11, 24H2 or later: Windows MIDI Services</b></p>
<ol>
<li>Install its MIDI Settings app (search the web for "Windows MIDI Services").</li>
<li>In it, make a loopback; it has two ends, A and B.</li>
<li>Choose end A as Continuo's output, and end B as a MIDI input in your DAW.</li>
</ol>
<p><b>Any Windows: loopMIDI (free, by Tobias Erichsen)</b></p>
<ol>
<li>Install and open loopMIDI.</li>
<li>Press + to add a port, and leave loopMIDI running.</li>
<li>Choose "loopMIDI Port" as Continuo's output, and as a MIDI input in your DAW.</li>
</ol>
"""


def arpeggio() -> list[Message]:
    """The notes of a sound check: C major, upward, in order of time."""
    ons = [(i * BETWEEN, bytes((NOTE_ON, pitch, 88))) for i, pitch in enumerate(TEST_PITCHES)]
    offs = [(i * BETWEEN + LENGTH, bytes((NOTE_OFF, pitch, DEFAULT_RELEASE))) for i, pitch in enumerate(TEST_PITCHES)]
    return sorted(ons + offs)


class SoundCheckDialog(QDialog):
    """Plays an arpeggio through `play(messages)` (seconds from now, MIDI bytes) and says whether it arrived.

    `is_connected()` is asked a few times a second: True, False, or None where the system cannot tell, and
    then the user is asked. Both may raise ContinuoError, whose sentence is shown.
    """

    output_chosen = Signal(object)  # OutputChoice: a loopback port that was found, chosen by the user

    def __init__(
        self,
        choice: OutputChoice,
        play: Callable[[Sequence[Message]], None],
        is_connected: Callable[[], bool | None],
        ports: Sequence[PortInfo] = (),
        *,
        platform: str = sys.platform,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Sound check"))
        self._play, self._is_connected, self._platform = play, is_connected, platform
        self._connected: bool | None = None
        self._result = ""  # what is known of the last arpeggio, as a key of _say
        self._build()
        self._ending = QTimer(self)
        self._ending.setSingleShot(True)
        self._ending.setInterval(round(1000 * (BETWEEN * (len(TEST_PITCHES) - 1) + LENGTH)))
        self._ending.timeout.connect(self._arpeggio_ended)
        self._looking = QTimer(self)
        self._looking.setInterval(_LOOK_AGAIN)
        self._looking.timeout.connect(self._look)
        self._looking.start()
        self.show_output(choice, ports)
        self.play_button.setFocus()

    def show_output(self, choice: OutputChoice, ports: Sequence[PortInfo]) -> None:
        """Show that another output was chosen, or that ports came or went."""
        self._choice, self._ports = choice, ports
        self.output.setText(self.tr("Sound goes {0}.").format(self._where(choice)))
        self._offer_loopbacks()
        self._ask(False)
        self._look()
        self._say("")

    def done(self, result: int) -> None:
        """Nothing is asked of the player any more."""
        self._looking.stop()
        self._ending.stop()
        super().done(result)

    def changeEvent(self, event: QEvent) -> None:
        """Icons follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            icons.refresh(self)
            self._say(self._result)

    # Building

    def _build(self) -> None:
        self.output = _words("")
        self.play_button = QPushButton(self.tr("Play a few notes"))
        self.play_button.setDefault(True)
        self.play_button.setToolTip(self.tr("Play an arpeggio of five notes."))
        icons.set_icon(self.play_button, "play")
        self.play_button.clicked.connect(self._start)
        self.lights = Lights()
        self.mark = QLabel()
        self.message = _words("")
        self.yes, self.no = QPushButton(self.tr("Yes")), QPushButton(self.tr("No"))
        self.yes.setToolTip(self.tr("You heard the notes."))
        self.no.setToolTip(self.tr("You heard nothing: see what can be done."))
        self.yes.clicked.connect(lambda: self._answer(True))
        self.no.clicked.connect(lambda: self._answer(False))
        for button in (self.yes, self.no):
            button.setAutoDefault(False)
        self.loopbacks = QVBoxLayout()
        self.help = _words(WINDOWS_STEPS)
        self.help.setTextFormat(Qt.TextFormat.RichText)
        self.help.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        first = QHBoxLayout()
        first.addWidget(self.play_button)
        first.addWidget(self.lights, 1)
        result = QHBoxLayout()
        result.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        result.addWidget(self.message, 1)
        answers = QHBoxLayout()
        answers.addWidget(self.yes)
        answers.addWidget(self.no)
        answers.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.output)
        layout.addLayout(first)
        layout.addLayout(result)
        layout.addLayout(answers)
        layout.addLayout(self.loopbacks)
        layout.addWidget(self.help)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.setMinimumWidth(420)

    def _offer_loopbacks(self) -> None:
        """On Windows: a button for each loopback port that is there, or how to make one."""
        while item := self.loopbacks.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        found = loopback_ports(self._ports) if self._platform == "win32" else []
        chosen = self._choice.part_of_name.casefold() if isinstance(self._choice, ExistingPort) else None
        for name, part in lasting_names(self._ports):
            if name in found and (chosen is None or chosen not in name.casefold()):
                button = QPushButton(self.tr("Use {0}").format(name.replace("&", "&&")))
                button.setAutoDefault(False)
                button.setToolTip(self.tr("A loopback port: your DAW hears what is played into it."))
                button.clicked.connect(lambda _, part=part: self.output_chosen.emit(ExistingPort(part)))
                self.loopbacks.addWidget(button)
        self.help.setVisible(self._platform == "win32" and not found)

    # The check

    def _start(self) -> None:
        self._ask(False)
        self._say("")
        try:
            self._play(arpeggio())
        except ContinuoError as error:
            self._say("failed", str(error))
            return
        self.lights.start()
        self._ending.start()
        self._say("playing")

    def _arpeggio_ended(self) -> None:
        self._look()
        if isinstance(self._choice, NoOutput):
            self._say("no output")
        elif self._connected is False:
            self._say("nobody")
        elif self._connected and not isinstance(self._choice, BuiltInSynth):
            self._say("arrived")
            self._ask(True)
        else:
            self._say("asking")
            self._ask(True)

    def _look(self) -> None:
        try:
            connected = self._is_connected()
        except ContinuoError as error:
            self._connected = False
            self._say("failed", str(error))
            return
        if connected is not self._connected:
            self._connected = connected
            if self._result == "nobody" and connected:
                self._say("connected")
            elif not self._result:
                self._say("")

    def _ask(self, asking: bool) -> None:
        self.yes.setVisible(asking)
        self.no.setVisible(asking)

    def _answer(self, heard: bool) -> None:
        self._ask(False)
        self._say("heard" if heard else "silent")

    # What it says

    def _say(self, result: str, problem: str = "") -> None:
        self._result = result
        mark, words = {
            "": ("check" if self._is_heard_by_a_program else "waiting", self._before()),
            "playing": ("sound", self.tr("Playing …")),
            "failed": ("warning", problem),
            "no output": (
                "warning",
                self.tr("Nothing is heard, because no output is chosen. Choose one in the Output menu."),
            ),
            "nobody": ("warning", self._nobody()),
            "connected": ("check", self.tr("Something listens now. Play the notes again.")),
            "arrived": ("check", self.tr("The notes went to the program that is connected. Did you hear them?")),
            "asking": ("sound", self.tr("Did you hear five notes?")),
            "heard": ("check", self.tr("Then all is well.")),
            "silent": ("warning", self._advice()),
        }[result]
        self.mark.setPixmap(icons.icon(mark, self.palette()).pixmap(QSize(16, 16), self.devicePixelRatio()))
        if words != self.message.text() and self.isVisible():  # else it is read with the dialog
            announce(self, words)
        self.message.setText(words)
        self.message.setAccessibleName(words)

    @property
    def _is_heard_by_a_program(self) -> bool:
        return bool(self._connected) and not isinstance(self._choice, BuiltInSynth | NoOutput)

    def _before(self) -> str:
        if isinstance(self._choice, BuiltInSynth):
            return self.tr("Turn up your loudspeakers, then play.")
        if isinstance(self._choice, NoOutput):
            return self.tr("Choose an output in the Output menu first.")
        if self._connected is False:
            return self._nobody()
        if self._is_heard_by_a_program:
            return self.tr("A program is connected.")
        return self.tr("In your DAW, choose {0} as a MIDI input of an instrument track, then play.").format(
            self._listener()
        )

    def _where(self, choice: OutputChoice) -> str:
        """Where an output leads, in a sentence."""
        match choice:
            case BuiltInSynth():
                return self.tr("to the built-in synth")
            case VirtualPort(name):
                return self.tr('to the virtual MIDI port "{0}"').format(name)
            case ExistingPort(part):
                return self.tr('to the MIDI port "{0}"').format(part)
            case NoOutput():
                return self.tr("nowhere")
            case _:
                return self.tr("to a file")

    def _listener(self) -> str:
        """What a DAW calls the port."""
        match self._choice:
            case VirtualPort(name) | ExistingPort(name):
                return f'"{name}"'
            case _:
                return self.tr("the port")

    def _nobody(self) -> str:
        words = self.tr("Nothing listens yet. In your DAW, choose {0} as a MIDI input.")
        return words.format(self._listener())

    def _advice(self) -> str:
        if isinstance(self._choice, BuiltInSynth):
            return self.tr(
                "Look whether the computer's sound is muted or goes to another device, such as headphones "
                "that are not plugged in."
            )
        return self.tr(
            "The notes leave Continuo. In your DAW, look whether {0} is switched on as a MIDI input, whether the track "
            "is armed or monitored, and whether it has an instrument that listens to all channels."
        ).format(self._listener())


class Lights(QWidget):
    """One light for each note of the arpeggio, on while it is struck."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(self.tr("Notes played"))
        self._clock = QElapsedTimer()
        self._frames = QTimer(self)
        self._frames.setInterval(_FRAME)
        self._frames.timeout.connect(self._next_frame)

    def start(self) -> None:
        """Light up one after the other, from now on."""
        self._clock.start()
        self._frames.start()
        self.update()

    def sizeHint(self) -> QSize:
        """A row of lights."""
        return QSize(24 * len(TEST_PITCHES), 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lights."""
        theme = Theme.of(self.palette())
        off = mix(theme.window, self.palette().windowText().color(), 0.15)
        now = self._clock.elapsed() / 1000 if self._frames.isActive() else -1.0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for i in range(len(TEST_PITCHES)):
            painter.setBrush(theme.accent if i * BETWEEN <= now < i * BETWEEN + LENGTH else off)
            painter.drawRoundedRect(QRectF(8 + 22 * i, self.height() / 2 - 7, 16, 14), 3, 3)

    def hideEvent(self, event: QEvent) -> None:  # type: ignore[override]
        """A hidden one needs no frames."""
        self._frames.stop()
        super().hideEvent(event)  # type: ignore[arg-type]

    def _next_frame(self) -> None:
        if self._clock.elapsed() > 1000 * (BETWEEN * len(TEST_PITCHES) + LENGTH):
            self._frames.stop()
        self.update()


def loopback_ports(ports: Sequence[PortInfo]) -> list[str]:
    """Names of the ports that lead into another program."""
    return [port.name for port in ports if any(word in port.name.casefold() for word in _LOOPBACKS)]


def _words(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label
