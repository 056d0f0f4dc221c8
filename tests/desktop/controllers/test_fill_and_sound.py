"""What plays before, while and after a span is regenerated, and what becomes of the alternatives meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.codec.events import NoteMessage
from core.generation.filling.fill_rounds import FillStep
from core.midi.score import TakeNote
from core.performance.song import PlayRequest
from desktop.widgets.theme import Shade
from tests.desktop.controllers.test_fill import SPAN, MakeDesk
from tests.desktop.test_song import opened
from tests.desktop.windows import Desk


def regenerated(at: Desk) -> None:
    """Alternatives for a bar, at once: here what they are does not matter."""
    window, fill = at.window, at.window.fill
    window.worker.want_fill = lambda run: None  # type: ignore[method-assign]
    window.roll.set_span(SPAN)
    window.roll.setFocus()
    window.actions_["regenerate"].trigger()
    run = fill.run
    assert run is not None, at.messages
    run.alternatives = [run.plan.placed([TakeNote(pitch, 80, 0.0, 0.5)]) for pitch in (60, 62, 64)]
    fill._on_filled(run)
    assert fill.is_choosing


def requests_of(at: Desk) -> list[PlayRequest]:
    """What is asked to be played from now on."""
    requests: list[PlayRequest] = []
    play = at.window.playback.play
    at.window.playback.play = lambda request: (requests.append(request), play(request))[1]  # type: ignore[method-assign]
    return requests


@pytest.mark.parametrize(("shown", "said"), [(2, "alternative 2 is kept"), (0, "what stood there is kept")])
def test_a_take_plays_to_its_end_whatever_was_to_be_chosen(
    desk: MakeDesk, homes: Path, tmp_path: Path, shown: int, said: str
) -> None:
    at = opened(desk, tmp_path)
    window, transport, document = at.window, at.window.transport, at.window.document
    before, undo_name = document.session, document.undo_name
    at.wait_until_ready()
    at.set(length=1.5)
    regenerated(at)
    QTest.keyClick(window.fill_bar, Qt.Key.Key_0 + shown)  # type: ignore[arg-type]
    chosen = document.session.score
    window.actions_["continue"].trigger()
    assert window.generation.is_running
    assert said in at.messages[-1]
    assert (window.fill.is_choosing, window.fill_bar.isVisible()) == (False, False)
    assert document.session.score is (chosen if shown else before.score)
    at.wait(lambda: not window.generation.is_running, "the take")
    take = at.takes[0]
    assert transport.is_playing
    assert document.session.score is (chosen if shown else before.score)
    assert document.undo_name == "Continue"
    at.wait(lambda: not transport.is_playing or transport.position > take.marker + 0.2, "the take to be heard")
    assert transport.is_playing
    window.editing.undo()
    assert document.undo_name == ("Regenerate bar 3" if shown else undo_name)


def test_a_take_may_begin_while_a_span_is_regenerated(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window = at.window
    at.wait_until_ready()
    at.set(length=1.0)
    window.roll.set_span(SPAN)
    window.actions_["regenerate"].trigger()
    assert window.actions_["continue"].isEnabled()
    assert not window.actions_["tempo"].isEnabled()
    window.actions_["continue"].trigger()
    assert "given up for the take" in at.messages[-1]
    at.wait(lambda: not window.generation.is_running and window.fill.run is None, "the take")
    assert (len(at.takes), window.fill.is_choosing, window.fill_bar.isVisible()) == (1, False, False)


def test_what_is_around_goes_round_until_the_alternatives_come(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, fill, transport = at.window, at.window.fill, at.window.transport
    requests, refreshed = requests_of(at), list[PlayRequest]()
    refresh = window.playback.refresh
    window.playback.refresh = lambda request, since: (refreshed.append(request), refresh(request, since))[1]  # type: ignore[method-assign]
    window.worker.want_fill = lambda run: None  # type: ignore[method-assign]
    window.roll.set_span(SPAN)
    window.actions_["regenerate"].trigger()
    assert (requests[-1].at, requests[-1].loop) == (2.0, (2.0, 8.0))
    run = fill.run
    assert run is not None
    run.follow = lambda: True  # type: ignore[method-assign]
    fill.poll()
    run.follow = lambda: False  # type: ignore[method-assign]
    assert (len(refreshed), refreshed[-1].loop) == (1, (2.0, 8.0))
    run.follow = lambda: True  # type: ignore[method-assign]
    fill.poll()  # too soon to be heard
    run.follow = lambda: False  # type: ignore[method-assign]
    at.wait(lambda: len(refreshed) > 1, "what came last")
    assert len(requests) == 1
    run.share = 0.7
    fill.poll()
    assert window.fill_bar.progress.value() == 70
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Escape)
    fill._on_filled(run)
    assert not transport.is_playing  # as before


def test_what_played_before_goes_on_once_one_is_kept_or_all_are_dropped(
    desk: MakeDesk, homes: Path, tmp_path: Path
) -> None:
    at = opened(desk, tmp_path)
    window, transport = at.window, at.window.transport
    requests = requests_of(at)
    regenerated(at)
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Return)
    assert not transport.is_playing  # nothing played before
    window.roll.loop_changed.emit((0.0, 2.0))
    transport.play(0.0)
    at.set(temperature=1.1)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        regenerated(at)
        QTest.keyClick(window.fill_bar, key)
        assert (transport.is_playing, transport.is_looping, requests[-1].loop) == (True, True, (0.0, 2.0))
        assert requests[-1].session.score is window.document.session.score
        at.set(temperature=1.2)
    transport.set_looping(False)
    regenerated(at)
    window.commands.change("Mute", lambda s: s.with_flags(0, mute=True))  # something else
    assert "alternative 1 is kept" in at.messages[-1]
    assert (transport.is_playing, requests[-1].loop, window.fill_bar.isVisible()) == (True, None, False)


def test_the_others_come_back_as_long_as_the_music_is_the_same(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, fill, document = at.window, at.window.fill, at.window.document
    original = document.session.score
    regenerated(at)
    there = list(fill.alternatives)
    QTest.keyClick(window.fill_bar, Qt.Key.Key_2)
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Return)
    assert "With R the others" in at.messages[-1]
    kept = document.session.score
    window.commands.change("Move marker", lambda s: s.with_marker(2.0))  # which is no other music
    for undone in (0, 2):  # the marker and the alternative; that others were looked at is no step
        for _ in range(undone):
            window.editing.undo()
        assert document.session.score is (original if undone else kept)
        marker = document.session.marker
        window.actions_["regenerate"].trigger()
        assert (fill.run, fill.alternatives, fill.shown) == (None, there, 2)
        assert (document.session.score, window.fill_bar.isVisible()) == (kept, True)
        QTest.keyClick(window.fill_bar, Qt.Key.Key_3)
        QTest.keyClick(window.fill_bar, Qt.Key.Key_2)
        assert document.session.marker == marker
        QTest.keyClick(window.fill_bar, Qt.Key.Key_Return)
    window.actions_["regenerate"].trigger()
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Escape)
    assert document.session.score is original
    window.actions_["regenerate"].trigger()  # all of them were dropped
    assert fill.run is not None


def test_new_notes_are_made_softer_while_the_bar_has_the_keys(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window = at.window
    regenerated(at)
    for key, velocity in ((Qt.Key.Key_Down, 79), (Qt.Key.Key_Up, 80)):
        QTest.keyClick(window.fill_bar, key, Qt.KeyboardModifier.ControlModifier)
        new = [n for track in window.document.session.tracks for n in track.notes if (n.pitch, n.start) == (60, 4.0)]
        assert [note.velocity - 80 < 0 for note in new] == [velocity < 80]
        if key == Qt.Key.Key_Down:
            assert "alternative 1 is kept" in at.messages[-1]
            window.editing.undo()
            regenerated(at) if not window.fill.alternatives else window.actions_["regenerate"].trigger()


def test_other_settings_or_another_document_ask_for_others(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, fill = at.window, at.window.fill
    regenerated(at)
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Return)
    at.set(temperature=1.3)
    regenerated(at)
    at.messages.clear()
    window.file_controller.new()
    at.settle()
    assert (fill.is_choosing, fill.alternatives, window.fill_bar.isVisible()) == (False, [], False)
    assert not [words for words in at.messages if "kept" in words]


def test_what_is_dropped_is_gone_also_after_another_step(desk: MakeDesk, homes: Path, tmp_path: Path) -> None:
    at = opened(desk, tmp_path)
    window, document = at.window, at.window.document
    before = document.session
    regenerated(at)
    window.commands.change("Move marker", lambda s: s.with_marker(2.0))
    QTest.keyClick(window.fill_bar, Qt.Key.Key_3)
    assert document.session.marker == 2.0
    QTest.keyClick(window.fill_bar, Qt.Key.Key_Escape)
    assert document.session == replace(before, marker=2.0, settings=document.session.settings)


def test_what_is_replaced_is_faint_and_new_notes_have_their_lengths(
    desk: MakeDesk, homes: Path, tmp_path: Path
) -> None:
    at = opened(desk, tmp_path)
    window, roll = at.window, at.window.roll

    def faint() -> set[tuple[int, float]]:
        return {(i, float(t)) for i, p in enumerate(roll.parts) for t in p.start[p.shade == Shade.SILENT]}

    assert faint() == set()
    window.worker.want_fill = lambda run: None  # type: ignore[method-assign]
    window.roll.set_span(SPAN)
    window.actions_["regenerate"].trigger()
    gone = faint()
    assert {part for part, _ in gone} == {0, 1}
    assert all(SPAN[0] <= start < SPAN[1] for _, start in gone)
    run = window.fill.run
    assert run is not None
    on, off = NoteMessage(0, 60, 80, 0.5), NoteMessage(0, 60, 0, 0.75)
    for messages, head in (((on,), 0.5), ((off,), 0.75), ((on._replace(pitch=64, time=0.75),), 1.0)):
        run._on_step(FillStep(0, messages, head, False))
    window.fill.poll()
    over = roll.overlays
    assert [(n.pitch, n.start, n.end) for n in over.ended] == [(60, 4.5, 4.75)]
    assert ([note.pitch for note in over.sounding], over.sampling_head) == ([64], 5.0)
    run.stop()
    window.fill._on_filled(run)
    assert faint() == set()
    assert roll.overlays.ended == ()
