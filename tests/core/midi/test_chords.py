from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.midi.chords import KINDS, Chord, beats, find_chords
from core.midi.read import read_score
from core.midi.scale import Scale
from core.midi.tempo_map import Metre, Tempo, TempoMap
from core.resources import bundled

Sounding = tuple[float, float, int]
BARS = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 4, 4),))


def found(notes: list[Sounding], tempo_map: TempoMap = BARS) -> list[Chord]:
    start, end, pitch = (np.array(column) for column in zip(*notes, strict=True))
    edges, strong = beats(tempo_map, float(end.max()))
    return find_chords(start, end, pitch, edges, strong)


def names(chords: list[Chord], scale: Scale | None = None) -> list[str]:
    return [chord.name(scale or Scale(0)) for chord in chords]


def bar(number: int, *pitches: int) -> list[Sounding]:
    """A bar of 2 s in which all of these sound."""
    return [(2.0 * number, 2.0 * number + 2.0, pitch) for pitch in pitches]


def test_broken_chords_are_told_from_all_their_notes() -> None:
    score = read_score(bundled("examples", "bwv846.mid"))
    notes = [(note.start, note.end, note.pitch) for track in score.tracks for note in track.notes]
    chords = found(notes, score.tempo_map)
    assert names(chords) == ["C", "Dm7/C", "G7/B", "C", "Am/C", "D7/C", "G/B", "Cmaj7/B", "Am7", "D7"]
    starts = [score.tempo_map.seconds(score.tempo_map.bar_tick(i)) for i in range(10)]
    assert [chord.start for chord in chords] == pytest.approx(starts)


def test_every_kind_is_told_by_its_notes_and_its_bass() -> None:
    missed = []
    for kind, steps in KINDS.items():
        (chord,) = found(bar(0, 36, *(48 + step for step in steps)))
        if (chord.root, chord.kind) != (0, kind):
            missed.append((kind, chord.name(Scale(0))))
    assert missed == []


@pytest.mark.parametrize("up", range(12))
def test_chords_go_up_with_the_notes(up: int) -> None:
    song = [*bar(0, 48, 52, 55, 60), *bar(1, 45, 57, 60, 64), *bar(2, 50, 53, 57, 60), *bar(3, 47, 55, 59, 65)]
    chords = found([(start, end, pitch + up) for start, end, pitch in song])
    assert [(chord.root - up) % 12 for chord in chords] == [0, 9, 2, 7]
    assert [chord.kind for chord in chords] == ["", "m", "m7", "7"]
    assert (chords[3].bass - up) % 12 == 11


def test_a_passing_note_makes_no_chord_and_noise_has_no_name() -> None:
    assert names(found([*bar(0, 48, 52, 55), (0.9, 1.0, 61)])) == ["C"]
    assert names(found(bar(0, *range(48, 60)))) == []


@pytest.mark.parametrize(
    ("scale", "expected"),
    [(Scale(1), ["Db", "Gb", "Bbm"]), (Scale(6), ["C#", "F#", "A#m"]), (Scale(9, "minor"), ["C#", "F#", "Bbm"])],
)
def test_chords_are_spelled_as_in_their_key(scale: Scale, expected: list[str]) -> None:
    song = [*bar(0, 49, 53, 56), *bar(1, 42, 54, 58, 61), *bar(2, 46, 49, 53)]
    assert names(found(song), scale) == expected


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.floats(0, 5), st.integers(0, 127)).map(lambda n: (n[0], n[0] + n[1], n[2])),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from((BARS, TempoMap(), TempoMap(480, (Tempo(0, 400_000),), (Metre(0, 7, 8), Metre(1680, 3, 4))))),
)
def test_chords_follow_one_another_and_have_the_bass_that_they_say(notes: list[Sounding], tempo_map: TempoMap) -> None:
    chords = found(notes, tempo_map)
    assert all(chord.start < chord.end for chord in chords)
    assert all(one.end <= other.start for one, other in pairwise(chords))
    assert all((chord.bass - chord.root) % 12 in KINDS[chord.kind] for chord in chords)


def test_no_notes_have_no_chords() -> None:
    none = np.empty(0)
    assert find_chords(none, none, none.astype(int), *beats(BARS, 0.0)) == []
