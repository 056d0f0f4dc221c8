"""Crops: windows of pieces as the network reads them, from left to right, and how they are changed."""

import numpy as np

from core.codec.events import Conventions
from core.codec.vocabulary import BOUNDARY, STEPS_PER_SECOND, VELOCITY
from core.training.data.corpus import Piece
from core.training.data.notes import TICKS, Events, Notes, are_of, note_events
from core.training.recipes import Augmentation

AT_START = 0.1  # share of the crops that start where the piece does
_LEAD = 64  # notes that are encoded before a crop, so that it may begin between any two events
ON_STEPS = 0.75  # share of the crops of gridded pieces whose grid falls on whole steps
LEVELS = (32, 112)  # MIDI velocities that a piece of one level may get

CropChange = tuple[float, int, int]  # tempo, semitones, velocity: see core.training.data.notes.note_events


def first_events(notes: Notes, conventions: Conventions, length: int) -> Events:
    """The first ids of a piece; a boundary behind the last if there is room."""
    events = note_events(notes[: length + 1], conventions, boundary=True)
    if len(notes) <= length:
        events = np.append(events, np.uint16(BOUNDARY))
    return events[:length]


def random_crop(
    notes: Notes,
    piece: Piece,
    conventions: Conventions,
    length: int,
    augmentation: Augmentation | None,
    rng: np.random.Generator,
) -> Events:
    """`length` ids (fewer if the piece is shorter) from anywhere in a piece.

    A crop from mid-piece restates the velocity in force, as a prompt does that was cut to the window
    (core.generation.engine.cut_window). A boundary follows the piece's last event.
    """
    needed = int(0.75 * length * len(notes) / max(piece.events, 1))  # notes that must be left for a full crop
    last = max(0, len(notes) - needed)
    at_start = rng.random() < AT_START
    first = 0 if at_start else int(rng.integers(last + 1))
    tempo, transpose, louder = draw_change(augmentation, notes, piece.quarter, rng)
    while True:
        some = notes[first : first + 2 * _LEAD + length]  # every event but a shift or velocity takes a note
        if piece.quarter:
            some = from_first(some)  # so that a line of the grid falls on a step
        ids = note_events(some, conventions, tempo=tempo, transpose=transpose, louder=louder, boundary=first == 0)
        if first == 0 or len(ids) >= length:
            break
        first = max(0, first - _LEAD)  # the piece ends in few events: begin earlier
    if first + len(some) == len(notes):
        ids = np.append(ids, np.uint16(BOUNDARY))
    cut = 0 if first == 0 else int(rng.integers(2 * _LEAD))
    # What is cut gives its place to the velocity restated.
    room = len(ids) - length + (conventions.velocity == "change")
    return restated(ids, min(cut, max(0, room)), conventions)[:length]


def restated(ids: Events, cut: int, conventions: Conventions) -> Events:
    """Events without the first ones, the velocity in force said anew."""
    if not cut or conventions.velocity == "each":
        return ids[cut:]
    before = ids[:cut]
    velocities = before[are_of(before, VELOCITY)]
    return np.concatenate((velocities[-1:], ids[cut:]))


def from_first(notes: Notes) -> Notes:
    """The notes with times counted from the first one's start, which lies in the middle of a step."""
    moved = notes.copy()
    for name in ("start", "end"):
        moved[name] += TICKS // 2
        moved[name] -= notes["start"][0]
    return moved


def draw_change(
    augmentation: Augmentation | None, notes: Notes, quarter: float, rng: np.random.Generator
) -> CropChange:
    """Tempo, transposition (that keeps all pitches on the keyboard of MIDI) and change of velocity; without, none.

    A piece on a grid mostly gets a tempo at which sixteenths (and often their triplets) are whole
    steps: what a gridded prompt is scaled to before sampling. Music of one level gets any level.
    """
    if augmentation is None:
        return 1.0, 0, 0
    tempo = 1 + augmentation.tempo * rng.uniform(-1, 1)
    if quarter:
        tempo = augmentation.free_tempo ** rng.uniform(-1, 1)
        if rng.random() < ON_STEPS:
            parts = 12 if rng.random() < 0.5 else 4
            tempo = quarter * STEPS_PER_SECOND / max(parts * round(quarter * STEPS_PER_SECOND / tempo / parts), parts)
    transpose = int(rng.integers(-augmentation.transpose, augmentation.transpose + 1))
    transpose = max(-int(notes["pitch"].min()), min(127 - int(notes["pitch"].max()), transpose))
    louder = int(rng.integers(-augmentation.velocity, augmentation.velocity + 1))
    level = int(notes["velocity"][0])
    if (notes["velocity"] == level).all():
        louder = int(rng.integers(LEVELS[0], LEVELS[1] + 1)) - level
    return tempo, transpose, louder
