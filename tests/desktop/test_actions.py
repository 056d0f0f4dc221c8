"""The one table of commands and keys: no key means two things, and Help lists them all."""

from collections import Counter
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLabel, QMainWindow, QMenu

from desktop.actions import COMMANDS, PANE_KEYS, Actions, build_menus
from desktop.dialogs.pages import PageDialog
from desktop.panels import takes_panel, track_list
from tests.desktop.windows import Desk


def keys_of_commands(kinds: Callable[[str], bool]) -> list[str]:
    return [
        sequence.toString()
        for command in COMMANDS
        if command.keys is not None and kinds(command.kind)
        for sequence in (
            QKeySequence.keyBindings(command.keys)
            if isinstance(command.keys, QKeySequence.StandardKey)
            else [QKeySequence(command.keys)]
        )
    ]


def keys_of(pane: str) -> list[str]:
    return [QKeySequence(key).toString() for part, keys, _ in PANE_KEYS if part == pane for key in keys.split(", ")]


def test_no_key_is_used_twice(qapp: object) -> None:
    keys = Counter(keys_of_commands(lambda kind: True))
    assert {key for key, count in keys.items() if count > 1} == set()


@pytest.mark.parametrize(
    ("pane", "shared"),
    [
        ("Piano roll", {"Left", "Right", "Up", "Down"}),  # they move notes, and scroll where there are none
        ("Tracks", {"M", "Space"}),  # the list's own while it has the focus: mute is no metronome
        ("Takes", {"Del"}),
    ],
)
def test_keys_of_a_part_of_the_window_are_the_menus_only_where_it_is_meant(
    qapp: object, pane: str, shared: set[str]
) -> None:
    own = keys_of(pane)
    assert len(own) == len(set(own))
    assert set(own) & set(keys_of_commands(lambda kind: True)) == shared


def test_the_table_says_which_keys_the_panels_obey(qapp: object) -> None:
    obeyed = {QKeySequence(key).toString() for key in (*track_list._KEYS, *track_list._ROW_KEYS)}
    assert obeyed - {"Enter"} == set(keys_of("Tracks")) - {"Space"}
    shown = {QKeySequence(entry[1]).toString() for entry in takes_panel._ENTRIES if entry and entry[1] is not None}
    assert shown == set(keys_of("Takes"))


def test_no_letter_with_alt_is_used_twice(desk: Callable[..., Desk]) -> None:
    """Those of menus, buttons and labels, and the commands that Alt changes: Qt does nothing where two mean a key."""
    window = desk().window
    texts = [action.text() for action in window.menuBar().actions()]
    texts += [button.text() for button in window.findChildren(QAbstractButton)]
    texts += [label.text() for label in window.findChildren(QLabel) if label.buddy() is not None]
    keys = Counter(key for text in texts if (key := QKeySequence.mnemonic(text).toString()))
    assert {"Alt+F", "Alt+M", "Alt+L"} <= set(keys)
    keys.update({key.toString() for action in window.actions() for key in action.shortcuts()})
    assert {key for key, count in keys.items() if count > 1} == set()


def twice_in(menu: QMenu, title: str) -> list[str]:
    """The letters that two entries of a menu, or of one inside of it, have."""
    keys = Counter(key for action in menu.actions() if (key := QKeySequence.mnemonic(action.text()).toString()))
    found = [f"{title}: {key}" for key, count in keys.items() if count > 1]
    for action in menu.actions():
        inside = action.menu()
        if isinstance(inside, QMenu):
            found += twice_in(inside, f"{title}, {action.text()}")
    return found


def test_no_letter_is_used_twice_in_a_menu(desk: Callable[..., Desk]) -> None:
    window = desk().window
    menus = [action.menu() for action in window.menuBar().actions()]
    window.roll.context_menu_requested.emit(QPoint(), window.roll.selection, 0.0)
    menus += [menu for menu in window.findChildren(QMenu) if menu.isVisible()]
    assert len(menus) == len(window.menuBar().actions()) + 1
    assert [twice for menu in menus if isinstance(menu, QMenu) for twice in twice_in(menu, menu.title())] == []


def test_no_name_is_used_twice() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_every_command_stands_in_a_menu_and_its_keys_in_the_list(qapp: object) -> None:
    window = QMainWindow()
    actions = Actions(window)
    build_menus(
        window, actions, QMenu("Output", window), QMenu("Paste", window), QMenu("Bars", window), QMenu("Lanes", window)
    )
    actions.name_steps("Mute", "")
    rows = actions.shortcuts(window.menuBar())
    with_keys = [command for command in COMMANDS if command.keys is not None]
    assert len(rows) == len(with_keys) + len(PANE_KEYS)
    assert all(title and keys and words for title, keys, words in rows)
    assert ("Take", "C", "Continue") in rows
    assert ("Edit", "Ctrl+Z", "Undo") in rows  # whatever the next step is called
    window.deleteLater()


def test_help_shows_the_manual_and_the_keys(desk: Callable[..., Desk]) -> None:
    at = desk()
    window = at.window
    for name, expected in (("manual", "A first take"), ("shortcuts", "Put the Marker at the Playhead")):
        window.actions_[name].trigger()
        (dialog,) = window.findChildren(PageDialog)
        assert dialog.isVisible()
        assert expected in dialog.text.toPlainText()
        dialog.close()
        at.wait(lambda: not window.findChildren(PageDialog), "the page to go")
