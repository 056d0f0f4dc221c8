"""Notes in the real window as a screen reader goes through them."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest

from core.midi.pitch_names import pitch_name
from tests.desktop.windows import BACH, Desk


def found(root: QAccessibleInterface, name: str) -> QAccessibleInterface | None:
    """The thing of that name, as a screen reader finds it from the window down."""
    if root.text(QAccessible.Text.Name) == name:
        return root
    children = (root.child(i) for i in range(root.childCount()))
    return next((inside for child in children if child and (inside := found(child, name))), None)


def test_notes_are_found_from_the_window_down_and_read_with_their_track(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll = at.window, at.window.roll
    track = window.document.session.score.tracks[0]  # type: ignore[union-attr]
    roll.setFocus()
    for _ in range(3):
        QTest.keyClick(roll, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    (ref,) = roll.selection.refs
    interface = found(QAccessible.queryAccessibleInterface(window), "Piano roll")
    assert interface is not None
    notes = [interface.child(i) for i in range(interface.childCount())]
    read = [child.text(QAccessible.Text.Name) for child in notes if child.role() == QAccessible.Role.ListItem]
    assert len(read) == 3
    note = track.notes[ref.index] if ref.part == "track:0" else None
    name = f"{pitch_name(roll.pitch_of(ref))}, velocity {roll.note(ref).velocity}, bar 1, beat"
    assert read[1].startswith(name)
    if note is not None:
        assert read[1].endswith(f", {track.name}")
    QTest.keyClick(roll, Qt.Key.Key_Up)  # the same note, a semitone higher, is still the one that is read
    assert roll.selection.refs == (ref,)
    again = [interface.child(i) for i in range(interface.childCount())]
    middle = [child for child in again if child.role() == QAccessible.Role.ListItem][1]
    assert middle.text(QAccessible.Text.Name).startswith(pitch_name(roll.pitch_of(ref)))
    assert middle.state().selected
