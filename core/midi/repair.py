"""The bytes of a MIDI file -> its header and clean track chunks, and a sentence for all that was skipped.

A sound file goes through untouched. From a damaged one everything that can be made sense of is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import UnreadableInput
from core.midi.events import Damage, TrackScan, encode_track, scan_track
from core.midi.tempo_map import DEFAULT_DIVISION

_MOST_TRACKS = 0xFFFF  # as many as a header can promise
_PATIENCE = 500  # damaged places in a whole file: more is noise, and not worth minutes of reading


@dataclass(frozen=True)
class CleanFile:
    """What is left of a file: header values that can be, whole chunks, and their events."""

    smf_format: int
    division: int
    chunks: tuple[bytes, ...]
    scans: tuple[TrackScan, ...]
    repairs: tuple[str, ...]


def clean_file(data: bytes, name: str) -> CleanFile:
    """Find the header and the tracks of a MIDI file and mend what is broken.

    Raises UnreadableInput, a sentence with the file's name, if there is nothing to read in it.
    """
    if not data:
        raise UnreadableInput(f'"{name}" is empty.')
    data = _unwrapped(data)
    start = data.find(b"MThd")
    first_track = data.find(b"MTrk")
    if start < 0 and first_track < 0:
        raise UnreadableInput(f'"{name}" is not a MIDI file.')
    repairs: list[str] = []
    if start < 0 or 0 <= first_track < start:
        smf_format, division, tracks, pos = 1, DEFAULT_DIVISION, None, first_track
        repairs.append(f"The file has no header: took {division} ticks for a quarter.")
    else:
        if start and data[:4] != b"RIFF":  # a RIFF wrapper is a known, sound kind of file
            repairs.append(f"Skipped {_count(start, 'byte')} before the header.")
        smf_format, division, tracks, pos = _header(data, start, repairs)
    bodies = _track_bodies(data, pos, repairs)
    chunks: list[bytes] = []
    scans: list[TrackScan] = []
    patience = _PATIENCE
    for body in bodies:
        scan = scan_track(body, patience)
        patience -= scan.damage.places
        chunks.append(encode_track(scan.events, scan.end_tick) if scan.damage else body)
        scans.append(scan)
    if not any(scan.events or not scan.damage for scan in scans):
        raise UnreadableInput(f'"{name}" is a MIDI file, but nothing in it can be read.')
    if tracks is not None and tracks != len(bodies):
        repairs.append(f"The header promises {_count(tracks, 'track')}, the file has {len(bodies)}.")
    if smf_format > 2 or (smf_format == 0 and len(bodies) > 1):
        smf_format = 1
    repairs.extend(_sentences([scan.damage for scan in scans]))
    return CleanFile(smf_format, division, tuple(chunks), tuple(scans), tuple(repairs))


def _unwrapped(data: bytes) -> bytes:
    """The MIDI file in a RIFF file (RMID), which may hold more, such as texts or sounds; other bytes as they are."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    pos = 12
    while pos + 8 <= len(data):
        size = int.from_bytes(data[pos + 4 : pos + 8], "little")
        body = data[pos + 8 : pos + 8 + size]
        if data[pos : pos + 4] == b"data":
            return body if body[:4] == b"MThd" and len(body) == size else data
        pos += 8 + size + size % 2  # chunks begin at even places
    return data


def _header(data: bytes, start: int, repairs: list[str]) -> tuple[int, int, int | None, int]:
    """Format, division, number of tracks, and where the chunks begin."""
    length = int.from_bytes(data[start + 4 : start + 8], "big")
    fields = data[start + 8 : start + 14]
    end = start + 8 + length
    if not length >= 6 or (not _is_chunk(data, end) and end != len(data)):
        found = data.find(b"MTrk", start + 4)
        end = found if found >= 0 else len(data)
        fields = fields[: max(0, end - start - 8)]
        repairs.append("The header has the wrong length.")
    if len(fields) < 6:
        repairs.append(f"The header is cut short: took {DEFAULT_DIVISION} ticks for a quarter.")
        return 1, DEFAULT_DIVISION, None, end
    smf_format, tracks, division = (int.from_bytes(fields[i : i + 2], "big") for i in (0, 2, 4))
    if division >= 0x8000 and not division & 0xFF:
        division |= 40  # the usual choice: milliseconds, at 25 frames per second
        repairs.append("The header has no ticks per frame: took 40.")
    elif division == 0:
        division = DEFAULT_DIVISION
        repairs.append(f"The header has no ticks per quarter: took {division}.")
    return smf_format, division, tracks, end


def _is_chunk(data: bytes, pos: int) -> bool:
    """Whether a chunk can start at `pos`: four printable characters and a length that fits."""
    kind = data[pos : pos + 4]
    if len(kind) < 4 or not all(0x20 <= byte < 0x7F for byte in kind):
        return False
    return kind == b"MTrk" or pos + 8 + int.from_bytes(data[pos + 4 : pos + 8], "big") <= len(data)


def _track_bodies(data: bytes, pos: int, repairs: list[str]) -> list[bytes]:
    """The bodies of the MTrk chunks from `pos` on, whatever their lengths say."""
    bodies: list[bytes] = []
    skipped = others = wrong = 0
    while 0 <= pos < len(data) and len(bodies) < _MOST_TRACKS:
        size = int.from_bytes(data[pos + 4 : pos + 8], "big")
        stop = pos + 8 + size
        if data[pos : pos + 4] == b"MTrk":
            if stop > len(data) or not (
                stop == len(data) or data[stop - 3 : stop] == b"\xff\x2f\x00" or _is_chunk(data, stop)
            ):
                # The length is wrong: the track lasts until the next one begins.
                found = data.find(b"MTrk", pos + 8)
                stop = found if found >= 0 else len(data)
                wrong += 1
            bodies.append(data[pos + 8 : stop])
            pos = stop
        elif _is_chunk(data, pos):
            others += 1
            pos = stop
        else:
            found = data.find(b"MTrk", pos)
            found = len(data) if found < 0 else found
            skipped += found - pos
            pos = found
    if wrong:
        repairs.append(
            f"{_count(wrong, 'track')} had the wrong length: read to where the next begins, or the file ends."
        )
    if others:
        repairs.append(f"Skipped {_count(others, 'chunk')} that {'is' if others == 1 else 'are'} not music.")
    if skipped and bodies:
        repairs.append(f"Skipped {_count(skipped, 'byte')} outside the tracks.")
    return bodies


def _sentences(damages: list[Damage]) -> list[str]:
    """One sentence for each kind of damage, with the tracks it was found in."""
    sentences: list[str] = []

    def tell(counts: list[int], text: str, noun: str, after: str = "") -> None:
        if total := sum(counts):
            where = _tracks(i for i, count in enumerate(counts, 1) if count)
            sentences.append(f"{text} {_count(total, noun)}{after} in {where}.")

    tell([d.skipped for d in damages], "Skipped", "damaged byte")
    tell([d.clipped for d in damages], "Lowered", "value", " over 127")
    tell([d.restated for d in damages], "Completed", "message", " without a status byte")
    for kind in sorted({kind for d in damages for kind in d.bad_metas}):
        tell([d.bad_metas.count(kind) for d in damages], "Skipped", f"impossible {kind}")
    short = [i for i, d in enumerate(damages, 1) if d.no_end]
    if short:
        what = _tracks(short).capitalize()
        sentences.append(f"{what} {'has' if len(short) == 1 else 'have'} no end, as if cut short.")
    return sentences


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else noun + 's'}"


def _tracks(numbers: Iterable[int]) -> str:
    """ "track 2", "tracks 1, 2 and 4", "31 tracks"."""
    listed = [str(n) for n in numbers]
    if len(listed) == 1:
        return f"track {listed[0]}"
    if len(listed) > 6:
        return f"{len(listed)} tracks"
    return f"tracks {', '.join(listed[:-1])} and {listed[-1]}"
