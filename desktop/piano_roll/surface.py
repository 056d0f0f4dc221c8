"""RollSurface: the roll's parts, selection and signals. What gestures act upon; it knows of none of them."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop.piano_roll import hits
from desktop.piano_roll.keyboard import KEYBOARD_WIDTH
from desktop.piano_roll.layers import NoteColumns
from desktop.piano_roll.navigation import RollNavigation
from desktop.piano_roll.notes import NO_TAKE, NoteRef, RollNote, RollPart, TakeOnView
from desktop.piano_roll.order import NoteOrder
from desktop.piano_roll.ruler import RULER_HEIGHT
from desktop.piano_roll.selection import Indices, Selection

_AT_ONCE, _MOST_TAPPED = 0.03, 8  # seconds within which notes begin together; how many of them are sounded
_AT_BAR = 0.015  # seconds by which a note may begin before a bar line and is still of that bar
_SNAP_REACH = 7.0  # view pixels within which the end of the notes draws more than a bar line does


Tool = Literal["pointer", "pencil", "eraser", "knife"]
TOOLS: tuple[Tool, ...] = ("pointer", "pencil", "eraser", "knife")


class RollSurface(RollNavigation):
    """The notes of all parts over time. It is given display values; what the user does comes as signals.

    Times are seconds. Nothing of the notes is changed here: who receives
    `moved` or `delete_requested` edits and calls `set_parts`.
    """

    seek_requested = Signal(float)
    marker_moved = Signal(float)  # when the flag is let go
    marker_stepped = Signal(float)  # the same, by a key
    end_marker_moved = Signal(float)
    prompt_start_moved = Signal(float)
    loop_changed = Signal(object)  # (start, end) or None
    span_changed = Signal(object)  # (start, end) or None: the span selected in the ruler
    metre_requested = Signal(int)  # a tick of the ruler that was double-clicked
    key_pressed = Signal(int)  # a key of the keyboard, by its pitch
    key_released = Signal(int)
    note_pressed = Signal(object)  # NoteRef: sound it
    note_released = Signal(object)
    note_activated = Signal(object)  # NoteRef, double-clicked or Return
    selection_changed = Signal()
    moved = Signal(object, float, int)  # dragged: refs, by ticks, by rows: semitones, where all pitches are shown
    nudged = Signal(object, float, int)  # the same, by a key
    transposed = Signal(object, int)  # refs, by semitones
    tapped = Signal(object)  # [(NoteRef or key of a part, pitch)]: sound these for a moment
    copied = Signal(object, float, int)  # as `moved`: copies of them are moved
    resized = Signal(object, float, float)  # dragged: Selection, starts by ticks, ends by ticks
    lengthened = Signal(object, float, float)  # the same, by a key
    velocities_set = Signal(object)  # part -> (indices, velocities)
    velocity_changed = Signal(object, int)  # Selection, by how much
    drawn = Signal(str, object)  # key of a part, RollNote
    pitch_pressed = Signal(object, int)  # NoteRef or key of a part: sound a pitch as it; ends with `key_released`
    split_requested = Signal(object, float)  # Selection, at which second
    delete_requested = Signal(object)  # Selection
    quantise_requested = Signal(object)  # Selection
    context_menu_requested = Signal(QPoint, object, float)  # global position, Selection, seconds there

    keyboard_width = KEYBOARD_WIDTH
    ruler_height = RULER_HEIGHT

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selected = Selection()
        self._forward = Selection()  # those of tracks behind the one in front: they are before it while selected
        self.tool: Tool = "pointer"
        self.last_length = 0.0  # quarters of the note drawn last; 0 before the first
        self._drawn_in = ""  # the part that was drawn in last
        self.in_front = ""  # the part that is drawn in while no note is selected
        self.take = NO_TAKE
        self._known_order = NoteOrder(())
        self._place = -1.0  # seconds where the notes selected last began
        self.accessible: list[object] = []  # what tells screen readers of it: Qt does not keep it alive

    # What is shown

    def set_parts(self, parts: Sequence[RollPart]) -> None:
        """Show these parts and no others. What is no longer there is no longer selected."""
        forward, self._forward = self._forward, self._forward.behind(parts)
        keys = forward.indices
        super().set_parts([part.with_behind(keys[part.key], False) if part.key in keys else part for part in parts])
        self._select(self._selected.within(self.parts), are_notes_new=True)

    # Markers and spans

    def snapped(self, x: float) -> float:
        """The time that something dragged to a view pixel snaps to: a bar line, or the end of the notes."""
        return self.snapped_time(self.coordinates.seconds(x))

    def snapped_time(self, seconds: float) -> float:
        """The time that something put at another snaps to: a bar line, or the end of the notes if it is seen there."""
        x = self.coordinates.x(seconds)
        end = max((part.length for part in self._parts.values() if part.kind == "prompt"), default=0.0)
        bar = self.grid.nearest_bar(max(seconds, 0.0))
        reach = abs(self.coordinates.x(bar) - x)
        distance = abs(self.coordinates.x(end) - x)
        return end if end > 0 and distance <= _SNAP_REACH and distance < reach else bar

    def step_marker(self, step: int) -> bool:
        """Move the continue-from marker to the next bar line or the one before; False without a marker."""
        if self.overlays.prompt is None:
            return False
        start, marker = self.overlays.prompt
        seconds = max(self.grid.neighbour_bar(marker, step), start)
        if seconds != marker:
            self.set_prompt(start, seconds)
            self.marker_stepped.emit(seconds)
        return True

    def escape(self) -> None:
        """Clear the selection, of notes or else of a span."""
        if self.has_selection:
            self.clear_selection()
        else:
            self.set_span(None)

    @property
    def span(self) -> tuple[float, float] | None:
        """The span of time that is selected, in seconds, or None."""
        return self.overlays.span

    def set_span(self, span: tuple[float, float] | None) -> None:
        """Select a span of time; None: no span."""
        if span != self.span:
            super().set_span(span)
            self.span_changed.emit(span)

    def notes_in(self, start: float, end: float) -> Selection:
        """The notes that can be selected and begin in [start, end)."""
        inside = {part.key: part.begun_between(start, end) for part in self.parts}
        return Selection({part.key: part.index[inside[part.key]] for part in self.parts}).within(self.parts)

    def select_span(self) -> None:
        """Select the notes that begin in the span."""
        if self.span is not None:
            self.select(self.notes_in(*self.span))

    # Selection

    @property
    def has_selection(self) -> bool:
        """Whether any note is selected."""
        return len(self._selected) > 0

    @property
    def selection(self) -> Selection:
        """The selected notes."""
        return self._selected

    def select(self, selection: Selection, brings_forward: bool = False) -> None:
        """Select these notes and no others; those that are not there or cannot be selected are left out.

        With `brings_forward` those behind the track in front are before it, as long as they are selected.
        """
        if brings_forward:
            self._bring_forward(self._forward.plus(selection.behind(self.parts)))
        self._select(selection.within(self.parts))

    def send_back(self) -> None:
        """What was brought forward is behind the track in front again, and no longer selected."""
        self._bring_forward(Selection())
        self._select(self._selected.within(self.parts))

    def _bring_forward(self, forward: Selection) -> None:
        """Let these notes of tracks behind be before the one in front, and no others."""
        before, self._forward = self._forward, forward
        if forward == before:
            return
        for is_behind, notes in ((True, before), (False, forward)):
            for key, indices in notes.indices.items():
                if key in self._parts:
                    self._parts[key] = self._parts[key].with_behind(indices, is_behind)
        self._sync_rows()
        self._repaint_paper()

    def set_selection(self, refs: Iterable[NoteRef]) -> None:
        """The same, note by note."""
        self.select(Selection.of(refs))

    def select_indices(self, indices: Indices, before: Indices, modifiers: Qt.KeyboardModifier) -> None:
        """Select these notes: instead of those before, with Shift besides them, with Ctrl the other way round."""
        new = Selection(indices)
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            new = Selection(before).toggled(new)
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            new = Selection(before).plus(new)
        self.select(new)  # those before may be gone by now

    def clear_selection(self) -> None:
        """Select nothing."""
        self._remember_place()
        self._select(Selection())

    def select_all(self) -> None:
        """Select every note of prompt and take that can be selected."""
        self.select(Selection({part.key: part.index for part in self.parts}))

    def select_neighbour(self, step: int, extends: bool = False) -> None:
        """Select the note after (1) or before (-1) those selected, or it besides them; see `neighbour`."""
        found = self.neighbour(step)
        if found is not None:
            new = Selection.of([found])
            self._select_and_show(self._selected.plus(new) if extends else new, found)
        elif self.has_selection and not extends:
            place = self.order.ends(self._selected)[step > 0]
            self._select_and_show(Selection.of([self.order.ref(place)]), self.order.ref(place))

    def select_in_bar(self, step: int) -> None:
        """Select the first note of the next bar (1), or of this one or the one before (-1); see `neighbour`."""
        self.select_first_from(self.grid.neighbour_bar(self._cursor, step))

    def select_first_from(self, seconds: float) -> None:
        """Select the first note that begins then or later, else the last."""
        if len(self.order):
            ref = self.order.ref(min(self.order.first_from(seconds - _AT_BAR), len(self.order) - 1))
            self._select_and_show(Selection.of([ref]), ref)

    def _select_and_show(self, selection: Selection, ref: NoteRef) -> None:
        self.select(selection)
        note = self.note(ref)
        self.bring_in_view(note.start, note.pitch)

    def show_selected(self) -> None:
        """Scroll to the first selected note, unless some of what is selected is on view."""
        if self.has_selection and not self._sees_selected():
            start, _, pitch, _ = self.overlays.selected
            first = int(start.argmin())
            self.bring_in_view(float(start[first]), int(pitch[first]))

    def show_all_selected(self) -> None:
        """Scroll to the selected notes: to all their rows, if there is room, and to where the first begins."""
        if self.has_selection:
            start, _, pitch, _ = self.overlays.selected
            self.bring_in_view(float(start.min()))
            rows = np.sort(pitch).tolist()
            self.bring_rows_in_view(rows[0], rows[-1], rows[len(rows) // 2])

    def _sees_selected(self) -> bool:
        view, (start, end, pitch, _) = self.coordinates, self.overlays.selected
        left, top, right, bottom = view.boxes(start, end, pitch).T
        first, above = view.origin
        is_seen = (right >= first) & (left < first + view.width * view.ratio)
        return bool((is_seen & (top >= above) & (bottom < above + (view.height - view.covered) * view.ratio)).any())

    def neighbour(self, step: int) -> NoteRef | None:
        """The note that begins after (1) or before (-1) those selected; None at an end.

        Without any, it is counted from where notes were selected last if that is on view, else it is the first on view.
        """
        order = self.order
        if not len(order):
            return None
        if self.has_selection:
            place = order.ends(self._selected)[step > 0] + step
            return order.ref(place) if 0 <= place < len(order) else None
        at = self._cursor
        place = order.first_from(at) - (step < 0 and at != self.coordinates.left)
        return order.ref(min(max(place, 0), len(order) - 1))

    @property
    def order(self) -> NoteOrder:
        """The notes that can be selected, one after the other."""
        if not self._known_order.is_of(self.parts):
            self._known_order = NoteOrder(self.parts)
        return self._known_order

    @property
    def _cursor(self) -> float:
        """Where keys go on from, in seconds: at what is selected or was, if that is on view, or where the view is."""
        if self.has_selection:
            return self.selected_extent()[0]
        is_seen = 0 <= self.coordinates.x(self._place) < self.coordinates.width
        return self._place if is_seen else self.coordinates.left

    def _remember_place(self) -> None:
        if self.has_selection:
            self._place = self.selected_extent()[0]

    def is_selected(self, ref: NoteRef) -> bool:
        """Whether a note is selected."""
        return ref in self._selected

    def is_selectable(self, ref: NoteRef) -> bool:
        """Whether a note may be selected and edited."""
        return bool(self._parts[ref.part].can_be_selected([ref.index])[0])

    def selected_extent(self) -> tuple[float, int, int]:
        """First start, lowest and highest pitch of the selected notes; there must be some."""
        start, _, pitch, _ = self.overlays.selected
        return float(start.min()), int(pitch.min()), int(pitch.max())

    def pitch_of(self, ref: NoteRef) -> int:
        """The pitch of a note."""
        part = self._parts[ref.part]
        return int(part.pitch[part.places([ref.index])[0]])

    def note(self, ref: NoteRef) -> RollNote:
        """A note that is there."""
        part = self._parts[ref.part]
        i = part.places([ref.index])[0]
        start, end, pitch, velocity = part.start[i], part.end[i], part.pitch[i], part.velocity[i]
        look = int(part.colour[i]), bool(part.is_drum[i]), int(part.origin[i]), bool(part.is_behind[i])
        return RollNote(float(start), float(end), int(pitch), int(velocity), *look)

    def set_take(self, take: TakeOnView) -> None:
        """Show where the take on view ends. What it replaces is not drawn in."""
        self.take = take
        self.set_take_end(take.end or None)

    def part_to_draw_in(self, seconds: float) -> str | None:
        """The part that a note drawn at a time belongs to: that of the selected notes; else the take, if it lasts then;
        else the one in front, that drawn in last, the take from its start on, the first track. None if there is none.

        What the take replaces then is not drawn in: it would not be heard.
        """
        keys = {part.kind: part.key for part in reversed(self.parts)}
        take = keys.get("take", "")
        selected = "".join(self._selected.indices) if len(self._selected.indices) == 1 else ""
        self._drawn_in = selected or self._drawn_in
        its = take if self.take.lasts_at(seconds) else ""
        wanted = (selected, its, self.in_front, self._drawn_in, take, keys.get("prompt", ""))
        return next((key for key in wanted if self._is_drawn_in(key, seconds)), None)

    def _is_drawn_in(self, key: str, seconds: float) -> bool:
        """Whether notes at a time may be of that part: it is there then, and heard beside the take."""
        part = self._parts.get(key)
        if part is None or part.kind == "other":
            return False
        if part.kind == "take":
            return self.take.has_begun(seconds)
        return not self.take.replaces(key, seconds)

    def note_at(self, x: float, y: float) -> NoteRef | None:
        """The note that is meant at a view pixel, the topmost of several; those behind the track in front are not."""
        return hits.note_at(x, y, self.coordinates, self._paper.parts)

    def note_seen_at(self, x: float, y: float) -> NoteRef | None:
        """The note that is seen there, behind the track in front or not."""
        return hits.note_at(x, y, self.coordinates, self._paper.parts, also_behind=True)

    def indices_between(self, start: float, end: float, low: int, high: int) -> Indices:
        """The notes that can be selected and show in [start, end) with low <= pitch <= high."""
        inside: dict[str, NDArray[np.int32]] = {}
        for part in self.parts:
            places = hits.places_between(part, start, end, low, high, self.coordinates)
            inside[part.key] = part.index[places[part.is_selectable[places]]]
        return inside

    def _select(self, selection: Selection, are_notes_new: bool = False) -> None:
        if selection == self._selected and not are_notes_new:
            return
        is_new = selection != self._selected
        self._selected = selection
        if len(self._forward):
            self._bring_forward(self._forward.common(selection))
        columns = [
            NoteColumns(part.start[places], part.end[places], part.pitch[places], part.is_drum[places])
            for key, indices in selection.indices.items()
            for part in [self._parts[key]]
            for places in [part.places(indices)]
        ]
        self._show_selected(columns)
        if is_new:
            self._remember_place()
            self.selection_changed.emit()

    # Edits, which others make

    def delete_selected(self) -> None:
        """Ask for the selected notes to be deleted."""
        if self.has_selection:
            self._remember_place()
            self.delete_requested.emit(self.selection)

    def quantise_selected(self) -> None:
        """Ask for the selected notes to be quantised."""
        if self.has_selection:
            self.quantise_requested.emit(self.selection)

    def activate_selected(self) -> None:
        """What a double click does, if one note is selected."""
        if len(self._selected) == 1:
            self.note_activated.emit(self.selection.refs[0])

    def transpose(self, semitones: int) -> None:
        """Ask for the selected notes to be moved in pitch; not at all if one would leave the range."""
        if self.has_selection:
            _, low, high = self.selected_extent()
            if low + semitones >= 0 and high + semitones <= 127:
                self.tapped.emit([(ref, pitch + semitones) for ref, pitch in self._first_selected()])
                self.transposed.emit(self.selection, semitones)
                self.show_selected()

    def step_rows(self, rows: int) -> None:
        """Ask for the selected notes to be moved by rows; not at all if there are none for one of them."""
        if self.has_selection:
            shown = self.coordinates.rows
            down, up = shown.room(*self.selected_extent()[1:])
            if down <= rows <= up:
                first = self._first_selected()
                pitches = shown.moved(np.array([pitch for _, pitch in first]), rows).tolist()
                self.tapped.emit([(ref, pitch) for (ref, _), pitch in zip(first, pitches, strict=True)])
                self.nudged.emit(self.selection, 0.0, rows)
                self.show_selected()

    def _first_selected(self) -> list[tuple[NoteRef, int]]:
        """The selected notes that begin first, with their pitches: a chord at most."""
        first = self.selected_extent()[0] + _AT_ONCE
        notes: list[tuple[NoteRef, int]] = []
        for key, indices in self._selected.indices.items():
            part = self._parts[key]
            places = part.places(indices)
            at_once = places[part.start[places] <= first]
            refs = (NoteRef(key, index) for index in part.index[at_once].tolist())
            notes += zip(refs, part.pitch[at_once].tolist(), strict=True)
        return notes[:_MOST_TAPPED]

    def nudge(self, steps: int, seconds: float | None = None) -> None:
        """Ask for the selected notes to be moved in time, by steps of the grid or of so many seconds."""
        if self.has_selection:
            first, _, _ = self.selected_extent()
            by = max(self.ticks_of(first, steps, seconds), -self.grid.tempo_map.exact_tick(first))
            if by:
                self.nudged.emit(self.selection, by, 0)
                self.show_selected()

    def ticks_of(self, at: float, steps: int, seconds: float | None) -> float:
        """How many ticks steps of the grid at a time are, or steps of so many seconds each."""
        if seconds is None:
            return steps * self.grid.step_ticks(at)
        return self.grid.ticks_between(at, at + steps * seconds)

    def change_velocity(self, by: int) -> None:
        """Ask for the selected notes to become louder, or softer."""
        if self.has_selection:
            self.velocity_changed.emit(self.selection, by)
