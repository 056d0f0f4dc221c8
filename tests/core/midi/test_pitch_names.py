from core.midi.pitch_names import drum_name, pitch_name


def test_pitches_and_drums_have_names() -> None:
    assert [pitch_name(pitch) for pitch in (0, 60, 127)] == ["C-1", "C4", "G9"]
    assert [drum_name(pitch) for pitch in (36, 42, 81)] == ["Bass Drum 1", "Closed Hi-Hat", "Open Triangle"]
    assert [pitch for pitch in range(128) if drum_name(pitch)] == list(range(27, 88))  # General MIDI level 2


def test_short_names_fit_beside_the_roll_and_tell_drums_apart() -> None:
    short = [drum_name(pitch, is_short=True) for pitch in range(27, 88)]
    assert max(map(len, short)) <= 11
    assert len(set(short)) == len(short)
