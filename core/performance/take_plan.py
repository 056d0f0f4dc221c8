"""TakePlan: what a take is to be in its song before a note of it is sampled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from core.midi.messages import is_note
from core.midi.score import TakeNote, Track, TrackKey
from core.midi.tempo_map import TempoMap
from core.midi.write import blank_score
from core.performance.live_take import LiveTake
from core.performance.routers import NoteRouter, PartRouter
from core.session.arrangement import (
    TakePart,
    arrangement,
    as_score_notes,
    continued_tracks,
    end_on_bar_line,
    playing_tracks,
    rings_until,
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
        return tuple(self.session.tracks[i] for i in playing_tracks(self.session))

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
        """How long tracks may sound, in seconds from where sampling begins (see `rings_until`)."""
        limits: dict[TrackKey | None, float] = {}
        if self.take.rest != "beside":
            stretch, tempo_map = take_stretch(self.session, self.take), self.session.tempo_map
            score = self.session.score or blank_score()
            ends = {track.key: rings_until(score, track, stretch) for track in self.tracks}
            limits |= {key: tempo_map.seconds(tick) - self.start for key, tick in ends.items() if tick is not None}
        if self.is_exact:
            last = self.take.end - (self.start - self.take.marker)
            limits = {key: min(limits.get(key, last), last) for key in (None, *(track.key for track in self.tracks))}
        return limits

    def ring(self, seconds: float | None) -> float:
        """How long the last notes of a take that is sampled for so many seconds may ring out: a bar.

        It is 0 where the end is exact, or not known.
        """
        if self.is_exact or seconds is None:
            return 0.0
        tempo_map = tempo_map_of(self.session.score, self.take.marker, self.take.rest)
        end = tempo_map.tick(self.start + seconds)
        bar, after = tempo_map.bar_around(end)
        return tempo_map.seconds(end + after - bar) - self.start - seconds

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
    replaced = [session.tracks[i].key for i in continued_tracks(session)]
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
    return replace(track, notes=(*before, *as_score_notes(kept, take.marker, tempo_map)))
