"""What the pointer, the wheel and the keys do. One class per mouse gesture.

A gesture begins with a press, then gets `move` for every move and at last `release` or `cancel`. It
changes what the roll shows at once; what others must know goes out as the roll's signals.
"""

from collections.abc import Callable
from math import ceil, floor, inf

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent

from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.pointer import ALT, COPY, CTRL, SHIFT, Gesture, Pointer, has_moved
from desktop.piano_roll.ruler_gestures import begin_in_ruler
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.surface import RollSurface
from desktop.piano_roll.tools import DrawNote, EraseNotes, ResizeNotes, SplitNote, edge_at, lengthen

_WHEEL_STEP = 120  # what one notch of a wheel reports
_ZOOM_PER_STEP = 1.25
_PIXELS_PER_STEP = 60.0
VELOCITY_STEP = 4  # of a key or a notch of the wheel
_FREE_STEP = 0.01  # seconds of a nudge with Alt


def begin(roll: RollSurface, at: Pointer, button: Qt.MouseButton) -> Gesture | None:
    """The gesture that a press starts."""
    if button == Qt.MouseButton.MiddleButton:
        return Pan(roll, at)
    if button != Qt.MouseButton.LeftButton:
        return None
    if at.y < 0 and at.x >= 0:
        return begin_in_ruler(roll, at)
    if at.x < 0:
        return PlayKeys(roll, at) if at.y >= 0 else None
    ref = roll.note_at(at.x, at.y)
    if roll.tool == "eraser":
        return EraseNotes(roll, at)
    if roll.tool == "knife" and ref is not None and roll.is_selectable(ref):
        return SplitNote(roll, at, ref)
    if ref is not None:
        return _drag(roll, at, ref)
    part = roll.part_to_draw_in(at.seconds) if roll.tool == "pencil" else None
    return DrawNote(roll, at, part) if part is not None else SelectInBand(roll, at)


def _drag(roll: RollSurface, at: Pointer, ref: NoteRef) -> Gesture:
    """What a drag of a note does: at an edge lengthen it, else move it."""
    edge = edge_at(roll, at, ref)
    return ResizeNotes(roll, at, ref, edge) if edge is not None else MoveNotes(roll, at, ref)


class Pan:
    """Middle button: drag the paper."""

    def __init__(self, roll: RollSurface, at: Pointer) -> None:
        self._roll, self._last = roll, at

    def move(self, at: Pointer) -> None:
        """Follow the pointer."""
        self._roll.scroll_by(self._last.x - at.x, self._last.y - at.y)
        self._last = at

    def release(self, at: Pointer) -> None:
        """Nothing more to do."""

    def cancel(self) -> None:
        """The view stays where it is."""


class PlayKeys:
    """Press on the keyboard, glide over it."""

    def __init__(self, roll: RollSurface, at: Pointer) -> None:
        self._roll = roll
        self._pitch = self._key(at)
        roll.key_pressed.emit(self._pitch)
        roll.set_own_lit({self._pitch})

    def _key(self, at: Pointer) -> int:
        return self._roll.key_at(at.x + self._roll.keyboard_width, at.y)

    def move(self, at: Pointer) -> None:
        """Go to the key under the pointer."""
        pitch = self._key(at)
        if pitch != self._pitch:
            self._roll.key_released.emit(self._pitch)
            self._pitch = pitch
            self._roll.key_pressed.emit(pitch)
            self._roll.set_own_lit({pitch})

    def release(self, at: Pointer) -> None:
        """Let the key go."""
        self.cancel()

    def cancel(self) -> None:
        """Let the key go."""
        self._roll.key_released.emit(self._pitch)
        self._roll.set_own_lit(set())


class SelectInBand:
    """Drag over empty space: select what the band touches. Shift adds, Ctrl toggles."""

    def __init__(self, roll: RollSurface, at: Pointer) -> None:
        self._roll, self._modifiers = roll, at.modifiers
        self._before = roll.selection.indices
        # In time and pitch, so that the band's first corner stays on the music when the view scrolls.
        self._seconds, self._row = at.seconds, at.y - roll.coordinates.y(0)
        if not at.modifiers & (SHIFT | CTRL):
            roll.clear_selection()

    def move(self, at: Pointer) -> None:
        """Stretch the band and select."""
        view = self._roll.coordinates
        corner = QPointF(view.x(self._seconds), self._row + view.y(0))
        self._roll.set_band(QRectF(corner, QPointF(at.x, at.y)).normalized())
        top, bottom = sorted((corner.y(), at.y))
        start, end = sorted((self._seconds, at.seconds))
        inside = self._roll.indices_between(start, end, view.pitch(bottom), view.pitch(top))
        self._roll.select_indices(inside, self._before, self._modifiers)

    def release(self, at: Pointer) -> None:
        """The selection stands."""
        self._roll.set_band(None)

    def cancel(self) -> None:
        """The selection before."""
        self._roll.set_band(None)
        self._roll.select_indices(self._before, {}, Qt.KeyboardModifier.NoModifier)


class MoveNotes:
    """Press a note: hear and select it. Drag: move all selected notes in time and pitch; with Ctrl (Option), copies."""

    def __init__(self, roll: RollSurface, at: Pointer, ref: NoteRef) -> None:
        self._roll, self._start, self._ref = roll, at, ref
        self._line = roll.coordinates.line(at.y)
        self._is_dragging = False
        self._can_move = roll.is_selectable(ref)
        self._was_selected = roll.is_selected(ref)
        if self._can_move and not self._was_selected:
            if not at.modifiers & (SHIFT | CTRL):
                roll.clear_selection()
            roll.select_indices({ref.part: [ref.index]}, roll.selection.indices, SHIFT)
        self._own_pitch = roll.pitch_of(ref)
        self._pitch: int | None = self._own_pitch  # what sounds, of the note and then of where it is dragged to
        roll.note_pressed.emit(ref)
        roll.set_own_lit({self._own_pitch})

    def move(self, at: Pointer) -> None:
        """Show the selected notes where they would go."""
        if not self._can_move or not (self._is_dragging or has_moved(self._start, at)):
            return
        if not self._is_dragging:
            self._is_dragging = True
            self._roll.note_released.emit(self._ref)
        by, up = self._shift(at)
        self._roll.set_preview((by, up), bool(at.modifiers & COPY))
        pitch = int(self._roll.coordinates.rows.moved(np.array([self._own_pitch]), up)[0])
        if pitch != self._pitch:
            self._let_go()
            self._pitch = pitch
            self._roll.pitch_pressed.emit(self._ref, pitch)
            self._roll.set_own_lit({pitch})

    def _shift(self, at: Pointer) -> tuple[float, int]:
        """By how many ticks and rows, so that every note stays within the roll."""
        grid = self._roll.grid
        by = grid.ticks_between(self._start.seconds, at.seconds)
        if not at.modifiers & (SHIFT | ALT) & ~COPY and grid.snap != "off":
            step = grid.step_ticks(self._start.seconds)
            by = round(by / step) * step
        first, low, high = self._roll.selected_extent()
        rows = self._roll.coordinates.rows
        down, up = rows.room(low, high)
        wanted = round(self._line - self._roll.coordinates.line(at.y))  # a hand that trembles leaves the row
        return max(by, -grid.tempo_map.exact_tick(first)), min(max(wanted, down), up)

    def release(self, at: Pointer) -> None:
        """A click selects this note alone (Ctrl takes it out); a drag moves."""
        self._let_go()
        if self._is_dragging:
            by, up = self._shift(at)
            self._roll.set_preview(None)
            if by or up:
                done = self._roll.copied if at.modifiers & COPY else self._roll.moved
                done.emit(self._roll.selection, by, up)
        elif self._can_move and self._was_selected:
            if at.modifiers & CTRL:
                self._roll.select_indices({self._ref.part: [self._ref.index]}, self._roll.selection.indices, CTRL)
            elif not at.modifiers & SHIFT:
                self._roll.set_selection([self._ref])

    def cancel(self) -> None:
        """The notes stay where they are."""
        self._let_go()
        self._roll.set_preview(None)

    def _let_go(self) -> None:
        if self._pitch is not None:
            if self._is_dragging:
                self._roll.key_released.emit(self._pitch)
            else:
                self._roll.note_released.emit(self._ref)
            self._pitch = None
            self._roll.set_own_lit(set())


class DeleteNote:
    """The second press of a double click on a note: let go at once it deletes the note, else it is a drag as any."""

    def __init__(self, roll: RollSurface, at: Pointer, ref: NoteRef) -> None:
        self._roll, self._start, self._ref = roll, at, ref
        self._drag = _drag(roll, at, ref)
        self._is_dragging = False

    def move(self, at: Pointer) -> None:
        """Move or lengthen it."""
        self._is_dragging = self._is_dragging or has_moved(self._start, at)
        self._drag.move(at)

    def release(self, at: Pointer) -> None:
        """Delete it, unless it was dragged."""
        if self._is_dragging:
            self._drag.release(at)
        else:
            self._drag.cancel()
            self._roll.delete_requested.emit(Selection.of([self._ref]))

    def cancel(self) -> None:
        """It stays as it is."""
        self._drag.cancel()


# Wheel and keys


def wheel(roll: RollSurface, event: QWheelEvent, x: float, y: float) -> None:
    """Wheel: up and down; Ctrl: zoom time; Ctrl+Shift: zoom pitch; Shift: back and forth, over a note its velocity."""
    pixels, notches = event.pixelDelta(), event.angleDelta()
    # Some systems turn a wheel held with Shift or Alt sideways themselves.
    turned = notches.y() if notches.y() else notches.x()
    modifiers = event.modifiers()
    if modifiers & CTRL:
        factor = _ZOOM_PER_STEP ** (turned / _WHEEL_STEP)
        if modifiers & SHIFT:
            roll.zoom_pitch(factor, y)
        else:
            roll.zoom_time(factor, x)
    elif modifiers & SHIFT and (ref := roll.note_at(x, y)) is not None and roll.is_selectable(ref):
        notes = roll.selection if roll.is_selected(ref) else Selection.of([ref])
        roll.velocity_changed.emit(notes, _wheel_steps(turned) * VELOCITY_STEP)
    elif not pixels.isNull():
        dx, dy = -pixels.x(), -pixels.y()
        roll.scroll_by(*((dx + dy, 0) if modifiers & SHIFT else (dx, dy)))
    elif modifiers & SHIFT:
        roll.scroll_by(-turned / _WHEEL_STEP * _PIXELS_PER_STEP, 0)
    else:
        step = -_PIXELS_PER_STEP / _WHEEL_STEP
        roll.scroll_by(notches.x() * step, notches.y() * step)


def _wheel_steps(turned: int) -> int:
    """Whole notches, at least one: a touchpad reports parts of them."""
    return max(abs(turned) // _WHEEL_STEP, 1) * (1 if turned > 0 else -1)


def key(roll: RollSurface, event: QKeyEvent) -> bool:
    """Do what a key means here; False if it means nothing."""
    if event.matches(QKeySequence.StandardKey.SelectAll):
        roll.select_all()
        return True
    if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
        return _arrow(roll, event.key(), event.modifiers())
    if event.modifiers() == CTRL and (far := _far(roll, event.key())):
        far()
        return True
    if event.modifiers() & (CTRL | ALT):
        return False
    plain = {
        Qt.Key.Key_Delete: roll.delete_selected,
        Qt.Key.Key_Backspace: roll.delete_selected,
        Qt.Key.Key_Escape: roll.escape,
        Qt.Key.Key_Plus: roll.zoom_in,
        Qt.Key.Key_Equal: roll.zoom_in,
        Qt.Key.Key_Minus: roll.zoom_out,
        Qt.Key.Key_F: roll.fit,
        Qt.Key.Key_Q: roll.quantise_selected,
        Qt.Key.Key_Return: roll.activate_selected,
        Qt.Key.Key_Enter: roll.activate_selected,
        Qt.Key.Key_PageUp: lambda: roll.scroll_by(0, -0.8 * roll.coordinates.height),
        Qt.Key.Key_PageDown: lambda: roll.scroll_by(0, 0.8 * roll.coordinates.height),
        Qt.Key.Key_Home: lambda: roll.scroll_to(0.0),
        Qt.Key.Key_End: lambda: roll.scroll_to(roll.content_end - 0.8 * roll.visible_seconds),
    }
    action = plain.get(Qt.Key(event.key()))
    if action is None:
        return False
    action()
    return True


def _far(roll: RollSurface, key: int) -> Callable[[], None] | None:
    """With Ctrl: from bar to bar, to the first note and the last."""
    return {
        Qt.Key.Key_PageUp: lambda: roll.select_in_bar(-1),
        Qt.Key.Key_PageDown: lambda: roll.select_in_bar(1),
        Qt.Key.Key_Home: lambda: roll.select_first_from(0.0),
        Qt.Key.Key_End: lambda: roll.select_first_from(inf),
    }.get(Qt.Key(key))


def _arrow(roll: RollSurface, key: int, modifiers: Qt.KeyboardModifier) -> bool:
    """Arrows move what is selected, or scroll; Ctrl goes from note to note, Alt+left/right moves the marker."""
    across = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key), 0)
    up = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(key), 0)
    if modifiers & CTRL:
        if across:
            roll.select_neighbour(across, extends=bool(modifiers & SHIFT))
        else:
            roll.change_velocity(up * VELOCITY_STEP)
        return True
    if not roll.has_selection and modifiers & ALT and across:
        return roll.step_marker(across)
    if not roll.has_selection:
        roll.scroll_by(across * _PIXELS_PER_STEP, -up * _PIXELS_PER_STEP)
    elif up and modifiers & SHIFT:
        roll.transpose(12 * up)
    elif up:
        roll.step_rows(up)
    elif modifiers & SHIFT:
        lengthen(roll, across, _FREE_STEP if modifiers & ALT else None)
    else:
        roll.nudge(across, _FREE_STEP if modifiers & ALT else None)
    return True


def edge_scroll(overshoot: float) -> float:
    """Pixels to scroll per tick while a drag is held outside the note area, faster the further out."""
    return (ceil if overshoot > 0 else floor)(max(min(overshoot, 200), -200) * 0.3)
