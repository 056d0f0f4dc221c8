"""A sentence as a point on a sphere: all-MiniLM-L6-v2 (Reimers and Gurevych, Sentence-BERT, 2019) in numpy.

A BERT of six layers (Devlin et al., 2019) whose last states are averaged. The weights are bundled in 8 bits, a scale
for each column (resources/words).
"""

import unicodedata
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.resources import bundled

Vectors = NDArray[np.float32]

EMBEDDING_SIZE = 384
_HEADS = 12
_LAYERS = 6
_LONGEST_WORD = 100  # letters; longer ones are unknown, as in BERT
_EPSILON = 1e-12


class Encoder:
    """Turns sentences into unit vectors of EMBEDDING_SIZE numbers. The weights are read when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def encode(self, sentence: str) -> Vectors:
        """(EMBEDDING_SIZE,): where a sentence lies; only its first 62 pieces count."""
        weights = self._weights
        ids = self.pieces(sentence)[: len(weights["positions"]) - 2]
        places = [self._ids["[CLS]"], *(self._ids[piece] for piece in ids), self._ids["[SEP]"]]
        words = weights["words"][places] * weights["words.scale"][places]
        states = _norm(words + weights["positions"][: len(places)] + weights["kind"], weights["norm"])
        for layer in range(_LAYERS):
            states = _norm(states + self._attend(states, layer), weights[f"{layer}.attention.norm"])
            inner = self._linear(states, f"{layer}.inner")
            states = _norm(states + self._linear(_gelu(inner), f"{layer}.outer"), weights[f"{layer}.outer.norm"])
        mean = states.mean(0)
        return (mean / np.linalg.norm(mean)).astype(np.float32)

    def pieces(self, sentence: str) -> list[str]:
        """The word pieces of a sentence (WordPiece, in lower case and without accents)."""
        return [piece for word in _words(sentence) for piece in self._split(word)]

    def _split(self, word: str) -> list[str]:
        """The longest pieces of the vocabulary that make up a word, from its beginning on."""
        pieces: list[str] = []
        start = 0
        while start < len(word) <= _LONGEST_WORD:
            mark = "##" if start else ""
            end = next((e for e in range(len(word), start, -1) if mark + word[start:e] in self._ids), None)
            if end is None:
                return ["[UNK]"]
            pieces.append(mark + word[start:end])
            start = end
        return pieces or ["[UNK]"]

    def _attend(self, states: Vectors, layer: int) -> Vectors:
        query, key, value = (
            self._linear(states, f"{layer}.{part}").reshape(len(states), _HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        together = (shares @ value).transpose(1, 0, 2).reshape(states.shape)
        return self._linear(together, f"{layer}.attention")

    def _linear(self, states: Vectors, name: str) -> Vectors:
        return states @ self._weights[name] + self._weights[f"{name}.bias"]

    @cached_property
    def _ids(self) -> dict[str, int]:
        lines = (self._folder / "vocabulary.txt").read_text("utf-8").split("\n")
        return {piece: i for i, piece in enumerate(lines) if piece}

    @cached_property
    def _weights(self) -> dict[str, Vectors]:
        from safetensors.numpy import load_file

        given = load_file(self._folder / "encoder.safetensors")
        weights: dict[str, Vectors] = {}
        for name, array in given.items():
            if array.dtype == np.int8 and name != "words":
                array = array * given[f"{name}.scale"]
            weights[name] = array
        return weights


@cache
def bundled_encoder() -> Encoder:
    """The encoder that comes with Continuo."""
    return Encoder(bundled("words"))


def _words(sentence: str) -> list[str]:
    """Words and signs, as BERT parts them."""
    plain = unicodedata.normalize("NFD", sentence.lower())
    parted = "".join(
        f" {c} " if unicodedata.category(c)[0] in "PS" else " " if unicodedata.category(c)[0] in "ZC" else c
        for c in plain
        if unicodedata.category(c) != "Mn"
    )
    return parted.split()


def _norm(states: Vectors, norm: Vectors) -> Vectors:
    centred = states - states.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + _EPSILON) * norm[0] + norm[1]


def _gelu(x: Vectors) -> Vectors:
    """GELU by an approximation of the error function (Abramowitz and Stegun, 7.1.26), off by 1.5e-7 at most."""
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return 0.5 * x * (1 + np.sign(x) * (1 - series * np.exp(-z * z)))
