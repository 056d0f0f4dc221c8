import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.midi.key import Key, detect_key, parse_key
from core.midi.score import TakeNote


def notes(pitches: str | list[int], seconds: float = 0.5) -> list[TakeNote]:
    return [TakeNote(pitch, 80, i * seconds, (i + 1) * seconds) for i, pitch in enumerate(pitches)]  # type: ignore[arg-type]


TWINKLE = [0, 0, 7, 7, 9, 9, 7, 5, 5, 4, 4, 2, 2, 0]
GREENSLEEVES = [9, 12, 14, 16, 17, 16, 14, 11, 7, 9, 11, 12, 9, 9, 8, 9, 11, 8, 4]


@pytest.mark.parametrize("shift", range(12))
def test_tunes_are_told_in_every_key(shift: int) -> None:
    major = detect_key(notes([48 + shift + step for step in TWINKLE]))
    assert (major.tonic, major.mode) == (shift, "major")
    minor = detect_key(notes([48 + shift + step for step in GREENSLEEVES]))
    assert (minor.tonic, minor.mode) == ((shift + 9) % 12, "minor")
    assert 0.5 < minor.correlation <= 1


def test_long_notes_weigh_more() -> None:
    drone = [TakeNote(60, 80, 0, 20), TakeNote(67, 80, 0, 20), TakeNote(64, 80, 0, 20)]
    assert detect_key([*drone, *notes([61, 63, 66, 68, 70], 0.1)]).name == "C major"


def test_nothing_to_tell_from() -> None:
    with pytest.raises(UsageError, match="no notes"):
        detect_key([])
    assert detect_key(notes(list(range(60, 72)))).correlation == 0
    assert detect_key([TakeNote(62, 80, 1, 1)]).tonic in range(12)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("D minor", "D minor"),
        ("Eb major", "Eb major"),
        ("f# min", "F# minor"),
        ("C", "C major"),
        ("Am", "A minor"),
        ("AM", "A major"),
        ("bbm", "Bb minor"),
        ("B♭ Maj", "Bb major"),
        ("c sharp MINOR", "C# minor"),
        ("Gb", "F# major"),
        ("  d ", "D major"),
        ("Cb major", "B major"),
        ("b", "B major"),
    ],
)
def test_names_of_keys(text: str, name: str) -> None:
    assert parse_key(text).name == name


@pytest.mark.parametrize("text", ["", "H minor", "D dorian", "auto", "minor", "C##", "5"])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(UsageError, match="is not a key: use a letter from A to G"):
        parse_key(text)


@given(st.integers(0, 11), st.sampled_from(["major", "minor"]))
def test_a_name_comes_back(tonic: int, mode: str) -> None:
    key = Key(tonic, mode)  # type: ignore[arg-type]
    assert parse_key(key.name) == key
    assert tonic in key.pitch_classes


def test_pitch_classes() -> None:
    assert parse_key("D major").pitch_classes == {2, 4, 6, 7, 9, 11, 1}
    assert parse_key("A minor").pitch_classes == {9, 11, 0, 2, 4, 5, 7, 8}
