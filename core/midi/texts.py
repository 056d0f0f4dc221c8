"""The texts of a MIDI file, which do not say in which encoding they are: told from all of them together."""

from collections.abc import Iterable

# Letters, kana and common characters; and what hardly stands in a name.
_UNLIKELY_LATIN = frozenset("¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿×÷Þþð")
_HALFWIDTH = range(0xFF61, 0xFFA0)


def find_encoding(texts: Iterable[bytes]) -> str:
    """The encoding in which all texts of a file make most sense: a Python codec that decodes each of them.

    UTF-8 if all are that; else whichever of Shift JIS, cp1252, cp1251 and Latin-1 reads best over the texts together:
    one short name can be anything, ten names cannot.
    """
    strange = [text for text in texts if not text.isascii()]
    if all(_decodes(text, "utf-8") for text in strange):
        return "utf-8"
    scores = {name: _likelihood(strange, name) for name in ("cp1252", "cp932", "cp1251", "latin-1")}
    return max(scores, key=lambda name: scores[name])


def decode_text(data: bytes, encoding: str = "") -> str:
    """A text on one line, without what cannot be shown; in its own likeliest encoding if none is given."""
    for name in (encoding or find_encoding([data]), "utf-8", "cp1252"):
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


def _likelihood(texts: list[bytes], encoding: str) -> float:
    """How much sense the texts make in an encoding, per strange byte; the higher the better."""
    if encoding == "latin-1":
        # Its control characters are in no text.
        return -1.0 if any(0x80 <= byte < 0xA0 for text in texts for byte in text) else -0.01 + _latin(texts, encoding)
    if not all(_decodes(text, encoding) for text in texts):
        return -2.0
    if encoding == "cp1251":
        return _cyrillic(texts)
    return _latin(texts, encoding) if encoding == "cp1252" else _japanese(texts)


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


def _japanese(texts: list[bytes]) -> float:
    """The mean over the characters: 1 for kana and characters together, less for rare or mixed ones."""
    total = count = 0.0
    for data in texts:
        text = data.decode("cp932")
        wide = [c for c in text if not c.isascii()]
        half = sum(ord(c) in _HALFWIDTH for c in wide)
        for i, sign in enumerate(text):
            if sign.isascii():
                continue
            code = ord(sign)
            count += 1
            if 0x3040 <= code <= 0x30FF or 0xFF01 <= code <= 0xFF5E:
                total += 1.0
            elif code in _HALFWIDTH:  # half-width kana come in words, not between Latin letters
                total += 0.9 if half == len(text.strip()) or half > 1 else 0.2
            elif 0x4E00 <= code <= 0x9FFF:
                common = sign.encode("cp932")[0] < 0x98  # the first level of the Japanese standard
                beside_latin = text[i - 1 : i].islower() or text[i + 1 : i + 2].islower()
                total += 0.3 if beside_latin else 0.9 if common else 0.4
            elif 0x3000 <= code <= 0x303F:
                total += 0.6
    return total / count
