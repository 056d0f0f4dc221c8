"""The commands of the Edit menu that are one edit of the selected notes each, in two tables."""

import random
from collections.abc import Callable
from typing import NamedTuple

from core.session import edits, edits_notes, edits_pitch, edits_time, edits_velocity
from core.session.edits import Chosen, Edited
from core.session.session import Session
from desktop.actions import Actions
from desktop.controllers.editing import Edit, Editing
from desktop.dialogs.questions import Dialogs
from desktop.widgets.menu_words import plain

_PLAIN: dict[str, Edit] = {
    "join": edits_time.join,
    "legato": edits_time.legato,
    "reverse": edits_time.reverse,
    "mirror": edits_pitch.mirror,
    "degree up": lambda session, chosen: edits_pitch.transpose_in_key(session, chosen, 1),
    "degree down": lambda session, chosen: edits_pitch.transpose_in_key(session, chosen, -1),
}


class _Asking(NamedTuple):
    """An edit that needs a number: the action's name, what is asked, a suggestion, the least and the most."""

    name: str
    question: str
    value: int
    least: int
    most: int
    edit: Callable[[Session, Chosen, int], Edited]


def _humanise(session: Session, chosen: Chosen, milliseconds: int) -> Edited:
    return edits_time.humanise(session, chosen, milliseconds, random.getrandbits(32))


_ASKING = (
    _Asking("set velocity", "Velocity, 1 to 127:", 80, 1, 127, edits.set_velocity),
    _Asking("scale velocity", "Per cent of what it is:", 110, 1, 1000, edits_velocity.scale_velocity),
    _Asking(
        "compress velocity", "Per cent of the distance from their mean:", 50, 0, 400, edits_velocity.compress_velocity
    ),
    _Asking("set length", "Length in sixteenths:", 2, 1, 256, edits_time.set_length),
    _Asking("stretch", "Per cent of the time that they take:", 200, 1, 1000, edits_time.stretch),
    _Asking("swing", "Where off-beats begin, in per cent of a quarter:", 60, 50, 80, edits_time.swing),
    _Asking("humanise", "At most so many milliseconds earlier or later, and half as many steps of velocity:",
            10, 1, 200, _humanise),
)  # fmt: skip


def connect_edits(
    actions: Actions, editing: Editing, dialogs: Callable[[], Dialogs], playhead: Callable[[], float]
) -> None:
    """Let each of these actions make its edit."""
    for row in _ASKING:
        actions.on(row.name, lambda row=row: _ask(row, actions, editing, dialogs()))
    for name, edit in _PLAIN.items():
        actions.on(name, lambda name=name, edit=edit: editing.edit(_title(actions, name), edit))

    def split() -> None:
        seconds = playhead()
        editing.edit(_title(actions, "split"), lambda session, chosen: edits_notes.split(session, chosen, seconds))

    actions.on("split", split)


def _title(actions: Actions, name: str) -> str:
    """The action's words, for Undo."""
    return plain(actions[name].text())


def _ask(row: _Asking, actions: Actions, editing: Editing, dialogs: Dialogs) -> None:
    title = _title(actions, row.name)
    number = dialogs.number(title, row.question, row.value, row.least, row.most)
    if number is not None:
        editing.edit(title, lambda session, chosen: row.edit(session, chosen, number))
