"""ChordStrip: the names of chords over the ruler, where they begin."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from core.midi.chords import Chord
from core.midi.scale import Scale
from desktop.piano_roll.keyboard import KEYBOARD_WIDTH
from desktop.piano_roll.view import PianoRoll

HEIGHT = 20
_INDENT = 4


class ChordStrip(QWidget):
    """A strip as wide as the roll, above its ruler."""

    def __init__(self, roll: PianoRoll) -> None:
        super().__init__(roll)
        self._roll = roll
        self._chords: Sequence[Chord] = ()
        self._scale = Scale(0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Chords"))
        self.hide()
        roll.view_changed.connect(self.update)

    @property
    def names(self) -> list[str]:
        """What is written, chord by chord."""
        return [chord.name(self._scale) for chord in self._chords]

    def show_chords(self, chords: Sequence[Chord], scale: Scale) -> None:
        """Show these, spelled as in a scale."""
        self._chords, self._scale = chords, scale
        self.setAccessibleDescription(", ".join(self.names[:64]))
        self.update()

    def set_shown(self, is_shown: bool) -> None:
        """Show the strip, or let the ruler be at the top."""
        self.setVisible(is_shown)
        self._roll.set_head(self, HEIGHT if is_shown else 0)

    def chord_at(self, x: float) -> Chord | None:
        """The chord at a pixel of the strip."""
        seconds = self._roll.coordinates.seconds(x - KEYBOARD_WIDTH)
        return next((chord for chord in self._chords if chord.start <= seconds < chord.end), None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A name where each chord begins, or at the left edge; none where there is no room before the next."""
        painter = QPainter(self)
        theme, view = self._roll.theme, self._roll.coordinates
        painter.fillRect(self.rect(), theme.strip)
        painter.fillRect(0, HEIGHT - 1, self.width(), 1, theme.row_line)
        painter.setFont(self._roll.small_font)
        metrics = QFontMetricsF(self._roll.small_font)
        baseline = round((HEIGHT - 1 + metrics.capHeight()) / 2)
        painter.setPen(theme.faint_text)
        painter.drawText(QPointF(_INDENT, baseline), self.tr("Chords"))
        painter.setClipRect(QRectF(KEYBOARD_WIDTH, 0, view.width, HEIGHT))
        painter.translate(KEYBOARD_WIDTH, 0)
        for chord, name in zip(self._chords, self.names, strict=True):
            left, right = view.line_x(chord.start), view.line_x(chord.end)
            if right <= 0 or left >= view.width:
                continue
            painter.fillRect(QRectF(left, 3, 1, HEIGHT - 6), theme.faint_text)
            at = max(left, 0.0) + _INDENT
            if at + metrics.horizontalAdvance(name) <= right:
                painter.setPen(theme.on(theme.strip))
                painter.drawText(QPointF(at, baseline), name)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """A chord under the pointer says its name, where there was no room for it, too."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            chord = self.chord_at(event.pos().x()) if event.pos().x() >= KEYBOARD_WIDTH else None
            words = ""
            if chord is not None:
                words = f"{chord.name(self._scale)}, {self._roll.grid.position(chord.start)}"
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
