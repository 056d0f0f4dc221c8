"""Where a take lies in its song: what of the score plays around it, and on which track each of its notes goes.

The one place that says so: what is played, live or not, written as MIDI, rendered as sound and made part of the score
are all laid out from an `Arrangement`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

from core.midi.chase import StateKey, difference, held
from core.midi.controllers import control_message
from core.midi.events import Event
from core.midi.grid import is_hair
from core.midi.messages import on_channel
from core.midi.ports import second_kits, wire_channels
from core.midi.score import Note, Score, TakeNote, Track, TrackKey
from core.midi.sound import sound_at, sound_on
from core.midi.splice import Stretch, is_heard_from, pedal_comes_back, plays_on, without
from core.midi.tempo_map import TempoMap
from core.midi.write import TakeVoice, blank_score, free_channels, take_voice
from core.session.session import RestOfSong, Session, TakeRecord

_HAIR = 1e-6  # seconds by which a note that begins at a take's end may seem to begin before it


class TakePart(NamedTuple):
    """One track of a take: the index of the score's track it plays on (None: one of its own), its voice and name."""

    track: int | None
    voice: TakeVoice
    name: str


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A song with a take in it, or without one.

    `score` is what the song's own tracks play, from its start to its end, in the tempo map that holds: without what the
    take replaces. `stretch` is what was taken out. `notes` are the take's by its parts, in order of their start, in
    score seconds and ticks; `controls` its pedals and other controllers, as (tick, message), with what ends them.
    `start` is where the take begins, in score seconds.
    """

    score: Score
    start: float = 0.0
    stretch: Stretch | None = None
    notes: Mapping[TakePart, tuple[Note, ...]] = field(default_factory=dict)
    controls: Mapping[TakePart, tuple[Event, ...]] = field(default_factory=dict)


def arrangement(
    session: Session, take: TakeRecord | None, used: Collection[int] = (), also: Collection[TrackKey] = ()
) -> Arrangement:
    """The session's song with this take in it, or with none.

    Parts that play on channels of their own keep away from those that are `used`, as long as there are others. The take
    is `also` to play on these tracks, though it has no notes there yet.
    """
    score = session.score or blank_score()
    if take is None:
        return Arrangement(score)
    stretch = take_stretch(session, take, also)
    around = score if stretch.is_nothing else without(score, stretch)
    parts = take_parts(session, take, used)
    notes = _notes(parts, score, around.tempo_map, take, stretch)
    controls = _controls(parts, score, around.tempo_map, take, stretch, notes)
    notes = {part: () for part in controls} | notes
    return Arrangement(around, take.marker, stretch, notes, controls)


def take_stretch(session: Session, take: TakeRecord, also: Collection[TrackKey | None] = ()) -> Stretch:
    """What a take replaces of the score; it is `also` to play on these tracks, though it has no notes there yet."""
    tempo_map = session.tempo_map
    start = tempo_map.tick(take.marker)
    end = tempo_map.tick(take.marker + take_length(take, tempo_map))
    if take.rest == "beside" or session.score is None:
        return Stretch(frozenset(), start, end)
    known = {track.key: i for i, track in enumerate(session.tracks)}
    wanted = session.prompt_indices if take.replaces is None else [known[k] for k in take.replaces if k in known]
    named = {*also, *(note.track for note in take.notes), *(control.track for control in take.controls)}
    played = {known[key] for key in named if key in known}
    tracks = session.tracks
    places = {tracks[i].place for i in wanted if i in played or is_heard_from(session.score, i, start)}
    # Those that have ended, too, where they share a channel with others: what it does is the take's alone then.
    replaced = frozenset(i for i in wanted if tracks[i].place in places)
    at_once = takewhile(lambda n: is_hair(tempo_map.tick(take.marker + n.start) - start, tempo_map), take.notes)
    struck = frozenset((tracks[known[n.track]].place, n.pitch) for n in at_once if n.track in known)
    return Stretch(replaced, start, None if take.rest == "rest" else end, struck)


def take_length(take: TakeRecord, tempo_map: TempoMap) -> float:
    """Where a take ends, in seconds from its marker: at its `end`; where notes were put behind that, on the bar line
    behind the last of them. Without an end, or without bars for that, as long as it lasts.
    """
    last = take.notes[-1].start if take.notes else 0.0
    if take.end and last < take.end - _HAIR:
        return take.end
    if not take.end or not tempo_map.has_metre:
        return take.seconds
    return tempo_map.seconds(tempo_map.next_bar_tick(tempo_map.tick(take.marker + last) + 1)) - take.marker


def playing_tracks(session: Session) -> tuple[int, ...]:
    """The tracks (indices) that a take is to play on, as the settings say; none for a track of its own."""
    into, prompt = session.settings.into, session.prompt_indices
    if into == "one":
        return ()
    if into != "auto":
        chunk, channel = map(int, into.split(":"))
        track = session.find_track((chunk, channel))
        if track is not None and not session.tracks[track].is_percussion:
            return (track,)
    return prompt if len(prompt) > 1 else ()


def tracks_to_play_into(session: Session) -> list[tuple[str, str]]:
    """The tracks that a take can play into alone: (the setting `into` for it, its name), drums left out."""
    return [("{}:{}".format(*t.key), t.name) for t in session.tracks if not t.is_percussion]


def continued_tracks(session: Session) -> tuple[int, ...]:
    """The tracks (indices) that are the prompt: those in it, or the one that the take is to play into alone."""
    playing = playing_tracks(session)
    return playing if len(playing) == 1 else session.prompt_indices


def pitch_range(session: Session) -> tuple[int, int]:
    """The lowest and highest pitch of a take: the settings', and of a track that it plays into alone, that track's own.

    Where the two have nothing in common the settings' hold.
    """
    low, high = session.settings.low, session.settings.high
    playing = playing_tracks(session)
    if len(playing) != 1:
        return low, high
    notes = session.tracks[playing[0]].notes
    own = [note.pitch for note in notes if note.start < session.marker] or [note.pitch for note in notes]
    return narrowed(low, high, own)


def narrowed(low: int, high: int, pitches: Collection[int]) -> tuple[int, int]:
    """The range of some pitches, as far as it lies within `low` to `high`; where none of it does, `low` to `high`."""
    lowest, highest = max(low, min(pitches, default=low)), min(high, max(pitches, default=high))
    return (lowest, highest) if lowest <= highest else (low, high)


def tempo_map_of(score: Score | None, marker: float, rest: RestOfSong) -> TempoMap:
    """The tempo map under a take at the marker (score seconds): the score's, or what holds at the marker for ever."""
    tempo_map = (score or blank_score()).tempo_map
    return tempo_map.until(tempo_map.tick(marker) + 1) if rest == "rest" else tempo_map


def bars_in_seconds(tempo_map: TempoMap, marker: float, bars: float) -> float:
    """Seconds from the marker to the bar line that lies about so many bars on; parts of a bar count as such."""
    start = tempo_map.tick(marker)
    first = tempo_map.bar_beat(start)[0]
    begun = tempo_map.bar_tick(first)
    place = first + (start - begun) / (tempo_map.bar_tick(first + 1) - begun) + bars
    if bars == int(bars):
        place = max(round(place), first + 1)
    whole = int(place)
    end = tempo_map.bar_tick(whole)
    end += round((place - whole) * (tempo_map.bar_tick(whole + 1) - end))
    return tempo_map.seconds(end) - marker


def end_on_bar_line(tempo_map: TempoMap, marker: float, seconds: float) -> float:
    """Where a take of so many seconds ends, in seconds from the marker: on the next bar line, if there are any."""
    if not tempo_map.has_metre:
        return seconds
    return tempo_map.seconds(tempo_map.next_bar_tick(tempo_map.tick(marker + seconds))) - marker


def as_score_notes(notes: Sequence[TakeNote], marker: float, tempo_map: TempoMap) -> list[Note]:
    """Notes of a take from the marker (score seconds) on, in score seconds and ticks, as long as they are."""
    starts, ends = [marker + note.start for note in notes], [marker + note.end for note in notes]
    ticks = tempo_map.ticks_array(starts).tolist(), tempo_map.ticks_array(ends).tolist()
    return list(map(Note, [n.pitch for n in notes], [n.velocity for n in notes], starts, ends, *ticks))


def take_parts(
    session: Session, take: TakeRecord, used: Collection[int] = (), also: Collection[TrackKey | None] = ()
) -> dict[TrackKey | None, TakePart]:
    """The parts that a take has, by the track that its notes name, and those for tracks that it is `also` to play on.

    Notes that name no track, or one that is gone, are of the part None, which has a voice of its own.
    """
    score = session.score or blank_score()
    named = {note.track for note in take.notes} | {control.track for control in take.controls} | set(also)
    stretch, tick = take_stretch(session, take, also), score.tempo_map.tick(take.marker)

    def in_song(voice: TakeVoice) -> TakeVoice:
        place = voice.port, voice.channel
        return voice._replace(is_in_use=voice.is_shared and plays_on(score, stretch, place))

    own = in_song(take_voice(score, session.prompt_indices, take.marker, used))
    parts: dict[TrackKey | None, TakePart] = {None: TakePart(None, own, take.name)}
    taken = {*used, own.channel} if None in named else set(used)
    for i, track in enumerate(score.tracks):
        if track.key not in named:
            continue
        if take.rest == "beside" and not track.is_percussion:  # drums are drums on their own channel alone
            free = [channel for channel in free_channels(score, track.port) if channel not in taken]
            channel = free[0] if free else track.channel
            taken.add(channel)
            setup = sound_on(score, channel, track.place, tick) if free else track_setup(score, i, take.marker)
            voice = in_song(TakeVoice(channel, tuple(setup), not free, track.port))
            parts[track.key] = TakePart(None, voice, track.name)
        else:
            voice = in_song(TakeVoice(track.channel, tuple(track_setup(score, i, take.marker)), True, track.port))
            parts[track.key] = TakePart(i, voice, track.name)
    return parts


def wire_voice(score: Score, part: TakePart) -> TakeVoice:
    """The voice of a part where it is sounded, not written: on one port (see `wire_channels`)."""
    wire = wire_channels(score)
    voice = part.voice
    if part.track is None:
        return voice._replace(is_shared=voice.is_shared or voice.channel in wire.values())
    place = score.tracks[part.track].place
    setup = () if place in second_kits(score) else voice.setup
    channel = wire[place]
    return voice._replace(channel=channel, setup=tuple(on_channel(message, channel) for message in setup))


def track_setup(score: Score, track: int, marker: float) -> list[bytes]:
    """What the channel of a track has at the marker (score seconds): program, controllers, bend; its pedals are up."""
    return sound_at(score, score.tracks[track].place, score.tempo_map.tick(marker))


def _notes(
    parts: Mapping[TrackKey | None, TakePart], score: Score, tempo_map: TempoMap, take: TakeRecord, stretch: Stretch
) -> dict[TakePart, tuple[Note, ...]]:
    """The take's notes by part, placed; they ring out a bar at most, and no longer than until the track plays again."""
    starts = tempo_map.ticks_array([take.marker + note.start for note in take.notes]).tolist()
    ends = tempo_map.ticks_array([take.marker + note.end for note in take.notes]).tolist()
    placed: dict[TakePart, list[Note]] = {}
    latest: dict[TakePart, int | None] = {}
    again: dict[TakePart, dict[int, int]] = {}
    for note, first, last in zip(take.notes, starts, ends, strict=True):
        part = parts.get(note.track) or parts[None]
        if part not in latest:
            latest[part] = _latest_end(tempo_map, score, part, take, stretch)
            again[part] = _struck_again(score, part, stretch)
        first = max(first, stretch.start)
        limit, struck = latest[part], again[part].get(note.pitch)
        if limit is not None:
            last = min(last, limit)
        if struck is not None:  # in a file, an end at that very tick may come behind it
            last = min(last, struck - 1)
        last = max(last, first + 1)
        seconds = tempo_map.seconds(first), tempo_map.seconds(last)
        placed.setdefault(part, []).append(Note(note.pitch, note.velocity, *seconds, first, last))
    return {part: tuple(notes) for part, notes in placed.items()} or {parts[None]: ()}


def _struck_again(score: Score, part: TakePart, stretch: Stretch) -> dict[int, int]:
    """The ticks from a stretch's end on at which pitches are struck first on the channel of a part of the song."""
    if part.track is None or stretch.end is None:
        return {}
    place = score.tracks[part.track].place
    notes = (n for t in score.tracks if t.place == place for n in t.notes if n.start_tick >= stretch.end)
    return {note.pitch: note.start_tick for note in sorted(notes, key=attrgetter("start_tick"), reverse=True)}


def _controls(
    parts: Mapping[TrackKey | None, TakePart],
    score: Score,
    tempo_map: TempoMap,
    take: TakeRecord,
    stretch: Stretch,
    notes: Mapping[TakePart, tuple[Note, ...]],
) -> dict[TakePart, tuple[Event, ...]]:
    """The take's controllers by part, as (tick, message).

    Where a track's own notes come back, its channel gets back what the score has there; else pedals are lifted, and the
    like, when the take's last note has ended.
    """
    placed: dict[TakePart, list[Event]] = {}
    for control in take.controls:
        part = parts.get(control.track) or parts[None]
        tick = max(tempo_map.tick(take.marker + control.at), stretch.start)
        if part.track is None or stretch.end is None or tick < stretch.end:
            message = control_message(control.number, control.value, part.voice.channel)
            placed.setdefault(part, []).append((tick, message))
    for part, events in placed.items():
        end = max([events[-1][0], *(note.end_tick for note in notes.get(part, ()))])
        wanted: dict[StateKey, bytes] = {}
        if part.track is not None and stretch.end is not None:
            end, place = stretch.end, score.tracks[part.track].place
            wanted = held(control.message for control in score.controls_on(place) if control.tick <= end)
        now = held(message for _, message in events)
        events += [(end, m) for m in difference(now, {key: m for key, m in wanted.items() if key in now})]
    return {part: tuple(events) for part, events in placed.items()}


def _latest_end(tempo_map: TempoMap, score: Score, part: TakePart, take: TakeRecord, stretch: Stretch) -> int | None:
    """The tick that the notes of a take may sound to; None: as long as they are."""
    limits: list[int] = []
    if take.end:
        limits.append(latest_ring(tempo_map, tempo_map.tick(take.marker + take_length(take, tempo_map))))
    if part.track is not None and (until := rings_until(score, score.tracks[part.track], stretch)) is not None:
        limits.append(until)
    return min(limits, default=None)


def latest_ring(tempo_map: TempoMap, end: int) -> int:
    """The tick until which the last notes of a take that ends at a tick may ring out: a bar at most."""
    return tempo_map.bar_around(end)[1]


def rings_until(score: Score, track: Track, stretch: Stretch) -> int | None:
    """The tick that notes of a take on a track may sound to; None if nothing comes back behind it.

    That is where the track's own notes do. A pedal of the channel that is down where the stretch ends would hold the
    take's as well: they end before.
    """
    if stretch.end is not None and pedal_comes_back(score, stretch, track.place):
        return stretch.end - 1
    return returns_at(track, stretch)


def returns_at(track: Track, stretch: Stretch) -> int | None:
    """The tick at which a track's own notes come back behind a stretch; None if none do."""
    if stretch.end is None:
        return None
    return next((note.start_tick for note in track.notes if note.start_tick >= stretch.end), None)
