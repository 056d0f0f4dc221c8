"""Songs for the tests: tracks made of (beat, length, pitch, velocity) rows, in beats of a tempo map."""

from collections.abc import Iterable

from core.midi.score import PERCUSSION_CHANNEL, Note, Track
from core.midi.tempo_map import TempoMap

Row = tuple[float, float, int, int]


def track(rows: Iterable[Row], tempo_map: TempoMap, name: str = "", channel: int = 0, chunk: int = 0) -> Track:
    notes = []
    for beat, length, pitch, velocity in sorted(rows):
        start = round(beat * tempo_map.ticks_per_quarter)
        end = round((beat + length) * tempo_map.ticks_per_quarter)
        notes.append(Note(pitch, velocity, tempo_map.seconds(start), tempo_map.seconds(end), start, end))
    return Track(name, channel, 0, tuple(notes), (), (), chunk)


def drums(rows: Iterable[Row], tempo_map: TempoMap, chunk: int = 0) -> Track:
    return track(rows, tempo_map, "Drums", PERCUSSION_CHANNEL, chunk)


CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))


def band(tempo_map: TempoMap, bars: int) -> list[Track]:
    """Bass, pad, lead, its double in unison, strings an octave above the lead, an arpeggio and drums, in 4/4."""
    bass: list[Row] = []
    pad: list[Row] = []
    lead: list[Row] = []
    arpeggio: list[Row] = []
    kit: list[Row] = []
    for bar in range(bars):
        beat, chord = 4.0 * bar, CHORDS[bar % 4]
        bass += [(beat + k, 0.9, 36 + chord[0] + (7 if k == 2 else 0), 100) for k in range(4)]
        pad += [(beat, 4.0, 55 + (p - 7) % 12, 60) for p in chord]
        lead += [(beat + k * 0.5, 0.45, 72 + chord[(bar + k) % 3] + k % 2, 90) for k in (0, 1, 3, 4, 6)]
        arpeggio += [(beat + k * 0.25, 0.2, 60 + chord[k % 3], 45) for k in range(16) if k % 4]
        kit += [(beat + k, 0.1, 36 if k % 2 == 0 else 38, 110) for k in range(4)]
        kit += [(beat + k / 2, 0.1, 42, 70) for k in range(8)]
    strings = [(beat, length, pitch + 12, 70) for beat, length, pitch, _ in lead]
    parts = [("Bass", bass), ("Pad", pad), ("Lead", lead), ("Double", list(lead)), ("Strings", strings)]
    parts.append(("Arpeggio", arpeggio))
    tracks = [track(rows, tempo_map, name, i, i) for i, (name, rows) in enumerate(parts)]
    return [*tracks, drums(kit, tempo_map, len(tracks))]
