"""From the options of a command to a prompt: which file, which tracks, where it ends, how long to go on."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.cli.output import say
from core.errors import UnreadableInput, UsageError
from core.files import check_writable
from core.midi.grid import Grid, default_marker, find_grid
from core.midi.pitch_names import parse_pitch
from core.midi.read import read_score
from core.midi.score import Score, Track
from core.session.arrangement import bars_in_seconds, tempo_map_of
from core.session.knobs import Knobs, parse_knobs
from core.session.session import LATEST, USUAL_BARS, GenerationSettings, RestOfSong, Session, TrackFlags

MOST_BARS = 100_000
_PROMPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a score is to be continued: `tracks` are indices, `marker` and `start` seconds; and on what grid."""

    score: Score
    tracks: tuple[int, ...]
    marker: float
    start: float | None
    grid: Grid | None = None

    @property
    def chosen(self) -> list[Track]:
        """The tracks of the prompt."""
        return [self.score.tracks[i] for i in self.tracks]


def choose(
    path: Path,
    tracks: str | None,
    from_seconds: float | None,
    prompt_seconds: float | None,
    grid: str,
    rest: RestOfSong,
) -> Choice:
    """Read a file and find the prompt in it, and its `grid` (see find_grid). Raises UnreadableInput, UsageError.

    `rest` says which tempo map holds under the take.
    """
    score = read_score(path)
    indices = parse_tracks(score, tracks)
    notes = [note for i in indices for note in score.tracks[i].notes]
    if not notes:
        what = "but drums in those tracks" if tracks else "but drums" if score.notes else "that plays a note"
        why = (
            "the models play no drums; the window repeats their pattern" if score.notes else "nothing can be continued"
        )
        raise UnreadableInput(f"{path.name} has nothing {what}: {why}.")
    marker = default_marker(score, indices)
    if from_seconds is not None:
        if not 0 <= from_seconds <= max(score.end, marker):  # the bar line behind the last note is no place outside
            raise UsageError(f"--from {from_seconds:g} lies outside the file, which ends at {score.end:.2f} seconds.")
        # On a tick, as all that is written: a note that begins at 7.2 seconds may begin at 7.199999 in arithmetic.
        marker = score.tempo_map.seconds(score.tempo_map.tick(from_seconds))
    if min(note.start for note in notes) >= marker:
        raise UsageError(f"No note of the prompt comes before {marker:g} seconds; choose a later --from.")
    start = None
    if prompt_seconds is not None:
        if not prompt_seconds > 0:
            raise UsageError(f"--prompt-seconds must be over 0, not {prompt_seconds:g}.")
        start = max(0.0, marker - prompt_seconds)
        if not any(start <= note.start < marker for note in notes):
            raise UsageError(f"No note starts in the last {prompt_seconds:g} seconds of the prompt; use more of it.")
    chosen = [score.tracks[i] for i in indices]
    tempo_map = tempo_map_of(score, marker, rest)
    return Choice(score, indices, marker, start, find_grid(tempo_map, chosen, marker, start, grid))


def session_of(choice: Choice, rest: str, into: str, drums: str) -> Session:
    """The choice as a session to put takes into; `into` is a track's number, or as in the settings."""
    if into not in ("auto", "one"):
        chunk, channel = choice.score.tracks[int(into) - 1].key
        into = f"{chunk}:{channel}"
    settings = GenerationSettings(rest=rest, into=into, drums=drums)  # type: ignore[arg-type]  # checked by it
    flags = tuple(TrackFlags(in_prompt=i in choice.tracks) for i in range(len(choice.score.tracks)))
    session = Session(score=choice.score, flags=flags, settings=settings).with_marker(choice.marker)
    return session.with_prompt_start(choice.start or 0.0)


def parse_tracks(score: Score, chosen: str | None) -> tuple[int, ...]:
    """Indices for "1,3" as `continuo-cli info` counts them; by default all that are not percussion."""
    if chosen is None:
        return tuple(i for i, track in enumerate(score.tracks) if not track.is_percussion)
    try:
        numbers = [int(part) for part in chosen.split(",")]
    except ValueError:
        raise UsageError(f'--tracks takes numbers such as 1,3 (see continuo-cli info), not "{chosen}".') from None
    for number in numbers:
        if not 1 <= number <= len(score.tracks):
            raise UsageError(
                f"There is no track {number}; {score.name} has {len(score.tracks)} (see continuo-cli info)."
            )
        if score.tracks[number - 1].is_percussion:
            raise UsageError(f"Track {number} holds drums, which the model cannot continue.")
    return tuple(sorted({number - 1 for number in numbers}))


def length_in_seconds(
    choice: Choice,
    seconds: float | None,
    bars: float | None,
    events: int | None,
    to: float | None,
    rest: RestOfSong,
) -> float | None:
    """How many seconds to go on for: None if counted in events or without end ("inf"). Raises UsageError.

    `to` is where to end, in seconds of the score. Of itself a take lasts 8 bars where there is a metre, else 30
    seconds.
    """
    if sum(value is not None for value in (seconds, bars, events, to)) > 1:
        raise UsageError("Give the length once: --seconds, --bars, --events or --to.")
    if to is not None:
        if not 0.01 <= to - choice.marker <= LATEST:
            raise UsageError(
                f"--to {to:g} must lie behind the place that the take begins at, {choice.marker:.2f} seconds."
            )
        return to - choice.marker
    tempo_map = tempo_map_of(choice.score, choice.marker, rest)
    if bars is not None:
        if not 0 < bars <= MOST_BARS:
            raise UsageError(f"--bars must be over 0 and at most {MOST_BARS}, not {bars:g}.")
        return bars_in_seconds(tempo_map, choice.marker, bars)
    if seconds is not None and math.isinf(seconds) and seconds > 0:
        return None
    if seconds is None and events is None:
        return bars_in_seconds(tempo_map, choice.marker, USUAL_BARS) if tempo_map.has_metre else _PROMPT_SECONDS
    return seconds


def pitch(text: str) -> int:
    """A pitch given as a number (60) or a name (C4, the middle C). Raises UsageError."""
    number = parse_pitch(text)
    if number is None:
        raise UsageError(f'"{text}" is not a pitch; write a number from 0 (C-1) to 127 (G9) or a name such as C4.')
    return number


def numbered(path: Path, count: int, prompt: Path) -> Sequence[Path]:
    """`path` for one take; for more path-1, path-2 and so on. Raises UsageError, WriteError.

    The prompt's own file is written over only if the user names it by its name: no link, no other spelling of it may
    lead there, and it may not be one of several.
    """
    # A folder or a device is no name to number: it is refused as it stands.
    several = count > 1 and (os.path.isfile(path) or not os.path.exists(path))
    paths = [path.with_stem(f"{path.stem}-{i + 1}") for i in range(count)] if several else [path]
    for each in paths:
        check_writable(each)
        if not (each.exists() and each.samefile(prompt)):
            continue
        if count > 1:
            raise UsageError(f"{each} is the prompt itself, so {count} takes need another name than {path}.")
        if os.path.abspath(each) != os.path.abspath(prompt):
            raise UsageError(f"{each} leads to the prompt itself, {prompt}: choose another name for the take.")
    return paths


def knobs(given: Sequence[str] | None, words: str | None) -> tuple[Knobs, tuple[Knobs, ...]]:
    """The knobs by name and by words, which are told as they were understood: those at first, those of further parts.

    Raises UsageError.
    """
    by_name = parse_knobs(given or ())
    if not words:
        return by_name, ()
    from core.words.understanding import bundled_understanding

    understood = bundled_understanding().understand(words)
    say(understood.words)
    first, *others = (replace(part, **by_name.turned()) for part in understood.parts)
    return first, tuple(others)
