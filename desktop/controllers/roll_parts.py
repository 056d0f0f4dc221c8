"""RollParts: what the piano roll shows of a session. Parts that did not change are not made again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication

from core.midi.score import TakeNote, Track, TrackKey
from core.midi.splice import Stretch
from core.performance.fill import FillPlan
from core.performance.take_in_progress import TakeInProgress
from core.session.arrangement import take_stretch
from core.session.edits import Chosen, Part, SessionNoteRef
from core.session.session import Session, TakeRecord
from desktop.piano_roll.notes import NoteRef, PartKind, RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.widgets.theme import OWN, Shade, track_colours

TRACK = "track:"
TAKE = "take:"
MOST_KEPT = 1_000_000  # notes of parts that were replaced, 48 bytes each

_Name = tuple[str, PartKind]  # key and kind of a part
_Colours = Mapping[TrackKey, int]


class Look(NamedTuple):
    """What the looks of notes depend on besides: the colour of each track, which are drums, the names of takes."""

    colours: _Colours
    drums: frozenset[TrackKey] = frozenset()
    title: str = ""
    takes: tuple[tuple[str, str], ...] = ()  # id and name
    in_front: TrackKey | None = None  # of a take: notes of other tracks are behind this one

    def is_behind(self, note: TakeNote) -> bool:
        """Whether a note of a take is behind the track in front; those of a track of its own are of no other."""
        return self.in_front not in (None, note.track) and note.track in self.colours

    @classmethod
    def of(cls, session: Session) -> "Look":
        """That of a session's takes."""
        colours = track_colours([track.key for track in session.tracks], session.chosen_colours)
        drums = frozenset(track.key for track in session.tracks if track.is_percussion)
        return cls(colours, drums, "", tuple((take.id, take.name) for take in (*session.takes, *session.bin)))

    def of_track(self, track: Track) -> "Look":
        """That of one track."""
        return Look({track.key: self.colours[track.key]}, self.drums & {track.key}, track.name)


class _Made(NamedTuple):
    """What a part was made of, and it."""

    notes: Sequence[Any]
    offset: float
    look: Look
    part: RollPart

    def is_of(self, notes: Sequence[Any], offset: float, look: Look) -> bool:
        return self.notes is notes and self.offset == offset and self.look == look


class RollParts:
    """Makes parts and keeps them. Safe to `prepare` on another thread before they are wanted here."""

    def __init__(self) -> None:
        self.in_front: TrackKey | None = None  # the track whose notes lie in front of all others
        self.stretch: Stretch | None = None  # what the take that is shown replaces
        self.replacing: FillPlan | None = None  # whose notes are sampled anew: those that stand there are faint
        self._kept: dict[_Name, _Made] = {}
        self._older: list[tuple[_Name, _Made]] = []  # what was replaced, or will be wanted, newest last
        self._shaded: dict[str, tuple[RollPart, object, RollPart]] = {}  # part, why it is shaded, and so shaded

    def parts(
        self,
        session: Session,
        in_progress: Sequence[TakeInProgress] = (),
        playing: TakeRecord | None = None,
        now: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda seconds: seconds,
    ) -> list[RollPart]:
        """The tracks, the current take, starred ones faint; while takes grow, they in the current one's place.

        Faint, too, are tracks that are not heard, what is being replaced, by the take that is shown (`playing`) or by
        what is sampled for a span. Notes of
        tracks that are not in the prompt are hollow. Those of hidden tracks are left out. `now` says when in the song
        the times of takes that grow come, (n,) -> (n,).
        """
        kept, parts = self._kept, []
        self._kept = {}
        look = Look.of(session)
        stretch = self.stretch = take_stretch(session, playing) if playing else None
        for i, track in enumerate(session.tracks):
            part = self._part(kept, f"{TRACK}{i}", "prompt", track.notes, 0.0, look.of_track(track))
            if not session.flags[i].hidden:
                parts.append(self._shaded_track(session, i, part, stretch))
        for take in session.takes:
            is_current = take.id == session.current and not in_progress
            if is_current or take.starred:
                kind: PartKind = "take" if is_current else "other"
                part = self._part(kept, TAKE + take.id, kind, take.notes, take.marker, look._replace(title=take.name))
                its = look._replace(in_front=self.in_front)
                parts.append(self._shaded_take(session, part, take.notes, its) if is_current else part)
        for i, growing in enumerate(in_progress):
            growing.fresh()
            kind, its = ("other", look) if i else ("take", look._replace(in_front=self.in_front))
            part = rolled(TAKE + growing.id, kind, growing.notes, growing.marker, its)
            parts.append(replace(part, start=now(part.start), end=now(part.end)))
        self._forget()
        return parts

    def prepare(self, session: Session) -> None:
        """Make the parts of a session, for `parts` to find. On any thread."""
        other = RollParts()
        other._kept, other._older = dict(self._kept), list(self._older)
        other.parts(session)
        made = [(name, new) for name, new in other._kept.items() if new is not self._kept.get(name)]
        self._older = [*self._older, *made]

    def _part(
        self, kept: dict[_Name, _Made], key: str, kind: PartKind, notes: Any, offset: float, look: Look
    ) -> RollPart:
        name: _Name = key, kind
        old = kept.get(name)
        candidates = [old, *(made for known, made in self._older if known == name)]
        made = next((m for m in candidates if m is not None and m.is_of(notes, offset, look)), None)
        if made is None:
            made = _Made(notes, offset, look, rolled(key, kind, notes, offset, look))
        if old is not None and made is not old:
            self._older = [(known, m) for known, m in self._older if m is not made]
            self._older.append((name, old))
        self._kept[name] = made
        return made.part

    def _shaded_track(self, session: Session, i: int, part: RollPart, stretch: Stretch | None) -> RollPart:
        """The part of a track, drawn by whether it is heard and in the prompt."""
        is_audible, is_read = i in session.audible_tracks, session.flags[i].in_prompt
        is_behind = self.in_front not in (None, session.tracks[i].key)
        heard = Shade.BEHIND if is_behind else Shade.FULL if is_read else Shade.UNREAD
        whole = heard if is_audible else Shade.SILENT
        is_replaced = stretch is not None and i in stretch.tracks
        plan = self.replacing if self.replacing and not self.replacing.take else None
        why = whole, is_behind, stretch if is_replaced else None, plan
        old = self._shaded.get(part.key)
        if old is None or old[0] is not part or old[1] != why:
            shade = np.full(len(part), whole, np.uint8)
            if stretch is not None and is_replaced:
                ticks = [note.start_tick for note in session.tracks[i].notes]
                starts = np.array(ticks, np.int64)[part.index]
                end = starts.max(initial=0) + 1 if stretch.end is None else stretch.end
                shade[(starts >= stretch.start) & (starts < end)] = Shade.SILENT
            if plan is not None and session.tracks[i].key in plan.keys:
                shade[[plan.region.has(session.tracks[i].notes[n]) for n in part.index]] = Shade.SILENT
            behind = np.full(len(part), is_behind)
            old = self._shaded[part.key] = part, why, part.shaded(shade, behind) if shade.any() else part
        return old[2]

    def _shaded_take(self, session: Session, part: RollPart, notes: Sequence[TakeNote], look: Look) -> RollPart:
        """The part of a take: its notes on tracks that are not heard are faint, and so are those behind a track."""
        silent = frozenset(track.key for i, track in enumerate(session.tracks) if i not in session.audible_tracks)
        plan = self.replacing if self.replacing and TAKE + self.replacing.take == part.key else None
        why = silent, self.in_front, plan
        old = self._shaded.get(part.key)
        if old is None or old[0] is not part or old[1] != why:
            shaded = part
            if silent or plan is not None or self.in_front is not None:
                ordered = [notes[i] for i in part.index.tolist()]
                is_silent = np.array([n.track in silent or (plan and plan.replaces(n)) for n in ordered], np.bool_)
                is_behind = np.array([look.is_behind(note) for note in ordered], np.bool_)
                shade = np.where(is_silent, Shade.SILENT, np.where(is_behind, Shade.BEHIND, Shade.FULL))
                shaded = part.shaded(shade.astype(np.uint8), is_behind)
            old = self._shaded[part.key] = part, why, shaded
        return old[2]

    def _forget(self) -> None:
        """Let the oldest go once they are too many notes."""
        notes = 0
        for place in range(len(self._older) - 1, -1, -1):
            notes += len(self._older[place][1].part)
            if notes > MOST_KEPT:
                self._older = self._older[place + 1 :]
                return


def rolled(key: str, kind: PartKind, notes: Sequence[Any], offset: float, look: Look) -> RollPart:
    """A part of the roll from the notes of a track or take, `offset` seconds later.

    Notes of a take have the looks of their tracks; those of a track are all of the one that `look` is of.
    """

    def column(name: str) -> NDArray[np.float64]:
        return np.fromiter(map(attrgetter(name), notes), np.float64, len(notes))

    count = len(notes)
    origins: tuple[str, ...] = ()
    if kind == "prompt":
        colour = np.full(count, next(iter(look.colours.values())))
        is_drum, origin, is_behind = np.full(count, bool(look.drums)), np.zeros(count), np.zeros(count)
    else:
        colour = np.array([look.colours.get(note.track, OWN) for note in notes])
        is_drum = np.array([note.track in look.drums for note in notes])
        ids = list(dict.fromkeys(note.take for note in notes if note.take))
        origin = np.array([ids.index(note.take) + 1 if note.take else 0 for note in notes])
        is_behind = np.array([look.is_behind(note) for note in notes])
        names = dict(look.takes)
        gone = QCoreApplication.translate("RollParts", "a take that is gone")
        origins = tuple(names.get(each) or gone for each in ids)
    start, end = column("start"), column("end")
    columns = start + offset, np.maximum(start, end) + offset, column("pitch"), column("velocity")
    looks = colour, is_drum, origin, is_behind
    return RollPart.of_columns(key, kind, np.column_stack((*columns, *looks)), look.title, origins)


def as_roll(note: TakeNote, offset: float, look: Look) -> RollNote:
    """One note of a take."""
    colour = OWN if note.track is None else look.colours.get(note.track, OWN)
    looks = colour, note.track in look.drums, 0, look.is_behind(note)
    return RollNote(note.start + offset, note.end + offset, note.pitch, note.velocity, *looks)


def session_part(key: str) -> Part:
    """The session's name for a part of the roll."""
    return int(key.removeprefix(TRACK)) if key.startswith(TRACK) else key.removeprefix(TAKE)


def roll_key(part: Part) -> str:
    """The roll's name for a part of the session."""
    return f"{TAKE}{part}" if isinstance(part, str) else f"{TRACK}{part}"


def session_ref(ref: NoteRef) -> SessionNoteRef:
    """The session's name for a note of the roll."""
    return SessionNoteRef(session_part(ref.part), ref.index)


def as_chosen(notes: Selection) -> Chosen:
    """Notes that are selected in the roll, as edits of the session take them."""
    return {session_part(key): indices for key, indices in notes.indices.items()}


def as_selection(chosen: Chosen) -> Selection:
    """Notes of the session as the roll selects them."""
    return Selection({roll_key(part): places for part, places in chosen.items()})
