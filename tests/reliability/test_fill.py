import pytest

from core.generation.filling.middle_filler import filler_for
from core.midi.region import Region
from core.session.session import session_from_midi
from tests.core.midi.builders import file_of, off, on
from tests.reliability.fill import assert_only_filled, check, small_engine


@pytest.mark.parametrize("has_symbols", [False, True])
def test_random_regions_of_random_files_are_filled_and_nothing_else_is_changed(has_symbols: bool) -> None:
    filler = filler_for(small_engine(has_symbols))
    made = [check(case, filler, seed=7) for case in range(12)]
    assert sum(notes or 0 for notes in made) > 20


def test_what_must_not_be_is_found() -> None:
    before = [on(60), off(60, 240), on(62), off(62, 240), on(64), off(64, 480)]
    session = session_from_midi(file_of(before), "three.mid")
    region = Region(0.25, 0.5)
    assert assert_only_filled(session, region, file_of(before)) == 1
    wrong = {
        "lost or changed": [on(60), off(60, 240), on(62), off(62, 240)],
        "begins outside": [*before, on(50), off(50, 10)],
        "ends outside": [on(60), off(60, 240), on(62), on(64, 240), off(62, 10), off(64, 470)],
        "hang": [*before, on(50)],
    }
    for words, track in wrong.items():
        with pytest.raises(AssertionError, match=words):
            assert_only_filled(session, region, file_of(track))
