"""The gestures that make, erase, divide and lengthen notes."""

from typing import Literal

import numpy as np

from desktop.piano_roll.layers import Cut
from desktop.piano_roll.notes import NoteRef, RollNote
from desktop.piano_roll.pointer import CTRL, SHIFT, Pointer, has_moved
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.surface import RollSurface

Edge = Literal["start", "end"]

_REACH = 6.0  # view pixels from a note's edge, inside it, that are a handle; of short notes a quarter at either end
_LONG_REACH = 10.0  # of long notes
_DRAWN_VELOCITY = 100
_HAIR = 1e-6  # seconds
_AT_ONCE = 0.005  # seconds within which two notes begin together


def edge_at(roll: RollSurface, at: Pointer, ref: NoteRef) -> Edge | None:
    """The edge of a note that a press there takes hold of."""
    if not roll.is_selectable(ref):
        return None
    note = roll.note(ref)
    if note.is_drum:
        return None  # a diamond has no length to drag
    left, right = roll.coordinates.x(note.start), roll.coordinates.x(note.end)
    reach = min(max(_REACH, (right - left) / 20), _LONG_REACH, (right - left) / 4)
    if at.x >= right - reach:
        return "end"
    return "start" if at.x < left + reach else None


class DrawNote:
    """Press: a note of the last length, on the grid. Drag right: its length; up and down: its pitch. It sounds."""

    def __init__(self, roll: RollSurface, at: Pointer, part: str) -> None:
        self._roll, self._start, self._part = roll, at, part
        roll.clear_selection()
        is_drum = _is_drum(roll, part)
        line = roll.grid.nearest_line if is_drum else roll.grid.line_before  # a diamond stands around its line
        begin = max(at.seconds if at.is_free else line(at.seconds), 0.0)
        self._note = RollNote(begin, _usual_end(roll, begin), at.pitch, _DRAWN_VELOCITY, is_drum=is_drum)
        self._is_dragging = False
        self._line = roll.coordinates.line(at.y)
        roll.set_drawn(self._note)
        self._sound(at.pitch)

    def _sound(self, pitch: int) -> None:
        self._roll.pitch_pressed.emit(self._part, pitch)
        self._roll.set_own_lit({pitch})

    def move(self, at: Pointer) -> None:
        """Give it the length and the pitch that the pointer says."""
        self._is_dragging = self._is_dragging or has_moved(self._start, at)
        if not self._is_dragging:
            return
        note = self._note
        if abs(at.x - self._start.x) >= _REACH:
            begin = note.start
            end = at.seconds if at.is_free else self._roll.grid.nearest_line(at.seconds)
            least = 0.02 if at.is_free else self._roll.grid.step(begin)
            note = note._replace(end=max(end, begin + least))
        view = self._roll.coordinates
        up = round(self._line - view.line(at.y))  # half a row, or the hand only trembles
        pitch = int(view.rows.moved(np.array([self._start.pitch], np.int32), up)[0])
        if pitch != note.pitch:
            self._roll.key_released.emit(note.pitch)
            note = note._replace(pitch=pitch)
            self._sound(pitch)
        self._note = note
        self._roll.set_drawn(note)

    def release(self, at: Pointer) -> None:
        """It becomes a note."""
        self.cancel()
        note = self._note
        grid = self._roll.grid
        self._roll.last_length = grid.ticks_between(note.start, note.end) / grid.tempo_map.ticks_per_quarter
        self._roll.drawn.emit(self._part, note)

    def cancel(self) -> None:
        """It is gone."""
        self._roll.key_released.emit(self._note.pitch)
        self._roll.set_own_lit(set())
        self._roll.set_drawn(None)


def _is_drum(roll: RollSurface, part: str) -> bool:
    """Whether what is drawn in a part is a drum: also of a drum track that is empty yet, or in a take behind it."""
    are_in_front = roll.drum_part != "" and roll.drum_part == roll.in_front
    return are_in_front or any(each.key == part and each.are_drums for each in roll.parts)


def _usual_end(roll: RollSurface, begin: float) -> float:
    """Where a note that begins then ends, unless it is told: it is as long as the last one, else a step of the grid."""
    grid = roll.grid
    return grid.shifted(begin, roll.last_length * grid.tempo_map.ticks_per_quarter or grid.step_ticks(begin))


def insert_note(roll: RollSurface, seconds: float) -> bool:
    """Draw without a pointer: a note of the last length on the line next to a time, to be moved by keys then.

    It has the pitch of the first selected note, else of the middle row on view. One that is there already is selected.
    False if there is no part for it.
    """
    begin = roll.grid.nearest_line(seconds)
    part = roll.part_to_draw_in(begin)
    if part is None:
        return False
    view, refs = roll.coordinates, roll.selection.refs[:1]
    pitch = roll.pitch_of(refs[0]) if refs else view.pitch(view.height / 2)
    is_drum = _is_drum(roll, part)
    if (there := _note_there(roll, part, begin, pitch)) is not None:
        roll.set_selection([there])
        roll.bring_in_view(begin, pitch)
        return True
    roll.drawn.emit(part, RollNote(begin, _usual_end(roll, begin), pitch, _DRAWN_VELOCITY, is_drum=is_drum))
    roll.tapped.emit([(part, pitch)])
    roll.bring_in_view(begin, pitch)
    return True


def _note_there(roll: RollSurface, key: str, begin: float, pitch: int) -> NoteRef | None:
    """A note of a part that begins then and can be edited."""
    for part in roll.parts:
        if part.key == key:
            places = part.begun_between(begin - _AT_ONCE, begin + _AT_ONCE, pitch, pitch)
            places = places[part.is_selectable[places]]
            return NoteRef(key, int(part.index[places[0]])) if len(places) else None
    return None


def lengthen(roll: RollSurface, steps: int, seconds: float | None = None) -> None:
    """Ask for the selected notes to end so many steps of the grid, or of so many seconds, later."""
    if roll.has_selection:
        first, _, _ = roll.selected_extent()
        roll.lengthened.emit(roll.selection, 0.0, roll.ticks_of(first, steps, seconds))


class EraseNotes:
    """Press and drag: the notes touched are selected, and gone when the button is let go."""

    def __init__(self, roll: RollSurface, at: Pointer) -> None:
        self._roll, self._last = roll, at
        self._before = roll.selection
        roll.clear_selection()
        self.move(at)

    def move(self, at: Pointer) -> None:
        """Touch all that lies between the last place and this."""
        steps = max(int(max(abs(at.x - self._last.x), abs(at.y - self._last.y)) / 3), 1)
        for k in range(1, steps + 1):
            x = self._last.x + (at.x - self._last.x) * k / steps
            y = self._last.y + (at.y - self._last.y) * k / steps
            ref = self._roll.note_at(x, y)
            if ref is not None and self._roll.is_selectable(ref) and not self._roll.is_selected(ref):
                self._roll.select(self._roll.selection.plus(Selection.of([ref])))
        self._last = at

    def release(self, at: Pointer) -> None:
        """Erase what was touched."""
        self._roll.delete_selected()

    def cancel(self) -> None:
        """Nothing is erased."""
        self._roll.select(self._before)


def cut_at(roll: RollSurface, at: Pointer, ref: NoteRef) -> Cut | None:
    """Where the knife over a note would divide it, and what is selected with it; None: nowhere."""
    seconds = _cut_seconds(roll, at)
    if roll.is_selected(ref):
        start, end, pitch, _ = roll.overlays.selected
        pitches = np.unique(pitch[(start < seconds) & (seconds < end)]).tolist()
    else:
        note = roll.note(ref)
        pitches = [note.pitch] if note.start < seconds < note.end else []
    return Cut(seconds, tuple(pitches)) if pitches else None


def _cut_seconds(roll: RollSurface, at: Pointer) -> float:
    return at.seconds if at.is_free else roll.grid.nearest_line(at.seconds)


class SplitNote:
    """Click a note with the knife: it, and what is selected with it, is divided there."""

    def __init__(self, roll: RollSurface, at: Pointer, ref: NoteRef) -> None:
        self._roll, self._ref = roll, ref
        self.move(at)

    def move(self, at: Pointer) -> None:
        """Show the cut: it is where the button is let go."""
        self._roll.set_cut(cut_at(self._roll, at, self._ref))

    def release(self, at: Pointer) -> None:
        """Cut."""
        self._roll.set_cut(None)
        is_selected = self._roll.is_selected(self._ref)
        notes = self._roll.selection if is_selected else Selection.of([self._ref])
        self._roll.split_requested.emit(notes, _cut_seconds(self._roll, at))

    def cancel(self) -> None:
        """Nothing is cut."""
        self._roll.set_cut(None)


class ResizeNotes:
    """Drag an edge of a note: the same edge of all selected notes goes along. A click selects the note."""

    def __init__(self, roll: RollSurface, at: Pointer, ref: NoteRef, edge: Edge) -> None:
        self._roll, self._start, self._edge = roll, at, edge
        self._ref, self._was_selected = ref, roll.is_selected(ref)
        note = roll.note(ref)
        self._at = note.start if edge == "start" else note.end
        self._other = note.end if edge == "start" else note.start
        self._is_dragging = False
        if not self._was_selected:
            before = roll.selection.indices if at.modifiers & (SHIFT | CTRL) else {}
            roll.select_indices({ref.part: [ref.index]}, before, SHIFT)
        roll.note_pressed.emit(ref)

    def move(self, at: Pointer) -> None:
        """Show the notes as long as they would be."""
        if not self._is_dragging and not has_moved(self._start, at):
            return
        if not self._is_dragging:
            self._is_dragging = True
            self._roll.note_released.emit(self._ref)
        self._roll.set_stretch(self._by(at))

    def _by(self, at: Pointer) -> tuple[float, float]:
        """By how many ticks starts and ends move: this note's edge goes to a line, and not past its other edge."""
        grid, wanted = self._roll.grid, self._at + at.seconds - self._start.seconds
        wanted = max(wanted if at.is_free else grid.nearest_line(wanted), 0.0)
        if not at.is_free:  # a step of the grid is left of it, unless it is shorter
            line, step = grid.line_before(self._other), grid.step_ticks(self._other)
            if self._edge == "end":
                wanted = max(wanted, min(grid.shifted(line, step), self._at))
            else:
                line = line if line < self._other - _HAIR else grid.shifted(line, -step)
                wanted = min(wanted, max(line, self._at))
        by = self._roll.grid.ticks_between(self._at, wanted)
        return (by, 0.0) if self._edge == "start" else (0.0, by)

    def release(self, at: Pointer) -> None:
        """A click selects as one inside the note; a drag changes lengths."""
        by = self._by(at)
        self._let_go()
        if self._is_dragging:
            if any(by):
                self._roll.resized.emit(self._roll.selection, *by)
        elif self._was_selected:
            if at.modifiers & CTRL:
                self._roll.select_indices({self._ref.part: [self._ref.index]}, self._roll.selection.indices, CTRL)
            elif not at.modifiers & SHIFT:
                self._roll.set_selection([self._ref])

    def cancel(self) -> None:
        """The notes stay as long as they are."""
        self._let_go()

    def _let_go(self) -> None:
        if not self._is_dragging:
            self._roll.note_released.emit(self._ref)
        self._roll.set_stretch(None)
