"""The notes of several tracks as the one stream that a model plays, each with the tracks that it comes from."""

from collections.abc import Sequence
from typing import NamedTuple

from core.codec.events import grid_notes
from core.codec.vocabulary import STEPS_PER_SECOND, from_bin, to_step
from core.midi.grid import is_hair
from core.midi.score import Track
from core.midi.tempo_map import TempoMap


class StreamNote(NamedTuple):
    """A note of the merged stream: times in seconds of the score, and the indices of the tracks that play it.

    `is_last` says that no higher note begins at the same time: the event behind it is no note-on, nor a velocity.
    """

    onset: float
    pitch: int
    velocity: int
    end: float
    tracks: tuple[int, ...]
    is_last: bool


class MetricPosition(NamedTuple):
    """Where in the metre a note stands, all in quarters: from the start, in its bar, and the bar's length."""

    quarters: float
    in_bar: float
    bar: float


def merged_notes(tracks: Sequence[Track], start: float | None, end: float) -> list[StreamNote]:
    """The notes with an onset in [start, end) in order of onset, then pitch; percussion is left out.

    Times lie on the codec's grid and the pedal is folded in, as in the events of a prompt. A pitch that several
    tracks strike in one step is one note; a re-strike ends what sounds, and so does `end`.
    """
    struck: dict[tuple[int, int], tuple[int, int, tuple[int, ...]]] = {}
    for index, track in enumerate(tracks):
        for note in grid_notes([track], start=start, end=end):
            loudness, release, owners = struck.get((note.start, note.pitch), (0, 0, ()))
            struck[note.start, note.pitch] = max(loudness, note.bin), max(release, note.end), (*owners, index)
    following: dict[int, int] = {}  # the next onset of a pitch
    last = to_step(end)
    notes = []
    later = None
    for (step, pitch), (loudness, release, owners) in sorted(struck.items(), reverse=True):
        release = min(release, following.get(pitch, last))
        following[pitch] = step
        onset, ends = step / STEPS_PER_SECOND, release / STEPS_PER_SECOND
        notes.append(StreamNote(onset, pitch, from_bin(loudness), ends, owners, step != later))
        later = step
    notes.reverse()
    return notes


def place(tempo_map: TempoMap, seconds: float) -> MetricPosition:
    """Where a time falls in the metre."""
    exact = tempo_map.exact_tick(seconds)
    bar = tempo_map.bar_beat(max(0, round(exact)))[0]
    line = tempo_map.bar_tick(bar)
    quarter = tempo_map.ticks_per_quarter
    return MetricPosition(
        exact / quarter, max(0.0, exact - line) / quarter, (tempo_map.bar_tick(bar + 1) - line) / quarter
    )


def is_monophonic(track: Track, tempo_map: TempoMap, end: float) -> bool:
    """Whether no two notes of the track sound at once before `end` (key releases; a hair's overlap does not count)."""
    notes = sorted((n for n in track.notes if n.start < end), key=lambda n: (n.start_tick, n.end_tick))
    last = None
    for note in notes:
        if last is not None and (
            note.start_tick == last.start_tick or not is_hair(last.end_tick - note.start_tick, tempo_map)
        ):
            return False
        last = note
    return True
