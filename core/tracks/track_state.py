"""What each track sounds and last played, as the notes of a stream are given to tracks one after the other."""

from collections.abc import Sequence

from core.tracks.note_stream import MetricPosition

CHORD_SECONDS = 0.03  # onsets that lie this close together are one chord
PARTS = 12  # places in a quarter that are told apart: thirds and quarters of it
MOST_AROUND = 4  # pitches that sound below, or above, that are told apart
_MEAN_WEIGHT = 0.12  # of a new note in the running mean of a track's pitch


class TrackState:
    """The state of `count` tracks after some notes. The chord that is being struck is kept apart from what was before.

    By track: `chord` pitches struck in the present chord, `last` those of the track's chord before it, at
    `last_quarters`; `sounding` all pitches that sound; `released` when the last of them ended (seconds); `mean` a
    running mean of the pitch; `played` pitches by place (PARTS to the quarter, from the start of the file).
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.chord: list[list[int]] = [[] for _ in range(count)]
        self.last: list[list[int]] = [[] for _ in range(count)]
        self.last_quarters = [0.0] * count
        self.sounding: list[set[int]] = [set() for _ in range(count)]
        self.released = [-1e3] * count
        self.mean: list[float | None] = [None] * count
        self.played: list[dict[int, list[int]]] = [{} for _ in range(count)]
        self.onset = -1.0  # of the present chord, in seconds
        self.latest: tuple[int, ...] = ()  # the tracks of the note before
        self.struck: list[int] = []  # all pitches of the present chord
        self.before: list[int] = []  # all pitches of the chord before it
        self.gap = 0.0  # quarters between those two
        self._quarters = 0.0

    def advance(self, onset: float, where: MetricPosition) -> None:
        """Begin a new chord if `onset` (seconds) does not belong to the present one."""
        if onset - self.onset <= CHORD_SECONDS:
            return
        for i, pitches in enumerate(self.chord):
            if pitches:
                self.last[i] = pitches
                self.last_quarters[i] = self._quarters
                self.chord[i] = []
        if self.struck:
            self.before, self.struck = self.struck, []
        self.gap = where.quarters - self._quarters
        self.onset, self._quarters = onset, where.quarters

    def strike(self, pitch: int, where: MetricPosition, tracks: Sequence[int]) -> None:
        """A note of the present chord goes to `tracks`."""
        self.struck.append(pitch)
        key = round(where.quarters * PARTS)
        for i in tracks:
            self.chord[i].append(pitch)
            self.sounding[i].add(pitch)
            mean = self.mean[i]
            self.mean[i] = pitch if mean is None else mean + _MEAN_WEIGHT * (pitch - mean)
            self.played[i].setdefault(key, []).append(pitch)
        self.latest = tuple(tracks)

    def release(self, time: float, pitch: int) -> None:
        """A note-off at `time` (seconds): the pitch sounds no longer."""
        for i, sounding in enumerate(self.sounding):
            if pitch in sounding:
                sounding.discard(pitch)
                self.released[i] = time

    def held(self, track: int) -> set[int]:
        """What the track sounds, the present chord aside."""
        return self.sounding[track].difference(self.chord[track])

    def around(self, pitch: int) -> tuple[int, int]:
        """How many pitches sound below and above this one, whichever tracks sound them; four and more count as four."""
        pitches: set[int] = set().union(*self.sounding)
        return min(sum(q < pitch for q in pitches), MOST_AROUND), min(sum(q > pitch for q in pitches), MOST_AROUND)

    def nearest(self, track: int, pitch: int) -> int | None:
        """The pitch of the track's last chord that lies nearest, None if it has not played yet."""
        return min(self.last[track], key=lambda q: abs(q - pitch), default=None)
