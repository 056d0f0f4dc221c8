"""A JACK dummy server and a listener at Continuo's virtual port, each in a process of its own."""

import multiprocessing
import os
import shutil
import subprocess
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from core.errors import ContinuoError
from core.live.jack_watch import is_jack_running
from core.midi.messages import NOTE_ON, kind

PERIOD = 256  # frames at 48 kHz: what is sent is heard up to 5.3 ms later
_PATIENCE = 60.0  # seconds for server and port to be there


def can_listen() -> bool:
    """Whether JACK is installed."""
    return shutil.which("jackd") is not None


class Listener:
    """Hears the notes that the virtual port plays. This process and its children use its server until `close`."""

    def __init__(self) -> None:
        name = f"continuo-bench-{os.getpid()}"
        os.environ.update(JACK_DEFAULT_SERVER=name, CONTINUO_MIDI="jack")
        command = ["jackd", "-n", name, "--no-realtime", "-d", "dummy", "-r", "48000", "-p", str(PERIOD)]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _PATIENCE
        while not is_jack_running():
            if time.monotonic() > deadline:
                self.close()
                raise ContinuoError("The JACK server did not start.")
            time.sleep(0.02)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_listen, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._heard: list[float] = []

    def is_connected(self) -> bool:
        """Whether it hears the virtual port by now. Raises ContinuoError if it never will."""
        try:
            return self._pipe.poll() and self._pipe.recv() is None
        except EOFError:
            raise ContinuoError("The virtual port was not there to be listened to.") from None

    def first_note_since(self, begun: float) -> float | None:
        """When (time.perf_counter) the first note after `begun` was heard, if one was."""
        while self._pipe.poll():
            self._heard.append(self._pipe.recv())
        return next((at for at in self._heard if at > begun), None)

    def close(self) -> None:
        """End listener and server."""
        if hasattr(self, "_process"):
            self._pipe.close()
            self._process.join(_PATIENCE)
        self._server.terminate()
        self._server.wait(_PATIENCE)


def _listen(pipe: Connection) -> None:
    """The process: sends None once connected, then the time of every note, until the pipe closes."""
    import jack

    client: Any = jack.Client("continuo-listener", no_start_server=True)
    port = client.midi_inports.register("in")
    heard: deque[float] = deque()

    def on_cycle(frames: int) -> None:
        now = time.perf_counter()
        heard.extend(now for _, data in port.incoming_midi_events() if kind(bytes(data)) == NOTE_ON)

    client.set_process_callback(on_cycle)
    with client, suppress(EOFError, OSError):
        deadline = time.monotonic() + _PATIENCE
        while not (theirs := client.get_ports("Continuo", is_midi=True, is_output=True)):
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        client.connect(theirs[0], port)
        pipe.send(None)
        while not pipe.poll(0.005):
            while heard:
                pipe.send(heard.popleft())
