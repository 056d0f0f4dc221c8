"""Drums go on: behind the last bar that a song's drums play, their pattern repeats, fills at their place in the phrase.

Everything is counted in bars of the tempo map: a repeated hit stands as many ticks behind its bar line as the hit that
it repeats; a hit that is played a hair before a bar line belongs to that. The pattern is found by comparing the last
bars with each other: the shortest period (1, 2, 4 or 8 bars) that explains them. A bar unlike the others at the end of
a phrase is a fill: it is no part of the pattern, and comes again at the end of the phrases that follow. Where the drums
stop within a bar, the pattern goes on there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.midi.score import Note, Track
from core.midi.tempo_map import TempoMap

_PERIODS = (1, 2, 4, 8)
_PHRASES = (4, 8, 16)
_MOST_BARS = 32  # at the end, among which the pattern is sought
_ALIKE = 0.75  # from this similarity on, two bars are the same
_UNLIKE = 0.6  # below, a bar may be a fill
_EXPLAINED = 0.75  # share of the bars that a period must explain
_NEAR = 1 / 8  # of a quarter: hits no further apart are the same hit
_EARLY = 1 / 12  # of a quarter: what comes no more before a bar line is played early
_LONGEST_SILENCE = 4  # bars before the marker; drums that stopped earlier stay silent


class Hit(NamedTuple):
    """A note of a drum track, by its distance from its bar line, which is below 0 for one that is played early.

    `track` is an index, lengths are in ticks.
    """

    offset: int
    pitch: int
    velocity: int
    length: int
    track: int


class DrumNote(NamedTuple):
    """A repeated hit: the index of the track (of those given) that plays it, and the note."""

    track: int
    note: Note


@dataclass(frozen=True, slots=True)
class DrumPattern:
    """What drums repeat: bar `first_bar + k` plays `bars[k % len(bars)]`, or `fill` if it ends a phrase.

    `first_bar` is the bar of the tempo map that phrases are counted from; `phrase` is 0 without a fill. `stops` is the
    bar line (tick) at which the drums of the file stop, `final` their last hits, as (tick, pitch).
    """

    first_bar: int
    bars: tuple[tuple[Hit, ...], ...]
    phrase: int
    fill: tuple[Hit, ...]
    stops: int
    final: tuple[tuple[int, int], ...]

    def hits(self, bar: int) -> tuple[Hit, ...]:
        """What is played in a bar of the tempo map."""
        k = bar - self.first_bar
        if self.phrase and k % self.phrase == self.phrase - 1:
            return self.fill
        return self.bars[k % len(self.bars)]


def is_drums_alone(tracks: Sequence[Track]) -> bool:
    """Whether all that the tracks play is drums: a prompt that no model can go on from."""
    playing = [track for track in tracks if track.notes]
    return bool(playing) and all(track.is_percussion for track in playing)


def repeat_drums(tracks: Sequence[Track], tempo_map: TempoMap, marker: int, end: int) -> list[DrumNote]:
    """The hits that go on from where the drums of the tracks stop, in [marker, end) (ticks), in order of onset.

    The tracks' own drums behind the marker are left to play where there are any; none of them is returned. No hit
    sounds past `end`. Nothing is returned where no track is drums, or where they stopped some bars before the marker.
    """
    pattern = find_pattern(tracks, tempo_map)
    if pattern is None or _bars_between(tempo_map, pattern.stops, marker) > _LONGEST_SILENCE:
        return []
    # Where the file's drums stop within a bar the pattern goes on there.
    start = max(marker, pattern.final[-1][0] + 1)
    notes = []
    bar = tempo_map.bar_beat(start)[0]
    while (line := tempo_map.bar_tick(bar)) < end:
        following = tempo_map.bar_tick(bar + 1)
        for hit in pattern.hits(bar):
            onset = line + hit.offset
            if hit.offset < 0 and line >= start:
                onset = max(onset, start)
            if start <= onset < min(following, end) and not _is_played(pattern, hit.pitch, onset, tempo_map):
                release = min(onset + hit.length, end)
                times = tempo_map.seconds(onset), tempo_map.seconds(release)
                notes.append(DrumNote(hit.track, Note(hit.pitch, hit.velocity, *times, onset, release)))
        bar += 1
    return sorted(notes, key=lambda n: (n.note.start_tick, n.track, n.note.pitch))


def _is_played(pattern: DrumPattern, pitch: int, onset: int, tempo_map: TempoMap) -> bool:
    """Whether one of the file's final hits is the pattern's hit at this onset: no other one is nearer to it."""
    near = _near(tempo_map)
    played = [tick for tick, key in pattern.final if key == pitch and abs(tick - onset) <= near]
    if not played:
        return False
    bar = tempo_map.bar_beat(onset)[0]
    lines = {each: tempo_map.bar_tick(each) for each in range(max(0, bar - 1), bar + 2)}
    onsets = [lines[each] + hit.offset for each in lines for hit in pattern.hits(each) if hit.pitch == pitch]
    return any(abs(tick - onset) <= min(abs(tick - other) for other in onsets) for tick in played)


def _bars_between(tempo_map: TempoMap, first: int, second: int) -> int:
    return tempo_map.bar_beat(second)[0] - tempo_map.bar_beat(first)[0]


def find_pattern(tracks: Sequence[Track], tempo_map: TempoMap) -> DrumPattern | None:
    """The pattern of the last bars that the drums of these tracks play; None if there are no drums."""
    bars = _bars(tracks, tempo_map)
    if not bars:
        return None
    last = max(bars)
    final = tuple((tempo_map.bar_tick(bar) + h.offset, h.pitch) for bar in (last - 1, last) for h in bars.get(bar, ()))
    if last - 1 in bars and all(hit.offset < 0 for hit in bars[last]):
        last -= 1  # a bar of which nothing is played but what comes early is none yet
    first = _first_alike(bars, tempo_map, last)
    played = [tuple(bars.get(bar, ())) for bar in range(first, last + 1)]
    near = _near(tempo_map)
    stops = tempo_map.bar_tick(last + 1)
    found: list[tuple[float, DrumPattern]] = []
    for period in _PERIODS:
        if period > 1 and 2 * period > len(played):
            break
        share, pattern = _explain(played, period, near)
        found.append((share, DrumPattern(first, *pattern, stops, final)))
    best = max(share for share, _ in found)
    if best >= _EXPLAINED:
        return next(pattern for share, pattern in found if share >= best - 0.05)
    # No bar comes twice: the last ones as they are.
    period = max(period for period in _PERIODS if period <= len(played))
    return DrumPattern(last + 1 - period, tuple(played[-period:]), 0, (), stops, final)


def _near(tempo_map: TempoMap) -> int:
    return max(1, round(tempo_map.ticks_per_quarter * _NEAR))


def _bars(tracks: Sequence[Track], tempo_map: TempoMap) -> dict[int, list[Hit]]:
    """The hits of all drum tracks by bar."""
    bars: dict[int, list[Hit]] = defaultdict(list)
    early = int(tempo_map.ticks_per_quarter * _EARLY)
    for index, track in enumerate(tracks):
        if track.is_percussion:
            for note in track.notes:
                bar = tempo_map.bar_beat(note.start_tick + early)[0]
                offset = note.start_tick - tempo_map.bar_tick(bar)
                length = max(1, note.end_tick - note.start_tick)
                bars[bar].append(Hit(offset, note.pitch, note.velocity, length, index))
    return {bar: sorted(hits) for bar, hits in bars.items()}


def _first_alike(bars: dict[int, list[Hit]], tempo_map: TempoMap, last: int) -> int:
    """The first of the last bars among which the pattern is sought: of one length, and no longer pause between."""
    length = tempo_map.bar_tick(last + 1) - tempo_map.bar_tick(last)
    first, silent = last, 0
    for bar in range(last - 1, -1, -1):
        silent = 0 if bar in bars else silent + 1
        if silent > 2 or abs(tempo_map.bar_tick(bar + 1) - tempo_map.bar_tick(bar) - length) > 1:
            break
        if not silent:
            first = bar
    # Whole phrases are left out, so that the others still end where they did.
    longest = _PHRASES[-1]
    return first + max(0, last + 1 - first - _MOST_BARS + longest - 1) // longest * longest


def _explain(
    played: Sequence[tuple[Hit, ...]], period: int, near: int
) -> tuple[float, tuple[tuple[tuple[Hit, ...], ...], int, tuple[Hit, ...]]]:
    """How large a share of the bars a period explains, fills included; and bars, phrase and fill of the pattern."""
    chosen: list[tuple[Hit, ...]] = []
    alike = [0.0] * len(played)  # similarity of each bar to the typical one of its place in the period
    for phase in range(period):
        members = range(phase, len(played), period)
        typical = max(members, key=lambda k: sum(_similarity(played[k], played[j], near) for j in members))
        for k in members:
            alike[k] = _similarity(played[k], played[typical], near)
        chosen.append(played[max(k for k in members if alike[k] >= _ALIKE)])
    phrase = _phrase([k for k, value in enumerate(alike) if value < _UNLIKE], len(played), period)
    is_fill = [bool(phrase) and k % phrase == phrase - 1 and alike[k] < _ALIKE for k in range(len(played))]
    fill = next((played[k] for k in reversed(range(len(played))) if is_fill[k]), ())
    explained = sum(value >= _ALIKE or is_fill[k] for k, value in enumerate(alike))
    return explained / len(played), (tuple(chosen), phrase, fill)


def _phrase(unlike: Sequence[int], bars: int, period: int) -> int:
    """The shortest phrase that ends with all the bars that are unlike the pattern, or 0; most phrases must have one."""
    for phrase in _PHRASES:
        ends = range(phrase - 1, bars, phrase)
        if phrase > period and unlike and all(k in ends for k in unlike) and 2 * len(unlike) > len(ends):
            return phrase
    return 0


def _similarity(a: Sequence[Hit], b: Sequence[Hit], near: int) -> float:
    """From 0 to 1: the share of the hits of two bars that both have, onsets at most `near` ticks apart."""
    if not a and not b:
        return 1.0
    left = list(b)
    for hit in a:
        match = next((h for h in left if h.pitch == hit.pitch and abs(h.offset - hit.offset) <= near), None)
        if match:
            left.remove(match)
    return 2 * (len(b) - len(left)) / (len(a) + len(b))
