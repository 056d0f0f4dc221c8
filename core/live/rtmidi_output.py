"""MIDI ports through rtmidi: the only file that imports it, and where its oddities end.

On Linux ALSA is used if the kernel's sequencer is there, else JACK if a server runs; on macOS
CoreMIDI; on Windows WinMM, which has no virtual ports. rtmidi prints warnings on stderr when a system
is missing, so whether it is there is found out first, without rtmidi. The environment variable
CONTINUO_MIDI=jack passes over ALSA, for those who have both.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

from core.errors import ContinuoError, NotFound
from core.live.jack_watch import JackWatch, is_jack_running, jack_inputs
from core.live.port_info import PortInfo

ALSA_SEQUENCER = Path("/dev/snd/seq")
ALSA_CLIENTS = Path("/proc/asound/seq/clients")
WAVETABLE = "microsoft gs wavetable"  # lags by a quarter of a second: only if asked for by its name
CLIENT_NAME = "Continuo"

NO_SYSTEM = (
    "No MIDI system was found: load ALSA's sequencer (sudo modprobe snd-seq) or start a JACK server, "
    "or play through the built-in synth."
)
NO_ALSA = (
    "MIDI ports need the ALSA library, which this system does not have: install it (its package is called libasound2, "
    "libasound2t64 or alsa-lib)."
)
NO_VIRTUAL = (
    "Windows has no virtual MIDI ports of its own: make a loopback port with Windows MIDI Services or "
    'loopMIDI, then name it, as in --live "loopMIDI".'
)


def _rtmidi() -> Any:
    """The module: loaded when first needed, and without type stubs. Raises NotFound where ALSA's library is missing."""
    try:
        import rtmidi
    except ImportError as error:
        raise NotFound(NO_ALSA) from error
    return rtmidi


def _api() -> tuple[int, str]:
    """rtmidi's number and the user's name of the MIDI system to use; raises NotFound if there is none."""
    system = _candidate()
    if system[1] == "JACK" and not is_jack_running():
        raise NotFound(NO_SYSTEM)
    return system


def _candidate() -> tuple[int, str]:
    """What `_api` says, but for JACK without asking whether its server runs."""
    rtmidi = _rtmidi()

    if sys.platform == "darwin":
        return rtmidi.API_MACOSX_CORE, "CoreMIDI"
    if sys.platform == "win32":
        return rtmidi.API_WINDOWS_MM, "WinMM"
    compiled = rtmidi.get_compiled_api()
    is_alsa_wanted = os.environ.get("CONTINUO_MIDI", "").lower() != "jack"
    if is_alsa_wanted and rtmidi.API_LINUX_ALSA in compiled and os.access(ALSA_SEQUENCER, os.R_OK | os.W_OK):
        return rtmidi.API_LINUX_ALSA, "ALSA"
    if rtmidi.API_UNIX_JACK in compiled:
        return rtmidi.API_UNIX_JACK, "JACK"
    raise NotFound(NO_SYSTEM)


def _new_client(api: int) -> Any:
    """An rtmidi.MidiOut; whatever rtmidi raises becomes NotFound."""
    rtmidi = _rtmidi()

    try:
        return rtmidi.MidiOut(api, name=CLIENT_NAME)
    except (rtmidi.RtMidiError, OSError, RuntimeError) as error:
        raise NotFound(NO_SYSTEM) from error


def list_ports() -> list[PortInfo]:
    """The ports that could be played to, in the system's order; raises NotFound without a MIDI system."""
    api, api_name = _candidate()
    if api_name == "JACK":
        try:
            return [PortInfo(name, api_name) for name in jack_inputs()]
        except (ImportError, OSError) as error:
            raise NotFound(NO_SYSTEM) from error
    client = _new_client(api)
    try:
        return [PortInfo(name, api_name) for name in client.get_ports()]
    finally:
        client.delete()


def choose_port(names: list[str], part: str) -> int:
    """Index of the port that `part` names: an exact match, else the only one that contains it.

    Raises NotFound, listing the ports, if there is none, and naming the matches if there are several.
    """
    wanted = part.strip().casefold()
    folded = [name.casefold() for name in names]
    matches = [i for i, name in enumerate(folded) if wanted and wanted in (name, *_plain_names(name))]
    if not matches:
        matches = [i for i, name in enumerate(folded) if wanted and wanted in name]
        if "wavetable" not in wanted:
            matches = [i for i in matches if WAVETABLE not in folded[i]]
    if not matches:
        there = "there is none" if not names else "there are: " + ", ".join(names)
        raise NotFound(f'No MIDI port has "{part}" in its name; {there}.')
    if len(matches) > 1:
        found = ", ".join(names[i] for i in matches)
        raise NotFound(f'"{part}" could be any of these MIDI ports, so say more of the name: {found}.')
    return matches[0]


def _plain_names(name: str) -> tuple[str, ...]:
    """A port's name without what systems add to it: "Synth:In 20:0" -> "Synth:In", "Synth", "In"."""
    plain = re.sub(r"\s+\d+(:\d+)?$", "", name)
    return (plain, *plain.split(":"))


def alsa_is_connected(clients: str, name: str) -> bool:
    """Whether a port of the client `name` has a listener, from the text of /proc/asound/seq/clients."""
    ours = False
    for line in clients.splitlines():
        if client := re.match(r'Client\s+\d+ : "(.*)" \[', line):
            ours = client[1] == name
        elif ours and line.strip().startswith("Connecting To:"):
            return True
    return False


def open_virtual(name: str) -> "RtMidiOutput":
    """Open a port of our own called `name`; raises NotFound where that is not possible."""
    if sys.platform == "win32":
        raise NotFound(NO_VIRTUAL)
    return RtMidiOutput(name, existing=False)


def open_existing(part_of_name: str) -> "RtMidiOutput":
    """Open the port that `part_of_name` names (see `choose_port`); raises NotFound."""
    return RtMidiOutput(part_of_name, existing=True)


class RtMidiOutput:
    """An open MIDI port; see `MidiOutput` in outputs.py."""

    def __init__(self, name: str, existing: bool) -> None:
        rtmidi = _rtmidi()

        api, self._api_name = _api()
        self._target = ""  # the existing port played to, empty for a virtual one
        self._was_connected = False  # to it, as JACK tells: a connection holds from the server's next cycle on
        self._watch = self._watch_jack() if self._api_name == "JACK" else None
        self._client: Any = None
        try:
            self._client = _new_client(api)
            if existing:
                names = self._client.get_ports()
                index = choose_port(names, name)
                self._target = names[index]
                self._client.open_port(index, name=CLIENT_NAME)
            else:
                self._client.open_virtual_port(name)
        except (rtmidi.RtMidiError, OSError, RuntimeError, NotImplementedError) as error:
            self.close()
            raise NotFound(f'The MIDI port "{self._target or name}" cannot be opened: {error}.') from error
        except ContinuoError:
            self.close()
            raise
        self._error = rtmidi.RtMidiError
        if self._watch:
            self._watch.find_port(CLIENT_NAME if existing else name)
        kind = f"port {self._target}" if existing else f"virtual port {name}"
        self.description = f"{kind} ({self._api_name})"

    @staticmethod
    def _watch_jack() -> JackWatch:
        try:
            return JackWatch()
        except OSError as error:
            raise NotFound(NO_SYSTEM) from error

    def send(self, message: bytes) -> None:
        """Send now; raises ContinuoError when the port is gone."""
        if self._watch and self._watch.server_gone:
            raise ContinuoError(self.problem())
        try:
            self._client.send_message(message)
        except (self._error, OSError, RuntimeError) as error:
            raise ContinuoError(f"The {self.description} takes no more messages: {error}.") from error

    def deliver(self) -> bool:
        """Wait until what was sent has left (see `MidiOutput`).

        JACK hands messages on once in a cycle, and a port that closes within it takes them along.
        """
        if self._watch is None:
            return False
        self._watch.wait_for_delivery()
        return True

    def has_lost_cycles(self) -> bool:
        """Whether JACK may not have handed on what was sent lately (see `JackWatch`)."""
        return self._watch is not None and self._watch.has_lost_cycles()

    def close(self) -> None:
        """Close the port, once what was sent has been delivered (up to a second more if JACK is slow)."""
        if self._client is not None:
            self.deliver()
            self._client.close_port()
            self._client.delete()
            self._client = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def is_connected(self) -> bool | None:
        """Whether anything listens; CoreMIDI cannot tell, and then neither can we."""
        if self._watch:
            return self._watch.is_connected()
        if self._target:
            return not self.problem()
        if self._api_name == "ALSA":
            try:
                return alsa_is_connected(ALSA_CLIENTS.read_text(errors="replace"), CLIENT_NAME)
            except OSError:
                return None
        return None

    def problem(self) -> str:
        """A sentence when the JACK server has ended or the existing port is no longer there."""
        if self._watch:
            if self._watch.server_gone:
                return "The JACK server has ended, so nothing can be played."
            if self._target and self._watch.is_connected():
                self._was_connected = True
            elif self._target and (self._was_connected or not self._watch.has_input(self._target)):
                return f'The MIDI port "{self._target}" is gone or was disconnected.'
        elif self._target and self._target not in self._client.get_ports():
            return f'The MIDI port "{self._target}" is gone.'
        return ""
