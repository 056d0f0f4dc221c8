"""Weights on disk: safetensors with config and provenance in the header, and the book's .pth.

The header's metadata (all values are text): `config` (JSON, see ModelConfig), `name`, `licence`,
`data`, and whatever else is known of the training.

Weights are floats, or, at a quarter of float32's size, packed: a matrix `X` of (out, in) 8-bit integers
with a float16 scale for each output, `X.scale`; vectors stay floats.
"""

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor
from torch.overrides import TorchFunctionMode

from core.errors import NotFound, UnreadableInput
from core.files import write_atomically
from core.model.memory import physical_memory
from core.model.transformer import BOOK, ModelConfig, MusicTransformer
from core.resources import bundled, user_folder

DEFAULT_MODEL = "continuo-base"
SCALE = ".scale"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a checkpoint's header says: where it is, its config, and the rest of its metadata.

    Of that, `name` and `licence` are fit to be shown, whatever stands there.
    """

    name: str
    path: Path
    config: ModelConfig
    provenance: Mapping[str, str]

    @property
    def licence(self) -> str:
        """What it may be used for; empty if it does not say."""
        return _shown(self.provenance.get("licence", ""))


def list_models() -> list[ModelInfo]:
    """The models at hand: bundled ones, then the user's. Files that cannot be read are left out."""
    found = []
    for folder in (bundled("models"), user_folder("models")):
        for path in filter(os.path.isfile, sorted(folder.glob("*.safetensors"))):  # a pipe would be waited for
            try:
                found.append(read_info(path))
            except UnreadableInput:
                continue
    return found


def find_model(name: str | None) -> Path:
    """The checkpoint that a name or a path means; the default for None. Raises NotFound."""
    if name is None:
        return find_model(DEFAULT_MODEL)
    if name.endswith(".safetensors") or "/" in name or "\\" in name:
        path = Path(os.path.expanduser(name))
        if not os.path.isfile(path):  # unlike Path.is_file, it has an answer for a name that is too long
            raise NotFound(f"There is no model file {path}.")
        return path
    for folder in (user_folder("models"), bundled("models")):
        path = folder / f"{name}.safetensors"
        if os.path.isfile(path):
            return path
    names = ", ".join(info.path.stem for info in list_models()) or "none"
    raise NotFound(f'There is no model called "{name}"; the models at hand are: {names}.')


def read_info(path: Path) -> ModelInfo:
    """A checkpoint's header, without its weights. Raises UnreadableInput."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise UnreadableInput(f"{path.name} is not a model file that Continuo can read ({_reason(error)}).") from error
    try:
        config = ModelConfig.from_dict(msgspec.json.decode(metadata.pop("config", "null")))
    except (ValueError, RecursionError) as error:  # msgspec's DecodeError is a ValueError, as is text that is no UTF-8
        raise UnreadableInput(f"The config in {path.name} is damaged.") from error
    except UnreadableInput as error:
        raise UnreadableInput(f"{path.name}: {error}") from error
    return ModelInfo(_shown(metadata.get("name", "")) or path.stem, path, config, metadata)


def load_model(path: Path) -> tuple[MusicTransformer, ModelInfo]:
    """The network with its weights, in float32 on the CPU. Raises UnreadableInput for any that do not fit."""
    info = read_info(path)
    # Shapes are compared with the header's, and sizes with the memory, before a network of that size is made.
    expected = _unfilled(info.config).state_dict()
    _check_memory(path.name, info.config, sum(tensor.numel() for tensor in expected.values()))
    try:
        with safe_open(path, framework="pt") as file:
            names = set(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            wanted = {k: tuple(v.shape) for k, v in expected.items()}
            wanted |= {k + SCALE: v[:1] for k, v in wanted.items() if len(v) == 2 and k + SCALE in names}
            _check_shapes(path.name, shapes, wanted)
            weights = {name: file.get_tensor(name).clone() for name in names}  # else they are the file, mapped
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:  # torch's, of types it cannot hold
        raise UnreadableInput(f"{path.name} is damaged ({_reason(error)}).") from error
    return _network(info.config, _unpacked(weights), path.name), info


class _NoInitialValues(TorchFunctionMode):
    """Makes PyTorch's initialisers leave a tensor as it is."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else named["tensor"]
        return func(*args, **named)


def _unfilled(config: ModelConfig) -> MusicTransformer:
    """A network that has shapes and no values: on the meta device.

    There PyTorch would "fill" weights by Python code that loads its whole compiler, two seconds at every start.
    """
    with torch.device("meta"), _NoInitialValues():
        return MusicTransformer(config)


def _check_memory(name: str, config: ModelConfig, weights: int) -> None:
    """Refuse a model that cannot run in the memory of this machine, before any of it is allocated.

    A small file can ask for much: keys and values of a full window, in float32, are larger than all weights where
    the window is long and the network narrow.
    """
    cache = 2 * config.n_layer * config.block_size * config.n_embd
    needed, there = 4 * (weights + cache), physical_memory()
    if needed > there:
        gibibytes = f"{needed / 2**30:.1f} GiB of memory, and there are {there / 2**30:.1f}"
        raise UnreadableInput(f"{name} is too large for this machine: it needs {gibibytes}.")


def _network(config: ModelConfig, weights: Mapping[str, Tensor], name: str) -> MusicTransformer:
    floats = {}
    for key, tensor in weights.items():
        floats[key] = tensor.float()
        if not tensor.is_floating_point() or not torch.isfinite(floats[key]).all():
            raise UnreadableInput(f"{name} is damaged: {key} holds what are not numbers.")
    model = _unfilled(config)
    model.load_state_dict(floats, assign=True)  # `to_empty` would load PyTorch's compiler
    model.reset_tables()
    return model.eval()


def _check_shapes(name: str, found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> None:
    faults = [f"{key} does not belong there" for key in found if key not in expected]
    faults += [
        f"{key} is {found[key]} instead of {expected[key]}"
        for key in expected
        if key in found and found[key] != expected[key]
    ]
    faults += [f"{key} is missing" for key in expected if key not in found]
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise UnreadableInput(f"The weights in {name} do not fit: {'; '.join(map(_shown, faults[:3]))}{more}.")


def save_model(
    path: Path, model: MusicTransformer, provenance: Mapping[str, str], dtype: torch.dtype = torch.float16
) -> None:
    """Write weights and header, whole or not at all; with torch.int8, packed. Raises WriteError."""
    weights = {key: tensor.detach().cpu() for key, tensor in model.state_dict().items()}
    if dtype == torch.int8:
        weights = _packed(weights)
    else:
        weights = {key: tensor.to(dtype).contiguous() for key, tensor in weights.items()}
    metadata = {**provenance, "config": json.dumps(model.config.as_dict())}
    write_atomically(path, safetensors_bytes(weights, metadata))


def _packed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round the matrices to 255 levels per output; vectors to float16."""
    packed: dict[str, Tensor] = {}
    for key, tensor in weights.items():
        if tensor.ndim != 2:
            packed[key] = tensor.half()
            continue
        scale = (tensor.abs().amax(1) / 127).clamp_min(torch.finfo(torch.float16).tiny).half()
        packed[key] = (tensor / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
        packed[key + SCALE] = scale
    return packed


def _unpacked(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse; floats stay as they are."""
    return {
        key: tensor.float() * weights[key + SCALE].float()[:, None] if key + SCALE in weights else tensor
        for key, tensor in weights.items()
        if not key.endswith(SCALE)
    }


def import_book(path: Path) -> MusicTransformer:
    """The network of the book's `musicTrans.pth`, a state dict of preset `book`.

    Only tensors are unpickled (`weights_only=True`), so a file from a stranger runs nothing. The
    causal-mask buffers `attn.bias` are dropped. Raises UnreadableInput.
    """
    if not os.path.isfile(path):
        raise UnreadableInput(f"There is no file {path}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd pickles, for programmers: the sentence below says it
            raw: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can make torch's reader raise anything
        raise UnreadableInput(f"{path.name} is not a plain file of PyTorch weights, so it was not opened.") from error
    # Sparse, quantized and nested tensors, and those without memory, are no weights either.
    if not isinstance(raw, dict) or not all(_is_plain(tensor) for tensor in raw.values()):
        raise UnreadableInput(f"{path.name} holds something other than named weights.")
    weights = {str(key): tensor for key, tensor in raw.items() if not str(key).endswith(".attn.bias")}
    expected = _unfilled(BOOK).state_dict()
    _check_shapes(
        path.name,
        {k: tuple(t.shape) for k, t in weights.items()},
        {k: tuple(t.shape) for k, t in expected.items()},
    )
    return _network(BOOK, weights, path.name)


def _is_plain(value: object) -> bool:
    """Whether it is a tensor of numbers in ordinary memory."""
    if not isinstance(value, Tensor) or value.is_nested or value.is_quantized:
        return False
    return value.layout == torch.strided and value.device.type == "cpu"


def _reason(error: Exception) -> str:
    """The first line of a library's error, without what only programmers read."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return _shown(re.sub(r"^Error while deserializing( header)?: ", "", str(error)).split("\n")[0].strip(" ."))


def _shown(text: str) -> str:
    """What a file says, of which it may hold anything, fit for a sentence."""
    printable = "".join(each if each.isprintable() else "?" for each in text[:121])
    return printable if len(printable) <= 120 else f"{printable[:120]}..."
