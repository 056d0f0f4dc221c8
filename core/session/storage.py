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
        tracks       [{chunk, channel, mute, solo, in_prompt, hidden?, colour?, notes?, releases?}]: a track is known by
                     its MTrk chunk and its channel; `notes`, if it was edited, is a flat list of start tick, end tick,
                     pitch, velocity of each note, and `releases`, if any is not 64, their release velocities
        takes        [the fields of TakeRecord, `notes` a flat list of start, end, pitch, velocity; those that say where
                     it lies in its song only where they are not the defaults: end, rest, replaces [[chunk, channel]],
                     and knobs; controls [[seconds, number, value, [chunk, channel] or null]], if it has any;
                     parts [[chunk, channel, id of the take that notes came from]] and note_parts, for each note the
                     index of its part or -1]
        current      id of the current take, or ""
        bin          [takes that left the list, as in `takes`], only if there are any
        end_marker   where the next take ends, in seconds, only if that is set
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
from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from core.errors import UnreadableInput, UsageError, WriteError
from core.files import read_file, too_large, write_atomically
from core.midi.messages import DEFAULT_RELEASE
from core.midi.read import MAX_BYTES, parse_score
from core.midi.score import Note, Score, TakeNote, TrackKey
from core.session.edits import LATEST_TICK, note_order
from core.session.session import (
    DEFAULTS,
    LATEST,
    Channel,
    Chunk,
    Colour,
    GenerationSettings,
    LongText,
    Seconds,
    Session,
    SevenBits,
    TakeRecord,
    Text,
    TrackFlags,
    View,
    default_flags,
    in_order,
    open_midi,
)

SESSION_SUFFIX = ".continuo"
VERSION = 1
KIND = "Continuo session"
MOST_BYTES = 64 * 2**20  # of the file and of session.json: over a million notes of takes
_MOST_MEMBERS = 64
# Of quotes, colons and brackets in session.json: small text must not become gigabytes of objects.
_MOST_SIGNS = 2_000_000
_FORMAT = "continuo-session"
# What settings and takes of sessions from before these did not have; the defaults stand for them.
_LATER_FIELDS = frozenset(
    {
        "key_strength",
        "grid",
        "dynamics",
        "rest",
        "into",
        "drums",
        "end",
        "replaces",
        "knobs",
        "then",
        "ends",
        "controls",
    }
)
_LATER_FLAGS = ("hidden", "colour")  # of tracks: written where they are not the defaults
_NO_FLAGS = TrackFlags()
_PLAIN_TAKE = TakeRecord()

_T = TypeVar("_T")
_Number = TypeVar("_Number", int, float)


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
    written_tracks: list[dict[str, Any]] = []
    for i, (track, flags) in enumerate(zip(session.tracks, session.flags, strict=True)):
        set_by_user = {k: v for k, v in asdict(flags).items() if k not in _LATER_FLAGS or v != getattr(_NO_FLAGS, k)}
        written = {"chunk": track.key[0], "channel": track.key[1], **set_by_user}
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
    if session.end_marker:
        written_session["end_marker"] = session.end_marker
    if session.numbers:
        written_session["numbers"] = session.numbers
    return written_session


def _settings_as_json(settings: GenerationSettings) -> dict[str, Any]:
    """The settings; those that came later only where they are not the defaults."""
    later = ("rest", "into", "drums", "knobs", "then", "ends")
    return {k: v for k, v in asdict(settings).items() if k not in later or getattr(settings, k) != getattr(DEFAULTS, k)}


def _take_as_json(take: TakeRecord) -> dict[str, Any]:
    written = {f.name: getattr(take, f.name) for f in fields(take)}
    written["notes"] = [v for n in take.notes for v in (n.start, n.end, n.pitch, n.velocity)]
    written["knobs"] = asdict(take.knobs)
    written["then"] = [asdict(knobs) for knobs in take.then]
    for name in ("end", "rest", "replaces", "knobs", "then", "controls"):
        if getattr(take, name) == getattr(_PLAIN_TAKE, name):
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
    return Path(path).suffix.lower() == SESSION_SUFFIX


def open_session(path: str | os.PathLike[str]) -> Session:
    """Read a `.continuo` file. Raises UnreadableInput, a sentence with its name, if that cannot be."""
    return parse_session(read_file(path, MOST_BYTES, KIND), Path(path).name)


def parse_session(data: bytes, name: str) -> Session:
    """Read the bytes of a `.continuo` file that is called `name`. Raises UnreadableInput."""
    if len(data) > MOST_BYTES:
        raise too_large(name, MOST_BYTES, KIND)
    try:
        text, midi = _members(data)
        return _session(_json(text), midi)
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

    # Not by msgspec, which refuses the lone surrogates in file names that are not UTF-8.
    return json.loads(text.decode("utf-8"), parse_int=whole, parse_constant=no_number)


class _Header(msgspec.Struct):
    format: str
    version: Annotated[int, Meta(ge=1)]


class _SessionJson(msgspec.Struct):
    name: LongText
    marker: Seconds
    prompt_start: Seconds
    settings: dict[str, Any]
    view: Any
    tracks: list[dict[str, Any]]
    takes: list[dict[str, Any]]
    current: Text
    bin: list[dict[str, Any]] = []
    numbers: Annotated[int, Meta(ge=0, le=10**9)] = 0
    end_marker: Seconds = 0.0


class _TrackJson(msgspec.Struct):
    chunk: Chunk
    channel: Channel
    mute: bool
    solo: bool
    in_prompt: bool
    hidden: bool = False
    colour: Colour = -1
    notes: list[int] | UnsetType = UNSET
    releases: list[SevenBits] | UnsetType = UNSET


class _TakeNotesJson(msgspec.Struct):
    notes: list[int | float]
    parts: list[tuple[Annotated[int, Meta(ge=-1)], Annotated[int, Meta(ge=-1, le=16 * 128 - 1)], Text]] = []
    note_parts: list[Annotated[int, Meta(ge=-1)]] | UnsetType = UNSET


def _decode(value: object, kind: type[_T], what: str) -> _T:
    """A JSON value as one of the types above or of core.session.session, each value in it checked by msgspec."""
    if is_dataclass(kind) and isinstance(value, dict):
        for each in fields(kind):  # of which none has a default in a file, whatever it is in the program
            if each.name not in value and each.name not in _LATER_FIELDS:
                raise _DamagedError(f'{what} has no possible "{each.name}"')
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        place = re.search(r"`\$\.([^`]+)`$|field `(\w+)`$", str(error))
        fault = f'has no possible "{place[1] or place[2]}"' if place else "is damaged"
        raise _DamagedError(f"{what} {fault}") from error
    except UsageError as error:
        raise _DamagedError("its settings are impossible") from error


def _session(value: object, midi: bytes | None) -> Session:
    header = _decode(value, _Header, "the session")
    if header.format != _FORMAT:
        raise _DamagedError("it is no Continuo session")
    if header.version > VERSION:
        raise _DamagedError("it was saved by a newer Continuo")
    read = _decode(value, _SessionJson, "the session")
    score = None if midi is None else parse_score(midi, read.name)
    session = Session(score=score, midi=midi or b"", flags=default_flags(score) if score else ())
    takes, binned = tuple(map(_take, read.takes)), tuple(map(_take, read.bin))
    ids = {take.id for take in takes}
    if len(ids | {take.id for take in binned}) < len(takes) + len(binned) or read.current not in ids | {""}:
        raise _DamagedError("its takes are mixed up")
    if read.prompt_start > read.marker:
        raise _DamagedError('the session has no possible "prompt_start"')
    return replace(
        _with_tracks(session, [_decode(track, _TrackJson, "a track") for track in read.tracks]),
        takes=takes,
        current=read.current,
        marker=read.marker,
        prompt_start=read.prompt_start,
        settings=_decode(read.settings, GenerationSettings, "the settings"),
        view=_view(read.view),
        bin=binned,
        numbers=read.numbers,
        end_marker=read.end_marker if read.end_marker > read.marker else 0.0,
    )


def _with_tracks(session: Session, written: Sequence[_TrackJson]) -> Session:
    """The session with the flags and the edited notes of its tracks."""
    score = session.score
    places = {track.key: i for i, track in enumerate(session.tracks)}
    flags = list(session.flags)
    edited: dict[int, tuple[Note, ...]] = {}
    for track in written:
        place = places.get((track.chunk, track.channel))
        if place is None or score is None:
            raise _DamagedError("its tracks are not those of its score")
        is_read = track.in_prompt and not score.tracks[place].is_percussion
        flags[place] = TrackFlags(track.mute, track.solo, is_read, track.hidden, track.colour)
        if track.notes is not UNSET:
            edited[place] = _score_notes(track.notes, track.releases, score)
    if score is not None and edited:
        tracks = tuple(
            replace(track, notes=edited[i]) if i in edited else track for i, track in enumerate(score.tracks)
        )
        session = replace(session, score=replace(score, tracks=tracks), edited=frozenset(edited))
    return replace(session, flags=tuple(flags))


def _score_notes(flat: Sequence[int], releases: Sequence[int] | UnsetType, score: Score) -> tuple[Note, ...]:
    rows = _rows(flat, max(LATEST_TICK, score.end_tick), "a track")
    starts, ends = (
        score.tempo_map.seconds_array(np.array([row[i] for row in rows], np.float64)).tolist() for i in (0, 1)
    )
    if releases is UNSET:
        releases = [DEFAULT_RELEASE] * len(rows)
    if len(releases) != len(rows):
        raise _DamagedError("its tracks are not those of its score")
    notes = [
        Note(pitch, velocity, start, end, first, last, release)
        for (first, last, pitch, velocity), start, end, release in zip(rows, starts, ends, releases, strict=True)
    ]
    return tuple(sorted(notes, key=note_order))


def _rows(flat: Sequence[_Number], latest: float, what: str) -> list[tuple[_Number, _Number, int, int]]:
    """(start, end, pitch, velocity) of a flat list; times in [0, latest], the end not before the start."""
    rows = list(zip(*[iter(flat)] * 4, strict=False))
    if len(flat) % 4 or not all(
        0 <= start <= end <= latest
        and isinstance(pitch, int)
        and isinstance(velocity, int)
        and 0 <= pitch <= 127
        and 1 <= velocity <= 127
        for start, end, pitch, velocity in rows
    ):
        raise _DamagedError(f'{what} has no possible "notes"')
    return rows  # type: ignore[return-value]


def _take(value: dict[str, Any]) -> TakeRecord:
    written = _decode(value, _TakeNotesJson, "a take")
    rows = _rows(written.notes, 2 * LATEST, "a take")
    notes = [
        TakeNote(pitch, velocity, start, end, *part)
        for (start, end, pitch, velocity), part in zip(rows, _note_parts(written, len(rows)), strict=True)
    ]
    take = _decode({**value, "notes": ()}, TakeRecord, "a take")
    if not max((note.end for note in notes), default=0) <= take.seconds:
        raise _DamagedError('a take has no possible "seconds"')
    if take.forked_at > take.seconds:
        raise _DamagedError('a take has no possible "forked_at"')
    return replace(take, notes=in_order(notes))


def _note_parts(written: _TakeNotesJson, notes: int) -> list[tuple[TrackKey | None, str]]:
    """The track and the origin of each note of a take."""
    if written.note_parts is UNSET:
        return [(None, "")] * notes
    parts = [(None if chunk < 0 else (chunk, channel), origin) for chunk, channel, origin in written.parts]
    parts.append((None, ""))  # which is number -1
    if len(written.note_parts) != notes or max(written.note_parts, default=-1) >= len(parts) - 1:
        raise _DamagedError("its takes are mixed up")
    return [parts[place] for place in written.note_parts]


def _view(value: object) -> View:
    """The view; the default one if it is damaged, which is no reason to refuse the session."""
    try:
        return _decode(value, View, "the view")
    except _DamagedError:
        return View()


def generation_settings(value: object) -> GenerationSettings:
    """Settings from the JSON object of their fields. Raises ValueError for anything else."""
    try:
        return _decode(value, GenerationSettings, "the settings")
    except _DamagedError as error:
        raise ValueError(str(error)) from error
