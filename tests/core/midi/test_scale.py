import numpy as np
import pytest

from core.midi.key import parse_key
from core.midi.scale import MODES, TONICS, Scale, parse_scale

EVERY = [Scale(tonic, mode) for tonic in range(12) for mode in MODES]


@pytest.mark.parametrize("scale", EVERY, ids=lambda scale: scale.name)
def test_names_are_read_back_and_notes_of_a_scale_have_names_of_their_own(scale: Scale) -> None:
    assert parse_scale(scale.name) == scale
    assert parse_scale(f"{TONICS[scale.tonic]} {scale.mode}") == scale
    assert len({scale.spelled(pitch) for pitch in range(12)}) == 12
    contained = np.flatnonzero(scale.contains(np.arange(12))).tolist()
    assert scale.tonic in contained
    assert [pitch % 12 for pitch in range(24, 36) if scale.contains(np.array([pitch]))[0]] == contained
    if len(contained) == 7 and "ic minor" not in scale.mode:
        assert len({scale.spelled(pitch)[0] for pitch in contained}) == 7  # each letter once


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("D dorian", "D E F G A B C"),
        ("Eb major", "Eb F G Ab Bb C D"),
        ("A harmonic minor", "A B C D E F G#"),
        ("A melodic minor", "A B C D E F# G#"),
        ("E phrygian", "E F G A B C D"),
        ("G mixolydian", "G A B C D E F"),
        ("C blues", "C Eb F Gb G Bb"),
        ("F# major", "F# G# A# B C# D# E#"),
        ("A minor pentatonic", "A C D E G"),
    ],
)
def test_scales_are_what_musicians_call_so(name: str, notes: str) -> None:
    scale = parse_scale(name)
    assert scale is not None
    pitches = [scale.tonic + step for step in range(12) if scale.contains(np.array([scale.tonic + step]))[0]]
    assert [scale.spelled(pitch) for pitch in pitches] == notes.split()


@pytest.mark.parametrize("text", ["", "off", "auto", "H major", "C gypsy", "major"])
def test_what_is_no_scale_is_none(text: str) -> None:
    assert parse_scale(text) is None


def test_keys_have_scales() -> None:
    assert Scale.of_key(parse_key("Bb minor")).name == "Bb minor"
