"""TrackList: the tracks of the score, with mute, solo and "in prompt".

A table with one tab stop: arrow keys go from cell to cell, Space switches the cell, M, S and P those of its row.
"""

from enum import IntEnum
from typing import Any, cast

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from core.midi.score import Track, TrackKey
from core.session.session import Session, TrackFlags
from desktop.widgets import icons
from desktop.widgets.fields import SMALL, Caption, faint, notes_words
from desktop.widgets.theme import TEXT_CONTRAST, Theme, mix, track_colours, with_contrast

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class Column(IntEnum):
    """What stands in which column."""

    NAME = 0
    MUTE = 1
    SOLO = 2
    PROMPT = 3


_HEADS = {Column.NAME: "Track", Column.MUTE: "Mute", Column.SOLO: "Solo", Column.PROMPT: "In prompt"}
_TIPS = {
    Column.NAME: "The tracks of the file.",
    Column.MUTE: "Mute: do not play this track.",
    Column.SOLO: "Solo: play only this track, and others that are soloed.",
    Column.PROMPT: "In prompt: the model reads this track before it continues.",
}
_PERCUSSION = "Percussion plays along but is never in the prompt."
_KEYS = {Qt.Key.Key_M: Column.MUTE, Qt.Key.Key_S: Column.SOLO, Qt.Key.Key_P: Column.PROMPT}


class TrackList(QWidget):
    """One row for each track of the score: colour, name, notes and instrument, and three switches."""

    mute_changed = Signal(int, bool)
    solo_changed = Signal(int, bool)
    in_prompt_changed = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TrackModel()
        self.table = TrackTable(self.model)
        self.empty = QLabel("The tracks of your file appear here.")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setMargin(12)
        self.stack = QStackedLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Caption("Tracks"))
        layout.addLayout(self.stack, 1)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.table)
        self._signals = {
            Column.MUTE: self.mute_changed,
            Column.SOLO: self.solo_changed,
            Column.PROMPT: self.in_prompt_changed,
        }
        self.model.switched.connect(lambda row, column, on: self._signals[Column(column)].emit(row, on))

    def show_tracks(self, session: Session) -> None:
        """Show the tracks and flags of a session; where the cursor is stays."""
        self.model.show(session)
        self.stack.setCurrentWidget(self.table if self.model.rowCount() else self.empty)


class TrackModel(QAbstractTableModel):
    """The session's tracks as a table; what the user switches goes out as `switched` and comes back by `show`."""

    switched = Signal(int, int, bool)  # row, column, on

    def __init__(self) -> None:
        super().__init__()
        self.tracks: tuple[Track, ...] = ()
        self.switches: tuple[TrackFlags, ...] = ()
        self.audible: frozenset[int] = frozenset()
        self.colours: dict[TrackKey, int] = {}

    def show(self, session: Session) -> None:
        """Take over a session's tracks and flags."""
        tracks = session.score.tracks if session.score else ()
        is_same = len(tracks) == len(self.tracks)
        if not is_same:
            self.beginResetModel()
        self.tracks, self.switches, self.audible = tracks, session.flags, frozenset(session.audible_tracks)
        self.colours = track_colours([track.key for track in tracks])
        if not is_same:
            self.endResetModel()
        elif tracks:
            self.dataChanged.emit(self.index(0, 0), self.index(len(tracks) - 1, len(Column) - 1))

    def is_on(self, row: int, column: int) -> bool:
        """Whether a switch is on."""
        flags = self.switches[row]
        return {Column.MUTE: flags.mute, Column.SOLO: flags.solo, Column.PROMPT: flags.in_prompt}[Column(column)]

    def can_switch(self, row: int, column: int) -> bool:
        """Whether there is a switch."""
        return column != Column.NAME and not (column == Column.PROMPT and self.tracks[row].is_percussion)

    def toggle(self, row: int, column: int) -> None:
        """Ask for a switch to be switched."""
        if self.can_switch(row, column):
            self.switched.emit(row, column, not self.is_on(row, column))

    # What Qt asks for

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Tracks."""
        return 0 if parent.isValid() else len(self.tracks)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Name and switches."""
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """What can be done with a cell."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if self.can_switch(index.row(), index.column()) else flags

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return "Track" if section == Column.NAME else ""
            if role == Qt.ItemDataRole.ToolTipRole:
                return _TIPS[Column(section)]
            if role == Qt.ItemDataRole.AccessibleTextRole:
                return _HEADS[Column(section)]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        row, column = index.row(), Column(index.column())
        track = self.tracks[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return (track.name or instrument(track)) if column == Column.NAME else None
        if role == Qt.ItemDataRole.CheckStateRole and self.can_switch(row, column):
            return Qt.CheckState.Checked if self.is_on(row, column) else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            name = track.name or instrument(track)
            return f"{name}, {details(track)}" if column == Column.NAME else f"{_HEADS[column]}: {name}"
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return self._tip(row, column)
        return None

    def _tip(self, row: int, column: Column) -> str:
        track = self.tracks[row]
        if column == Column.NAME:
            words = "" if row in self.audible else "\nNot heard now."
            return f"{track.name or instrument(track)}\n{details(track)}\nMIDI channel {track.channel + 1}{words}"
        return _PERCUSSION if not self.can_switch(row, column) else _TIPS[column]


class TrackTable(QTableView):
    """The table and its keys."""

    def __init__(self, model: TrackModel) -> None:
        super().__init__()
        self._model = model
        self._pressed = QPersistentModelIndex()
        self.setModel(model)
        self.setItemDelegate(TrackDelegate(self))
        self.setAccessibleName("Tracks")
        self.setAccessibleDescription("Space switches the cell; M, S and P mute, solo and prompt.")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.horizontalHeader().hide()
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Rows are as high as the font needs."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def event(self, event: QEvent) -> bool:
        """Claim the table's own keys before a shortcut of the window takes them: M is mute here, no metronome."""
        if event.type() == QEvent.Type.ShortcutOverride and self._is_own(cast(QKeyEvent, event)):
            event.accept()
            return True
        return super().event(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        own = (*_KEYS, Qt.Key.Key_Space, Qt.Key.Key_Select)
        return self.currentIndex().isValid() and plain and Qt.Key(event.key()) in own

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space switches the cell (in the name column: mute); M, S, P switch those of the row."""
        index, key = self.currentIndex(), Qt.Key(event.key())
        if self._is_own(event):
            column = _KEYS.get(key, Column(index.column()))
            self._model.toggle(index.row(), Column.MUTE if column == Column.NAME else column)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Switch what was pressed and let go."""
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid() and index == self._pressed:
            self._model.toggle(index.row(), index.column())
        self._pressed = QPersistentModelIndex()
        super().mouseReleaseEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember what was pressed."""
        self._pressed = QPersistentModelIndex(self.indexAt(event.position().toPoint()))
        super().mousePressEvent(event)

    # A double click is two clicks: a switch that is clicked twice is as it was.
    mouseDoubleClickEvent = mousePressEvent

    def _fit(self) -> None:
        line = self.fontMetrics().height()
        header = self.horizontalHeader()
        header.setMinimumSectionSize(16)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        for column in (Column.MUTE, Column.SOLO, Column.PROMPT):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, line + 14)
        self.verticalHeader().setDefaultSectionSize(2 * line + 12)
        self.setMinimumWidth(3 * (line + 14) + 6 * line)


class TrackDelegate(QStyledItemDelegate):
    """Paints a track's cells."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a cell."""
        model = index.model()
        assert isinstance(model, TrackModel)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.row() % 2:
            painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.AlternateBase))
        if index.column() == Column.NAME:
            self._paint_name(painter, option, model, index.row())
        else:
            self._paint_switch(painter, option, model, index.row(), Column(index.column()))
        has_focus = option.state & QStyle.StateFlag.State_HasFocus
        if has_focus and index.column() == Column.NAME:
            painter.setPen(Theme.of(option.palette).accent)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5), 3, 3)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows have their height from the table."""
        return QSize(0, 2 * option.fontMetrics.height() + 12)

    def _paint_name(self, painter: QPainter, option: QStyleOptionViewItem, model: TrackModel, row: int) -> None:
        track, theme, palette = model.tracks[row], Theme.of(option.palette), option.palette
        box = option.rect.adjusted(6, 6, -4, -6)
        heard = row in model.audible
        colour = theme.part("prompt", model.colours[track.key])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour if heard else mix(theme.background, colour, 0.35))
        painter.drawRoundedRect(QRectF(box.left(), box.top() + 1, 4, box.height() - 2), 2, 2)
        text = box.adjusted(12, 0, 0, 0)
        line = option.fontMetrics.height()
        quiet = faint(palette, QPalette.ColorRole.Base)
        painter.setPen(palette.color(QPalette.ColorRole.Text) if heard else quiet)
        name = track.name or instrument(track)
        _line(painter, QRect(text.left(), text.top(), text.width(), line), name)
        painter.setPen(quiet)
        font = QFont(option.font)
        font.setPointSizeF(font.pointSizeF() * SMALL)
        painter.setFont(font)
        words = notes_words(len(track.notes)) if name == instrument(track) else instrument(track)
        _line(painter, QRect(text.left(), text.top() + line, text.width(), line), words)

    def _paint_switch(
        self, painter: QPainter, option: QStyleOptionViewItem, model: TrackModel, row: int, column: Column
    ) -> None:
        theme, palette = Theme.of(option.palette), option.palette
        side = option.fontMetrics.height() + 8
        box = QRectF(0, 0, side, side)
        box.moveCenter(QRectF(option.rect).center())
        if not model.can_switch(row, column):
            painter.setPen(faint(palette, QPalette.ColorRole.Base))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "–")
            return
        is_on = model.is_on(row, column)
        is_over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        fill = mix(theme.background, theme.text, 0.14 if is_over else 0.07)
        ink = faint(palette, QPalette.ColorRole.Base)
        if is_on:  # mute and solo are the exception and stand out; in the prompt is the rule and stays quiet
            fill = {
                Column.MUTE: faint(palette, QPalette.ColorRole.Base),
                Column.SOLO: theme.accent,
                Column.PROMPT: mix(theme.background, theme.accent, 0.25),
            }[column]
            ink = with_contrast(theme.accent, fill, TEXT_CONTRAST) if column == Column.PROMPT else theme.on(fill)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 4, 4)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.text)
            painter.drawRoundedRect(box.adjusted(-2.5, -2.5, 2.5, 2.5), 5, 5)
        if column == Column.PROMPT:
            icons.paint(painter, "in prompt", box.adjusted(4, 4, -4, -4), ink)
            return
        font = QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "M" if column == Column.MUTE else "S")


def instrument(track: Track) -> str:
    """The General MIDI name of a track's instrument."""
    if track.is_percussion:
        return "Drums"
    import pretty_midi  # here: it takes 0.1 s, and whoever read the file has loaded it by now

    return pretty_midi.program_to_instrument_name(track.program)


def details(track: Track) -> str:
    """How many notes, and the instrument unless the track is called that."""
    words = notes_words(len(track.notes))
    name = instrument(track)
    return words if name == (track.name or name) else f"{words} · {name}"


def _line(painter: QPainter, box: QRect, text: str) -> None:
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
