"""info, models, ports, encode, decode, import-model, help: and that they are quick to start."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import mido
import pytest
import torch

from core.cli import interrupts
from core.cli.continue_ import with_live_value
from core.codec.vocabulary import BOUNDARY
from core.midi.read import read_score
from core.model.transformer import BOOK, MusicTransformer
from tests.core.cli.helpers import ENTRY, Command, two_tracks
from tests.core.midi.builders import END, file_of, off, on, raw_file


@pytest.mark.parametrize("arguments", [["--help"], ["continue", "--help"], ["bench", "--help"], ["--version"]])
def test_help_comes_without_torch_and_numpy(arguments: list[str]) -> None:
    code = (
        "import sys; from core.cli.app import run; code = run(sys.argv[1:]); "
        "slow = {'torch', 'numpy', 'rtmidi', 'mido', 'pretty_midi'} & set(sys.modules); "
        "sys.exit(f'{slow}' if slow else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "continuo-cli" in done.stdout


def test_every_command_has_an_example(command: Command) -> None:
    _, out, _ = command("--help")
    names = ["continue", "play", "ports", "info", "models", "import-model", "encode", "decode", "bench"]
    names += ["prepare", "train", "finetune", "evaluate", "average", "pack"]
    for name in names:
        assert f"  {name} " in out
        lines = [line.strip() for line in command(name, "--help")[1].splitlines()]
        example = next(i for i, line in enumerate(lines) if line.startswith("Example: continuo-cli "))
        assert lines[example + 1] == ""  # it stands on one line, to be copied


def test_info(command: Command, song: Path) -> None:
    result = command.json("info", song)
    assert (result["notes"], result["seconds"], result["tempo_bpm"], result["metre"]) == (12, 8.0, 60.0, "4/4")
    assert [(t["number"], t["channel"], t["notes"]) for t in result["tracks"]] == [(1, 1, 8), (2, 2, 4)]
    assert (result["detected_key"], result["repairs"], result["continues_from"]) == ("C major", [], 8.0)
    code, out, err = command("info", song)
    assert (code, err) == (0, "")
    assert "12 notes" in out


def test_info_tells_the_tempo(command: Command) -> None:
    late = [mido.MetaMessage("set_tempo", tempo=1_000_000, time=960), on(60), off(60, 480)]
    Path("late.mid").write_bytes(file_of(late))
    result = command.json("info", "late.mid")
    assert (result["tempo_bpm"], result["tempo_changes"]) == (120.0, 1)
    assert "120 bpm, 1 change\n" in command("info", "late.mid")[1]
    Path("smpte.mid").write_bytes(raw_file(b"\x00\x90\x3c\x50\x60\x3c\x00" + END, division=0xE728))
    result = command.json("info", "smpte.mid")
    assert (result["tempo_bpm"], result["tempo_changes"]) == (None, 0)
    assert "counts seconds" in command("info", "smpte.mid")[1]


def test_info_tells_what_was_repaired(command: Command) -> None:
    Path("cut.mid").write_bytes(two_tracks()[:-30])
    repairs = command.json("info", "cut.mid")["repairs"]
    assert repairs
    assert repairs[0] in " ".join(command("info", "cut.mid")[1].split())
    # The other commands say it beside their result.
    code, out, err = command("encode", "cut.mid")
    assert (code, err) == (0, "".join(f"{sentence}\n" for sentence in repairs))
    assert out.count("\n") == 1


def test_models(command: Command) -> None:
    models = command.json("models")["models"]
    assert [model["name"] for model in models if model["default"]] == ["continuo-base"]
    assert all(Path(model["path"]).is_file() and model["config"]["block_size"] > 0 for model in models)


def test_encode_and_decode_through_real_pipes(tmp_path: Path, song: Path) -> None:
    encoded = subprocess.run([*ENTRY, "encode", song], capture_output=True, check=True)
    assert encoded.stderr == b""
    assert encoded.stdout.count(b"\n") == 1
    out = tmp_path / "again.mid"
    decode = [*ENTRY, "decode", "-o", out, "--json"]
    decoded = subprocess.run(decode, input=encoded.stdout, capture_output=True, check=True)
    assert decoded.stderr == b""
    assert json.loads(decoded.stdout) == {
        "events": len(encoded.stdout.split()), "notes": 12, "music_seconds": 8.0, "outputs": [str(out)],
    }  # fmt: skip
    notes = sorted((n.pitch, n.start, n.end) for track in read_score(song).tracks for n in track.notes)
    again = sorted((n.pitch, n.start, n.end) for n in read_score(out).tracks[0].notes)
    assert [n[0] for n in again] == [n[0] for n in notes]
    assert [t for n in again for t in n[1:]] == pytest.approx([t for n in notes for t in n[1:]], abs=0.005)


def test_encode_in_the_conventions_of_the_book(command: Command, song: Path) -> None:
    ours = command.json("encode", song)["events"]
    book = command.json("encode", song, "--velocity", "each", "--no-boundary")["events"]
    assert ours[0] == BOUNDARY != book[0]
    assert sum(356 <= event < 388 for event in ours) == 1
    assert sum(356 <= event < 388 for event in book) == 12


def test_decode_takes_commas_and_bytes_that_are_no_text(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("388, 370,60,355\n188"))
    assert command.json("decode", "-o", "o.mid")["notes"] == 1
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00"), encoding="utf-8"))
    command.refuse(2, "decode", "-o", "p.mid")
    assert os.listdir() == ["o.mid"]


def test_import_model(command: Command, song: Path) -> None:
    torch.manual_seed(1)
    weights = MusicTransformer(BOOK).state_dict()
    weights["transformer.h.0.attn.bias"] = torch.ones(1, 1, 8, 8)
    torch.save(weights, "book.pth")
    result = command.json("import-model", "book.pth", "-o", "book.safetensors")
    assert result["config"]["velocity"] == "each"
    done = command.json("continue", song, "-o", "o.mid", "--model", "book.safetensors", "--events", 5)
    assert (done["model"], done["events"] >= 5) == ("book", True)


def test_live_alone_means_a_virtual_port() -> None:
    assert with_live_value(["--live", "-o", "x"]) == ["--live=", "-o", "x"]
    assert with_live_value(["-o", "x", "--live"]) == ["-o", "x", "--live="]
    assert with_live_value(["--live", "Song.MID"]) == ["--live=", "Song.MID"]
    assert with_live_value(["--live", "FLUID", "a.mid"]) == ["--live", "FLUID", "a.mid"]


@pytest.mark.linux
def test_a_result_that_cannot_be_printed_is_a_sentence(song: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*ENTRY, "info", song], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("continuo-cli: The result cannot be printed")
    assert done.stderr.count("\n") == 1


@pytest.mark.posix
def test_nobody_reads_stdout(song: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*ENTRY, "info", song], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_is_put_off_counts_at_the_end(number: int) -> None:
    done = []

    def load() -> None:
        with interrupts.put_off():
            os.kill(os.getpid(), number)
            done.append("loaded")

    with pytest.raises(KeyboardInterrupt):
        load()
    assert done == ["loaded"]


@pytest.mark.posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_the_commands_load_ends_quietly(name: str) -> None:
    interrupted = "\n".join(
        (
            "import os, signal, sys",
            "class Early:",
            "    def find_spec(self, name, path=None, target=None):",
            "        if name == 'typer':",
            "            os.kill(os.getpid(), signal." + name + ")",
            "sys.meta_path.insert(0, Early())",
            "from core.cli.start import main",
            "main()",
        )
    )
    ended = subprocess.run([sys.executable, "-c", interrupted, "models"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_command_alone_explains_itself(command: Command) -> None:
    code, out, err = command("train")
    assert (code, out) == (2, "")
    assert err.startswith("Usage: ")
