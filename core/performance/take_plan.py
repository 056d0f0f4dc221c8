"""TakePlan: what a take is to be in its song before a note of it is sampled; and its notes, given to their tracks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from math import inf
from typing import TYPE_CHECKING

from core.codec.events import NoteMessage
from core.codec.vocabulary import NOTE_ON, VELOCITY, to_step
from core.midi.messages import is_note
from core.midi.score import Note, TakeNote, Track, TrackKey
from core.midi.tempo_map import TempoMap
from core.midi.write import TakeVoice, blank_score
from core.performance.live_take import LiveTake, note_message
from core.session.arrangement import (
    TakePart,
    arrangement,
    continued_tracks,
    end_on_bar_line,
    playing_tracks,
    returns_at,
    take_parts,
    take_stretch,
    tempo_map_of,
    wire_voice,
)
from core.session.forks import Fork
from core.session.session import Session, TakeRecord
from core.session.timeline import Timed, timeline
from core.tracks.drums import repeat_drums
from core.tracks.track_assignment import TrackAssigner

if TYPE_CHECKING:
    from core.generation.continuation import Step

_NOTE_ONS, _VELOCITIES = range(NOTE_ON.first, NOTE_ON.end), range(VELOCITY.first, VELOCITY.end)


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
        goes_on = event is not None and (event in _NOTE_ONS or event in _VELOCITIES)
        due = (*self._waiting, *messages)
        waits = event in _NOTE_ONS and self._assigner is not None and self._assigner.chooses and bool(messages)
        self._waiting = due[-1:] if waits else ()
        return tuple(self._within_limits(due[:-1] if waits else due, goes_on, head))

    def _within_limits(self, messages: Sequence[NoteMessage], goes_on: bool, head: float) -> Iterator[NoteMessage]:
        for k, message in enumerate(messages):
            if self._chord and message.time > self._chord[0].time:
                yield from self._sent(self._given())
            yield from self._ended(message.time)
            following = next((later for later in messages[k + 1 :] if later.velocity), None)
            is_last = not goes_on if following is None else following.time > message.time
            yield from self._sent(self._routed(message, is_last))
        if not goes_on:
            yield from self._sent(self._given())
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

    def _given(self) -> list[NoteMessage]:
        """What the chord has given to monophonic tracks: it is over."""
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
            yield from self._given()
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
        if is_last:
            yield from self._given()


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
        """The same of those channels that nobody else plays on meanwhile."""
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


@dataclass(frozen=True)
class TakePlan:
    """A take that is about to be sampled.

    `take` is how it will lie in the song: marker, end, what it replaces; its notes are those that are there already:
    what is kept of the take it goes on from, and repeated drums. Sampling begins at `start` (score seconds). Its last
    notes may ring out behind its end, unless that `is_exact`.
    """

    session: Session
    take: TakeRecord
    start: float
    is_exact: bool = False

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks that the take is to play on; none for a track of its own."""
        score = self.session.score
        return tuple(score.tracks[i] for i in playing_tracks(self.session)) if score else ()

    def note_routers(self, count: int) -> list[NoteRouter]:
        """A router for each of so many takes. What they know of the prompt is learned once."""
        tracks = self.tracks
        keys = [track.key for track in tracks]
        if not tracks:
            return [NoteRouter(None, (), self.start, self._limits()) for _ in range(count)]
        tempo_map = self.session.tempo_map
        known = [_with_kept(track, self.take, self.start, tempo_map) for track in tracks]
        only = 0 if len(tracks) == 1 else None
        prompt_start = min(self.session.prompt_start, self.take.marker)
        first = TrackAssigner(known, self.start, prompt_start, tempo_map, only=only)
        assigners = (first, *(first.copy() for _ in range(count - 1)))
        return [NoteRouter(assigner, keys, self.start, self._limits()) for assigner in assigners]

    def _limits(self) -> dict[TrackKey | None, float]:
        """How long tracks may sound, in seconds from where sampling begins: until their own notes are back."""
        begun = self.start - self.take.marker
        if self.is_exact:
            return dict.fromkeys([None, *(track.key for track in self.tracks)], self.take.end - begun)
        if self.take.rest == "beside":
            return {}
        stretch, tempo_map = take_stretch(self.session, self.take), self.session.tempo_map
        returned = {track.key: returns_at(track, stretch) for track in self.tracks}
        return {key: tempo_map.seconds(tick) - self.start for key, tick in returned.items() if tick is not None}

    def ring(self, seconds: float | None) -> float:
        """How long the last notes of a take that is sampled for so many seconds may ring out: a bar.

        It is 0 where the end is exact, or not known.
        """
        if self.is_exact or seconds is None:
            return 0.0
        tempo_map = tempo_map_of(self.session.score, self.take.marker, self.take.rest)
        end = tempo_map.tick(self.start + seconds)
        bar = tempo_map.bar_beat(end)[0]
        return tempo_map.seconds(end + tempo_map.bar_tick(bar + 1) - tempo_map.bar_tick(bar)) - self.start - seconds

    def route(self, count: int) -> "Callable[[Step], Step]":
        """What gives the notes of so many takes to their tracks, as they are sampled.

        It learns from the prompt as the first of them comes, so on the thread that samples: long prompts take 0.1 s.
        """
        routers: list[NoteRouter] = []

        def routed(step: "Step") -> "Step":
            if not routers:
                routers.extend(self.note_routers(count))
            return replace(step, messages=routers[step.take].route(step.messages, step.head, step.event))

        return routed

    def cut_short(self, record: TakeRecord) -> TakeRecord:
        """A take as long as it was sampled: where that is less than was planned it ends on the next bar line, and so do
        its drums.
        """
        tempo_map = tempo_map_of(self.session.score, self.take.marker, self.take.rest)
        end = self.start - self.take.marker + end_on_bar_line(tempo_map, self.start, record.seconds)
        end = min(end, self.take.end)  # its last step may lie a hair behind the bar line that was meant
        return replace(record, end=end, notes=tuple(note for note in record.notes if note.start < end))

    def ended(self, seconds: float) -> "TakePlan":
        """The plan of a take that turned out to be so many seconds long (see `cut_short`): itself if that is as meant.

        What plays beside it is then the song around the take as it is: the original returns at that end.
        """
        take = self.cut_short(replace(self.take, seconds=seconds))
        return self if take.end == self.take.end else replace(self, take=replace(take, seconds=take.end))

    def finish(self, live: LiveTake, seconds: float, metronome: bool) -> None:
        """Of a take that is heard all of its seconds are sampled: the original returns where it ends."""
        ended = self.ended(seconds)
        live.finish(seconds, None if ended is self else ended.accompaniment(metronome))

    @cached_property
    def _parts(self) -> dict[TrackKey | None, TakePart]:
        """The parts that the sampled notes can go to."""
        keys: list[TrackKey | None] = [track.key for track in self.tracks]
        parts = take_parts(self.session, self.take, also=keys or [None])
        return {key: parts[key] for key in keys or [None]}

    @cached_property
    def part_router(self) -> PartRouter:
        """What plays the first take live."""
        score = self.session.score or blank_score()
        return PartRouter({key: wire_voice(score, part) for key, part in self._parts.items()})

    @property
    def channel_words(self) -> str:
        """A sentence about tracks of its own that the take has no channels for; empty where it has them."""
        count = sum(part.track is None and part.voice.is_shared for part in self._parts.values())
        if not count:
            return ""
        whom = "the take" if len(self._parts) == 1 else f"{count} of the take's tracks"
        share = "it shares that of the track it goes" if count == 1 else "they share those of the tracks they go"
        return f"The song leaves no channel free for {whom}: {share} on from."

    def accompaniment(self, metronome: bool) -> Iterator[Timed]:
        """What plays beside the take from where sampling begins, and behind it to the song's end, in order of time.

        It is laid out when the first message is asked for. First it tells what controls hold there; the take keeps what
        set it up, which may be another volume (see `sound_at`).
        """
        there = replace(self.take, notes=tuple(n for n in self.take.notes if self.take.marker + n.start >= self.start))
        keys = [track.key for track in self.tracks]
        end = self.take.marker + self.take.end
        messages = timeline(self.session, "both", self.start, take=there, metronome=metronome, also=keys, least=end)
        held = sum(1 for _ in takewhile(lambda m: m[0] <= self.start and not is_note(m[1]), messages))
        yield from messages[:held]
        if held:
            yield from ((self.start, message) for message in self.part_router.setup_in_song)
        yield from messages[held:]


def plan_take(
    session: Session, marker: float, end: float, fork: Fork | None = None, *, is_exact: bool = False
) -> TakePlan:
    """A take from the marker (score seconds) that ends `end` seconds behind it, as the session's settings want it.

    Of a fork, the notes that are kept are there already, and sampling begins behind them. Nothing sounds past an end
    that `is_exact`.
    """
    settings = session.settings
    replaced = [session.score.tracks[i].key for i in continued_tracks(session)] if session.score else []
    take = TakeRecord(marker=marker, end=end, seconds=end, rest=settings.rest, replaces=tuple(replaced))
    start = fork.marker if fork else marker
    kept = fork.kept if fork else ()
    if settings.drums == "repeat" and session.score is not None:
        kept = (*kept, *_repeated_drums(session, take, start))
    controls = fork.controls if fork else ()
    notes = tuple(sorted(kept, key=lambda n: n.start))
    return TakePlan(session, replace(take, notes=notes, controls=controls), start, is_exact)


def _repeated_drums(session: Session, take: TakeRecord, start: float) -> Iterator[TakeNote]:
    """The drums' pattern from where the file's own stop to the take's end, as notes of the take."""
    score = arrangement(session, take).score
    tempo_map = score.tempo_map
    first, last = tempo_map.tick(start), tempo_map.tick(take.marker + take.end)
    for track, note in repeat_drums(score.tracks, tempo_map, first, last):
        times = note.start - take.marker, note.end - take.marker
        yield TakeNote(note.pitch, note.velocity, *times, score.tracks[track].key)


def _with_kept(track: Track, take: TakeRecord, start: float, tempo_map: TempoMap) -> Track:
    """A track up to the take's marker, and behind it what the take plays on it before sampling goes on."""
    kept = [n for n in take.notes if n.track == track.key and take.marker + n.start < start]
    if not kept:
        return track
    before = [n for n in track.notes if n.start < take.marker]
    later: list[Note] = []
    for note in kept:
        first, last = take.marker + note.start, take.marker + note.end
        later.append(Note(note.pitch, note.velocity, first, last, tempo_map.tick(first), tempo_map.tick(last)))
    return replace(track, notes=tuple([*before, *later]))
