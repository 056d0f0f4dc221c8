import numpy as np

from core.codec.events import GridNote, encode_grid
from core.codec.vocabulary import describe
from core.training.data.attributes import attributes


def words(notes: list[GridNote], is_score: bool = False) -> list[str]:
    return [describe(each) for each in attributes(np.array(encode_grid(notes), np.uint16), is_score)]


def test_what_a_scale_is_like() -> None:
    # Quavers of 0.2 s without gap, one octave up and down from middle C, at velocity 66 (bin 16).
    pitches = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 60]
    scale = [GridNote(20 * i, pitch, 20 * i + 20, 16) for i, pitch in enumerate(pitches)]

    assert words(scale) == [
        "mode 0", "density 4", "loudness 4", "register 4", "polyphony 1", "articulation 1", "origin 0"
    ]  # fmt: skip
    minor = [note._replace(pitch=note.pitch - (note.pitch in (64, 69, 71))) for note in scale]
    assert words(minor, True)[::6] == ["mode 1", "origin 1"]


def test_short_notes_of_chords_and_long_ones() -> None:
    chords = [GridNote(50 * i, pitch, 50 * i + 10, 8) for i in range(10) for pitch in (48, 52, 55)]
    assert words(chords)[3:6] == ["register 2", "polyphony 0", "articulation 0"]
    held = [note._replace(end=note.start + 49) for note in chords]
    assert words(held)[3:6] == ["register 2", "polyphony 2", "articulation 1"]


def test_too_few_notes_tell_nothing() -> None:
    assert words([GridNote(10 * i, 60 + i, 10 * i + 5, 16) for i in range(3)]) == []
