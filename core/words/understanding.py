"""What a line of English says of the knobs, held against anchor phrases (resources/words/anchors.txt).

Each clause is compared with all anchors by kernel ridge regression (a Gaussian of the distance of two encoded phrases)
on what the anchors mean: one of the knobs' directions, or nothing that a knob can do. Width, ridge and thresholds were
chosen by leaving each anchor out in turn.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.resources import bundled
from core.session.knobs import MOST_STEPS, UNTURNED, WORDS, Knobs
from core.words.encoder import Encoder, bundled_encoder

NOTHING = "-"  # in place of a direction: what no knob can do
ENGLISH_ALONE = "Only English is understood here; the sliders can be moved instead."

_WIDTH = 0.4  # of the kernel, in squared distance
_RIDGE = 0.1
_SHARPNESS = 10.0  # of the softmax over what the regression says
_BESIDE = 0.1  # of the clearest direction's share: others that have so much are meant, too
_MOST = 4  # knobs that a clause moves

_DIRECTIONS = tuple(word for both in WORDS.values() for word in both)
_THEN = re.compile(r"[\s,;.]*\b(?:and then|then|later|afterwards|after that|finally)\b[\s,]*")
_CLAUSE = re.compile(r"\s*(?:[,;.!?]+|\band\b|\bbut\b|\byet\b)\s*")
_NOT = re.compile(
    r"^(?:not|no|less|fewer|don't|do not|never|without)\b"
    r"(?: (?:so|too|as|very|that|much|many|any|be|get|make it|play))*\s+"
)
_ASKED = re.compile(  # how something is asked for, which says nothing of what
    r"^(?:(?:please|can you|could you|i want|i'd like|make|play|keep|let) (?:it |them |this |the notes )?|please$)+"
    r"|^(?:it|this|them) (?=\w)|\b(?:a bit|a little|slightly|somewhat|please)\b|\bplease$"
)
_MUCH = re.compile(r"\b(?:much|very|really|extremely|far|super|a lot|lots|way|totally|incredibly)\b")
_LETTERS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Clause:
    """Some words of a line, in which part of the take they stand, and what they do; `knobs` is as the prompt if they
    were not understood.
    """

    words: str
    part: int
    knobs: Knobs

    @property
    def is_understood(self) -> bool:
        """Whether it says something of the knobs."""
        return bool(self.knobs.turned()) or self.words == UNTURNED


@dataclass(frozen=True, slots=True)
class Understood:
    """What a line says: knobs for each part of the take, in order, all parts equally long."""

    clauses: tuple[Clause, ...]
    problem: str = ""

    @property
    def parts(self) -> tuple[Knobs, ...]:
        """At least one. Of two clauses that say opposite things of a knob the first counts."""
        count = max((clause.part for clause in self.clauses), default=0) + 1
        return tuple(
            _together([clause.knobs for clause in self.clauses if clause.part == part]) for part in range(count)
        )

    @property
    def words(self) -> str:
        """What was understood, and what was not, in a line."""
        if self.problem:
            return self.problem
        known: dict[int, list[str]] = {}
        for clause in self.clauses:
            if clause.is_understood:
                meant = f": {clause.knobs.words}" if clause.knobs.turned() else ""
                known.setdefault(clause.part, []).append(clause.words + meant)
        unknown = [f'"{clause.words}"' for clause in self.clauses if not clause.is_understood]
        text = ". Then ".join("; ".join(words) for words in known.values())
        if unknown:
            text += (". " if text else "") + f"Not understood: {', '.join(unknown)}"
        return text + "." if text else ""


class Understanding:
    """Understands lines by what `learn` has made of anchor phrases; that is read with the first of them."""

    def __init__(self, encoder: Encoder, learned: Path) -> None:
        self._encoder, self._path = encoder, learned

    def understand(self, line: str) -> Understood:
        """What a line of words says."""
        if not line.strip():
            return Understood(())
        line = unicodedata.normalize("NFC", line).replace("\u2019", "'")  # as many keyboards and pages write it
        if self._is_foreign(line):
            return Understood((), ENGLISH_ALONE)
        clauses: list[Clause] = []
        for part, words in enumerate(_THEN.split(line.strip().lower())):
            for clause in filter(None, _CLAUSE.split(words)):
                clauses.append(Clause(clause, part, self._knobs(clause)))
        first = min((clause.part for clause in clauses), default=0)  # of a line that begins with "then"
        return Understood(tuple(replace(clause, part=clause.part - first) for clause in clauses))

    def shares(self, phrase: str) -> NDArray[np.float64]:
        """How much a phrase means each of the directions, in the order of WORDS, and nothing at all; sums to 1."""
        learned = self._learned
        likeness = _likeness(learned["points"] @ self._encoder.encode(phrase))
        shares = np.exp(_SHARPNESS * (likeness @ learned["weights"] + learned["mean"]))
        return shares / shares.sum()

    def _knobs(self, clause: str) -> Knobs:
        clause = " ".join(_ASKED.sub(" ", clause).split())
        turned = -1 if (no := _NOT.match(clause)) else 1
        if no:
            clause = clause[no.end() :]
        if clause in ("", UNTURNED):
            return Knobs()
        plain = clause.removeprefix("much ")
        if plain in _DIRECTIONS:  # what Continuo itself says of knobs
            name, is_up = list(WORDS)[_DIRECTIONS.index(plain) // 2], _DIRECTIONS.index(plain) % 2
            return Knobs(**{name: turned * (1 if is_up else -1) * (MOST_STEPS if plain != clause and not no else 1)})
        shares = self.shares(clause)
        by_knob = shares[: len(_DIRECTIONS)].reshape(-1, 2)
        direction = by_knob[:, 1] - by_knob[:, 0]
        clearest = np.abs(direction).max()
        if clearest <= shares[-1]:
            return Knobs()
        least = max(_BESIDE * clearest, np.sort(np.abs(direction))[-_MOST])
        steps = turned * np.sign(direction) * (np.abs(direction) >= least)
        if _MUCH.search(clause) and not no:
            steps[np.abs(direction).argmax()] *= MOST_STEPS
        return Knobs(**dict(zip(WORDS, steps.astype(int).tolist(), strict=True)))

    def _is_foreign(self, line: str) -> bool:
        """Whether a line is more likely of another language than English."""
        words = [word.lower() for word in _LETTERS.findall(line)]
        if not words or any(ord(letter) > 0x24F for word in words for letter in word):
            return True
        plain = [_without_accents(word) for word in words]
        theirs, ours = (sum(word in known for word in plain) for known in _frequent_words())
        parted = sum(len(self._encoder.pieces(word)) > 2 for word in words)  # no word of the encoder's own language
        return theirs > ours or (len(words) > 1 and parted > len(words) / 2 and not ours)

    @cached_property
    def _learned(self) -> dict[str, NDArray[np.float64]]:
        from safetensors.numpy import load_file

        return {name: array.astype(np.float64) for name, array in load_file(self._path).items()}


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn")


def _likeness(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp((cosines - 1) / _WIDTH)


def learn(encoder: Encoder, anchors: Path) -> dict[str, NDArray[np.floating]]:
    """What is known of the anchors of a file: their `points` (anchors, SIZE), and `weights` (anchors, directions + 1)
    and `mean` (directions + 1,) of the regression on what they mean.
    """
    phrases, meant = zip(*read_anchors(anchors), strict=True)
    points = np.array([encoder.encode(phrase) for phrase in phrases]).astype(np.float16)
    meanings = np.array([[meaning == word for word in (*_DIRECTIONS, NOTHING)] for meaning in meant], np.float64)
    likeness = _likeness(points.astype(np.float64) @ points.T.astype(np.float64))
    mean = meanings.mean(0)
    weights = np.linalg.solve(likeness + _RIDGE * np.eye(len(points)), meanings - mean)
    return {"points": points, "weights": weights.astype(np.float32), "mean": mean.astype(np.float32)}


def read_anchors(path: Path) -> Iterator[tuple[str, str]]:
    """(phrase, direction) of each anchor of a file: lines of a direction, a colon, and phrases parted by semicolons."""
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            meaning, phrases = line.split(":", 1)
            if meaning not in (*_DIRECTIONS, NOTHING):
                raise ValueError(f"{path}: {meaning} is no direction of a knob")
            yield from ((phrase.strip(), meaning) for phrase in phrases.split(";"))


@cache
def _frequent_words() -> tuple[frozenset[str], frozenset[str]]:
    """Short words that are frequent in other languages of these letters and not in English, and those of English."""
    lines = bundled("words", "frequent.txt").read_text("utf-8").splitlines()
    english, *others = [frozenset(line.split(":", 1)[1].split()) for line in lines if line[:1] != "#"]
    return frozenset().union(*others) - english, english


def _together(knobs: Sequence[Knobs]) -> Knobs:
    steps: dict[str, int] = {}
    for each in knobs:
        steps = each.turned() | steps
    return Knobs(**steps)


def bundled_understanding() -> Understanding:
    """What comes with Continuo."""
    return Understanding(bundled_encoder(), bundled("words", "anchors.safetensors"))
