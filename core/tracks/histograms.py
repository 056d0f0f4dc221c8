"""Smoothed histograms of what each track of a prompt plays: pitches, places in the bar, intervals, chords."""

from typing import NamedTuple

import numpy as np

from core.codec.vocabulary import to_bin
from core.midi.statistics import Floats
from core.tracks.note_stream import MetricPosition, StreamNote
from core.tracks.track_state import MOST_AROUND, PARTS, TrackState

REACH = 24  # semitones: intervals beyond count as this much
_PLACES = 8 * PARTS + 1
_GAPS = 64
_CHORD = 12  # notes of a chord that are told apart


class Histograms(NamedTuple):
    """Log-probabilities by track (first axis), in nats."""

    pitch: Floats  # (tracks, 128)
    recent_pitch: Floats  # (tracks, 128), later notes weighing more
    place: Floats  # (tracks, places in the bar)
    velocity: Floats  # (tracks, 32)
    share: Floats  # (tracks,) of all notes
    recent_share: Floats  # (tracks,)
    interval: Floats  # (tracks, intervals) from the nearest note of the track's chord before
    chord_interval: Floats  # (tracks, intervals) from the track's note before in the same chord
    gap: Floats  # (tracks, gaps) since the track's chord before
    more: Floats  # (tracks, notes) that a chord of so many notes has one more
    silent: Floats  # (tracks, 2) that the track is silent, sounds, when it strikes a chord
    pair: Floats  # (tracks, tracks, intervals) to what another track plays in the same chord
    around: Floats  # (tracks, places among what sounds) that a note of the track has so many below it and above
    around_share: Floats  # (tracks, places among what sounds) that a note of such a place is the track's


def interval_bin(semitones: int) -> int:
    """The bin of an interval."""
    return max(-REACH, min(REACH, semitones)) + REACH


def gap_bin(quarters: float) -> int:
    """The bin of the time between two chords: linear up to a whole note, then logarithmic."""
    if quarters <= 4:
        return max(0, round(quarters * PARTS))
    return min(_GAPS - 1, 4 * PARTS + round(4 * float(np.log2(quarters / 4))))


def place_bin(where: MetricPosition) -> int:
    """The bin of a place in the bar."""
    return min(_PLACES - 1, round(where.in_bar * PARTS))


def around_bin(around: tuple[int, int], is_last: bool) -> int:
    """The bin of a place among what sounds: how many pitches below and above, and whether a higher one follows."""
    below, above = around
    return (below * (MOST_AROUND + 1) + above) * 2 + int(is_last)


class Counter:
    """Counts the notes of a prompt, one after the other, for the histograms of `count` tracks."""

    def __init__(self, count: int) -> None:
        intervals = 2 * REACH + 1
        self._pitch = np.zeros((count, 128))
        self._recent = np.zeros((count, 128))
        self._place = np.zeros((count, _PLACES))
        self._velocity = np.zeros((count, 32))
        self._interval = np.zeros((count, intervals))
        self._chord_interval = np.zeros((count, intervals))
        self._gap = np.zeros((count, _GAPS))
        self._sizes = np.zeros((count, _CHORD + 1))  # chords that have at least so many notes
        self._silent = np.zeros((count, 2))
        self._pair = np.zeros((count, count, intervals))
        self._around = np.zeros((count, 2 * (MOST_AROUND + 1) ** 2))

    def add(self, state: TrackState, note: StreamNote, where: MetricPosition, weight: float) -> None:
        """Count a note of the present chord, before the state is told of it; `weight` in the recent histograms."""
        around = around_bin(state.around(note.pitch), note.is_last)
        for i in note.tracks:
            self._pitch[i, note.pitch] += 1
            self._recent[i, note.pitch] += weight
            self._place[i, place_bin(where)] += 1
            self._velocity[i, to_bin(note.velocity)] += 1
            self._around[i, around] += 1
            chord = state.chord[i]
            self._sizes[i, min(len(chord) + 1, _CHORD)] += 1
            if chord:
                self._chord_interval[i, interval_bin(note.pitch - chord[-1])] += 1
            elif (nearest := state.nearest(i, note.pitch)) is not None:
                self._interval[i, interval_bin(note.pitch - nearest)] += 1
                self._gap[i, gap_bin(where.quarters - state.last_quarters[i])] += 1
                self._silent[i, int(bool(state.held(i)))] += 1
            for j in range(state.count):
                if j != i and state.chord[j]:
                    self._pair[i, j, interval_bin(note.pitch - state.chord[j][-1])] += 1

    def histograms(self) -> Histograms:
        """What was counted, as smoothed log-probabilities."""
        more = (self._sizes[:, 1:] + 0.2) / (self._sizes[:, :-1] + 1.0)
        more[:, 0] = 1.0
        notes, places = self._pitch.sum(1, keepdims=True) + 1, self._around.shape[1]
        return Histograms(
            pitch=_smoothed(self._pitch, 1.5),
            recent_pitch=_smoothed(self._recent, 2.0),
            place=_smoothed(self._place, 0.6),
            velocity=_smoothed(self._velocity, 1.5),
            share=np.log((self._pitch.sum(1) + 1) / (self._pitch.sum() + len(self._pitch))),
            recent_share=np.log((self._recent.sum(1) + 1) / (self._recent.sum() + len(self._pitch))),
            interval=_smoothed(self._interval, 0.5),
            chord_interval=_smoothed(self._chord_interval, 0.5),
            gap=_smoothed(self._gap, 0.6),
            more=np.log(np.minimum(more, 1.0)),
            silent=_smoothed(self._silent, 0.01),
            pair=_smoothed(self._pair, 0.5),
            around=np.log((self._around + 2 / places) / (self._around.sum(1, keepdims=True) + 2)),
            around_share=np.log((self._around + 2 * notes / notes.sum()) / (self._around.sum(0) + 2)),
        )


def _smoothed(counts: Floats, width: float) -> Floats:
    """Log-probabilities along the last axis, counts spread by a Gaussian of `width` bins and two added over all."""
    bins = counts.shape[-1]
    distance = np.arange(bins)[:, None] - np.arange(bins)[None, :]
    kernel = np.exp(-0.5 * (distance / width) ** 2)
    spread = counts @ (kernel / kernel.sum(1, keepdims=True)) + 2.0 / bins
    return np.log(spread / spread.sum(-1, keepdims=True))
