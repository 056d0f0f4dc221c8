"""What stays in its bars when the tempo is changed: all that the window shows, and a take that is being sampled."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.desktop.test_song import song
from tests.desktop.windows import BACH, Desk


@pytest.mark.parametrize("plays", [False, True])
def test_loop_span_and_playhead_stay_in_their_bars(desk: Callable[..., Desk], tmp_path: Path, plays: bool) -> None:
    (tmp_path / "song.mid").write_bytes(song())
    at = desk()
    at.open(tmp_path / "song.mid")
    window, document, roll = at.window, at.window.document, at.window.roll
    window.transport.set_loop((4.0, 8.0))
    roll.set_span((2.0, 6.0))
    window.transport.go_to(5.0)
    if plays:
        window.transport.toggle()
    for deed in (lambda: window.commands.set_tempo(0, 60.0, None), window.editing.undo):
        factor = 2.0 if document.undo_name != "Tempo and metre" else 1.0
        deed()
        at.settle()
        assert window.transport.loop == roll.overlays.loop == pytest.approx((4.0 * factor, 8.0 * factor))
        assert roll.span == pytest.approx((2.0 * factor, 6.0 * factor))
        assert 5.0 * factor <= window.transport.position < 5.0 * factor + (2.0 if plays else 0.001)
        assert window.transport.is_playing == plays
    window.transport.stop()
    at.open(BACH)
    assert (window.transport.loop, roll.span, window.transport.position) == (None, None, 0.0)


def test_a_take_begun_before_the_tempo_was_changed_is_where_it_was_to_be(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, document = at.window, at.window.document
    tempo_map = document.session.tempo_map
    marker = tempo_map.tick(document.session.marker)
    at.wait_until_ready()
    at.set(length=6.0, seed=3, seed_locked=True)
    window.proceed()
    at.wait(lambda: window.generation.in_progress and window.generation.in_progress[0].notes, "some notes")
    window.commands.set_tempo(0, 2 * round(60e6 / tempo_map.tempo_at(0)), None)
    at.wait(lambda: not window.generation.is_running, "the take")
    at.settle()
    (take,) = at.takes
    now = document.session.tempo_map
    assert now != tempo_map
    assert now.tick(take.marker) == marker
    ticks = now.exact_ticks_array([take.marker + note.start for note in take.notes])
    assert len(ticks) > 10
    assert max(abs(ticks - (ticks / 120).round() * 120)) < 1e-3
    planned = window.generation.take_to_come
    assert (planned.marker, planned.end) == (take.marker, take.end)


def test_a_take_is_shown_and_heard_on_its_ticks_while_it_is_sampled(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, document, roll = at.window, at.window.document, at.window.roll
    before = document.session.tempo_map
    at.wait_until_ready()
    at.set(length=600.0, seed=3, seed_locked=True)
    window.proceed()
    at.wait(lambda: window.generation.in_progress and len(window.generation.in_progress[0].notes) > 5, "some notes")
    window.commands.set_tempo(0, 2 * round(60e6 / before.tempo_at(0)), None)
    at.wait(lambda: document.session.tempo_map != before, "the tempo")
    now = document.session.tempo_map

    def ticks_shown() -> list[float]:
        part = next(part for part in roll.parts if part.kind == "take")
        return sorted(now.exact_ticks_array(np.concatenate((part.start, part.end))).tolist())

    def ticks_sampled() -> list[float]:
        count = next(len(part) for part in roll.parts if part.kind == "take")
        growing = window.generation.in_progress[0]
        notes = growing.notes[:count]
        times = [growing.marker + time for note in notes for time in (note.start, note.end)]
        return sorted(before.exact_ticks_array(times).tolist())

    assert ticks_shown() == pytest.approx(ticks_sampled(), abs=0.01)
    there = len(ticks_shown())
    at.wait(lambda: len(ticks_shown()) > there, "more notes")  # which come with the tempo that holds now
    assert ticks_shown() == pytest.approx(ticks_sampled(), abs=0.01)
    growing = window.generation.in_progress[0]
    head = roll.overlays.sampling_head
    assert head is not None
    assert now.exact_tick(head) == pytest.approx(before.exact_tick(growing.marker + growing.head), abs=0.01)
    at.wait(lambda: window.transport.position > now.seconds(before.tick(growing.marker)), "the sound")
    heard = window.transport.state.position
    assert heard is not None
    assert now.exact_tick(window.transport.position) == pytest.approx(before.exact_tick(heard), abs=0.01)
    assert roll.overlays.playhead == window.transport.position
    shown = ticks_shown()
    window.generation.stop()
    at.wait(lambda: not window.generation.is_running, "the take")
    assert ticks_shown()[: len(shown) // 2] == pytest.approx(shown[: len(shown) // 2], abs=0.01)
    assert window.transport.is_playing
    place = now.exact_tick(window.transport.position)
    at.wait(lambda: now.exact_tick(window.transport.position) > place, "the take to play on")
    assert window.transport.state.position == window.transport.position  # at the tempo of now
    window.transport.stop()
