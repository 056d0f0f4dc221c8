"""Clipboard: copies, cuts, pastes and repeats notes, with a span also the controllers in it.

What is copied is a MIDI file, for other windows and programs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QMimeData, QObject, QUrl, Signal
from PySide6.QtGui import QGuiApplication

from core.errors import ContinuoError
from core.files import make_folder, read_file, write_atomically
from core.midi.read import MAX_BYTES
from core.resources import user_folder
from core.session import clips, edits, edits_notes, edits_pitch, edits_span
from core.session.edits import Chosen, Edited, Part
from core.session.edits_controls import Owner
from core.session.session import Session
from desktop.controllers.document import Document
from desktop.controllers.editing import Editing
from desktop.controllers.roll_parts import as_chosen, roll_key, session_part
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll

MIDI_TYPES = ("audio/midi", "audio/x-midi", "audio/mid")
_SUFFIXES = (".mid", ".midi")


class _Stretch(NamedTuple):
    """What is copied: notes, from when to when in seconds, and whose controllers come along."""

    notes: Selection
    start: float
    end: float
    owners: Sequence[Owner] = ()

    @property
    def chosen(self) -> Chosen:
        return as_chosen(self.notes)


class Clipboard(QObject):
    """What the Edit menu does with copies of notes: of those selected, or those in the span if that was selected last.

    Where all of them lie in the span, the pedals, bends and controllers of their tracks and takes come along, and so
    do those that the lanes show.
    """

    message = Signal(str)

    def __init__(
        self,
        document: Document,
        roll: PianoRoll,
        editing: Editing,
        playhead: Callable[[], float],
        lanes_owner: Callable[[], Owner | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._roll, self._editing, self._playhead = document, roll, editing, playhead
        self._lanes_owner = lanes_owner
        self._is_span_newer = False  # than the selection of notes
        roll.copied.connect(self.copy_to)
        roll.span_changed.connect(lambda span: self._see_span(span is not None))
        roll.selection_changed.connect(lambda: self._see_span(False))

    def _see_span(self, is_newer: bool) -> None:
        self._is_span_newer = is_newer

    def can_copy(self) -> bool:
        """Whether there are notes to copy; what to do where there are none is told."""
        return self._stretch() is not None

    def copy(self) -> bool:
        """Put the notes on the clipboard; False if there are none."""
        stretch = self._stretch()
        if stretch is None:
            return False
        end = stretch.end if stretch.owners else None
        data = clips.clip(self._document.session, stretch.chosen, stretch.start, end, stretch.owners)
        mime = QMimeData()
        for kind in MIDI_TYPES:
            mime.setData(kind, data)
        try:  # programs that take no notes from the clipboard take files
            path = user_folder("clipboard") / "Notes from Continuo.mid"
            make_folder(path.parent)
            write_atomically(path, data)
            mime.setUrls([QUrl.fromLocalFile(str(path))])
        except ContinuoError:
            pass  # no room: the notes are on the clipboard all the same
        QGuiApplication.clipboard().setMimeData(mime)
        return True

    def cut(self) -> None:
        """Copy the notes, and delete them."""
        stretch = self._stretch()
        if not self.copy() or stretch is None:
            return

        def edit(session: Session, chosen: Chosen) -> Edited:
            rest = edits.delete(session, chosen)
            return rest._replace(
                session=edits_span.without_passages(rest.session, stretch.start, stretch.end, stretch.owners)
            )

        self._editing.apply(self.tr("Cut"), stretch.chosen, edit, is_large=bool(stretch.owners))

    def paste(self, into: Part | None = None) -> None:
        """Paste at the playhead, on the grid; into the part of the selected notes unless another is named.

        Controllers alone go to whom the lanes show.
        """
        at = self._roll.grid.nearest_line(self._playhead())
        try:
            data = _midi_on_clipboard()
            if data is None:
                self.message.emit(self.tr("There are no notes on the clipboard."))
                return
            clip = clips.parse_clip(data)
            owner = self._lanes_owner() if into is None and clips.is_of_lanes(clip) else None
            part = owner.part if owner is not None else self._part_at(at, clip) if into is None else into
            if part is None:
                self.message.emit(self.tr("There is no track to paste into: open a file, or continue first."))
                return
            front = self._editing.in_front
            is_large = bool(clip.controls) and isinstance(part, int)  # the song's file is written and read anew
            self._editing.apply(
                self.tr("Paste"),
                {part: []},
                lambda s, _: clips.paste(s, clip, at, part, owner, front),
                is_large=is_large,
            )
        except ContinuoError as error:
            self.message.emit(str(error))

    def _part_at(self, seconds: float, clip: clips.Clip) -> Part | None:
        """The part that a clip at a time is put into: the take, where a track of it would be one that it replaces."""
        key = self._roll.part_to_draw_in(seconds)
        part = None if key is None else session_part(key)
        if isinstance(part, int):
            into = clips.tracks_for(self._document.session, clip, part).values()
            if any(self._roll.take.replaces(roll_key(track), seconds) for track in into):
                return self._document.session.current
        return part

    def duplicate(self) -> None:
        """Copy the notes behind themselves."""
        self.repeat(1)

    def repeat(self, times: int) -> None:
        """Copy the notes behind themselves so many times, each as long after the one before as they last."""
        stretch = self._stretch()
        if stretch is None:
            return
        tempo_map = self._document.session.tempo_map
        ticks = max(tempo_map.tick(stretch.end) - tempo_map.tick(stretch.start), 1)
        name = self.tr("Duplicate") if times == 1 else self.tr("Repeat {0} times").format(times)

        def edit(session: Session, chosen: Chosen) -> Edited:
            passages = {
                owner: edits_span.repeated(passage, ticks, times)
                for owner in stretch.owners
                if (passage := edits_span.passage(session, owner, stretch.start, stretch.end))
            }
            made = edits_notes.repeat(session, chosen, ticks, times)
            return made._replace(session=edits_span.put_passages(made.session, stretch.end, ticks * times, passages))

        self._editing.apply(name, stretch.chosen, edit, is_large=bool(stretch.owners))

    def copy_to(self, notes: Selection, ticks: float, rows: int) -> None:
        """Copy notes to where they were dragged."""
        shown = self._roll.coordinates.rows.pitches

        def edit(session: Session, chosen: Chosen) -> Edited:
            moved = edits_notes.copy(session, chosen)
            if ticks:
                moved = edits.nudge(*moved, ticks)
            return edits_pitch.transpose_by_rows(*moved, shown, rows) if rows else moved

        name = self.tr("Copy note") if len(notes) == 1 else self.tr("Copy {0} notes").format(len(notes))
        self._editing.apply(name, as_chosen(notes), edit)

    def _stretch(self) -> _Stretch | None:
        """The selected notes, or those in the selected span; from when to when: the span's, if they all lie in it."""
        roll, span = self._roll, self._roll.span
        in_span = roll.notes_in(*span) if span is not None else Selection()
        # Where the span was selected last, it is meant, whatever notes were selected before.
        notes = roll.selection if roll.has_selection and not self._is_span_newer else in_span
        is_inside = span is not None and len(notes.plus(in_span)) == len(in_span)
        if span is not None and is_inside:
            session = self._document.session
            owners = self._owners(notes)
            there = [owner for owner in owners if edits_span.has_passage(session, owner, *span)]
            if len(notes) or there:
                return _Stretch(notes, *span, there)
        if not len(notes):
            self.message.emit(self.tr("Select notes, or a span of time in the ruler, first."))
            return None
        start, end, *_ = roll.overlays.selected
        first, last = float(start.min()), float(end.max())
        length = max(roll.grid.nearest_line(last) - roll.grid.nearest_line(first), roll.grid.step(first))
        return _Stretch(notes, first, first + length)

    def _owners(self, notes: Selection) -> list[Owner]:
        """Whose controllers belong to notes in a span, and those that the lanes show."""
        session = self._document.session
        owners: list[Owner] = []
        for part in map(session_part, notes.indices):
            if isinstance(part, str):
                take = session.find_take(part)  # none, while it is sampled
                owners += [Owner(part, control.track) for control in take.controls] if take else []
            else:
                owners.append(Owner(part))
        shown = self._lanes_owner()
        return list(dict.fromkeys([*owners, shown] if shown is not None else owners))


def _midi_on_clipboard() -> bytes | None:
    """The MIDI file on the clipboard. Raises UnreadableInput for one that cannot be read."""
    mime = QGuiApplication.clipboard().mimeData() or QMimeData()  # some platforms have none where it is empty
    for kind in MIDI_TYPES:
        if mime.hasFormat(kind):
            return bytes(mime.data(kind).data())
    for url in mime.urls():
        if url.isLocalFile() and Path(url.toLocalFile()).suffix.lower() in _SUFFIXES:
            return read_file(url.toLocalFile(), MAX_BYTES, "MIDI file")
    return None
