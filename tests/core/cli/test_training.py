"""The commands: what they print and how they end."""

import itertools
import json
import math
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from core.cli import interrupts, output, training
from core.cli.app import app
from core.codec.vocabulary import MODE, SUFFIX
from core.errors import ContinuoError, NotFound, UsageError
from core.model.checkpoint import load_model, read_info, save_model
from core.model.transformer import MusicTransformer
from core.training import recipes
from core.training.run.learner import Learner
from core.training.run.run_folder import Diverged
from core.training.run.train import Outcome, Status, Trainer
from tests.core.training.tunes import TINY, TINY_RECIPE, splits_for, write_songs, write_tune


@pytest.fixture(autouse=True)
def _tiny_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recipes.RECIPES, "small", replace(TINY_RECIPE, mixed_precision=False))


@pytest.fixture
def midi(tmp_path: Path) -> Path:
    folder = write_songs(tmp_path / "midi")
    write_tune(folder / "song5.mid", [60 + i * 5 % 24 for i in range(130)])
    return folder


def test_before_the_first_step_no_loss_is_shown() -> None:
    shown: list[str] = []
    tell = training._status_shower(lambda done, total, text: shown.append(text))
    tell(Status(0, 0, 0.0, math.nan, 0, 0.0, 60.0, 1.4))
    tell(Status(1, 0, 0.2, 1.25, 4096, 200.0, 48.0))
    assert shown[0] == "as it is, held out 1.400, 0:01:00 to go"
    assert shown[1] == "step 1, loss 1.250, held out 1.400, 200 events/s, 0:00:48 to go"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def answer(*arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1  # all else is on stderr
    return json.loads(result.stdout)


def failure(*arguments: object) -> ContinuoError:
    result = call(*arguments)
    assert isinstance(result.exception, ContinuoError), result.output
    return result.exception


def test_symbols_are_learned_by_a_new_model_and_by_one_that_has_none(
    tmp_path: Path, midi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(TINY, block_size=160)
    monkeypatch.setitem(recipes.RECIPES, "small", replace(TINY_RECIPE, config=config, mixed_precision=False))
    answer("prepare", midi, "-o", tmp_path / "corpus", "--jobs", 1)
    train = ("train", tmp_path / "corpus", "--epochs", 1, "--device", "cpu", "--batch", 2)
    seen: set[int] = set()
    step = Learner.step

    def watched(self: Learner, inputs: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, int]:
        seen.update(inputs.flatten().tolist())
        return step(self, inputs, *rest)

    monkeypatch.setattr(Learner, "step", watched)
    plain = answer(*train, "-o", tmp_path / "plain")["model"]
    assert max(seen) < 390
    new = answer(*train, "-o", tmp_path / "new", "--symbols")["model"]
    wider = answer(*train, "-o", tmp_path / "wider", "--symbols", "--from", plain)["model"]
    further = answer(*train, "-o", tmp_path / "further", "--from", wider)["model"]
    assert {SUFFIX, *range(MODE.first, MODE.end)} <= seen
    assert [read_info(Path(each)).config.has_symbols for each in (plain, new, wider, further)] == [False, *[True] * 3]
    assert isinstance(failure(*train, "-o", tmp_path / "new"), UsageError)  # another run than the one begun there
    with pytest.raises(UsageError, match="book is trained without symbols"):
        recipes.BOOK_RECIPE.with_symbols()


def test_prepare_train_evaluate(tmp_path: Path, midi: Path) -> None:
    splits = splits_for(midi, ["song3.mid"], ["song5.mid"])
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    prepared = answer("prepare", midi, "-o", corpus, "--splits", splits, "--jobs", 1, "--licence", "midi=CC0")
    assert prepared["files"] == 13
    assert prepared["sources"][0]["licence"] == "CC0"

    trained = answer("train", corpus, "-o", run, "--epochs", 1, "--device", "cpu", "--batch", 2)
    assert trained["finished"]
    assert trained["model"] == str(run / "best.safetensors")
    assert trained["validation"] < 7
    assert isinstance(failure("train", corpus, "-o", run, "--epochs", 1, "--seed", 3), UsageError)

    out = tmp_path / "out"
    asked = ("--continuations", 1, "--seconds", 2, "--training", corpus, "--device", "cpu", "-o", out)
    found = answer("evaluate", trained["model"], corpus, *asked)
    assert set(found["nll"]) == {"midi"}
    assert found["outputs"][0] == str(out / "evaluation.json")


def test_train_from_a_packed_corpus(tmp_path: Path, midi: Path) -> None:
    corpus, file = tmp_path / "corpus", tmp_path / "corpus.tar.xz"
    splits = splits_for(midi, ["song3.mid"], ["song5.mid"])
    answer("prepare", midi, "-o", corpus, "--splits", splits, "--jobs", 1)
    packed = answer("pack-corpus", corpus, "-o", file, "--source", "midi")
    assert packed == {"file": str(file), "pieces": 13, "bytes": file.stat().st_size}

    asked = ("--epochs", 1, "--device", "cpu", "--batch", 2)
    whole = answer("train", corpus, "-o", tmp_path / "whole", *asked)
    first = answer("train", file, "-o", tmp_path / "run", *asked, "--stop-after", 1e-9)
    assert (first["finished"], first["interrupted"]) == (False, False)
    trained = answer("train", file, "-o", tmp_path / "run", *asked)
    assert (trained["finished"], trained["steps"], trained["events"]) == (True, whole["steps"], whole["events"])


def test_train_goes_on_from_a_model(tmp_path: Path, midi: Path) -> None:
    splits = splits_for(midi, ["song3.mid"], ["song5.mid"])
    asap = tmp_path / "asap"  # known by its name, and non-commercial
    write_songs(asap, 3)
    answer("prepare", midi, asap, "-o", tmp_path / "corpus", "--splits", splits, "--jobs", 1, "--licence", "midi=CC0")
    asked = ("--epochs", 1, "--device", "cpu", "--batch", 2)
    first = answer("train", tmp_path / "corpus", "-o", tmp_path / "first", "--weight", "asap=0", *asked)
    second = answer("train", tmp_path / "corpus", "-o", tmp_path / "second", "--from", first["model"], *asked)

    before, after = read_info(Path(first["model"])).provenance, read_info(Path(second["model"])).provenance
    assert (before["licence"], before["data"]) == ("CC BY-SA 4.0", "midi")
    assert (after["licence"], after["data"], after["base"]) == ("CC BY-NC-SA 4.0", "midi; then asap, midi", "first")
    assert "ASAP" in after["credit"]
    assert int(after["events_seen_before"]) == int(before["events_seen"]) > 0
    log = [json.loads(line) for line in (tmp_path / "second" / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[0]["validation"] == pytest.approx(first["validation"], abs=0.01)  # fp16 on the way
    assert second["validation"] <= log[0]["validation"]


def test_rate(tmp_path: Path, midi: Path) -> None:
    corpus = tmp_path / "corpus"
    answer("prepare", midi, "-o", corpus, "--jobs", 1)
    asked = ("--epochs", 1, "--device", "cpu", "--batch", 2)
    half = answer("train", corpus, "-o", tmp_path / "half", "--rate", 0.5, *asked)
    answer("train", corpus, "-o", tmp_path / "gentle", "--from", half["model"], *asked)
    answer("train", corpus, "-o", tmp_path / "gentler", "--from", half["model"], "--rate", 0.1, *asked)

    def rates(run: str) -> tuple[float, float]:
        preset = json.loads((tmp_path / run / "run.json").read_text("utf-8"))["preset"]
        return preset["lr"] / TINY_RECIPE.lr, preset["muon_lr"] / TINY_RECIPE.muon_lr

    assert rates("half") == pytest.approx((0.5, 0.5))
    assert rates("gentle") == pytest.approx((0.4, 0.4))
    assert rates("gentler") == pytest.approx((0.1, 0.1))
    assert isinstance(failure("train", corpus, "-o", tmp_path / "none", "--rate", 0, *asked), UsageError)
    diverged = failure("train", corpus, "-o", tmp_path / "wild", "--rate", 1e30, *asked)
    assert isinstance(diverged, Diverged)


def test_finetune(tmp_path: Path, midi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("core.training.run.finetune.user_folder", "core.model.checkpoint.user_folder"):
        monkeypatch.setattr(name, (tmp_path / "user").joinpath)
    ticks = (
        itertools.count()
    )  # a twentieth of a second passes with every look at the clock, however fast the machine is
    monkeypatch.setattr("core.training.run.finetune.Trainer", partial(Trainer, clock=lambda: next(ticks) / 20))
    torch.manual_seed(0)
    base = tmp_path / "base.safetensors"
    save_model(base, MusicTransformer(TINY), {"name": "base"})
    tuned = answer("finetune", base, midi, "--name", "mine", "--minutes", 0.03, "--device", "cpu", "--jobs", 1)
    assert tuned["model"] == str(tmp_path / "user" / "models" / "mine.safetensors")
    assert Path(tuned["model"]).is_file()
    assert tuned["after"] <= tuned["before"]


def test_pack(tmp_path: Path) -> None:
    source, out = tmp_path / "run.safetensors", tmp_path / "mine.safetensors"
    save_model(source, MusicTransformer(TINY), {"name": "run", "licence": "CC0"})
    packed = answer("pack", source, "-o", out, "--set", "name=Mine", "--set", "nll=2.0 = two")
    assert packed == {"model": str(out), "bytes": out.stat().st_size}
    assert read_info(out).provenance == {"name": "Mine", "licence": "CC0", "nll": "2.0 = two"}
    assert read_info(out).config == TINY
    assert isinstance(failure("pack", source, "-o", out, "--set", "config={}"), UsageError)
    assert isinstance(failure("pack", source, "-o", tmp_path / "mine.pth"), UsageError)
    assert isinstance(failure("pack", source, "-o", out, "--set", "name"), UsageError)


def test_average(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.safetensors" for name in ("one", "two")]
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        save_model(file, MusicTransformer(TINY), {"name": file.stem, "licence": "CC0", "data": "mine"})
    out = tmp_path / "both.safetensors"
    made = answer("average", f"{files[0]}=0.75", f"{files[1]}=0.25", "-o", out, "--set", "name=Both")
    assert (made["model"], made["averaged"]) == (str(out), "0.75 one, 0.25 two")
    weights = [load_model(file)[0].lm_head.weight for file in (*files, out)]
    torch.testing.assert_close(weights[2], 0.75 * weights[0] + 0.25 * weights[1], atol=1e-4, rtol=1e-3)
    info = read_info(out)
    assert (info.name, info.config, info.provenance["data"]) == ("Both", TINY, "mine")
    for shares in (["=1"], [files[0]], [f"{files[0]}=0.5"], [f"{files[0]}=half", f"{files[1]}=0.5"]):
        assert isinstance(failure("average", *shares, "-o", out), UsageError)
    assert isinstance(failure("average", f"{files[0]}=1", "-o", tmp_path / "mine.pth"), UsageError)


@pytest.mark.posix
def test_ctrl_c_keeps_a_checkpoint(tmp_path: Path, midi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("prepare", midi, "-o", tmp_path / "corpus", "--jobs", 1)
    real = Learner.step

    def interrupted(self: Learner, *arguments: Any) -> tuple[torch.Tensor, int]:
        os.kill(os.getpid(), signal.SIGINT)
        return real(self, *arguments)

    monkeypatch.setattr(Learner, "step", interrupted)
    result = call("train", tmp_path / "corpus", "-o", tmp_path / "run", "--device", "cpu", "--json")
    assert result.exit_code == 130
    assert json.loads(result.stdout)["steps"] == 1
    assert (tmp_path / "run" / "last.pt").is_file()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.posix
def test_ctrl_c_before_the_first_step(tmp_path: Path, midi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("prepare", midi, "-o", tmp_path / "corpus", "--jobs", 1)
    real = Trainer.train

    def interrupted(self: Trainer) -> Outcome:
        os.kill(os.getpid(), signal.SIGINT)
        return real(self)

    monkeypatch.setattr(Trainer, "train", interrupted)
    result = call("train", tmp_path / "corpus", "-o", tmp_path / "run", "--device", "cpu", "--json")
    assert result.exit_code == 130
    assert "Stopping" in result.stderr
    assert json.loads(result.stdout, parse_constant=pytest.fail)["loss"] is None  # NaN is no JSON


@pytest.mark.posix
def test_ctrl_c_again_later_ends_at_once(tmp_path: Path, midi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("prepare", midi, "-o", tmp_path / "corpus", "--jobs", 1)
    real = Learner.step
    codes: list[int] = []

    def interrupted(self: Learner, *arguments: Any) -> tuple[torch.Tensor, int]:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return real(self, *arguments)

    monkeypatch.setattr(Learner, "step", interrupted)
    monkeypatch.setattr(os, "_exit", codes.append)
    asked = ("train", tmp_path / "corpus", "-o", tmp_path / "run", "--device", "cpu")
    assert "at once:" not in call(*asked).stderr  # one wish, as under torchrun, which passes Ctrl-C on
    monkeypatch.setattr(interrupts, "AGAIN", 0.0)
    assert "at once:" in call(*asked).stderr
    assert codes == [130]


@pytest.mark.posix
def test_ctrl_c_breaks_a_validation_off(tmp_path: Path, midi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    call("prepare", midi, "-o", corpus, "--splits", splits_for(midi, ["song3.mid"]), "--jobs", 1)
    real = MusicTransformer.eval

    def interrupted(self: MusicTransformer) -> MusicTransformer:
        os.kill(os.getpid(), signal.SIGINT)
        return real(self)

    asked = ("train", corpus, "-o", run, "--device", "cpu", "--epochs", 0.01, "--json")
    with monkeypatch.context() as patch:
        patch.setattr(MusicTransformer, "eval", interrupted)
        stopped = call(*asked)
    assert stopped.exit_code == 130
    assert not json.loads(stopped.stdout)["finished"]
    assert not (run / "best.safetensors").exists()
    (run / ".continuo-x.part").touch()  # as a process that is killed leaves it
    assert answer(*asked[:-1])["validation"] is not None
    assert not (run / ".continuo-x.part").exists()


def test_progress_without_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with output.progress("Reading", long=True) as show:
        show(1, 2, "1 of 2 files")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(output, "LINE_EVERY", 0.0)
    with output.progress("Reading", long=True) as show:
        show(1, 2, "1 of 2 files")
    assert capsys.readouterr() == ("", "Reading: 1 of 2 files\n")


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("prepare", "nowhere", "-o", "out"), NotFound, "nowhere"),
        (("prepare", ".", "-o", "out", "--licence", "x"), UsageError, "SOURCE=VALUE"),
        (("train", "nowhere", "-o", "out", "--preset", "huge"), UsageError, "huge"),
        (("train", "nowhere", "-o", "out", "--weight", "asap=much"), UsageError, "number"),
        (("train", "nowhere", "-o", "out", "--minutes", "-3"), UsageError, "more than 0"),
        (("finetune", "continuo-base", "nowhere"), NotFound, "nowhere"),
        (("evaluate", "continuo-base", "nowhere", "--split", "half"), UsageError, "half"),
        (("evaluate", "no-such-model", "nowhere"), NotFound, "no-such-model"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], kind: type[ContinuoError], words: str) -> None:
    error = failure(*arguments)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize("command", ["prepare", "pack-corpus", "train", "finetune", "evaluate"])
def test_help_has_an_example(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert "continuo-cli" in result.output
