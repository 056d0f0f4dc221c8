"""Regions of held-out music, and how well they are filled."""

from collections import Counter

import pytest

from core.generation.filling.filler import LeftToRightFiller
from core.generation.options import Options
from core.midi.region import Region
from core.training.evaluation.continuations import HeldOut, as_file
from core.training.evaluation.fills import FilledRegion, as_rows, choose_regions, fill_region, summary
from tests.core.training.evaluation.test_continuations import chords
from tests.reliability.fill import small_engine


def test_regions_are_of_every_length_and_source_and_on_beats() -> None:
    gridded = [HeldOut(f"gridded/{i}", chords(70, 0.5), 0.5) for i in range(3)]
    played = [HeldOut(f"played/{i}", chords(60, 0.45, lead_in=0.003), 0.0) for i in range(3)]
    found = choose_regions(
        {"gridded": gridded, "played": played, "short": [HeldOut("short", chords(20, 0.5), 0.5)]}, 24
    )
    lengths = Counter(round(region.end - region.start) for _, region in found)
    assert lengths == {2: 6, 4: 6, 8: 6, 16: 6}
    assert Counter(piece.title[:4] for piece, _ in found) == {"grid": 12, "play": 12}
    for piece, region in found:
        assert region.start >= 19.7
        assert region.end + 7.7 <= piece.seconds
        if piece.quarter:
            assert region.start / piece.quarter == pytest.approx(round(region.start / piece.quarter))
    assert found == choose_regions({"gridded": gridded, "played": played}, 24)


def test_a_region_is_filled_beside_its_true_middle() -> None:
    piece = HeldOut("tune", chords(60, 0.5), 0.5)
    filled = fill_region(LeftToRightFiller(small_engine()), piece, Region(25.0, 27.0), Options(seed=3, takes=3))
    assert (filled.start, filled.length) == (25.0, pytest.approx(2.0))
    assert len(filled.candidates) == 3
    assert len(filled.distances) == 4
    assert filled.chosen["score"] >= max(c["score"] for c in filled.candidates)
    assert filled.copy < 0.2  # bars like those before
    assert 0 < filled.spread <= 1
    assert (filled.onsets[0], filled.held[0]) == (False, False)
    assert len(filled.begins) == len(filled.onsets) == len(filled.held) == 5
    assert filled.begins[0]  # on the beat
    assert filled.true["follow"] < 0


def test_what_begins_on_the_beat_that_ends_a_region_does_not_begin_in_it() -> None:
    quarter = 0.322581  # whose 68th, as rounded for the corpus, begins a tick early
    piece = HeldOut("tune", chords(40, quarter), quarter)
    assert as_file(piece)[1].notes[3 * 68].start_tick == 68 * 480 - 1
    region = Region(62 * quarter, 68 * quarter)
    filled = fill_region(LeftToRightFiller(small_engine()), piece, region, Options(takes=1))
    assert not filled.onsets[0]


def test_figures_are_means_with_their_errors() -> None:
    def region(length: float, true: float, chosen: float, *sampled: float, distances: list[float]) -> FilledRegion:
        first, best, *rows = ({"score": score, "follow": 2 * score} for score in (true, chosen, *sampled))
        held = [True, True, True, False]
        return FilledRegion("", 0.0, length, first, rows, best, distances, 0.5, 0.3, held, held, held)

    filled = [
        region(2.1, -1.0, -1.5, -2.0, -4.0, distances=[0.2, 0.2, 0.4]),
        region(3.9, -3.0, -2.0, -2.0, -6.0, distances=[0.3, 0.3, 0.1]),
    ]
    figures = summary(filled)
    assert set(figures) == {"all", "2", "4"}
    assert figures["all"]["true_first"] == (0.5, 0.5)
    assert figures["2"]["true_first"] == (1.0, 0.0)
    assert figures["all"]["distance_chosen"][0] == pytest.approx(0.25)
    assert figures["all"]["nearer_by"][0] == pytest.approx(0.0)
    assert figures["all"]["way"][0] == pytest.approx((1.5 + 2) / (2 + 1))
    assert figures["all"]["held_average"][0] == 0.5
    assert figures["all"]["held_chosen"] == (1.0, 0.0)
    assert as_rows(filled)[0]["distances"] == [0.2, 0.2, 0.4]
