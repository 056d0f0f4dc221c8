"""What the soak plays to, and what it measures: a synth that listens, a hand at the patchbay, figures of processes."""

import contextlib
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from core.live.jack_watch import _quiet_jack
from core.live.sounding import Sounding
from tests.conftest import Listener, children

SYNTH = "Soak synth"
OURS = "Continuo"  # the virtual port


class Synth:
    """A second MIDI program with a port of its own: what sounds there. Needs a JACK server."""

    def __init__(self) -> None:
        self._listener = Listener(own_port=SYNTH)
        self._patchbay = _quiet_jack().Client("soak-patchbay", no_start_server=True)
        self._is_shut_out = False
        self._patchbay.set_shutdown_callback(self._on_shutdown)
        self._sounding = Sounding()
        self.received = 0

    def connect(self) -> None:
        """Connect our port to it wherever it is not, as the musician does with one that came back."""
        errors = _quiet_jack().JackError, _quiet_jack().JackErrorCode
        with contextlib.suppress(*errors):  # a port has gone just now
            (synth,) = self._patchbay.get_ports(f":{SYNTH}$", is_midi=True, is_input=True)
            connected = {port.name for port in self._patchbay.get_all_connections(synth)}
            for port in self._patchbay.get_ports(f":{OURS}$", is_midi=True, is_output=True):
                if port.name not in connected:
                    self._patchbay.connect(port, synth)

    def listen(self) -> list[bytes]:
        """What came since the last call."""
        messages = self._listener.take()
        self.received += len(messages)
        for message in messages:
            self._sounding.follow(message)
        return messages

    @property
    def sounding(self) -> set[tuple[int, int]]:
        """(channel, pitch) of what sounds now."""
        self.listen()
        return self._sounding.notes

    def forget(self) -> None:
        """Let what sounds be silent."""
        self.listen()
        self._sounding.clear()

    def close(self) -> None:
        if not self._is_shut_out:  # of one that is, closing it was seen to end in a segmentation fault
            self._patchbay.close(ignore_errors=True)
        self._listener.close()

    def _on_shutdown(self, *_: object) -> None:
        self._is_shut_out = True  # by a server that has gone, or found the client too late


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process holds of the system, and its children."""

    files: int
    threads: int  # also those that are not Python's
    children: int
    memory: float  # MB resident
    children_memory: float  # MB resident, of all of them


def players() -> list[BaseProcess]:
    """The players that live."""
    return [process for process in multiprocessing.active_children() if process.name == "continuo-player"]


def figures(others: set[int]) -> Figures:
    """Of this process now, and of its children but for the `others`."""
    pids = children() - others
    return Figures(
        files=len(list(Path("/proc/self/fd").iterdir())),
        threads=len(list(Path("/proc/self/task").iterdir())),
        children=len(pids),
        memory=_resident(os.getpid()),
        children_memory=sum(map(_resident, pids)),
    )


def _resident(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it has just ended
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
