"""Names of MIDI pitches, of the tonics of keys, and of the drums that pitches are on a drum kit."""

import re

PITCH_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
TONIC_NAMES = {  # by mode, as keys are mostly written
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1, "sharp": 1, "flat": -1}
_PITCH = re.compile(r"([a-g])([#b♯♭]?)(-?\d)")

# The percussion of General MIDI level 2, of which level 1 has 35 to 81: its name, and a short one where that is long.
_DRUMS: dict[int, tuple[str, str]] = {
    27: ("High Q", ""),
    28: ("Slap", ""),
    29: ("Scratch Push", "Scratch 1"),
    30: ("Scratch Pull", "Scratch 2"),
    31: ("Sticks", ""),
    32: ("Square Click", "Click"),
    33: ("Metronome Click", "Metronome"),
    34: ("Metronome Bell", "Metr. Bell"),
    35: ("Acoustic Bass Drum", "Kick 2"),
    36: ("Bass Drum 1", "Kick 1"),
    37: ("Side Stick", ""),
    38: ("Acoustic Snare", "Snare 1"),
    39: ("Hand Clap", "Clap"),
    40: ("Electric Snare", "Snare 2"),
    41: ("Low Floor Tom", "Floor Tom 2"),
    42: ("Closed Hi-Hat", "HH Closed"),
    43: ("High Floor Tom", "Floor Tom 1"),
    44: ("Pedal Hi-Hat", "HH Pedal"),
    45: ("Low Tom", ""),
    46: ("Open Hi-Hat", "HH Open"),
    47: ("Low-Mid Tom", "Mid Tom 2"),
    48: ("Hi-Mid Tom", "Mid Tom 1"),
    49: ("Crash Cymbal 1", "Crash 1"),
    50: ("High Tom", ""),
    51: ("Ride Cymbal 1", "Ride 1"),
    52: ("Chinese Cymbal", "China"),
    53: ("Ride Bell", ""),
    54: ("Tambourine", "Tambour."),
    55: ("Splash Cymbal", "Splash"),
    56: ("Cowbell", ""),
    57: ("Crash Cymbal 2", "Crash 2"),
    58: ("Vibra-Slap", ""),
    59: ("Ride Cymbal 2", "Ride 2"),
    60: ("High Bongo", "Bongo Hi"),
    61: ("Low Bongo", "Bongo Lo"),
    62: ("Mute High Conga", "Conga M."),
    63: ("Open High Conga", "Conga Hi"),
    64: ("Low Conga", "Conga Lo"),
    65: ("High Timbale", "Timbale Hi"),
    66: ("Low Timbale", "Timbale Lo"),
    67: ("High Agogo", "Agogo Hi"),
    68: ("Low Agogo", "Agogo Lo"),
    69: ("Cabasa", ""),
    70: ("Maracas", ""),
    71: ("Short Whistle", "Whistle 1"),
    72: ("Long Whistle", "Whistle 2"),
    73: ("Short Guiro", "Guiro 1"),
    74: ("Long Guiro", "Guiro 2"),
    75: ("Claves", ""),
    76: ("High Wood Block", "Block Hi"),
    77: ("Low Wood Block", "Block Lo"),
    78: ("Mute Cuica", "Cuica M."),
    79: ("Open Cuica", "Cuica O."),
    80: ("Mute Triangle", "Tri. Mute"),
    81: ("Open Triangle", "Tri. Open"),
    82: ("Shaker", ""),
    83: ("Jingle Bell", "Jingle"),
    84: ("Bell Tree", ""),
    85: ("Castanets", ""),
    86: ("Mute Surdo", "Surdo M."),
    87: ("Open Surdo", "Surdo O."),
}


def pitch_name(pitch: int) -> str:
    """ "C4" for middle C (60)."""
    return f"{PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"


def pitch_class(letter: str, accidental: str = "") -> int:
    """0 to 11 of a letter from A to G, of either case, with an accidental: "#", "♯", "sharp", "b", "♭" or "flat"."""
    return (PITCH_NAMES.index(letter.upper()) + _ACCIDENTALS[accidental]) % 12


def parse_pitch(text: str) -> int | None:
    """The pitch of "C4", "eb3" or "60"; None if it is none."""
    text = text.strip().lower()
    if text.isdecimal() and len(text) < 10:  # Python reads no number of thousands of digits
        pitch = int(text)
    elif match := _PITCH.fullmatch(text):
        pitch = PITCH_NAMES.index(match[1].upper()) + _ACCIDENTALS[match[2]] + (int(match[3]) + 1) * 12
    else:
        return None
    return pitch if 0 <= pitch <= 127 else None


def drum_name(pitch: int, is_short: bool = False) -> str:
    """The drum that a pitch is on a General MIDI drum kit, such as "Closed Hi-Hat"; empty if it is none."""
    name, short = _DRUMS.get(pitch, ("", ""))
    return short or name if is_short else name
