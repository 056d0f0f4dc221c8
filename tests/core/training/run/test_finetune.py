"""From a folder of MIDI to a model in the user's folder."""

import itertools
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from core.codec.events import encode_prompt
from core.errors import NotFound, UsageError
from core.generation.continuation import Continuation
from core.generation.engine import open_engine
from core.generation.options import Options
from core.midi.read import read_score
from core.model.checkpoint import list_models, read_info, save_model
from core.model.transformer import MusicTransformer
from core.training.data.corpus import Corpus
from core.training.data.prepare import prepare
from core.training.run import finetune as module
from core.training.run.finetune import REFINING, Callbacks, finetune, hold_out
from core.training.run.run_folder import RunFolder
from core.training.run.train import Status, Trainer
from tests.core.training.tunes import TINY, write_songs

QUICK = replace(REFINING, epochs=2, lr=1e-2, mixed_precision=False)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twentieth of a second passes with every look at the clock, however fast the machine is."""
    ticks = itertools.count()
    monkeypatch.setattr(module, "Trainer", partial(Trainer, clock=lambda: next(ticks) / 20))


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with a model "base" in it."""
    folder = tmp_path / "user"
    for name in ("core.training.run.finetune.user_folder", "core.model.checkpoint.user_folder"):
        monkeypatch.setattr(name, folder.joinpath)
    (folder / "models").mkdir(parents=True)
    torch.manual_seed(0)
    provenance = {"name": "base", "licence": "CC BY-SA 4.0", "data": "pop909", "credit": "someone"}
    save_model(folder / "models" / "base.safetensors", MusicTransformer(TINY), provenance)
    return folder


def test_the_new_model_is_listed_and_generates(user: Path, tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "my tunes")
    tuned = finetune("base", [midi], minutes=0.05, device="cpu", recipe=QUICK, jobs=1)

    assert tuned.outcome.finished
    assert tuned.before is not None
    assert tuned.after is not None
    assert tuned.after < tuned.before
    info = next(info for info in list_models() if info.name == "my tunes")
    assert info.path == tuned.path == user / "models" / "my tunes.safetensors"
    assert info.config == TINY
    assert info.provenance["base"] == "base"
    assert info.provenance["licence"] == "CC BY-SA 4.0"
    assert info.provenance["data"] == "pop909; then my tunes"
    assert not (user / "training" / "my tunes").exists()
    again = finetune("my tunes", [midi], minutes=1e-6, device="cpu", recipe=QUICK, jobs=1)
    assert read_info(again.path).provenance["data"] == "pop909; then my tunes"
    engine, _ = open_engine("my tunes", "cpu")
    tracks = read_score(midi / "song1.mid").tracks
    prepared = engine.prepare(encode_prompt(tracks, 2.0, engine.config.conventions))
    continuation = Continuation(engine, prepared, Options(events=40))
    for _ in continuation:
        pass
    assert len(continuation.takes[0].events) >= 40


def test_stops_early_and_keeps_the_best(user: Path, tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "tunes")
    useless = replace(QUICK, lr=0.0, muon_lr=0.0)  # can never get better
    losses: list[float] = []

    def on_status(status: Status) -> None:
        if status.validation is not None:
            losses.append(status.validation)

    tuned = finetune(
        "base",
        [midi],
        minutes=0.4,
        patience=1,
        device="cpu",
        recipe=useless,
        jobs=1,
        callbacks=Callbacks(status=on_status),
    )

    assert tuned.outcome.finished
    assert len(losses) == 2  # before, and the one that was no better; 20 fit into the time
    assert tuned.after == pytest.approx(tuned.before, abs=1e-4)


def test_goes_on_after_a_stop(user: Path, tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "tunes", 4)
    stopped = finetune(
        "base",
        [midi],
        name="mine",
        minutes=0.03,
        device="cpu",
        recipe=QUICK,
        jobs=1,
        callbacks=Callbacks(trainer=Trainer.stop),
    )
    assert not stopped.outcome.finished
    assert not stopped.path.exists()
    again = finetune("base", [midi], name="mine", minutes=0.03, device="cpu", recipe=QUICK, jobs=1)
    assert again.outcome.finished
    assert again.path.exists()


def test_a_training_that_was_broken_off_with_other_files_asks_for_another_name(user: Path, tmp_path: Path) -> None:
    begun = RunFolder(user / "training" / "mine" / "run")
    begun.begin({"base": str(user / "models" / "base.safetensors"), "corpus": "of other files"})
    begun.save_state({})
    with pytest.raises(UsageError, match=r'"mine" was broken off .* other files: choose another name'):
        finetune("base", [write_songs(tmp_path / "tunes", 1)], name="mine", device="cpu", recipe=QUICK, jobs=1)
    assert begun.load_state() == {}


def test_a_time_shorter_than_a_look_at_the_model_is_a_step(user: Path, tmp_path: Path) -> None:
    tuned = finetune("base", [write_songs(tmp_path / "tunes", 4)], minutes=1e-6, device="cpu", recipe=QUICK, jobs=1)
    assert tuned.outcome.finished
    assert tuned.outcome.steps == 1
    assert tuned.path.exists()


def test_names(user: Path, tmp_path: Path) -> None:
    (user / "models" / "waltzes.safetensors").touch()
    assert module._free_name("waltzes") == "waltzes-2"
    assert module._free_name("a/b:c") == "a-b-c"
    assert module._free_name("(.my) tunes") == "my- tunes"
    assert module._free_name("continuo-base") == "continuo-base-2"  # a bundled one
    for impossible in ("../x", "..", ".", " ", ".hidden"):
        with pytest.raises(UsageError, match="name of a model"):
            finetune("base", [tmp_path], name=impossible)
    for taken in ("waltzes", "continuo-base"):
        with pytest.raises(UsageError, match="another --name"):
            finetune("base", [tmp_path], name=taken)
    with pytest.raises(NotFound, match="nobody"):
        finetune("nobody", [tmp_path])


def test_hold_out(tmp_path: Path) -> None:
    shares = []
    for songs in (1, 2, 3, 12, 25):
        midi = write_songs(tmp_path / f"m{songs}", songs)
        prepare([midi], tmp_path / f"c{songs}", jobs=1)
        corpus = Corpus(tmp_path / f"c{songs}")
        shares.append(hold_out(corpus))
        assert corpus.of_split("train")
        train = {p.song for p in corpus.of_split("train")}
        assert not train & {p.song for p in corpus.of_split("validation")}
    assert shares == [(1, 0), (2, 0), (3, 1), (12, 1), (25, 2)]
