"""The ports of a MIDI file: sixteen channels each, told by meta events in its chunks."""

from collections.abc import Sequence

from core.midi.events import TrackScan, meta_data
from core.midi.messages import DEVICE_NAME, META, PORT


def chunk_ports(scans: Sequence[TrackScan]) -> list[list[int | None]]:
    """For each event of each chunk the port that holds there; None before the chunk has named one.

    Meta event 21h gives a number. A file that has none of those may name its devices (09h) instead: the first that is
    named is port 0, and so on.
    """
    numbered = any(_is_meta(message, PORT) for scan in scans for _, message in scan.events)
    kind = PORT if numbered else DEVICE_NAME
    devices: dict[bytes, int] = {}
    result: list[list[int | None]] = []
    for scan in scans:
        port: int | None = None
        ports: list[int | None] = []
        for _, message in scan.events:
            if _is_meta(message, kind):
                data = meta_data(message)
                port = data[0] if numbered else devices.setdefault(data, len(devices))
            ports.append(port)
        result.append(ports)
    return result


def _is_meta(message: bytes, kind: int) -> bool:
    return message[0] == META and message[1] == kind and len(meta_data(message)) > 0
