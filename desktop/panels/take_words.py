"""What is said of takes: where one begins, how long it is, what sets it apart; of the next one; of what is exported."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication

from core.midi.tempo_map import TempoMap
from core.session.arrangement import take_length
from core.session.knobs import knobs_words
from core.session.session import Session, TakeRecord
from core.session.timeline import What

translate = QCoreApplication.translate

_MOST_NAMED = 3  # tracks
_REST = {"stretch": "song returns", "rest": "song left out", "beside": "song beside it"}


def place_words(take: TakeRecord, tempo_map: TempoMap) -> str:
    """ "Bar 5, 8 bars", or without bars "0:12, 16.0 s"."""
    if not tempo_map.has_metre:
        return translate("TakeWords", "From {0}, {1}").format(length_words(take.marker), length_words(take.seconds))
    first, beat = tempo_map.bar_beat_read(tempo_map.tick(take.marker))
    last, over = tempo_map.bar_beat_read(tempo_map.tick(take.marker + take_length(take, tempo_map)))
    bars = max(last - first + (1 if over > beat + 0.01 else 0), 1)
    one, several = translate("TakeWords", "Bar {0}, 1 bar"), translate("TakeWords", "Bar {0}, {1} bars")
    return (one if bars == 1 else several).format(_bar_words(first, beat), bars)


def plan_words(session: Session) -> str:
    """What Continue would do, in a few words: "Continues from bar 5"."""
    if session.score is None or session.marker <= session.prompt_start:
        return translate("TakeWords", "Starts from nothing")
    tempo_map = session.tempo_map
    if not tempo_map.has_metre:
        return translate("TakeWords", "Continues from {0}").format(length_words(session.marker))
    bar = _bar_words(*tempo_map.bar_beat_read(tempo_map.tick(session.marker)))
    return translate("TakeWords", "Continues from bar {0}").format(bar)


def sound_words(session: Session, what: What) -> str:
    """What is written where this is exported: "The score with Take 3. Not heard, so left out: Drums.".

    The tracks that are not heard are named, three of them at most.
    """
    take = session.current_take
    if take is None or what == "prompt":
        words = translate("TakeWords", "The score alone.")
    elif what == "take" or session.score is None:
        return translate("TakeWords", "{0} alone.").format(take.name)
    else:
        words = translate("TakeWords", "The score with {0}.").format(take.name)
    number, heard = translate("TakeWords", "Track {0}"), session.audible_tracks
    silent = [t.name or number.format(i + 1) for i, t in enumerate(session.tracks) if t.notes and i not in heard]
    if silent:
        named = ", ".join(silent[:_MOST_NAMED])
        if len(silent) > _MOST_NAMED:
            named = translate("TakeWords", "{0} and {1} more").format(named, len(silent) - _MOST_NAMED)
        words += translate("TakeWords", " Not heard, so left out: {0}.").format(named)
    return words


def _bar_words(bar: int, beat: float) -> str:
    """ "5", or within the bar "5.3"."""
    return f"{bar + 1}" if beat == 0 else f"{bar + 1}.{int(beat) + 1}"


def differences(take: TakeRecord, takes: Sequence[TakeRecord]) -> list[str]:
    """What of the options this take does not share with all others, or its seed; and its knobs, if any are turned."""
    aspects: list[tuple[Callable[[TakeRecord], object], Callable[[TakeRecord], str]]] = [
        (lambda t: t.model, lambda t: t.model),
        (lambda t: t.temperature, lambda t: translate("TakeWords", "temperature {0:g}").format(t.temperature)),
        (lambda t: t.top_p, lambda t: translate("TakeWords", "top-p {0:g}").format(t.top_p)),
        (lambda t: t.rest, lambda t: translate("TakeWords", _REST[t.rest])),
    ]
    found = [words(take) for value, words in aspects if len({value(other) for other in takes}) > 1]
    feel = knobs_words((take.knobs, *take.then))
    is_apart = any((other.knobs, other.then) != (take.knobs, take.then) for other in takes)
    if not any(found) and not (feel and is_apart):
        found.append(translate("TakeWords", "seed {0}").format(take.seed))
    return [words for words in (*found, feel) if words]


def length_words(seconds: float) -> str:
    """ "12.5 s", or "2:05" from a minute on."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
