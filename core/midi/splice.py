"""A stretch of some tracks taken out of a score, so that a take can play there, and the original's return behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.midi.chase import StateKey, difference, held
from core.midi.grid import is_hair
from core.midi.messages import PEDAL_DOWN, PEDALS, SOSTENUTO, SUSTAIN, is_control
from core.midi.score import Control, Note, Pedal, Place, Score, Track
from core.midi.sound import resets, volumes
from core.midi.tempo_map import TempoMap


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is taken out: of `tracks` (indices of `Score.tracks`) all from tick `start` up to `end`.

    Where `end` is None nothing of them comes back, and the tempo and metre at `start` hold from there. `struck` are
    pitches, with their channels, that a take strikes at once: what sounds of them ends there, were it by a hair.
    """

    tracks: frozenset[int]
    start: int
    end: int | None
    struck: frozenset[tuple[Place, int]] = frozenset()

    @property
    def is_nothing(self) -> bool:
        """Whether taking it out changes nothing."""
        return not self.tracks and self.end is not None

    def has(self, tick: int) -> bool:
        """Whether a tick lies in it."""
        return self.start <= tick and (self.end is None or tick < self.end)


def without(score: Score, stretch: Stretch) -> Score:
    """The score with a stretch taken out: its tracks and its tempo map; its `chunks` stay as they are.

    Notes that sound into the stretch end at its start (if by more than a hair), and pedals lift there. Channels that
    play nothing else lose their controls in it: what they had at its start holds for the take. At its end they get
    what the original had there: program, controllers, bend and pedal.
    """
    tempo_map = score.tempo_map if stretch.end is not None else score.tempo_map.until(stretch.start + 1)
    channels = replaced_channels(score, stretch)
    added = dict(seams(score, stretch))
    tracks = list(score.tracks)
    for i, track in enumerate(tracks):
        if i in stretch.tracks:
            track = replace(track, notes=tuple(_notes_around(track, stretch, tempo_map)))
        if track.place in channels:
            comes_back = _comes_back(score, stretch, track.place)
            controls = (
                *(control for control in track.controls if control.tick < stretch.start),
                *(_control(tick, message, tempo_map) for tick, message in added.get(i, ())),
                *(c for c in track.controls if c.tick >= stretch.start and not stretch.has(c.tick)),
            )
            track = replace(
                track, controls=controls, pedals=tuple(_pedals_around(track, stretch, tempo_map, comes_back))
            )
        tracks[i] = track if tempo_map is score.tempo_map else _timed(track, tempo_map)
    return replace(score, tracks=tuple(tracks), tempo_map=tempo_map)


def changed_tracks(score: Score, stretch: Stretch) -> frozenset[int]:
    """The tracks whose notes `without` changes."""
    after = without(score, stretch).tracks
    return frozenset(i for i in stretch.tracks if _spans(after[i]) != _spans(score.tracks[i]))


def is_heard_from(score: Score, track: int, tick: int) -> bool:
    """Whether a track plays at a tick or later, sounds past it by more than a hair, or has a pedal down there."""
    own = score.tracks[track]
    return any(_reaches(note, tick, score.tempo_map) for note in own.notes) or bool(
        _pedals_down(score.controls_on(own.place), tick)
    )


def _reaches(note: Note, tick: int, tempo_map: TempoMap) -> bool:
    """Whether a note begins at a tick or later, or sounds past it by more than a hair."""
    return note.end_tick > tick and (note.start_tick >= tick or not is_hair(note.end_tick - tick, tempo_map))


def _pedals_down(controls: Sequence[Control], tick: int) -> dict[StateKey, bytes]:
    """The pedals (sustain, sostenuto, soft) that are down when a tick comes, whether or not they are ever lifted."""
    now = held(control.message for control in controls if control.tick < tick)
    return {key: message for key, message in now.items() if is_control(message, *PEDALS) and message[2] >= PEDAL_DOWN}


def replaced_channels(score: Score, stretch: Stretch) -> frozenset[Place]:
    """The channels on which no other track plays there: what they do in the stretch is the take's alone."""
    inside = {score.tracks[i].place for i in stretch.tracks}
    return frozenset(place for place in inside if not plays_on(score, stretch, place))


def plays_on(score: Score, stretch: Stretch, place: Place) -> bool:
    """Whether tracks that are not replaced play on a channel where the stretch begins or later: its sound is theirs."""
    return any(
        _reaches(note, stretch.start, score.tempo_map)
        for i, track in enumerate(score.tracks)
        if track.place == place and i not in stretch.tracks
        for note in track.notes
    )


def _comes_back(score: Score, stretch: Stretch, place: Place) -> bool:
    """Whether a channel plays where a stretch ends or later."""
    end, tracks = stretch.end, [track for track in score.tracks if track.place == place]
    return end is not None and any(note.start_tick >= end for track in tracks for note in track.notes)


def pedal_comes_back(score: Score, stretch: Stretch, place: Place) -> bool:
    """Whether a channel that plays again has a pedal down where a stretch ends, which would hold what sounds there."""
    if stretch.end is None or not _comes_back(score, stretch, place):
        return False
    down = _pedals_down(score.controls_on(place), stretch.end + 1)
    return any(is_control(message, SUSTAIN, SOSTENUTO) for message in down.values())


def seams(score: Score, stretch: Stretch) -> Iterator[tuple[int, list[tuple[int, bytes]]]]:
    """What each replaced channel is sent at the edges of the stretch: (one of its tracks, [(tick, message)]).

    It is the first that goes on: what the original says at the end comes behind that, in order of the file.
    """
    for place in sorted(replaced_channels(score, stretch)):
        mine = [i for i, track in enumerate(score.tracks) if track.place == place]
        controls = score.controls_on(place)
        most = max(mine, key=lambda i: len(score.tracks[i].controls))
        is_reset = any(stretch.start < tick and stretch.has(tick) for tick in resets(score))
        yield (
            next((i for i in mine if _goes_on(score.tracks[i], stretch.start)), most),
            _seam(controls, stretch, is_reset, _comes_back(score, stretch, place)),
        )


def _goes_on(track: Track, tick: int) -> bool:
    """Whether a track says anything at a tick or later, or sounds past it."""
    return any(note.end_tick > tick for note in track.notes) or any(c.tick >= tick for c in track.controls)


def _seam(controls: Sequence[Control], stretch: Stretch, is_reset: bool, comes_back: bool) -> list[tuple[int, bytes]]:
    """The same for one channel: pedals lifted at the start, the original's state at the end.

    Where the file resets the synth between (`is_reset`), all of the state is told. What faded out before is told again:
    the take may have been made louder (see `sound_at`). Where no notes come back pedals stay up, for they would hold
    the take's last ones.
    """
    before = [c.message for c in controls if c.tick < stretch.start]
    loud = held(volumes(before))
    now = {key: message for key, message in held(before).items() if loud.get(key, message) == message}
    lifts = {key: bytes((*message[:2], 0)) for key, message in _pedals_down(controls, stretch.start).items()}
    at_start = [(stretch.start, message) for message in lifts.values()]
    if stretch.end is None:
        return at_start
    end = stretch.end
    wanted = held(c.message for c in controls if c.tick < end)
    if not comes_back:
        wanted = {key: bytes((*m[:2], 0)) if is_control(m, *PEDALS) else m for key, m in wanted.items()}
    return at_start + [(end, message) for message in difference({} if is_reset else now | lifts, wanted)]


def _notes_around(track: Track, stretch: Stretch, tempo_map: TempoMap) -> Iterator[Note]:
    for note in track.notes:
        if stretch.has(note.start_tick):
            continue
        over = note.end_tick - stretch.start
        ends = not is_hair(over, tempo_map) or (track.place, note.pitch) in stretch.struck
        if note.start_tick < stretch.start and over > 0 and ends:
            note = replace(note, end=tempo_map.seconds(stretch.start), end_tick=stretch.start)
        yield note


def _pedals_around(track: Track, stretch: Stretch, tempo_map: TempoMap, comes_back: bool) -> Iterator[Pedal]:
    for pedal in track.pedals:
        if pedal.start_tick < stretch.start:
            end = min(pedal.end_tick, stretch.start)
            yield replace(pedal, end=tempo_map.seconds(end), end_tick=end)
        if stretch.end is not None and comes_back and pedal.end_tick > stretch.end:
            start = max(pedal.start_tick, stretch.end)
            yield replace(pedal, start=tempo_map.seconds(start), start_tick=start)


def _control(tick: int, message: bytes, tempo_map: TempoMap) -> Control:
    return Control(tempo_map.seconds(tick), tick, message)


def _timed(track: Track, tempo_map: TempoMap) -> Track:
    """A track in the seconds of another tempo map."""
    at = tempo_map.seconds
    return replace(
        track,
        notes=tuple(replace(n, start=at(n.start_tick), end=at(n.end_tick)) for n in track.notes),
        pedals=tuple(replace(p, start=at(p.start_tick), end=at(p.end_tick)) for p in track.pedals),
        controls=tuple(replace(c, time=at(c.tick)) for c in track.controls),
    )


def _spans(track: Track) -> list[tuple[int, int]]:
    return [(note.start_tick, note.end_tick) for note in track.notes]
