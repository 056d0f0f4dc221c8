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
    """Listens to a JACK server from before our port is opened until `close`.

    Connections are looked up (20 us) instead of being told by JACK: a callback would need Python's
    lock, which rtmidi keeps while it waits for the server, which would wait for the callback.
    """

    def __init__(self) -> None:
        """Connect to the server; raises OSError when it is not there."""
        jack = _quiet_jack()
        try:
            self._client = jack.Client("continuo-watch", no_start_server=True)
        except jack.JackError as error:
            raise OSError("no JACK server") from error
        self.server_gone = False
        self._error = jack.JackError
        self._port: Any = None
        self._before = {port.name for port in self._client.get_ports(is_midi=True)}
        self._client.set_shutdown_callback(self._on_shutdown)
        self._client.activate()

    def find_port(self, name: str) -> None:
        """Find our port, whose client JACK may have numbered: one called `name` that was not there before."""
        ports = self._client.get_ports(is_midi=True)
        new = [p for p in ports if p.name not in self._before and p.name.endswith(":" + name)]
        self._port = new[0] if new else None

    def is_connected(self) -> bool:
        """Whether our port is connected to anything."""
        if self.server_gone or self._port is None:
            return False
        try:
            return bool(self._client.get_all_connections(self._port))
        except self._error:  # the server went just now
            return False

    def close(self) -> None:
        """Leave the server; once that has gone, JACK's own close sometimes never returns."""
        self._client.deactivate(ignore_errors=True)
        self._client.close(ignore_errors=True)

    def _on_shutdown(self, status: Any, reason: str) -> None:
        self.server_gone = True  # on a thread of JACK's
