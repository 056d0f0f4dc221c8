"""TrackList: the tracks of the score, with mute, solo and "in prompt".

A table with one tab stop: arrow keys go from cell to cell, Space switches the cell, M, S and P those of its row; in the
name column Return brings the track's notes to the front of the roll, as a click does, and F2 edits it.
"""

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import (
    QEvent,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QIcon,
    QKeyEvent,
    QMouseEvent,
    QPixmap,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from core.midi.score import TrackKey
from core.session.session import TRACK_COLOURS, Session
from desktop.panels.track_cells import Column, TrackDelegate, TrackModel
from desktop.widgets.announce import tell_of_current
from desktop.widgets.fields import Caption
from desktop.widgets.list_or_words import ListOrWords
from desktop.widgets.theme import Theme

_ROW_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2)
_KEYS = {Qt.Key.Key_M: Column.MUTE, Qt.Key.Key_S: Column.SOLO, Qt.Key.Key_P: Column.PROMPT}


class TrackList(QWidget):
    """One row for each track of the score: colour, name, notes and instrument, and three switches."""

    mute_changed = Signal(int, bool)
    solo_changed = Signal(int, bool)
    in_prompt_changed = Signal(int, bool)
    brought_forward = Signal(object)  # the key of the track whose notes are to lie in front, or None
    edit_requested = Signal(int)
    prompt_narrowed = Signal(int)  # to this track
    hidden_changed = Signal(int, bool)
    all_shown = Signal()
    colour_chosen = Signal(int, int)  # row, one of TRACK_COLOURS or -1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TrackModel()
        self.table = TrackTable(self.model)
        self.stack = ListOrWords(self.table, self.tr("The tracks of your file appear here."))
        self.empty = self.stack.words
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Caption(self.tr("Tracks")))
        layout.addLayout(self.stack, 1)
        self._signals = {
            Column.MUTE: self.mute_changed,
            Column.SOLO: self.solo_changed,
            Column.PROMPT: self.in_prompt_changed,
        }
        self.model.switched.connect(lambda row, column, on: self._signals[Column(column)].emit(row, on))
        self.table.name_pressed.connect(self._bring_forward)
        self.table.edit_requested.connect(self.edit_requested)
        self.table.menu_requested.connect(self._open_menu)

    def show_tracks(self, session: Session) -> None:
        """Show the tracks and flags of a session; where the cursor is stays."""
        self.model.show(session)
        self.stack.show_list(self.model.rowCount() > 0)
        if self.model.in_front is not None and self.model.in_front not in self._seen():
            self.show_in_front(None)
            self.brought_forward.emit(None)

    def show_in_front(self, track: TrackKey | None) -> None:
        """Mark the track whose notes lie in front."""
        self.model.in_front = track
        self.table.viewport().update()

    def _seen(self) -> set[TrackKey]:
        rows = zip(self.model.tracks, self.model.switches, strict=True)
        return {track.key for track, flags in rows if not flags.hidden}

    def menu(self, row: int) -> QMenu:
        """What can be done with a track."""
        model, track = self.model, self.model.tracks[row]
        menu = QMenu(self)
        menu.setToolTipsVisible(True)

        def add(words: str, deed: Callable[[], object], tip: str, key: str = "") -> QAction:
            action = menu.addAction(f"{words}\t{key}" if key else words, deed)
            action.setToolTip(tip)
            return action

        front = add(
            self.tr("Bring to the front"),
            lambda: self._bring_forward(row),
            self.tr("Its notes alone are edited; those of others fade."),
            "Return",
        )
        front.setCheckable(True)
        front.setChecked(model.in_front == track.key)
        hidden = add(
            self.tr("Hide in the piano roll"),
            lambda: self.hidden_changed.emit(row, not model.switches[row].hidden),
            self.tr("It is still heard."),
        )
        hidden.setCheckable(True)
        hidden.setChecked(model.switches[row].hidden)
        if any(flags.hidden for flags in model.switches):
            add(self.tr("Show all tracks"), self.all_shown.emit, self.tr("Hide none of them."))
        menu.addSeparator()
        only = add(
            self.tr("Only this in the prompt"),
            lambda: self.prompt_narrowed.emit(row),
            self.tr("The model reads no other track."),
        )
        only.setEnabled(not track.is_percussion)
        menu.addSeparator()
        menu.addMenu(self._colours(row, menu))
        add(
            self.tr("Edit track …"),
            lambda: self.edit_requested.emit(row),
            self.tr("Name, instrument, volume and pan."),
            "F2",
        )
        return menu

    def _colours(self, row: int, parent: QMenu) -> QMenu:
        menu, theme = QMenu(self.tr("Colour"), parent), Theme.of(self.palette())
        chosen = self.model.switches[row].colour
        for colour in (-1, *range(TRACK_COLOURS)):
            action = menu.addAction(self.tr("Automatic") if colour < 0 else self.tr("Colour {0}").format(colour + 1))
            if colour >= 0:
                square = QPixmap(16, 16)
                square.fill(theme.part("prompt", colour))
                action.setIcon(QIcon(square))
            action.setCheckable(colour < 0 or colour == chosen)
            action.setChecked(colour == chosen)
            action.triggered.connect(lambda _=False, colour=colour: self.colour_chosen.emit(row, colour))
        return menu

    def _bring_forward(self, row: int) -> None:
        """Bring a track to the front, or back if it is there; one that is hidden is shown for that."""
        key = self.model.tracks[row].key
        if self.model.switches[row].hidden:
            self.hidden_changed.emit(row, False)
        self.show_in_front(None if key == self.model.in_front else key)
        self.brought_forward.emit(self.model.in_front)

    def _open_menu(self, row: int, at: QPoint) -> None:
        menu = self.menu(row)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)


class TrackTable(QTableView):
    """The table and its keys."""

    name_pressed = Signal(int)  # row
    edit_requested = Signal(int)
    menu_requested = Signal(int, QPoint)

    def __init__(self, model: TrackModel) -> None:
        super().__init__()
        self._model = model
        self._pressed = QPersistentModelIndex()
        self.setModel(model)
        self.setItemDelegate(TrackDelegate(self))
        self.setAccessibleName(self.tr("Tracks"))
        self.setAccessibleDescription(
            self.tr(
                "Space switches the cell; M, S and P mute, solo and prompt. Return brings the track forward, F2 edits "
                "it."
            )
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys where they are
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

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keys act upon the current cell."""
        super().focusInEvent(event)
        tell_of_current(self)

    def event(self, event: QEvent) -> bool:
        """Claim the table's own keys before a shortcut of the window takes them: M is mute here, no metronome."""
        if event.type() == QEvent.Type.ShortcutOverride and self._is_own(cast(QKeyEvent, event)):
            event.accept()
            return True
        return super().event(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        own = (*_KEYS, *_ROW_KEYS, Qt.Key.Key_Space, Qt.Key.Key_Select)
        return self.currentIndex().isValid() and plain and Qt.Key(event.key()) in own

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space switches the cell (in the name column: mute); M, S, P switch those of the row."""
        index, key = self.currentIndex(), Qt.Key(event.key())
        if self._is_own(event) and key in _ROW_KEYS:
            (self.edit_requested if key == Qt.Key.Key_F2 else self.name_pressed).emit(index.row())
        elif self._is_own(event):
            column = _KEYS.get(key, Column(index.column()))
            self._model.toggle(index.row(), Column.MUTE if column == Column.NAME else column)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Switch what was pressed and let go."""
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid() and index == self._pressed:
            if index.column() == Column.NAME:
                self.name_pressed.emit(index.row())
            else:
                self._model.toggle(index.row(), index.column())
        self._pressed = QPersistentModelIndex()
        super().mouseReleaseEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remember what was pressed."""
        self._pressed = QPersistentModelIndex(self.indexAt(event.position().toPoint()))
        super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the track under the pointer, or of the current one."""
        is_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if is_key else self.indexAt(event.pos())
        if index.isValid():
            at = self.visualRect(index).center() if is_key else event.pos()
            self.menu_requested.emit(index.row(), self.viewport().mapToGlobal(at))

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
