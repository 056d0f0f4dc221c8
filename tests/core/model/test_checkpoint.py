import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from core.errors import NotFound, UnreadableInput, WriteError
from core.model import checkpoint
from core.model.checkpoint import find_model, import_book, list_models, load_model, read_info, save_model
from core.model.transformer import BOOK, ModelConfig, MusicTransformer

CHECK = Path(__file__).with_name("bootstrap-check.json")
BUNDLED = ["bootstrap", "continuo-base", "continuo-concert"]
SMALL = ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=32)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "small.safetensors"
    save_model(path, MusicTransformer(SMALL), {"name": "Small", "licence": "CC0"}, torch.float32)
    return path


def test_what_is_saved_is_loaded(saved: Path) -> None:
    torch.manual_seed(0)
    original = MusicTransformer(SMALL)
    model, info = load_model(saved)
    assert (info.name, info.config, info.provenance["licence"]) == ("Small", SMALL, "CC0")
    ids = torch.arange(20)[None]
    with torch.no_grad():
        assert torch.equal(model(ids), original(ids))


def test_packed_weights_are_half_the_size_of_fp16_and_agree(tmp_path: Path) -> None:
    model, info = load_model(find_model("bootstrap"))
    path = tmp_path / "packed.safetensors"
    save_model(path, model, info.provenance, torch.int8)
    packed, again = load_model(path)
    assert again.config == info.config
    assert path.stat().st_size < 0.53 * info.path.stat().st_size
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
