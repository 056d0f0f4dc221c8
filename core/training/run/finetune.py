"""A folder of MIDI and a model -> a new model in the user's folder, listed by the app at once."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UsageError, WriteError
from core.files import reason, write_atomically
from core.model.checkpoint import find_model, load_model
from core.resources import bundled, user_folder
from core.training.data.corpus import Corpus
from core.training.data.prepare import Progress, prepare
from core.training.recipes import SMALL, Recipe
from core.training.run.run_folder import RunFolder
from core.training.run.train import Outcome, Status, Trainer, TrainingOptions

# Smaller steps than from scratch, falling from the start: what the model knows should bend, not break.
REFINING = replace(
    SMALL, name="finetune", dropout=0.1, batch=4, lr=2e-4, muon_lr=2e-3, warm_up=0.05, decay=0.9, epochs=8
)
_HELD_OUT = 10  # one song of so many


@dataclass(frozen=True, slots=True)
class FineTuned:
    """The new model. `before` and `after` are nats per event on the songs held out (None without any)."""

    name: str
    path: Path
    songs: int
    held_out: int
    before: float | None
    after: float | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Whom a fine-tuning tells how it goes on.

    `files` (done, total) while files are read, `trainer` gets the trainer, to stop it, `status` follows its steps, and
    `say` gets a sentence when the training has to change its plan.
    """

    files: Progress = lambda done, total: None
    trainer: Callable[[Trainer], None] = lambda trainer: None
    status: Callable[[Status], None] = lambda status: None
    say: Callable[[str], None] = lambda sentence: None


_NOBODY = Callbacks()


def finetune(
    model: str,
    folders: Sequence[Path],
    *,
    name: str | None = None,
    minutes: float = 15.0,
    patience: int = 3,
    device: str = "auto",
    recipe: Recipe = REFINING,
    jobs: int | None = None,
    callbacks: Callbacks = _NOBODY,
) -> FineTuned:
    """Train `model` further on all MIDI below `folders`; goes on where the same call was broken off.

    Every tenth song is held out; training ends after `minutes`, or after `patience` validations
    that did not get better, and the best state is kept. To read the files and measure the model as it is comes on top.
    A model that is there already is never written over.
    Raises NotFound, UnreadableInput, UsageError, WriteError.
    """
    network, info = load_model(find_model(model))
    name = name or _free_name(folders[0].resolve().name)
    if not re.fullmatch(r"\w[\w.\- ]*", name):  # ".." would lead to the folder above, which is then cleared away
        raise UsageError(
            f'"{name}" cannot be the name of a model: begin with a letter or digit; after it spaces and - _ . go, too.'
        )
    if _is_taken(name):
        raise UsageError(f'There is a model called "{name}" already: choose another --name.')
    work = user_folder("training", name)
    prepare(folders, work / "corpus", jobs=jobs, progress=callbacks.files)
    corpus = Corpus(work / "corpus")
    songs, held_out = hold_out(corpus)
    settings = TrainingOptions(
        minutes=minutes, device=device, patience=patience if held_out else None, validation_crops=32
    )
    run = _begun(work / "run", name, {"base": str(info.path), "corpus": corpus.digest})
    trainer = Trainer(
        corpus,
        run,
        replace(recipe, config=network.config),
        settings,
        initial=network,
        base=info,
        provenance=_header(info.provenance, name),
        on_status=callbacks.status,
        say=callbacks.say,
    )
    callbacks.trainer(trainer)
    outcome = trainer.train()
    losses = [record["validation"] for record in run.read_log() if "validation" in record]
    target = user_folder("models") / f"{name}.safetensors"
    if outcome.finished:
        _publish(outcome.model, target, work)
    before = losses[0] if losses else None
    return FineTuned(name, target, songs, held_out, before, outcome.best_validation, outcome)


def _begun(folder: Path, name: str, asked: Mapping[str, str]) -> RunFolder:
    """The folder of the run: a new one, or that of one like it which was broken off. Raises UsageError."""
    run = RunFolder(folder)
    try:
        run.begin(asked)
    except UsageError as error:
        raise UsageError(
            f'A training of "{name}" was broken off that began from another model or with other files: '
            "choose another name."
        ) from error
    return run


def publish_stopped(tuned: FineTuned) -> bool:
    """Make the best state of a run that was stopped early the new model; False if nothing was trained yet.

    Raises WriteError.
    """
    if tuned.outcome.steps == 0:
        return False
    _publish(tuned.outcome.model, tuned.path, user_folder("training", tuned.name))
    return True


def hold_out(corpus: Corpus) -> tuple[int, int]:
    """Put every tenth song of the corpus into validation, the rest into training: (songs, held out).

    Of three songs or more at least one is held out; of fewer none, and nothing can stop training early.
    Raises UsageError if there is no song.
    """
    songs = sorted({f"{piece.source}/{piece.song}" for piece in corpus.pieces})
    if not songs:
        raise UsageError("None of the files can be trained on: they are unreadable or too short.")
    chosen = set(songs[_HELD_OUT // 2 :: _HELD_OUT]) or (set(songs[-1:]) if len(songs) > 2 else set())
    corpus.pieces = [
        replace(piece, split="validation" if f"{piece.source}/{piece.song}" in chosen else "train")
        for piece in corpus.pieces
    ]
    return len(songs), len(chosen)


def _header(base: Mapping[str, str], name: str) -> dict[str, str]:
    """What the header says otherwise than after other training, as the files are the user's own."""
    known = {key: base[key] for key in ("licence", "credit") if key in base}
    return {**known, "name": name, "preset": "finetune"}


def _is_taken(name: str) -> bool:
    """Whether there is a model of that name, the user's or a bundled one that it would hide."""
    return any((folder / f"{name}.safetensors").exists() for folder in (user_folder("models"), bundled("models")))


def _free_name(wanted: str) -> str:
    """A name that no model has yet (one whose training was broken off may be taken up)."""
    wanted = re.sub(r"[^\w.\- ]+", "-", wanted).lstrip("-. ") or "mine"
    number = 1
    while _is_taken(wanted if number == 1 else f"{wanted}-{number}"):
        number += 1
    return wanted if number == 1 else f"{wanted}-{number}"


def _publish(model: Path, target: Path, work: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, model.read_bytes())
        shutil.rmtree(work)
    except OSError as error:
        raise WriteError(f'Cannot write "{target}": {reason(error)}.') from error
