"""Where music can be played to: what can be chosen, opening it, listing MIDI ports, panic."""

import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import ContinuoError, WriteError
from core.files import write_atomically
from core.live.port_info import PortInfo
from core.live.sounding import Sounding

TICKS_PER_SECOND = 960  # of a recording: 480 a quarter note at 120 beats a minute


class MidiOutput(Protocol):
    """An open output. Used by one thread at a time."""

    description: str  # for the user, such as "virtual port Continuo (JACK)"

    def send(self, message: bytes) -> None:
        """Send one MIDI message now; raises ContinuoError when the output is gone."""
        ...

    def deliver(self) -> bool:
        """Wait until what was sent has left this process, seconds at most; False where nothing waits."""
        ...

    def has_lost_cycles(self) -> bool:
        """Whether what was sent lately, or is sent now, may never arrive although nothing failed."""
        ...

    def close(self) -> None:
        """Close it. May take a moment so that what was sent arrives; raises WriteError (file)."""
        ...

    def is_connected(self) -> bool | None:
        """Whether anything listens; None where the system cannot tell."""
        ...

    def problem(self) -> str:
        """A sentence when the output is gone (unplugged, server ended), else empty."""
        ...


@dataclass(frozen=True, slots=True)
class VirtualPort:
    """A port of our own that other programs connect to; not possible on Windows."""

    name: str = "Continuo"


@dataclass(frozen=True, slots=True)
class ExistingPort:
    """A port that is there already, by a part of its name (case does not matter)."""

    part_of_name: str


@dataclass(frozen=True, slots=True)
class BuiltInSynth:
    """The bundled soundfont through the computer's audio device."""


@dataclass(frozen=True, slots=True)
class MidiFileOutput:
    """A recording of what is played, as a MIDI file written when the output is closed."""

    path: Path


@dataclass(frozen=True, slots=True)
class NoOutput:
    """Silence: the clock runs, nothing is heard."""


OutputChoice = VirtualPort | ExistingPort | BuiltInSynth | MidiFileOutput | NoOutput


def list_ports() -> list[PortInfo]:
    """The MIDI ports that are there now; raises NotFound when the computer has no MIDI system."""
    from core.live import rtmidi_output

    return rtmidi_output.list_ports()


def open_output(choice: OutputChoice) -> MidiOutput:
    """Open what was chosen. Raises NotFound (no such port or device) with one sentence, WriteError (file)."""
    # Imported here: rtmidi and the synth cost start-up time and memory that not every output needs.
    if isinstance(choice, NoOutput):
        return Nothing()
    if isinstance(choice, MidiFileOutput):
        return Recording(choice.path)
    if isinstance(choice, BuiltInSynth):
        from core.live import synth

        return synth.open_synth()
    from core.live import rtmidi_output

    if isinstance(choice, VirtualPort):
        return rtmidi_output.open_virtual(choice.name)
    return rtmidi_output.open_existing(choice.part_of_name)


def panic(output: MidiOutput, sounding: Sounding) -> None:
    """End all that sounds on an output, as far as it still takes messages; never raises ContinuoError."""
    for message in sounding.silence():
        try:
            output.send(message)
        except ContinuoError:
            break  # the output is gone, and with it whatever sounded
    sounding.clear()


class Nothing:
    """The output of `NoOutput`; see `MidiOutput`."""

    description = "no output"

    def send(self, message: bytes) -> None:
        """Let it be forgotten."""

    def deliver(self) -> bool:
        """Nothing waits."""
        return False

    def has_lost_cycles(self) -> bool:
        """Nothing is lost."""
        return False

    def close(self) -> None:
        """Nothing to close."""

    def is_connected(self) -> bool | None:
        """There is nothing to wait for."""
        return True

    def problem(self) -> str:
        """There is never one."""
        return ""


class Recording(Nothing):
    """A MIDI file in the making: each message at the wall time (`clock`, seconds) it came, the first at 0."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        # Said now rather than after an hour of playing.
        if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
            raise WriteError(f"{path} cannot be written.")
        self.description = f"file {path}"
        self._path = path
        self._clock = clock
        self._sent: list[tuple[float, bytes]] = []

    def send(self, message: bytes) -> None:
        """Keep it with the time."""
        self._sent.append((self._clock(), message))

    def close(self) -> None:
        """Write the file; raises WriteError."""
        import mido

        track = mido.MidiTrack()
        tick = 0
        for wall, message in self._sent:
            due = round((wall - self._sent[0][0]) * TICKS_PER_SECOND)
            track.append(mido.Message.from_bytes(message, time=due - tick))
            tick = due
        track.append(mido.MetaMessage("end_of_track"))
        file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_SECOND // 2, tracks=[track])
        data = io.BytesIO()
        file.save(file=data)
        write_atomically(self._path, data.getvalue())
