"""What the user works on, as one immutable value: a score, its takes, the marker, the settings.

Every change is a method that returns a new Session; what did not change is shared with the old one, so
a snapshot costs next to nothing. Times are seconds of the score unless a name says otherwise.
"""

import math
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

from msgspec import Meta

from core.codec.vocabulary import VOCABULARY_SIZE
from core.errors import UsageError
from core.files import read_file
from core.midi.controllers import BEND
from core.midi.grid import GRID_CHOICES, default_marker
from core.midi.read import MAX_BYTES, parse_score
from core.midi.score import Score, TakeNote, Track, TrackKey
from core.midi.tempo_map import TempoMap
from core.session.knobs import AS_THE_PROMPT, Knobs

LATEST = 7 * 86400.0  # seconds: nothing is moved or placed later than a week into the music
LONGEST_NAME = 200  # characters
USUAL_BARS, USUAL_SECONDS = 8.0, 20.0

_BLANK = TempoMap()

# What files may hold: core.session.storage and core.settings decode these types. File names that are not UTF-8 have
# surrogates in them; other surrogates could not be written again.
_WRITABLE = r"\A[^\0\ud800-\udc7f\udd00-\udfff]*\Z"
Text = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=_WRITABLE)]
LongText = Annotated[str, Meta(max_length=4096, pattern=_WRITABLE)]
Seconds = Annotated[float, Meta(ge=0, le=LATEST)]
SecondsOfTake = Annotated[float, Meta(ge=0, le=2 * LATEST)]
Chunk = Annotated[int, Meta(ge=0, le=1 << 16)]
TRACK_COLOURS = 12  # to choose from
Colour = Annotated[int, Meta(ge=-1, lt=TRACK_COLOURS)]
Channel = Annotated[int, Meta(ge=0, le=16 * 128 - 1)]  # of a TrackKey
SevenBits = Annotated[int, Meta(ge=0, le=127)]

# What becomes of the score's own notes under and behind a take: those of the tracks it replaces are silent under it and
# come back at its end, or do not come back; or all play on beside it.
RestOfSong = Literal["stretch", "rest", "beside"]


@dataclass(frozen=True, slots=True)
class TrackFlags:
    """What the user has set for a track. Percussion is never `in_prompt`.

    `hidden` keeps it out of the piano roll; `colour` is one of TRACK_COLOURS, -1 for the one that it has of itself.
    """

    mute: bool = False
    solo: bool = False
    in_prompt: bool = True
    hidden: bool = False
    colour: int = -1


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What to sample next, as the generation panel shows it. Raises UsageError for a value out of range.

    `model` is a name or path ("" for the bundled one). `length` counts seconds or bars, by `unit`; "auto" is
    USUAL_BARS where there is a metre, else USUAL_SECONDS, whatever the length.
    `scale` is "off", "auto" or a key such as "D minor"; `low` and `high` are the pitches allowed.
    `key_strength` is in nats, as in core.generation.options. `grid` is one of core.midi.grid.GRID_CHOICES;
    `dynamics` says how loud flat prompts are continued. `rest` is what becomes of the rest of the song, `drums` whether
    their pattern goes on where the file's drums stop. `into` are the tracks that a take plays on: "auto" are those of
    the prompt if they are several, "one" is a track of its own, "chunk:channel" the one track with this key. `knobs`
    say how a take is to differ from its prompt, `then` how in further parts of it, all equally long. `ends` lets the
    model end the piece before the length is reached.
    """

    model: LongText = ""
    length: float = 20.0
    unit: Literal["seconds", "bars", "auto"] = "seconds"
    temperature: float = 1.0
    top_p: float = 0.98
    seed: int = 0
    seed_locked: bool = False
    takes: int = 1
    scale: Text = "off"
    key_strength: float = 0.7
    low: int = 0
    high: int = 127
    grid: str = "auto"
    dynamics: Literal["auto", "flat", "human"] = "auto"
    rest: RestOfSong = "stretch"
    into: str = "auto"
    drums: Literal["repeat", "off"] = "repeat"
    knobs: Knobs = AS_THE_PROMPT
    then: tuple[Knobs, ...] = ()
    ends: bool = False

    def __post_init__(self) -> None:
        if not 0.01 <= self.length <= LATEST:
            raise UsageError(f"The length must lie between 0.01 and {LATEST:g}, not {self.length:g}.")
        if self.unit not in ("seconds", "bars", "auto"):
            raise UsageError(f'The length counts seconds or bars, not "{self.unit}".')
        if not 0 <= self.temperature <= 10:
            raise UsageError(f"The temperature must lie between 0 and 10, not {self.temperature:g}.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p must be over 0 and at most 1, not {self.top_p:g}.")
        if not 0 <= self.seed < 1 << 63:
            raise UsageError(f"The seed must be 0 or more, with at most 18 digits, not {self.seed}.")
        if not 1 <= self.takes <= 16:
            raise UsageError(f"The number of takes must lie between 1 and 16, not {self.takes}.")
        if not 0 <= self.key_strength <= 20:
            raise UsageError(f"The key strength must lie between 0 and 20, not {self.key_strength:g}.")
        if not 0 <= self.low <= self.high <= 127:
            raise UsageError(f"The range from note {self.low} to note {self.high} is empty or not within 0 to 127.")
        if self.grid not in GRID_CHOICES:
            raise UsageError(f'There is no grid called "{self.grid}".')
        if self.dynamics not in ("auto", "flat", "human"):
            raise UsageError(f'The dynamics cannot be "{self.dynamics}".')
        if self.rest not in get_args(RestOfSong):
            raise UsageError(f'The rest of the song can be stretch, rest or beside, not "{self.rest}".')
        if self.drums not in ("repeat", "off"):
            raise UsageError(f'The drums can be repeat or off, not "{self.drums}".')
        if self.into not in ("auto", "one") and not re.fullmatch(r"\d{1,5}:\d{1,4}", self.into):
            raise UsageError(f'A take cannot play into "{self.into}".')


DEFAULTS = GenerationSettings()
AT_FIRST = replace(DEFAULTS, unit="auto")  # what the window starts with for who has never set anything


class TakeControl(NamedTuple):
    """The value of a controller of a take (0 to 127, or core.midi.controllers.BEND) from `at` seconds of it on.

    `track` is the key of the score's track whose channel it is for, None for a track of the take's own.
    """

    at: SecondsOfTake
    number: Annotated[int, Meta(ge=0, le=BEND)]
    value: Annotated[int, Meta(ge=0, le=16383)]
    track: tuple[Chunk, Channel] | None = None


@dataclass(frozen=True, slots=True)
class TakeRecord:
    """A take that is kept: what was sampled, what made it, and what the user made of it.

    `notes` are seconds from the take's own `marker`, in order of (start, pitch), edits included;
    `events` stay as they were sampled. Of a take forked from `parent` (a take's id), the first
    `forked_at` seconds are the parent's and `events` are those after them. `created` is Unix time.
    An `id` and a `name` are given by `Session.with_take` where they are empty.

    `end` is where it ends in seconds from its marker, on a bar line where there are bars; 0 for as long as it lasts.
    `rest` says what becomes of the score behind the marker, and `replaces` in which of its tracks (None: in those of
    the prompt). `knobs` are those that it was sampled with, `then` those of further parts of it. `controls` are pedals
    and other controllers that the user gave it, in order of time.
    """

    notes: tuple[TakeNote, ...] = ()
    events: tuple[Annotated[int, Meta(ge=0, lt=VOCABULARY_SIZE)], ...] = field(default=(), repr=False)
    seconds: SecondsOfTake = 0.0
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] = 0
    temperature: Annotated[float, Meta(ge=0, le=10)] = 1.0
    top_p: Annotated[float, Meta(ge=0, le=1)] = 0.95
    model: LongText = ""
    marker: Seconds = 0.0
    created: Annotated[float, Meta(ge=0, le=1e11)] = 0.0
    id: Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")] = ""
    name: Text = ""
    starred: bool = False
    parent: Text = ""
    forked_at: SecondsOfTake = 0.0
    end: SecondsOfTake = 0.0
    rest: RestOfSong = "stretch"
    replaces: tuple[tuple[Chunk, Channel], ...] | None = None
    knobs: Knobs = AS_THE_PROMPT
    controls: tuple[TakeControl, ...] = ()
    then: tuple[Knobs, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What the piano roll shows: `seconds` of time from `start` on, pitches `low` to `high`."""

    start: Seconds = 0.0
    seconds: Annotated[float, Meta(ge=0.01, le=LATEST)] = 30.0
    low: SevenBits = 21
    high: SevenBits = 108
    follow: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """The whole state that is saved, undone and shown. Without a score it generates from nothing.

    `midi` are the bytes that `score` was read from, as they came (or as `accept_take` made them);
    `source` is the path they were read from, for this computer only: it is neither saved nor compared.
    `flags` go with `score.tracks`; `edited` are the indices of the tracks whose notes are not those of
    `midi` any more. `current` is the id of the take shown and heard, or empty. The prompt lasts from
    `prompt_start` to `marker`. `bin` are the takes that left the list, by Delete or by undo: `History` puts them
    there and keeps them outside of what undo takes back. `numbers` is the highest number of a take that no name tells
    any more, so that none is given twice. `end_marker` is where the next take ends, behind the marker; 0: nowhere set.
    """

    score: Score | None = None
    midi: bytes = field(default=b"", repr=False)
    source: str = field(default="", compare=False)
    flags: tuple[TrackFlags, ...] = ()
    edited: frozenset[int] = frozenset()
    takes: tuple[TakeRecord, ...] = ()
    current: str = ""
    marker: float = 0.0
    prompt_start: float = 0.0
    settings: GenerationSettings = DEFAULTS
    view: View = View()
    bin: tuple[TakeRecord, ...] = ()
    numbers: int = 0
    end_marker: float = 0.0

    # The score and its tracks

    @property
    def tempo_map(self) -> TempoMap:
        """The score's, or 120 bpm and no metre."""
        return self.score.tempo_map if self.score else _BLANK

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The score's; none without a score."""
        return self.score.tracks if self.score else ()

    def find_track(self, key: TrackKey | None) -> int | None:
        """The index of the track with this key; None if there is none."""
        return next((i for i, track in enumerate(self.tracks) if track.key == key), None)

    @property
    def prompt_indices(self) -> tuple[int, ...]:
        """Indices of the tracks that are in the prompt."""
        return tuple(i for i, flags in enumerate(self.flags) if flags.in_prompt)

    @property
    def prompt_tracks(self) -> tuple[Track, ...]:
        """The tracks that are in the prompt: what `encode_prompt` takes."""
        return tuple(self.tracks[i] for i in self.prompt_indices)

    @property
    def audible_tracks(self) -> tuple[int, ...]:
        """Indices of the tracks that are heard: the soloed ones, or all if there are none, less the muted."""
        any_solo = any(flags.solo for flags in self.flags)
        return tuple(i for i, f in enumerate(self.flags) if not f.mute and (f.solo or not any_solo))

    @property
    def default_marker(self) -> float:
        """Where a continuation starts unless the marker is moved; see `core.midi.grid`."""
        return _within(default_marker(self.score, self.prompt_indices)) if self.score else 0.0

    @property
    def chosen_colours(self) -> dict[TrackKey, int]:
        """The colours that the user has given to tracks."""
        return {t.key: flags.colour for t, flags in zip(self.tracks, self.flags, strict=True) if flags.colour >= 0}

    def with_flags(self, track: int, **changes: Any) -> "Session":
        """Change some flags, fields of TrackFlags, of a track (an index); the marker stays where it is.

        Percussion stays out of the prompt.
        """
        if self.tracks[track].is_percussion:
            changes.pop("in_prompt", None)
        new = replace(self.flags[track], **changes)
        return replace(self, flags=(*self.flags[:track], new, *self.flags[track + 1 :]))

    def with_prompt_of(self, track: int) -> "Session":
        """Make one track (an index) the whole prompt."""
        wanted = None if self.tracks[track].is_percussion else track
        return replace(self, flags=tuple(replace(f, in_prompt=i == wanted) for i, f in enumerate(self.flags)))

    def with_all_shown(self) -> "Session":
        """Hide no track."""
        return replace(self, flags=tuple(replace(flags, hidden=False) for flags in self.flags))

    # The prompt

    def with_marker(self, seconds: float | None) -> "Session":
        """Move the continue-from marker (None: to its default); the prompt's start never lies behind it."""
        marker = self.default_marker if seconds is None else _within(seconds)
        end = self.end_marker if self.end_marker > marker else 0.0
        return replace(self, marker=marker, prompt_start=min(self.prompt_start, marker), end_marker=end)

    def with_end_marker(self, seconds: float) -> "Session":
        """Let the next take end there; at the marker or before it: as long as the settings say."""
        return replace(self, end_marker=_within(seconds) if seconds > self.marker else 0.0)

    def with_prompt_start(self, seconds: float) -> "Session":
        """Move the start of the prompt, at most up to the marker."""
        return replace(self, prompt_start=min(_within(seconds), self.marker))

    def with_settings(self, settings: GenerationSettings) -> "Session":
        """Change what is sampled next."""
        return replace(self, settings=settings)

    def with_view(self, view: View) -> "Session":
        """Remember what the piano roll shows."""
        return replace(self, view=view)

    # The takes

    @property
    def current_take(self) -> TakeRecord | None:
        """The take that is shown and heard."""
        return self.find_take(self.current)

    def take(self, take_id: str) -> TakeRecord:
        """The take with this id. Raises UsageError if there is none."""
        if (take := self.find_take(take_id)) is None:
            raise UsageError("This take is no longer there.")
        return take

    def find_take(self, take_id: str) -> TakeRecord | None:
        """The take with this id; None if there is none."""
        return next((take for take in self.takes if take.id == take_id), None)

    def with_take(self, take: TakeRecord, select: bool = True) -> "Session":
        """Add a take behind the others; an id and a name ("Take 3") are made up where they are missing."""
        added = replace(
            take,
            id=take.id or new_id(),
            name=one_line(take.name) or self.next_names(1)[0],
            notes=in_order(take.notes),
            seconds=max([take.seconds, *(note.end for note in take.notes)]),
        )
        if self.find_take(added.id):
            raise UsageError("This take is there already.")
        return replace(self, takes=(*self.takes, added), current=added.id if select else self.current)

    def with_changed_take(self, take: TakeRecord) -> "Session":
        """Put a take in the place of the one with its id. Raises UsageError if there is none."""
        self.take(take.id)
        return replace(self, takes=tuple(take if old.id == take.id else old for old in self.takes))

    def rename_take(self, take_id: str, name: str) -> "Session":
        """Raises UsageError for a name without a letter in it."""
        if not one_line(name):
            raise UsageError("A take needs a name.")
        return self.with_changed_take(replace(self.take(take_id), name=one_line(name)))

    def star_take(self, take_id: str, starred: bool) -> "Session":
        """Mark a take as a favourite, or no more."""
        return self.with_changed_take(replace(self.take(take_id), starred=starred))

    def duplicate_take(self, take_id: str) -> "Session":
        """Put a copy of a take behind it, and select it."""
        old = self.take(take_id)
        copy = replace(old, id=new_id(), name=f"{old.name[: LONGEST_NAME - 5]} copy", starred=False)
        place = self.takes.index(old) + 1
        return replace(self, takes=(*self.takes[:place], copy, *self.takes[place:]), current=copy.id)

    def delete_takes(self, take_ids: Iterable[str]) -> "Session":
        """Delete takes; if the current one is among them, its nearest neighbour is selected."""
        gone = set(take_ids)
        kept = tuple(take for take in self.takes if take.id not in gone)
        current = self.current
        if current in gone:
            place = next((i for i, take in enumerate(self.takes) if take.id == current), 0)
            after = [take.id for take in self.takes[place:] if take.id not in gone]
            before = [take.id for take in self.takes[:place] if take.id not in gone]
            current = after[0] if after else before[-1] if before else ""
        return replace(self, takes=kept, current=current)

    def restore_take(self, take_id: str) -> "Session":
        """Take a take out of the bin, behind the others, and select it. Raises UsageError if it is not there."""
        for take in self.bin:
            if take.id == take_id:
                kept = tuple(other for other in self.bin if other is not take)
                return replace(self, takes=(*self.takes, take), current=take_id, bin=kept)
        raise UsageError("This take is no longer in the bin.")

    def with_empty_bin(self) -> "Session":
        """Let go of the takes in the bin."""
        return replace(self, bin=()).with_last_number(self.last_number)

    def select_take(self, take_id: str) -> "Session":
        """Show and hear a take; "" for none. Raises UsageError if there is no such take."""
        return replace(self, current=self.take(take_id).id if take_id else "")

    @property
    def last_number(self) -> int:
        """The highest number that a take was given."""
        used = [re.fullmatch(r"Take (\d{1,9})", take.name) for take in (*self.takes, *self.bin)]
        return max([self.numbers, *(int(match[1]) for match in used if match)])

    def with_last_number(self, number: int) -> "Session":
        """Remember that numbers were given up to this one."""
        return self if self.last_number >= number else replace(self, numbers=number)

    def next_names(self, count: int) -> list[str]:
        """Names for new takes, such as "Take 3"."""
        return [f"Take {self.last_number + i + 1}" for i in range(count)]


def session_from_midi(data: bytes, name: str, *, source: str = "", settings: GenerationSettings = DEFAULTS) -> Session:
    """A new session on the bytes of a MIDI file called `name`. Raises UnreadableInput."""
    score = parse_score(data, name)
    session = Session(score=score, midi=data, source=source, flags=default_flags(score), settings=settings)
    return session.with_marker(None)


def open_midi(path: str | os.PathLike[str], settings: GenerationSettings = DEFAULTS) -> Session:
    """A new session on a MIDI file. Raises UnreadableInput."""
    data = read_file(path, MAX_BYTES, "MIDI file")
    return session_from_midi(data, Path(path).name, source=os.path.abspath(path), settings=settings)


def default_flags(score: Score) -> tuple[TrackFlags, ...]:
    """All tracks are heard, and all but percussion are in the prompt."""
    return tuple(TrackFlags(in_prompt=not track.is_percussion) for track in score.tracks)


def in_order(notes: Iterable[TakeNote]) -> tuple[TakeNote, ...]:
    """The notes of a take in the order that sessions keep them in."""
    return tuple(sorted(notes, key=take_note_order))


def take_note_order(note: TakeNote) -> tuple[float, int, float, int, TrackKey, str]:
    """The key that a take's notes are sorted by."""
    return note.start, note.pitch, note.end, note.velocity, note.track or (-1, -1), note.take


def new_id() -> str:
    """An id that no other take has."""
    return secrets.token_hex(6)


def one_line(name: str) -> str:
    """A name on one line, without what cannot be shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME].strip()


def _within(seconds: float) -> float:
    """A time that can be. Raises UsageError for one that is no number."""
    if not math.isfinite(seconds):
        raise UsageError("This is not a time.")
    return min(max(float(seconds), 0.0), LATEST)
