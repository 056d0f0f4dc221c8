"""Notes in words, and for screen readers: those selected, and those before and after them, are children of the roll."""
# ruff: noqa: D102 - what Qt asks for is said in Qt's documentation

from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, QRect, QRectF
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QAccessibleInterface,
    QAccessibleStateChangeEvent,
    QColor,
    QWindow,
)
from PySide6.QtWidgets import QAccessibleWidget, QWidget
from shiboken6 import isValid

from core.midi.pitch_names import drum_name, pitch_name
from desktop.piano_roll.coordinates import Viewport
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.order import NoteOrder
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.surface import RollSurface

MOST_TOLD = 64  # selected notes that are told of
_Event, _Text, _Role = QAccessible.Event, QAccessible.Text, QAccessible.Role


def named(pitch: int, is_drum: bool) -> str:
    """ "F#2", or of a drum "Closed Hi-Hat (F#2)"."""
    drum = drum_name(pitch) if is_drum else ""
    return f"{drum} ({pitch_name(pitch)})" if drum else pitch_name(pitch)


def describe(roll: RollSurface, ref: NoteRef) -> str:
    """A note in words: pitch, velocity, start and length, track or take, and what it came from."""
    note, part = roll.note(ref), next(part for part in roll.parts if part.key == ref.part)
    tr = QCoreApplication.translate
    words = tr("PianoRoll", "{0}, velocity {1}, {2}, {3} long")
    place = roll.grid.position(note.start)
    length = roll.grid.length(note.start, note.end)
    text = words.format(named(note.pitch, note.is_drum), note.velocity, place, length)
    if part.title:
        text += f", {part.title}"
    if 0 < note.origin <= len(part.origins):
        text += tr("PianoRoll", ", from {0}").format(part.origins[note.origin - 1])
    return text


def summary(roll: RollSurface) -> str:
    """How many notes there are, and which are selected: pitches, velocities and when, from the first to the last."""
    tr, count, chosen = QCoreApplication.translate, sum(map(len, roll.parts)), roll.selection
    if len(chosen) < 2:
        return tr("PianoRoll", "{0} notes, {1} selected").format(count, len(chosen))
    start, _, pitch, _ = roll.overlays.selected
    parts = {part.key: part for part in roll.parts}
    velocity = np.concatenate([parts[key].velocity[parts[key].places(at)] for key, at in chosen.indices.items()])
    return tr("PianoRoll", "{0} of {1} notes selected, {2} to {3}, velocity {4} to {5}, {6} to {7}").format(
        len(chosen),
        count,
        *(pitch_name(int(at)) for at in (pitch.min(), pitch.max())),
        *(int(at) for at in (velocity.min(), velocity.max())),
        *(roll.grid.position(float(at)) for at in (start.min(), start.max())),
    )


class ListItem(QAccessibleInterface):
    """One thing of a list that a widget paints, for a screen reader. Each kind is a subclass."""

    def __init__(self, parent: "PaintedList") -> None:
        super().__init__()
        self._parent = parent
        self.read = ""  # its words as a reader has asked for them last, and keeps them
        self.past: str | None = None  # its words as they were when it was left for its other face

    def is_there(self) -> bool:
        """Whether the widget has it still."""
        raise NotImplementedError

    def words(self) -> str:
        """What it is."""
        raise NotImplementedError

    def box(self) -> tuple[QWidget, QRectF]:
        """The widget that it is painted on, and where."""
        raise NotImplementedError

    def is_chosen(self) -> bool:
        """Whether it is selected."""
        raise NotImplementedError

    def isValid(self) -> bool:
        return isValid(self._parent.painted) and self.is_there()  # readers ask of what is gone, widgets too

    def object(self) -> QObject:
        return cast(QObject, None)  # it is no object of Qt's

    def window(self) -> QWindow:
        return self._parent.window()

    def parent(self) -> QAccessibleInterface:
        return self._parent

    def child(self, index: int) -> QAccessibleInterface:
        return cast(QAccessibleInterface, None)

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        return cast(QAccessibleInterface, None)

    def role(self) -> QAccessible.Role:
        return _Role.ListItem

    def foregroundColor(self) -> QColor:
        return QColor()

    def backgroundColor(self) -> QColor:
        return QColor()

    def setText(self, t: QAccessible.Text, text: str) -> None:
        """Its words are not typed."""

    def text(self, t: QAccessible.Text) -> str:
        if t != _Text.Name or not self.isValid():
            return ""
        self.read = self.words() if self.past is None else self.past
        return self.read

    def rect(self) -> QRect:
        if not self.isValid():
            return QRect()
        widget, box = self.box()
        return QRectF(widget.mapToGlobal(box.topLeft()), box.size()).toAlignedRect()

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        if not self.isValid():
            state.invalid = True
            return state
        state.focusable = state.selectable = True
        state.selected = self.is_chosen()
        state.focused = self is self._parent.focusChild()
        return state


class PaintedList(QAccessibleWidget):
    """A widget for a screen reader: behind the widgets in it, what it paints. Each kind is a subclass."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget, _Role.List)
        self.painted = widget
        self._known: dict[Hashable, ListItem] = {}  # one thing stays one to the reader, as long as it is as it was
        self._turned: dict[Hashable, ListItem] = {}  # its other face: Qt may ask of it as long as there is the widget
        self._told: tuple[Hashable | None, str] | None = None  # what the keys act upon, and its words, as told last

    def keys(self) -> Sequence[Hashable]:
        """What is told of, in order."""
        raise NotImplementedError

    def focus_key(self) -> Hashable | None:
        """What of it the keys act upon; None if nothing of it, or the widget has not the focus."""
        raise NotImplementedError

    def make(self, key: Hashable) -> ListItem:
        """One of the things."""
        raise NotImplementedError

    def summary(self) -> str:
        """What of it is told in a few words, and again when they change while the keys act upon no one thing of it."""
        return super().text(_Text.Description)

    def text(self, t: QAccessible.Text) -> str:
        return self.summary() if t == _Text.Description else super().text(t)

    def tell(self, has_come: bool) -> None:
        """Tell what the keys act upon now, if it is another than before; else what has become of it.

        `has_come`: the widget has just got the focus, which Qt has told.
        """
        key = self.focus_key()
        item = self._item(key) if key is not None else None
        words = item.words() if item is not None else self.summary()
        before, self._told = (None, "") if has_come else self._told, (key, words)
        is_other = before is None or before[0] != key
        if not self.widget().hasFocus() or self._told == before:
            return
        if item is None:
            if not has_come:
                self._send(_Event.Focus if is_other else _Event.DescriptionChanged)
            return
        if before is not None and not is_other:
            item = self._turn(cast(Hashable, key), before[1])
        if item.read and item.read != words:
            self._send(_Event.NameChanged, key)
        self._send_selected(cast(Hashable, key))
        self._send(_Event.Focus, key)

    def _send(self, kind: QAccessible.Event, key: Hashable | None = None) -> None:
        event = QAccessibleEvent(self.widget(), kind)
        if key is not None:
            event.setChild(self.index_of(key))
        QAccessible.updateAccessibility(event)

    def _send_selected(self, key: Hashable) -> None:
        """Whether it is selected has changed; a reader keeps what it was told before."""
        change = QAccessible.State()
        change.selected = True
        event = QAccessibleStateChangeEvent(self.widget(), change)
        event.setChild(self.index_of(key))
        QAccessible.updateAccessibility(event)

    def _item(self, key: Hashable) -> ListItem:
        if key not in self._known:
            self._known[key] = self.make(key)
        return self._known[key]

    def _turn(self, key: Hashable, words: str) -> ListItem:
        """The other face of a thing that has changed: when the item with the focus has other words, Orca is silent.

        The one that is left keeps the words it had, or Orca takes the two for one.
        """
        left, face = self._item(key), self._turned.get(key) or self.make(key)
        left.past, face.past = words, None
        self._turned[key], self._known[key] = left, face
        return face

    def childCount(self) -> int:
        return super().childCount() + len(self.keys())

    def child(self, index: int) -> QAccessibleInterface:
        widgets, keys = super().childCount(), self.keys()
        if index < widgets:
            return super().child(index)
        inside = index - widgets < len(keys)
        return self._item(keys[index - widgets]) if inside else cast(QAccessibleInterface, None)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        if isinstance(child, ListItem):
            keys = [key for key in self.keys() if self._known.get(key) is child]
            return self.index_of(keys[0]) if keys else -1
        return super().indexOfChild(child)

    def focusChild(self) -> QAccessibleInterface:
        key = self.focus_key()
        return self._item(key) if key is not None else super().focusChild()

    def index_of(self, key: Hashable) -> int:
        """Which child something is."""
        return super().childCount() + list(self.keys()).index(key)


class _Note(ListItem):
    """One note of the roll."""

    def __init__(self, roll: RollSurface, ref: NoteRef, parent: PaintedList) -> None:
        super().__init__(parent)
        self.roll, self.ref = roll, ref

    def is_there(self) -> bool:
        return any(part.key == self.ref.part and self.ref.index < len(part) for part in self.roll.parts)

    def words(self) -> str:
        return describe(self.roll, self.ref)

    def box(self) -> tuple[QWidget, QRectF]:
        note, view = self.roll.note(self.ref), self.roll.coordinates
        box = QRectF(view.x(note.start), view.y(note.pitch), view.x(note.end) - view.x(note.start), view.row_height)
        return self.roll.viewport(), box.translated(self.roll.keyboard_width, self.roll.ruler_height)

    def is_chosen(self) -> bool:
        return self.roll.is_selected(self.ref)


class _Roll(PaintedList):
    """The roll: its notes that are selected, one before, one after."""

    def __init__(self, roll: RollSurface) -> None:
        super().__init__(roll)
        self.roll = roll
        self._asked: tuple[Selection, NoteOrder, Viewport] | None = None  # what `_keys` was made of
        self._keys: list[NoteRef] = []

    def keys(self) -> list[NoteRef]:
        roll = self.roll
        now, before = (roll.selection, roll.order, roll.coordinates), self._asked
        if before is None or any(a is not b for a, b in zip(now, before, strict=True)):  # a reader asks very often
            self._asked = now
            chosen = roll.selection.first(MOST_TOLD)
            around = [ref for ref in (roll.neighbour(-1), *chosen, roll.neighbour(1)) if ref is not None]
            self._keys = list(dict.fromkeys(around))
        return self._keys

    def focus_key(self) -> NoteRef | None:
        is_one = len(self.roll.selection) == 1 and self.roll.hasFocus()
        return self.roll.selection.refs[0] if is_one else None

    def make(self, key: Hashable) -> ListItem:
        return _Note(self.roll, cast(NoteRef, key), self)

    def summary(self) -> str:
        return summary(self.roll)


_offered: dict[type[QWidget], Callable[[Any], PaintedList]] = {}


def offer(kind: type[QWidget], make: Callable[[Any], PaintedList]) -> None:
    """Let screen readers see what widgets of a kind paint; each keeps what is made for it in its list `accessible`."""
    if not _offered:
        QAccessible.installFactory(_interface_of)
    _offered[kind] = make


def _interface_of(key: str, thing: Any) -> QAccessibleInterface | None:
    for kind, make in _offered.items():
        if isinstance(thing, kind):
            interface = make(thing)
            cast(Any, thing).accessible.append(interface)
            return interface
    return None


def install() -> None:
    """Let screen readers see notes."""
    offer(RollSurface, _Roll)


def tell(widget: QWidget, has_come: bool = False) -> None:
    """Tell a screen reader what the keys act upon in a widget that has the focus; see `PaintedList.tell`."""
    interface = QAccessible.queryAccessibleInterface(widget) if QAccessible.isActive() else None
    if isinstance(interface, PaintedList):
        interface.tell(has_come)


def tell_of_selection(roll: RollSurface) -> None:
    """Tell a screen reader that other notes are selected."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(roll, QAccessible.Event.SelectionWithin))
        tell(roll)
