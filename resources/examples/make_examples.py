"""Writes the five example prompts beside it: `python make_examples.py [FOLDER]`.

The music is typed below as text: one token a note, `PITCH:LENGTH`, length in the voice's unit; `r:4` is a
rest, `C4+E4:4` a chord. Nothing is random, so the same script always writes the same bytes.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from mido import Message, MetaMessage, MidiFile, MidiTrack, bpm2tempo

PPQ = 480
SIXTEENTH = PPQ // 4
EIGHTH = PPQ // 2
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Note:
    """One note; times in ticks."""

    pitch: int
    start: int
    length: int
    velocity: int = 64


@dataclass
class Voice:
    """One named track: notes, and pedal presses as (down, up) ticks."""

    name: str
    program: int
    channel: int
    notes: list[Note]
    pedals: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Header:
    """What goes into the first track; `tempi` are (tick, quarter notes a minute)."""

    title: str
    tempi: tuple[tuple[int, float], ...]
    metre: tuple[int, int]
    key: str


def pitch_number(name: str) -> int:
    """MIDI number of a pitch such as "C4" (60), "F#3" or "Bb2"."""
    accidentals = name[1:-1]
    return 12 * (int(name[-1]) + 1) + STEPS[name[0]] + accidentals.count("#") - accidentals.count("b")


def read_line(text: str, unit: int, start: int = 0) -> list[Note]:
    """Notes of one line of tokens, `unit` ticks to a length of 1, the first at tick `start`."""
    notes = []
    for token in text.replace("|", " ").split():
        names, length = token.split(":")
        ticks = int(length) * unit
        if names != "r":
            notes += [Note(pitch_number(name), start, ticks) for name in names.split("+")]
        start += ticks
    return notes


def shaped(notes: Iterable[Note], velocity: Callable[[Note], float], part: float = 1.0) -> list[Note]:
    """The notes with a velocity each, held for `part` of their written length."""
    return [Note(n.pitch, n.start, round(n.length * part), round(velocity(n))) for n in notes]


def swell(tick: int, points: Sequence[tuple[int, float]]) -> float:
    """Value at `tick` of the line drawn through `points`, each (tick, value)."""
    for (left, low), (right, high) in pairwise(points):
        if tick <= right:
            return low + (high - low) * (tick - left) / (right - left)
    return points[-1][1]


def write(path: Path, header: Header, voices: Sequence[Voice]) -> None:
    """Write a format 1 file: the header's track, then one track a voice."""
    midi = MidiFile(type=1, ticks_per_beat=PPQ)
    first = [
        (0, 0, MetaMessage("track_name", name=header.title)),
        (0, 1, MetaMessage("time_signature", numerator=header.metre[0], denominator=header.metre[1])),
        (0, 2, MetaMessage("key_signature", key=header.key)),
    ]
    first += [(tick, 3, MetaMessage("set_tempo", tempo=bpm2tempo(bpm))) for tick, bpm in header.tempi]
    midi.tracks.append(_track(first))
    for voice in voices:
        on = voice.channel
        timed: list[tuple[int, int, Message | MetaMessage]] = [
            (0, 0, MetaMessage("track_name", name=voice.name)),
            (0, 1, Message("program_change", channel=on, program=voice.program)),
        ]
        for down, up in voice.pedals:
            timed.append((down, 4, Message("control_change", channel=on, control=64, value=127)))
            timed.append((up, 3, Message("control_change", channel=on, control=64, value=0)))
        for n in voice.notes:
            timed.append((n.start, 5, Message("note_on", channel=on, note=n.pitch, velocity=n.velocity)))
            timed.append((n.start + n.length, 2, Message("note_off", channel=on, note=n.pitch, velocity=64)))
        midi.tracks.append(_track(timed))
    midi.save(path)


def _track(timed: Iterable[tuple[int, int, Message | MetaMessage]]) -> MidiTrack:
    """A track from (tick, rank within the tick, message)."""
    track, now = MidiTrack(), 0
    for tick, _, message in sorted(timed, key=lambda t: (t[0], t[1])):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


# --- Bach, Prelude in C major, BWV 846: bars 1 to 10 -----------------------------------------------

BWV846 = """
    C4 E4 G4 C5 E5 | C4 D4 A4 D5 F5 | B3 D4 G4 D5 F5 | C4 E4 G4 C5 E5 | C4 E4 A4 E5 A5
    C4 D4 F#4 A4 D5 | B3 D4 G4 D5 G5 | B3 C4 E4 G4 C5 | A3 C4 E4 G4 C5 | D3 A3 D4 F#4 C5
"""


def bwv846() -> tuple[Header, list[Voice]]:
    """Five notes a bar, broken the same way twice; the two of the left hand are held, as Bach writes."""
    chords = [line.split() for row in BWV846.strip().splitlines() for line in row.split("|")]
    left, right = [], []
    for half_bar, chord in enumerate(c for c in chords for _ in range(2)):
        a, b, *upper = (pitch_number(name) for name in chord)
        start = half_bar * 8 * SIXTEENTH
        left += [Note(a, start, 8 * SIXTEENTH), Note(b, start + SIXTEENTH, 7 * SIXTEENTH)]
        for i, pitch in enumerate(upper * 2):
            right.append(Note(pitch, start + (2 + i) * SIXTEENTH, SIXTEENTH))
    bar = 16 * SIXTEENTH
    arc = ((0, 50), (4 * bar, 66), (7 * bar, 56), (10 * bar, 62))

    def velocity(n: Note) -> float:
        first_half = 3 if n.start % bar < bar // 2 else 0
        return swell(n.start, arc) + first_half + (4 if n.pitch > 71 else 0)

    header = Header("J. S. Bach: Prelude in C major, BWV 846", ((0, 72),), (4, 4), "C")
    hands = [
        Voice("Right hand", 0, 0, shaped(right, velocity)),
        Voice("Left hand", 0, 1, shaped(left, lambda n: velocity(n) - 2, 0.98)),
    ]
    return header, hands


# --- Nocturne: ours ------------------------------------------------------------------------------

NOCTURNE_MELODY = """
    r:3 Ab4:3 F5:6 | Db5:3 Eb5:2 F5:1 Gb5:4 F5:1 Eb5:1 | Eb5:4 F5:1 Eb5:1 C5:4 Db5:1 Eb5:1
    F5:3 Ab5:3 Gb5:3 F5:2 Eb5:1 | Db5:4 Eb5:1 F5:1 Bb5:4 Ab5:1 Gb5:1 | F5:3 Eb5:3 Db5:3 C5:3
"""
NOCTURNE_LEFT = """
    Db2:1 Ab2:1 F3:1 Ab3:1 F3:1 Ab2:1 Db2:1 Ab2:1 F3:1 Db4:1 Ab3:1 F3:1
    Bb1:1 F2:1 Db3:1 Ab3:1 F3:1 Db3:1 Eb2:1 Bb2:1 Gb3:1 Db4:1 Bb3:1 Gb3:1
    Ab1:1 Eb2:1 C3:1 Gb3:1 Eb3:1 C3:1 Ab1:1 Ab2:1 Eb3:1 C4:1 Gb3:1 Eb3:1
    Db2:1 Ab2:1 F3:1 Ab3:1 F3:1 Ab2:1 A1:1 F2:1 Eb3:1 C4:1 F3:1 Eb3:1
    Bb1:1 F2:1 Db3:1 F3:1 Bb3:1 F3:1 Gb1:1 Gb2:1 Db3:1 Bb3:1 Gb3:1 Db3:1
    Eb2:1 Bb2:1 Gb3:1 Db4:1 Bb3:1 Gb3:1 Ab1:1 Eb2:1 Db3:1 Gb3:1 Eb3:1 C3:1
"""
# Quarter notes a minute at each of the four beats of a bar: the rubato.
NOCTURNE_TEMPI = (
    (78, 84, 86, 83),
    (84, 88, 86, 79),
    (83, 88, 87, 80),
    (84, 90, 92, 88),
    (93, 95, 80, 84),
    (82, 76, 68, 56),
)


def nocturne() -> tuple[Header, list[Voice]]:
    """Wide broken chords under a song; the song leans a little behind the bass, as a pianist plays."""
    half_bar, bar = 6 * EIGHTH, 12 * EIGHTH
    arc = ((0, 56), (bar, 68), (2 * bar, 76), (3 * bar, 66), (4 * bar + half_bar, 94), (6 * bar, 58))
    line = read_line(NOCTURNE_MELODY, EIGHTH)
    song = [
        Note(n.pitch, n.start + (22 if n.start % half_bar == 0 else 9), n.length, 0)  # the bass comes first
        for n in line
    ]

    def below(n: Note) -> float:
        bass = 5 if n.start % half_bar == 0 else 0
        return 0.55 * swell(n.start, arc) + bass + 2 * ((n.start // EIGHTH) % 6 in (3, 4))

    # The broken chords flow: the second and fifth of six come a hair late, the fourth early.
    lag = (0, 10, 4, -6, 2, 8)
    chords = [
        Note(n.pitch, n.start + lag[(n.start // EIGHTH) % 6], n.length, round(below(n)))
        for n in read_line(NOCTURNE_LEFT, EIGHTH)
    ]
    # The pedal is caught just after each bass note and lifted as the next one sounds.
    pedals = [(i * half_bar + 40, (i + 1) * half_bar + (12 if i < 11 else 0)) for i in range(12)]
    tempi = [(i * 3 * EIGHTH, float(bpm)) for i, bpm in enumerate(b for row in NOCTURNE_TEMPI for b in row)]
    voices = [
        Voice("Melody", 0, 0, shaped(song, lambda n: swell(n.start, arc) + n.pitch % 2, 0.97), pedals),
        Voice("Broken chords", 0, 1, shaped(chords, lambda n: n.velocity, 0.9), pedals),
    ]
    return Header("Nocturne in D flat", tuple(tempi), (12, 8), "Db"), voices


# --- Pop loop: ours -------------------------------------------------------------------------------

POP_CHORDS = """
    D4+F4+A4:6 D4+F4+A4:6 D4+F4+A4:4 | D4+F4+Bb4:6 D4+F4+Bb4:6 D4+F4+Bb4:4
    C4+F4+A4:6 C4+F4+A4:6 C4+F4+A4:4 | C4+E4+G4:6 C4+E4+G4:6 C4+E4+G4:4
    D4+F4+A4:6 D4+F4+A4:6 D4+F4+A4:4 | D4+F4+Bb4:6 D4+F4+Bb4:6 D4+F4+Bb4:4
    C4+F4+A4:6 C4+F4+A4:6 C4+F4+A4:4 | C4+F4+G4:6 C4+F4+G4:6 C4+E4+G4:4
"""
POP_BASS = """
    D2:6 D2:6 D2:2 A2:2 | Bb1:6 Bb1:6 Bb1:2 F2:2 | F2:6 F2:6 F2:2 C2:2 | C2:6 C2:6 C2:2 E2:2
    D2:6 D2:6 D2:2 A2:2 | Bb1:6 Bb1:6 Bb1:2 F2:2 | F2:6 F2:6 F2:2 C2:2 | C2:6 C2:6 C2:2 C2:2
"""
POP_HOOK = """
    r:2 D5:2 F5:2 A5:4 G5:2 F5:4 | r:2 D5:2 F5:2 Bb5:4 A5:2 F5:4
    r:2 C5:2 F5:2 A5:4 G5:2 F5:4 | G5:6 F5:2 E5:4 C5:4
    r:2 D5:2 F5:2 A5:4 G5:2 F5:4 | r:2 D5:2 F5:2 Bb5:4 C6:2 Bb5:4
    A5:6 C6:6 A5:4 | G5:8 F5:4 E5:4
"""


def pop_loop() -> tuple[Header, list[Voice]]:
    """Dm, Bb, F, C, twice, on the grid; accents where the syncopated chords fall."""
    bar = 16 * SIXTEENTH

    def accent(n: Note) -> int:
        return {0: 10, 6 * SIXTEENTH: 4}.get(n.start % bar, 0)

    voices = [
        Voice("Chords", 0, 0, shaped(read_line(POP_CHORDS, SIXTEENTH), lambda n: 68 + accent(n), 0.92)),
        Voice("Bass", 33, 1, shaped(read_line(POP_BASS, SIXTEENTH), lambda n: 82 + accent(n), 0.9)),
        Voice(
            "Hook",
            4,
            2,
            shaped(read_line(POP_HOOK, SIXTEENTH), lambda n: 84 + (n.pitch - 72) + accent(n) // 2, 0.95),
        ),
    ]
    return Header("Pop loop in D minor", ((0, 120),), (4, 4), "Dm"), voices


# --- Greensleeves, English, 16th century: the verse and the start of the refrain --------------------

GREENSLEEVES_BASE = EIGHTH // 2  # lengths in sixteenths
GREENSLEEVES_MELODY = """
    r:10 A4:2 | C5:4 D5:2 E5:3 F#5:1 E5:2 | D5:4 B4:2 G4:3 A4:1 B4:2
    C5:4 A4:2 A4:3 G#4:1 A4:2 | B4:4 G#4:2 E4:4 A4:2 | C5:4 D5:2 E5:3 F#5:1 E5:2
    D5:4 B4:2 G4:3 A4:1 B4:2 | C5:3 B4:1 A4:2 G#4:3 F#4:1 G#4:2 | A4:10 r:2
    G5:6 G5:3 F#5:1 E5:2 | D5:4 B4:2 G4:3 A4:1 B4:2 | C5:4 A4:2 A4:3 G#4:1 A4:2 | B4:4 G#4:2 E4:6
"""
GREENSLEEVES_LUTE = """
    r:12 | A2:2 E3:2 A3:2 C4:2 A3:2 E3:2 | G2:2 D3:2 G3:2 B3:2 G3:2 D3:2
    A2:2 E3:2 A3:2 C4:2 A3:2 E3:2 | E2:2 B2:2 E3:2 G#3:2 E3:2 B2:2 | A2:2 E3:2 A3:2 C4:2 A3:2 E3:2
    G2:2 D3:2 G3:2 B3:2 G3:2 D3:2 | A2:2 E3:2 C4:2 E2:2 B2:2 E3:2 | A2:2 E3:2 A3:2 C4:2 A3:2 E3:2
    C3:2 G3:2 C4:2 E4:2 C4:2 G3:2 | G2:2 D3:2 G3:2 B3:2 G3:2 D3:2
    A2:2 E3:2 A3:2 C4:2 A3:2 E3:2 | E2:2 B2:2 E3:2 G#3:2 E3:2 B2:2
"""


def greensleeves() -> tuple[Header, list[Voice]]:
    """The tune over lute-like broken chords; the refrain is louder than the verse."""
    bar = 12 * GREENSLEEVES_BASE
    arc = ((0, 62), (5 * bar, 72), (9 * bar - 1, 64), (9 * bar, 84), (13 * bar, 68))

    def velocity(n: Note) -> float:
        return swell(n.start, arc) + (5 if n.start % (bar // 2) == 0 else 0)

    voices = [
        Voice("Melody", 0, 0, shaped(read_line(GREENSLEEVES_MELODY, GREENSLEEVES_BASE), velocity, 0.95)),
        Voice(
            "Accompaniment",
            0,
            1,
            shaped(read_line(GREENSLEEVES_LUTE, GREENSLEEVES_BASE), lambda n: 0.72 * velocity(n), 0.98),
        ),
    ]
    return Header("Greensleeves", ((0, 90),), (6, 8), "Am"), voices


# --- Joplin, The Entertainer (1902): introduction and the first eight bars, in our arrangement ---------

RAG_RIGHT = """
    D5+D6:1 E5+E6:1 C5+C6:1 A4+A5:2 B4+B5:1 G4+G5:2
    D4+D5:1 E4+E5:1 C4+C5:1 A3+A4:2 B3+B4:1 G3+G4:2
    D4:1 E4:1 C4:1 A3:2 B3:1 A3:1 Ab3:1 | G3:2 r:2 G4+B4+D5+G5:2 D4:1 D#4:1
    E4:1 C5:2 E4:1 C5:2 E4:1 C5:5 r:1 C5+E5+C6:1 D5+D6:1 D#5+D#6:1
    E5+G5+E6:1 C5+C6:1 D5+D6:1 E5+G5+E6:2 B4+B5:1 D5+F5+D6:2 | C5+E5+C6:4 r:2 D4:1 D#4:1
    E4:1 C5:2 E4:1 C5:2 E4:1 C5:5 r:2 A4:1 G4:1
    F#4:1 A4:1 C5:1 E5:2 D5:1 C5:1 A4:1 | B4+D5:6 D4:1 D#4:1
"""
RAG_LEFT = """
    D4:1 E4:1 C4:1 A3:2 B3:1 G3:2
    D3:1 E3:1 C3:1 A2:2 B2:1 G2:2
    D2+D3:1 E2+E3:1 C2+C3:1 A1+A2:2 B1+B2:1 A1+A2:1 Ab1+Ab2:1 | G1+G2:2 r:2 G2+G3:2 r:2
    C2+C3:2 E3+G3:2 Bb1+Bb2:2 E3+G3:2 | A1+A2:2 F3+A3+C4:2 G1+G2:2 E3+G3+C4:2
    G2:2 E3+G3+C4:2 G1+G2:2 F3+G3+B3:2 | C2+C3:2 E3+G3+C4:2 C2+C3:2 r:2
    C2+C3:2 E3+G3:2 Bb1+Bb2:2 E3+G3:2 | A1+A2:2 F3+A3+C4:2 G1+G2:2 E3+G3+C4:2
    D2+D3:2 F#3+A3:2 D2+D3:2 F#3+A3+C4:2 | G1+G2:2 G3+B3:2 D2+D3:2 r:2
"""


def ragtime() -> tuple[Header, list[Voice]]:
    """Octaves down the keyboard, then the syncopated tune over bass and chord."""
    bar = 8 * SIXTEENTH
    arc = ((0, 86), (3 * bar, 76), (4 * bar, 70), (6 * bar, 86), (8 * bar, 70), (12 * bar, 82))

    def melody(n: Note) -> float:
        return swell(n.start, arc) + (6 if n.length > SIXTEENTH else 0)

    def stride(n: Note) -> float:
        beat = n.start % (2 * 2 * SIXTEENTH) == 0
        return swell(n.start, arc) - (12 if beat else 20) if n.start >= 4 * bar else swell(n.start, arc) - 6

    voices = [
        Voice("Right hand", 0, 0, shaped(read_line(RAG_RIGHT, SIXTEENTH), melody, 0.92)),
        Voice("Left hand", 0, 1, shaped(read_line(RAG_LEFT, SIXTEENTH), stride, 0.8)),
    ]
    return Header("Scott Joplin: The Entertainer", ((0, 76),), (2, 4), "C"), voices


EXAMPLES = {
    "bwv846.mid": bwv846,
    "nocturne.mid": nocturne,
    "pop-loop.mid": pop_loop,
    "greensleeves.mid": greensleeves,
    "ragtime.mid": ragtime,
}


def make_all(folder: Path) -> list[Path]:
    """Write every example into `folder`; returns their paths."""
    for name, compose in EXAMPLES.items():
        write(folder / name, *compose())
    return [folder / name for name in EXAMPLES]


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for path in make_all(target):
        print(path)
