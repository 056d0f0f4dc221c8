import random

import pytest

from tests.reliability.fuzz import KINDS, damaged, fuzz, midi_seeds


def test_of_damaged_files_nothing_but_a_sentence_comes() -> None:
    result = fuzz(range(400), 2)
    assert result.faults == []
    for kind in KINDS:
        assert result.read[kind] + result.refused[kind] == 100
        assert result.read[kind] > 5  # the damage gets past the first look
    assert all(result.refused[kind] > 5 for kind in ("MIDI file", "session", "model"))


def test_a_case_is_the_same_when_it_is_run_again() -> None:
    (data, *_) = midi_seeds()
    once, again = ([damaged(data, random.Random(seed)) for seed in range(20)] for _ in range(2))
    assert once == again
    assert len(set(once)) > 15


def test_any_other_error_is_a_fault_that_names_its_case(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"{fuzz.__module__}.read_midi", fail)
    result = fuzz(range(3, 6), 1)
    assert [fault.partition(":")[0] for fault in result.faults] == ["Case 4, MIDI file"]
    assert "ZeroDivisionError" in result.faults[0]
