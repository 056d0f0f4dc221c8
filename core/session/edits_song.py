"""Edits of the song itself: tempo and metre, and a track's name, instrument, volume and pan.

They change the MIDI file that the score is read from, so that they are saved, played and written like all in it. Notes
stay on their ticks, those of takes too.
"""

from collections.abc import Callable
from dataclasses import replace

from core.errors import UsageError
from core.midi import meta_edits
from core.midi.read import parse_score
from core.midi.score import Note, Score
from core.midi.tempo_map import TempoMap
from core.midi.write import blank_score, score_bytes
from core.session.session import LATEST, Session, TakeRecord, default_flags, in_order, one_line

SLOWEST, FASTEST = 4.0, 1000.0  # quarters a minute: less cannot be written
LONGEST_BAR = 64  # beats
DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)


def with_tempo(session: Session, tick: int, bpm: float | None) -> Session:
    """Set the tempo (quarters a minute) from a tick on, up to its next change; None: no change of it there.

    What lies behind comes sooner or later: notes, takes (but those in the bin), the marker. Raises UsageError for a
    tempo that cannot be.
    """
    if session.tempo_map.is_smpte:
        raise UsageError("This file counts its time in film frames, so it has no tempo.")
    if bpm is not None and not SLOWEST <= bpm <= FASTEST:
        raise UsageError(f"The tempo must lie between {SLOWEST:g} and {FASTEST:g}, not {bpm:g}.")
    microseconds = None if bpm is None else round(60e6 / bpm)
    return _retimed(session, lambda score: meta_edits.with_tempo(score, tick, microseconds))


def with_metre(session: Session, tick: int, metre: tuple[int, int] | None) -> Session:
    """Set the metre, (numerator, denominator), from a tick on, where a bar begins; None: no change of it there.

    Raises UsageError for a metre that cannot be.
    """
    if metre is not None and not (1 <= metre[0] <= LONGEST_BAR and metre[1] in DENOMINATORS):
        raise UsageError(f"There is no metre of {metre[0]}/{metre[1]}.")
    return _changed(session, lambda score: meta_edits.with_metre(score, tick, metre))


def change_track(
    session: Session,
    track: int,
    *,
    name: str | None = None,
    program: int | None = None,
    volume: int | None = None,
    pan: int | None = None,
) -> Session:
    """Change what is given of a track (an index); instrument, volume and pan are those of its whole channel.

    Raises UsageError for a name without a letter in it.
    """
    steps: list[Callable[[Score], meta_edits.Chunks]] = []
    if name is not None:
        words = one_line(name)
        if not words:
            raise UsageError("A track needs a name.")
        steps.append(lambda score: meta_edits.with_name(score, score.tracks[track], words))
    if program is not None:
        steps.append(lambda score: meta_edits.with_program(score, score.tracks[track], program))
    if volume is not None:
        steps.append(lambda score: meta_edits.with_volume(score, score.tracks[track], volume))
    if pan is not None:
        steps.append(lambda score: meta_edits.with_pan(score, score.tracks[track], pan))
    for step in steps:
        session = _changed(session, step)
    return session


def with_chunks(session: Session, chunks: meta_edits.Chunks) -> Session:
    """The session on a file whose chunks have other controllers, and the notes that they had."""
    old = session.score
    changed = _changed(session, lambda _: chunks)
    if old is None or changed.score is None:
        return changed
    # The very same notes, so that nobody takes them for others.
    tracks = tuple(replace(new, notes=track.notes) for track, new in zip(old.tracks, changed.score.tracks, strict=True))
    return replace(changed, score=replace(changed.score, tracks=tracks))


def _changed(session: Session, change: Callable[[Score], meta_edits.Chunks]) -> Session:
    """The session on another reading of its file: the notes of edited tracks stay what they were made."""
    old = session.score or blank_score()
    # Of format 2 the pieces have been put one after another: they are tracks now.
    data = score_bytes(replace(old, chunks=change(old), smf_format=min(old.smf_format, 1)))
    read = parse_score(data, old.name)
    tracks = tuple(
        replace(track, notes=_at_their_ticks(old.tracks[i].notes, read.tempo_map)) if i in session.edited else track
        for i, track in enumerate(read.tracks)
    )
    score = replace(read, tracks=tracks, repairs=old.repairs)
    flags = session.flags if session.score else default_flags(score)
    return replace(session, score=score, midi=data, flags=flags)


def _at_their_ticks(notes: tuple[Note, ...], tempo_map: TempoMap) -> tuple[Note, ...]:
    starts = tempo_map.seconds_array([note.start_tick for note in notes]).tolist()
    ends = tempo_map.seconds_array([note.end_tick for note in notes]).tolist()
    return tuple(replace(n, start=start, end=end) for n, start, end in zip(notes, starts, ends, strict=True))


def retimed_take(take: TakeRecord, before: TempoMap, after: TempoMap) -> TakeRecord:
    """A take that was made where one tempo map held, on the same ticks of another."""
    if after == before:
        return take
    marker = before.moved(take.marker, after)

    def within(seconds: float) -> float:
        return max(before.moved(take.marker + seconds, after) - marker, 0.0)

    notes = in_order(replace(note, start=within(note.start), end=within(note.end)) for note in take.notes)
    return replace(
        take,
        notes=notes,
        marker=marker,
        seconds=max([within(take.seconds), *(note.end for note in notes)]),
        end=within(take.end) if take.end else 0.0,
        forked_at=within(take.forked_at),
        controls=tuple(control._replace(at=within(control.at)) for control in take.controls),
    )


def _retimed(session: Session, change: Callable[[Score], meta_edits.Chunks]) -> Session:
    """`_changed`, with all that counts in seconds where it was in ticks."""
    before, changed = session.tempo_map, _changed(session, change)
    after = changed.tempo_map

    def moved(seconds: float) -> float:
        return before.moved(seconds, after)

    result = replace(
        changed,
        marker=moved(session.marker),
        prompt_start=moved(session.prompt_start),
        end_marker=moved(session.end_marker) if session.end_marker else 0.0,
        takes=tuple(retimed_take(take, before, after) for take in session.takes),
    )
    ends = [result.marker, result.score.end if result.score else 0.0]
    ends += [take.marker + take.seconds for take in result.takes]
    if max(ends) > LATEST:
        raise UsageError("At this tempo the song would last longer than a week.")
    return result
