"""PianoRoll, the widget: how events reach the gestures."""

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from desktop.piano_roll import gestures, tools
from desktop.piano_roll.accessible import describe, install, named, tell, tell_of_selection
from desktop.piano_roll.keyboard import KEYBOARD_WIDTH
from desktop.piano_roll.notes import RollPart
from desktop.piano_roll.pointer import Cancellable, modifiers_after
from desktop.piano_roll.ruler import RULER_HEIGHT, STRIP_HEIGHT, spot_at
from desktop.piano_roll.surface import RollSurface, Tool

_BAR_REACH = 5.0  # view pixels beside a bar line that mean it
EDGE_TICK = 30  # ms between steps of scrolling while a drag is held outside


# Gestures that hold notes.
_HOLDING = gestures.MoveNotes, gestures.DeleteNote, tools.ResizeNotes, tools.EraseNotes, tools.SplitNote
_CURSORS = {
    "pointer": Qt.CursorShape.ArrowCursor,
    "pencil": Qt.CursorShape.CrossCursor,
    "eraser": Qt.CursorShape.PointingHandCursor,
    "knife": Qt.CursorShape.IBeamCursor,
}


class PianoRoll(RollSurface):
    """The roll with its pointer, wheel and keys: one gesture at a time."""

    modifiers_changed = Signal(object)  # Qt.KeyboardModifier: those held once the key of one has gone down or up

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gesture: gestures.Gesture | None = None
        self._button = Qt.MouseButton.NoButton  # that holds it
        self._last_pointer: QPointF | None = None  # over the roll, or where it is dragged
        self._last_modifiers = Qt.KeyboardModifier.NoModifier
        self._held: Cancellable | None = None  # a drag outside of the notes, such as in a lane
        self._must_fit = True
        self._edge_timer = QTimer(self)
        self._edge_timer.setInterval(EDGE_TICK)
        self._edge_timer.timeout.connect(self._scroll_at_edge)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(self.tr("Piano roll"))
        install()
        self._teller = QTimer(self, singleShot=True, interval=0)  # once notes and selection are as they will be
        self._teller.timeout.connect(lambda: tell_of_selection(self))
        self.selection_changed.connect(self._teller.start)
        for changed in (self.view_changed, self.notes_changed, self.selection_changed):
            changed.connect(lambda: self._show_cut(None))  # until the pointer moves again

    @property
    def has_gesture(self) -> bool:
        """Whether a gesture is under way."""
        return self._gesture is not None or self._held is not None

    def hold(self, drag: Cancellable) -> None:
        """A drag in a lane has begun: Escape, and other notes, cancel it."""
        self._end_gesture()
        self._held = drag

    def holds(self, drag: Cancellable) -> bool:
        """Whether that drag is still under way."""
        return self._held is drag

    def let_go(self, drag: Cancellable) -> None:
        """That drag has ended by itself."""
        if self._held is drag:
            self._held = None

    def set_parts(self, parts: Sequence[RollPart]) -> None:
        """Show these parts. A move of notes that are others now, or gone, ends."""
        before, held = self._parts, list(self._selected.indices) if isinstance(self._gesture, _HOLDING) else []
        super().set_parts(parts)
        if self._held is not None:
            held = list(before)  # a drag in a lane may be of any
        if any(self._parts.get(key) is not before.get(key) for key in held):
            self._end_gesture()
        self._teller.start()

    def escape(self) -> None:
        """End the gesture under way as if it had not been, else clear the selection, else the span."""
        if not self._end_gesture():
            super().escape()

    def _end_gesture(self) -> bool:
        """End the gesture under way, if there is one, as if it had not been."""
        gesture, self._gesture = self._gesture, None
        held, self._held = self._held, None
        self._edge_timer.stop()
        for drag in (gesture, held):
            if drag is not None:
                drag.cancel()
        return gesture is not None or held is not None

    # Events

    def showEvent(self, event: QShowEvent) -> None:
        """Fit once, when the size is known."""
        super().showEvent(event)
        self._resize()
        if self._must_fit:
            self._must_fit = False
            self.fit()

    def viewportEvent(self, event: QEvent) -> bool:
        """Pinches come as native gestures; the pointer leaving takes the hover with it."""
        if event.type() == QEvent.Type.NativeGesture:
            gesture = cast(QNativeGestureEvent, event)
            if gesture.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom_time(max(1 + gesture.value(), 0.1), gesture.position().x() - KEYBOARD_WIDTH)
                return True
        elif event.type() == QEvent.Type.Leave:
            if self._gesture is None:
                self._last_pointer = None
            self._hover(None)
            self._show_cut(None)
        elif event.type() == QEvent.Type.ToolTip:
            tip = cast(QHelpEvent, event)
            at = self._pointer(QPointF(tip.pos()), Qt.KeyboardModifier.NoModifier)
            ref = self.note_seen_at(at.x, at.y) if self._gesture is None else None
            QToolTip.showText(tip.globalPos(), describe(self, ref) if ref else self._key_words(at), self.viewport())
            return True
        return super().viewportEvent(event)

    def _key_words(self, at: gestures.Pointer) -> str:
        """The name of a drum on the keyboard, of which there is room for a short one."""
        return named(at.pitch, is_drum=True) if self.drum_part and at.x < 0 <= at.y else ""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """See gestures.wheel."""
        at = event.position()
        gestures.wheel(self, event, at.x() - KEYBOARD_WIDTH, at.y() - RULER_HEIGHT)
        if self._gesture is not None:  # which goes on where the pointer is in the music now
            self._gesture.move(self._pointer(at, event.modifiers()))
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keys act here: tell of the selected note, once Qt has told of the roll."""
        super().focusInEvent(event)
        QTimer.singleShot(0, self, lambda: tell(self, has_come=True))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A menu or another window takes the pointer: the end of a gesture would never be told here."""
        super().focusOutEvent(event)
        if event.reason() in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason):
            self._end_gesture()

    def event(self, event: QEvent) -> bool:
        """While Alt decides where something goes, it does not go to the menu bar."""
        is_alt = event.type() == QEvent.Type.ShortcutOverride and cast(QKeyEvent, event).key() == Qt.Key.Key_Alt
        if is_alt and (self.has_gesture or self.overlays.cut is not None):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See gestures.key and `follow_modifiers`; other keys go to the window."""
        event.setAccepted(self.follow_modifiers(event) or gestures.key(self, event))

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """See `follow_modifiers`."""
        event.setAccepted(self.follow_modifiers(event))

    def follow_modifiers(self, event: QKeyEvent) -> bool:
        """Show what a drag, or a click with the knife, would do with the modifiers held now; False of other keys."""
        modifiers = modifiers_after(event)
        if modifiers is None:
            return False
        self._last_modifiers = modifiers
        if self._last_pointer is not None:
            at = self._pointer(self._last_pointer, modifiers)
            if self._gesture is not None:
                self._gesture.move(at)
            else:
                self._show_cut(at)
        self.modifiers_changed.emit(modifiers)
        return True

    def _pointer(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> gestures.Pointer:
        x, y = position.x() - KEYBOARD_WIDTH, position.y() - RULER_HEIGHT
        return gestures.Pointer(x, y, self.coordinates.seconds(x), self.coordinates.pitch(y), modifiers)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture, which that button alone ends."""
        if self._gesture is None:
            self._button, self._last_pointer = event.button(), event.position()
            self._gesture = gestures.begin(self, self._pointer(event.position(), event.modifiers()), event.button())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """With the pointer: a note is deleted if it is not dragged, elsewhere one is drawn. With other tools the second
        click is a click.

        In the lower half of the ruler tempo and metre are asked for.
        """
        at = self._pointer(event.position(), event.modifiers())
        is_left = event.button() == Qt.MouseButton.LeftButton
        is_in_notes = at.x >= 0 and at.y >= 0 and is_left
        if at.x >= 0 and STRIP_HEIGHT - RULER_HEIGHT <= at.y < 0 and is_left:
            self._end_gesture()
            mark = self.marks.at(at.x, at.y + RULER_HEIGHT, self.coordinates, self.small_font)
            bar = self.grid.nearest_bar(max(at.seconds, 0.0))
            seconds = bar if abs(self.coordinates.x(bar) - at.x) <= _BAR_REACH else max(at.seconds, 0.0)
            self.metre_requested.emit(mark.tick if mark else self.grid.tempo_map.tick(seconds))
            return
        if self.tool != "pointer" or not is_in_notes:
            self.mousePressEvent(event)
            return
        self._end_gesture()
        self._button, self._last_pointer = event.button(), event.position()
        if (ref := self.note_at(at.x, at.y)) is not None:
            if self.is_selectable(ref):
                self._gesture = gestures.DeleteNote(self, at, ref)
            else:
                self.note_activated.emit(ref)
        elif (part := self.part_to_draw_in(at.seconds)) is not None:
            self._gesture = tools.DrawNote(self, at, part)

    def set_tool(self, tool: Tool) -> None:
        """What the left button does among the notes."""
        self._end_gesture()
        self._show_cut(None)
        self.tool = tool
        self.viewport().setCursor(_CURSORS[tool])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the gesture, or show what lies under the pointer."""
        at = self._pointer(event.position(), event.modifiers())
        self._hover(at.pitch if at.y >= 0 else None)
        self._last_pointer, self._last_modifiers = event.position(), event.modifiers()
        if self._gesture is None:
            self._show_cursor(at)
            self._show_cut(at)
            return
        self._gesture.move(at)
        is_outside = not (0 <= at.x <= self.coordinates.width and -RULER_HEIGHT <= at.y <= self.coordinates.height)
        if is_outside and not isinstance(self._gesture, gestures.Pan | gestures.PlayKeys):
            self._edge_timer.start()
        else:
            self._edge_timer.stop()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture of that button."""
        if event.button() != self._button:
            return
        self._edge_timer.stop()
        gesture, self._gesture = self._gesture, None
        if gesture is not None:
            gesture.release(self._pointer(event.position(), event.modifiers()))

    def _scroll_at_edge(self) -> None:
        """Scroll on while a drag is held outside."""
        if self._gesture is None or self._last_pointer is None:
            self._edge_timer.stop()
            return
        x, y = self._last_pointer.x() - KEYBOARD_WIDTH, self._last_pointer.y() - RULER_HEIGHT
        over_x = min(x, 0) + max(x - self.coordinates.width, 0)
        over_y = max(y - self.coordinates.height, 0) + min(y + RULER_HEIGHT, 0)
        self.scroll_by(gestures.edge_scroll(over_x), gestures.edge_scroll(over_y))
        self._gesture.move(self._pointer(self._last_pointer, self._last_modifiers))

    def _show_cursor(self, at: gestures.Pointer) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if at.x < 0 <= at.y:
            shape = Qt.CursorShape.PointingHandCursor
        elif at.y < 0 <= at.x:
            spot = spot_at(at.x, at.y + RULER_HEIGHT, self.coordinates, self.overlays, self.small_font)
            if spot not in ("loop", "strip", "time"):
                shape = Qt.CursorShape.SizeHorCursor
        elif at.y >= 0:
            shape = _CURSORS[self.tool]
            ref = self.note_at(at.x, at.y) if self.tool in ("pointer", "pencil") else None
            if ref is not None:
                edge = tools.edge_at(self, at, ref)
                shape = Qt.CursorShape.SizeHorCursor if edge else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def _show_cut(self, at: gestures.Pointer | None) -> None:
        """Show where a click with the knife would cut, while none is held."""
        if self._gesture is not None:
            return
        cut = None
        if at is not None and self.tool == "knife":
            ref = self.note_at(at.x, at.y)
            if ref is not None and self.is_selectable(ref):
                cut = tools.cut_at(self, at, ref)
        self.set_cut(cut)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu; a note that is not selected becomes the selection first."""
        at = self._pointer(QPointF(event.pos()), Qt.KeyboardModifier.NoModifier)
        position = event.globalPos()
        if self.has_gesture:
            return  # another button leaves a drag alone
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            position = self.viewport().mapToGlobal(self._selected_point())
            at = self._pointer(QPointF(self._selected_point()), Qt.KeyboardModifier.NoModifier)
        elif (ref := self.note_at(at.x, at.y)) is not None and self.is_selectable(ref) and not self.is_selected(ref):
            self.set_selection([ref])
        self.context_menu_requested.emit(position, self.selection, max(at.seconds, 0.0))

    def _selected_point(self) -> QPoint:
        """Where a menu opened by a key belongs: at the first selected note, else at the playhead or in the middle."""
        start, _, pitch, _ = self.overlays.selected
        if not len(start):
            middle, playhead = self.viewport().rect().center(), self.overlays.playhead
            x = self.coordinates.x(playhead) if playhead is not None else -1.0
            return QPoint(round(KEYBOARD_WIDTH + x), middle.y()) if 0 <= x <= self.coordinates.width else middle
        x = min(max(self.coordinates.x(float(start[0])), 0.0), self.coordinates.width)
        y = min(max(self.coordinates.y(int(pitch[0])), 0.0), self.coordinates.height)
        return QPoint(round(KEYBOARD_WIDTH + x), round(RULER_HEIGHT + y))
