from collections import Counter

from PySide6.QtGui import QKeySequence

from desktop.actions import COMMANDS


def test_no_key_is_used_twice(qapp: object) -> None:
    keys = Counter(
        sequence.toString()
        for command in COMMANDS
        if command.keys is not None
        for sequence in (
            QKeySequence.keyBindings(command.keys)
            if isinstance(command.keys, QKeySequence.StandardKey)
            else [QKeySequence(command.keys)]
        )
    )
    assert {key for key, count in keys.items() if count > 1} == set()


def test_no_name_is_used_twice() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
