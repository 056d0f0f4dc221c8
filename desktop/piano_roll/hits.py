"""Which notes lie at a place of the roll: bars where they sound, drums within their diamonds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from desktop.piano_roll.coordinates import Viewport
from desktop.piano_roll.notes import NoteRef, RollPart


def note_at(
    x: float, y: float, view: Viewport, painted: Sequence[RollPart], also_behind: bool = False
) -> NoteRef | None:
    """The note painted at a view pixel, the topmost of several; `painted` as `layers.painted_parts` has them.

    Notes behind the track in front are looked through, unless they are wanted, too.
    """
    if not (0 <= x <= view.width and 0 <= y <= view.height):
        return None
    left, top = view.origin
    across, down = int(x * view.ratio) + left, int(y * view.ratio) + top
    if down >= len(view.rows) * view.row:
        return None
    pitch = view.pitch(y)
    for part in reversed(painted):
        at = _drums_at if part.is_drum[0] else _bars_at
        hit = at(part, across, down, pitch, view)
        if not also_behind:
            hit = hit[~part.is_behind[hit]]
        if len(hit):
            return NoteRef(part.key, int(part.index[hit[-1]]))
    return None


def _bars_at(part: RollPart, across: int, down: int, pitch: int, view: Viewport) -> NDArray[np.intp]:
    seconds, hair = across / view.scale, (view.shortest + 1) / view.scale
    places = part.between(seconds - hair, seconds + hair, pitch, pitch)
    boxes = view.boxes(part.start[places], part.end[places], part.pitch[places])
    return places[(boxes[:, 0] <= across) & (across <= boxes[:, 2])]


def _drums_at(part: RollPart, across: int, down: int, pitch: int, view: Viewport) -> NDArray[np.intp]:
    """Within the diamond, or a pixel beside it: its corners are sharp."""
    half = view.half_diamond
    seconds, reach = across / view.scale, (half + 1) / view.scale
    places = part.begun_between(seconds - reach, seconds + reach, pitch, pitch)
    boxes = view.diamonds(part.start[places], part.pitch[places])
    away = np.abs(boxes[:, 0] + half - across) + np.abs(boxes[:, 1] + half - down)
    return places[away <= half + 1]


def places_between(part: RollPart, start: float, end: float, low: int, high: int, view: Viewport) -> NDArray[np.intp]:
    """Places in the arrays of the notes that show in [start, end) s with low <= pitch <= high."""
    bars = part.between(start, end, low, high)
    if not part.is_drum.any():
        return bars
    reach = view.half_diamond / view.scale
    drums = part.begun_between(start - reach, end + reach, low, high)
    return np.sort(np.concatenate((bars[~part.is_drum[bars]], drums[part.is_drum[drums]])))
