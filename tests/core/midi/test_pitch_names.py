import pytest

from core.midi.pitch_names import drum_name, parse_pitch, pitch_name


def test_pitches_and_drums_have_names() -> None:
    assert [pitch_name(pitch) for pitch in (0, 60, 127)] == ["C-1", "C4", "G9"]
    assert [drum_name(pitch) for pitch in (36, 42, 81)] == ["Bass Drum 1", "Closed Hi-Hat", "Open Triangle"]
    assert [pitch for pitch in range(128) if drum_name(pitch)] == list(range(27, 88))  # General MIDI level 2


def test_short_names_fit_beside_the_roll_and_tell_drums_apart() -> None:
    short = [drum_name(pitch, is_short=True) for pitch in range(27, 88)]
    assert max(map(len, short)) <= 11
    assert len(set(short)) == len(short)


@pytest.mark.parametrize(
    ("text", "pitch"),
    [
        ("C4", 60),
        ("c-1", 0),
        ("G9", 127),
        ("A9", None),
        ("Bb3", 58),
        ("b3", 59),
        ("E#4", 65),
        ("128", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_names_of_pitches(text: str, pitch: int | None) -> None:
    assert parse_pitch(text) == pitch


def test_every_name_is_read_again() -> None:
    """And flats, too, also of naturals."""
    assert [parse_pitch(pitch_name(pitch)) for pitch in range(128)] == list(range(128))
    assert [parse_pitch(name) for name in ("Cb4", "Fb4", "E#4", "b♭3")] == [59, 64, 65, 58]
