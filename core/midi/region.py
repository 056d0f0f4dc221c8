"""Region: a span of time in which notes are replaced, between what lies around it."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import UsageError
from core.midi.score import Note, TakeNote, TrackKey

_SHORTEST, _LONGEST = 0.1, 120.0  # seconds of a region


@dataclass(frozen=True, slots=True)
class Region:
    """The notes that begin from `start` to before `end` (score seconds), at pitches `low` to `high`.

    `tracks` are the keys of the tracks they are on, None among them for a take's own track; `tracks` None: all tracks.
    A note that begins earlier is none of them, however far it sounds into the region.
    """

    start: float
    end: float
    tracks: frozenset[TrackKey | None] | None = None
    low: int = 0
    high: int = 127

    def __post_init__(self) -> None:
        """Raises UsageError for a region that is too short, too long, or empty."""
        if self.start < 0:
            raise UsageError(f"What is regenerated must start at 0 seconds or later, not at {self.start:g}.")
        if not _SHORTEST <= self.end - self.start <= _LONGEST:
            raise UsageError(
                f"What is regenerated must last {_SHORTEST:g} to {_LONGEST:g} seconds; "
                f"from {self.start:g} to {self.end:g} seconds is {self.end - self.start:g}."
            )
        if not 0 <= self.low <= self.high <= 127:
            raise UsageError(f"The range from note {self.low} to note {self.high} is empty or not within 0 to 127.")

    def has_track(self, key: TrackKey | None) -> bool:
        """Whether notes of a track may belong to it."""
        return self.tracks is None or key in self.tracks

    def has(self, note: Note | TakeNote, offset: float = 0.0) -> bool:
        """Whether a note of one of its tracks belongs to it; the note's times count from `offset` score seconds."""
        return self.start <= note.start + offset < self.end and self.low <= note.pitch <= self.high

    def divided(self, notes: Iterable[Note]) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
        """The notes of one of its tracks that are kept, and those that belong to it."""
        kept: list[Note] = []
        inside: list[Note] = []
        for note in notes:
            (inside if self.has(note) else kept).append(note)
        return tuple(kept), tuple(inside)
