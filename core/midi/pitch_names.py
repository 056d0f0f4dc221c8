"""Names of MIDI pitches."""

PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def pitch_name(pitch: int) -> str:
    """ "C4" for middle C (60)."""
    return f"{PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"
