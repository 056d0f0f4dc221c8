"""What is said of takes: where one begins, how long it is, what sets it apart from the others; and of the next one."""

from collections.abc import Callable, Sequence

from core.midi.tempo_map import TempoMap
from core.session.knobs import knobs_words
from core.session.session import Session, TakeRecord

_REST = {"stretch": "song returns", "rest": "song left out", "beside": "song beside it"}


def place_words(take: TakeRecord, tempo_map: TempoMap) -> str:
    """ "Bar 5, 8 bars", or without bars "0:12, 16.0 s"."""
    if not tempo_map.has_metre:
        return f"From {length_words(take.marker)}, {length_words(take.seconds)}"
    first, beat = tempo_map.bar_beat_read(tempo_map.tick(take.marker))
    last, over = tempo_map.bar_beat_read(tempo_map.tick(take.marker + (take.end or take.seconds)))
    bars = max(last - first + (1 if over > beat + 0.01 else 0), 1)
    return f"Bar {_bar_words(first, beat)}, {bars} bar{'' if bars == 1 else 's'}"


def plan_words(session: Session) -> str:
    """What Continue would do, in a few words: "Continues from bar 5"."""
    if session.score is None or session.marker <= session.prompt_start:
        return "Starts from nothing"
    tempo_map = session.tempo_map
    if not tempo_map.has_metre:
        return f"Continues from {length_words(session.marker)}"
    return f"Continues from bar {_bar_words(*tempo_map.bar_beat_read(tempo_map.tick(session.marker)))}"


def _bar_words(bar: int, beat: float) -> str:
    """ "5", or within the bar "5.3"."""
    return f"{bar + 1}" if beat == 0 else f"{bar + 1}.{int(beat) + 1}"


def differences(take: TakeRecord, takes: Sequence[TakeRecord]) -> list[str]:
    """What of the options this take does not share with all others; where they share all, its seed."""
    aspects: list[tuple[Callable[[TakeRecord], object], Callable[[TakeRecord], str]]] = [
        (lambda t: t.model, lambda t: t.model),
        (lambda t: t.temperature, lambda t: f"temperature {t.temperature:g}"),
        (lambda t: t.top_p, lambda t: f"top-p {t.top_p:g}"),
        (lambda t: t.rest, lambda t: _REST[t.rest]),
        (lambda t: (t.knobs, t.then), lambda t: knobs_words((t.knobs, *t.then))),
    ]
    found = [words(take) for value, words in aspects if len({value(other) for other in takes}) > 1]
    return [words for words in found if words] or [f"seed {take.seed}"]


def length_words(seconds: float) -> str:
    """ "12.5 s", or "2:05" from a minute on."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
