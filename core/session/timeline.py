"""A session -> timed messages for the player: prompt, take or both, from any place on."""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Literal

from core.midi.chase import chased, chooses_sound, ends_notes
from core.midi.messages import (
    CONTROL,
    DEFAULT_RELEASE,
    NOTE_OFF,
    NOTE_ON,
    PEDAL_DOWN,
    RESET_CONTROLLERS,
    SUSTAIN,
    channel_of,
    is_control,
    kind,
    on_channel,
)
from core.midi.ports import second_kits, wire_channels
from core.midi.score import PERCUSSION_CHANNEL, Note, Place, Score, TrackKey
from core.midi.tempo_map import TempoMap
from core.session.arrangement import Arrangement, TakePart, arrangement, wire_voice
from core.session.session import Session, TakeRecord

What = Literal["prompt", "take", "both"]
Timed = tuple[float, bytes]  # (score seconds, the bytes of one MIDI message): the player's `Message`

BAR_CLICK, BEAT_CLICK = (76, 110), (77, 80)  # GM high and low wood block, and velocity
CLICK_LENGTH = 0.05  # seconds
CLOSEST_CLICKS = 0.06  # seconds: beats that come faster than this are not clicked

# Ranks of messages at one time. Where tracks share a channel, what one of them plays comes before what the next says,
# as in a file; and a take behind all of them.
_CONTROL, _OFF, _ON, _OFF_AFTER_ON = range(4)
_NEXT_TRACK = 4
_Ranked = tuple[float, int, bytes]


def timeline(
    session: Session,
    what: What = "both",
    start: float = 0.0,
    end: float | None = None,
    *,
    take: TakeRecord | None = None,
    channel: int | None = None,
    programs: bool = True,
    metronome: bool = False,
    also: Collection[TrackKey] = (),
    least: float = 0.0,
) -> list[Timed]:
    """The messages that play [start, end), in order of time; `end` None plays all there is.

    "prompt" is the whole score; "both" the song with the take in it (default: the current one; the whole score if there
    is none), as `arrangement` lays it out; "take" the take alone. Mute and solo go for tracks, and for what a take
    plays on them; what it plays on a track of its own is always heard. Controls and programs before `start` come at
    `start`; notes that began before it are left out, those that sound at `end` end there. `channel` (0 to 15) puts all
    but percussion on one channel; without `programs`, program and bank changes are left out. Notes of a loop: one
    call with its start and end. A take that is not sampled yet is `also` to play on these tracks, and lasts until
    `least`.
    """
    take = take or session.current_take
    song = arrangement(session, take if what != "prompt" else None, also=also)
    limit = max(_range(song, what, take)[1], start, least) if end is None else end
    # All there is: a note without length may lie at the very end, or controls of a song that has no more notes there.
    last = math.nextafter(limit, math.inf) if end is None else limit
    ranked: list[_Ranked] = []
    audible = session.audible_tracks
    if what != "take":
        ranked += _score(song.score, audible, start, limit, last)
    if what != "prompt" and take:
        ranked += _take(song, audible if what == "both" else None, start, limit, last)
    if channel is not None or not programs:
        ranked = list(_redirected(ranked, channel, programs))
    if metronome:
        beats = clicks(session.tempo_map, start, limit)
        ranked += ((time, _ON if kind(message) == NOTE_ON else _OFF, message) for time, message in beats)
    ranked.sort(key=itemgetter(0, 1))
    return [(time, message) for time, _, message in ranked]


def playing_range(session: Session, what: What) -> tuple[float, float]:
    """Where `timeline` begins and ends of itself, in score seconds; a take alone begins at its marker."""
    take = session.current_take
    return _range(arrangement(session, take if what != "prompt" else None), what, take)


def _range(song: Arrangement, what: What, take: TakeRecord | None) -> tuple[float, float]:
    if what == "prompt" or take is None:
        return 0.0, 0.0 if what == "take" else song.score.end
    take_end = max((note.end for notes in song.notes.values() for note in notes), default=take.marker)
    return (take.marker, take_end) if what == "take" else (0.0, max(take_end, song.score.end))


def clicks(tempo_map: TempoMap, start: float, end: float) -> Iterator[Timed]:
    """A metronome on channel 10 over [start, end): the bar's first beat higher, the others lower."""
    last = -CLOSEST_CLICKS
    bar = tempo_map.bar_beat(tempo_map.tick(start))[0]
    while (low := tempo_map.bar_tick(bar)) < tempo_map.exact_tick(end):
        high = tempo_map.bar_tick(bar + 1)
        beats = min(tempo_map.metre_at(low).numerator, high - low)
        for beat in range(beats):
            time = tempo_map.seconds(low + round(beat * (high - low) / beats))
            if start <= time < end and time - last >= CLOSEST_CLICKS:
                pitch, velocity = BEAT_CLICK if beat else BAR_CLICK
                yield time, bytes((NOTE_ON | PERCUSSION_CHANNEL, pitch, velocity))
                yield min(time + CLICK_LENGTH, end), bytes((NOTE_OFF | PERCUSSION_CHANNEL, pitch, DEFAULT_RELEASE))
                last = time
        # In a tempo too fast to click, go on where the next click may come.
        bar = max(bar + 1, tempo_map.bar_beat(tempo_map.tick(last + CLOSEST_CLICKS))[0])


# Score and take


def _score(score: Score, audible: Collection[int], start: float, end: float, last: float) -> Iterator[_Ranked]:
    """The audible tracks over [start, end), with the controls of their channels; what begins comes before `last`."""
    if last <= start:
        return
    tracks = [score.tracks[i] for i in audible]
    wire = wire_channels(score)
    places = {track.place for track in tracks} - second_kits(score)
    channels = {wire[place] for place in places}
    ranks = _ranks(score)
    controls = _controls(score, places, wire, ranks)
    place = bisect_left(controls, start, key=itemgetter(0))
    for message in chased(message for _, _, message in controls[:place]):
        yield start, _CONTROL, message
    for ranked in controls[place : bisect_left(controls, last, key=itemgetter(0))]:
        if not ends_notes(ranked[2]):
            yield ranked
    for i in audible:
        yield from _notes(score.tracks[i].notes, wire[score.tracks[i].place], start, last, ranks[i])
    for channel in sorted(channels):  # a pedal that is down at the end would hold the last notes for ever
        if _is_pedal_down(channel, (message for time, _, message in controls if time < last)):
            yield end, _last_rank(score) + _OFF, bytes((CONTROL | channel, SUSTAIN, 0))


def _controls(
    score: Score, places: Collection[Place], wire: Mapping[Place, int], ranks: Sequence[int]
) -> list[_Ranked]:
    """The controls of these channels, in order of time."""
    controls: list[_Ranked] = []
    count = Counter(track.place for track in score.tracks)
    played: dict[Place, set[float]] = defaultdict(set)  # when the tracks before play notes
    for track, rank in zip(score.tracks, ranks, strict=True):
        if track.place not in places:
            continue
        for control in track.controls:
            behind = rank if control.time in played[track.place] else 0
            controls.append((control.time, behind + _CONTROL, on_channel(control.message, wire[track.place])))
        if count[track.place] > 1:
            played[track.place].update(note.start for note in track.notes)
    return sorted(controls, key=itemgetter(0))


def _ranks(score: Score) -> list[int]:
    """What is added to the ranks of what each track plays, and of what it says behind that."""
    before: Counter[Place] = Counter()
    ranks: list[int] = []
    for track in score.tracks:
        ranks.append(before[track.place] * _NEXT_TRACK)
        before[track.place] += 1
    return ranks


def _last_rank(score: Score) -> int:
    """What is added to the ranks of what comes behind all tracks."""
    return len(score.tracks) * _NEXT_TRACK


def _notes(notes: Sequence[Note], channel: int, start: float, end: float, rank: int) -> Iterator[_Ranked]:
    on, off = NOTE_ON | channel, NOTE_OFF | channel
    for note in notes[bisect_left(notes, start, key=lambda n: n.start) :]:
        if note.start >= end:
            break
        yield note.start, rank + _ON, bytes((on, note.pitch, note.velocity))
        # The end of a note without length must not come before its beginning.
        ends = _OFF if note.end > note.start else rank + _OFF_AFTER_ON
        yield min(note.end, end), ends, bytes((off, note.pitch, note.release))


def _take(
    song: Arrangement, audible: Collection[int] | None, start: float, end: float, last: float
) -> Iterator[_Ranked]:
    """The take over [start, end), with what sets up its sounds: at the start unless their channels are shared.

    Its notes begin before `last`. `audible` are the song's tracks that are heard with it; None for a take alone.
    """
    for part, notes in song.notes.items():
        if part.track is not None and audible is not None and part.track not in audible:
            continue
        if not notes and part not in song.controls:  # nothing to set up: others may play on that channel
            continue
        voice = wire_voice(song.score, part)
        ready = max(start, song.start) if voice.is_shared else start
        for message in voice.setup if audible is None else voice.setup_in_song:
            yield ready, _CONTROL, message
        yield from _take_controls(song, part, voice.channel, start, end)
        yield from _notes(notes, voice.channel, start, last, _last_rank(song.score))


def _take_controls(song: Arrangement, part: TakePart, channel: int, start: float, end: float) -> Iterator[_Ranked]:
    """The pedals and other controllers of a part of a take over [start, end), on a channel."""
    seconds = song.score.tempo_map.seconds
    controls = [(seconds(tick), on_channel(message, channel)) for tick, message in song.controls.get(part, ())]
    for message in chased(message for time, message in controls if time < start):
        yield start, _CONTROL, message
    for time, message in controls:
        if start <= time < end:
            yield time, _CONTROL, message
        elif time == end:  # with the last note: what ends them
            yield time, _OFF, message
    if _is_pedal_down(channel, (message for time, message in controls if time <= end)):
        yield end, _OFF, bytes((CONTROL | channel, SUSTAIN, 0))


# Controls


def _is_pedal_down(channel: int, messages: Iterable[bytes]) -> bool:
    down = False
    for message in messages:
        if channel_of(message) == channel and is_control(message, SUSTAIN, RESET_CONTROLLERS):
            down = message[1] == SUSTAIN and message[2] >= PEDAL_DOWN
    return down


def redirected(message: bytes, channel: int | None) -> bytes:
    """A channel message on this channel, unless it is percussion's; None: on its own."""
    return message if channel is None or channel_of(message) == PERCUSSION_CHANNEL else on_channel(message, channel)


def _redirected(ranked: Iterable[_Ranked], channel: int | None, programs: bool) -> Iterator[_Ranked]:
    """All but percussion on one channel; without programs and banks if they are not wanted."""
    for time, rank, message in ranked:
        if programs or not chooses_sound(message):
            yield time, rank, redirected(message, channel)
