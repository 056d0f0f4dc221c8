"""FillBar: the alternatives of a span that is regenerated, to hear, choose and keep."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from desktop.widgets.fields import FaintLabel
from desktop.widgets.theme import Theme

_ITS_KEYS = (Qt.Key.Key_M, Qt.Key.Key_T, Qt.Key.Key_Left, Qt.Key.Key_Right)
MOST_ALTERNATIVES = 8  # alternatives
_ABOVE = 6  # pixels that it stands above the foot of what it lies over
_LEAST = 3  # heights of a line that the names of tracks have
_OF_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class FillBar(QFrame):
    """Lies over the notes while there is something to choose. Keys: Left, Right, 0 to 8, M, T, Return, Esc.

    Where the notes are too narrow for it, it has a place of its own below all that is around them.
    """

    chosen = Signal(int)  # 0 is what stood there
    more_wanted = Signal()
    turns_set = Signal(bool)
    kept = Signal()
    dropped = Signal()
    covers = Signal(int)  # how many pixels at the foot of what it lies over are under it now

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown, self._count = 0, 0
        self._over: QWidget | None = None
        self._is_apart = False  # has a place of its own
        self._covered = 0
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Alternatives"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        self.words = QLabel(self)
        layout.addWidget(self.words)
        self.tracks = FaintLabel()
        self.tracks.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.tracks.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.tracks)
        self.progress = QProgressBar(self)
        self.progress.setMaximumWidth(160)
        self.progress.setMinimumWidth(40)
        self.progress.setTextVisible(False)
        layout.addWidget(self.progress)
        self.numbers = [self._button("", "") for _ in range(MOST_ALTERNATIVES + 1)]
        for number, button in enumerate(self.numbers):
            button.setCheckable(True)
            button.setText(str(number) if number else self.tr("As it was"))
            if number:  # eight of them have place in a small window
                button.setFixedWidth(2 * button.fontMetrics().height())
            button.setToolTip(self.tr("Hear and show this one ({0})").format(number))
            button.setAccessibleName(self.tr("Alternative {0}").format(number) if number else button.text())
            button.clicked.connect(lambda _=False, number=number: self.chosen.emit(number))
        self.more = self._button(self.tr("&More"), self.tr("Make further alternatives (M)"))
        self.more.clicked.connect(lambda: self.more_wanted.emit())
        tip = self.tr("Hear the next one each time it starts over; further ones are made meanwhile (T)")
        self.turns = self._button(self.tr("&Next at each turn"), tip)
        self.turns.setCheckable(True)
        self.turns.clicked.connect(lambda is_on: self.turns_set.emit(is_on))
        layout.addStretch(1)
        self.keep = self._button(self.tr("Keep"), self.tr("Keep the one that is shown (Return)"))
        self.keep.clicked.connect(lambda: self.kept.emit())
        self.drop = self._button("", self.tr("What stood there stands there again (Esc)"))
        self.drop.clicked.connect(lambda: self.dropped.emit())
        self.hide()

    def lie_over(self, area: QWidget) -> None:
        """Lie at the foot of a widget, whatever becomes of that, which has the wheel."""
        self._over = area
        area.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The widget that it lies over has another size or place."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self._place()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As `eventFilter`."""
        super().resizeEvent(event)
        self._place()

    def hideEvent(self, event: QHideEvent) -> None:
        """Its place is free again."""
        super().hideEvent(event)
        self._keep_free(0)
        self._tell_reach()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel is that of what it lies over, at the place that is under it."""
        if self._over is not None:
            under = QPointF(self._over.mapFromGlobal(event.globalPosition()))
            turned = event.pixelDelta(), event.angleDelta(), event.buttons(), event.modifiers(), event.phase()
            QApplication.sendEvent(
                self._over, QWheelEvent(under, event.globalPosition(), *turned, event.inverted(), event.source())
            )
        event.accept()

    def _tell_reach(self) -> None:
        before, self._covered = self._covered, self._height if self.isVisible() and not self._is_apart else 0
        if self._covered != before:
            self.covers.emit(self._covered)

    @property
    def _height(self) -> int:
        return self.sizeHint().height() + 2 * _ABOVE

    def _place(self) -> None:
        """In the middle of the widget's foot, as far as that is wide enough, else below all."""
        around, over = self.parentWidget(), self._over
        if around is None or over is None or not self.isVisible():
            return
        self.words.show()
        if self._count and self.sizeHint().width() > over.width():
            self.words.hide()  # the buttons say enough
        self._is_apart = self.minimumSizeHint().width() > over.width()
        self._keep_free(self._height if self._is_apart else 0)
        foot = over.mapTo(around, QPoint(over.width() // 2, over.height()))
        room = over.width()
        if self._is_apart:
            foot, room = QPoint(around.width() // 2, around.height()), around.width()
            is_room = self.sizeHint().width() + self.words.sizeHint().width() < room
            self.words.setVisible(is_room or not self._count)
        size = self.sizeHint()
        width = min(size.width(), room)
        self.setGeometry(foot.x() - width // 2, foot.y() - size.height() - _ABOVE, width, size.height())
        self.raise_()
        self._tell_reach()

    def _keep_free(self, height: int) -> None:
        """Let what is around it end so much above the window's foot."""
        around = self.parentWidget()
        layout = around.layout() if around is not None else None
        if layout is not None and layout.contentsMargins().bottom() != height:
            layout.setContentsMargins(0, 0, 0, height)
            layout.activate()  # now, so that whoever scrolls to notes knows which are seen

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.layout().addWidget(button)  # type: ignore[union-attr]  # it has one
        return button

    def show_tracks(self, names: Sequence[str]) -> None:
        """Say which tracks are made anew."""
        words = ", ".join(names)
        if words != self.tracks.text():
            self.tracks.setText(words)
            wanted = self.tracks.fontMetrics().horizontalAdvance(words) + 1
            self.tracks.setMinimumWidth(min(wanted, _LEAST * self.tracks.fontMetrics().height()))
            self._describe()
            self._place()

    def _describe(self) -> None:
        """What screen readers say of it: which is shown, and of which tracks."""
        tracks = self.tr("These tracks are made anew: {0}").format(self.tracks.text()) if self.tracks.text() else ""
        self.setAccessibleDescription(". ".join(filter(None, (self.words.text(), tracks))))

    def show_sampling(self) -> None:
        """The model samples: there is nothing to choose yet."""
        self._count = 0
        self._show(self.tr("Regenerating …"), is_sampling=True)
        self.show_progress(0.0)

    def show_progress(self, share: float) -> None:
        """How much of the model's work is done, 0 to 1."""
        self.progress.setRange(0, 100 if share else 0)
        self.progress.setValue(round(100 * share))

    def show_alternatives(self, count: int, shown: int, turns: bool = False, is_sampling: bool = False) -> None:
        """So many can be chosen, the first as it was before, and which is shown; whether further ones are sampled."""
        self._count, self._shown = count, shown
        words = self.tr("Alternative {0} of {1}").format(shown, count - 1) if shown else self.tr("What stood there")
        self.turns.setChecked(turns)
        self.more.setEnabled(not is_sampling and count <= MOST_ALTERNATIVES)
        self.more.setText(self.tr("Making more …") if is_sampling else self.tr("&More"))
        self._show(words, is_sampling=False)

    def end(self) -> bool:
        """There is nothing to choose any more; whether it had the focus."""
        had_focus = self.isVisible() and (self.hasFocus() or self.isAncestorOf(self.window().focusWidget() or self))
        self.hide()
        return had_focus

    def _show(self, words: str, is_sampling: bool) -> None:
        self.words.setText(words)
        self._describe()
        self.progress.setVisible(is_sampling)
        for button in (self.keep, self.more, self.turns):
            button.setVisible(not is_sampling)
        self.drop.setText(self.tr("&Cancel") if is_sampling else self.tr("&Drop"))
        for number, button in enumerate(self.numbers):
            button.setVisible(number < self._count)
            button.setChecked(number == self._shown)
            font = button.font()
            font.setBold(number == self._shown)
            button.setFont(font)
            palette, now = QPalette(), self.palette()
            if number == self._shown:  # in the dark Fusion shows hardly that one is pressed
                palette.setColor(
                    QPalette.ColorRole.Button, now.highlight().color().darker(135)
                )  # it is painted lighter
                palette.setColor(QPalette.ColorRole.ButtonText, now.highlightedText().color())
            button.setPalette(palette)
        is_new = not self.isVisible()
        self.show()
        self._place()
        if is_new:
            self.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A ring while it has the focus."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(Theme.of(self.palette()).accent, 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
            painter.end()

    def event(self, event: QEvent) -> bool:
        """While it has the focus its keys are its own, whatever commands have them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._deed(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose, keep or drop."""
        if deed := self._deed(event):
            deed()
        elif event.modifiers() & _OF_COMMANDS and self._over is not None and (roll := self._over.parentWidget()):
            QApplication.sendEvent(roll, event)  # where the new notes are selected: louder, softer
        else:
            super().keyPressEvent(event)

    def _deed(self, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does, if it is one of the bar's. With Shift, too: some keyboards have digits there."""
        if event.modifiers() & _OF_COMMANDS:
            return None
        key = event.key()
        number = key - Qt.Key.Key_0
        is_return = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if key == Qt.Key.Key_Escape:
            return self.dropped.emit
        if is_return and (button := next((b for b in self.findChildren(QPushButton) if b.hasFocus()), None)):
            return button.click
        if not self._count:  # its keys wait for the alternatives: they do not choose tools meanwhile
            is_its = is_return or key in _ITS_KEYS or 0 <= number <= MOST_ALTERNATIVES
            return (lambda: None) if is_its else None
        if is_return:
            return self.kept.emit
        if key == Qt.Key.Key_M:
            return self.more.click
        if key == Qt.Key.Key_T:
            return self.turns.click
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if key == Qt.Key.Key_Right else -1
            return lambda: self.chosen.emit((self._shown + step) % self._count)
        return (lambda: self.chosen.emit(number)) if 0 <= number < self._count else None
