"""Which of the prompt's tracks plays each note of a take: decided from the prompt and the decisions before.

What is not yet sampled is not known, but for one thing: whether the chord goes on behind the note.

A conditional logit: a small network, the same for every song, scores each track from features that are relative to
what that track does in the prompt; the best score plays the note. The network's weights are learned from songs whose
tracks are known, and bundled (resources/models/TRACKS.md); what is a song's own is learned from the prompt.
"""

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.midi.score import Track
from core.midi.statistics import Floats
from core.midi.tempo_map import TempoMap
from core.resources import bundled
from core.tracks.features import features
from core.tracks.note_stream import place
from core.tracks.prompt_model import learned


class Assignment(NamedTuple):
    """Who plays a note: `tracks` are indices, first the main one, then those that double it.

    `ended` are notes (track, pitch) that a monophonic track sounded until now: they end as this one begins.
    """

    tracks: tuple[int, ...]
    ended: tuple[tuple[int, int], ...] = ()


class Weights(NamedTuple):
    """The network: standardised features through two hidden layers (tanh), and a straight way past them."""

    mean: Floats  # (features,)
    scale: Floats  # (features,)
    hidden: tuple[tuple[Floats, Floats], ...]  # matrix (in, out) and bias of each hidden layer
    out: Floats  # (last hidden,)
    straight: Floats  # (features,)

    def scores(self, table: Floats) -> Floats:
        """(tracks, features) -> (tracks,): log-odds of each track, up to a constant."""
        inputs = (table - self.mean) * self.scale
        layer = inputs
        for matrix, bias in self.hidden:
            layer = np.tanh(layer @ matrix + bias)
        return layer @ self.out + inputs @ self.straight


@cache
def bundled_weights() -> Weights:
    """The weights that come with Continuo."""
    return load_weights(bundled("models", "track-assignment.npz"))


def load_weights(path: Path) -> Weights:
    """Read the arrays of a Weights (see `weights_from`) from an .npz file."""
    with np.load(path, allow_pickle=False) as file:
        return weights_from({name: file[name].astype(np.float64) for name in file.files})


def weights_from(arrays: Mapping[str, Floats]) -> Weights:
    """The Weights of these arrays, which have the names of its fields; `hidden0` and `bias0` are its first layer."""
    hidden = tuple((arrays[f"hidden{k}"], arrays[f"bias{k}"]) for k in (0, 1))
    return Weights(arrays["mean"], arrays["scale"], hidden, arrays["out"], arrays["straight"])


class TrackAssigner:
    """Gives each note of a take, in order of time, to one of the prompt's tracks.

    `tracks` are the prompt's (drums excluded; at least one), `marker` and `start` seconds as in `encode_prompt`,
    `only` the index of the one track that is to play everything. `copy` gives a second take its own.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        marker: float,
        start: float | None,
        tempo_map: TempoMap,
        *,
        only: int | None = None,
        weights: Weights | None = None,
    ) -> None:
        """Learn from the prompt. Raises ValueError without tracks, for drums, and if there is no track `only`."""
        if not tracks or any(track.is_percussion for track in tracks):
            raise ValueError("notes are assigned to one or more tracks that are not drums")
        if only is not None and not 0 <= only < len(tracks):
            raise ValueError(f"there is no track {only}")
        self.prompt = learned(tracks, marker, start, tempo_map)
        self.state = deepcopy(self.prompt.state)
        self._tempo_map = tempo_map
        self._only = only
        self._weights = weights or bundled_weights()
        self._holders: dict[int, tuple[int, ...]] = {}  # pitch -> the tracks that sound it

    def assign(self, onset: float, pitch: int, velocity: int, is_last: bool) -> Assignment:
        """Who plays a note-on at `onset` (seconds of the score, never falling) with a MIDI velocity.

        `is_last` says that no other note-on follows at the same time.
        """
        where = place(self._tempo_map, onset)
        self.release(onset, pitch)  # a re-strike ends what sounds
        self.state.advance(onset, where)
        if self._only is not None:
            chosen = (self._only,)
        else:
            table = features(self.prompt, self.state, pitch, velocity, is_last, where)
            main = self.choose(table)
            chosen = (main, *(j for j in self.prompt.doubled_by[main] if self._is_free(j)))
        ended = tuple((i, held) for i in chosen if self.prompt.monophonic[i] for held in sorted(self.state.sounding[i]))
        for i, held in ended:
            self.state.sounding[i].discard(held)
            self.state.released[i] = onset
            self._holders[held] = tuple(j for j in self._holders.get(held, ()) if j != i)
        self.state.strike(pitch, where, chosen)
        self._holders[pitch] = chosen
        return Assignment(chosen, ended)

    @property
    def chooses(self) -> bool:
        """Whether notes can go to several tracks."""
        return self._only is None

    def copy(self) -> "TrackAssigner":
        """Another that goes on from here by itself; what was learned from the prompt is shared."""
        twin = copy(self)
        twin.state = deepcopy(self.state)
        twin._holders = dict(self._holders)
        return twin

    def choose(self, table: Floats) -> int:
        """The best track by its features; a monophonic one plays no two notes of a chord if another can."""
        scores = self._weights.scores(table)
        free = [self._is_free(i) for i in range(len(scores))]
        if any(free):
            scores = np.where(free, scores, -np.inf)
        return int(np.argmax(scores))

    def _is_free(self, track: int) -> bool:
        return not (self.prompt.monophonic[track] and self.state.chord[track])

    def release(self, time: float, pitch: int) -> tuple[int, ...]:
        """A note-off of the take at `time` (seconds): the tracks that it goes to, those that still sound the note."""
        self.state.release(time, pitch)
        return self._holders.pop(pitch, ())
