"""Moving notes to a grid: strength, ends, swing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mido import MetaMessage

from core.errors import UsageError
from core.session.edits import Chosen, SessionNoteRef, note_at
from core.session.edits_quantise import QUANTISE_GRIDS, Edges, Quantisation, quantise
from core.session.edits_time import swing
from core.session.session import Session, session_from_midi
from tests.core.midi.builders import file_of, off, on
from tests.core.session.sessions import band, band_with_take


@pytest.mark.parametrize(("grid", "line"), [("1/4", 480), ("1/8", 240), ("1/16", 120), ("1/32", 60)])
def test_quantising_a_score_puts_onsets_on_lines_and_keeps_lengths(grid: str, line: int) -> None:
    data = file_of([on(60, 130), off(60, 100), on(62, 277), off(62, 90), on(64, 1003), off(64, 333)])
    session = session_from_midi(data, "x.mid")
    after, chosen = quantise(session, {0: range(3)}, Quantisation(grid))
    assert after.score is not None
    notes = after.score.tracks[0].notes
    assert [n.start_tick for n in notes] == [round(t / line) * line for t in (130, 507, 1600)]
    assert [n.end_tick - n.start_tick for n in notes] == [100, 90, 333]
    assert len(chosen[0]) == 3


def test_triplets_and_bars_of_odd_metre() -> None:
    session = session_from_midi(file_of([on(60, 150), off(60, 10)]), "x.mid")
    after, _ = quantise(session, {0: [0]}, Quantisation("1/8t"))
    assert note_at(after, SessionNoteRef(0, 0)).start_tick == 160  # type: ignore[union-attr]
    # Bars of 7/8 are 1680 ticks: quarters count from each bar's start, and the next bar line is one too.
    seven = [MetaMessage("time_signature", numerator=7, denominator=8)]
    session = session_from_midi(file_of(seven, [on(60, 2150), off(60, 10), on(62, 1140), off(62, 10)]), "x.mid")
    after, _ = quantise(session, {0: [0, 1]}, Quantisation("1/4"))
    assert [n.start_tick for n in after.score.tracks[0].notes] == [2160, 3360]  # type: ignore[union-attr]


def test_quantising_a_take_goes_by_the_scores_bars() -> None:
    session = band_with_take().with_marker(0.0)
    take = replace(session.takes[0], marker=0.37)
    session = session.with_changed_take(take)
    chosen: Chosen = {take.id: range(3)}
    after, _ = quantise(session, chosen, Quantisation("1/8"))
    ticks = [after.tempo_map.exact_tick(0.37 + n.start) for n in after.takes[0].notes]
    assert [round(t, 6) % 240 for t in ticks] == [0, 0, 0]
    assert min(n.start for n in after.takes[0].notes) >= 0


def test_an_unknown_grid_is_refused() -> None:
    with pytest.raises(UsageError):
        quantise(band(), {0: [0]}, Quantisation("1/5"))


def notes(*times: tuple[int, int]) -> Session:
    """A track with notes from tick to tick, which do not overlap."""
    messages, now = [], 0
    for i, (start, end) in enumerate(times):
        messages += [on(60 + i % 12, start - now), off(60 + i % 12, end - start)]
        now = end
    return session_from_midi(file_of(messages), "x.mid")


def ticks(session: Session) -> list[tuple[int, int]]:
    assert session.score is not None
    return [(note.start_tick, note.end_tick) for note in session.score.tracks[0].notes]


def quantised(session: Session, to: Quantisation) -> list[tuple[int, int]]:
    count = len(ticks(session))
    after, chosen = quantise(session, {0: range(count)}, to)
    assert chosen == {0: list(range(count))}
    return ticks(after)


@pytest.mark.parametrize(
    ("what", "strength", "expected"),
    [
        ("starts", 100, [(120, 330), (480, 523)]),
        ("starts", 50, [(110, 320), (485, 528)]),
        ("ends", 100, [(100, 360), (490, 600)]),
        ("both", 100, [(120, 360), (480, 600)]),
        ("both", 50, [(110, 335), (485, 566)]),
        ("both", 0, [(100, 310), (490, 533)]),
    ],
)
def test_starts_ends_or_both_go_so_far(what: Edges, strength: int, expected: list[tuple[int, int]]) -> None:
    # The second ends nearer to the line that it begins on than to the next: it keeps a length.
    session = notes((100, 310), (490, 533))
    assert quantised(session, Quantisation("1/16", what, strength)) == expected


@pytest.mark.parametrize("percent", [50, 57, 66, 75])
def test_quantised_with_swing_is_quantised_and_then_swung(percent: int) -> None:
    session = notes((5, 100), (230, 400), (497, 600), (700, 800), (1190, 1300))
    straight, chosen = quantise(session, {0: range(5)}, Quantisation("1/8"))
    swung, _ = swing(straight, chosen, percent)
    to = Quantisation("1/8", swing=percent)
    assert [start for start, _ in quantised(session, to)] == [start for start, _ in ticks(swung)]


def test_swung_notes_stay_where_they_are_and_triplets_have_no_swing() -> None:
    session = notes((0, 100), (320, 400), (480, 600), (800, 900))
    assert quantised(session, Quantisation("1/8", swing=67)) == [(0, 100), (322, 402), (480, 600), (802, 902)]
    assert quantised(session, Quantisation("1/8t", swing=75)) == ticks(session)


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), min_size=1, max_size=12),
    st.sampled_from(QUANTISE_GRIDS),
    st.sampled_from(("starts", "ends", "both")),
    st.integers(0, 100),
    st.integers(50, 80),
)
@example([(50, 1)], "1/4", "starts", 1, 50)  # 49.5 to 50.5
def test_no_note_is_lost_or_empty_and_none_goes_past_its_line(
    gaps: list[tuple[int, int]], grid: str, what: Edges, strength: int, percent: int
) -> None:
    times, now = [], 0
    for gap, length in gaps:
        times.append((now + gap, now + gap + length))
        now = times[-1][1]
    session = notes(*times)
    after, chosen = quantise(session, {0: range(len(times))}, Quantisation(grid, what, strength, percent))
    moved = np.array(ticks(after))
    assert len(moved) == len(times)
    assert (moved[:, 1] > moved[:, 0]).all()
    assert (moved >= 0).all()
    pitches = sorted(note.pitch for note in after.score.tracks[0].notes)  # type: ignore[union-attr]
    assert pitches == sorted(note.pitch for note in session.score.tracks[0].notes)  # type: ignore[union-attr]
    if strength == 100 and what != "starts":
        again, _ = quantise(after, chosen, Quantisation(grid, what, strength, percent))
        assert ticks(again) == ticks(after)  # all is on its line
