"""The texts of a MIDI file, which do not say in which encoding they are: told from all of them together."""

import codecs
import re
from collections.abc import Iterable

# Letters, and what hardly stands in a name.
_UNLIKELY_LATIN = frozenset("¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿×÷Þþð")
# Half-width kana, and those whose marks (ﾞ, ﾟ, ｰ) stand where they can.
_HALFWIDTH, _KANA = re.compile("[｡-ﾟ]+"), re.compile("(?:[ｳｶ-ﾄﾊ-ﾎ]ﾞ|[ﾊ-ﾎ]ﾟ|[｡-ﾝ]|(?<=.)ｰ)+")
_MARKS = "ﾞﾟｰ"
_MIXED = re.compile("[A-Za-z][一-鿿]|[一-鿿][A-Za-z]")  # as hardly anybody writes
_UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
# What chardet chooses among; with all that it knows, names of a few letters would be in encodings that nobody writes.
_KNOWN = ("cp1252", "cp932", "cp1251", "cp949", "gb18030", "big5", "euc-jp", "koi8-r", "cp1253", "utf-8")
_LATIN, _CYRILLIC = 0.7, 0.92  # how much sense texts make that are in these
# The letters of some languages beside those of ASCII, and the encodings that texts in them may be in: the first fits.
_WESTERN = ("äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúüç", "ãáâàçéêíóôõúü", "àèéìòùíóá", "åäöæøéü", "ëïéöüèá")
_CENTRAL = ("áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţ")
_ALPHABETS = {"cp1252": _WESTERN, "cp1254": ("çğıöşüâîû",), "mac_roman": _WESTERN, "cp1250": _CENTRAL}
_SIGNS = "’‘“”„–—…«»©®™•°·¿¡"


def find_encoding(texts: Iterable[bytes]) -> str:
    """The encoding in which all texts of a file make most sense: a Python codec that decodes each of them.

    UTF-8 or UTF-16 if all are that; else they are read together, as one short name can be anything, ten names cannot.
    What chardet does not tell in so few letters is looked for first: Japanese, languages whose letters are known, and
    what else is Western European or Russian.
    """
    strange = [text for text in texts if not text.isascii()]
    if all(_decodes(text, "utf-8") for text in strange):
        return "utf-8"
    if all(text.startswith(_UTF_16) and _decodes(text, "utf-16") for text in strange):
        return "utf-16"
    if _is_japanese(strange):
        return "cp932"
    for name, alphabets in _ALPHABETS.items():
        if _is_spelt(strange, name, alphabets):
            return name
    scores = {name: _likelihood(strange, name) for name in ("cp1252", "cp1251", "latin-1")}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= (_CYRILLIC if best == "cp1251" else _LATIN):
        return best
    import chardet  # only now: most files have no use for it, and it takes 80 ms

    found = chardet.detect(b"\n".join(strange), include_encodings=_KNOWN, compat_names=False)["encoding"]
    return found if found and all(_decodes(text, found) for text in strange) else best


def decode_text(data: bytes, encoding: str = "") -> str:
    """A text on one line, without what cannot be shown; in its own likeliest encoding if none is given."""
    likeliest = "utf-8" if data.isascii() else encoding or find_encoding([data])  # in UTF-16 files, too
    for name in (likeliest, "utf-8", "cp1252"):
        if _decodes(data, name):
            text = data.decode(name)
            break
    else:
        text = data.decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in text.removeprefix("\ufeff")).split())


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_spelt(texts: list[bytes], encoding: str, alphabets: Iterable[str]) -> bool:
    """Whether one alphabet has all letters of the texts, and they and the signs stand where they can."""
    if not all(_decodes(text, encoding) for text in texts):
        return False
    letters: set[str] = set()
    for data in texts:
        text = data.decode(encoding)
        for i, sign in enumerate(text):
            if sign.isascii():
                continue
            before, after = text[i - 1 : i], text[i + 1 : i + 2]
            if sign.isalpha():
                is_beside = before.isalpha() or after.isalpha()
                if (sign.isupper() and before.islower()) or (len(text) > 1 and not is_beside):
                    return False
                letters.add("i" if sign == "İ" else sign.lower())
            elif sign not in _SIGNS or not _fits(sign, before, text[i + 1 :]):
                return False
            elif sign in "–—" and before.isalpha() and after.isalpha():
                return False  # rather a letter of another encoding
    return any(letters <= {"i", *alphabet} for alphabet in alphabets)


def _likelihood(texts: list[bytes], encoding: str) -> float:
    """How much sense the texts make in an encoding, per strange byte; the higher the better."""
    if encoding == "latin-1":
        # Its control characters are in no text.
        return -1.0 if any(0x80 <= byte < 0xA0 for text in texts for byte in text) else -0.01 + _latin(texts, encoding)
    if not all(_decodes(text, encoding) for text in texts):
        return -2.0
    return _cyrillic(texts) if encoding == "cp1251" else _latin(texts, encoding)


def _latin(texts: list[bytes], encoding: str) -> float:
    """The mean over the strange characters: 1 for a letter in a word, less for signs in the middle of words."""
    total = count = 0.0
    for data in texts:
        text = data.decode(encoding)
        for i, sign in enumerate(text):
            if sign.isascii():
                continue
            before, after = text[i - 1 : i], text[i + 1 : i + 2]
            count += 1
            if sign.isalpha() and sign not in _UNLIKELY_LATIN:
                # Accented letters stand beside plain ones, and few capitals behind small letters.
                beside = (before.isascii() and before.isalpha()) + (after.isascii() and after.isalpha())
                total += (0.5, 0.85, 1.0)[beside] - (0.5 if sign.isupper() and before.islower() else 0.0)
            elif sign in "’‘“”–—…«»°©®™•":
                total += 0.9 if _fits(sign, before, text[i + 1 :]) else 0.1
    return total / count


def _fits(sign: str, before: str, rest: str) -> bool:
    """Whether a sign stands where a writer would put it, between a character and the rest of the text."""
    after = rest[:1]
    if sign in "’‘":
        return before.isalpha() or after.isalnum()
    if sign in "–—":
        return (before in ("", " ") and after in ("", " ")) or (before.isalnum() and after.isalnum())
    if sign in "“«":
        return before in ("", " ", "(") and after.isalnum() and ("”" if sign == "“" else "»") in rest
    if sign in "”»":
        return (before.isalnum() or before in ".!?,") and not after.isalnum()
    return True


def _cyrillic(texts: list[bytes]) -> float:
    """The mean over the strange characters: 1 for a Cyrillic letter beside another, nothing for all else."""
    total = count = 0.0
    for data in texts:
        text = data.decode("cp1251")
        for i, sign in enumerate(text):
            if not sign.isascii():
                count += 1
                beside = [c for c in (text[i - 1 : i], text[i + 1 : i + 2]) if "А" <= c <= "я"]
                latin = [c for c in (text[i - 1 : i], text[i + 1 : i + 2]) if c.isascii() and c.isalpha()]
                mixed = sign.isupper() and text[i - 1 : i].islower()
                total += bool(beside) and "А" <= sign <= "я" and not latin and not mixed
    return total / count


def _is_japanese(texts: list[bytes]) -> bool:
    """Whether the texts are Shift JIS beyond doubt.

    All that is not ASCII is kana and common characters, these not beside Latin letters; there are no half-width kana,
    or some of the marks that stand behind them, too.
    """
    marks = halves = 0
    for data in texts:
        if not _decodes(data, "cp932"):
            return False
        text = data.decode("cp932")
        runs = _HALFWIDTH.findall(text)
        if not all(_KANA.fullmatch(run) for run in runs) or not all(map(_is_common, _HALFWIDTH.sub("", text))):
            return False
        if _MIXED.search(text):
            return False
        halves += len(runs)
        marks += sum(run.count(mark) for run in runs for mark in _MARKS)
    return marks > 0 or halves == 0


def _is_common(sign: str) -> bool:
    """Whether it is ASCII, kana, full-width, or a character of the first level of the Japanese standard."""
    code = ord(sign)
    is_kana = 0x3000 <= code <= 0x30FF or 0xFF01 <= code <= 0xFF5E
    return sign.isascii() or is_kana or (0x4E00 <= code <= 0x9FFF and sign.encode("cp932")[0] < 0x98)
