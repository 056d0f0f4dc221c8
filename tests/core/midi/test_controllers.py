"""Points and spans of controllers, as plain lists."""

import math

from hypothesis import example, given
from hypothesis import strategies as st

from core.midi.controllers import (
    BEND,
    Point,
    control_message,
    drawn,
    moved_span,
    spans,
    value_of,
    with_span,
    without_span,
)

VALUES = st.sampled_from([0, 0, 20, 63, 64, 90, 127])
POINTS = st.lists(st.tuples(st.integers(0, 60), VALUES), max_size=12).map(
    lambda pairs: [Point(at, value) for at, value in sorted(pairs, key=lambda p: p[0])]
)


def down(points: list[Point]) -> set[int]:
    """The ticks at which a pedal is down."""
    return {t for span in spans(points) for t in range(int(span.start), int(min(span.end, 200)))}


def test_a_bend_has_fourteen_bits() -> None:
    for value in (0, 1, 127, 128, 8192, 16383):
        assert value_of(control_message(BEND, value, 3), BEND) == value
    assert value_of(control_message(64, 200, 3), 64) == 127
    assert value_of(control_message(1, 5, 0), 64) is None


@given(POINTS, POINTS, st.integers(0, 60), st.integers(0, 60))
def test_drawing_changes_what_lies_there_alone(old: list[Point], new: list[Point], a: int, b: int) -> None:
    start, end = sorted((a, b))
    after = drawn(old, start, end, new)
    assert [p for p in after if not start <= p.at <= end] == [p for p in old if not start <= p.at <= end]
    assert [p for p in after if start <= p.at <= end] == [p for p in new if start <= p.at <= end]


def test_spans_with_a_reset_and_without_an_end() -> None:
    points = [Point(0, 127), Point(10, 30), Point(10, 90), Point(30, 127)]
    assert [(s.start, s.end) for s in spans(points)] == [(0, 10), (10, math.inf)]
    assert [(s.start, s.end) for s in spans(points, [0, 20])] == [(0, 10), (10, 20), (30, math.inf)]


@given(POINTS, st.integers(0, 60), st.integers(1, 30))
def test_a_pedal_that_is_drawn_joins_those_that_are_there(points: list[Point], start: int, length: int) -> None:
    after = with_span(points, start, start + length)
    assert down(after) == down(points) | set(range(start, start + length))
    outside = [p for p in points if not start <= p.at <= start + length]
    assert [p for p in after if not start <= p.at <= start + length] == outside


@given(POINTS, st.integers(0, 11))
def test_a_pedal_that_is_deleted_leaves_the_others(points: list[Point], which: int) -> None:
    found = spans(points)
    if found:
        span = found[which % len(found)]
        rest = without_span(points, span)
        assert [(s.start, s.end) for s in spans(rest)] == [(s.start, s.end) for s in found if s != span]


@given(POINTS, st.integers(0, 11), st.integers(0, 60), st.integers(1, 30))
@example([Point(39, 64), Point(39, 0), Point(40, 64)], 0, 9, 30)  # pressed and lifted at once where it is to end
def test_a_pedal_that_is_moved_or_resized(points: list[Point], which: int, start: int, length: int) -> None:
    found = spans(points)
    if found:
        span = found[which % len(found)]
        others = down(without_span(points, span))
        after = moved_span(points, span, start, start + length)
        assert (start, start + length) in [(s.start, s.end) for s in spans(after)]
        assert down(after) == others | set(range(start, start + length))


def test_a_pedal_that_nothing_lifts_is_moved_and_ended() -> None:
    points = [Point(0, 127), Point(5, 0), Point(10, 127), Point(20, 100)]
    span = spans(points)[1]
    assert moved_span(points, span, 15, math.inf) == [*points[:2], Point(15, 127), points[3]]
    assert moved_span(points, span, 3, math.inf) == [points[0], Point(3, 0), Point(3, 127), *points[2:]]
    assert moved_span(points, span, 10, 30) == [*points, Point(30, 0)]


def test_a_pedal_that_is_moved_over_others_leaves_presses_of_their_own() -> None:
    points = [Point(0, 127), Point(20, 0), Point(20, 100), Point(30, 0)]
    first, second = spans(points)
    assert [(s.start, s.end) for s in spans(moved_span(points, first, 5, 25))] == [(5, 25), (25, 30)]
    assert [(s.start, s.end) for s in spans(moved_span(points, second, 15, 25))] == [(0, 15), (15, 25)]
    assert [(s.start, s.end) for s in spans(moved_span(points, second, 5, 15))] == [(0, 5), (5, 15), (15, 20)]
    assert moved_span(points, first, 5, 25)[-2:] == [Point(25, 100), Point(30, 0)]
    assert [(s.start, s.end) for s in spans(moved_span(points, first, 15, 35))] == [(15, 35)]


def test_half_pedals_go_along() -> None:
    points = [Point(0, 70), Point(5, 100), Point(10, 20), Point(30, 127), Point(40, 0)]
    span = spans(points)[0]
    moved = [Point(12, 70), Point(17, 100), Point(22, 20), *points[3:]]
    assert moved_span(points, span, 12, 22) == moved
    assert moved_span(points, span, 0, 4) == [Point(0, 70), Point(4, 20), *points[3:]]
    assert moved_span(points, span, 7, 10) == [Point(7, 100), Point(10, 20), *points[3:]]
