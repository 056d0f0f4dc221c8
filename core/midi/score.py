"""What a MIDI file says, as immutable values: Note, Pedal, Control, Track, Score.

Times stand in both units: ticks are the file's own and exact, seconds come from the tempo map.
"""

from dataclasses import dataclass
from operator import attrgetter

from core.midi.messages import DEFAULT_RELEASE
from core.midi.tempo_map import TempoMap

PERCUSSION_CHANNEL = 9  # channel 10 as musicians count

Place = tuple[int, int]  # a channel: (port, channel)
# What tells a track of a file from its others, edited or not: (chunk, channel). The channels of a second port in one
# chunk count from 16, of a third from 32.
TrackKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Note:
    """One note: `start` and `end` (key release) in seconds, the same in ticks; velocity 1 to 127.

    `release` is the velocity with which the key was let go, 0 to 127.
    """

    pitch: int
    velocity: int
    start: float
    end: float
    start_tick: int
    end_tick: int
    release: int = DEFAULT_RELEASE


@dataclass(frozen=True, slots=True)
class TakeNote:
    """One note of a take: `start` and `end` in seconds from the marker; velocity 1 to 127.

    `track` is the key of the score's track that it plays on (see `Track.key`), None for a track of the take's own.
    `take` is the id of the take that it came from, where that is another than the one it is in.
    """

    pitch: int
    velocity: int
    start: float
    end: float
    track: TrackKey | None = None
    take: str = ""


@dataclass(frozen=True, slots=True)
class Pedal:
    """One stretch of sustain pedal (CC 64 at 64 or more) on the track's channel."""

    start: float
    end: float
    start_tick: int
    end_tick: int


@dataclass(frozen=True, slots=True)
class Control:
    """Any channel message that is not a note, as it goes over the wire (CC 64 included)."""

    time: float
    tick: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Track:
    """The notes of one channel in one track chunk; a format 0 file has one Track per channel.

    A channel is one of a port's sixteen; `port` is the number that the file gives it, `slot` counts the ports on
    which the chunk plays, in the order of their numbers (0 where it is one). `pedals` are those of the channel,
    whichever chunk they stand in, as a synth would hear them. `program` is the one that the channel has at the first
    note, else the first while the notes last (0 if none). `chunk` indexes `Score.chunks`. `kit` says whether the file
    makes the channel a drum kit at these notes; None where it says nothing.
    """

    name: str
    channel: int
    program: int
    notes: tuple[Note, ...]
    pedals: tuple[Pedal, ...]
    controls: tuple[Control, ...]
    chunk: int
    port: int = 0
    kit: bool | None = None
    slot: int = 0

    @property
    def place(self) -> Place:
        """The channel that it plays on: (port, channel)."""
        return self.port, self.channel

    @property
    def key(self) -> TrackKey:
        """What tells it from the other tracks of its file."""
        return self.chunk, self.channel + 16 * self.slot

    @property
    def is_percussion(self) -> bool:
        """Whether the notes are drums: what the file says, else MIDI channel 10."""
        return self.channel == PERCUSSION_CHANNEL if self.kit is None else self.kit


@dataclass(frozen=True, slots=True)
class KeySignature:
    """A key signature of the file, such as "Eb major"."""

    tick: int
    key: str


@dataclass(frozen=True, slots=True)
class Score:
    """A whole MIDI file.

    `chunks` are the bodies of its MTrk chunks, byte for byte (after repair, if it needed any), so
    that saving can leave them alone. `end` is the end of the last note (key release) in seconds.
    `repairs` says, a sentence each, what had to be skipped to read the file.
    """

    name: str
    smf_format: int
    tempo_map: TempoMap
    tracks: tuple[Track, ...]
    keys: tuple[KeySignature, ...]
    chunks: tuple[bytes, ...]
    repairs: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        """The first key signature, None if there is none; of several pieces (format 2) the first piece's."""
        chunk = self.tracks[0].chunk if self.smf_format == 2 and self.tracks else None
        end = max((n.end_tick for t in self.tracks if t.chunk == chunk for n in t.notes), default=None)
        return next((key.key for key in self.keys if end is None or key.tick < end), None)

    @property
    def notes(self) -> int:
        """Number of notes, percussion included."""
        return sum(len(track.notes) for track in self.tracks)

    @property
    def end(self) -> float:
        """End of the last note, in seconds (0 without notes)."""
        return max((n.end for t in self.tracks for n in t.notes), default=0.0)

    @property
    def end_tick(self) -> int:
        """End of the last note, in ticks (0 without notes)."""
        return max((n.end_tick for t in self.tracks for n in t.notes), default=0)

    def controls_on(self, place: Place) -> list[Control]:
        """All controls of a channel, whichever of its tracks they stand in, in order of time."""
        own = (control for track in self.tracks if track.place == place for control in track.controls)
        return sorted(own, key=attrgetter("tick"))
