"""Sessions <-> `.continuo` files. They may come from strangers: nothing in them is run, unpacked or trusted.

A `.continuo` file is a zip archive of two members; other members are passed over.

    score.mid      the MIDI file that the score is read from (absent without a score)
    session.json   UTF-8 JSON, an object of

        format       "continuo-session"
        version      1
        name         what the score is called, a file name
        marker, prompt_start    seconds
        settings     the fields of GenerationSettings
        view         the fields of View
        tracks       [{chunk, channel, mute, solo, in_prompt, notes?, releases?}]: a track is known by its MTrk chunk
                     and its channel; `notes`, if it was edited, is a flat list of start tick, end tick, pitch,
                     velocity of each note, and `releases`, if any is not 64, their release velocities
        takes        [the fields of TakeRecord, `notes` a flat list of start, end, pitch, velocity; those that say where
                     it lies in its song only where they are not the defaults: end, rest, replaces [[chunk, channel]],
                     parts [[chunk, channel, id of the take that notes came from]] and note_parts, for each note the
                     index of its part or -1]
        current      id of the current take, or ""
        bin          [takes that left the list, as in `takes`], only if there are any
        numbers      the highest number of a take that no name tells any more, only if there is one

Times in ticks are whole, all others in seconds. A newer version number means: not to be read by this one.
"""

import io
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from core.codec.vocabulary import VOCABULARY_SIZE
from core.errors import ContinuoError, UnreadableInput, WriteError
from core.files import read_file, too_large, write_atomically
from core.midi.messages import DEFAULT_RELEASE
from core.midi.read import MAX_BYTES, parse_score
from core.midi.score import Note, Score, TakeNote, TrackKey
from core.session.edits import LATEST_TICK, note_order
from core.session.session import (
    DEFAULTS,
    LATEST,
    LONGEST_NAME,
    GenerationSettings,
    RestOfSong,
    Session,
    TakeRecord,
    TrackFlags,
    View,
    default_flags,
    in_order,
    open_midi,
)

SUFFIX = ".continuo"
VERSION = 1
KIND = "Continuo session"
MOST_BYTES = 64 * 2**20  # of the file and of session.json: over a million notes of takes
_MOST_MEMBERS = 64
# Of quotes, colons and brackets in session.json: small text must not become gigabytes of objects.
_MOST_SIGNS = 2_000_000
_FORMAT = "continuo-session"


_PLAIN_TAKE = TakeRecord()


class _DamagedError(Exception):
    """What is wrong with a session file, as the end of a sentence."""


# Writing


def session_bytes(session: Session) -> bytes:
    """The bytes of a session's `.continuo` file. The path it was opened from is not told.

    Raises WriteError if the session has grown so large that it could not be opened again.
    """
    text = json.dumps(_as_json(session), allow_nan=False, separators=(",", ":"))
    if len(text) > MOST_BYTES:
        raise WriteError("The session is too large to be saved: delete some of its takes and empty the bin.")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr("session.json", text)
        if session.score is not None:
            archive.writestr("score.mid", session.midi)
    return out.getvalue()


def save_session(session: Session, path: str | os.PathLike[str]) -> None:
    """Write a `.continuo` file, whole or not at all. Raises WriteError."""
    write_atomically(path, session_bytes(session))


def _as_json(session: Session) -> dict[str, Any]:
    tracks = session.score.tracks if session.score else ()
    written_tracks: list[dict[str, Any]] = []
    for i, (track, flags) in enumerate(zip(tracks, session.flags, strict=True)):
        written = {"chunk": track.chunk, "channel": track.channel, **asdict(flags)}
        if i in session.edited:
            written["notes"] = [v for n in track.notes for v in (n.start_tick, n.end_tick, n.pitch, n.velocity)]
            if any(note.release != DEFAULT_RELEASE for note in track.notes):
                written["releases"] = [note.release for note in track.notes]
        written_tracks.append(written)
    written_session = {
        "format": _FORMAT,
        "version": VERSION,
        "name": session.score.name if session.score else "",
        "marker": session.marker,
        "prompt_start": session.prompt_start,
        "settings": _settings_as_json(session.settings),
        "view": asdict(session.view),
        "tracks": written_tracks,
        "takes": [_take_as_json(take) for take in session.takes],
        "current": session.current,
    }
    if session.bin:
        written_session["bin"] = [_take_as_json(take) for take in session.bin]
    if session.numbers:
        written_session["numbers"] = session.numbers
    return written_session


def _settings_as_json(settings: GenerationSettings) -> dict[str, Any]:
    """The settings; those that came later only where they are not the defaults."""
    later = ("rest", "into", "drums")
    return {k: v for k, v in asdict(settings).items() if k not in later or v != getattr(DEFAULTS, k)}


def _take_as_json(take: TakeRecord) -> dict[str, Any]:
    written = {f.name: getattr(take, f.name) for f in fields(take)}
    written["notes"] = [v for n in take.notes for v in (n.start, n.end, n.pitch, n.velocity)]
    for name in ("end", "rest", "replaces"):
        if written[name] == getattr(_PLAIN_TAKE, name):
            del written[name]
    parts = sorted({(n.track, n.take) for n in take.notes} - {(None, "")}, key=str)
    if parts:
        index = {part: i for i, part in enumerate(parts)}
        written["parts"] = [[*(track or (-1, -1)), origin] for track, origin in parts]
        written["note_parts"] = [index.get((n.track, n.take), -1) for n in take.notes]
    return written


# Reading


def open_any(path: str | os.PathLike[str], settings: GenerationSettings = DEFAULTS) -> Session:
    """A session from a `.continuo` file, or a new one (with `settings`) on a MIDI file. Raises UnreadableInput."""
    return open_session(path) if is_session_file(path) else open_midi(path, settings)


def is_session_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a session, by its name: one that is damaged must not pass for a MIDI file."""
    return Path(path).suffix.lower() == SUFFIX


def open_session(path: str | os.PathLike[str]) -> Session:
    """Read a `.continuo` file. Raises UnreadableInput, a sentence with its name, if that cannot be."""
    return parse_session(read_file(path, MOST_BYTES, KIND), Path(path).name)


def parse_session(data: bytes, name: str) -> Session:
    """Read the bytes of a `.continuo` file that is called `name`. Raises UnreadableInput."""
    if len(data) > MOST_BYTES:
        raise too_large(name, MOST_BYTES, KIND)
    try:
        text, midi = _members(data)
        return _session(_Values(_json(text), "the session"), midi)
    except _DamagedError as error:
        raise UnreadableInput(f'"{name}" cannot be opened: {error}.') from error
    except (UnreadableInput, RecursionError, MemoryError, ValueError, OverflowError) as error:
        # Of the members' own sentences none has the name of the file that the user chose.
        raise UnreadableInput(f'"{name}" cannot be opened: it is damaged.') from error


def _members(data: bytes) -> tuple[bytes, bytes | None]:
    """session.json and score.mid, unpacked into memory and no further than they may be long."""
    # Counted before zipfile makes an object of each.
    if data.count(b"PK\x01\x02") > _MOST_MEMBERS:
        raise _DamagedError("it holds too many parts for a Continuo session")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = _member(archive, "session.json", MOST_BYTES)
            midi = _member(archive, "score.mid", MAX_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, IndexError, struct.error) as error:
        raise _DamagedError("it is damaged, or no Continuo session") from error
    if text is None:
        raise _DamagedError("it is no Continuo session")
    return text, midi


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes | None:
    """A member's bytes, or None if there is none of that name."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _DamagedError("it is packed in a way that Continuo does not use")
    with archive.open(info) as file:
        data = file.read(most + 1)  # whatever size it claims
    if len(data) > most:
        raise _DamagedError("it is too large to be a Continuo session")
    return data


def _json(text: bytes) -> object:
    if sum(text.count(sign) for sign in (b'"', b":", b"[", b"{")) > _MOST_SIGNS:
        raise _DamagedError("it is too large to be a Continuo session")

    def whole(digits: str) -> int:
        if len(digits) > 20:
            raise _DamagedError("it holds an impossible number")
        return int(digits)

    def no_number(word: str) -> float:
        raise _DamagedError("it holds an impossible number")

    return json.loads(text.decode("utf-8"), parse_int=whole, parse_constant=no_number)


class _Values:
    """The values of one JSON object, each checked as it is taken out; raises _DamagedError."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise _DamagedError(f"{what} is damaged")
        self._values: Mapping[str, object] = value
        self._what = what

    def _fault(self, key: str) -> _DamagedError:
        return _DamagedError(f'{self._what} has no possible "{key}"')

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def number(self, key: str, low: float, high: float) -> float:
        value = self._values.get(key)
        if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
            raise self._fault(key)
        return float(value)  # type: ignore[arg-type]

    def whole(self, key: str, low: int, high: int) -> int:
        value = self._values.get(key)
        if type(value) is not int or not low <= value <= high:
            raise self._fault(key)
        return value

    def flag(self, key: str) -> bool:
        value = self._values.get(key)
        if not isinstance(value, bool):
            raise self._fault(key)
        return value

    def text(self, key: str, longest: int = LONGEST_NAME) -> str:
        value = self._values.get(key)
        if not isinstance(value, str) or len(value) > longest or "\0" in value:
            raise self._fault(key)
        # File names that are not UTF-8 have surrogates in them; others could not be written again: ValueError.
        value.encode("utf-8", "surrogateescape")
        return value

    def objects(self, key: str, what: str) -> list["_Values"]:
        value = self._values.get(key)
        if not isinstance(value, list):
            raise self._fault(key)
        return [_Values(item, what) for item in value]

    def child(self, key: str) -> "_Values":
        return _Values(self._values.get(key), f'the part "{key}"')

    def wholes(self, key: str, low: int, high: int) -> tuple[int, ...]:
        value = self._values.get(key)
        if not isinstance(value, list) or not all(type(v) is int and low <= v <= high for v in value):
            raise self._fault(key)
        return tuple(value)

    def lists(self, key: str, length: int) -> "list[list[Any]]":
        """Lists of `length` values each."""
        value = self._values.get(key)
        if not isinstance(value, list) or not all(isinstance(row, list) and len(row) == length for row in value):
            raise self._fault(key)
        return value

    def notes(self, key: str, latest: float, whole: bool) -> list[tuple[Any, Any, int, int]]:
        """(start, end, pitch, velocity) of a flat list; times in [0, latest], the end not before the start."""
        value = self._values.get(key)
        if not isinstance(value, list) or len(value) % 4:
            raise self._fault(key)
        kinds = (int,) if whole else (int, float)
        notes = list(zip(value[::4], value[1::4], value[2::4], value[3::4], strict=True))
        for start, end, pitch, velocity in notes:
            if type(pitch) is not int or type(velocity) is not int or not (0 <= pitch <= 127 and 1 <= velocity <= 127):
                raise self._fault(key)
            if type(start) not in kinds or type(end) not in kinds or not 0 <= start <= end <= latest:
                raise self._fault(key)
        return notes


def _session(values: _Values, midi: bytes | None) -> Session:
    if values.text("format") != _FORMAT:
        raise _DamagedError("it is no Continuo session")
    if values.whole("version", 1, 1 << 31) > VERSION:
        raise _DamagedError("it was saved by a newer Continuo")
    score = None if midi is None else parse_score(midi, values.text("name", 4096))
    session = Session(score=score, midi=midi or b"", flags=default_flags(score) if score else ())
    session = _with_tracks(session, values.objects("tracks", "a track"))
    takes = tuple(_take(take) for take in values.objects("takes", "a take"))
    current = values.text("current")
    binned = tuple(_take(take) for take in values.objects("bin", "a take")) if "bin" in values else ()
    ids = {take.id for take in takes}
    if (
        len(ids | {take.id for take in binned}) < len(takes) + len(binned)
        or "" in ids
        or (current and current not in ids)
    ):
        raise _DamagedError("its takes are mixed up")
    marker = values.number("marker", 0, LATEST)
    return replace(
        session,
        takes=takes,
        current=current,
        marker=marker,
        prompt_start=values.number("prompt_start", 0, marker),
        settings=_settings(values.child("settings")),
        view=_view(values),
        bin=binned,
        numbers=values.whole("numbers", 0, 10**9) if "numbers" in values else 0,
    )


def _with_tracks(session: Session, written: list[_Values]) -> Session:
    """The session with the flags and the edited notes of its tracks."""
    score = session.score
    places = {(t.chunk, t.channel): i for i, t in enumerate(score.tracks)} if score else {}
    flags = list(session.flags)
    edited: dict[int, tuple[Note, ...]] = {}
    for values in written:
        place = places.get((values.whole("chunk", 0, 1 << 16), values.whole("channel", 0, 15)))
        if place is None or score is None:
            raise _DamagedError("its tracks are not those of its score")
        in_prompt = values.flag("in_prompt") and not score.tracks[place].is_percussion
        flags[place] = TrackFlags(values.flag("mute"), values.flag("solo"), in_prompt)
        if "notes" in values:
            edited[place] = _score_notes(values, score)
    if score is not None and edited:
        tracks = tuple(
            replace(track, notes=edited[i]) if i in edited else track for i, track in enumerate(score.tracks)
        )
        session = replace(session, score=replace(score, tracks=tracks), edited=frozenset(edited))
    return replace(session, flags=tuple(flags))


def _score_notes(values: _Values, score: Score) -> tuple[Note, ...]:
    rows = values.notes("notes", max(LATEST_TICK, score.end_tick), whole=True)
    starts = score.tempo_map.seconds_array(np.array([row[0] for row in rows], np.float64)).tolist()
    ends = score.tempo_map.seconds_array(np.array([row[1] for row in rows], np.float64)).tolist()
    releases = values.wholes("releases", 0, 127) if "releases" in values else (DEFAULT_RELEASE,) * len(rows)
    if len(releases) != len(rows):
        raise _DamagedError("its tracks are not those of its score")
    notes = [
        Note(pitch, velocity, start, end, first, last, release)
        for (first, last, pitch, velocity), start, end, release in zip(rows, starts, ends, releases, strict=True)
    ]
    return tuple(sorted(notes, key=note_order))


def _take(values: _Values) -> TakeRecord:
    rows = values.notes("notes", 2 * LATEST, False)
    notes = [
        TakeNote(pitch, velocity, start, end, *part)
        for (start, end, pitch, velocity), part in zip(rows, _note_parts(values, len(rows)), strict=True)
    ]
    seconds = values.number("seconds", max((note.end for note in notes), default=0), 2 * LATEST)
    take_id = values.text("id")
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", take_id):
        raise _DamagedError("its takes are mixed up")
    return TakeRecord(
        notes=in_order(notes),
        events=values.wholes("events", 0, VOCABULARY_SIZE - 1),
        seconds=seconds,
        seed=values.whole("seed", 0, (1 << 63) - 1),
        temperature=values.number("temperature", 0, 10),
        top_p=values.number("top_p", 0, 1),
        model=values.text("model", 4096),
        marker=values.number("marker", 0, LATEST),
        created=values.number("created", 0, 1e11),
        id=take_id,
        name=values.text("name"),
        starred=values.flag("starred"),
        parent=values.text("parent"),
        forked_at=values.number("forked_at", 0, seconds),
        end=values.number("end", 0, 2 * LATEST) if "end" in values else 0.0,
        rest=_rest(values),
        replaces=_keys(values, "replaces") if "replaces" in values else None,
    )


def _rest(values: _Values) -> RestOfSong:
    rest = values.text("rest") if "rest" in values else _PLAIN_TAKE.rest
    if rest not in get_args(RestOfSong):
        raise _DamagedError("its takes are mixed up")
    return rest  # type: ignore[return-value]


def _note_parts(values: _Values, notes: int) -> list[tuple[TrackKey | None, str]]:
    """The track and the origin of each note of a take."""
    if "note_parts" not in values:
        return [(None, "")] * notes
    parts: list[tuple[TrackKey | None, str]] = []
    for row in values.lists("parts", 3):
        chunk, channel, origin = row
        if not isinstance(origin, str) or len(origin) > 64:
            raise _DamagedError("its takes are mixed up")
        parts.append((None if chunk == -1 else _key(chunk, channel), origin))
    places = values.wholes("note_parts", -1, len(parts) - 1)
    if len(places) != notes:
        raise _DamagedError("its takes are mixed up")
    return [parts[place] if place >= 0 else (None, "") for place in places]


def _keys(values: _Values, name: str) -> tuple[TrackKey, ...]:
    return tuple(_key(*row) for row in values.lists(name, 2))


def _key(chunk: object, channel: object) -> TrackKey:
    for value, last in ((chunk, 1 << 16), (channel, 15)):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= last:
            raise _DamagedError("its takes are mixed up")
    return chunk, channel  # type: ignore[return-value]


def _view(values: _Values) -> View:
    """What was shown; the default if that cannot be, for nobody would lose a session over it."""
    try:
        view = values.child("view")
        return View(
            start=view.number("start", 0, LATEST),
            seconds=view.number("seconds", 0.01, LATEST),
            low=view.whole("low", 0, 127),
            high=view.whole("high", 0, 127),
            follow=view.flag("follow"),
        )
    except _DamagedError:
        return View()


def generation_settings(value: object) -> GenerationSettings:
    """Settings from the JSON object of their fields. Raises ValueError for anything else."""
    try:
        return _settings(_Values(value, "the settings"))
    except _DamagedError as error:
        raise ValueError(str(error)) from error


def _settings(values: _Values) -> GenerationSettings:
    unit = values.text("unit")
    try:
        return GenerationSettings(
            model=values.text("model", 4096),
            length=values.number("length", 0, LATEST),
            unit="bars" if unit == "bars" else "seconds",
            temperature=values.number("temperature", 0, 10),
            top_p=values.number("top_p", 0, 1),
            seed=values.whole("seed", 0, (1 << 63) - 1),
            seed_locked=values.flag("seed_locked"),
            takes=values.whole("takes", 1, 16),
            scale=values.text("scale"),
            low=values.whole("low", 0, 127),
            high=values.whole("high", 0, 127),
            # Sessions from before there were these have none of them.
            key_strength=values.number("key_strength", 0, 20) if "key_strength" in values else DEFAULTS.key_strength,
            grid=values.text("grid") if "grid" in values else DEFAULTS.grid,
            dynamics=values.text("dynamics") if "dynamics" in values else DEFAULTS.dynamics,  # type: ignore[arg-type]
            rest=values.text("rest") if "rest" in values else DEFAULTS.rest,  # type: ignore[arg-type]
            into=values.text("into") if "into" in values else DEFAULTS.into,
            drums=values.text("drums") if "drums" in values else DEFAULTS.drums,  # type: ignore[arg-type]
        )
    except ContinuoError as error:
        raise _DamagedError("its settings are impossible") from error
