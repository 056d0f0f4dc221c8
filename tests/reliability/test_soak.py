from collections.abc import Iterator
from pathlib import Path

import pytest

from core.live.outputs import ExistingPort
from tests.conftest import JackServer, own_server
from tests.reliability.musician import WISHES, Musician
from tests.reliability.soak import JACK, Result, assert_bounded, assert_silent, soak
from tests.reliability.studio import SYNTH, Figures

QUICK = [name for name in WISHES if name != "suspend"]  # a player that stands still is waited for by the second
FIGURES = Figures(files=30, threads=10, children=2, memory=500.0, children_memory=100.0)


@pytest.fixture
def _jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    with own_server(monkeypatch, **JACK) as server:
        yield server


@pytest.mark.linux
@pytest.mark.usefixtures("_jack")
def test_whatever_is_wished_no_note_hangs_and_nothing_is_lost(tmp_path: Path) -> None:
    result = soak(tmp_path, cycles=3, seconds=3600.0, seed=20, wishes=QUICK, longest_wait=0.2)
    assert result.faults == []
    assert result.cycles == 3
    assert result.received > 0
    assert {"kill", "continue_", "regenerate", "switch_output", "undo"} <= result.diary.wishes.keys()


@pytest.mark.linux
@pytest.mark.usefixtures("_jack")
def test_a_note_that_sounds_on_is_a_fault(tmp_path: Path) -> None:
    musician = Musician(tmp_path, 1)
    try:
        musician.playback.output.open(ExistingPort(SYNTH))
        musician.calm_down()
        musician.playback.note(60, 90)
        musician.until(lambda: musician.synth.sounding == {(0, 60)}, "the note")
        with pytest.raises(AssertionError, match="silence"):
            assert_silent(musician, patience=0.1)
    finally:
        musician.close()


@pytest.mark.parametrize("amiss", [{"files": 45}, {"threads": 25}, {"children": 3}])
def test_what_is_used_up_is_a_fault(amiss: dict[str, int]) -> None:
    figures = {name: getattr(FIGURES, name) for name in FIGURES.__slots__}
    assert_bounded([FIGURES] * 6)
    with pytest.raises(AssertionError):
        assert_bounded([*[FIGURES] * 5, Figures(**{**figures, **amiss})])


def test_memory_grows_from_median_to_median_once_it_is_warm() -> None:
    def used(*memory: float) -> Result:
        return Result(None, figures=[Figures(30, 10, 2, each, 100.0) for each in memory])  # type: ignore[arg-type]

    assert used(*range(20)).growth is None
    assert used(*range(20), *[100] * 20).growth == 0
    assert used(*range(20), *[100] * 20, *[140] * 20).growth == 40
