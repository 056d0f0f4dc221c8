"""How often notes are given to their own track, measured on songs whose tracks are known.

The tracks of the true next bars behind a marker are hidden: the assigner is given one note after the other and never
told whose it was, so it goes on from its own decisions, as in a take.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import compress
from time import perf_counter

from core.midi.score import Score, Track
from core.midi.tempo_map import TempoMap
from core.tracks.note_stream import StreamNote, merged_notes
from core.tracks.track_assignment import Assignment, TrackAssigner

BARS = 16
_SHORTEST_BAR = 2  # quarters; of shorter ones, which count beats, four are taken for one
_FEWEST = 24  # notes of a prompt and of what follows; with fewer there is nothing to tell


@dataclass(frozen=True, slots=True)
class Passage:
    """A prompt with several tracks, and the notes that follow it with the tracks that play them."""

    tracks: tuple[Track, ...]
    tempo_map: TempoMap
    marker: float
    notes: tuple[StreamNote, ...]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of one passage: notes, and those given to a track that plays them; seconds taken.

    The same of all that the lowest track plays (`bass`), of the notes that are the lowest that sound at their onset
    (`lowest`), and of those that are both (`line`): the bass line.
    """

    notes: int
    right: int
    bass_notes: int
    bass_right: int
    lowest_notes: int
    lowest_right: int
    line_notes: int
    line_right: int
    fit_seconds: float
    assign_seconds: float


def passage_at(score: Score, bar: int, bars: int = BARS) -> Passage | None:
    """The passage that follows bar line `bar`; None if less than two tracks play before it, or too few notes."""
    tempo_map = score.tempo_map
    first = tempo_map.bar_tick(bar)
    length = tempo_map.bar_tick(bar + 1) - first
    if length < _SHORTEST_BAR * tempo_map.ticks_per_quarter:
        bars *= 4
    marker, end = tempo_map.seconds(first), tempo_map.seconds(tempo_map.bar_tick(bar + bars))
    tracks = tuple(t for t in score.tracks if not t.is_percussion and any(n.start < marker for n in t.notes))
    if len(tracks) < 2 or sum(n.start < marker for t in tracks for n in t.notes) < _FEWEST:
        return None
    notes = tuple(merged_notes(tracks, marker, end))
    return Passage(tracks, tempo_map, marker, notes) if len(notes) >= _FEWEST else None


def are_lowest(notes: Sequence[StreamNote]) -> list[bool]:
    """Of each note, in order of onset, then pitch: whether nothing lower sounds, or is struck, at its onset."""
    sounding: list[StreamNote] = []
    found = []
    for note in notes:
        sounding = [other for other in sounding if other.end > note.onset]
        found.append(all(other.pitch > note.pitch for other in sounding))
        sounding.append(note)
    return found


def play(assigner: TrackAssigner, notes: Iterable[StreamNote]) -> list[Assignment]:
    """What the assigner makes of each note; note-offs are told when they come."""
    ends: list[tuple[float, int]] = []
    given = []
    for note in notes:
        while ends and ends[0][0] <= note.onset:
            assigner.release(*heappop(ends))
        given.append(assigner.assign(note.onset, note.pitch, note.velocity, note.is_last))
        heappush(ends, (note.end, note.pitch))
    return given


def measure(passage: Passage, make: Callable[..., TrackAssigner] = TrackAssigner) -> Accuracy:
    """Hide the tracks of a passage and count how many are found; a doubled note counts where either is named."""
    began = perf_counter()
    assigner = make(passage.tracks, passage.marker, None, passage.tempo_map)
    fitted = perf_counter()
    given = play(assigner, passage.notes)
    ended = perf_counter()
    lowest = int(assigner.prompt.mean.argmin())
    right = [bool(set(note.tracks) & set(found.tracks[:1])) for note, found in zip(passage.notes, given, strict=True)]
    is_bass = [lowest in note.tracks for note in passage.notes]
    is_lowest = are_lowest(passage.notes)
    is_line = [bass and low for bass, low in zip(is_bass, is_lowest, strict=True)]

    def of(chosen: Sequence[bool]) -> tuple[int, int]:
        return sum(chosen), sum(compress(right, chosen))

    counts = (len(right), sum(right), *of(is_bass), *of(is_lowest), *of(is_line))
    return Accuracy(*counts, fitted - began, ended - fitted)
