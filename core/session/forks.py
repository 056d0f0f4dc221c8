"""Taking a take further: from one of its notes into another take, or into the score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.codec.events import LONGEST_PEDAL
from core.codec.vocabulary import STEPS_PER_SECOND, to_step
from core.errors import UsageError
from core.midi.messages import PEDAL_DOWN, PEDALS, SUSTAIN
from core.midi.read import parse_score
from core.midi.score import Pedal, Score, TakeNote, Track
from core.midi.tempo_map import TempoMap
from core.session.arrangement import as_score_notes, continued_tracks, take_length
from core.session.edits_controls import Owner, pedals
from core.session.export import midi_bytes
from core.session.session import Session, TakeControl, TakeRecord, TrackFlags, default_flags, in_order


@dataclass(frozen=True, slots=True)
class Fork:
    """A take to be continued from its second `at` on.

    `tracks`, `marker` and `start` (score seconds) are what `encode_prompt` needs: the score's prompt up to
    the take, and behind it the take, of which what sounds there goes on. `kept` are the notes of the take that stay.
    """

    take: TakeRecord
    at: float
    tracks: tuple[Track, ...]
    marker: float
    start: float
    kept: tuple[TakeNote, ...]

    def joined(self, sampled: TakeRecord) -> TakeRecord:
        """The new take. `sampled` has all of its notes, but counts its `seconds` from this fork's marker on."""
        return replace(
            sampled,
            notes=in_order(sampled.notes),
            seconds=self.at + sampled.seconds,
            marker=self.take.marker,
            parent=self.take.id,
            forked_at=self.at,
            controls=self.controls,
        )

    @property
    def controls(self) -> tuple[TakeControl, ...]:
        """The pedals and other controllers of the take that stay; a pedal that is down is lifted where it forks."""
        kept = [control for control in self.take.controls if control.at < self.at]
        now = {(c.number, c.track): c for c in kept}
        down = [c for c in now.values() if c.number in PEDALS and c.value >= PEDAL_DOWN]
        return tuple([*kept, *(c._replace(at=self.at, value=0) for c in down)])


def fork_prompt(session: Session, take_id: str, at: float) -> Fork:
    """What to sample from to continue a take from its second `at` (put on the 10 ms grid).

    Raises UsageError if there is no such take, or nothing of it before `at`.
    """
    take = session.take(take_id)
    at = to_step(min(max(at, 0.0), take.seconds)) / STEPS_PER_SECOND
    begun = [note for note in take.notes if note.start < at]
    if not begun:
        raise UsageError("There is nothing of this take before that place to continue from.")
    tracks = [_until(session.tracks[i], take.marker) for i in continued_tracks(session)]
    drums = {track.key for track in session.tracks if track.is_percussion}
    tracks += _as_tracks(session, take, [n for n in begun if n.track not in drums], at)
    kept = tuple(replace(n, end=min(n.end, at)) for n in begun)
    return Fork(take, at, tuple(tracks), take.marker + at, min(session.prompt_start, take.marker), kept)


def _until(track: Track, marker: float) -> Track:
    """A track without what lies behind a marker; what sounds there is ended there (seconds only)."""
    return replace(
        track,
        notes=tuple(replace(n, end=marker) if n.end > marker else n for n in track.notes if n.start < marker),
        pedals=tuple(replace(p, end=marker) if p.end > marker else p for p in track.pedals if p.start < marker),
        controls=tuple(c for c in track.controls if c.time < marker),
    )


def _as_tracks(session: Session, take: TakeRecord, notes: Sequence[TakeNote], at: float) -> Iterator[Track]:
    """A take's notes where they stand in the score's time, and the pedals that go down before its second `at`."""
    pedalled = {control.track for control in take.controls if control.number == SUSTAIN}
    others = tuple(note for note in notes if note.track not in pedalled)
    if others or not pedalled:
        yield _as_track(take, others, session.tempo_map)
    for key in sorted(pedalled, key=str):
        until = take.marker + at
        spans = [(start, end) for start, end in pedals(session, Owner(take.id, key)) if start < until]
        spans = [(start, min(end, until + LONGEST_PEDAL)) for start, end in spans]  # one may never be lifted
        tick = session.tempo_map.tick
        down = tuple(Pedal(start, end, tick(start), tick(end)) for start, end in spans)
        own = tuple(note for note in notes if note.track == key)
        yield replace(_as_track(take, own, session.tempo_map), pedals=down)


def _as_track(take: TakeRecord, notes: tuple[TakeNote, ...], tempo_map: TempoMap) -> Track:
    """A take's notes where they stand in the score's time."""
    return Track(take.name, 0, 0, tuple(as_score_notes(notes, take.marker, tempo_map)), (), (), -1)


def accept_take(session: Session, take_id: str) -> Session:
    """Make a take part of the score, as it is heard: its notes on the tracks that they play on, the others a new track.

    The marker then stands at the take's end. The take itself stays, but is not current any more. Reads the whole score
    anew: for 100 000 notes that takes about a second. Raises UsageError if there is no such take, UnreadableInput if
    the score grows too large.
    """
    take = session.take(take_id)
    data = midi_bytes(session, "score and take", take_id, is_merged=True)
    score = parse_score(data, session.score.name if session.score else "Untitled")
    flags = _carried_flags(session, score)
    accepted = replace(session, score=score, midi=data, flags=flags, edited=frozenset(), current="")
    return accepted.with_marker(take.marker + take_length(take, session.tempo_map) if take.end else None)


def _carried_flags(session: Session, score: Score) -> tuple[TrackFlags, ...]:
    """The flags of the tracks that are still there, defaults for the new one."""
    known = {track.key: flags for track, flags in zip(session.tracks, session.flags, strict=True)}
    defaults = zip(score.tracks, default_flags(score), strict=True)
    return tuple(known.get(track.key, default) for track, default in defaults)
