"""LaneArea: shows one of several lanes at the foot of the roll, at a height that can be dragged."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QActionGroup, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget

from desktop.piano_roll.keyboard import KEYBOARD_WIDTH
from desktop.piano_roll.lanes.lane import Lane, LaneGesture, LanePointer
from desktop.piano_roll.layers import span_tint
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.buttons import FlatButton

GRIP = 5  # height of the edge that is dragged
_ROOM = 8.0  # view pixels beside a note's start and end that a lane may paint for it
LEAST, MOST = 40, 400  # height of a lane; lower is none


class LaneArea(QWidget):
    """The lane under the roll; the button at its left chooses which."""

    lane_chosen = Signal(str)  # its name; empty: none
    height_changed = Signal(int)  # when the edge is let go

    def __init__(self, roll: PianoRoll, lanes: Sequence[Lane]) -> None:
        super().__init__(roll)
        self._roll, self._lanes = roll, {lane.name: lane for lane in lanes}
        self._lane: Lane | None = None
        self._height = 90
        self._gesture: LaneGesture | None = None
        self._grip: tuple[float, int] | None = None  # where the edge was taken, and the height then
        self.menu = QMenu(self.tr("&Lane"), self)
        group = QActionGroup(self)
        for name, title in [*((lane.name, lane.title) for lane in lanes), ("", self.tr("None"))]:
            action = self.menu.addAction(title, lambda name=name: self.choose(name))
            action.setCheckable(True)
            action.setObjectName(name)
            group.addAction(action)
        self._button = FlatButton(self)
        self._button.setMenu(self.menu)
        self._button.setPopupMode(FlatButton.ToolButtonPopupMode.InstantPopup)
        self._button.setToolTip(self.tr("What is shown under the notes"))
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        for lane in lanes:
            lane.stale.connect(self._on_stale)
        roll.view_changed.connect(self.update)
        roll.notes_changed.connect(self._on_notes)
        roll.notes_appended.connect(self._on_appended)
        roll.selection_changed.connect(self._on_notes)
        roll.span_changed.connect(self.update)

    @property
    def lane(self) -> Lane | None:
        """The lane that is shown, or None."""
        return self._lane

    def choose(self, name: str, height: int | None = None) -> None:
        """Show a lane, at a height; a name that is none: no lane."""
        self._end_gesture()
        self._lane = self._lanes.get(name)
        if height is not None:
            self._height = min(max(height, LEAST), MOST)
        for action in self.menu.actions():
            action.setChecked(action.objectName() == (self._lane.name if self._lane else ""))
        if self._lane is not None:
            self._button.setText(self._lane.title)
            self._button.setFont(self._roll.small_font)
            self._button.setAccessibleName(self.tr("Lane: {0}").format(self._lane.title))
            self._lane.follow_notes()
        self.setVisible(self._lane is not None)
        self._roll.set_foot(self, self._height if self._lane else 0)
        self.update()
        self.lane_chosen.emit(name)

    def _on_notes(self) -> None:
        if self._lane is not None:
            self._lane.follow_notes()
            self.update()

    def _on_appended(self, first: float, last: float) -> None:
        if self._lane is not None:
            self._lane.follow_notes()
            self._on_stale(first - _ROOM, last + _ROOM)

    def _on_stale(self, first: float, last: float) -> None:
        self.update(QRectF(KEYBOARD_WIDTH + first, 0, last - first + 1, self.height()).toAlignedRect())

    # Painting

    def resizeEvent(self, event: QEvent) -> None:
        """The button fills the room left of the lane."""
        self._button.setGeometry(QRect(0, GRIP, KEYBOARD_WIDTH - 1, min(26, self.height() - GRIP)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the lane over the grid's lines."""
        if self._lane is None:
            return
        roll, theme, view = self._roll, self._roll.theme, self._roll.coordinates
        painter = QPainter(self)
        try:  # Qt crashes if a painter is left open, whatever went wrong
            painter.fillRect(event.rect(), theme.window)
            painter.fillRect(0, 0, self.width(), 1, theme.lines[2])
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
            self._lane.paint(painter, exposed, height)
        finally:
            painter.end()

    # Events

    def _pointer(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> LanePointer:
        x = position.x() - KEYBOARD_WIDTH
        return LanePointer(x, position.y() - GRIP, self._roll.coordinates.seconds(x), self.height() - GRIP, modifiers)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the edge, or begin a gesture in the lane."""
        if event.button() != Qt.MouseButton.LeftButton or self._lane is None:
            return
        if event.position().y() < GRIP:
            self._grip = event.globalPosition().y(), self._height
        elif event.position().x() >= KEYBOARD_WIDTH:
            self._roll.setFocus(Qt.FocusReason.MouseFocusReason)
            self._gesture = self._lane.begin(self._pointer(event.position(), event.modifiers()))
            if self._gesture is not None:
                self._roll.hold(self._gesture)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the edge or the gesture."""
        if self._grip is not None:
            start, height = self._grip
            wanted = height + round(start - event.globalPosition().y())
            self._height = min(max(wanted, LEAST), MOST, max(self._roll.height() // 2, LEAST))
            self._roll.set_foot(self, self._height)
        elif self._gesture is not None:
            if self._roll.holds(self._gesture):
                self._gesture.move(self._pointer(event.position(), event.modifiers()))
            else:
                self._gesture = None  # ended by Escape, or by other notes
        is_edge = event.position().y() < GRIP or self._grip is not None
        self.setCursor(Qt.CursorShape.SizeVerCursor if is_edge else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the edge or the gesture go."""
        if self._grip is not None:
            self._grip = None
            self.height_changed.emit(self._height)
        gesture, self._gesture = self._gesture, None
        if gesture is not None and self._roll.holds(gesture):
            self._roll.let_go(gesture)
            gesture.release(self._pointer(event.position(), event.modifiers()))

    def _end_gesture(self) -> None:
        if self._gesture is not None and self._roll.holds(self._gesture):
            self._roll.let_go(self._gesture)
            self._gesture.cancel()
        self._gesture = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """As over the notes: the roll scrolls and zooms."""
        QApplication.sendEvent(self._roll.viewport(), event)

    def event(self, event: QEvent) -> bool:
        """Say what is under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._lane is not None:
            words = self._lane.describe(self._pointer(QPointF(event.pos()), Qt.KeyboardModifier.NoModifier))
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
