"""A line of English in clauses: in which part of the take each stands, and how it is asked for.

What it asks for is told by likeness (core.words.understanding), to which "louder" and "not louder" are nearly the same:
what turns a meaning round, doubles it, keeps it off or spreads it over time is read here, by its words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Sense = Literal["asked", "other way", "stays", "as the prompt"]

_TIED = "_and_"  # of "louder and louder", which is not to be parted there

_REPEATED = re.compile(r"\b(\w+),? and \1\b")
_FADE_IN = re.compile(r"\bfad(?:e|es|ing) in\b")
_NEITHER = re.compile(r"\bneither (.+?) nor (?=\w)")
_FROM_TO = re.compile(r"^(?:\w+ )?(from ([^,;]+?)) (to ([^,;]+))$")
_THEN = re.compile(r"[\s,;.]*\b(?:and then|then|later(?: on)?|afterwards|after that|finally)\b[\s,]*")
_STRONG = re.compile(r"\s*(?:[,;:.!?]+(?:\s*(?:and|but|yet)\b)?|\bbut\b|\byet\b)\s*")
_WITH = r"(?<=\w) with (?=(?:an? )?(?:\w+ )?(?:crescendo|decrescendo|diminuendo|accelerando|ritardando|rallentando)\b)"
_AND = re.compile(rf"\s*(?:\band\b|&)\s*|{_WITH}")
_AUXILIARIES = "do|does|did|should|must|shall|may|can|could|would|will|is|are|be|ca|wo"
_NEGATED_INSIDE = re.compile(
    "".join(rf"(?<!\b{word})" for word in _AUXILIARIES.split("|"))
    + r"(?<=\w)\s+(?=(?:not|never|without (?:get|becom|be|go|mak|turn|chang)\w*)\b)"
)
_NOT_SHORT = re.compile(r"\b(do|does|did|is|are|should|must|would|could|ca|wo)n't\b")

# Places in a take, at the beginning or the end of a clause.
_HALF = r"(?:half|part|bars?|section)"
_PLACES = (
    r"(?:(?:it )?(?:starts?|starting|begins?|beginning)(?: (?:out|off))?(?: with| being| as)?|(?:at|in|from) the "
    rf"(?:very )?(?:start|beginning|outset)|in the first {_HALF}|first of all|at first|first"
    r"|to (?:begin|start) with|initially)",
    r"(?:in the middle|midway(?: through)?|halfway(?: through)?)",
    r"(?:(?:it )?(?:ends?|ending|finish|finishes|finishing)(?: (?:up|off))?(?: with| being| as)?|(?:at|in|near|by) the "
    rf"(?:very )?end|towards? the (?:very )?end|in the (?:second|last|final) {_HALF}|lastly)",
)
_FIRST, _MIDDLE, _LAST = range(3)
_MARKED = tuple(
    re.compile(rf"^(?:{place})\b(?! of\b)\s*|\s*\b(?:{place}{noun})$")
    for place, noun in zip(_PLACES, ("|opening|intro|introduction", "", "|ending|finish|coda|outro"), strict=True)
)

_BECOMES = "get|gets|getting|grow|grows|growing|become|becomes|becoming|turn|turns|turning|go|goes"
_RELATIVE = re.compile(  # "a calm piece that becomes wild": what it is, and what it does
    r"(?:(?P<bare>^(?:an? |the |some )?(?:piece|tune|melody|song|music|something|passage|part|take))|(?<=\w)),?"
    r" (?:that|which) (?=(?:(?:slowly|gradually|then|later|finally|will|always|never|steadily|soon|suddenly) )*"
    rf"(?:{_BECOMES}|(?:start|begin|end|stay|remain|keep|finish)(?:e?s)?|(?:do|does|should|must) not|builds?|swells?"
    r"|fades?|dies?|speeds?|slows?|calms?|winds?|picks?)\b)"
)
_TIED_WORD = re.compile(rf"\b([a-z]+){_TIED}\1\b")
_GRADUAL = re.compile(
    rf"\b(?:gradual|gradually|progressively|increasingly|bit by bit|little by little|step by step|over time"
    rf"|as it goes on|[a-z]+{_TIED}[a-z]+)\b|\bever (?=\w+er\b)"
)
_BECOMING = re.compile(
    rf"^(?:(?:it|slowly|gently|always|steadily|soon|will|to) )*(?:{_BECOMES})"
    r" (?:(?:ever|always|even|much|far) )*"
)
_TERMS = {  # what names a change by itself
    "louder": r"crescendo|cresc|swelling|build(?:s|ing)? up",
    "softer": r"decrescendo|diminuendo|fad(?:e|es|ing)(?! in\b)(?: (?:out|away|off|down))?"
    r"|(?:die|dies|dying) (?:away|out|down)",
    "busier": r"accelerando|accel|stringendo|(?:speed|pick)(?:s|ing) up",
    "calmer": r"ritardando|rallentando|rit|rall|(?:slow|calm|wind)(?:s|ing) down|wind down",
}
_TERM = re.compile("|".join(rf"(?P<{word}>\b(?:{terms})\b)" for word, terms in _TERMS.items()))
_BESIDE_TERM = re.compile(r"^(?:(?:a|an|the|with|into|long|slow|slowly|gently|gentle|great|big|in)\b ?)*$")
_TO_THE_END = re.compile(r"\s*\btowards? the end$")

_ASKED = re.compile(  # how something is asked for, which says nothing of what
    r"^(?:(?:please|can you|could you|i want|i'd like|make|play|keep|let) (?:it |them |this |the notes )?"
    r"|(?:please|with)$)+|^(?:it|this|them) (?:(?:should|must|shall|is to|may|can|could|would|will) (?:be )?)?(?=\w)"
    r"|\b(?:a bit|a little|a tad|slightly|somewhat|please|just|at the same time|at once)\b|\bplease$"
)
_NOT = re.compile(
    rf"^(?:(?:it|this|that|they|you) )?(?:(?:{_AUXILIARIES}) )?(?P<word>not|never|no|without|avoid|neither|nor)\b\s*"
)
_FAR = r"^(?:(?:much|far|way|a lot|lots|quite|rather|even) )*"
_LESS = re.compile(rf"{_FAR}less\b\s*")
_FEWER = re.compile(rf"{_FAR}(?:fewer|(?:half|a third|a quarter) as many)\b\s*")
_HALF_AS = re.compile(r"^(?:only )?(?:half|a third|a quarter) (?:as|so|the)\b\s*|^half (?=(?:speed|tempo)$)")
_TWICE = re.compile(r"^(?:twice|double|three times|four times) (?:as|so|the)\b\s*")
_TOO = re.compile(r"^(?:(?:it|this|that) )?(?:is )?(?:(?:much|far|way|a bit|a little) )?too (?=\w)")
_DEGREE = re.compile(
    r"^(?:(?:so|too|as|very|that|this|much|many|any|be|being|make it|play|quite|nearly|all|really|half|even|at) )+"
)
_CHANGE = re.compile(
    r"^(?:(?:any|much|to|even) )*(?:more|less|fewer|get|getting|become|becoming|grow|growing|go|turn|chang)"
)
_QUALITIES = frozenset(
    re.findall(
        r"\w+",
        "big bold bright brisk busy calm cold crazy dark deep dense even fast fierce free full gay gentle glad "
        "gloomy grim happy hard heavy high jolly lean light lively long loose loud low merry mild noisy peppy "
        "quick quiet rich rough sad sharp short simple slow small smooth soft steady stiff strong thick thin "
        "tight warm weak wide wild",
    )
)
_MUCH = re.compile(r"\b(?:much|very|really|extremely|far|super|a lot|lots|way|totally|incredibly)\b")
_AS_BEFORE = re.compile(
    r"(?:exactly |just )?(?:as \w+ (?=as ))?"
    r"(?:(?:go )?back to |leave it |leave everything )?(?:the )?(?:same as|as|like|how|what|the way|same|)"
    r"(?: (?:it|that|things))?(?: (?:was|were|is|are|has been|had been))?(?: (?:in|at|from|with|on))?"
    r" ?(?:the )?(?:prompt|original|before|beginning|start|normal|now|here|again|)"
)
_NO_CHANGE = re.compile(
    r"(?:as is|unchanged|no (?:more )?changes?|go(?:es|ing)? on|carry(?:ing)? on|continu(?:e|ing)|keep going"
    r"|nothing new|(?:do not|without) chang(?:e|ing)(?: anything| it)?|change nothing"
    r"|leave (?:it|everything|that)(?: alone)?"
    r"|normal|normally|same|the same|the same again|as usual|as ever"
    r"|stay|stays|(?:stay|remain)s? (?:the same|as it (?:is|was)))"
)
_NO_KNOB = re.compile(  # what no knob can do, though it is like what some can
    r"\b(?:transpos\w*|modulat\w*|time signature|met(?:re|er)|bpm|(?:left|right) hand|(?:bars?|measures?|take|track"
    r"|channel) (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|sixteen))\b|\d"
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A clause of a line, as it was `written`, in some parts of the take; `content` is what is asked for, in this
    sense: "asked", the "other way", that it "stays", or "as the prompt". `is_much` doubles it, `is_gradual` spreads it
    over the part. `term` is the word of the knob (core.session.knobs) of a change that is named by itself, or empty.
    """

    written: str
    parts: tuple[int, ...]
    content: str
    sense: Sense = "asked"
    is_much: bool = False
    is_gradual: bool = False
    term: str = ""


@dataclass(slots=True)
class _Place:
    """A clause without what says where in its segment it stands; `place` is None where nothing does."""

    written: str
    clause: str
    place: int | None


def phrases(line: str) -> tuple[list[Phrase], int]:
    """The clauses of a line, and how many parts of a take they tell of."""
    line = _REPEATED.sub(lambda match: f"{match[1]}{_TIED}{match[1]}", line.strip().lower())
    line = _NEITHER.sub(r"neither \1, nor ", _NOT_SHORT.sub(r"\1 not", line))
    line = _FADE_IN.sub("from very soft to as the prompt", line)
    line = _RELATIVE.sub(lambda match: "" if match["bare"] else ", ", line)
    segments = [segment for segment in _THEN.split(line) if segment.strip(" ,;:.!?")]
    found: list[Phrase] = []
    count = 0
    for i, segment in enumerate(segments):
        if match := _FROM_TO.match(segment):
            found.append(_phrase(match[1], match[2], (count,)))
            found.append(_phrase(match[3], f"gradually {match[4]}", (count + 1,)))
            count += 2
            continue
        places = list(_places(segment))
        slots = _slots(places, is_first=i == 0, is_last=i == len(segments) - 1)
        for each in places:
            parts = [count + at for at, slot in enumerate(slots) if each.place in (None, slot)]
            found.append(_phrase(each.written, each.clause, tuple(parts)))
        count += len(slots)
    return found, count


def _places(segment: str) -> Iterator[_Place]:
    """The clauses of a segment. Those that "and" joins share a place; where one stands alone, it is the next one's."""
    ahead: int | None = None
    for group in filter(None, _STRONG.split(segment)):
        clauses = [_marked(c) for piece in _AND.split(group) for c in _NEGATED_INSIDE.split(piece) if c]
        told = [clause.place for clause in clauses if clause.place is not None]
        place = told[0] if told else ahead
        ahead, is_gradual = None, False
        for clause in clauses:
            place = clause.place if clause.place is not None else place
            if not clause.clause:
                ahead = place
                continue
            if is_gradual and _is_comparative(clause.clause):
                clause.clause = f"gradually {clause.clause}"
            is_gradual = _is_gradual(clause.clause)
            is_from_there = is_gradual and clause.place is None and place == _FIRST
            yield _Place(clause.written, clause.clause, _LAST if is_from_there else place)


def _marked(clause: str) -> _Place:
    written = clause.replace(_TIED, " and ")
    if _is_gradual(clause):
        clause = _TO_THE_END.sub("", clause)  # as what is gradual does anyway
    if not _is_as_before(clause):
        for place, marked in enumerate(_MARKED):
            if match := marked.search(clause):
                return _Place(written, (clause[: match.start()] + clause[match.end() :]).strip(), place)
    return _Place(written, clause, None)


def _slots(clauses: Sequence[_Place], is_first: bool, is_last: bool) -> list[int | None]:
    """The places of a segment that become parts; None: where only what has no place of its own stands."""
    slots = sorted({clause.place for clause in clauses if clause.place is not None})
    if not slots:
        return [None]
    before = [None] if slots[0] != _FIRST and is_first else []
    after = [None] if slots[-1] != _LAST and is_last else []
    return [*before, *slots, *after]


def _phrase(written: str, clause: str, parts: tuple[int, ...]) -> Phrase:
    is_a_bit = bool(re.search(r"\b(?:a bit|a little|a tad|slightly|somewhat)\b", clause))
    is_gradual = _is_gradual(clause)
    content, tied = _TIED_WORD.subn(r"\1", clause)
    content = _plain(_GRADUAL.sub(" ", content))
    if _is_as_before(content) or _is_as_before(clause):
        return Phrase(written, parts, "", "as the prompt")
    content, is_becoming = _without(_BECOMING, content) if _is_becoming(content) else (content, False)
    sense, content, is_much = _sense(content)
    term = ""
    if match := _TERM.search(content):
        term, is_gradual = match.lastgroup or "", True
        content = _plain(content[: match.start()] + content[match.end() :])
        content = "" if _BESIDE_TERM.match(content) else content
        sense = "asked" if sense == "asked" else "stays"
    is_much = (is_much or bool(tied or term)) and not is_a_bit
    content = "" if _NO_KNOB.search(content) else content
    return Phrase(written, parts, content, sense, is_much, is_gradual or is_becoming, term)


def _sense(content: str) -> tuple[Sense, str, bool]:
    """How it is asked for, what remains to be told of it, and whether much of it is wanted."""
    if match := _NOT.match(content):
        rest = _plain(content[match.end() :])
        if match["word"] in ("neither", "nor") or _CHANGE.match(rest) or _is_comparative(_DEGREE.sub("", rest)):
            return "stays", re.sub(r"^(?:any|even|to) ", "", _without(_BECOMING, _DEGREE.sub("", rest))[0]), False
        return "other way", _DEGREE.sub("", rest), False
    rest, is_fewer = _without(_FEWER, content)
    if is_fewer:
        return "asked", f"fewer {rest}", bool(_MUCH.match(content))
    for pattern in (_LESS, _HALF_AS, _TOO):
        rest, is_so = _without(pattern, content)
        if is_so:
            return "other way", _DEGREE.sub("", rest), bool(_MUCH.match(content))
    rest, is_twice = _without(_TWICE, content)
    if is_twice:
        return "asked", re.sub("^(?:many|much) ", "more ", rest), True
    return "asked", content, bool(_MUCH.search(content))


def _plain(content: str) -> str:
    """Without what only asks for it."""
    return " ".join(_ASKED.sub(" ", " ".join(content.split())).split())


def _without(pattern: re.Pattern[str], content: str) -> tuple[str, bool]:
    match = pattern.match(content)
    return (content[match.end() :], True) if match else (content, False)


def _is_gradual(clause: str) -> bool:
    return bool(_GRADUAL.search(clause) or _TERM.search(clause) or _is_becoming(_plain(clause)))


def _is_becoming(clause: str) -> bool:
    """Whether it says that something is on its way to be otherwise."""
    rest, is_so = _without(_BECOMING, clause)
    first = rest.split(" ")[0]
    return is_so and (first in _QUALITIES or first in ("more", "less", "fewer") or _is_comparative(rest))


def _is_comparative(content: str) -> bool:
    """Whether it begins with a comparative of a quality that music has."""
    word = content.split(" ")[0]
    stem = word.removesuffix("er")
    stems = {stem, f"{stem}e", stem[:-1] + "y" if stem.endswith("i") else stem[:-1]}
    return stem != word and bool(stems & _QUALITIES)


def _is_as_before(clause: str) -> bool:
    plain = _plain(clause)
    return bool(plain and (_AS_BEFORE.fullmatch(plain) or _NO_CHANGE.fullmatch(plain)))
