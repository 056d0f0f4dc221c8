"""The ports of a MIDI file: sixteen channels each, told by meta events in its chunks."""

from collections.abc import Sequence

from core.midi.events import TrackScan, meta_data, meta_event, scan_track
from core.midi.messages import DEVICE_NAME, META, PORT
from core.midi.score import PERCUSSION_CHANNEL, Place, Score


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


def event_ports(score: Score, chunk: int, scan: TrackScan) -> list[int]:
    """For each event of a chunk, of which `scan` is the scan, the port that it goes to."""
    if any(_is_meta(message, PORT) or _is_meta(message, DEVICE_NAME) for _, message in scan.events):
        ports = chunk_ports([scan_track(body) for body in score.chunks])[chunk]
        return [port or 0 for port in ports]
    return [0] * len(scan.events)


def port_names(scans: Sequence[TrackScan]) -> dict[int, bytes]:
    """For each port of the file the meta event that names it; for port 0 also where nothing does."""
    names: dict[int, bytes] = {}
    numbered = any(_is_meta(message, PORT) for scan in scans for _, message in scan.events)
    for scan, ports in zip(scans, chunk_ports(scans), strict=True):
        for (_, message), port in zip(scan.events, ports, strict=True):
            if port is not None and _is_meta(message, PORT if numbered else DEVICE_NAME):
                names.setdefault(port, message)
    names.setdefault(0, meta_event(PORT, bytes((0,))))
    return names


def wire_channels(score: Score) -> dict[Place, int]:
    """The channel on which each (port, channel) of a score is heard where there is one port, and no sysex is sent.

    Drums play on channel 10, wherever the file puts them. Channels of the first port keep their numbers, those of
    others, and an instrument on channel 10, get numbers that are free, as far as there are any; the rest share theirs.
    """
    kits = _kits(score)
    melodic = sorted({track.place for track in score.tracks}.difference(kits))
    result: dict[Place, int] = dict.fromkeys(kits, PERCUSSION_CHANNEL)
    taken = {PERCUSSION_CHANNEL}
    free = sorted(set(range(16)) - taken - {channel for _, channel in melodic})
    for place in melodic:
        channel = place[1]
        if channel in taken and free:
            channel = free.pop(0)
        result[place] = channel
        taken.add(channel)
    return result


def second_kits(score: Score) -> frozenset[Place]:
    """The drum kits that share channel 10 with another on one port: their controls would change its sound."""
    return frozenset(_kits(score)[1:])


def _kits(score: Score) -> list[Place]:
    """Where the score plays drums, the first port's channel 10 first."""
    kits = {track.place for track in score.tracks if track.is_percussion}
    return sorted(kits, key=lambda place: (place[1] != PERCUSSION_CHANNEL, place))


def one_port_words(score: Score) -> str:
    """A sentence about how a score of several ports is heard on one; empty where it has one."""
    ports = {track.port for track in score.tracks}
    if len(ports) < 2:
        return ""
    wire = wire_channels(score)
    melodic = [channel for place, channel in wire.items() if channel != PERCUSSION_CHANNEL]
    shared = len(melodic) - len(set(melodic))
    words = f"The file plays on {len(ports)} ports: on one output their channels are laid side by side"
    return words + (f", but {shared} must share one with another, as there are only 16." if shared else ".")


def _is_meta(message: bytes, kind: int) -> bool:
    return message[0] == META and message[1] == kind and len(meta_data(message)) > 0
