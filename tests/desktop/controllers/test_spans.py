"""The span of time in the real window: by mouse, by keys, for loop and selection."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.desktop.piano_roll.conftest import Hand
from tests.desktop.windows import Desk


def test_a_span_is_selected_by_mouse_and_keys_and_looped(desk: Callable[..., Desk]) -> None:
    at_work = desk()
    at_work.open()
    window = at_work.window
    roll, hand, bar = window.roll, Hand(window.roll), window.document.session.tempo_map.bar_tick
    seconds = window.document.session.tempo_map.seconds
    bars = [seconds(bar(i)) for i in range(6)]
    hand.drag(hand.ruler(bars[1] + 0.01), hand.ruler(bars[3] + 0.01))
    assert roll.span == (pytest.approx(bars[1]), pytest.approx(bars[3]))
    window.actions_["select span"].trigger()
    score = window.document.session.score
    assert score is not None
    tracks = [score.tracks[int(key[6:])] for key in roll.selection.indices]
    expected = sum(bars[1] <= note.start < bars[3] for track in tracks for note in track.notes)
    assert len(roll.selection) == expected > 0
    window.actions_["loop span"].trigger()
    assert window.transport.loop == roll.span
    assert window.transport.is_looping
    window.transport.set_loop(None)
    window.transport.go_to(bars[2])
    QTest.keyClick(roll, Qt.Key.Key_I)
    assert roll.span == (pytest.approx(bars[2]), pytest.approx(bars[3]))
    window.transport.go_to(bars[4])
    QTest.keyClick(roll, Qt.Key.Key_O)
    assert roll.span == (pytest.approx(bars[2]), pytest.approx(bars[4]))
    window.file_controller.new()
    at_work.settle()
    assert roll.span is None


def test_bars_of_one_take_are_used_in_another(desk: Callable[..., Desk]) -> None:
    at_work = desk()
    at_work.open()
    one, other = at_work.sample(4.0), at_work.sample(4.0)
    at_work.window.stop()
    window, roll, document = at_work.window, at_work.window.roll, at_work.window.document
    before = document.session
    assert before.current == other.id
    window.bars_menu.show_takes()
    (action,) = window.bars_menu.actions()
    action.trigger()
    assert "Select the bars first" in at_work.messages[-1]
    start, end = one.marker + 1.0, one.marker + 3.0
    roll.set_span((start, end))
    action.trigger()
    session = document.session
    came = [note for note in session.take(one.id).notes if note.take == other.id]
    assert came
    assert [n.pitch for n in came] == [n.pitch for n in other.notes if 1.0 <= n.start < 3.0]
    assert session.current == one.id
    assert {ref.part for ref in roll.selection.refs} == {f"take:{one.id}"}
    assert document.undo_name == "Use bars"
    window.actions_["undo"].trigger()
    assert document.session.takes == before.takes
