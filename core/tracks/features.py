"""What speaks for each track to play a note, as numbers that mean the same in every song: (tracks, FEATURES)."""

import numpy as np

from core.codec.vocabulary import to_bin
from core.midi.statistics import Floats
from core.tracks.histograms import around_bin, gap_bin, interval_bin, place_bin
from core.tracks.note_stream import MetricPosition
from core.tracks.prompt_model import PromptModel, context
from core.tracks.track_state import CHORD_SECONDS, MOST_AROUND, PARTS, TrackState

FEATURES = 66
_FLOOR = -8.0  # nats: what is less likely counts as this
_BARS_BACK = (1, 2, 4)
_CHORD = 11


def features(
    prompt: PromptModel, state: TrackState, pitch: int, velocity: int, is_last: bool, where: MetricPosition
) -> Floats:
    """The features of giving a note of the present chord to each of the tracks; `is_last`: no higher one follows."""
    tables, around = prompt.histograms, state.around(pitch)
    place_among = around_bin(around, is_last)
    lists = (
        tables.pitch[:, pitch],
        tables.recent_pitch[:, pitch],
        tables.place[:, place_bin(where)],
        tables.velocity[:, to_bin(velocity)],
        tables.share,
        tables.recent_share,
        *_transitions(prompt, state, pitch, where),
        *prompt.neighbours(context(state, pitch, velocity, is_last, where)),
        tables.around[:, place_among],
        tables.around_share[:, place_among],
    )
    likelihoods = _relative(np.array(lists))
    shared = [n / MOST_AROUND for n in around]
    rows = np.array([[*_row(prompt, state, pitch, where, i), *shared] for i in range(state.count)])
    distance = rows[:, 0]  # to the track's own last chord, against the nearest of the others
    nearest, second = np.sort(np.append(distance, 2.0))[:2]
    others = np.where(np.arange(state.count) == distance.argmin(), second, nearest)
    more = (_freedom(prompt, state, distance), _chord_order(prompt, state, is_last))
    return np.concatenate([likelihoods.T, rows, (distance - others)[:, None], *more], axis=1)


def _relative(values: Floats) -> Floats:
    """(kinds, tracks) log-probabilities of each kind as log-shares among the tracks."""
    above = values - values.max(1, keepdims=True)
    return np.maximum(above - np.log(np.exp(above).sum(1, keepdims=True)), _FLOOR)


def _transitions(prompt: PromptModel, state: TrackState, pitch: int, where: MetricPosition) -> list[Floats]:
    """Log-likelihoods by track: interval, time since its last chord, one more in the chord, sounding, and in pairs."""
    tables, count = prompt.histograms, state.count
    interval, gap, more, silent, pair = (np.zeros(count) for _ in range(5))
    for i in range(count):
        chord = state.chord[i]
        more[i] = tables.more[i, min(len(chord), _CHORD)]
        if chord:
            interval[i] = tables.chord_interval[i, interval_bin(pitch - chord[-1])]
        elif (nearest := state.nearest(i, pitch)) is not None:
            interval[i] = tables.interval[i, interval_bin(pitch - nearest)]
            gap[i] = tables.gap[i, gap_bin(where.quarters - state.last_quarters[i])]
            silent[i] = tables.silent[i, int(bool(state.held(i)))]
        else:
            interval[i], gap[i] = -3.5, -3.5
        for j in range(count):
            if j != i and state.chord[j]:
                pair[i] += tables.pair[i, j, interval_bin(pitch - state.chord[j][-1])]
    return [interval, gap, more, silent, pair]


def _row(prompt: PromptModel, state: TrackState, pitch: int, where: MetricPosition, i: int) -> list[float]:
    """What is told of one track by itself, and of its order among the others."""
    chord, held, nearest = state.chord[i], state.held(i), state.nearest(i, pitch)
    mono, rank, top = float(prompt.monophonic[i]), int(prompt.rank[i]), max(state.count - 1, 1)
    mean = state.mean[i]
    everything = [q for pitches in state.sounding for q in pitches]
    is_lowest, is_highest = pitch < min(everything, default=128), pitch > max(everything, default=-1)
    since = where.quarters - state.last_quarters[i]
    return [
        min(abs(pitch - nearest), 24) / 12 if nearest is not None else 2.0,
        min(abs(pitch - prompt.mean[i]) / prompt.deviation[i], 5.0),
        min(abs(pitch - mean), 36) / 12 if mean is not None else 2.0,
        min(max(prompt.low[i] - pitch, 0), 12) / 6,
        min(max(pitch - prompt.high[i], 0), 12) / 6,
        float(bool(chord)),
        min(len(chord), 4) / 4,
        mono,
        mono * bool(chord),
        mono * bool(held),
        float(bool(held)),
        *_crossings(prompt, state, pitch, i),
        float(np.log1p(max(since, 0.0))),
        rank / top,
        float(rank == 0),
        float(rank == top),
        float(is_lowest and rank == 0),
        float(is_lowest and rank != 0),
        float(is_highest and rank == top),
        float(is_highest and rank != top),
        float(i in state.latest),
        float(len(state.struck)) / 4,
        float(bool(nearest is not None and pitch in state.last[i])),
        *_same_place_before(state, pitch, where, i),
        1 / state.count,
    ]


def _crossings(prompt: PromptModel, state: TrackState, pitch: int, i: int) -> list[float]:
    """How many tracks the note would cross: in the chord, among what is held, and among what was played last."""
    crossed = [0, 0, 0]
    for j in range(state.count):
        if j == i:
            continue
        is_above = prompt.rank[j] > prompt.rank[i]
        recent = state.last[j] if not state.chord[j] else ()
        for k, pitches in enumerate((state.chord[j], state.held(j), recent)):
            if pitches:
                crossed[k] += min(pitches) < pitch if is_above else max(pitches) > pitch
    return [float(min(n, 3)) for n in crossed]


def _freedom(prompt: PromptModel, state: TrackState, distance: Floats) -> Floats:
    """(tracks, 8): how long a track has been silent, and how many others could play, for it neither holds nor strikes.

    Where voices move by turns, the one that has just let go of its note is the one that goes on.
    """
    free = np.array([not state.sounding[i] for i in range(state.count)])
    silent = np.where(free, np.maximum(state.onset - np.array(state.released), 0.0), 0.0)
    let_go = free & (silent <= CHORD_SECONDS)
    above = np.array([(free & (prompt.rank > rank)).sum() for rank in prompt.rank])
    below = np.array([(free & (prompt.rank < rank)).sum() for rank in prompt.rank])
    nearest = free & (distance <= np.where(free, distance, np.inf).min())
    columns = (
        np.log1p(np.minimum(silent, 20.0)),
        let_go,
        let_go & (let_go.sum() == 1),
        free,
        free & (free.sum() == 1),
        np.minimum(below, 4) / 3,
        np.minimum(above, 4) / 3,
        nearest,
    )
    return np.array(columns, dtype=np.float64).T


def _chord_order(prompt: PromptModel, state: TrackState, is_last: bool) -> Floats:
    """(tracks, 8): what it says that the chord ends with this note, its highest, or that a higher one is to come.

    A higher one wants a higher track that can play it; the last one leaves the tracks above silent, or holding.
    """
    rank, top = prompt.rank, max(state.count - 1, 1)
    can = np.array([not (mono and chord) for mono, chord in zip(prompt.monophonic, state.chord, strict=True)])
    holds = np.array([prompt.monophonic[i] and bool(state.held(i)) for i in range(state.count)])
    is_above = rank[None, :] > rank[:, None]
    can_above, free_above = (is_above & can).sum(1), (is_above & can & ~holds).sum(1)
    last, more = float(is_last), float(not is_last)
    columns = (
        np.full(state.count, last),
        last * (rank == top),
        last * (rank == 0),
        last * rank / top,
        more * (can_above == 0),
        more * (free_above == 0),
        last * np.minimum(free_above, 3) / 3,
        last * np.minimum(can_above, 3) / 3,
    )
    return np.array(columns, dtype=np.float64).T


def _same_place_before(state: TrackState, pitch: int, where: MetricPosition, i: int) -> list[float]:
    """Whether the track played, and whether it played this pitch, at the same place one, two and four bars ago."""
    played = state.played[i]
    values = []
    for bars in _BARS_BACK:
        key = round((where.quarters - bars * where.bar) * PARTS)
        found = [q for k in (key - 1, key, key + 1) for q in played.get(k, ())]
        values += [float(bool(found)), float(pitch in found)]
    return values
