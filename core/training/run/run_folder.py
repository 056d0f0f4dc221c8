"""A run on disk: what was asked for, checkpoints, log, loss curve, the models and what their headers say.

    run.json          what was asked for
    last.pt           the state to go on from: weights, optimisers, place in the data
    best.safetensors  the model with the lowest validation loss; last.safetensors the newest
    log.jsonl         one object per logged step or validation
    loss.png          the log as a picture (needs matplotlib: pip install "continuo[train]")

Every file is replaced whole, so a run that is killed leaves the previous checkpoint.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core.errors import ContinuoError, UnreadableInput, UsageError, WriteError
from core.files import clear_unfinished, make_folder, reason, write_atomically
from core.model.checkpoint import ModelInfo, save_model
from core.model.transformer import MusicTransformer
from core.training.data.corpus import Piece
from core.training.data.sources import KNOWN, UNKNOWN_LICENCE, combined_licence

STATE = "last.pt"
LOG = "log.jsonl"
CURVE = "loss.png"
_ASKED = "run.json"
_THEN = "; then "


class RunFolder:
    """The folder of one run."""

    def __init__(self, path: Path) -> None:
        """Makes the folder if need be. Raises WriteError."""
        self.path = path
        make_folder(path)

    def begin(self, asked: Mapping[str, Any]) -> None:
        """Record what the run is; on going on, check that it is the same. Raises UsageError, UnreadableInput."""
        clear_unfinished(self.path)
        file = self.path / _ASKED
        text = json.dumps(asked, indent=1)
        if not file.is_file() and any(self.path.iterdir()):
            raise UsageError(f"{self.path} holds other files: choose a new folder for the run.")
        if file.is_file() and (self.path / STATE).is_file():
            try:
                before = dict(json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                raise UnreadableInput(f"{file} is damaged: choose another folder for this run.") from error
            now = json.loads(text)
            if changed := sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key)):
                raise UsageError(
                    f"{self.path} holds a run with another {' and '.join(changed)}: choose another folder for this one."
                )
        if not (self.path / STATE).is_file():
            (self.path / LOG).unlink(missing_ok=True)  # of a run that ended before its first checkpoint
        write_atomically(file, text.encode())

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint. Raises WriteError."""
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        write_atomically(self.path / STATE, buffer.getvalue())

    def load_state(self) -> dict[str, Any] | None:
        """The checkpoint to go on from, if there is one. Raises UnreadableInput."""
        file = self.path / STATE
        if not file.is_file():
            return None
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises of many kinds for a damaged file
            raise UnreadableInput(f"The checkpoint {file} is damaged: delete it to begin this run anew.") from error

    def save_model(self, name: str, model: MusicTransformer, provenance: Mapping[str, str]) -> Path:
        """Write NAME.safetensors. Raises WriteError."""
        path = self.path / f"{name}.safetensors"
        save_model(path, model, provenance)
        return path

    def save_book(self, model: MusicTransformer) -> Path:
        """Write the state dict as the book does. Raises WriteError."""
        path = self.path / "musicTrans.pth"
        buffer = io.BytesIO()
        torch.save(model.state_dict(), buffer)
        write_atomically(path, buffer.getvalue())
        return path

    def log(self, record: Mapping[str, Any]) -> None:
        """Add a line to the log. Raises WriteError."""
        try:
            with open(self.path / LOG, "a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise WriteError(f'Cannot write "{self.path / LOG}": {reason(error)}.') from error

    def read_log(self) -> list[dict[str, Any]]:
        """The log so far; a line that was cut off by a crash is left out."""
        file = self.path / LOG
        records = []
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return records

    def rewind_log(self, step: int) -> None:
        """Drop what was logged after the checkpoint that the run goes on from."""
        kept = [json.dumps(record) for record in self.read_log() if record["step"] <= step]
        write_atomically(self.path / LOG, "".join(f"{line}\n" for line in kept).encode())

    def draw_curve(self) -> Path | None:
        """Draw the log as loss.png; None without matplotlib."""
        try:
            from core.training.plots import draw_losses
        except ImportError:
            return None
        path = self.path / CURVE
        write_atomically(path, draw_losses(self.read_log()))
        return path


class Diverged(ContinuoError):
    """The loss is no number any more."""


def trained_on(pieces: Sequence[Piece], base: ModelInfo | None) -> dict[str, str]:
    """Licence, data and credit of what is trained on these pieces, going on from `base`."""
    sources = sorted({p.source for p in pieces})
    credits = [KNOWN[s].credit if s in KNOWN else s for s in sources]
    licences, data = {p.licence for p in pieces}, ", ".join(sources)
    if base is None:
        return {"licence": combined_licence(licences), "data": data, "credit": "; ".join(credits)}
    before = base.provenance
    stages = before.get("data", "not stated").split(_THEN)
    credits = list(dict.fromkeys([*before.get("credit", "").split("; "), *credits]))
    return {
        "licence": combined_licence({before.get("licence", UNKNOWN_LICENCE), *licences}),
        "data": _THEN.join(stages if stages[-1] == data else [*stages, data]),
        "credit": "; ".join(filter(None, credits)),
        "base": base.name,
        "events_seen_before": str(sum(_count(before.get(key, "")) for key in ("events_seen", "events_seen_before"))),
    }


def _count(text: str) -> int:
    """A count that a header says, which may say anything; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) < 20 else 0
