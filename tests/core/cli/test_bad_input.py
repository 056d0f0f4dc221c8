"""Whatever is wrong: one sentence, the right exit code, nothing half-written."""

import errno
import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from core.cli import app
from core.model.transformer import ModelConfig, MusicTransformer
from core.resources import user_folder
from tests.core.cli.helpers import Command
from tests.core.midi.builders import file_of, off, on, raw_file

COMMANDS = (("continue", "-o", "out.mid"), ("encode",), ("play",))

UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "not MIDI": b"This is a text about music, and not a short one.\n" * 50,
    "header only": b"MThd",
    "no notes": raw_file(b"\x00\xff\x2f\x00"),
    "only drums": file_of([on(36, channel=9), off(36, 480, channel=9)]),
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_that_cannot_be_continued(command: Command, data: bytes) -> None:
    Path("bad file.mid").write_bytes(data)
    assert "bad file.mid" in command.refuse(3, "continue", "bad file.mid", "-o", "out.mid")
    assert os.listdir() == ["bad file.mid"]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: a[0])
def test_no_file_or_a_folder(command: Command, arguments: tuple[str, ...]) -> None:
    name, *rest = arguments
    Path("folder.mid").mkdir()
    assert "is a folder" in command.refuse(3, name, "folder.mid", *rest)
    assert "no file" in command.refuse(3, name, "none.mid", *rest)
    assert os.listdir() == ["folder.mid"]


@pytest.mark.posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(command: Command, song: Path) -> None:
    song.chmod(0)
    assert "may not read" in command.refuse(3, "info", song)


@pytest.mark.linux
def test_a_file_that_gives_an_error_when_read(command: Command) -> None:
    assert "cannot be read" in command.refuse(3, "info", "/proc/self/mem")


def test_a_huge_file_is_not_even_read(command: Command) -> None:
    with open("huge.mid", "wb") as file:
        file.truncate(100 << 20)
    assert "too large" in command.refuse(3, "continue", "huge.mid", "-o", "out.mid")


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_to_the_prompt_is_not_written_through(command: Command, song: Path, link: Callable[..., None]) -> None:
    before = song.read_bytes()
    link(song, "link.mid")
    for line in (("-o", "link.mid"), ("-o", "link.mid", "--take-only")):
        assert "leads to the prompt itself" in command.refuse(2, "continue", song, *line, "--events", 5)
    Path("folder").mkdir()
    os.symlink(song, "folder/take-1.mid")
    assert "the prompt itself" in command.refuse(2, "continue", song, "-o", "folder/take.mid", "--takes", 2)
    assert song.read_bytes() == Path("link.mid").read_bytes() == before


OPTIONS: dict[str, tuple[object, ...]] = {
    "temperature under 0": ("--temperature", -1),
    "temperature nan": ("--temperature", "nan"),
    "temperature inf": ("--temperature", "inf"),
    "top-p 0": ("--top-p", 0),
    "top-p nan": ("--top-p", "nan"),
    "min-p 1": ("--min-p", 1),
    "min-p nan": ("--min-p", "nan"),
    "key strength under 0": ("--key-strength", -1),
    "no such grid": ("--grid", "1/5"),
    "no such dynamics": ("--dynamics", "loud"),
    "top-k under 0": ("--top-k", -1),
    "top-k a word": ("--top-k", "many"),
    "seconds 0": ("--seconds", 0),
    "seconds nan": ("--seconds", "nan"),
    "seconds -inf": ("--seconds=-inf",),
    "seconds a year": ("--seconds", 3e7),
    "bars nan": ("--bars", "nan"),
    "bars inf": ("--bars", "inf"),
    "bars under 0": ("--bars", -2),
    "events under 0": ("--events", -5),
    "events 0": ("--events", 0),
    "two lengths": ("--events", 5, "--bars", 2),
    "no take": ("--takes", 0),
    "1000 takes": ("--takes", 1000),
    "seed under 0": ("--seed", -1),
    "scale": ("--scale", "H minor"),
    "low over high": ("--low", 80, "--high", 40),
    "no pitch of that name": ("--low", "H4"),
    "pitch 128": ("--high", 128),
    "no note in the range": ("--scale", "C major", "--low", 61, "--high", 61),
    "no such track": ("--tracks", 9),
    "tracks a word": ("--tracks", "x"),
    "from past the end": ("--from", 8.5),
    "from far past the end": ("--from", 1e9),
    "from under 0": ("--from", -1),
    "from nan": ("--from", "nan"),
    "from before the first note": ("--from", 0),
    "prompt-seconds 0": ("--prompt-seconds", 0),
    "prompt-seconds nan": ("--prompt-seconds", "nan"),
    "prompt-seconds with nothing in them": ("--prompt-seconds", 0.5),
    "no such option": ("--loud",),
    "a value is missing": ("--seed",),
    "one argument too many": ("other.mid",),
    "no such kind of device": ("--device", "tpu"),
    "wait without live": ("--wait",),
    "two outputs": ("--live", "--synth"),
}


@pytest.mark.parametrize("arguments", OPTIONS.values(), ids=OPTIONS.keys())
def test_bad_values_of_options(command: Command, song: Path, arguments: tuple[object, ...]) -> None:
    command.refuse(2, "continue", song, "-o", "out.mid", *arguments)
    assert os.listdir() == [song.name]


def test_wrong_values_are_told_in_plain_words(command: Command, song: Path) -> None:
    line = ("continue", song, "-o", "out.mid")
    assert "'--seed': it takes a whole number." in command.refuse(2, *line, "--seed", "1.5")
    assert "'--bars': it takes a number." in command.refuse(2, *line, "--bars", "")
    assert "at most 100000, not inf" in command.refuse(2, *line, "--bars", "inf")
    assert "': 'loud' is not one of" in command.refuse(2, "encode", song, "--velocity", "loud")
    assert "'--minutes': it must be greater" in command.refuse(2, "finetune", "m", ".", "--minutes", -1)
    assert "': embedded null byte." in command.refuse(2, "info", "a\0b")


def test_bad_use_of_other_commands(command: Command, song: Path) -> None:
    command.refuse(2, "continue", song)
    command.refuse(2, "continue")
    command.refuse(2, "sing")
    command.refuse(2, "encode", song, "--velocity", "loud")
    command.refuse(2, "play", song, "--port", "x", "--synth")
    command.refuse(2, "import-model", song, "-o", "model.txt")
    code, out, err = command()
    assert (code, out) == (2, "")
    assert "Usage" in err


@pytest.mark.parametrize("text", ["", "12 x", "390", "-1", "1.5", "9" * 5000])
def test_ids_that_are_none(command: Command, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    command.refuse(2, "decode", "-o", "out.mid")
    assert os.listdir() == []


def test_what_is_not_there(
    command: Command, song: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, jack: dict[str, str]
) -> None:
    line = ("continue", song, "-o", "out.mid")
    assert "continuo-base" in command.refuse(4, *line, "--model", "nobody")
    command.refuse(4, *line, "--model", "./nobody.safetensors")
    for name in ("a" * 300, "~nobody/a.safetensors", ""):
        command.refuse(4, *line, "--model", name)
    assert "nobody" in command.refuse(4, *line, "--live", "nobody")
    command.refuse(4, "play", song, "--port", "nobody")
    if not torch.cuda.is_available():
        command.refuse(4, *line, "--device", "cuda", "--model", tiny)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there-is-none")
    for arguments in ((*line, "--live"), ("play", song), ("ports",)):
        command.refuse(4, *arguments)
    assert os.listdir() == [song.name]


@pytest.mark.linux
def test_no_audio_device(command: Command, song: Path) -> None:
    assert "audio device" in command.refuse(4, "continue", song, "-o", "out.mid", "--synth")
    assert "audio device" in command.refuse(4, "play", song, "--synth")


@pytest.mark.posix
def test_places_that_cannot_be_written(command: Command, song: Path, tiny: Path) -> None:
    Path("folder").mkdir()
    for out in ("nowhere/out.mid", "folder", song / "out.mid", "", "a" * 300, "/proc/out.mid", os.devnull, ".."):
        for takes in (1, 2):
            command.refuse(1, "continue", song, "-o", out, "--model", tiny, "--takes", takes)
    assert sorted(os.listdir()) == ["folder", song.name]
    assert os.listdir("folder") == []
    assert not Path(os.devnull + "-1").exists()


def test_the_disk_is_full(command: Command, song: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    Path("out.mid").write_bytes(b"before")
    line = ("continue", song, "-o", "out.mid", "--model", tiny, "--events", 10)
    assert "the disk is full" in command.refuse(1, *line)
    assert Path("out.mid").read_bytes() == b"before"
    assert sorted(os.listdir()) == ["out.mid", song.name]


# Models


def header(config: object) -> bytes:
    """A safetensors file with metadata and no weights."""
    return header_text(json.dumps(config))


def header_text(config: str) -> bytes:
    text = json.dumps({"__metadata__": {"config": config}}).encode()
    return struct.pack("<Q", len(text)) + text


def changed(**changes: object) -> Callable[[bytes], bytes]:
    """The tiny model with another config."""
    config = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 256, **changes}
    return lambda data: save(_weights(data), {"config": json.dumps(config)})


def _weights(data: bytes) -> dict[str, torch.Tensor]:
    Path("tiny.tmp").write_bytes(data)
    weights = load_file("tiny.tmp")
    os.unlink("tiny.tmp")
    return weights


def _with_nan(data: bytes) -> bytes:
    weights = _weights(data)
    weights["lm_head.weight"][3, 3] = float("nan")
    config = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 256}
    return save(weights, {"config": json.dumps(config)})


MODELS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "text": lambda data: b"these are no weights " * 100,
    "a header of 2^63 bytes": lambda data: b"\xff" * 7 + b"\x7f" + data[8:],
    "pickle": lambda data: pickle.dumps({"a": 1}),
    "no config": lambda data: header(None),
    "config a list": lambda data: header([1]),
    "no weights": lambda data: header({"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 256}),
    "other shapes": changed(n_embd=32),
    "absurd width": changed(n_embd=10**12),
    "absurd depth": changed(n_layer=10**9),
    "absurd window": changed(block_size=10**15),
    "no heads": changed(n_head=0),
    "heads a word": changed(n_head="two"),
    "other vocabulary": changed(vocab_size=50257),
    "config of 100000 lists": lambda data: header_text("[" * 100_000),
    "not numbers": _with_nan,
}


@pytest.mark.parametrize("damage", MODELS.values(), ids=MODELS.keys())
def test_models_that_cannot_be(command: Command, song: Path, tiny: Path, damage: Callable[[bytes], bytes]) -> None:
    Path("bad.safetensors").write_bytes(damage(tiny.read_bytes()))
    line = ("continue", song, "-o", "out.mid", "--model", "bad.safetensors")
    assert "bad.safetensors" in command.refuse(3, *line)
    assert sorted(os.listdir()) == ["bad.safetensors", song.name]


def test_evaluate_tells_before_it_starts_what_cannot_be_written(command: Command, song: Path, tiny: Path) -> None:
    line = ("evaluate", tiny, song, "-o")
    assert "a file has that name" in command.refuse(1, *line, song)
    assert "no such folder" in command.refuse(1, *line, song / "out")
    Path("out/rolls.png").mkdir(parents=True)
    assert "it is a folder" in command.refuse(1, *line, "out")
    assert "not a prepared corpus" in command.refuse(3, "evaluate", tiny, song, "--training", "out")
    command.refuse(4, "evaluate", "nobody", song, "-o", "new")
    assert sorted(os.listdir()) == ["out", song.name]


class _Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, ("exploded",))


BOOKS: dict[str, Callable[[Path], object]] = {
    "bomb": lambda path: torch.save({"transformer.wte.weight": _Bomb()}, path),
    "bare bomb": lambda path: path.write_bytes(pickle.dumps(_Bomb())),
    "whole network": lambda path: torch.save(MusicTransformer(ModelConfig(1, 2, 16, 32)), path),
    "other weights": lambda path: torch.save({"weight": torch.zeros(3)}, path),
    "a list": lambda path: torch.save([1, 2], path),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"no weights"),
    "folder": lambda path: path.mkdir(),
    "nothing": lambda path: None,
}


@pytest.mark.filterwarnings("error")  # it would be a second sentence
@pytest.mark.parametrize("make", BOOKS.values(), ids=BOOKS.keys())
def test_books_that_cannot_be_imported(command: Command, make: Callable[[Path], object]) -> None:
    make(Path("book.pth"))
    before = os.listdir()
    assert "book.pth" in command.refuse(3, "import-model", "book.pth", "-o", "model.safetensors")
    assert os.listdir() == before


def test_a_broken_model_is_no_book(command: Command) -> None:
    Path("book.safetensors").write_bytes(b"no weights")
    assert "book.safetensors" in command.refuse(3, "import-model", "book.safetensors", "-o", "model.safetensors")


def test_a_model_of_ours_need_not_be_imported(command: Command, tiny: Path) -> None:
    said = command.refuse(2, "import-model", tiny, "-o", "model.safetensors")
    assert f"{tiny} is a Continuo model already" in said
    assert f"--model {tiny}" in said
    assert str(user_folder("models")) in said
    assert os.listdir() == []


def test_a_fault_of_ours_is_one_sentence_and_a_log(
    command: Command, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise ZeroDivisionError("this is a test")

    monkeypatch.setattr("core.midi.read.read_score", fail)
    monkeypatch.setattr(app, "_log", lambda: "a log")
    assert command("info", song) == (1, "", "continuo-cli: Something went wrong inside Continuo; "
                                            "the details are in a log.\n")  # fmt: skip
