"""Windows with middles against the music that they were made of."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Conventions
from core.codec.vocabulary import (
    ATTRIBUTES,
    BOUNDARY,
    END,
    MIDDLE,
    NOTE_OFF,
    NOTE_ON,
    PADDING,
    SUFFIX,
    VELOCITY,
    VOCABULARY_SIZE,
    Kind,
    middle,
    shift_steps,
)
from core.training.data.batches import stack
from core.training.data.corpus import Piece
from core.training.data.middles import _draw_span, middle_window, symbol_window
from core.training.data.notes import NOTE, Notes, note_events, on_grid, to_steps
from core.training.recipes import Augmentation
from tests.core.training.tunes import tune_pitches

EVERYTHING = 100_000  # ids: a window that has place for any piece of these tests
Moment = tuple[int, bool, int, int]  # step, whether a note begins, pitch, velocity bin
Span = tuple[int, int, int, int]  # start, pitch, end, velocity bin


def piece_of(notes: Notes, source: str = "tunes", quarter: float = 0.0) -> Piece:
    return Piece("", source, "", "", "train", 1.0, quarter, 0, len(notes), 0, len(note_events(notes)))


@st.composite
def some_notes(draw: st.DrawFn) -> Notes:
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 40_000),
                st.integers(0, 20_000),
                st.integers(50, 62),
                st.integers(1, 127),
                st.integers(0, 2),
            ),
            min_size=2,
            max_size=40,
        )
    )
    notes = np.array(sorted((start, start + length, *rest) for start, length, *rest in rows), NOTE)
    lead = notes["start"][0] // 16 * 16  # as score_notes leaves it
    notes["start"] -= lead
    notes["end"] -= lead
    return notes


def moments(ids: list[int]) -> list[Moment]:
    """What begins and ends in a section, from its step 0 on; every note has its velocity said in the section."""
    step, said, found = 0, -1, []
    for event in ids:
        step += shift_steps(event)
        if VELOCITY.first <= event < VELOCITY.end:
            said = event - VELOCITY.first
        elif event < NOTE_ON.end:
            assert said >= 0
            found.append((step, True, event, said))
        elif event < NOTE_OFF.end:
            found.append((step, False, event - NOTE_OFF.first, 0))
    return found


def clock(ids: list[int]) -> list[int]:
    return np.cumsum([shift_steps(event) for event in ids]).tolist()


def divided(window: np.ndarray) -> tuple[list[int], list[int], int, list[int]]:
    """Prefix, suffix, MIDDLE, middle of a window without attributes."""
    ids = window.tolist()
    at, ends = ids.index(SUFFIX), ids.index(END)
    begins = next(i for i, each in enumerate(ids) if MIDDLE.first <= each < MIDDLE.end)
    assert at < begins < ends == len(ids) - 1
    parts = ids[:at], ids[at + 1 : begins], ids[begins + 1 : ends]
    assert max(map(max, filter(None, parts))) < PADDING
    return parts[0], parts[1], ids[begins], parts[2]


def notes_of(found: list[Moment]) -> list[Span]:
    """The notes of moments, each of which must end."""
    sounding: dict[int, tuple[int, int]] = {}
    notes = []
    for step, is_on, pitch, said in found:
        if is_on:
            assert pitch not in sounding
            sounding[pitch] = (step, said)
        else:
            start, velocity = sounding.pop(pitch)
            assert start < step
            notes.append((start, pitch, step, velocity))
    assert not sounding
    return notes


def put_together(notes: list[Span]) -> list[Span]:
    """All notes, a re-strike ending the sounding one."""
    ordered = sorted(notes)
    for i, (start, pitch, end, velocity) in enumerate(ordered):
        after = min((s for s, p, *_ in ordered if p == pitch and s > start), default=end)
        ordered[i] = (start, pitch, min(end, after), velocity)
    return ordered


def without_attributes(window: np.ndarray) -> np.ndarray:
    return window[
        (window < VOCABULARY_SIZE)
        | (window == SUFFIX)
        | (window == END)
        | ((window >= MIDDLE.first) & (window < MIDDLE.end))
    ]


@given(
    some_notes(),
    st.integers(0, 1 << 30),
    st.sampled_from([(1.0, 0, 0), (0.9, -5, 9), (1.13, 3, -20)]),
    st.booleans(),
    st.sampled_from([Conventions(), Conventions("each", False)]),
)
def test_a_middle_put_back_between_prefix_and_suffix_is_the_music(
    notes: Notes, seed: int, change: tuple[float, int, int], is_whole: bool, conventions: Conventions
) -> None:
    piece = piece_of(notes)
    window = middle_window(
        notes, piece, conventions, EVERYTHING, change, np.random.default_rng(seed), is_whole=is_whole
    )
    if window is None:
        return
    prefix, suffix, sign, new = divided(without_attributes(window))
    span = _draw_span(notes["start"], EVERYTHING, np.random.default_rng(seed))
    begin, end = (
        to_steps(np.array([span.start, span.end]), change[0]) - to_steps(notes["start"][:1], change[0])
    ).tolist()
    seam = end - begin

    assert (prefix[:1] == [BOUNDARY]) == conventions.starts_with_boundary
    assert suffix[-1] == BOUNDARY
    assert sum(map(shift_steps, prefix)) == begin
    assert sign == middle(seam / 100)
    assert seam in clock(suffix)
    assert seam in clock(new)

    # Kept notes and new ones, each by itself whole; new ones begin in the span and end before END.
    kept = moments(prefix) + [(step + begin, on, pitch, said) for step, on, pitch, said in moments(suffix)]
    added = [(step + begin, on, pitch, said) for step, on, pitch, said in moments(new)]
    assert all(begin <= step < end for step, is_on, *_ in added if is_on)
    assert any(is_on for _, is_on, *_ in added)
    old, made = notes_of(kept), notes_of(added)
    if is_whole:
        assert not any(begin <= step < end for step, is_on, *_ in kept if is_on)

    grid = on_grid(notes, *change).cut()
    truth = zip(grid.start.tolist(), grid.pitch.tolist(), grid.end.tolist(), (grid.velocity // 4).tolist(), strict=True)
    assert put_together([*old, *made]) == sorted(truth)


@given(some_notes(), st.integers(0, 1 << 30), st.integers(30, 300))
def test_a_short_window_is_a_part_of_the_whole_one(notes: Notes, seed: int, length: int) -> None:
    piece = piece_of(notes)
    rng = np.random.default_rng(seed)
    window = middle_window(notes, piece, Conventions(), length, (1.0, 0, 0), rng, is_whole=True)
    if window is None:
        return
    assert len(window) <= length
    prefix, suffix, _, new = divided(without_attributes(window))
    assert any(seam in clock(suffix) for seam in clock(new)[-30:])
    notes_of(moments(new))
    if prefix[:1] == [BOUNDARY]:
        # But for time shifts, which are cut at the seam, all stands there as in the piece.
        whole = [e for e in note_events(notes, boundary=True).tolist() if not shift_steps(e)]
        there = [e for e in prefix if not shift_steps(e)]
        assert there == whole[: len(there)]
    else:
        # Where notes lie before it, the velocity in force is said anew.
        assert all(e >= NOTE_ON.end for e in prefix) or VELOCITY.first <= prefix[0] < VELOCITY.end


def tune(count: int = 400, tracks: int = 2) -> Notes:
    """Quavers in two hands, each a track, with chords now and then."""
    notes = np.zeros(count, NOTE)
    notes["start"] = np.arange(count) // 2 * 400 + 8
    notes["end"] = notes["start"] + 380
    notes["pitch"] = np.array(tune_pitches(3, count)) // 2 + np.where(np.arange(count) % 2, 50, 20)
    notes["velocity"] = 40 + np.arange(count) % 50
    notes["track"] = np.arange(count) % tracks
    return notes


def test_half_of_the_windows_are_left_to_right_and_each_attribute_is_dropped_in_a_fifth() -> None:
    notes = tune()
    rng = np.random.default_rng(1)
    windows = [
        symbol_window(notes, piece_of(notes), Conventions(), 400, Augmentation(), rng).tolist() for _ in range(600)
    ]
    kinds: Counter[str] = Counter()
    told: Counter[Kind | None] = Counter()
    for window in windows:
        assert len(window) <= 400
        assert window.count(SUFFIX) == window.count(END) <= 1
        symbols = [each for each in window if each >= MIDDLE.end]
        assert window[: len(symbols)] == symbols == sorted(symbols)
        told.update(kind for kind in ATTRIBUTES for each in symbols if kind.first <= each < kind.end)
        told[None] += not symbols
        if SUFFIX not in window:
            kinds["left to right"] += 1
            continue
        suffix = window[window.index(SUFFIX) : next(i for i, e in enumerate(window) if MIDDLE.first <= e < MIDDLE.end)]
        new = window[len(window) - window[::-1].index(END) - 2 :]
        is_whole = _first_onset(suffix) >= _onsets_end(window)
        kinds["whole" if is_whole else "part"] += 1
        assert new
    assert kinds["left to right"] == pytest.approx(300, abs=40)
    assert kinds["whole"] == pytest.approx(200, abs=40)
    assert kinds["part"] == pytest.approx(100, abs=30)
    assert told.pop(None) == pytest.approx(60, abs=25)
    assert [told[kind] for kind in ATTRIBUTES] == pytest.approx([480] * 7, abs=40)
    assert {each for window in windows for each in window if each >= 460} == {460}


def _first_onset(ids: list[int]) -> int:
    return next((step for step, is_on, *_ in moments(ids) if is_on), 1 << 30)


def _onsets_end(window: list[int]) -> int:
    begins = next(i for i, e in enumerate(window) if MIDDLE.first <= e < MIDDLE.end)
    return max(step for step, is_on, *_ in moments(window[begins + 1 :]) if is_on)


def test_of_the_symbols_the_model_is_only_asked_for_the_end() -> None:
    notes = tune()
    rng = np.random.default_rng(0)
    window = middle_window(notes, piece_of(notes), Conventions(), 600, (1.0, 0, 0), rng, is_whole=True)
    assert window is not None
    inputs, targets = stack([window], 1, 599)
    assert inputs[0].tolist() == [*window[:-1].tolist(), *[PADDING] * (600 - len(window))]
    wanted = [each if each < VOCABULARY_SIZE or each == END else PADDING for each in window[1:].tolist()]
    assert targets[0].tolist() == [*wanted, *[PADDING] * (600 - len(window))]
    assert END in wanted


def test_scores_are_told_from_what_was_played() -> None:
    notes = tune()
    for source, quarter, symbol in (("mutopia", 0.0, 461), ("asap", 0.0, 460), ("mine", 0.5, 461), ("mine", 0.0, 460)):
        rng = np.random.default_rng(2)
        windows = [
            symbol_window(notes, piece_of(notes, source, quarter), Conventions(), 300, None, rng) for _ in range(20)
        ]
        assert {int(each) for window in windows for each in window if each >= 460} == {symbol}
