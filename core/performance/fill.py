"""FillPlan: a region of a song, or of a take in it, that is to be filled anew: what stays, and where new notes go."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf

from core.codec.events import Conventions, NoteMessage
from core.codec.gap import Gap, make_gap
from core.errors import UsageError
from core.midi.grid import Grid, find_grid, is_gridded
from core.midi.region import Region
from core.midi.score import Note, TakeNote, Track, TrackKey
from core.midi.tempo_map import TempoMap
from core.performance.routers import NoteRouter
from core.performance.take_in_progress import TakeInProgress
from core.session.arrangement import arrangement, as_score_notes, narrowed
from core.session.edits import note_order, with_notes
from core.session.session import Session, TakeRecord, in_order
from core.tracks.note_stream import is_monophonic
from core.tracks.track_assignment import TrackAssigner
from core.tracks.track_state import TrackState

_ALMOST = 1e-6  # of a tick: what a time may be off for its rounding
_FEW = 16  # notes before a region: with fewer, tracks are told apart by all that they play, up to _LEARNED
_LEARNED = 60.0  # seconds behind it

VoiceKey = TrackKey | None  # None: a take's own track


@dataclass(frozen=True, slots=True)
class Voice:
    """A track as the song plays it: `kept` without the notes that are `replaced`; whether new notes may go to it."""

    key: VoiceKey
    kept: Track
    replaced: tuple[Note, ...]
    is_chosen: bool


@dataclass(frozen=True)
class FillPlan:
    """What `region` of a session's score is to become, or of its take with the id `take` where that is given.

    New notes go to the region's tracks alone, and drums are never among these. A note that begins before the region
    stays as it is. New notes end at the region's end, or where notes of their track that they replace rang over it, as
    late as those.
    """

    session: Session
    region: Region
    take: str
    voices: tuple[Voice, ...]

    @property
    def _tempo_map(self) -> TempoMap:
        return self.session.tempo_map

    @property
    def _chosen(self) -> tuple[Voice, ...]:
        return tuple(voice for voice in self.voices if voice.is_chosen)

    @property
    def keys(self) -> frozenset[VoiceKey]:
        """The tracks that new notes may go to."""
        return frozenset(voice.key for voice in self._chosen)

    @property
    def names(self) -> tuple[str, ...]:
        """What these tracks are called."""
        return tuple(voice.kept.name for voice in self._chosen)

    @property
    def replaced(self) -> int:
        """How many notes are replaced."""
        return sum(len(voice.replaced) for voice in self.voices)

    @cached_property
    def rings_to(self) -> float:
        """Up to where new notes of some track may sound, in score seconds."""
        return max([self.region.end, *map(self._rings_to, self._chosen)])

    def _rings_to(self, voice: Voice) -> float:
        """The same of one track."""
        return max([self.region.end, *(note.end for note in voice.replaced)])

    @cached_property
    def grid(self) -> Grid | None:
        """The grid that new notes begin on, as the session's settings want it."""
        tracks = [_whole(voice) for voice in self.voices]
        start, wanted = self.region.start, self.session.settings.grid
        found = find_grid(self._tempo_map, tracks, start, None, wanted)
        if found or wanted != "auto" or any(note.start < start for track in tracks for note in track.notes):
            return found
        # Nothing comes before that would tell the grid: what follows does.
        score = self.session.score
        return find_grid(self._tempo_map, tracks, start, None, "1/16") if score and is_gridded(score) else None

    def gap(self, conventions: Conventions) -> Gap:
        """The region as a model reads it: all tracks but the drums are read."""
        region = replace(self.region, tracks=None)
        if len(self._chosen) < len(self.voices):
            low, high = self._own_range()
            region = replace(region, low=low, high=high)
        kept = [voice.kept for voice in self.voices]
        return make_gap(kept, region, conventions, self.grid, self.rings_to)

    def _own_range(self) -> tuple[int, int]:
        """The pitches that the chosen tracks play, as far as the region wants them."""
        own = [note.pitch for voice in self._chosen for note in (*voice.kept.notes, *voice.replaced)]
        return narrowed(self.region.low, self.region.high, own)

    # Where new notes go

    def router(self) -> NoteRouter:
        """What gives new notes to the tracks, in order of time from the region's start on."""
        return NoteRouter(self._assigner.copy(), [voice.key for voice in self._chosen], self.region.start)

    @cached_property
    def _assigner(self) -> TrackAssigner:
        """What knows the tracks: learning them takes a while."""
        chosen = self._chosen
        only = 0 if len(chosen) == 1 else None
        start = self.region.start
        tracks = [voice.kept for voice in chosen]
        if only is None and sum(note.start < start for track in tracks for note in track.notes) < _FEW:
            known = TrackAssigner(
                [_whole(voice) for voice in chosen], self.region.end + _LEARNED, None, self._tempo_map
            )
            known.state = TrackState(len(tracks))
        else:
            known = TrackAssigner(tracks, start, None, self._tempo_map, only=only)
        # Whether a track plays chords is told by all of it, not by what comes before alone.
        known.prompt.monophonic = [is_monophonic(_whole(voice), self._tempo_map, inf) for voice in chosen]
        return known

    def placed(self, notes: Sequence[TakeNote]) -> dict[VoiceKey, tuple[Note, ...]]:
        """New notes (seconds from the region's start) on their tracks, in the score's ticks and seconds.

        They keep within the region, and none sounds at a pitch that a kept note sounds on its channel.
        """
        router, given = self.router(), TakeInProgress(self.region.start)
        given.add(router.route(_messages(notes)), 0.0)
        tempo_map = self._tempo_map
        start, end = (ceil(tempo_map.exact_tick(at) - _ALMOST) for at in (self.region.start, self.region.end))
        last = {voice.key: max(end, tempo_map.tick(self._rings_to(voice))) for voice in self._chosen}
        spans: dict[VoiceKey, list[tuple[int, int, TakeNote]]] = defaultdict(list)
        for note in sorted(given.notes, key=lambda note: (note.start, note.pitch)):
            first = min(max(tempo_map.tick(self.region.start + note.start), start), end - 1)
            until = min(tempo_map.tick(self.region.start + note.end), last[note.track])
            spans[note.track].append((first, until, note))
        taken = _Taken(self._kept_on_channels())
        placed: dict[VoiceKey, tuple[Note, ...]] = {}
        for voice in self._chosen:
            own: list[Note] = []
            for first, until, note in spans[voice.key]:
                until = taken.claim(voice.kept.place, note.pitch, first, max(until, first + 1))
                if until > first:
                    times = tempo_map.seconds(first), tempo_map.seconds(until)
                    own.append(Note(note.pitch, note.velocity, *times, first, until))
            placed[voice.key] = tuple(sorted(own, key=note_order))
        return placed

    def _kept_on_channels(self) -> Iterable[Track]:
        yield from (voice.kept for voice in self.voices)
        yield from (track for track in self.session.tracks if track.is_percussion)

    def filled(self, notes: Sequence[TakeNote]) -> Session:
        """The session with these notes (seconds from the region's start) in the place of the replaced ones."""
        return self.with_placed(self.placed(notes))

    def with_placed(self, placed: Mapping[VoiceKey, Sequence[Note]]) -> Session:
        """The session with notes as `placed` gives them in the place of the replaced ones."""
        session = self.session
        if self.take:
            take = session.take(self.take)
            kept = [note for note in take.notes if not self.replaces(note)]
            new = [
                TakeNote(note.pitch, note.velocity, note.start - take.marker, note.end - take.marker, key)
                for key, some in placed.items()
                for note in some
            ]
            return with_notes(session, self.take, in_order([*kept, *new]))
        for i, track in enumerate(session.tracks):
            voice = next((voice for voice in self._chosen if voice.key == track.key), None)
            if voice and (voice.replaced or placed.get(track.key)):
                kept = self.region.divided(track.notes)[0]
                both = sorted((*kept, *placed.get(track.key, ())), key=note_order)
                session = with_notes(session, i, tuple(both))
        return session

    def replaces(self, note: TakeNote) -> bool:
        """Whether a note of the take is replaced."""
        return note.track in self.keys and self.region.has(note, self.session.take(self.take).marker)


def plan_fill(session: Session, region: Region, take: str = "") -> FillPlan:
    """The plan for a region of a session's score, or of its take with this id.

    Of a region without tracks, all take part that play something. Raises UsageError where nothing can be filled.
    """
    voices = tuple(_take_voices(session, region, session.take(take)) if take else _score_voices(session, region))
    if not any(voice.is_chosen for voice in voices):
        raise UsageError("There is no track to regenerate in this selection: the models play no drums.")
    return FillPlan(session, region, take, voices)


def _score_voices(session: Session, region: Region) -> Iterable[Voice]:
    for track in session.tracks:
        if track.is_percussion:
            continue
        is_chosen = track.key in region.tracks if region.tracks is not None else bool(track.notes)
        kept, replaced = region.divided(track.notes) if is_chosen else (track.notes, ())
        yield Voice(track.key, replace(track, notes=kept), replaced, is_chosen)


def _take_voices(session: Session, region: Region, take: TakeRecord) -> Iterable[Voice]:
    tempo_map, own = session.tempo_map, defaultdict[VoiceKey, list[Note]](list)
    for note, placed in zip(take.notes, as_score_notes(take.notes, take.marker, tempo_map), strict=True):
        own[note.track].append(placed)
    tracks: dict[VoiceKey, Track] = {track.key: track for track in arrangement(session, take).score.tracks}
    for key in own.keys() - tracks.keys():
        tracks[key] = Track(take.name, 0, 0, (), (), (), -1, port=-1)  # on a channel that nobody else is on
    for key, track in tracks.items():
        if track.is_percussion:
            continue
        is_chosen = bool(own[key]) and region.has_track(key)
        kept, replaced = region.divided(own[key]) if is_chosen else (own[key], ())
        both = sorted((*track.notes, *kept), key=note_order)
        yield Voice(key, replace(track, notes=tuple(both)), replaced, is_chosen)


def _whole(voice: Voice) -> Track:
    return replace(voice.kept, notes=tuple(sorted((*voice.kept.notes, *voice.replaced), key=note_order)))


def _messages(notes: Sequence[TakeNote]) -> list[NoteMessage]:
    """The begins and ends of notes in order of time; at one time ends come first."""
    ends = [NoteMessage(0, note.pitch, 0, note.end) for note in notes]
    begins = [NoteMessage(0, note.pitch, note.velocity, note.start) for note in notes]
    return sorted(ends + begins, key=lambda message: (message.time, message.velocity > 0, message.pitch))


class _Taken:
    """When which pitches sound on which channel, in ticks."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._spans: dict[tuple[tuple[int, int], int], list[tuple[int, int]]] = defaultdict(list)
        for track in tracks:
            for note in track.notes:
                self._spans[track.place, note.pitch].append((note.start_tick, note.end_tick))

    def claim(self, place: tuple[int, int], pitch: int, first: int, until: int) -> int:
        """Take a span for a new note: the tick at which it ends, `first` if it cannot sound at all."""
        spans = self._spans[place, pitch]
        for begin, end in spans:
            if begin <= first < end or begin == first:
                return first
            if first < begin < until:
                until = begin
        spans.append((first, until))
        return until
