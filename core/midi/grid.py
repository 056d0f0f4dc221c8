"""Whether a score lies on its metre's grid, and from where it is continued."""

from collections.abc import Collection

import numpy as np

from core.midi.score import Note, Score
from core.midi.tempo_map import TempoMap

_SHARE_ON_GRID = 0.9
_TOLERANCE = 1 / 240  # of a quarter: 2 ticks of 480
_HAIR = 1 / 16  # of a quarter: what an overlap between two played or drawn notes may be


def is_gridded(score: Score) -> bool:
    """Whether at least 90 % of the note onsets (drums aside) lie on sixteenths or their triplets.

    A played score comes out false: the lines and the tolerance cover 7 % of its time. Files of fewer
    than 12 ticks per quarter have hardly a place off the grid, so nothing can be told: false.
    """
    tempo_map = score.tempo_map
    quarter = tempo_map.ticks_per_quarter
    if tempo_map.is_smpte or quarter < 12:
        return False
    onsets = {note.start_tick for track in score.tracks if not track.is_percussion for note in track.notes}
    if not onsets:
        return False
    ticks = np.array(sorted(onsets), np.float64)
    # Lines that do not fall on a tick were rounded to one when the file was written.
    tolerance = max(quarter * _TOLERANCE, 0.5)
    on_grid = np.zeros(len(ticks), bool)
    for parts in (4, 6):
        step = quarter / parts
        slack = tolerance if step % 1 or tolerance >= 1 else 0.0
        on_grid |= np.abs(ticks - np.rint(ticks / step) * step) <= slack
    return float(on_grid.mean()) >= _SHARE_ON_GRID


def is_hair(ticks: int, tempo_map: TempoMap) -> bool:
    """Whether so many ticks are too short to count: a 64th at most."""
    return ticks <= tempo_map.ticks_per_quarter * _HAIR


def prompt_notes(score: Score, tracks: Collection[int] | None = None) -> list[Note]:
    """The notes of the chosen tracks (indices of `score.tracks`; None for all), drums left out."""
    return [
        note
        for i, track in enumerate(score.tracks)
        if (tracks is None or i in tracks) and not track.is_percussion
        for note in track.notes
    ]


def default_marker(score: Score, tracks: Collection[int] | None = None) -> float:
    """Where a continuation starts if nobody says otherwise, in seconds.

    That is the end of the last note of the chosen tracks (drums and pedal aside), and in a gridded
    score the next bar line at or after it; a note that ends a hair past a bar line skips no bar.
    """
    end = max((note.end_tick for note in prompt_notes(score, tracks)), default=0)
    tempo_map = score.tempo_map
    if not is_gridded(score):
        return tempo_map.seconds(end)
    this_bar = tempo_map.bar_tick(tempo_map.bar_beat(end)[0])
    tick = this_bar if is_hair(end - this_bar, tempo_map) else tempo_map.next_bar_tick(end)
    return tempo_map.seconds(tick)
