"""TakeInProgress: the notes of a take while it is sampled, from its events' messages."""

from collections.abc import Sequence

from core.codec.events import NoteMessage
from core.midi.score import TakeNote, TrackKey
from core.session.session import TakeRecord, new_id


class TakeInProgress:
    """A take on its way. `marker` is where it begins in the score, `at` where in the take sampling began.

    Times of `notes` and `sounding` are seconds from the marker.
    """

    def __init__(self, marker: float, at: float = 0.0, kept: Sequence[TakeNote] = ()) -> None:
        self.id = new_id()
        self.marker = marker
        self.at = at
        self.notes: list[TakeNote] = list(kept)
        self.head = at
        # (pitch, track) -> (start, velocity)
        self._sounding: dict[tuple[int, TrackKey | None], tuple[float, int]] = {}
        self._shown = 0

    def add(self, messages: Sequence[NoteMessage], head: float) -> None:
        """What one event has made."""
        for message in messages:
            time = self.at + message.time
            key = message.pitch, message.track
            if (begun := self._sounding.pop(key, None)) and time > begun[0]:
                self.notes.append(TakeNote(message.pitch, begun[1], begun[0], time, message.track))
            if message.velocity:
                self._sounding[key] = time, message.velocity
        self.head = max(self.head, self.at + head)

    def fresh(self) -> list[TakeNote]:
        """The notes that ended since the last call."""
        fresh = self.notes[self._shown :]
        self._shown = len(self.notes)
        return fresh

    @property
    def sounding(self) -> list[TakeNote]:
        """The notes that have begun and not ended, up to the head."""
        return [
            TakeNote(pitch, velocity, start, max(self.head, start + 0.01), track)
            for (pitch, track), (start, velocity) in self._sounding.items()
        ]

    def record(self) -> TakeRecord:
        """The take as far as it has come."""
        notes = [*self.notes, *self.sounding]
        seconds = max([self.head, *(note.end for note in notes)])
        return TakeRecord(notes=tuple(notes), seconds=seconds, marker=self.marker, id=self.id)
