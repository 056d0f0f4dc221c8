"""The example prompts are what their script writes, and files any DAW opens."""

import importlib.util
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import mido
import pytest

from core.midi.grid import default_marker, is_gridded
from core.midi.read import read_score

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "examples"
NAMES = ("bwv846.mid", "greensleeves.mid", "nocturne.mid", "pop-loop.mid", "ragtime.mid")
METRES = {"greensleeves.mid": (6, 8), "nocturne.mid": (12, 8), "ragtime.mid": (2, 4)}


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("make_examples", FOLDER / "make_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[spec.name]


def test_script_writes_the_committed_bytes(script: ModuleType, tmp_path: Path) -> None:
    written = script.make_all(tmp_path)
    assert sorted(path.name for path in written) == list(NAMES)
    assert sorted(path.name for path in FOLDER.glob("*.mid")) == list(NAMES)
    for path in written:
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", NAMES)
def test_is_a_complete_prompt(name: str) -> None:
    midi = mido.MidiFile(FOLDER / name)
    assert midi.type == 1
    assert 15 <= midi.length <= 35
    first = {message.type: message for message in midi.tracks[0]}
    assert (first["time_signature"].numerator, first["time_signature"].denominator) == METRES.get(name, (4, 4))
    assert {"set_tempo", "key_signature", "track_name"} <= first.keys()
    for track in midi.tracks[1:]:
        kinds = [message.type for message in track]
        assert kinds[:2] == ["track_name", "program_change"]
        assert track.name


@pytest.mark.parametrize("name", NAMES)
def test_notes_pair_up_and_are_shaped(name: str) -> None:
    midi = mido.MidiFile(FOLDER / name)
    spans: list[tuple[int, int, int]] = []
    velocities = set()
    for track in midi.tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on":
                assert message.note not in sounding
                sounding[message.note] = now
                velocities.add(message.velocity)
            elif message.type == "note_off":
                spans.append((message.note, sounding.pop(message.note), now))
        assert not sounding
    assert len(spans) >= 100
    assert len(velocities) >= 5
    # No key is struck while another track still holds it: one player could play it all.
    for (pitch, _, end), (next_pitch, start, _) in pairwise(sorted(spans)):
        assert pitch != next_pitch or end <= start


def test_bwv846_is_as_bach_wrote_it() -> None:
    left, right = (
        [message.note for message in track if message.type == "note_on"]
        for track in reversed(mido.MidiFile(FOLDER / "bwv846.mid").tracks[1:])
    )
    assert left[:4] == [60, 64, 60, 64]
    assert right[:6] == [67, 72, 76, 67, 72, 76]
    assert left[-2:] == [50, 57]  # bar 10: D7
    assert right[-3:] == [62, 66, 72]
    assert len(left) == 40
    assert len(right) == 120


def test_nocturne_has_rubato_and_pedal() -> None:
    midi = mido.MidiFile(FOLDER / "nocturne.mid")
    tempi = {message.tempo for message in midi.tracks[0] if message.type == "set_tempo"}
    assert len(tempi) >= 10
    for track in midi.tracks[1:]:
        pedal = [m.value for m in track if m.type == "control_change" and m.control == 64]
        assert pedal == [127, 0] * 12


@pytest.mark.parametrize("name", NAMES)
def test_reads_as_it_was_meant(name: str) -> None:
    score = read_score(FOLDER / name)
    assert score.repairs == ()
    assert is_gridded(score) == (name != "nocturne.mid")
    # A gridded example ends just before a bar line, and is continued from there.
    assert default_marker(score) == pytest.approx(score.end, abs=0.06)
