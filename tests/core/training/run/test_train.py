"""The training loop: it learns, goes on exactly, and is the same on many processes."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.codec.events import Prompt
from core.codec.vocabulary import NOTE_OFF
from core.errors import UnreadableInput, UsageError
from core.generation.constraints import Rules
from core.generation.continuation import Continuation
from core.generation.engine import Engine
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import end_notes
from core.model.checkpoint import load_model, read_info
from core.model.transformer import BOOK, ModelConfig, MusicTransformer
from core.training.data.batches import epoch_plan
from core.training.data.corpus import Corpus
from core.training.data.feed import Feed
from core.training.data.notes import note_events
from core.training.data.prepare import prepare
from core.training.recipes import BOOK_RECIPE, RECIPES
from core.training.run import hardware
from core.training.run.learner import Learner, summed_loss
from core.training.run.muon import make_optimisers
from core.training.run.run_folder import RunFolder
from core.training.run.train import Status, Trainer, TrainingOptions
from tests.conftest import wait_for
from tests.core.training.tunes import TINY, TINY_RECIPE, splits_for, tiny_corpus, tune_pitches, write_tune

PRECISE = replace(TINY_RECIPE, mixed_precision=False)
STEPS = TrainingOptions(epochs=2, device="cpu", validation_crops=8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return tiny_corpus(tmp_path_factory.mktemp("train"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "last.pt", weights_only=True)["model"]


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], tolerance: float = 0.0) -> None:
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=tolerance, atol=tolerance)


def test_two_layers_memorise_a_tune_and_continue_it(tmp_path: Path) -> None:
    pitches = tune_pitches(5, 24)
    write_tune(tmp_path / "midi" / "tune.mid", pitches)
    prepare([tmp_path / "midi"], tmp_path / "corpus", jobs=1)
    corpus = Corpus(tmp_path / "corpus")
    corpus.pieces = [replace(corpus.pieces[0], split="train")]
    config = ModelConfig(n_layer=2, n_head=2, n_embd=64, block_size=128)
    recipe = replace(PRECISE, config=config, crops="first", augmentation=None, dropout=0.0, batch=1, epochs=150)
    losses: list[float] = []
    run = RunFolder(tmp_path / "run")
    trainer = Trainer(corpus, run, recipe, TrainingOptions(device="cpu"), on_status=lambda s: losses.append(s.loss))
    outcome = trainer.train()
    assert outcome.finished
    assert losses[0] > 5.5
    assert losses[-1] < 0.05
    network, _ = load_model(outcome.model)
    tune = note_events(corpus.notes(corpus.pieces[0]), boundary=True).tolist()
    engine = Engine(network, torch.device("cpu"))
    # Where nothing sounds, as at every marker: after a note-off.
    given = next(i for i in range(20, 0, -1) if NOTE_OFF.first <= tune[i - 1] < NOTE_OFF.end)
    prompt = Prompt(tuple(tune[:given]), 0.0)
    assert not end_notes(prompt)  # of too few notes to lean to: the tune goes far beyond what its beginning does
    prepared = engine.prepare(prompt)
    # A range of its own, and no leaning to a key, for the same reason.
    sampling, rules = Sampling(temperature=0.01, top_p=1.0, key_strength=0.0), Rules(low=1)
    options = Options(sampling=sampling, rules=rules, events=len(tune) - given)
    continuation = Continuation(engine, prepared, options)
    events = [step.event for step in continuation if step.event is not None]
    assert events[:20] == tune[given : given + 20]


@pytest.mark.parametrize("stop_after", [3, 5])
def test_resumed_equals_uninterrupted(
    corpus: Corpus, tmp_path: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "_MEMORY", 3 * hardware.window_bytes(PRECISE))  # parts of three and one

    def clock() -> float:
        return 0.0  # how often is validated would depend on it

    Trainer(corpus, RunFolder(tmp_path / "whole"), PRECISE, STEPS, clock=clock).train()
    steps = 0
    while True:
        run = RunFolder(tmp_path / "parts")
        trainer = Trainer(corpus, run, PRECISE, STEPS, clock=clock, on_status=lambda s: stop(s))

        def stop(status: Status, trainer: Trainer = trainer, until: int = steps + stop_after) -> None:
            if status.step >= until:
                trainer.stop()

        outcome = trainer.train()
        assert outcome.steps > steps
        steps = outcome.steps
        if outcome.finished:
            break
        assert outcome.steps % stop_after == 0

    # Not to the last bit: sums of floats may come in another order in other memory.
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "parts"), 1e-4)
    logs = [
        [(r["step"], r.get("loss"), r.get("validation")) for r in RunFolder(tmp_path / run).read_log()]
        for run in ("whole", "parts")
    ]
    for one, other in zip(*logs, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert read_info(tmp_path / "parts" / "best.safetensors").provenance["data"] == "midi"


_CHILD = """
import sys, torch
from pathlib import Path
from core.training.data.corpus import Corpus
from core.training.run.run_folder import RunFolder
from core.training.run.hardware import leave, processes
from core.training.run.train import Trainer
from tests.core.training.run.test_train import PRECISE, STEPS
from dataclasses import replace
from core.training.run import hardware
torch.set_num_threads(1)
kind, corpus, run = sys.argv[1:]
with processes():
    if kind == "often":  # a checkpoint after every step, and no end in sight
        recipe, settings = PRECISE, replace(STEPS, epochs=10_000, checkpoint_minutes=0.0)
    else:
        recipe, settings = replace(PRECISE, dropout=0.0), STEPS
        hardware._MEMORY = hardware.window_bytes(recipe)  # two parts of one window
    Trainer(Corpus(Path(corpus)), RunFolder(Path(run)), recipe, settings).train()
leave(0)
"""


# On a busy machine torchrun's own threads may be kept waiting for longer than its usual 5 to 60 seconds.
_PATIENT = "heartbeat_timeout=300,keep_alive_interval=60,read_timeout=300,close_timeout=300"


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[4])
    return {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}


@pytest.mark.posix
def test_kill_9_loses_no_more_than_since_the_checkpoint(corpus: Corpus, tmp_path: Path) -> None:
    run = tmp_path / "killed"
    child = subprocess.Popen([sys.executable, "-c", _CHILD, "often", str(corpus.folder), str(run)], env=_environment())
    try:
        log = run / "log.jsonl"
        wait_for(lambda: log.is_file() and log.read_text().count("\n") > 6, "some steps")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    torn = log.read_text()
    log.write_text(torn + '{"step": 99')  # a line that the crash cut off
    settings = replace(STEPS, epochs=10_000, checkpoint_minutes=0.0)
    steps = []
    trainer = Trainer(corpus, RunFolder(run), PRECISE, settings, on_status=lambda s: steps.append(s.step))
    steps.append(trainer._state.step)
    trainer.stop()
    assert trainer.train().steps == steps[0] >= 5
    whole = Trainer(corpus, RunFolder(tmp_path / "whole"), PRECISE, settings, on_status=lambda s: until(s))

    def until(status: Status) -> None:
        if status.step == steps[0]:
            whole.stop()

    whole.train()
    assert_same(weights(run), weights(tmp_path / "whole"), 1e-4)
    assert all("step" in json.loads(line) for line in log.read_text().splitlines())


def test_two_processes_equal_one(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, RunFolder(tmp_path / "one"), replace(PRECISE, dropout=0.0), STEPS).train()
    script = tmp_path / "child.py"
    script.write_text(_CHILD)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--rdzv-conf", _PATIENT]
    command = [sys.executable, *launch, str(script), "ddp", str(corpus.folder), str(tmp_path / "two")]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert_same(weights(tmp_path / "one"), weights(tmp_path / "two"), 2e-4)
    one, two = (RunFolder(tmp_path / name).read_log() for name in ("one", "two"))
    one, two = ([r for r in log if "loss" in r] for log in (one, two))  # validations come by the clock
    assert [r["events"] for r in one] == [r["events"] for r in two]
    pairs = [(a["loss"], b["loss"]) for a, b in zip(one, two, strict=True)]
    assert all(a == pytest.approx(b, abs=2e-4) for a, b in pairs)


def test_more_processes_than_graphics_cards_are_told_how_many_there_may_be(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, so that none waits for another."""
    monkeypatch.setattr("core.training.run.train.rank_and_world", lambda: (0, 3))
    monkeypatch.setattr("core.training.run.train.choose_device", torch.device)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="--nproc-per-node 2,"):
        Trainer(corpus, RunFolder(tmp_path), PRECISE, replace(STEPS, device="cuda"))


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_batch_in_parts_is_the_same_step(tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for song in range(9):  # rows of all lengths, and a last batch that is not full
        write_tune(tmp_path / "midi" / f"{song}.mid", tune_pitches(song, 20 + 10 * song))
    prepare([tmp_path / "midi"], tmp_path / "corpus", splits=splits_for(tmp_path / "midi", ["2.mid", "8.mid"]), jobs=1)
    corpus = Corpus(tmp_path / "corpus")
    config = replace(TINY, block_size=256)
    recipe = replace(PRECISE, config=config, dropout=0.0, batch=5, crops="first", optimiser="adam", lr=1e-3, clip=1e9)
    weighed, logs = [], []
    for name, rows in (("whole", 5), ("parts", at_once)):
        monkeypatch.setattr(hardware, "_MEMORY", rows * hardware.window_bytes(recipe))
        passes: list[int] = []

        def before(model: torch.nn.Module, arguments: tuple[torch.Tensor], seen: list[int] = passes) -> None:
            seen.append(len(arguments[0]))

        run = RunFolder(tmp_path / name)
        trainer = Trainer(corpus, run, recipe, STEPS, clock=lambda: 0.0)
        trainer.model.register_forward_pre_hook(before)
        trainer.train()
        assert max(passes) == rows
        weighed.append(weights(run.path))
        logs.append([(r["step"], r["events"], r.get("loss"), r.get("validation")) for r in run.read_log()])
    assert_same(weighed[0], weighed[1], 1e-4)
    for one, other in zip(*logs, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_what_the_graphics_card_does_not_hold_goes_in_smaller_parts(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.run.learner.windows_at_once", lambda device, recipe: recipe.batch)
    passes: list[int] = []
    said: list[str] = []

    def train(name: str, room: int) -> dict[str, torch.Tensor]:
        passes.clear()
        trainer = Trainer(corpus, RunFolder(tmp_path / name), recipe, STEPS, clock=lambda: 0.0, say=said.append)

        def after(model: torch.nn.Module, arguments: tuple[torch.Tensor], logits: torch.Tensor) -> None:
            passes.append(len(arguments[0]))
            if len(passes) > 3 and len(arguments[0]) > room:  # when a step was made
                raise torch.OutOfMemoryError("CUDA out of memory.")

        trainer.model.register_forward_hook(after)
        trainer.train()
        return weights(tmp_path / name)

    recipe = replace(PRECISE, dropout=0.0)
    whole = train("whole", 4)
    assert not said
    assert_same(whole, train("parts", 1), 1e-4)
    assert passes[:7] == [4, 4, 4, 4, 2, 1, 1]
    assert len(said) == 2
    assert "2 windows at once" in said[1]
    with pytest.raises(UsageError, match="smaller preset"):
        train("none", 0)


def test_the_books_recipe(corpus: Corpus) -> None:
    assert RECIPES["book"] is BOOK_RECIPE
    assert BOOK_RECIPE.config == BOOK
    assert (BOOK_RECIPE.batch, BOOK_RECIPE.epochs, BOOK_RECIPE.clip, BOOK_RECIPE.mixed_precision) == (
        2,
        100,
        1.0,
        False,
    )
    assert {BOOK_RECIPE.rate(p / 10) for p in range(11)} == {1.0}
    tiny = MusicTransformer(replace(BOOK, n_layer=1, n_embd=64), BOOK_RECIPE.dropout, BOOK_RECIPE.attention_dropout)
    (optimiser,) = make_optimisers(tiny, BOOK_RECIPE, torch.float32)
    assert type(optimiser) is torch.optim.Adam
    (group,) = optimiser.param_groups
    assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (1e-4, (0.9, 0.999), 1e-8, 0)
    assert len(group["params"]) == len(list(tiny.parameters()))
    pieces = corpus.of_split("train")
    plan = epoch_plan(pieces, BOOK_RECIPE, {}, 0, 0)
    assert sorted(p.path for p in plan) == sorted(p.path for p in pieces)


def test_the_books_first_loss_is_the_books(corpus: Corpus) -> None:
    _, _, inputs, targets = Feed(corpus, corpus.of_split("train"), BOOK_RECIPE, {}, 0)[0, 0]
    assert inputs.shape == (2, 2048)
    torch.manual_seed(0)
    model = MusicTransformer(BOOK, BOOK_RECIPE.dropout, BOOK_RECIPE.attention_dropout)
    cut = int((targets != 389).any(0).nonzero()[0].max()) + 1  # padding behind the tunes costs time and counts nothing
    x, y = inputs[:, :cut], targets[:, :cut]
    with torch.no_grad():
        logits = model(x)
    book = torch.nn.CrossEntropyLoss(ignore_index=389)(logits.view(-1, logits.size(-1)), y.reshape(-1))
    ours = summed_loss(logits, y) / (y != 389).sum()
    assert float(ours) == pytest.approx(float(book), rel=1e-6)
    assert float(ours) == pytest.approx(6.0, abs=0.25)  # ln 390 = 5.97: nothing is known yet


def test_the_book_preset_leaves_a_state_dict(corpus: Corpus, tmp_path: Path) -> None:
    recipe = replace(BOOK_RECIPE, config=replace(TINY, position="learned", velocity="each", starts_with_boundary=False))
    outcome = Trainer(corpus, RunFolder(tmp_path), recipe, TrainingOptions(epochs=1, device="cpu")).train()
    assert outcome.model.name == "musicTrans.pth"
    state = torch.load(outcome.model, weights_only=True)
    assert set(state) == set(MusicTransformer(recipe.config).state_dict())


def test_time_limits_the_run_and_the_rate_falls(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(1_000_000))
    rates: list[float] = []
    step = Learner.step

    def watched(
        self: Learner, inputs: torch.Tensor, targets: torch.Tensor, rate: float, number: int
    ) -> tuple[torch.Tensor, int]:
        rates.append(rate)
        return step(self, inputs, targets, rate, number)

    monkeypatch.setattr(Learner, "step", watched)
    settings = TrainingOptions(minutes=2, device="cpu", checkpoint_minutes=10)
    statuses: list[Status] = []
    trainer = Trainer(
        corpus, RunFolder(tmp_path), PRECISE, settings, clock=lambda: float(next(ticks)), on_status=statuses.append
    )
    outcome = trainer.train()
    assert outcome.finished
    assert 120 <= outcome.seconds <= 130
    assert 10 < outcome.steps < 60
    assert max(rates) == 1.0
    assert rates[0] < 1.0
    assert rates[-1] < 0.2
    assert statuses[0].eta_seconds > statuses[-1].eta_seconds
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_in_parts_comes_to_its_end(corpus: Corpus, tmp_path: Path) -> None:
    """Each part stops by itself, with a checkpoint that the next goes on from; the rates fall over all of them."""
    settings = TrainingOptions(epochs=1, device="cpu", stop_after=0.2)
    run = RunFolder(tmp_path / "parts")
    parts = [Trainer(corpus, run, PRECISE, settings, clock=map(float, itertools.count()).__next__).train()]
    while not parts[-1].finished:
        parts.append(Trainer(corpus, run, PRECISE, settings, clock=map(float, itertools.count()).__next__).train())
        assert parts[-1].steps > parts[-2].steps
    assert len(parts) > 2
    whole = Trainer(corpus, RunFolder(tmp_path / "whole"), PRECISE, replace(settings, stop_after=None)).train()
    assert (whole.steps, whole.events) == (parts[-1].steps, parts[-1].events)
    with pytest.raises(UsageError, match="more than 0"):
        TrainingOptions(stop_after=0)


def test_validations_take_a_tenth_of_the_time(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one before the first step counts, too: with a large network on a slow machine it takes minutes."""
    now = [0.0]
    step, held_out_loss = Learner.step, Learner.held_out_loss

    def slow_step(self: Learner, *arguments: Any) -> tuple[torch.Tensor, int]:
        now[0] += 1
        return step(self, *arguments)

    def slow_validation(self: Learner, *arguments: Any) -> float | None:
        now[0] += 20
        return held_out_loss(self, *arguments)

    monkeypatch.setattr(Learner, "step", slow_step)
    monkeypatch.setattr(Learner, "held_out_loss", slow_validation)
    run = RunFolder(tmp_path)
    Trainer(
        corpus,
        run,
        PRECISE,
        TrainingOptions(minutes=10, device="cpu"),
        initial=MusicTransformer(PRECISE.config),
        clock=lambda: now[0],
    ).train()
    at = [record["seconds"] for record in run.read_log() if "validation" in record]
    assert at[:3] == pytest.approx([0, 200, 400], abs=1)
    assert len(at) == 4  # the last at the end


def test_damaged_and_foreign_folders(corpus: Corpus, tmp_path: Path) -> None:
    Trainer(corpus, RunFolder(tmp_path / "run"), TINY_RECIPE, TrainingOptions(epochs=0.1)).train()
    run = RunFolder(tmp_path / "run")
    with pytest.raises(UsageError, match="other files"):
        run.begin({"seed": 0})
    for damaged in ("{", "7", "[3]"):
        (run.path / "run.json").write_text(damaged)
        with pytest.raises(UnreadableInput, match="another folder"):
            run.begin({"seed": 0})
    (run.path / "last.pt").write_bytes(b"PK")
    with pytest.raises(UnreadableInput, match="delete it"):
        run.load_state()


@pytest.mark.parametrize(
    "make",
    [
        lambda: TrainingOptions(minutes=1, epochs=1),
        lambda: TrainingOptions(minutes=-1),
        lambda: TrainingOptions(epochs=float("nan")),
        lambda: TrainingOptions(weights={"asap": -1.0}),
    ],
)
def test_impossible_settings(make: Callable[[], TrainingOptions]) -> None:
    with pytest.raises(UsageError):
        make()


def test_unknown_source_and_empty_training_set(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no source called asap"):
        Trainer(corpus, RunFolder(tmp_path), PRECISE, replace(STEPS, weights={"asap": 0.0}))
    with pytest.raises(UsageError, match="no pieces to train on"):
        Trainer(corpus, RunFolder(tmp_path), PRECISE, replace(STEPS, weights={"midi": 0.0}))
