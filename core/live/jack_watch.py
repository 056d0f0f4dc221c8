"""Who is connected to one of our JACK ports, and whether the JACK server still runs.

rtmidi tells neither, and its `send_message` never returns once the server has gone and its buffer is
full. So a small JACK client of our own listens to the server's notifications.
"""

from typing import Any


def _quiet_jack() -> Any:
    """The `jack` module with its messages on stderr turned off; raises OSError without libjack."""
    import jack

    jack.set_error_function(lambda message: None)
    jack.set_info_function(lambda message: None)
    return jack


def is_jack_running() -> bool:
    """Whether a JACK server answers. None is started."""
    try:
        jack = _quiet_jack()
    except (ImportError, OSError):
        return False
    try:
        jack.Client("continuo-probe", no_start_server=True).close()
    except jack.JackError:
        return False
    return True


class JackWatch:
    """Listens to a JACK server from before our port is opened until `close`."""

    def __init__(self) -> None:
        """Connect to the server; raises OSError when it is not there."""
        jack = _quiet_jack()
        try:
            self._client = jack.Client("continuo-watch", no_start_server=True)
        except jack.JackError as error:
            raise OSError("no JACK server") from error
        self.server_gone = False
        self._port = ""
        # Pairs (from, to) of the whole graph; callbacks run on a JACK thread and only touch these sets.
        self._connections: set[tuple[str, str]] = set()
        self._ended: set[tuple[str, str]] = set()
        self._before = self._midi_ports()
        self._client.set_shutdown_callback(self._on_shutdown)
        self._client.set_port_connect_callback(self._on_connect)
        self._client.activate()

    def find_port(self, name: str) -> None:
        """Learn our port's full name (JACK may have added a number): one that ends in `name` and is new."""
        new = self._midi_ports() - self._before
        self._port = next((port for port in sorted(new) if port.endswith(":" + name)), "")

    def is_connected(self) -> bool:
        """Whether our port is connected to anything."""
        return any(self._port in pair for pair in tuple(self._connections))

    def was_cut_off(self) -> bool:
        """Whether our port was connected once and is not any more."""
        return any(self._port in pair for pair in tuple(self._ended)) and not self.is_connected()

    def close(self) -> None:
        """Leave the server."""
        self._client.deactivate(ignore_errors=True)
        self._client.close(ignore_errors=True)

    def _midi_ports(self) -> set[str]:
        return {port.name for port in self._client.get_ports(is_midi=True)}

    def _on_shutdown(self, status: Any, reason: str) -> None:
        self.server_gone = True

    def _on_connect(self, source: Any, target: Any, connected: bool) -> None:
        pair = (source.name, target.name)
        if connected:
            self._connections.add(pair)
        else:
            self._connections.discard(pair)
            self._ended.add(pair)
