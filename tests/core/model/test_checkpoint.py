import json
import os
import pickle
import random
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from core.codec.vocabulary import SYMBOLS_SIZE, VOCABULARY_SIZE
from core.errors import NotFound, UnreadableInput, WriteError
from core.model import checkpoint
from core.model.checkpoint import find_model, import_book, list_models, load_model, read_info, save_model
from core.model.memory import physical_memory
from core.model.transformer import BOOK, ModelConfig, MusicTransformer, with_symbols

CHECK = Path(__file__).with_name("continuo-base-check.json")
BUNDLED = ["continuo-base", "continuo-concert"]
SMALL = ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=32)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "small.safetensors"
    save_model(path, MusicTransformer(SMALL), {"name": "Small", "licence": "CC0"}, torch.float32)
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.int8])
def test_the_header_says_whether_a_model_knows_symbols(saved: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "wide.safetensors"
    wide = with_symbols(load_model(saved)[0])
    save_model(path, wide, {}, dtype)

    assert not read_info(saved).config.has_symbols
    assert read_info(path).config.has_symbols
    model = load_model(path)[0]
    assert with_symbols(model) is model
    assert model.lm_head.weight.shape == model.transformer.wte.weight.shape == (SYMBOLS_SIZE, 16)


def test_what_is_saved_is_loaded(saved: Path) -> None:
    torch.manual_seed(0)
    original = MusicTransformer(SMALL)
    model, info = load_model(saved)
    assert (info.name, info.config, info.provenance["licence"]) == ("Small", SMALL, "CC0")
    ids = torch.arange(20)[None]
    with torch.no_grad():
        torch.testing.assert_close(model(ids), original(ids), atol=2e-4, rtol=1e-4)


def test_a_model_that_is_loaded_has_no_part_in_its_file(saved: Path) -> None:
    model, _ = load_model(saved)
    weights = [weight.clone() for weight in model.parameters()]
    with saved.open("r+b") as file:  # as another program may: files of ours are replaced whole
        file.write(bytes(saved.stat().st_size))
    assert all(map(torch.equal, weights, model.parameters()))
    assert all(weight.requires_grad for weight in model.parameters())


def test_loading_a_model_loads_no_compiler(saved: Path) -> None:
    """PyTorch's, and the algebra it brings: a third of a second at every start."""
    code = (
        "import sys; from pathlib import Path; from core.model.checkpoint import load_model; "
        "load_model(Path(sys.argv[1])); "
        "print({'sympy', 'torch._dynamo', 'torch.fx.experimental.symbolic_shapes'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, saved], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "set()"


def test_packed_weights_are_half_the_size_of_fp16_and_agree(tmp_path: Path) -> None:
    model, info = load_model(find_model("continuo-base"))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():  # which are packed in the file: now they lie between the levels
            weight.mul_(1 + 0.02 * torch.randn_like(weight))
    path = tmp_path / "packed.safetensors"
    save_model(path, model, info.provenance, torch.int8)
    packed, again = load_model(path)
    assert again.config == info.config
    assert path.stat().st_size < 0.53 * 2 * sum(weight.numel() for weight in model.parameters())
    check = json.loads(CHECK.read_text(encoding="utf-8"))
    ids = torch.tensor(check["events"])[None]
    with torch.no_grad():
        losses = [float(F.cross_entropy(m(ids[:, :-1])[0], ids[0, 1:])) for m in (model, packed)]
    assert losses[1] == pytest.approx(losses[0], rel=0.005)
    # Packing what was packed changes nothing.
    save_model(tmp_path / "twice.safetensors", packed, info.provenance, torch.int8)
    twice, _ = load_model(tmp_path / "twice.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(packed.parameters(), twice.parameters(), strict=True))


def test_damaged_scales_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_model(path, MusicTransformer(SMALL), {}, torch.int8)
    whole = path.read_bytes()
    rewritten(path, lambda header: header.pop("lm_head.weight.scale"))
    with pytest.raises(UnreadableInput):
        load_model(path)
    path.write_bytes(whole)
    rewritten(path, lambda header: header["lm_head.weight.scale"].update(shape=[1, 390]))
    with pytest.raises(UnreadableInput, match="instead of"):
        load_model(path)
    path.write_bytes(whole)
    weights = load_file(path)
    weights["lm_head.weight.scale"][3] = float("inf")
    save_file(weights, path, {"config": json.dumps(SMALL.as_dict())})
    with pytest.raises(UnreadableInput, match=r"lm_head\.weight"):
        load_model(path)


def test_models_are_found_by_name_and_path(saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "user" / "models"
    folder.mkdir(parents=True)
    saved.rename(folder / "mine.safetensors")
    (folder / "broken.safetensors").write_bytes(b"nothing")
    monkeypatch.setattr(checkpoint, "user_folder", lambda *parts: tmp_path.joinpath("user", *parts))
    assert find_model("mine") == folder / "mine.safetensors"
    assert find_model(str(folder / "mine.safetensors")).is_file()
    assert find_model(None).name == "continuo-base.safetensors"
    assert [info.path.stem for info in list_models()] == [*BUNDLED, "mine"]
    with pytest.raises(NotFound, match=", ".join([*BUNDLED, "mine"])):
        find_model("other")
    with pytest.raises(NotFound):
        find_model("./other.safetensors")


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a safetensors file's JSON header."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def config_with(**values: object) -> Callable[[dict[str, Any]], object]:
    text = json.dumps({**SMALL.as_dict(), **values})
    return lambda header: header["__metadata__"].update(config=text)


@pytest.mark.parametrize(
    "change",
    [
        config_with(n_embd=32),
        config_with(n_layer=2),
        config_with(n_layer=10**6),
        lambda header: header["__metadata__"].update(config="{"),
        lambda header: header["__metadata__"].pop("config"),
        lambda header: header.pop("lm_head.weight"),
        lambda header: header["lm_head.weight"].update(shape=[10**12, 16]),
    ],
)
def test_weights_that_do_not_fit_are_refused(saved: Path, change: Callable[[dict[str, Any]], object]) -> None:
    rewritten(saved, change)
    with pytest.raises(UnreadableInput, match=r"small\.safetensors"):
        load_model(saved)


@pytest.mark.parametrize("data", [b"", b"\x80\x04.", b"\xff" * 100, bytes(8), struct.pack("<Q", 1 << 60) + b"{}"])
def test_what_is_not_safetensors_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(UnreadableInput):
        read_info(path)


def test_a_file_cut_short_is_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(UnreadableInput):
        load_model(saved)


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    model = MusicTransformer(SMALL)
    model.lm_head.weight.data[3, 3] = float("nan")
    path = tmp_path / "nan.safetensors"
    save_model(path, model, {})
    with pytest.raises(UnreadableInput, match=r"lm_head\.weight"):
        load_model(path)


def test_saving_where_one_cannot_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="no such folder"):
        save_model(tmp_path / "no" / "x.safetensors", MusicTransformer(SMALL), {})


@pytest.fixture(scope="module")
def book_weights() -> dict[str, torch.Tensor]:
    """What the book's training ends with: a state dict with its causal-mask buffers."""
    torch.manual_seed(0)
    weights = MusicTransformer(BOOK).state_dict()
    for layer in range(6):
        weights[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 8, 8).tril()
    return weights


def test_the_books_checkpoint_becomes_a_model(book_weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "musicTrans.pth"
    torch.save(book_weights, path)
    model = import_book(path)
    assert model.config == BOOK
    assert torch.equal(model.lm_head.weight, book_weights["lm_head.weight"])
    assert torch.equal(model.transformer.h[5].mlp.c_fc.bias, book_weights["transformer.h.5.mlp.c_fc.bias"])  # type: ignore[union-attr]


def test_wrong_shapes_are_named(book_weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({**book_weights, "transformer.wte.weight": torch.zeros(389, 512)}, path)
    with pytest.raises(UnreadableInput, match=r"transformer\.wte\.weight is \(389, 512\) instead of \(390, 512\)"):
        import_book(path)
    torch.save({"weights": [1, 2]}, path)
    with pytest.raises(UnreadableInput):
        import_book(path)


class Bomb:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def test_a_pickle_from_a_stranger_runs_nothing(tmp_path: Path) -> None:
    target, path = tmp_path / "was here", tmp_path / "evil.pth"
    torch.save({"transformer.wte.weight": Bomb(target)}, path)
    with pytest.raises(UnreadableInput):
        import_book(path)
    path.write_bytes(pickle.dumps(Bomb(target)))
    with pytest.raises(UnreadableInput):
        import_book(path)
    assert not target.exists()
    for data in (b"", b"PK\x03\x04", b"random bytes"):
        path.write_bytes(data)
        with pytest.raises(UnreadableInput):
            import_book(path)


def test_weights_of_other_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(2)}, path, {"config": json.dumps(SMALL.as_dict())})
    with pytest.raises(UnreadableInput, match="a does not belong there"):
        load_model(path)


def mutations(data: bytes, count: int, first: int = 0) -> Iterator[bytes]:
    """So many damaged copies: cut short, with bytes changed, left out or doubled, all from byte `first` on."""
    chance = random.Random(0)
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(first, max(first + 1, len(copy)))
            match chance.randrange(5):
                case 0:
                    del copy[place:]
                case 1:
                    copy[place : place + 1] = bytes([chance.randrange(256)])
                case 2:
                    del copy[place : place + chance.randint(1, 40)]
                case 3:
                    copy[place:place] = copy[place : place + chance.randint(1, 40)]
                case _:
                    copy[place : place + 1] = b"9" * chance.choice((1, 20, 5000))
        yield bytes(copy)


def readable_or_refused(path: Path) -> bool:
    """Whether a model file is loaded; any other end than that or a refusal is an error."""
    try:
        load_model(path)
    except UnreadableInput as error:
        sentence = str(error)
    else:
        return True
    assert sentence.isprintable()
    assert len(sentence) < 600
    return False


def test_any_damage_to_a_model_file_is_a_sentence(saved: Path) -> None:
    whole = saved.read_bytes()
    length = 8 + struct.unpack("<Q", whole[:8])[0]
    header, weights = whole[8:length], whole[length:]
    refused = 0
    for damaged in mutations(header, 250):
        saved.write_bytes(struct.pack("<Q", len(damaged)) + damaged + weights)
        refused += not readable_or_refused(saved)
    for damaged in mutations(whole, 50):
        saved.write_bytes(damaged)
        refused += not readable_or_refused(saved)
    assert refused > 200


@given(
    st.dictionaries(
        st.sampled_from([*SMALL.as_dict(), "rotary_base", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        ),
    )
)
def test_any_config_is_one_that_can_be_or_is_refused(change: dict[str, object]) -> None:
    try:
        config = ModelConfig.from_dict({**SMALL.as_dict(), **change})
    except UnreadableInput:
        return
    assert 1 <= config.n_layer <= 128
    assert 1 <= config.block_size <= 65536
    assert 2 <= config.n_embd <= 8192
    assert config.n_embd % (2 * config.n_head) == 0
    assert config.vocab_size in (VOCABULARY_SIZE, SYMBOLS_SIZE)
    assert type(config.starts_with_boundary) is bool


@pytest.mark.parametrize(
    "config",
    [
        '{"n_layer": ' + "9" * 5000 + "}",
        json.dumps(SMALL.as_dict())[:-1] + ', "other": ' + "9" * 5000 + ', "n_layer": 0}',
        "[" * 100_000,
        "\x00",
        "1" * 5000,
    ],
)
def test_a_file_with_a_damaged_header_hides_no_other_model(
    saved: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten(saved, lambda header: header["__metadata__"].update(config=config))
    monkeypatch.setattr(checkpoint, "user_folder", lambda *_: saved.parent)
    assert [info.path.stem for info in list_models()] == BUNDLED
    with pytest.raises(UnreadableInput, match=r"small\.safetensors"):
        read_info(saved)


@pytest.mark.posix
def test_a_pipe_among_the_models_is_not_waited_for(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(saved.parent / "pipe.safetensors")
    monkeypatch.setattr(checkpoint, "user_folder", lambda *_: saved.parent)
    listing = threading.Thread(target=list_models, daemon=True)
    listing.start()
    listing.join(60)
    assert not listing.is_alive()
    assert [info.path.stem for info in list_models()] == [*BUNDLED, "small"]


def test_whatever_a_header_says_is_fit_to_be_shown(saved: Path) -> None:
    words = "\x1b[2J\n" + "9" * 1_000_000
    rewritten(saved, lambda header: header["__metadata__"].update(name=words, licence=words))
    info = read_info(saved)
    for shown in (info.name, info.licence):
        assert shown.startswith("?[2J?999")
        assert len(shown) < 130
    rewritten(saved, lambda header: header["__metadata__"].update(name="", licence=""))
    assert (read_info(saved).name, read_info(saved).licence) == ("small", "")


def test_a_small_file_that_asks_for_more_memory_than_there_is_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It claims 32 layers and 65,536 places: its weights take less than 1 MiB, its cache would take 256."""
    config = ModelConfig(n_layer=32, n_head=1, n_embd=16, block_size=65536)
    path = tmp_path / "long.safetensors"
    save_model(path, MusicTransformer(config), {})
    assert path.stat().st_size < 2**20
    monkeypatch.setattr(checkpoint, "physical_memory", lambda: 2**29)
    load_model(path)
    monkeypatch.setattr(checkpoint, "physical_memory", lambda: 2**28)
    with pytest.raises(UnreadableInput, match=r"long\.safetensors is too large for this machine: it needs 0\.3 GiB"):
        load_model(path)


def test_this_machine_has_memory() -> None:
    assert physical_memory() > 2**28


@pytest.mark.parametrize("as_zip", [True, False])
def test_any_damage_to_a_pickle_is_a_sentence(tmp_path: Path, as_zip: bool) -> None:
    path = tmp_path / "musicTrans.pth"
    weights = {"transformer.wte.weight": torch.zeros(2, 3), "lm_head.weight": torch.ones(3)}
    torch.save(weights, path, _use_new_zipfile_serialization=as_zip)
    whole = path.read_bytes()
    for damaged in (whole, *(whole[:end] for end in range(0, len(whole), 37)), *mutations(whole, 200)):
        path.write_bytes(damaged)
        with pytest.raises(UnreadableInput, match=r"musicTrans\.pth"):
            import_book(path)


def test_tensors_that_are_no_plain_weights_are_refused(book_weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "sparse.pth"
    torch.save({**book_weights, "lm_head.weight": torch.zeros(390, 512).to_sparse()}, path)
    with pytest.raises(UnreadableInput, match=r"sparse\.pth"):
        import_book(path)
