"""Whether a line is English, and which of its words English has."""

import re
import unicodedata
from functools import cache

from core.resources import bundled

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LAST_LATIN = 0x24F  # of the letters; accents stand behind them where they are written apart


def is_foreign(line: str) -> bool:
    """Whether a line is of another language: of other letters, of words with accents that English has not, or of more
    words that are frequent in other languages than of such in English.
    """
    words = _words(line)
    if any(ord(letter) > _LAST_LATIN for word in words for letter in word):
        return True
    if any(not word.isascii() and word not in _known() for word in words):
        return True
    plain = [_without_accents(word) for word in words]
    theirs, ours = (sum(word in known for word in plain) for known in _frequent())
    return theirs > ours


def is_known(phrase: str) -> bool:
    """Whether a phrase has a word that says something in English: one that is known, and not for its grammar alone."""
    words = _words(phrase)
    telling = [word for word in words if word not in _frequent()[1]]
    return any(word.split("'")[0] in _known() for word in telling or words)


def has_words(line: str) -> bool:
    """Whether there is a letter in it."""
    return bool(_words(line))


def _words(line: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(line)]


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if unicodedata.category(c) != "Mn")


@cache
def _known() -> frozenset[str]:
    """Words of English, in lower case; those of one letter are the dynamics of scores."""
    return frozenset(bundled("words", "english.txt").read_text("utf-8").split()) | {"p", "f"}


@cache
def _frequent() -> tuple[frozenset[str], frozenset[str]]:
    """Words that are frequent in other languages of these letters and not in English, and those of English."""
    lines = bundled("words", "frequent.txt").read_text("utf-8").splitlines()
    english, *others = [frozenset(line.split(":", 1)[1].split()) for line in lines if line[:1] != "#"]
    return frozenset().union(*others) - english, english
