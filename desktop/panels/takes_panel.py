"""TakesPanel: each continuation as a card, to hear, keep, take further or drag away."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QDrag, QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QSizePolicy,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from core.midi.score import TakeNote
from core.midi.tempo_map import TempoMap
from core.session.session import TakeRecord
from desktop.panels.take_cards import Card, CardDelegate, Spot, TakeModel, growing_card
from desktop.panels.take_words import differences, length_words, place_words
from desktop.widgets.announce import tell_of_current
from desktop.widgets.buttons import FlatButton
from desktop.widgets.fields import Caption, notes_words
from desktop.widgets.list_or_words import ListOrWords
from desktop.widgets.menu_words import add_named

_GROWING_TICK = 100  # ms between two looks of a card in the making
_NO_STARS = "No take is starred."
_EMPTY = "Continuations appear here.\nEach one is kept."


class TakesPanel(QWidget):
    """The takes of a session, one a card; the current one is selected.

    `export_for_drag(id)` writes a take as a .mid file and returns where; it may raise ContinuoError.
    """

    selected = Signal(str)
    play_requested = Signal(str)
    renamed = Signal(str, str)
    starred = Signal(str, bool)
    duplicated = Signal(str)
    deleted = Signal(list)  # ids
    fork_requested = Signal(str)
    another_requested = Signal(str)
    accept_requested = Signal(str)
    restored = Signal(str)  # out of the bin
    bin_emptied = Signal()
    problem = Signal(str)  # a sentence: a card could not be dragged out

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Takes"))
        self.model = TakeModel()
        self.view = CardView(self.model)
        self.stack = ListOrWords(self.view, self.tr(_EMPTY))
        self.empty = self.stack.words
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.starred_only = FlatButton()
        self.starred_only.setCheckable(True)
        self.starred_only.setText(self.tr("Starred"))
        self.starred_only.setToolTip(self.tr("Show only the takes that are starred."))
        self.starred_only.setAccessibleName(self.tr("Show only starred takes"))
        self.starred_only.toggled.connect(lambda _: self._show())
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 6, 0)
        head.addWidget(Caption(self.tr("Takes")), 1)
        head.addWidget(self.starred_only)
        layout.addLayout(head)
        layout.addLayout(self.stack, 1)
        self.bin = FlatButton()
        self.bin.setToolTip(self.tr("Takes that were deleted or undone: bring them back, or empty the bin."))
        self.bin.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.bin.clicked.connect(self._open_bin)
        layout.addWidget(self.bin)
        self.setTabOrder(self.view, self.starred_only)
        self._binned: tuple[TakeRecord, ...] = ()
        self.show_bin(())
        self._deeds: dict[str, Callable[[str], object]] = {
            "Hear": self.play_requested.emit,
            "Star": self._star,
            "Rename": self._rename,
            "Duplicate": self.duplicated.emit,
            "Continue this take": self.fork_requested.emit,
            "Another take with a new seed": self.another_requested.emit,
            "Make part of the score": self.accept_requested.emit,
            "Delete": self._delete,
        }
        self._takes: tuple[TakeRecord, ...] = ()
        self._tempo_map = TempoMap()
        self._current: str | None = None
        self._growing: dict[str, tuple[Sequence[TakeNote], float]] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_GROWING_TICK)
        self._later.timeout.connect(self._show)
        self.model.renamed.connect(self.renamed)
        self.model.problem.connect(self.problem)
        self.view.pressed_spot.connect(self._press)
        self.view.key.connect(self._do)
        self.view.menu_requested.connect(self._open_menu)
        self.view.selectionModel().currentChanged.connect(self._select)

    @property
    def export_for_drag(self) -> Callable[[str], Path] | None:
        """What writes a take for a drag."""
        return self.model.export_for_drag

    @export_for_drag.setter
    def export_for_drag(self, export: Callable[[str], Path] | None) -> None:
        self.model.export_for_drag = export

    def show_takes(self, takes: Sequence[TakeRecord], current: str | None, tempo_map: TempoMap | None = None) -> None:
        """Show the takes of a session; growing cards stay until `end_growing` or a take with their id.

        The tempo map tells in which bars they lie.
        """
        self._tempo_map = tempo_map or self._tempo_map
        is_other = (current or None) != self._current
        self._takes, self._current = tuple(takes), current or None
        for take in takes:
            self._growing.pop(take.id, None)
        self._show(is_other)

    def show_bin(self, takes: Sequence[TakeRecord]) -> None:
        """Say how many takes lie in the bin; without any, nothing of it is seen."""
        self._binned = tuple(takes)
        count = len(self._binned)
        self.bin.setText(self.tr("Bin: 1 take") if count == 1 else self.tr("Bin: {0} takes").format(count))
        self.bin.setVisible(bool(count))

    def bin_menu(self) -> QMenu:
        """What can be done with the bin: the latest take stands first."""
        menu = QMenu(self)
        for take in reversed(self._binned):
            words = self.tr("Bring back {0} ({1}, {2})").format(
                take.name, length_words(take.seconds), notes_words(len(take.notes))
            )
            add_named(menu, words).triggered.connect(lambda _=False, take=take: self.restored.emit(take.id))
        menu.addSeparator()
        menu.addAction(self.tr("Empty the bin …"), self.bin_emptied.emit)
        return menu

    def show_growing(self, take_id: str, notes: Sequence[TakeNote], seconds: float) -> None:
        """Show a take in the making: all its notes so far, and its length so far. As often as you like."""
        is_new = take_id not in self._growing
        self._growing[take_id] = (notes, seconds)
        if is_new:
            self._show()
            self.view.scrollToBottom()
        elif not self._later.isActive():
            self._later.start()

    def end_growing(self) -> None:
        """Remove the cards of takes in the making."""
        self._growing.clear()
        self._show()

    def menu(self, take_id: str) -> QMenu:
        """What can be done with a take."""
        take = next(take for take in self._takes if take.id == take_id)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for entry in _ENTRIES:
            if entry is None:
                menu.addSeparator()
                continue
            words, keys, tip = entry
            shown = self.tr("Remove star" if words == "Star" and take.starred else words)
            action = menu.addAction(shown, lambda words=words: self._do(words, take_id))
            action.setToolTip(self.tr(tip))
            if keys is not None:
                action.setShortcut(QKeySequence(keys))
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        return menu

    # What the user does

    def _do(self, words: str, take_id: str) -> None:
        """Do what an entry of the menu says."""
        self._deeds[words](take_id)

    def _rename(self, take_id: str) -> None:
        self.view.edit(self.model.index(self.model.row_of(take_id)))

    def _star(self, take_id: str) -> None:
        self.starred.emit(take_id, not self.model.cards[self.model.row_of(take_id)].take.starred)

    def _delete(self, take_id: str) -> None:
        """Delete the cards that are selected, if this is one of them; else it alone."""
        selected = self.view.selected_ids()
        self.deleted.emit(selected if take_id in selected else [take_id])

    def _press(self, spot: Spot, take_id: str, at: QPoint) -> None:
        if spot is Spot.MORE:
            self._open_menu(take_id, at)
        else:
            self._do("Star" if spot is Spot.STAR else "Hear", take_id)

    def _open_menu(self, take_id: str, at: QPoint) -> None:
        menu = self.menu(take_id)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def _open_bin(self) -> None:
        menu = self.bin_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.bin.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _select(self, index: QModelIndex) -> None:
        if index.isValid() and not self.model.cards[index.row()].growing:
            self._current = self.model.current = self.model.cards[index.row()].take.id
            self.selected.emit(self._current)

    # What it shows

    def _show(self, is_other: bool = False) -> None:
        self._later.stop()
        growing = [growing_card(take_id, *made) for take_id, made in self._growing.items()]
        names = {take.id: take.name for take in self._takes}
        shown = [take for take in self._takes if take.starred or not self.starred_only.isChecked()]
        apart = [tuple(differences(take, self._takes)) for take in shown]
        cards = (
            *(
                Card(take, False, place_words(take, self._tempo_map), words, names.get(take.parent, ""))
                for take, words in zip(shown, apart, strict=True)
            ),
            *growing,
        )
        self.empty.setText(self.tr(_NO_STARS if self._takes else _EMPTY))
        self.starred_only.setVisible(bool(self._takes))
        selection = self.view.selectionModel()
        with QSignalBlocker(selection):
            had = self.model.row_of(self._current)
            self.model.show(cards)
            self.view.delegate.forget_all_but({card.take.id for card in cards})
            row = self.model.row_of(self._current)
            self.model.current = self._current or ""
            is_current = row == self.view.currentIndex().row() and row == had
            if not is_current or not selection.hasSelection():  # else several may be selected
                # Not the view's own way, which adds to what is selected where Ctrl is held, as in Ctrl+Z.
                alone = QItemSelectionModel.SelectionFlag.ClearAndSelect
                selection.setCurrentIndex(self.model.index(row) if row >= 0 else QModelIndex(), alone)
            self.stack.show_list(bool(cards))  # gives the list its size
            if (is_other or row != had) and row >= 0:
                self.view.scrollTo(self.model.index(row))
        self.view.viewport().update()


# Words, keys, tooltip; None is a line between.
_ENTRIES: tuple[tuple[str, Qt.Key | None, str] | None, ...] = (
    ("Hear", Qt.Key.Key_Return, "Play this take from its beginning."),
    ("Star", Qt.Key.Key_Asterisk, "Mark it as one you like."),
    ("Rename", Qt.Key.Key_F2, "Give it a name of your own."),
    ("Duplicate", None, "Keep a copy, to edit one of the two."),
    None,
    ("Continue this take", None, "Go on from its end: a new take that begins like this one."),
    ("Another take with a new seed", None, "Another take with the same settings."),
    ("Make part of the score", None, "Put its notes into the score, as a track behind the marker."),
    None,
    ("Delete", Qt.Key.Key_Delete, "Put this take into the bin, from where it can be brought back."),
)
_KEYS = {
    Qt.Key.Key_Return: "Hear",
    Qt.Key.Key_Enter: "Hear",
    Qt.Key.Key_Asterisk: "Star",
    Qt.Key.Key_F2: "Rename",
    Qt.Key.Key_Delete: "Delete",
    Qt.Key.Key_Backspace: "Delete",
}


class CardView(QListView):
    """The list of cards: says what was pressed on one, or which key."""

    pressed_spot = Signal(object, str, QPoint)  # Spot, take id, where a menu would open (global)
    key = Signal(str, str)  # an entry's words, take id
    menu_requested = Signal(str, QPoint)

    def __init__(self, model: TakeModel) -> None:
        super().__init__()
        self._model = model
        self.delegate = CardDelegate(self)
        self._pressed: tuple[int, Spot] | None = None
        self.setModel(model)
        self.setItemDelegate(self.delegate)
        self.setAccessibleName(self.tr("Takes"))
        self.setAccessibleDescription(
            self.tr("Return hears a take, F2 renames it, Delete deletes it, the menu key tells more.")
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(20)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self._fit()

    def selected_ids(self) -> list[str]:
        """The takes of the cards that are selected, from the first on."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [card.take.id for row in rows if not (card := self._model.cards[row]).growing]

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keys act upon the current card."""
        super().focusInEvent(event)
        tell_of_current(self)

    def changeEvent(self, event: QEvent) -> None:
        """A card is as high as the font needs."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        """One card is seen whole, however small the window is."""
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        self.setMinimumSize(self.fontMetrics().height() * 10, self.delegate.sizeHint(option, QModelIndex()).height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the menu's entries; all others are the list's."""
        if self.state() == QAbstractItemView.State.EditingState:
            event.accept()  # Return, which has ended the typing of a name and comes here after that
            return
        words = _KEYS.get(Qt.Key(event.key()))
        card = self._card(self.currentIndex())
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        if words and card and plain:
            self.key.emit(words, card.take.id)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the card under the pointer, or of the current one."""
        is_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if is_key else self.indexAt(event.pos())
        if card := self._card(index):
            at = self.visualRect(index).center() if is_key else event.pos()
            self.menu_requested.emit(card.take.id, self.viewport().mapToGlobal(at))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A button of a card is pressed without anything else happening to the card."""
        index, spot = self._at(event.position().toPoint())
        self._pressed = None
        if event.button() == Qt.MouseButton.LeftButton and spot not in (None, Spot.CARD):
            self._pressed = (index.row(), spot)
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            return
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A button counts when it is let go on it."""
        index, spot = self._at(event.position().toPoint())
        if self._pressed is not None:
            if self._pressed == (index.row(), spot) and (card := self._card(index)):
                below = self.visualRect(index).topRight() + QPoint(-12, 30)
                self.pressed_spot.emit(spot, card.take.id, self.viewport().mapToGlobal(below))
            self._pressed = None
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Hear the card; on a button it is a second click."""
        index, spot = self._at(event.position().toPoint())
        card = self._card(index)
        if spot is Spot.CARD and card and event.button() == Qt.MouseButton.LeftButton:
            self.key.emit("Hear", card.take.id)
        else:
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Light up what is under the pointer."""
        index, spot = self._at(event.position().toPoint())
        self._hover((index.row(), spot) if spot is not None else None)
        if self._pressed is None:
            super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._hover(None)
        super().leaveEvent(event)

    def startDrag(self, actions: Qt.DropAction) -> None:
        """Carry the current card's .mid out of the window."""
        index = self.currentIndex()
        if self._card(index) is None:
            return
        data = self._model.mimeData([index])
        if not data.hasUrls():
            return
        drag = QDrag(self)
        drag.setMimeData(data)
        picture, at = self._picture(index)
        drag.setPixmap(picture)
        drag.setHotSpot(at)
        drag.exec(Qt.DropAction.CopyAction)

    def _picture(self, index: QModelIndex) -> tuple[QPixmap, QPoint]:
        """The card as it looks, and where in it the pointer holds it."""
        box = self.visualRect(index)
        at = self.viewport().mapFromGlobal(self.cursor().pos()) - box.topLeft()
        picture = self.viewport().grab(box)
        inside = QPoint(min(max(at.x(), 0), box.width() - 1), min(max(at.y(), 0), box.height() - 1))
        return picture, inside

    def _card(self, index: QModelIndex) -> Card | None:
        """The card, unless it is still in the making."""
        card = self._model.cards[index.row()] if index.isValid() else None
        return None if card is None or card.growing else card

    def _at(self, at: QPoint) -> tuple[QModelIndex, Spot | None]:
        index = self.indexAt(at)
        if not index.isValid():
            return index, None
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.rect = self.visualRect(index)
        return index, self.delegate.spot(option, index, at)

    def _hover(self, what: tuple[int, Spot] | None) -> None:
        if what != self.delegate.hovered:
            self.delegate.hovered = what
            self.viewport().update()
