"""What a prompt tells of its tracks: histograms of what each plays, ranges, and a memory of its notes in context."""

from collections.abc import Sequence
from heapq import heappop, heappush
from operator import is_
from typing import NamedTuple

import numpy as np

from core.midi.score import Track
from core.midi.statistics import Floats
from core.midi.tempo_map import TempoMap
from core.tracks.histograms import REACH, Counter
from core.tracks.note_stream import MetricPosition, StreamNote, is_monophonic, merged_notes, place
from core.tracks.track_state import TrackState

MOST_LEARNED = 1200  # of the prompt, its last ones: what is learned from
_OWN, _BY_TRACK = 12, 4  # numbers that a note's context has of its own, and for each track
_NEIGHBOURS = 12
_FADE = 150  # notes after which one of the prompt counts e times less, in the recent histograms
_DOUBLED = 0.6  # of a track's notes that another plays too: from there on it doubles them in a take


def context(state: TrackState, pitch: int, velocity: int, is_last: bool, where: MetricPosition) -> list[float]:
    """What a note is compared by with those of the prompt: 12 numbers of its own, then four for each track."""
    struck, before = state.struck, state.before
    in_bar, in_quarter = 2 * np.pi * where.in_bar / where.bar, 2 * np.pi * where.in_bar
    row = [
        pitch / 3,
        velocity / 10,
        2 * float(np.cos(in_bar)),
        2 * float(np.sin(in_bar)),
        1.5 * float(np.cos(in_quarter)),
        1.5 * float(np.sin(in_quarter)),
        float(min(len(struck), 5)),
        _near(pitch - struck[0]) / 6 if struck else 0.0,
        _near(pitch - before[-1]) / 5 if before else 0.0,
        _near(pitch - before[0]) / 5 if before else 0.0,
        2 * min(state.gap, 2.0),
        0.0 if is_last else 2.0,
    ]
    for i in range(state.count):
        nearest = state.nearest(i, pitch)
        row += [
            _near(pitch - nearest) / 4 if nearest is not None else 3.0,
            1.5 * min(where.quarters - state.last_quarters[i], 2.0),
            1.5 * min(len(state.chord[i]), 2),
            1.0 if state.held(i) else 0.0,
        ]
    return row


def _near(semitones: int) -> int:
    return max(-REACH, min(REACH, semitones))


class PromptModel:
    """Learned from the notes from `start` to before `marker` (seconds); `state` is that of the tracks at the marker."""

    def __init__(self, tracks: Sequence[Track], marker: float, start: float | None, tempo_map: TempoMap) -> None:
        self.count = len(tracks)
        self.notes = merged_notes(tracks, _recent(tracks, start, marker), marker)[-MOST_LEARNED:]
        self.state = TrackState(self.count)
        counter = Counter(self.count)
        self._labels = np.zeros((len(self.notes), self.count))
        rows: list[list[float]] = []
        ends: list[tuple[float, int]] = []
        for k, note in enumerate(self.notes):
            where = place(tempo_map, note.onset)
            while ends and ends[0][0] <= note.onset:
                self.state.release(*heappop(ends))
            heappush(ends, (note.end, note.pitch))
            self.state.advance(note.onset, where)
            rows.append(context(self.state, note.pitch, note.velocity, note.is_last, where))
            counter.add(self.state, note, where, float(np.exp((k - len(self.notes)) / _FADE)))
            self.state.strike(note.pitch, where, note.tracks)
            self._labels[k, list(note.tracks)] = 1 / len(note.tracks)
        for end, pitch in ends:  # what sounds at the marker is released there
            self.state.release(end, pitch)
        self._memory = np.array(rows).reshape(len(rows), _OWN + _BY_TRACK * self.count)
        self.histograms = counter.histograms()
        self.monophonic = [is_monophonic(track, tempo_map, marker) for track in tracks]
        pitches = [[note.pitch for note in self.notes if i in note.tracks] or [60] for i in range(self.count)]
        self.mean = np.array([np.mean(own) for own in pitches])
        self.deviation = np.array([np.std(own) + 1.0 for own in pitches])
        self.low = np.array([min(own) for own in pitches])
        self.high = np.array([max(own) for own in pitches])
        self.rank = np.argsort(np.argsort(self.mean, kind="stable"))  # 0 the lowest
        self.doubled_by = _doubling(self.notes, self.count)

    def neighbours(self, row: Sequence[float]) -> tuple[Floats, Floats]:
        """Log-shares (tracks,) of the nearest notes of the prompt, without and with regard to the tracks' state."""
        if not len(self._memory):
            even = np.full(self.count, -np.log(self.count))
            return even, even
        apart = self._memory - np.asarray(row)
        by_note, by_track = (np.einsum("ij,ij->i", part, part) for part in (apart[:, :_OWN], apart[:, _OWN:]))
        return self._vote(by_note), self._vote(by_note + by_track)

    def _vote(self, squares: Floats) -> Floats:
        size = min(_NEIGHBOURS, len(squares))
        nearest = np.argpartition(squares, size - 1)[:size]
        found = squares[nearest]
        ordered = np.sort(found)
        width = max(float(ordered[(size - 1) // 2] + ordered[size // 2]) / 2, 0.3)
        shares = np.exp(-found / width) @ self._labels[nearest] + 0.02
        return np.log(shares / shares.sum())


def _recent(tracks: Sequence[Track], start: float | None, marker: float) -> float | None:
    """From when on notes are regarded: twice as many as are learned from, as some fall together."""
    first = -1.0 if start is None else start
    onsets = sorted({(n.start, n.pitch) for track in tracks for n in track.notes if first <= n.start < marker})
    return onsets[-2 * MOST_LEARNED][0] if len(onsets) > 2 * MOST_LEARNED else start


class _Kept(NamedTuple):
    tracks: tuple[Track, ...]
    marker: float
    start: float | None
    tempo_map: TempoMap
    model: PromptModel


_kept: list[_Kept] = []  # the last one that was learned


def learned(tracks: Sequence[Track], marker: float, start: float | None, tempo_map: TempoMap) -> PromptModel:
    """The PromptModel of a prompt; kept until another is asked for, as to learn a long one takes 0.1 s.

    Tracks are immutable, so that identity tells. Its `state` is not to be changed.
    """
    for kept in _kept[:]:
        is_same = (kept.marker, kept.start) == (marker, start) and kept.tempo_map == tempo_map
        if is_same and len(kept.tracks) == len(tracks) and all(map(is_, kept.tracks, tracks)):
            return kept.model
    model = PromptModel(tracks, marker, start, tempo_map)
    _kept[:] = [_Kept(tuple(tracks), marker, start, tempo_map, model)]
    return model


def _doubling(notes: Sequence[StreamNote], count: int) -> list[tuple[int, ...]]:
    """By track, those that play most of its notes too, at the same pitch and time."""
    together = np.zeros((count, count))
    for note in notes:
        for i in note.tracks:
            together[i, list(note.tracks)] += 1
    alone = np.maximum(np.diag(together), 1)
    return [tuple(j for j in range(count) if j != i and together[i, j] >= _DOUBLED * alone[i]) for i in range(count)]
