"""Regenerate: alternatives for a span, heard in place, chosen by keys, one step to undo."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from core.live.outputs import VirtualPort
from core.midi.region import Region
from core.performance.song import PlayRequest
from core.session.export import midi_bytes
from core.session.session import Session
from core.session.timeline import timeline
from tests.conftest import Listener
from tests.core.cli.helpers import sounding
from tests.desktop.looking import squeezed
from tests.desktop.test_song import BASS, opened
from tests.desktop.windows import Desk
from tests.reliability.fill import assert_only_filled

SPAN = (4.0, 6.0)  # the third bar
CONTROL = Qt.KeyboardModifier.ControlModifier
MakeDesk = Callable[..., Desk]


@pytest.fixture(autouse=True)
def few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer candidates, and one other ending for each of the best: here how many there are changes only the time."""
    monkeypatch.setattr("desktop.controllers.fill.CANDIDATES", 4)
    monkeypatch.setattr("core.generation.filling.filler._ENDINGS", 1)


def regenerated(at: Desk, span: tuple[float, float] = SPAN) -> None:
    """Select a span, press R, wait for the alternatives."""
    window = at.window
    window.roll.set_span(span)
    window.roll.setFocus()
    window.actions_["regenerate"].trigger()
    assert window.fill.run is not None, at.messages
    assert window.fill_bar.isVisible()
    at.wait(lambda: window.fill.run is None, "the alternatives")
    assert window.fill.is_choosing, at.messages


def test_alternatives_stand_in_place_and_are_chosen_by_keys(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, document = at.window, at.window.document
    before = document.session
    at.set(seed=3, seed_locked=True)
    regenerated(at)
    fill, bar = window.fill, window.fill_bar
    assert (len(fill.alternatives), fill.shown) == (4, 1)
    assert [button.text() for button in bar.numbers if button.isVisibleTo(bar)] == ["As it was", "1", "2", "3"]
    region = Region(*SPAN, frozenset([(1, 0), (2, 1)]))
    for session in fill.alternatives[1:]:
        assert assert_only_filled(before, region, midi_bytes(session, "score")) > 0
    assert window.roll.has_selection  # the new notes

    heard: list[Session] = []
    window.playback.play = lambda request: heard.append(request.session)  # type: ignore[method-assign]
    QTest.keyClick(bar, Qt.Key.Key_Right)
    assert fill.shown == 2
    QTest.keyClick(bar, Qt.Key.Key_3)
    QTest.keyClick(bar, Qt.Key.Key_Right)  # round to what stood there
    assert (fill.shown, document.session.score) == (0, before.score)
    assert len(heard) == 3
    QTest.keyClick(bar, Qt.Key.Key_Left)
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert not bar.isVisible()
    chosen = document.session
    assert chosen.score is not before.score
    assert document.undo_name == "Regenerate bar 3"
    window.editing.undo()
    assert document.session.score is before.score
    assert document.undo_name != "Regenerate bar 3"  # all of it was one step
    window.editing.redo()
    assert document.session.score is chosen.score


def test_alternatives_are_heard_in_their_place_whatever_loops_elsewhere(
    desk: MakeDesk, homes: Path, tmp_path: Path
) -> None:
    at = opened(desk, tmp_path)
    window, transport = at.window, at.window.transport
    take = at.sample(1.0)
    window.roll.loop_changed.emit((12.0, 14.0))
    transport.play(12.0)
    at.wait(lambda: transport.position > 12.0, "the loop")
    transport.set_what("take")
    assert take.marker > 8.0 - 1e-6
    at.set(seed=3, seed_locked=True)
    requests: list[PlayRequest] = []
    play = window.playback.play
    window.playback.play = lambda request: (requests.append(request), play(request))[1]  # type: ignore[method-assign]
    regenerated(at)
    around = (2.0, 8.0)  # with a bar before and after
    QTest.keyClick(window.fill_bar, Qt.Key.Key_2)
    assert [request.at for request in requests] == [around[0]] * len(requests)
    assert [request.loop for request in requests[-2:]] == [around, around]
    assert {request.what for request in requests} == {"both"}  # the take alone lies elsewhere, too
    at.wait(lambda: around[0] < transport.position < around[1], "what is around")
    assert (transport.is_looping, transport.what) == (True, "take")
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Return)
    assert (transport.is_playing, requests[-1].loop, requests[-1].what) == (True, (12.0, 14.0), "take")


def test_alternatives_stand_still_and_go_on(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, fill, transport = at.window, at.window.fill, at.window.transport
    requests: list[PlayRequest] = []
    turns: list[Session] = []
    play, turn = window.playback.play, window.playback.turn_to
    window.playback.play = lambda request: (requests.append(request), play(request))[1]  # type: ignore[method-assign]
    window.playback.turn_to = lambda r: (turns.append(r.session), turn(r))[1]  # type: ignore[method-assign]

    def pause() -> float:
        at.wait(lambda: transport.is_playing and transport.position > 2.0, "what is around")
        window.actions_["play"].trigger()
        assert not transport.is_playing
        return transport.position

    window.roll.set_span(SPAN)
    window.actions_["regenerate"].trigger()
    pause()
    at.wait(lambda: fill.run is None, "the alternatives")
    assert (fill.shown, transport.is_playing, transport.position) == (1, False, 2.0)  # silent as it was wished
    for is_on in (False, True):
        if is_on:
            QTest.keyClick(window.fill_bar, Qt.Key.Key_T)
        window.actions_["play"].trigger()
        place = pause()
        turns.clear()
        window.actions_["play"].trigger()
        assert transport.is_playing
        heard = requests[-1]
        assert (heard.at, heard.loop, heard.what) == (place, (2.0, 8.0), "both")
        assert heard.session is fill.alternatives[fill.shown]
        assert turns == [fill.alternatives[(fill.shown + 1) % len(fill.alternatives)]] * is_on
        window.actions_["play"].trigger()
    window.transport.go_to(12.0)  # elsewhere it is the song that plays on
    window.actions_["play"].trigger()
    assert (requests[-1].at, requests[-1].loop) == (12.0, None)


def test_the_bar_covers_no_more_than_the_foot_of_the_notes(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, roll, bar = at.window, at.window.roll, at.window.fill_bar

    def place(widget: QWidget) -> QRect:
        return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())

    for size, is_over in ((QSize(1280, 800), True), (QSize(800, 450), False)):
        window.setMinimumSize(size)
        window.resize(size)
        QApplication.processEvents()
        before = roll.geometry(), replace(roll.coordinates, left=0.0), window.side.geometry()
        lowest = roll.verticalScrollBar().maximum()
        regenerated(at)
        QApplication.processEvents()
        for panel in (window.tracks, window.panel, window.takes):
            assert not place(panel).intersects(place(bar))
        after = roll.geometry(), replace(roll.coordinates, left=0.0, covered=0), window.side.geometry()
        if is_over:
            assert after == before  # but for where the music is, nothing has moved
            assert place(roll.viewport()).contains(place(bar))
        assert place(bar).intersects(place(roll)) == is_over
        assert window.rect().contains(place(bar))
        assert squeezed(window.tracks) + squeezed(window.side) == []
        words = (bar.more, bar.turns, bar.keep, bar.drop)
        assert [button.text() for button in words if button.width() < button.minimumSizeHint().width()] == []
        roll.scroll_by(0.0, 10_000.0)  # the lowest row comes out from under it
        foot = roll.coordinates.y(0) + roll.coordinates.row_height + roll.ruler_height + place(roll.viewport()).top()
        assert foot <= (place(bar) if is_over else place(roll.viewport())).bottom() + 1
        QTest.keyClick(bar, Qt.Key.Key_Escape)
        QApplication.processEvents()
        assert (roll.verticalScrollBar().maximum(), roll.geometry()) == (lowest, before[0])


@pytest.mark.parametrize("size", [QSize(1280, 800), QSize(800, 450)])
def test_what_is_made_is_seen_beside_the_bar(desk: MakeDesk, homes: Path, tmp_path: Path, size: QSize) -> None:
    at = opened(desk, tmp_path)
    window, roll = at.window, at.window.roll
    window.setMinimumSize(size)
    window.resize(size)
    QApplication.processEvents()

    def are_seen() -> bool:
        view, (start, _, pitch, _) = roll.coordinates, roll.overlays.selected
        room, rows = view.height - view.covered, sorted(pitch.tolist())
        if view.y(rows[0]) + view.row_height - view.y(rows[-1]) > room:  # not all of them have room
            rows = [rows[len(rows) // 2]]
        seen = [view.y(row) >= 0 and view.y(row) + view.row_height <= room for row in rows]
        return all(seen) and 0 <= view.x(float(start.min())) < view.width

    at.set(seed=3, seed_locked=True)
    for away in (-10_000.0, 10_000.0):  # above them, and below
        roll.scroll_by(0.0, away)
        regenerated(at)
        QApplication.processEvents()
        assert are_seen()
        roll.scroll_by(0.0, away)
        QTest.keyClick(window.fill_bar, Qt.Key.Key_2)
        assert are_seen()
        top = roll.coordinates.top
        QTest.keyClick(window.fill_bar, Qt.Key.Key_0)
        QTest.keyClick(window.fill_bar, Qt.Key.Key_2)
        assert roll.coordinates.top == top  # what is seen stays
        QTest.keyClick(window.fill_bar, Qt.Key.Key_Escape)
        QApplication.processEvents()


def test_the_wheel_over_the_bar_scrolls_the_notes(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, roll, bar = at.window, at.window.roll, at.window.fill_bar
    regenerated(at)
    handle = window.windowHandle()
    for over in (bar, bar.keep, bar.numbers[0]):
        at_bar = over.mapTo(window, over.rect().center())
        for turned, keys in ((QPoint(0, -120), Qt.KeyboardModifier.NoModifier), (QPoint(0, 120), CONTROL)):
            before = roll.coordinates
            under = QPointF(roll.viewport().mapFrom(window, at_bar))
            wheel = (QPoint(), turned, Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False)
            QApplication.sendEvent(roll.viewport(), QWheelEvent(under, QPointF(window.mapToGlobal(at_bar)), *wheel))
            expected = roll.coordinates
            assert expected != before
            roll._set_coordinates(before)
            QTest.wheelEvent(handle, QPointF(at_bar), turned, QPoint(), keys)
            assert roll.coordinates == expected


def test_the_track_in_front_is_regenerated_and_named(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, document, bar = at.window, at.window.document, at.window.fill_bar
    before = document.session
    at.set(seed=3, seed_locked=True)
    regenerated(at)
    assert bar.tracks.text() == "Melody, Bass"
    QTest.keyClick(bar, Qt.Key.Key_Escape)
    window.tracks.brought_forward.emit(BASS)
    regenerated(at)
    assert bar.tracks.text() == "Bass"
    assert bar.tracks.isVisible()
    region = Region(*SPAN, frozenset([BASS]))
    assert assert_only_filled(before, region, midi_bytes(document.session, "score")) > 0
    QTest.keyClick(bar, Qt.Key.Key_Escape)

    take = at.sample(2.0, unit="bars")
    regenerated(at, (9.0, 11.0))
    assert bar.tracks.text() == "Bass"
    changed = document.session.take(take.id)
    others = [note for note in take.notes if note.track != BASS]
    assert [note for note in changed.notes if note.track != BASS] == others
    QTest.keyClick(bar, Qt.Key.Key_Escape)
    window.commands.change("", lambda s: s.with_changed_take(replace(take, notes=tuple(others))))
    window.actions_["regenerate"].trigger()
    assert at.messages[-1] == f"{take.name} has no notes on Bass: bring another track to the front."
    window.commands.change("", lambda s: s.with_changed_take(replace(take, notes=tuple(others), rest="beside")))
    regenerated(at, (9.0, 11.0))  # it is heard beside the take
    assert (bar.tracks.text(), document.session.take(take.id).notes) == ("Bass", tuple(others))
    assert document.session.score is not before.score


def test_keys_of_commands_and_of_a_button_with_the_focus_are_not_the_bars(
    desk: MakeDesk, homes: Path, tmp_path: Path
) -> None:
    at = opened(desk, tmp_path)
    before = at.window.document.undo_name
    regenerated(at)
    fill, bar = at.window.fill, at.window.fill_bar
    asked: list[str] = []
    shown = fill.shown
    at.window.actions_["tempo"].triggered.disconnect()
    at.window.actions_.on("tempo", lambda: asked.append("tempo"))
    QTest.keyClick(bar, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(bar, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert (fill.turns, fill.shown, asked) == (False, shown, ["tempo"])
    QTest.keyClick(bar, Qt.Key.Key_3, Qt.KeyboardModifier.ShiftModifier)  # where digits are typed so
    assert fill.shown == 3
    bar.numbers[2].setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(bar.numbers[2], Qt.Key.Key_Return)  # the button that Tab has come to, not Keep
    assert (fill.shown, fill.is_choosing) == (2, True)
    bar.drop.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(bar.drop, Qt.Key.Key_Return)
    assert (fill.is_choosing, at.window.document.undo_name) == (False, before)


def test_what_is_dropped_or_cancelled_leaves_nothing_behind(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, document = at.window, at.window.document
    before, name = document.session, document.undo_name
    regenerated(at)
    assert document.session.score is not before.score
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Escape)
    assert (document.session.score, document.undo_name) == (before.score, name)
    assert not window.fill_bar.isVisible()

    window.actions_["regenerate"].trigger()
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Escape)
    at.wait(lambda: window.fill.run is None, "the end of what was cancelled")
    assert not window.fill.is_choosing
    assert (document.session.score, document.undo_name) == (before.score, name)

    regenerated(at)
    shown = document.session
    window.commands.change("Mute", lambda s: s.with_flags(0, mute=True))  # something else: the choice is over
    assert not window.fill_bar.isVisible()
    assert document.session.score is shown.score

    window.roll.set_span(None)
    window.actions_["regenerate"].trigger()
    assert "Select a span of time first" in at.messages[-1]
    window.roll.set_span(SPAN)
    window.fill._tracks = lambda *_: frozenset([(3, 9)])  # type: ignore[method-assign]
    window.actions_["regenerate"].trigger()
    assert "play no drums" in at.messages[-1]


def test_a_span_of_a_take_is_regenerated_in_the_take(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    document = at.window.document
    take = at.sample(2.0, unit="bars", seed=3, seed_locked=True)
    regenerated(at, (9.0, 11.0))
    changed = document.session.take(take.id)
    assert document.session.score is not None
    outside = [note for note in take.notes if not 1.0 <= note.start < 3.0 or note.track == (3, 9)]
    assert [note for note in changed.notes if note in outside] == outside
    new = [note for note in changed.notes if note not in take.notes]
    assert new
    assert all(1.0 <= note.start < 3.0 and note.track in ((1, 0), (2, 1)) for note in new)
    assert all(note.end < 4.1 for note in new)


def test_alternatives_are_heard_on_the_port_with_a_bar_around(
    desk: MakeDesk, jack: dict[str, str], homes: Path, tmp_path: Path
) -> None:
    at = opened(lambda: desk(VirtualPort()), tmp_path)
    at.wait_until_open()
    window = at.window
    with Listener("Continuo") as listener:

        def pitches(messages: list[bytes]) -> Counter[tuple[int, int]]:
            return Counter((m[0] & 15, m[1]) for m in messages if m[0] & 0xF0 == 0x90 and m[2])

        window.roll.set_span(SPAN)
        window.actions_["regenerate"].trigger()
        listener.wait_for(lambda m: bool(pitches(m)))  # the bar before, while the model samples
        at.wait(lambda: window.fill.is_choosing, "the alternatives")
        for number in (2, 0):
            session = window.fill.alternatives[number]
            expected = Counter(
                (message[0] & 15, message[1])
                for time, message in timeline(session)
                if 2.0 - 1e-6 <= time < 8.0 - 1e-6 and message[0] & 0xF0 == 0x90 and message[2]
            )
            before = len(listener.messages)
            QTest.keyClick(window.fill_bar, Qt.Key.Key_0 + number)  # type: ignore[arg-type]
            at.wait(lambda e=expected, b=before: not e - pitches(listener.messages[b:]), f"number {number} at the port")
        QTest.keyClick(window.fill_bar, Qt.Key.Key_Return)
        at.wait(lambda: not sounding(listener.messages), "silence")


def test_more_alternatives_are_added_up_to_eight(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    fill, bar = at.window.fill, at.window.fill_bar
    before = at.window.document.session
    at.set(seed=3, seed_locked=True)
    regenerated(at)
    there = list(fill.alternatives)
    for count in (7, 9):
        QTest.keyClick(bar, Qt.Key.Key_M)
        assert bar.more.text() == "Making more …"
        at.wait(lambda: fill.more is None, "further alternatives")
        assert len(fill.alternatives) == count
    assert fill.alternatives[:4] == there
    assert not bar.more.isEnabled()
    region = Region(*SPAN, frozenset([(1, 0), (2, 1)]))
    QTest.keyClick(bar, Qt.Key.Key_8)
    assert assert_only_filled(before, region, midi_bytes(at.window.document.session, "score")) > 0
    assert len({midi_bytes(session, "score") for session in fill.alternatives}) == 9
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert at.window.document.undo_name == "Regenerate bar 3"


def test_each_turn_of_what_is_heard_brings_the_next_alternative(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window = at.window
    window.commands.set_tempo(0, 960, None)
    at.wait(
        lambda: window.document.session.tempo_map.tempo_at(0) == 62_500, "the tempo"
    )  # bars of a quarter of a second, so that it goes round often
    fill, bar, document = window.fill, window.fill_bar, window.document
    regenerated(at, (0.5, 0.75))
    QTest.keyClick(bar, Qt.Key.Key_T)
    assert bar.turns.isChecked()
    shown = [fill.shown]
    fill.changed.connect(lambda: shown.append(fill.shown) if fill.shown != shown[-1] else None)
    at.wait(lambda: len(fill.alternatives) == 9 and len(shown) > 9, "all alternatives")
    assert all(after in (before + 1, 0) for before, after in pairwise(shown))
    assert window.transport.state.session is not None
    QTest.keyClick(bar, Qt.Key.Key_T)
    QTest.keyClick(bar, Qt.Key.Key_2)
    assert fill.shown == 2
    chosen = document.session.score
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert document.session.score is chosen


def test_notes_outside_the_range_of_the_panel_are_kept(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    before = at.window.document.session
    at.set(low=60, high=127)
    regenerated(at)
    region = Region(*SPAN, frozenset([(1, 0), (2, 1)]), 60, 127)
    new = [assert_only_filled(before, region, midi_bytes(s, "score")) for s in at.window.fill.alternatives[1:]]
    assert sum(new) > 0
