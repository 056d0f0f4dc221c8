"""The ports of a MIDI file: sixteen channels each, told by meta events in its chunks."""

from collections.abc import Iterable, Sequence

from core.midi.events import TrackScan, meta_data
from core.midi.messages import DEVICE_NAME, META, PORT
from core.midi.score import PERCUSSION_CHANNEL, Place


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


def laid_side_by_side(places: Iterable[Place], drums: Iterable[Place]) -> dict[Place, int]:
    """For each (port, channel) the channel it has on the one port there is.

    Drums go to channel 10. Channels of the first port keep their numbers, those of others get numbers that are free,
    as far as there are any; the rest share the number that they had.
    """
    kits = set(drums)
    result: dict[Place, int] = dict.fromkeys(sorted(kits), PERCUSSION_CHANNEL)
    melodic = sorted(set(places) - kits)
    free = [
        channel for channel in range(16) if channel != PERCUSSION_CHANNEL and channel not in {c for _, c in melodic}
    ]
    taken: set[int] = {PERCUSSION_CHANNEL}
    for place in melodic:
        channel = place[1]
        if channel in taken and free:
            channel = free.pop(0)
        result[place] = channel
        taken.add(channel)
    return result
