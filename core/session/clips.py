"""Notes to and from the clipboard: a MIDI file, which other windows and programs can read as well."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from core.errors import UsageError
from core.midi.read import parse_score
from core.midi.score import Note, Score, TakeNote, Track, TrackKey
from core.midi.write import AddedTrack, tracks_alone
from core.session.edits import LATEST_TICK, SHORTEST, Chosen, Edited, Part, note_order, notes_there, part_notes, put
from core.session.session import LATEST, Session


class _Voice(NamedTuple):
    """What tells one track of a clip from another: its name and channel."""

    name: str
    channel: int


def clip(session: Session, chosen: Chosen, origin: float) -> bytes:
    """The chosen notes as a MIDI file in which `origin` (seconds of the song) is tick 0, a track for each of theirs.

    Notes before the origin come at its start.
    """
    start = session.tempo_map.tick(origin)
    tracks = [AddedTrack(voice.name, voice.channel, notes) for voice, notes in _voices(session, chosen).items()]
    return tracks_alone(session.tempo_map, start, tracks)


def _voices(session: Session, chosen: Chosen) -> dict[_Voice, list[Note]]:
    tracks = session.score.tracks if session.score else ()
    by_key: dict[TrackKey | None, Track] = {track.key: track for track in tracks}
    voices: dict[_Voice, list[Note]] = {}
    for part, places in notes_there(session, chosen).items():
        notes: Any = part_notes(session, part)
        for note in [notes[i] for i in places]:
            track = by_key.get(note.track) if isinstance(note, TakeNote) else tracks[int(part)]
            voice = _Voice(track.name, track.channel) if track else _Voice(session.take(str(part)).name, 0)
            voices.setdefault(voice, []).append(_placed(session, part, note))
    return voices


def _placed(session: Session, part: Part, note: Note | TakeNote) -> Note:
    """A note of a track or take where it stands in the song."""
    if isinstance(note, Note):
        return note
    marker = session.take(str(part)).marker
    first, last = session.tempo_map.ticks_array([marker + note.start, marker + note.end]).tolist()
    return Note(note.pitch, note.velocity, marker + note.start, marker + note.end, first, last)


def parse_clip(data: bytes) -> Score:
    """The notes of a MIDI file from the clipboard. Raises UnreadableInput, and UsageError where it has no notes."""
    score = parse_score(data, "The clipboard")
    if not score.notes:
        raise UsageError("There are no notes on the clipboard.")
    return score


def paste(session: Session, notes: Score, at: float, target: Part) -> Edited:
    """Put the notes of a clip into a part, the clip's start at `at` (seconds of the song); they are chosen then.

    In a take, a track of the clip plays on the track of the score that has its name and channel. Of a clip of several
    tracks that is put into a track, each goes to the one of its name and channel, if there is one. Raises UsageError
    for a part that is not there, and for a take that begins later.
    """
    tracks = session.score.tracks if session.score else ()
    known = {_Voice(track.name, track.channel): i for i, track in enumerate(tracks)}
    if isinstance(target, str):
        if at < session.take(target).marker - SHORTEST:
            raise UsageError("The take begins later: put the playhead at its marker or behind it.")
        keys = {voice: tracks[i].key for voice, i in known.items()}
        new = [note for track in notes.tracks for note in _take_notes(session, notes, track, at, target, keys)]
        return put(session, target, [], new)
    if not 0 <= target < len(tracks):
        raise UsageError("There is no track to paste into.")
    several = sum(bool(track.notes) for track in notes.tracks) > 1
    by_track: dict[int, list[Note]] = {}
    for track in notes.tracks:
        if track.notes:
            into = known.get(_Voice(track.name, track.channel), target) if several else target
            by_track.setdefault(into, []).extend(_score_notes(session, notes, track, at))
    chosen: dict[Part, list[int]] = {}
    for into, new in by_track.items():
        session, now = put(session, into, [], sorted(new, key=note_order))
        chosen |= now
    return Edited(session, chosen)


def _ticks(session: Session, clip: Score, track: Track, at: float) -> tuple[np.ndarray, np.ndarray]:
    """The starts and ends of a clip's notes in ticks of the session, (n,) each."""
    scale = session.tempo_map.ticks_per_quarter / clip.tempo_map.ticks_per_quarter
    first = session.tempo_map.tick(at)
    columns = ([n.start_tick for n in track.notes], [n.end_tick for n in track.notes])
    latest = min(session.tempo_map.exact_tick(LATEST), LATEST_TICK)
    start, end = (np.minimum(first + np.rint(np.array(ticks) * scale), latest) for ticks in columns)
    return start.astype(np.int64), np.maximum(end, start + 1).astype(np.int64)


def _score_notes(session: Session, clip: Score, track: Track, at: float) -> list[Note]:
    start, end = _ticks(session, clip, track, at)
    seconds = session.tempo_map.seconds_array(start).tolist(), session.tempo_map.seconds_array(end).tolist()
    old = track.notes
    pitch, velocity, release = ([getattr(n, name) for n in old] for name in ("pitch", "velocity", "release"))
    return list(map(Note, pitch, velocity, *seconds, start.tolist(), end.tolist(), release))


def _take_notes(
    session: Session, clip: Score, track: Track, at: float, take_id: str, keys: Mapping[_Voice, TrackKey]
) -> list[TakeNote]:
    marker = session.take(take_id).marker
    key = keys.get(_Voice(track.name, track.channel))
    new: list[TakeNote] = []
    for note in _score_notes(session, clip, track, at):
        start = max(note.start - marker, 0.0)
        new.append(TakeNote(note.pitch, note.velocity, start, max(note.end - marker, start + SHORTEST), key))
    return new
