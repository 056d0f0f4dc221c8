"""Damaged files of each kind that Continuo reads, thousands of them: nothing but a ContinuoError may come of one.

python -m tests.reliability.fuzz --cases 20000 --seed 1      (or: make fuzz)

A case is its number: the same seed and number damage the same file in the same way, so that `--first N --cases 1`
runs again the one that failed.
"""

import argparse
import json
import random
import struct
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import torch
from mido import Message, MetaMessage

from core.codec.events import Conventions, encode_prompt
from core.errors import ContinuoError
from core.midi.grid import default_marker
from core.midi.read import parse_score
from core.model.checkpoint import load_model, save_model
from core.model.transformer import ModelConfig, MusicTransformer
from core.session.export import midi_bytes
from core.session.session import session_from_midi
from core.session.storage import parse_session, session_bytes
from core.settings import Settings, load_settings, save_settings
from tests.core.midi.builders import control, file_of, off, on, plain_scale, raw_file, scale
from tests.core.session.sessions import TAKE, band_with_take, midi

KINDS = ("MIDI file", "session", "model", "settings")
ODD = (
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x00",
    b"-1",
    b"9" * 400,
    b"1e999",
    b"null",
)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the cases: by kind, how many were read and how many refused; and the faults, case by case."""

    read: Counter[str]
    refused: Counter[str]
    faults: list[str]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A copy with one to four places changed, left out, doubled, moved or cut off."""
    copy = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(copy) + 1)
        length = chance.choice((1, 1, 2, 4, chance.randint(1, 60)))
        piece = bytes(copy[place : place + length])
        match chance.randrange(7):
            case 0:
                copy[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                odd = chance.choice(ODD)
                copy[place : place + chance.choice((0, len(odd)))] = odd
            case 2:
                del copy[place : place + length]
            case 3:
                copy[place:place] = piece * chance.choice((1, 2, 30))
            case 4:
                elsewhere = chance.randrange(len(copy) + 1)
                copy[elsewhere : elsewhere + length] = piece
            case 5 if piece:
                copy[place] ^= 1 << chance.randrange(8)
            case _ if not chance.randrange(4):
                del copy[place:]
    return bytes(copy)


def midi_seeds() -> list[bytes]:
    """Files of every format and division, with tempo, metre, key, texts, pedal, bend, ports and SysEx."""
    head = [
        MetaMessage("set_tempo", tempo=600_000),
        MetaMessage("time_signature", numerator=6, denominator=8),
        MetaMessage("key_signature", key="Ebm"),
        MetaMessage("lyrics", text="la", time=480),
        MetaMessage("set_tempo", tempo=400_000, time=480),
    ]
    hands = [
        MetaMessage("track_name", name="Hände"),
        MetaMessage("midi_port", port=1),
        Message("sysex", data=[0x7E, 0x7F, 9, 1]),
        Message("program_change", program=40, channel=3),
        control(64, 127, 0, 3),
        *(on(60, 0, 3), off(60, 480, 3), on(36, 0, 9), off(36, 10, 9)),
        Message("pitchwheel", pitch=-2000, channel=3),
        *scale(),
        control(64, 0, 10, 3),
    ]
    return [
        midi(),
        file_of(head, hands),
        file_of([*head, *hands], smf_format=0, division=96),
        file_of(head, hands, smf_format=2, division=1),
        raw_file(b"".join(plain_scale()), division=0xE728),  # 25 frames of 40 ticks a second
    ]


def read_midi(data: bytes) -> None:
    """All that is done with a MIDI file: read, a marker, a prompt, a session, a take, and files written of it."""
    score = parse_score(data, "any.mid")
    marker = default_marker(score)
    encode_prompt(score.tracks, marker, Conventions())
    session = session_from_midi(data, "any.mid")
    midi_bytes(session, "score")
    if session.score is not None:
        session = session.with_take(replace(TAKE, marker=session.marker))
        written = [midi_bytes(session, content) for content in ("score and take", "take", "all takes")]
        for file in written:
            parse_score(file, "written.mid")
        parse_session(session_bytes(session), "kept.continuo")


def damaged_session(parts: Mapping[str, bytes], whole: bytes, chance: random.Random) -> bytes:
    """Most are damaged inside, then packed again: the archive's checksums would refuse nearly every other."""
    if not chance.randrange(4):
        return damaged(whole, chance)
    out = BytesIO()
    chosen = chance.choice(["session.json", "session.json", "session.json", "score.mid"])
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, damaged(data, chance) if name == chosen else data)
    return out.getvalue()


def damaged_model(whole: bytes, chance: random.Random) -> bytes:
    """Most have a damaged header whose length is told rightly."""
    length = 8 + struct.unpack("<Q", whole[:8])[0]
    if not chance.randrange(4):
        return damaged(whole, chance)
    header = damaged(whole[8:length], chance)
    return struct.pack("<Q", len(header)) + header + whole[length:]


def kind_of(number: int) -> str:
    """Which kind of file a case damages."""
    return KINDS[number % len(KINDS)]


class Cases:
    """The files that are damaged, and how each kind is read; in a folder of its own."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._seed = seed
        self._midi = midi_seeds()
        self._session = session_bytes(band_with_take())
        with zipfile.ZipFile(BytesIO(self._session)) as archive:
            self._parts = {name: archive.read(name) for name in archive.namelist()}
        self._model_path, self._settings_path = folder / "any.safetensors", folder / "settings.json"
        torch.manual_seed(seed)  # the weights are among what is damaged
        model = MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=32))
        save_model(self._model_path, model, {"name": "Small", "licence": "CC0"}, torch.int8)
        self._model = self._model_path.read_bytes()
        save_settings(Settings().with_recent("a.mid"), self._settings_path)
        port = json.dumps({"output": {"kind": "port", "name": "x"}}).encode()
        self._settings = [self._settings_path.read_bytes(), port]

    def run(self, number: int) -> None:
        """Damage and read the file of that number. What is refused raises ContinuoError."""
        chance = random.Random(f"{self._seed} {number}")
        match kind_of(number):
            case "MIDI file":
                read_midi(damaged(chance.choice(self._midi), chance))
            case "session":
                session = parse_session(damaged_session(self._parts, self._session, chance), "any.continuo")
                parse_session(session_bytes(session), "again.continuo")
            case "model":
                self._model_path.write_bytes(damaged_model(self._model, chance))
                load_model(self._model_path)
            case _:
                self._settings_path.write_bytes(damaged(chance.choice(self._settings), chance))
                settings = load_settings(self._settings_path)
                save_settings(settings, self._settings_path)
                if load_settings(self._settings_path) != settings:
                    raise AssertionError("settings are not read as they were written")


def fuzz(numbers: Iterable[int], seed: int) -> Result:
    """Run the cases of these numbers, one after the other."""
    result = Result(Counter(), Counter(), [])
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(Path(folder), seed)
        for number in numbers:
            try:
                cases.run(number)
                result.read[kind_of(number)] += 1
            except ContinuoError:
                result.refused[kind_of(number)] += 1
            except Exception:  # whatever it is, the other cases run too
                result.faults.append(f"Case {number}, {kind_of(number)}:\n{traceback.format_exc()}")
    return result


def main() -> int:
    """Run as many cases as asked for, print what came of them; 1 if there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="how many files are damaged")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1, help="other seeds damage in other ways")
    args = parser.parse_args()
    started = time.monotonic()
    result = fuzz(range(args.first, args.first + args.cases), args.seed)
    for kind in KINDS:
        read, refused = result.read[kind], result.refused[kind]
        print(f"{kind}: {read} damaged ones read, {refused} refused in a sentence")
    print(*result.faults, sep="\n", end="")
    print(f"{len(result.faults)} faults in {args.cases} cases, in {time.monotonic() - started:.0f} s")
    return 1 if result.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
