"""LaneRow: one lane under the roll, at a height that can be dragged."""

from typing import cast

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget

from desktop.piano_roll.accessible import tell
from desktop.piano_roll.gestures import edge_scroll
from desktop.piano_roll.keyboard import KEYBOARD_WIDTH
from desktop.piano_roll.lanes.keys import LaneKeys
from desktop.piano_roll.lanes.lane import Lane, LaneGesture, LanePointer
from desktop.piano_roll.layers import span_tint
from desktop.piano_roll.view import EDGE_TICK, PianoRoll
from desktop.widgets.buttons import FlatButton

GRIP = 5  # height of the edge that is dragged
_BUTTON = 24  # height of the button
_ROOM = 8.0  # view pixels beside a note's start and end that a lane may paint for it


class LaneRow(QWidget):
    """A lane and, left of it, the button whose menu chooses another."""

    height_asked = Signal(int)  # while its edge is dragged
    height_changed = Signal()  # when the edge is let go
    touched = Signal()  # something was begun in it, or the keys act in it

    def __init__(self, roll: PianoRoll, lane: Lane, parent: QWidget) -> None:
        super().__init__(parent)
        self.lane = lane
        self._roll = roll
        self._gesture: LaneGesture | None = None
        self._last: QPointF | None = None  # where the pointer is, over the row or dragged
        self._modifiers = Qt.KeyboardModifier.NoModifier
        self._edge_timer = QTimer(self, interval=EDGE_TICK)
        self._edge_timer.timeout.connect(self._scroll_at_edge)
        self._view, self._is_dense = roll.coordinates, False  # as it was painted
        self.keys = LaneKeys(lane)
        self.accessible: list[object] = []  # what tells screen readers of it: Qt does not keep it alive
        self._grip: tuple[float, int] | None = None  # where the edge was taken, and the height then
        self.menu = QMenu(self)
        self.button = FlatButton(self)
        self.button.setText(lane.label)
        self.button.setFont(roll.small_font)
        self.button.setMenu(self.menu)
        self.button.setPopupMode(FlatButton.ToolButtonPopupMode.InstantPopup)
        self.button.setToolTip(self.tr("{0}: choose what is shown here").format(lane.title))
        self.button.setAccessibleName(self.tr("Lane: {0}").format(lane.title))
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(lane.title)
        if lane.has_items:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a press gives the focus to the roll, whose keys are more
            self.setAccessibleDescription(
                self.tr(
                    "Left and right go through it, up and down change, Delete takes away, Return puts one at the "
                    "playhead, and Alt with left and right moves"
                )
            )
        else:
            self.setAccessibleDescription(self.tr("Of the notes: Ctrl with up and down changes those selected"))
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        lane.stale.connect(self._on_stale)
        lane.items_changed.connect(self._on_items)
        lane.follow_notes()

    def follow_notes(self) -> None:
        """The roll shows other notes, or others are selected."""
        self.lane.follow_notes()
        self.update()

    def follow_view(self) -> None:
        """The roll shows another place, or looks otherwise. Scrolled pixels are moved, and the rest is painted."""
        before, view = self._view, self._roll.coordinates
        was_dense, self._is_dense = self._is_dense, self.lane.is_dense()
        self._view = view
        is_same_zoom = (view.scale, view.ratio, view.width) == (before.scale, before.ratio, before.width)
        is_same_look = is_same_zoom and view != before and was_dense == self._is_dense and not self.hasFocus()
        by = (before.origin[0] - view.origin[0]) / view.ratio
        if is_same_look and self.lane.moves_along and not self.lane.has_words and by.is_integer():
            if by:
                self.scroll(int(by), 0, QRect(KEYBOARD_WIDTH, GRIP, view.width, self.height() - GRIP))
        elif self.hasFocus():
            self._say_current()
        else:
            self.update()

    def follow_appended(self, first: float, last: float) -> None:
        """Notes came between two view pixels."""
        self.lane.follow_notes()
        self._on_stale(first - _ROOM, last + _ROOM)

    def follow_playhead(self, *seconds: float | None) -> None:
        """The playhead was there, and is there."""
        for at in seconds:
            if at is not None:
                x = self._roll.coordinates.line_x(at)
                self._on_stale(x - 1, x + 3)

    def _on_stale(self, first: float, last: float) -> None:
        self.update(QRectF(KEYBOARD_WIDTH + first, 0, last - first + 1, self.height()).toAlignedRect())

    # Painting

    def resizeEvent(self, event: QEvent) -> None:
        """The button stands left of the lane."""
        self.button.setGeometry(QRect(0, GRIP, KEYBOARD_WIDTH - 1, min(_BUTTON, self.height() - GRIP)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lane over the grid's lines."""
        roll, theme, view = self._roll, self._roll.theme, self._roll.coordinates
        painter = QPainter(self)
        try:  # Qt crashes if a painter is left open, whatever went wrong
            painter.fillRect(event.rect(), theme.window)
            painter.fillRect(0, 0, self.width(), 1, theme.lines[2])
            if event.rect().left() < KEYBOARD_WIDTH:
                self._paint_owner(painter)
            height = self.height() - GRIP
            exposed = QRectF(event.rect() & QRect(KEYBOARD_WIDTH, GRIP, view.width, height))
            exposed.translate(-KEYBOARD_WIDTH, -GRIP)
            if exposed.isEmpty():
                return
            painter.translate(KEYBOARD_WIDTH, GRIP)
            painter.setClipRect(exposed)
            painter.fillRect(exposed, theme.background)
            for line in roll.grid.lines(
                view.seconds(exposed.left() - 1), view.seconds(exposed.right() + 1), view.pixels_per_second
            ):
                x = view.line_x(line.seconds)
                painter.fillRect(QRectF(x, 0, 1 / view.ratio, height), theme.lines[line.strength])
            if roll.span is not None:
                left, right = (view.line_x(seconds) for seconds in roll.span)
                painter.fillRect(QRectF(left, 0, right - left, height) & exposed, span_tint(theme))
            self.lane.paint(painter, exposed, height)
            if (playhead := roll.overlays.playhead) is not None:
                painter.fillRect(QRectF(view.line_x(playhead), 0, 2, height) & exposed, theme.playhead)
            if self.hasFocus():
                self._paint_focus(painter, view.width, height)
        finally:
            painter.end()

    def _paint_focus(self, painter: QPainter, width: int, height: float) -> None:
        """A line round the lane, and round what the keys act upon."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._roll.theme.accent, 1))
        painter.drawRect(QRectF(0.5, 0.5, width - 1, height - 1))
        if self.keys.current is not None:
            painter.setPen(QPen(self._roll.theme.accent, 2))
            painter.drawRect(self.lane.item(self.keys.current, height).box)

    def item_box(self, index: int) -> QRectF:
        """Where a thing of its lane is painted, in its own pixels."""
        return self.lane.item(index, self.height() - GRIP).box.translated(KEYBOARD_WIDTH, GRIP)

    def _paint_owner(self, painter: QPainter) -> None:
        """Whose lane it is, below its button."""
        metrics = QFontMetricsF(self._roll.small_font)
        top = GRIP + _BUTTON
        if self.lane.owner and self.height() >= top + metrics.height():
            painter.setFont(self._roll.small_font)
            painter.setPen(self._roll.theme.faint_text)
            words = metrics.elidedText(self.lane.owner, Qt.TextElideMode.ElideRight, KEYBOARD_WIDTH - 8)
            left = round((KEYBOARD_WIDTH - metrics.horizontalAdvance(words)) / 2)
            painter.drawText(QPointF(left, top + metrics.ascent()), words)

    # Events

    def _pointer(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> LanePointer:
        x = position.x() - KEYBOARD_WIDTH
        return LanePointer(x, position.y() - GRIP, self._roll.coordinates.seconds(x), self.height() - GRIP, modifiers)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the edge, or begin a gesture in the lane."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._last = event.position()
        if event.position().y() < GRIP:
            self._grip = event.globalPosition().y(), self.height()
        elif event.position().x() >= KEYBOARD_WIDTH:
            self._roll.setFocus(Qt.FocusReason.MouseFocusReason)
            self.touched.emit()
            self._gesture = self.lane.begin(self._pointer(event.position(), event.modifiers()))
            if self._gesture is not None:
                self._roll.hold(self._gesture)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """What the lane does then; else it is a press like any other."""
        is_in_lane = event.position().y() >= GRIP and event.position().x() >= KEYBOARD_WIDTH
        if event.button() != Qt.MouseButton.LeftButton or not is_in_lane:
            return
        if not self.lane.double_click(self._pointer(event.position(), event.modifiers())):
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the edge or the gesture."""
        self._last, self._modifiers = event.position(), event.modifiers()
        at = self._pointer(self._last, self._modifiers)
        if self._grip is not None:
            start, height = self._grip
            self.height_asked.emit(height + round(start - event.globalPosition().y()))
        self._go(at)

    def _go(self, at: LanePointer) -> None:
        """Move the gesture, or show by the pointer what one would be."""
        if self._gesture is not None:
            if self._roll.holds(self._gesture):
                self._gesture.move(at)
                if not 0 <= at.x <= self._roll.coordinates.width:
                    self._edge_timer.start()
            else:
                self._gesture = None  # ended by Escape, or by other notes
            return
        is_edge = at.y < 0 or self._grip is not None
        shape = Qt.CursorShape.ArrowCursor if at.x < 0 else self.lane.cursor(at)
        self.setCursor(Qt.CursorShape.SizeVerCursor if is_edge else shape)

    def _scroll_at_edge(self) -> None:
        """Scroll on while a drag is held beside the lane."""
        x = self._last.x() - KEYBOARD_WIDTH if self._last is not None else 0.0
        over = min(x, 0.0) + max(x - self._roll.coordinates.width, 0.0)
        if self._last is None or self._gesture is None or not over or not self._roll.holds(self._gesture):
            self._edge_timer.stop()
            return
        self._roll.scroll_by(edge_scroll(over), 0.0)
        self._go(self._pointer(self._last, self._modifiers))

    def follow_modifiers(self, modifiers: Qt.KeyboardModifier) -> None:
        """Other modifiers are held: at once, not when the pointer moves."""
        self._modifiers = modifiers
        if self._last is not None:
            self._go(self._pointer(self._last, modifiers))

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere."""
        if self._gesture is None:
            self._last = None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the edge or the gesture go; other buttons leave it alone."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._grip is not None:
            self._grip = None
            self.height_changed.emit()
        gesture, self._gesture = self._gesture, None
        if gesture is not None and self._roll.holds(gesture):
            self._roll.let_go(gesture)
            gesture.release(self._pointer(event.position(), event.modifiers()))

    def end_gesture(self) -> None:
        """The row goes: end the gesture in it as if it had not been."""
        if self._gesture is not None and self._roll.holds(self._gesture):
            self._roll.let_go(self._gesture)
            self._gesture.cancel()
        self._gesture = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See LaneKeys; other keys are the roll's."""
        event.setAccepted(self.keys.press(event))
        if event.isAccepted():
            self._say_current()
            tell(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys act here."""
        super().focusInEvent(event)
        self.touched.emit()
        self._say_current()
        QTimer.singleShot(0, self, lambda: tell(self, has_come=True))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """They act elsewhere."""
        super().focusOutEvent(event)
        self.keys.end_run()
        self.lane.say(None)

    def _on_items(self) -> None:
        self.keys.follow_items()
        if self.hasFocus():
            self._say_current()
            tell(self)

    def _say_current(self) -> None:
        """Show what the keys act upon in words, as a screen reader reads them."""
        current, height = self.keys.current, self.height() - GRIP
        if current is None or not self.hasFocus():
            self.lane.say(None)
            return
        box, words = self.lane.item(current, height)
        seconds = self._roll.coordinates.seconds(box.left())
        none = Qt.KeyboardModifier.NoModifier
        self.lane.say(LanePointer(box.left(), box.top(), seconds, height, none), words)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """As over the notes: the roll scrolls and zooms."""
        QApplication.sendEvent(self._roll.viewport(), event)
        if self._gesture is not None and self._last is not None:  # it goes on where the pointer is in the music now
            self._go(self._pointer(self._last, event.modifiers()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The button's menu; while something is dragged none."""
        if not self._roll.has_gesture:
            self.menu.popup(event.globalPos())

    def event(self, event: QEvent) -> bool:
        """Say what is under the pointer; while it has the focus its keys are its own, whatever commands have them."""
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride
        if is_key and self.keys.means(cast(QKeyEvent, event)):
            event.accept()
            return True
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            words = self.lane.describe(self._pointer(QPointF(event.pos()), Qt.KeyboardModifier.NoModifier))
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
