"""Which tracks play each note of a take, and on which channels: its notes on their way from the model to the wire."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf

from core.codec.events import NoteMessage
from core.codec.vocabulary import NOTE_OFF, NOTE_ON, VELOCITY, to_step
from core.midi.score import TrackKey
from core.midi.write import TakeVoice
from core.performance.live_take import note_message
from core.session.timeline import Timed
from core.tracks.track_assignment import TrackAssigner


class NoteRouter:
    """Gives each note of a take to the tracks that play it, and each note-off to those that still sound the note.

    `keys` are the tracks' keys, in the order of the assigner's tracks; times of messages are seconds from `start`.
    Without an assigner all notes are of a track of the take's own. `limits` say of tracks how long they may sound.

    A note that several tracks could play waits for the event behind it, and no longer: whether that is the next note
    of its chord tells much of who plays it. What a monophonic track is given is sent when the chord is over: it may be
    given another of the same chord, which takes its place.
    """

    def __init__(
        self,
        assigner: TrackAssigner | None,
        keys: Sequence[TrackKey | None],
        start: float,
        limits: Mapping[TrackKey | None, float] | None = None,
    ) -> None:
        self._assigner, self._keys, self._start, self._limits = assigner, keys, start, limits or {}
        self._sounding: set[tuple[TrackKey | None, int]] = set()  # (track, pitch)
        self._waiting: tuple[NoteMessage, ...] = ()  # a note-on at most
        self._chord: list[NoteMessage] = []  # note-ons of monophonic tracks, while their chord goes on

    def route(
        self, messages: Sequence[NoteMessage], head: float = 0.0, event: int | None = None
    ) -> tuple[NoteMessage, ...]:
        """The messages with their tracks, in order: where several play a note, one for each.

        They are those of one `event`, with which the take is sampled as far as `head`, or without an event all that
        there are until the end. The note-on of an event comes with what the next one makes.
        """
        is_on = event is not None and event in NOTE_ON
        goes_on = is_on or (event is not None and event in VELOCITY)
        is_over = not goes_on and (event is None or event not in NOTE_OFF)  # the chord, as time goes on
        due = (*self._waiting, *messages)
        waits = is_on and self._assigner is not None and self._assigner.chooses and bool(messages)
        self._waiting = due[-1:] if waits else ()
        return tuple(self._within_limits(due[:-1] if waits else due, goes_on, is_over, head))

    def _within_limits(
        self, messages: Sequence[NoteMessage], goes_on: bool, is_over: bool, head: float
    ) -> Iterator[NoteMessage]:
        for k, message in enumerate(messages):
            if self._chord and message.time > self._chord[0].time:
                yield from self._sent(self._end_chord())
            yield from self._ended(message.time)
            following = next((later for later in messages[k + 1 :] if later.velocity), None)
            is_last = not goes_on if following is None else following.time > message.time
            yield from self._sent(self._routed(message, is_last))
        if is_over:
            yield from self._sent(self._end_chord())
        yield from self._ended(head)

    def _sent(self, routed: Iterable[NoteMessage]) -> Iterator[NoteMessage]:
        """But for the ends of notes whose time was over."""
        for message in routed:
            key = message.track, message.pitch
            if message.velocity:
                self._sounding.add(key)
            elif key in self._sounding:
                self._sounding.discard(key)
            elif self._limits:
                continue
            yield message

    def _end_chord(self) -> list[NoteMessage]:
        """The chord is over: what it has given to monophonic tracks."""
        given, self._chord = self._chord, []
        return given

    def _ended(self, time: float) -> Iterator[NoteMessage]:
        """The ends of what may not sound as long as until `time`."""
        over = [key for key in self._sounding if self._limits.get(key[0], inf) <= time]
        for track, pitch in sorted(over, key=lambda key: (self._limits[key[0]], key[1])):
            self._sounding.discard((track, pitch))
            limit = self._limits[track]
            yield NoteMessage(to_step(limit), pitch, 0, limit, track)

    def _routed(self, message: NoteMessage, is_last: bool) -> Iterator[NoteMessage]:
        if self._assigner is None:
            yield message
            return
        at = self._start + message.time
        if not message.velocity:
            if any(begun.pitch == message.pitch for begun in self._chord):
                yield from self._end_chord()
            for track in self._assigner.release(at, message.pitch):
                yield message._replace(track=self._keys[track])
            return
        tracks, ended = self._assigner.assign(at, message.pitch, message.velocity, is_last)
        for track, pitch in ended:  # a monophonic track ends its note as it begins another
            before = [m for m in self._chord if (m.track, m.pitch) == (self._keys[track], pitch)]
            if before:  # it has not begun
                self._chord.remove(before[0])
            else:
                yield message._replace(pitch=pitch, velocity=0, track=self._keys[track])
        for track in tracks:
            note = message._replace(track=self._keys[track])
            if self._assigner.prompt.monophonic[track]:
                self._chord.append(note)
            else:
                yield note


class PartRouter:
    """A live take's Router: each note on the channel of its track's voice.

    Where two tracks share a channel and sound one pitch, it ends when the last of them lets go.
    """

    def __init__(self, voices: Mapping[TrackKey | None, TakeVoice]) -> None:
        self._voices = voices
        self._sounding: Counter[tuple[int, int]] = Counter()  # (channel, pitch)

    @property
    def setup(self) -> Sequence[bytes]:
        """What sets up the sounds of all voices."""
        return [message for setup in dict.fromkeys(v.setup for v in self._voices.values()) for message in setup]

    @property
    def setup_in_song(self) -> Sequence[bytes]:
        """The same of those channels that nothing else plays on meanwhile."""
        return [message for setup in dict.fromkeys(v.setup_in_song for v in self._voices.values()) for message in setup]

    def route(self, messages: Sequence[NoteMessage]) -> list[Timed]:
        """The messages of one event, in order of time; seconds from where sampling began."""
        return [(m.time, wire) for m in messages for wire in self._wires(m)]

    def _wires(self, message: NoteMessage) -> Iterator[bytes]:
        channel = self._voices[message.track].channel
        key = channel, message.pitch
        if message.velocity:
            if self._sounding[key]:
                yield note_message(channel, message.pitch, 0)
            self._sounding[key] += 1
            yield note_message(channel, message.pitch, message.velocity)
        elif self._sounding[key] <= 1:
            self._sounding[key] = 0
            yield note_message(channel, message.pitch, 0)
        else:
            self._sounding[key] -= 1
