"""The commands of the Edit menu that are one edit of the selected notes each, in two tables."""

from collections.abc import Callable
from typing import NamedTuple

from core.session import edits, edits_velocity
from core.session.edits import Chosen, Edited
from core.session.session import Session
from desktop.actions import Actions
from desktop.controllers.notes import Editing
from desktop.dialogs.questions import Dialogs


class _Asking(NamedTuple):
    """An edit that needs a number: the action's name, what is asked, a suggestion, the least and the most."""

    name: str
    question: str
    value: int
    least: int
    most: int
    edit: Callable[[Session, Chosen, int], Edited]


_ASKING = (
    _Asking("set velocity", "Velocity, 1 to 127:", 80, 1, 127, edits.set_velocity),
    _Asking("scale velocity", "Per cent of what it is:", 110, 1, 1000, edits_velocity.scale_velocity),
    _Asking(
        "compress velocity", "Per cent of the distance from their mean:", 50, 0, 400, edits_velocity.compress_velocity
    ),
)


def connect_edits(actions: Actions, editing: Editing, dialogs: Callable[[], Dialogs]) -> None:
    """Let each of these actions make its edit."""
    for row in _ASKING:
        actions.on(row.name, lambda row=row: _ask(row, actions, editing, dialogs()))


def _ask(row: _Asking, actions: Actions, editing: Editing, dialogs: Dialogs) -> None:
    title = actions[row.name].text().replace("&", "").removesuffix(" …")
    number = dialogs.number(title, row.question, row.value, row.least, row.most)
    if number is not None:
        editing.edit(title, lambda session, chosen: row.edit(session, chosen, number))
