"""Notes in words, and for screen readers: those selected, and those before and after them, are children of the roll."""

from typing import cast

from PySide6.QtCore import QCoreApplication, QObject, QRect, QRectF
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QColor, QWindow
from PySide6.QtWidgets import QAccessibleWidget

from core.midi.pitch_names import drum_name, pitch_name
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.surface import RollSurface

MOST = 64  # selected notes that are told of
_Text, _Role = QAccessible.Text, QAccessible.Role


def named(pitch: int, is_drum: bool) -> str:
    """ "F#2", or of a drum "Closed Hi-Hat (F#2)"."""
    drum = drum_name(pitch) if is_drum else ""
    return f"{drum} ({pitch_name(pitch)})" if drum else pitch_name(pitch)


def describe(roll: RollSurface, ref: NoteRef) -> str:
    """A note in words: pitch, velocity, start and length, track or take, and what it came from."""
    note, part = roll.note(ref), next(part for part in roll.parts if part.key == ref.part)
    tr = QCoreApplication.translate
    words = tr("PianoRoll", "{0}, velocity {1}, {2}, {3:.2f} s long")
    place = roll.grid.position(note.start)
    text = words.format(named(note.pitch, note.is_drum), note.velocity, place, note.end - note.start)
    if part.title:
        text += f", {part.title}"
    if 0 < note.origin <= len(part.origins):
        text += tr("PianoRoll", ", from {0}").format(part.origins[note.origin - 1])
    return text


class _NoteInterface(QAccessibleInterface):
    """One note for a screen reader."""

    def __init__(self, roll: RollSurface, ref: NoteRef, parent: "_RollInterface") -> None:
        super().__init__()
        self.roll, self.ref, self._parent = roll, ref, parent

    def isValid(self) -> bool:
        return any(part.key == self.ref.part and self.ref.index < len(part) for part in self.roll.parts)

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
        """A note's words are not typed."""

    def text(self, t: QAccessible.Text) -> str:
        return describe(self.roll, self.ref) if t == _Text.Name and self.isValid() else ""

    def rect(self) -> QRect:
        if not self.isValid():
            return QRect()
        note, view, canvas = self.roll.note(self.ref), self.roll.coordinates, self.roll.viewport()
        box = QRectF(view.x(note.start), view.y(note.pitch), view.x(note.end) - view.x(note.start), view.row_height)
        box.translate(self.roll.keyboard_width, self.roll.ruler_height)
        return QRectF(canvas.mapToGlobal(box.topLeft()), box.size()).toAlignedRect()

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        is_selected = self.roll.is_selected(self.ref)
        state.focusable = state.selectable = True
        state.selected = is_selected
        state.focused = is_selected and self.roll.hasFocus() and len(self.roll.selection) == 1
        return state


class _RollInterface(QAccessibleWidget):
    """The roll for a screen reader: behind its widgets, its notes."""

    def __init__(self, roll: RollSurface) -> None:
        super().__init__(roll, _Role.List)
        self.roll = roll
        self._known: dict[NoteRef, _NoteInterface] = {}  # one note stays one thing to the reader

    def notes(self) -> list[NoteRef]:
        """The notes that are told of, in order: those selected, one before, one after."""
        chosen = list(self.roll.selection.refs[:MOST])
        before, after = self.roll.neighbour(-1), self.roll.neighbour(1)
        around = [ref for ref in (before, *chosen, after) if ref is not None]
        return list(dict.fromkeys(around))

    def _interface(self, ref: NoteRef) -> _NoteInterface:
        if ref not in self._known:
            self._known[ref] = _NoteInterface(self.roll, ref, self)
        return self._known[ref]

    def childCount(self) -> int:
        return super().childCount() + len(self.notes())

    def child(self, index: int) -> QAccessibleInterface:
        widgets, notes = super().childCount(), self.notes()
        if index < widgets:
            return super().child(index)
        inside = index - widgets < len(notes)
        return self._interface(notes[index - widgets]) if inside else cast(QAccessibleInterface, None)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        if isinstance(child, _NoteInterface):
            notes = self.notes()
            return super().childCount() + notes.index(child.ref) if child.ref in notes else -1
        return super().indexOfChild(child)

    def focusChild(self) -> QAccessibleInterface:
        refs = self.roll.selection.refs
        if len(refs) == 1 and self.roll.hasFocus():
            return self._interface(refs[0])
        return super().focusChild()

    def index_of(self, ref: NoteRef) -> int:
        """Which child a note is."""
        return super().childCount() + self.notes().index(ref)


def _interface_of(key: str, thing: QObject) -> QAccessibleInterface | None:
    if not isinstance(thing, RollSurface):
        return None
    interface = _RollInterface(thing)
    thing.accessible.append(interface)
    return interface


_is_installed = False


def install() -> None:
    """Let screen readers see notes."""
    global _is_installed
    if not _is_installed:
        QAccessible.installFactory(_interface_of)
        _is_installed = True


def tell_of_selection(roll: RollSurface) -> None:
    """Tell a screen reader that other notes are selected; of one, that it has the focus."""
    if not QAccessible.isActive():
        return
    QAccessible.updateAccessibility(QAccessibleEvent(roll, QAccessible.Event.SelectionWithin))
    refs = roll.selection.refs
    interface = QAccessible.queryAccessibleInterface(roll)
    if len(refs) == 1 and roll.hasFocus() and isinstance(interface, _RollInterface):
        event = QAccessibleEvent(roll, QAccessible.Event.Focus)
        event.setChild(interface.index_of(refs[0]))
        QAccessible.updateAccessibility(event)
