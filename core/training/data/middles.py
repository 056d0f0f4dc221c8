"""Windows of a model that knows symbols: the half from left to right, the others with a middle to be filled in.

    attributes  prefix  SUFFIX  what is kept in the middle, and follows  MIDDLE, how long it is  new notes  END

A middle is all the notes that begin in a span, or those of one of its tracks, of one hand, or of a range of pitches.
What sounds from before is let go after SUFFIX, where time counts from the span's start again, and after MIDDLE it does
so once more. Velocities are said anew each time. Neither part has a time shift that leads over the span's end: both
tell the model exactly how long it is. New notes that ring on over it are let go behind it, and END comes when none
sounds any more. Attributes are those of the new notes; in a window from left to right, of all that it holds.
"""

from typing import NamedTuple

import numpy as np

from core.codec.events import Conventions
from core.codec.vocabulary import BOUNDARY, END, STEPS_PER_SECOND, SUFFIX, middle
from core.training.data.attributes import attributes, shown
from core.training.data.corpus import Piece
from core.training.data.crops import CropChange, draw_change, from_first, random_crop, restated
from core.training.data.notes import TICKS, Events, Mask, Notes, on_grid, serialise, shifted, to_steps
from core.training.data.sources import KNOWN
from core.training.recipes import Augmentation

WHOLE, PARTIAL = 1 / 3, 1 / 6  # shares of the windows in which a whole span, or a part of one, is a middle
_SHORTEST, _LONGEST = 2.0, 30.0  # seconds of a span, before the tempo is changed
_NEAR = 2 * STEPS_PER_SECOND * TICKS  # a span begins at most so long before an onset, in ticks
_NOTES = 1 / 8  # of a span at most, for each id of the window
_SUFFIX = (0.15, 0.6)  # share of the room around a middle that is for what follows it
_FEWEST = 16  # ids that there must be room for around a middle, beside what is kept in it


class Span(NamedTuple):
    """A span of a piece, in ticks, with the places of its first note and of the first behind it."""

    start: int
    end: int
    first: int
    last: int


def symbol_window(
    notes: Notes,
    piece: Piece,
    conventions: Conventions,
    length: int,
    augmentation: Augmentation | None,
    rng: np.random.Generator,
) -> Events:
    """At most `length` ids of a piece, with symbols."""
    kind = rng.random()
    if kind < WHOLE + PARTIAL:
        change = draw_change(augmentation, notes, piece.quarter, rng)
        ids = middle_window(notes, piece, conventions, length, change, rng, is_whole=kind < WHOLE)
        if ids is not None:
            return ids
    ids = random_crop(notes, piece, conventions, length, augmentation, rng)
    return np.concatenate((shown(attributes(ids, is_score(piece)), rng), ids))[:length]


def is_score(piece: Piece) -> bool:
    """Whether a piece was written, not played: its source says so, or it lies on its metre's grid."""
    return piece.quarter > 0 or (piece.source in KNOWN and KNOWN[piece.source].is_score)


def middle_window(
    notes: Notes,
    piece: Piece,
    conventions: Conventions,
    length: int,
    change: CropChange,
    rng: np.random.Generator,
    *,
    is_whole: bool,
) -> Events | None:
    """At most `length` ids with a middle from anywhere in a piece; None where the one that is drawn does not fit."""
    span = _draw_span(notes["start"], length, rng)
    parts = divide(notes, piece.quarter, span, conventions, length, change, None if is_whole else rng)
    if parts is None:
        return None
    told = shown(attributes(parts.new, is_score(piece)), rng)
    ids = parts.window(conventions, length - len(told), rng.uniform(*_SUFFIX))
    return None if ids is None else np.concatenate((told, ids))


class Parts(NamedTuple):
    """The ids of what comes before a span, of what is kept in it and follows, and of the new notes.

    `inside` is how many of the suffix lead up to the span's end, `seam` is that end, in steps from its start.
    """

    prefix: Events
    suffix: Events
    new: Events
    inside: int
    seam: int

    def window(self, conventions: Conventions, length: int, share: float) -> Events | None:
        """At most `length` ids of them; what follows has this share of the room, more where little comes before.

        None where there is hardly place for anything around the span.
        """
        room = length - self.inside - len(self.new) - 3
        if room < _FEWEST:
            return None
        suffix = self.suffix[: self.inside + max(int(room * share), room - len(self.prefix))]
        prefix, too_many = self.prefix, len(self.prefix) + len(suffix) - self.inside - room
        if too_many > 0:
            prefix = restated(prefix, too_many + (conventions.velocity == "change"), conventions)
        signs = np.array([SUFFIX, middle(self.seam / STEPS_PER_SECOND), END], np.uint16)
        return np.concatenate((prefix, signs[:1], suffix, signs[1:2], self.new, signs[2:]))


def divide(
    notes: Notes,
    quarter: float,
    span: Span,
    conventions: Conventions,
    length: int,
    change: CropChange = (1.0, 0, 0),
    rng: np.random.Generator | None = None,
) -> Parts | None:
    """A piece about a span, enough of it for a window of `length` ids; None where no note begins in the span.

    `quarter` is the piece's (see core.training.data.corpus.Piece). With random numbers only a part of the span is new.
    """
    first, last = max(0, span.first - length // 3), min(len(notes), span.last + length // 3)
    some, bounds = notes[first:last], np.array([span.start, span.end], np.int64)
    if quarter:
        bounds += TICKS // 2 - int(some["start"][0])
        some = from_first(some)
    starts = to_steps(some["start"], change[0])
    begin, end = (to_steps(bounds, change[0]) - starts[0]).tolist()
    starts -= starts[0]
    chosen = (starts >= begin) & (starts < end)
    if rng is not None:
        chosen &= _part(some, chosen, rng)
    grid = on_grid(some, *change, chosen)
    if not grid.chosen.any():
        return None
    new, kept = grid.cut().where(grid.chosen), grid.where(~grid.chosen).cut()
    before = kept.start < begin
    prefix = serialise(kept.where(before), kept.where(before & (kept.end <= begin)), conventions, begin)
    kept, new, seam = kept.since(begin), new.since(begin), end - begin
    suffix = serialise(kept.where(~before), kept.where(kept.end > 0), conventions, seam)
    if not first and conventions.starts_with_boundary:
        prefix = np.append(np.uint16(BOUNDARY), prefix)
    if last == len(notes):
        suffix = np.append(suffix, np.uint16(BOUNDARY))
    inside = int(np.searchsorted(_clock(suffix), seam)) + 1
    return Parts(prefix, suffix, serialise(new, new, conventions, seam), inside, seam)


def span_of(notes: Notes, start: int, end: int) -> Span:
    """The span of a piece between two times, in ticks."""
    first, last = np.searchsorted(notes["start"], (start, end)).tolist()
    return Span(start, end, first, last)


def _draw_span(starts: np.ndarray, length: int, rng: np.random.Generator) -> Span:
    """A span that begins and ends at onsets or anywhere between two, with notes that a window has place for."""
    first = int(rng.integers(len(starts)))
    start = int(starts[first])
    if first and rng.random() < 0.5:
        start -= int(rng.integers(min(start - int(starts[first - 1]), _NEAR) + 1))
    end = start + int(np.exp(rng.uniform(np.log(_SHORTEST), np.log(_LONGEST))) * STEPS_PER_SECOND * TICKS)
    last = int(np.searchsorted(starts, end))
    most = first + max(1, int(_NOTES * length))
    if last > most or (last < len(starts) and rng.random() < 0.5 and starts[last] < end + _NEAR):
        last = min(last, most)
        end = int(starts[last])
    return Span(start, end, first, last)


def _part(notes: Notes, inside: Mask, rng: np.random.Generator) -> Mask:
    """The notes of one of the tracks that play `inside`; of one hand, all above or below a pitch; or of a range."""
    tracks = np.unique(notes["track"][inside])
    if len(tracks) > 1 and rng.random() < 0.5:
        return notes["track"] == rng.choice(tracks)
    pitch = notes["pitch"]
    if not inside.any():
        return inside
    if rng.random() < 0.5:
        split = np.quantile(pitch[inside], rng.uniform(0.3, 0.7))
        return pitch >= split if rng.random() < 0.5 else pitch < split
    low, high = np.sort(rng.random(2))
    low, high = np.quantile(pitch[inside], (low, high))
    return (pitch >= low) & (pitch <= high)


def _clock(ids: Events) -> np.ndarray:
    """(T) the step after each id."""
    return np.cumsum(shifted(ids))
