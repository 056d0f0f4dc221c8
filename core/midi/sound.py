"""What a channel of a score sounds like at a place: program, bank, volume, pan, expression, as a synth has them there.

In time order over all tracks that play on the channel. Of a fade-out, what held before it: a take that begins behind a
fade is to be heard.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from core.midi import messages as midi
from core.midi.chase import chased, held
from core.midi.events import scan_track
from core.midi.messages import MasterVolume, Mode
from core.midi.percussion import DrumChannels, sysex_data
from core.midi.score import Place, Score

# What, with the program, makes an instrument's sound, and what a channel has before it is told.
SOUND_AT_FIRST = {
    midi.BANK_MSB: 0,
    midi.BANK_LSB: 0,
    midi.VOLUME: midi.DEFAULT_VOLUME,
    midi.PAN: midi.DEFAULT_PAN,
    midi.EXPRESSION: midi.DEFAULT_EXPRESSION,
}
_FADES = (midi.VOLUME, midi.EXPRESSION)
_FADED = 0.6  # of the value before: what falls less, or rises again, is no fade
_FEWEST_STEPS = 3  # down, unless it falls to silence
_SILENT = 12  # a value at which next to nothing is heard


def sound_at(score: Score, place: Place, tick: int) -> list[bytes]:
    """The messages that bring about what a channel has just before a tick; its pedals are up, its notes unpressed."""
    messages = _messages(score, place, tick)
    state = chased(messages)
    return [*(m for m in state if not midi.is_control(m, *midi.PEDALS, *_FADES)), *volumes(messages)]


def chosen_sound(score: Score, place: Place, tick: int) -> list[bytes]:
    """What `sound_at` tells, but for a bank that waits for the next program of the channel."""
    found = sound_at(score, place, tick)
    program = next((i for i, message in enumerate(found) if midi.kind(message) == midi.PROGRAM), 0)
    return [m for i, m in enumerate(found) if i < program or not midi.is_control(m, midi.BANK_MSB, midi.BANK_LSB)]


def sound_on(score: Score, channel: int, place: Place, tick: int) -> list[bytes]:
    """The messages that bring about on another channel what a channel has just before a tick.

    Where the file sets that up in a way of its own, nothing is taken for granted.
    """
    found = [midi.on_channel(message, channel) for message in chosen_sound(score, place, tick)]
    if channel not in set_up_channels(score):
        return found
    missing = [
        bytes((midi.CONTROL | channel, number, value))
        for number, value in SOUND_AT_FIRST.items()
        if not any(midi.is_control(message, number) for message in found)
    ]
    if not any(midi.kind(message) == midi.PROGRAM for message in found):
        missing.append(bytes((midi.PROGRAM | channel, 0)))
    return [bytes((midi.CONTROL | channel, midi.RESET_CONTROLLERS, 0)), *missing, *found]


def unfaded(score: Score, place: Place, tick: int) -> list[bytes]:
    """The messages that undo a fade-out which a channel has come to at a tick; none where there was none."""
    messages = _messages(score, place, tick)
    now = list(held(messages).values())
    return [message for message in volumes(messages) if message not in now]


def master_volume_before_fade(score: Score, tick: int) -> int | None:
    """The volume of all channels before a fade-out that has come to its end at a tick; None where there was none."""
    values = [value for at, value in _master_volumes(score.chunks) if at < tick]
    before = _before_fade([127, *values])
    return before if values and before != values[-1] else None


def set_up_channels(score: Score) -> frozenset[int]:
    """The channels that any message of the file is for."""
    return frozenset(_set_up(score.chunks)[0])


def resets(score: Score) -> Sequence[int]:
    """The ticks at which the file resets the synth (GM, GS, XG), in order: all channels lose what they had."""
    return _set_up(score.chunks)[1]


def disturbed(score: Score, place: Place, first: int, last: int) -> list[int]:
    """The ticks behind `first` up to `last` at which the file changes the sound of a channel, whoever plays on it.

    On a channel that no track plays on, those are all messages for it; on others only resets of the synth.
    """
    is_played = any(track.place == place for track in score.tracks)
    told, reset = _set_up(score.chunks)
    ticks = {*reset, *(() if is_played else told.get(place[1], ()))}
    return sorted(tick for tick in ticks if first < tick <= last)


def drum_channels(score: Score) -> frozenset[int]:
    """The channels that the file has made drum kits when it ends, whether or not anyone plays them."""
    return _drums(score.chunks)


def _messages(score: Score, place: Place, tick: int) -> list[bytes]:
    return [control.message for control in score.controls_on(place) if control.tick < tick]


def volumes(messages: Iterable[bytes]) -> list[bytes]:
    """The last volume and expression, each from before a fade."""
    histories: dict[int, list[bytes]] = {}
    for message in messages:
        if midi.is_control(message, *_FADES):
            histories.setdefault(message[1], []).append(message)
        elif midi.is_control(message, midi.RESET_CONTROLLERS):
            histories.pop(midi.EXPRESSION, None)
    defaults = {midi.VOLUME: midi.DEFAULT_VOLUME, midi.EXPRESSION: midi.DEFAULT_EXPRESSION}
    return [
        bytes((*history[-1][:2], _before_fade([defaults[number], *(m[2] for m in history)])))
        for number, history in sorted(histories.items())
    ]


def _before_fade(values: Sequence[int]) -> int:
    """The last value, or where the values end in a fade-out, the one that it began with; the first is the default."""
    low = high = len(values) - 1
    while high and values[high - 1] >= values[high]:
        high -= 1
    if high == 0 and len(values) > 1 and values[1] <= _SILENT:
        return values[0]  # never heard at all
    start = 1 if high == 0 and len(values) > 1 else high  # a file's first value is a setting, not the start of a fall
    steps = len(set(values[start : low + 1])) - 1
    fell = values[low] <= _FADED * values[start]
    is_fade = fell and (steps >= _FEWEST_STEPS or values[low] <= _SILENT)
    return values[start] if is_fade else values[low]


@lru_cache(4)
def _set_up(chunks: tuple[bytes, ...]) -> tuple[dict[int, frozenset[int]], tuple[int, ...]]:
    """By channel the ticks of what any message says to it, and the ticks of resets."""
    told: dict[int, set[int]] = {}
    reset: set[int] = set()
    for body in chunks:
        for tick, message in scan_track(body).events:
            if message[0] < midi.SYSEX:
                told.setdefault(midi.channel_of(message), set()).add(tick)
            elif message[0] == midi.SYSEX and any(isinstance(s, Mode) for s in midi.read_sysex(sysex_data(message))):
                reset.add(tick)
    return {channel: frozenset(ticks) for channel, ticks in told.items()}, tuple(sorted(reset))


@lru_cache(4)
def _drums(chunks: tuple[bytes, ...]) -> frozenset[int]:
    events = [event for body in chunks for event in scan_track(body).events]
    asked = [e for e in events if e[1][0] == midi.SYSEX or midi.is_control(e[1], midi.BANK_MSB)]
    drums = DrumChannels(sorted(asked, key=lambda event: event[0]))
    return frozenset(channel for channel in range(16) if drums.at(channel, 1 << 62))


@lru_cache(4)
def _master_volumes(chunks: tuple[bytes, ...]) -> tuple[tuple[int, int], ...]:
    """(tick, value) of all system exclusives that set it, in order of time."""
    found = [
        (tick, setting.value)
        for body in chunks
        for tick, message in scan_track(body).events
        if message[0] == midi.SYSEX
        for setting in midi.read_sysex(sysex_data(message))
        if isinstance(setting, MasterVolume)
    ]
    return tuple(sorted(found, key=lambda item: item[0]))
