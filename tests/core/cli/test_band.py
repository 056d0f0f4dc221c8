"""A song of twelve tracks and drums: the band plays on, as it is saved and as it is heard."""

import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import mido
from mido import Message, MetaMessage

from tests.conftest import Listener
from tests.core.cli.helpers import Command
from tests.core.cli.test_live import is_silenced
from tests.core.midi.builders import control, file_of, off, on

BEAT, BAR = 480, 1920
MARKER, END = 8 * BAR, 10 * BAR  # of the take: a bar is a second
DRUMS = 9
CHORDS = ((60, 64, 67), (57, 60, 64), (65, 69, 72), (55, 59, 62))
TUNE = ((0, 2, 1, 2), (2, 1, 0, 1), (1, 2, 2, 0), (0, 1, 2, 1))  # which note of the chord, a beat each


class Player(NamedTuple):
    """A track: its name, channel, program, volume; what it plays of a chord, by how much higher, in notes so long."""

    name: str
    channel: int
    program: int
    volume: int
    plays: str  # "chord", "root" or "tune"
    up: int
    length: int


BAND = (
    Player("Flute", 0, 73, 110, "tune", 24, BEAT),
    Player("Bass", 1, 33, 105, "root", -24, 2 * BEAT),
    Player("Piano", 2, 0, 90, "chord", 0, BEAT),
    Player("Strings", 3, 48, 70, "chord", 12, BAR),
    Player("Guitar", 4, 25, 80, "tune", -12, BEAT // 2),
    Player("Brass", 5, 61, 85, "chord", -12, 2 * BEAT),
    Player("Violin", 6, 40, 75, "tune", 24, BEAT),  # doubles the flute
    Player("Organ", 7, 16, 60, "chord", 0, BAR),
    Player("Choir", 8, 52, 65, "chord", 12, 2 * BEAT),
    Player("Bells", 10, 14, 72, "root", 36, BAR),
    Player("Cello", 11, 42, 88, "root", -12, BAR),
    Player("Harp", 12, 46, 77, "tune", 0, BEAT),
)
ALONE = {player.channel for player in BAND if player.plays != "chord"}  # one note at a time


class Heard(NamedTuple):
    """A note: the tick, or the number of the message, that it begins and ends at, and its channel's sound."""

    start: int
    end: int
    channel: int
    pitch: int
    velocity: int
    program: int
    volume: int


def song() -> bytes:
    """Eleven bars of 4/4 at 240 bpm."""
    tracks: list[list[Message | MetaMessage]] = [
        [MetaMessage("set_tempo", tempo=250_000), MetaMessage("time_signature", numerator=4, denominator=4)]
    ]
    for player in BAND:
        track: list[Message | MetaMessage] = [MetaMessage("track_name", name=player.name)]
        track += [Message("program_change", program=player.program), control(7, player.volume)]
        for bar in range(11):
            chord = [pitch + player.up for pitch in CHORDS[bar % 4]]
            for k in range(BAR // player.length):
                tune = chord[TUNE[bar // 4 % 4][k % 4]]
                pitches = {"chord": chord, "root": chord[:1], "tune": [tune]}[player.plays]
                track += [on(pitch, 0, 0, 70 + 10 * (k == 0)) for pitch in pitches]
                track += [off(pitch, player.length if pitch == pitches[0] else 0) for pitch in pitches]
        tracks.append([m.copy(channel=player.channel) if isinstance(m, Message) else m for m in track])
    drums = [Message("program_change", program=8, channel=DRUMS), control(7, 99, channel=DRUMS)]
    beats = [m for _ in range(11) for p in (36, 42, 38, 42) for m in (on(p, 0, DRUMS), off(p, BEAT, DRUMS))]
    return file_of(*tracks, [*drums, *beats])


def heard(messages: Iterable[tuple[int, Any]]) -> list[Heard]:
    """The notes, each with what its channel has as it begins; fails for one that nothing ends."""
    programs, volumes = [0] * 16, [100] * 16
    sounding: dict[tuple[int, int], list[Heard]] = {}
    notes: list[Heard] = []
    for at, m in messages:
        if m.type == "program_change":
            programs[m.channel] = m.program
        elif m.type == "control_change" and m.control == 7:
            volumes[m.channel] = m.value
        elif m.type in ("note_on", "note_off"):
            if m.type == "note_on" and m.velocity:
                note = Heard(at, at, m.channel, m.note, m.velocity, programs[m.channel], volumes[m.channel])
                sounding.setdefault((m.channel, m.note), []).append(note)
            elif begun := sounding.get((m.channel, m.note)):
                notes.append(begun.pop(0)._replace(end=at))
    assert not any(sounding.values())
    return sorted(notes)


def read(data: bytes) -> list[Heard]:
    """What a file plays, as another reader has it."""
    messages, tick = [], 0
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        tick += message.time
        messages.append((tick, message))
    return heard(messages)


def assert_alone(notes: Iterable[Heard]) -> None:
    """Who plays one note at a time in the prompt never plays two."""
    ends: dict[int, int] = {}
    for note in sorted(notes):
        if note.channel in ALONE:
            assert note.start >= ends.get(note.channel, 0), note
            ends[note.channel] = note.end


def test_the_band_plays_on(command: Command, jack: dict[str, str]) -> None:
    Path("song.mid").write_bytes(song())
    line = ["continue", "song.mid", "--from", 8, "--bars", 2, "--seed", 3]
    with Listener(own_port="Grand Piano") as listener:
        command.json(*line, "-o", "o.mid", "--live", "grand", "--programs")
        wire = [Message.from_bytes(m) for m in listener.wait_for(is_silenced)]
    before, after = read(song()), read(Path("o.mid").read_bytes())

    def outside(note: Heard) -> bool:
        return note.channel == DRUMS or not MARKER <= note.start < END

    assert [note for note in after if outside(note)] == [note for note in before if outside(note)]
    take = [note for note in after if not outside(note)]
    assert len({note.channel for note in take}) > 6
    sounds = {player.channel: (player.program, player.volume) for player in BAND}
    assert all((note.program, note.volume) == sounds[note.channel] for note in take)
    assert_alone(after)
    bass = [note.pitch for note in take if note.channel == 1]
    assert bass
    assert max(bass) < min(note.pitch for note in take if note.channel == 0)

    command.json(*line, "-o", "merged.mid", "--merge")
    assert read(Path("merged.mid").read_bytes()) == after
    assert len(mido.MidiFile("merged.mid").tracks) == len(BAND) + 2

    # Live, from the marker on.
    played = heard(enumerate(wire))
    expected = Counter(note[2:] for note in after if note.start >= MARKER)
    assert Counter(note[2:] for note in played) == expected
    assert_alone(played)
