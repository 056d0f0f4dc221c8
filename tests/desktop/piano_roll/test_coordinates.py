import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.piano_roll.coordinates import (
    MAX_PIXELS_PER_SECOND,
    MIN_PIXELS_PER_SECOND,
    PITCHES,
    Viewport,
)

ratios = st.sampled_from([1.0, 1.25, 1.5, 2.0])


@st.composite
def viewports(draw: st.DrawFn) -> Viewport:
    ratio = draw(ratios)
    return Viewport(
        left=draw(st.floats(0, 5000)),
        pixels_per_second=draw(st.floats(MIN_PIXELS_PER_SECOND, MAX_PIXELS_PER_SECOND)),
        top=draw(st.floats(0, 1000)),
        row=draw(st.integers(round(7 * ratio), round(40 * ratio))),
        width=draw(st.integers(50, 3000)),
        height=draw(st.integers(50, 850)),
        ratio=ratio,
    )


@given(viewports(), st.floats(0, 3000))
def test_a_pixel_is_the_time_it_shows(view: Viewport, x: float) -> None:
    assert view.x(view.seconds(x)) == pytest.approx(x, abs=1e-3)


@given(viewports(), st.integers(0, PITCHES - 1))
def test_a_row_shows_its_pitch(view: Viewport, pitch: int) -> None:
    assert view.pitch(view.y(pitch) + view.row_height / 2) == pitch


@given(viewports(), st.floats(0.01, 100), st.floats(0, 3000))
def test_zooming_keeps_the_time_under_the_pointer(view: Viewport, factor: float, x: float) -> None:
    zoomed = view.zoomed(factor, x)
    # The origin stands on a whole device pixel before and after.
    assert zoomed.x(view.left + x / view.pixels_per_second) == pytest.approx(x, abs=0.51 / view.ratio + 1e-3)


@given(viewports(), st.floats(0.05, 20), st.floats(0, 800))
def test_zooming_there_and_back_ends_where_it_began(view: Viewport, factor: float, x: float) -> None:
    there = view.zoomed(factor, x)
    back = there.zoomed(view.pixels_per_second / there.pixels_per_second, x)
    assert back.left == pytest.approx(view.left, abs=1e-6)


@given(viewports(), st.sampled_from([0.5, 0.9, 1.1, 3.0]), st.floats(0, 800))
def test_zooming_pitch_keeps_the_pitch_under_the_pointer(view: Viewport, factor: float, y: float) -> None:
    zoomed = view.pitch_zoomed(factor, y)
    before, after = (view.top + y * view.ratio) / view.row, (zoomed.top + y * zoomed.ratio) / zoomed.row
    assert after == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("factor", [1.01, 0.99])
def test_the_smallest_pitch_zoom_changes_something(factor: float) -> None:
    assert Viewport(row=12).pitch_zoomed(factor, 100).row != 12


@given(viewports(), st.floats(0, 5000), st.floats(0.02, 10), st.integers(0, 127))
def test_a_box_is_where_the_note_sounds(view: Viewport, start: float, length: float, pitch: int) -> None:
    left, top, right, bottom = view.boxes([start], [start + length], [pitch])[0].tolist()
    assert left == pytest.approx(start * view.scale, abs=0.51)
    assert right + 1 == pytest.approx(max((start + length) * view.scale, left + view.shortest), abs=0.51)
    middle = ((top + bottom) / 2 - view.origin[1]) / view.ratio
    if middle >= 0:
        assert view.pitch(middle) == pitch


@given(viewports(), st.floats(0, 1000), st.floats(1, 1000), st.integers(0, 127), st.integers(0, 127))
def test_fitting_shows_all_of_it(view: Viewport, start: float, span: float, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assume(span * MIN_PIXELS_PER_SECOND <= view.width)  # else no zoom shows all
    fitted = view.fitted(start, start + span, low, high).clamped(start + span)
    half = 0.5 + 1e-6  # a pixel, and what the sums of floats are off
    assert fitted.x(start) >= -half
    assert fitted.x(start + span) <= fitted.width + half
    shown = fitted.pitches
    if (high - low + 1) * fitted.row <= fitted.height * fitted.ratio:
        assert shown[0] <= low
        assert shown[1] >= high


@given(viewports(), st.floats(-10_000, 10_000), st.floats(-10_000, 10_000), st.floats(0, 6000))
def test_nothing_shows_before_the_start_or_beyond_the_pitches(view: Viewport, dx: float, dy: float, end: float) -> None:
    moved = view.scrolled(dx, dy).clamped(end)
    assert moved.left >= 0
    assert moved.left == 0 or moved.left + moved.width / moved.pixels_per_second <= end + 1e-6
    assert 0 <= moved.top <= max(PITCHES * moved.row - moved.height * moved.ratio, 0)


@given(viewports(), st.integers(100, 3000), st.integers(100, 2000), ratios)
def test_rows_fill_every_size(view: Viewport, width: int, height: int, ratio: float) -> None:
    resized = view.resized(width, height, ratio)
    assert resized.row * PITCHES >= min(height * ratio, 40 * ratio * PITCHES) - 1
