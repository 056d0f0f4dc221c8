"""Notes and controllers to and from the clipboard: a MIDI file, which other windows and programs can read as well."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from core.errors import UsageError
from core.midi.controllers import Point, control_message, numbers_in, value_of
from core.midi.events import Event, TrackScan, meta_data, scan_track
from core.midi.messages import META, SYSEX, TRACK_NAME, channel_of
from core.midi.read import parse_score
from core.midi.score import Note, Score, TakeNote, Track, TrackKey
from core.midi.texts import decode_text
from core.midi.write import AddedTrack, tracks_alone
from core.session.arrangement import as_score_notes
from core.session.edits import (
    LATEST_TICK,
    SHORTEST_NOTE,
    Chosen,
    Edited,
    Part,
    note_order,
    notes_there,
    part_notes,
    put,
)
from core.session.edits_controls import Owner
from core.session.edits_span import NO_LINES, SpanValues, passage, put_passages
from core.session.session import LATEST, Session


class _Voice(NamedTuple):
    """What tells one track of a clip from another: its name and channel."""

    name: str
    channel: int


class Clip(NamedTuple):
    """What is on the clipboard: notes, and controllers over so many ticks of theirs."""

    notes: Score
    controls: Mapping[_Voice, SpanValues]
    ticks: int


def clip(
    session: Session, chosen: Chosen, origin: float, end: float | None = None, owners: Iterable[Owner] = ()
) -> bytes:
    """The chosen notes as a MIDI file in which `origin` (seconds of the song) is tick 0, a track for each of theirs.

    Notes before the origin come at its start. With an `end`, the controllers of `owners` from the origin up to there
    come as well.
    """
    start = session.tempo_map.tick(origin)
    last = 0 if end is None else max(session.tempo_map.tick(end), start + 1)
    notes = _voices(session, chosen)
    controls = {} if end is None else _controls(session, origin, end, owners)
    tracks = [
        AddedTrack(*voice, notes.get(voice, []), _events(controls.get(voice, {}), voice.channel, start, last))
        for voice in dict.fromkeys((*notes, *controls))
    ]
    return tracks_alone(session.tempo_map, start, tracks, last)


def _voices(session: Session, chosen: Chosen) -> dict[_Voice, list[Note]]:
    voices: dict[_Voice, list[Note]] = {}
    for part, places in notes_there(session, chosen).items():
        notes: Any = part_notes(session, part)
        for note in [notes[i] for i in places]:
            voice = _voice(session, Owner(part, note.track if isinstance(note, TakeNote) else None))
            voices.setdefault(voice, []).append(_placed(session, part, note))
    return voices


def _voice(session: Session, owner: Owner) -> _Voice:
    index = owner.part if isinstance(owner.part, int) else session.find_track(owner.track)
    if index is None:
        return _Voice(session.take(str(owner.part)).name, 0)
    return _Voice(session.tracks[index].name, session.tracks[index].channel)


def _controls(session: Session, start: float, end: float, owners: Iterable[Owner]) -> dict[_Voice, dict[int, Any]]:
    """The controllers of owners by voice; those of one channel once."""
    voices: dict[_Voice, dict[int, Any]] = {}
    known: set[object] = set()
    for owner in owners:
        whose = session.tracks[owner.part].place if isinstance(owner.part, int) else owner
        values = passage(session, owner, start, end)
        if values and whose not in known:
            known.add(whose)
            of_voice = voices.setdefault(_voice(session, owner), {})
            for number, points in values.items():
                of_voice.setdefault(number, points)
    return voices


def _events(values: SpanValues, channel: int, start: int, end: int) -> list[Event]:
    """A passage as messages. Its last values come again at the end: by that it differs from the settings of a sound."""
    events: list[Event] = []
    for number, points in values.items():
        for point in (*points, Point(end - start, points[-1].value)):
            events.append((start + round(point.at), control_message(number, point.value, channel)))
    return sorted(events, key=lambda event: event[0])


def _placed(session: Session, part: Part, note: Note | TakeNote) -> Note:
    """A note of a track or take where it stands in the song."""
    if isinstance(note, Note):
        return note
    return as_score_notes([note], session.take(str(part)).marker, session.tempo_map)[0]


def parse_clip(data: bytes) -> Clip:
    """What a MIDI file from the clipboard has. Raises UnreadableInput, and UsageError where that is nothing.

    A controller that is set at its start alone stays out: that is a sound's setting.
    """
    score = parse_score(data, "The clipboard")
    scans = [scan_track(body) for body in score.chunks]
    controls: dict[_Voice, dict[int, Any]] = {}
    latest = 0
    for chunk, scan in enumerate(scans):
        of_channel: dict[int, list[Event]] = {}
        for tick, message in scan.events:
            if message[0] < SYSEX:
                of_channel.setdefault(channel_of(message), []).append((tick, message))
        for channel, events in of_channel.items():
            numbers = numbers_in(message for _, message in events) - NO_LINES
            lines = {number: _points(events, number) for number in numbers}
            if found := {number: points for number, points in lines.items() if points[-1].at > 0}:
                controls.setdefault(_voice_of(score, chunk, scan, channel), {}).update(found)
                latest = max(latest, *(int(points[-1].at) for points in found.values()))
    if not score.notes and not controls:
        raise UsageError("There are no notes on the clipboard.")
    ticks = scans[0].end_tick if score.smf_format == 1 else 0  # of tempo and metre: that of a clip ends where it does
    return Clip(score, controls, ticks if ticks >= max(latest, 1) else max(scan.end_tick for scan in scans))


def is_of_lanes(clip: Clip) -> bool:
    """Whether a clip has controllers of one track, and nothing else."""
    return not clip.notes.notes and len(clip.controls) == 1


def _points(events: Iterable[Event], number: int) -> list[Point]:
    values = ((tick, value_of(message, number)) for tick, message in events)
    return [Point(tick, value) for tick, value in values if value is not None]


def _voice_of(score: Score, chunk: int, scan: TrackScan, channel: int) -> _Voice:
    """The voice of a channel in a chunk, which need not have notes."""
    names = [track.name for track in score.tracks if (track.chunk, track.channel) == (chunk, channel)]
    names += [decode_text(meta_data(m)) for _, m in scan.events if m[0] == META and m[1] == TRACK_NAME]
    return _Voice(names[0] if names else "", channel)


def tracks_for(session: Session, clip: Clip, target: int) -> dict[_Voice, int]:
    """The tracks (indices) that the tracks of a clip go to where it is put into a track, see `paste`."""
    voices = _voices_of(clip)
    known = _known(session) if len(voices) > 1 else {}
    return {voice: known.get(voice, target) for voice in voices}


def _known(session: Session) -> dict[_Voice, int]:
    return {_Voice(track.name, track.channel): i for i, track in enumerate(session.tracks)}


def _voices_of(clip: Clip) -> set[_Voice]:
    return {_Voice(track.name, track.channel) for track in clip.notes.tracks if track.notes} | set(clip.controls)


def paste(
    session: Session, clip: Clip, at: float, target: Part, owner: Owner | None = None, front: TrackKey | None = None
) -> Edited:
    """Put a clip into a part, its start at `at` (seconds of the song); its notes are chosen then.

    In a take, a track of the clip plays on the track of the score that has its name and channel. Where a track of the
    score is in `front`, a clip of one track plays on that, and so do tracks that the score has not. Of a clip of
    several tracks that is put into a track, each goes to the one of its name and channel, if there is one. Controllers
    take the place of the same ones for as long as the clip lasts; of a clip that has nothing but those of one track
    they go to `owner`, if one is named. Raises UsageError for a part that is not there, and for a take that begins
    later.
    """
    if owner is not None and is_of_lanes(clip):
        return _with_controls(Edited(session, {}), clip, at, dict.fromkeys(clip.controls, owner))
    tracks = session.tracks
    if isinstance(target, str):
        if at < session.take(target).marker - SHORTEST_NOTE:
            raise UsageError("The take begins later: put the playhead at its marker or behind it.")
        keys = {voice: tracks[i].key for voice, i in _known(session).items()}
        voices = _voices_of(clip)
        if front is not None:
            keys = {voice: front if len(voices) == 1 else keys.get(voice, front) for voice in voices}
        new = [
            note for track in clip.notes.tracks for note in _take_notes(session, clip.notes, track, at, target, keys)
        ]
        edited = put(session, target, [], new)
        return _with_controls(edited, clip, at, {voice: Owner(target, keys.get(voice)) for voice in clip.controls})
    if not 0 <= target < len(tracks):
        raise UsageError("There is no track to paste into.")
    into = tracks_for(session, clip, target)
    by_track: dict[int, list[Note]] = {}
    for track in clip.notes.tracks:
        if track.notes:
            to = into[_Voice(track.name, track.channel)]
            by_track.setdefault(to, []).extend(_score_notes(session, clip.notes, track, at))
    chosen: dict[Part, list[int]] = {}
    for to, new in by_track.items():
        session, now = put(session, to, [], sorted(new, key=note_order))
        chosen |= now
    return _with_controls(Edited(session, chosen), clip, at, {voice: Owner(into[voice]) for voice in clip.controls})


def _with_controls(edited: Edited, clip: Clip, at: float, owners: Mapping[_Voice, Owner]) -> Edited:
    """The session with the clip's controllers, of owners that several voices come to the first of each number."""
    scale = edited.session.tempo_map.ticks_per_quarter / clip.notes.tempo_map.ticks_per_quarter
    passages: dict[Owner, dict[int, list[Point]]] = {}
    for voice, values in clip.controls.items():
        of_owner = passages.setdefault(owners[voice], {})
        for number, points in values.items():
            of_owner.setdefault(number, [point._replace(at=point.at * scale) for point in points])
    return edited._replace(session=put_passages(edited.session, at, clip.ticks * scale, passages))


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
        new.append(TakeNote(note.pitch, note.velocity, start, max(note.end - marker, start + SHORTEST_NOTE), key))
    return new
