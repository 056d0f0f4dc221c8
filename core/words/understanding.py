"""What a line of English says of the knobs: its clauses (core.words.clauses), held against anchor phrases
(resources/words/anchors.txt).

What a clause asks for is compared with all anchors by kernel ridge regression (a Gaussian of the distance of two
encoded phrases) on what the anchors mean: one of the knobs' directions, or nothing that a knob can do. Width, ridge and
thresholds were chosen by leaving each anchor out in turn.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.resources import bundled
from core.session.knobs import AS_THE_PROMPT, MOST_STEPS, UNTURNED, WORDS, Knobs
from core.words.clauses import Phrase, phrases
from core.words.encoder import Encoder, bundled_encoder
from core.words.english import has_words, is_foreign, is_known

NOTHING = "-"  # in place of a direction: what no knob can do
ENGLISH_ALONE = "Only English is understood here; the sliders can be moved instead."
NO_WORDS = "No words about the sound were found; the sliders can be moved instead."

_WIDTH = 0.4  # of the kernel, in squared distance
_RIDGE = 0.1
_SHARPNESS = 10.0  # of the softmax over what the regression says
_BESIDE = 0.1  # of the clearest direction's share: others that have so much are meant, too
_MOST = 4  # knobs that a clause moves

_DIRECTIONS = tuple(word for both in WORDS.values() for word in both)


@dataclass(frozen=True, slots=True)
class Clause:
    """Some words of a line, in which parts of the take they stand, and what they do to the knobs, in words: empty if
    they were not understood, or not followed.
    """

    words: str
    parts: tuple[int, ...]
    knobs: Knobs
    meaning: str

    @property
    def is_understood(self) -> bool:
        """Whether it says something of the knobs."""
        return bool(self.meaning)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a line says: knobs for each part of the take, in order, all `count` parts equally long. `opposites` are the
    words of clauses that ask for opposite things, of which neither is done.
    """

    clauses: tuple[Clause, ...]
    problem: str = ""
    count: int = 1
    opposites: tuple[tuple[str, str], ...] = ()

    @property
    def parts(self) -> tuple[Knobs, ...]:
        """At least one. Where clauses move a knob both ways beside what they ask for, the first counts."""
        return tuple(
            _together([clause.knobs for clause in self.clauses if part in clause.parts]) for part in range(self.count)
        )

    @property
    def words(self) -> str:
        """What was understood, and what was not, in a line."""
        if self.problem:
            return self.problem
        known: dict[int, list[str]] = {}
        for clause in self.clauses:
            if clause.is_understood:
                meant = f": {clause.meaning}" if clause.words != UNTURNED else ""
                known.setdefault(clause.parts[0], []).append(clause.words + meant)
        told = [". Then ".join("; ".join(known[part]) for part in sorted(known))] if known else []
        told += [f'"{one}" and "{other}" are opposites: neither is done' for one, other in self.opposites]
        at_odds = {words for pair in self.opposites for words in pair}
        unknown = [f'"{c.words}"' for c in self.clauses if not c.is_understood and c.words not in at_odds]
        told += [f"Not understood: {', '.join(unknown)}"] if unknown else []
        return "".join(f"{each}. " for each in told).strip()


@dataclass(slots=True)
class _Meaning:
    """What a phrase asks for: `knobs`, of which `knob` is named or is the clearest (empty: none)."""

    phrase: Phrase
    knob: str = ""
    knobs: dict[str, int] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Those of the clearest knob; 0 where it stays."""
        return self.knobs[self.knob] if self.knob and self.phrase.sense != "stays" else 0


class Understanding:
    """Understands lines by what `learn` has made of anchor phrases; that is read with the first of them."""

    def __init__(self, encoder: Encoder, learned: Path) -> None:
        self._encoder, self._path = encoder, learned

    def understand(self, line: str) -> Understood:
        """What a line of words says."""
        if not line.strip():
            return Understood(())
        line = unicodedata.normalize("NFC", line).replace("\u2019", "'")  # as many keyboards and pages write it
        if is_foreign(line):
            return Understood((), ENGLISH_ALONE)
        found, count = phrases(line)
        if not found or not has_words(line):
            return Understood((), NO_WORDS)
        meanings = [self._meaning(phrase) for phrase in found]
        if count == 1:
            count = _in_turn(meanings)
        opposites = []
        for one, other in combinations(meanings, 2):
            if one.knob == other.knob and one.steps * other.steps < 0 and not _made_to_part(one, other):
                opposites.append((one, other))
        clauses = [_clause(meaning, meanings, any(meaning in pair for pair in opposites)) for meaning in meanings]
        is_any = any(clause.is_understood for clause in clauses)
        pairs = tuple((one.phrase.written, other.phrase.written) for one, other in opposites)
        return Understood(tuple(clauses), count=count if is_any else 1, opposites=pairs)

    def shares(self, phrase: str) -> NDArray[np.float64]:
        """How much a phrase means each of the directions, in the order of WORDS, and nothing at all; sums to 1."""
        learned = self._learned
        likeness = _likeness(learned["points"] @ self._encoder.encode(phrase))
        shares = np.exp(_SHARPNESS * (likeness @ learned["weights"] + learned["mean"]))
        return shares / shares.sum()

    def _meaning(self, phrase: Phrase) -> _Meaning:
        turned = -1 if phrase.sense == "other way" else 1
        most = MOST_STEPS if phrase.is_much else 1
        knobs = {name: turned * steps for name, steps in self._moved(phrase.content).items()}
        knob = next(iter(knobs), "")
        if phrase.term:
            knob, steps = _direction(phrase.term)
            knobs = {knob: steps} | {name: steps for name, steps in knobs.items() if name != knob}
        if knob:
            knobs[knob] *= most
        return _Meaning(phrase, knob, knobs)

    def _moved(self, content: str) -> dict[str, int]:
        """A step of each knob that is asked for, the clearest first."""
        plain = content.removeprefix("much ")
        if plain in _DIRECTIONS:  # what Continuo itself says of knobs
            return dict([_direction(plain)])
        if not is_known(content):
            return {}
        shares = self.shares(content)
        by_knob = shares[: len(_DIRECTIONS)].reshape(-1, 2)
        direction = by_knob[:, 1] - by_knob[:, 0]
        clear = np.abs(direction)
        if clear.max() <= shares[-1]:
            return {}
        least = max(_BESIDE * clear.max(), np.sort(clear)[-_MOST])
        names = list(WORDS)
        return {names[i]: int(np.sign(direction[i])) for i in np.argsort(-clear, kind="stable") if clear[i] >= least}

    @cached_property
    def _learned(self) -> dict[str, NDArray[np.float64]]:
        from safetensors.numpy import load_file

        return {name: array.astype(np.float64) for name, array in load_file(self._path).items()}


def _direction(word: str) -> tuple[str, int]:
    """The knob of a direction's word, and which way."""
    at = _DIRECTIONS.index(word)
    return list(WORDS)[at // 2], 1 if at % 2 else -1


def _in_turn(meanings: Sequence[_Meaning]) -> int:
    """Put what is at once and its gradual opposite, as in "loud, then dying away" without the "then", into two parts.

    Returned is how many parts there are.
    """
    for one in meanings:
        for other in meanings:
            is_turn = other.phrase.is_gradual and not one.phrase.is_gradual
            if is_turn and one.knob == other.knob and one.steps * other.steps < 0:
                for each in meanings:
                    each.phrase = replace(each.phrase, parts=(0, 1))
                one.phrase, other.phrase = replace(one.phrase, parts=(0,)), replace(other.phrase, parts=(1,))
                return 2
    return 1


def _meet(one: _Meaning, other: _Meaning) -> bool:
    return bool(set(one.phrase.parts) & set(other.phrase.parts))


def _made_to_part(one: _Meaning, other: _Meaning) -> bool:
    """Whether opposites stand in parts of their own, once what is said of some parts wins over what is said of more."""
    few, many = sorted((one, other), key=lambda each: len(each.phrase.parts))
    if len(few.phrase.parts) < len(many.phrase.parts):
        left = tuple(part for part in many.phrase.parts if part not in few.phrase.parts)
        many.phrase = replace(many.phrase, parts=left)
    return not _meet(one, other)


def _clause(meaning: _Meaning, meanings: Sequence[_Meaning], is_at_odds: bool) -> Clause:
    phrase, written = meaning.phrase, meaning.phrase.written
    if is_at_odds or (not meaning.knob and phrase.sense != "as the prompt"):
        return Clause(written, phrase.parts, AS_THE_PROMPT, "")
    if phrase.sense == "as the prompt":
        return Clause(written, phrase.parts, AS_THE_PROMPT, UNTURNED)
    if phrase.sense == "stays":
        low, high = WORDS[meaning.knob]
        return Clause(written, phrase.parts, AS_THE_PROMPT, f"neither {low} nor {high}")
    kept = {each.knob for each in meanings if each.phrase.sense == "stays" and _meet(each, meaning)}
    moved = {name: steps for name, steps in meaning.knobs.items() if name == meaning.knob or name not in kept}
    gradual = moved if phrase.is_gradual and not phrase.term else {meaning.knob} if phrase.term else ()
    knobs = _together([Knobs(**moved, gradual=tuple(gradual))])
    return Clause(written, phrase.parts, knobs, knobs.words)


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


def _together(knobs: Sequence[Knobs]) -> Knobs:
    steps: dict[str, int | float] = {}
    gradual: set[str] = set()
    for each in knobs:
        gradual |= set(each.gradual) - steps.keys()
        steps = each.turned() | steps
    return Knobs(**steps, gradual=tuple(name for name in WORDS if name in gradual))


def bundled_understanding() -> Understanding:
    """What comes with Continuo."""
    return Understanding(bundled_encoder(), bundled("words", "anchors.safetensors"))
