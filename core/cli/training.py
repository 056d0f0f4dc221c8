"""continuo-cli prepare, pack-corpus, train, finetune: from MIDI to a model."""

import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import interrupts
from core.cli.output import Json, Show, console, give, numbers, pairs, print_table, progress, say
from core.errors import INTERRUPTED, NotFound, UsageError

if TYPE_CHECKING:
    from core.model.checkpoint import ModelInfo
    from core.model.transformer import ModelConfig, MusicTransformer
    from core.training.recipes import Recipe
    from core.training.run.finetune import FineTuned
    from core.training.run.train import Outcome, Status, Trainer

Device = Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")]
_Jobs = Annotated[int | None, typer.Option(min=1, help="Processes that read files (default: one per core).")]


def source_weights(values: list[str] | None) -> dict[str, float]:
    """The weights that `--weight SOURCE=WEIGHT` gives, each time that it comes. Raises UsageError."""
    return numbers(pairs(values, "--weight"), "weight")


@contextmanager
def _stopping_on_signals(trainer: "Trainer") -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM end the training after its step, with a checkpoint; gives the signals that came.

    A step takes half a minute on a slow machine, so pressing again later ends the process as it stands: files
    are replaced whole.
    """
    came: list[int] = []
    told: float | None = None

    def stop(number: int, frame: object) -> None:
        came.append(number)
        trainer.stop()

    def tell() -> None:
        nonlocal told
        now = time.monotonic()
        if told is None:
            told = now
            say("Stopping after this step, with a checkpoint; Ctrl-C once more stops at once, without one.")
        elif now - told > interrupts.AGAIN:
            say("Stopped at once: what was trained since the last checkpoint is lost.")
            console().show_cursor()  # which the progress bar hides
            os._exit(INTERRUPTED)

    before = {number: signal.signal(number, stop) for number in interrupts.NUMBERS}
    try:
        with interrupts.told_at_once(tell):
            yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _status_shower(show: Show) -> Callable[["Status"], None]:
    best = {"text": ""}

    def on_status(status: "Status") -> None:
        if status.validation is not None:
            best["text"] = f", held out {status.validation:.3f}"
        text = f"step {status.step}, loss {status.loss:.3f}{best['text']}, {status.events_per_second:.0f} events/s"
        if not status.step:
            text = f"as it is{best['text']}"  # only measured yet
        show(status.progress, 1.0, f"{text}, {_clock_time(status.eta_seconds)} to go")

    return on_status


def prepare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of MIDI files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the corpus to make.")],
    splits: Annotated[Path | None, typer.Option(help="CSV with columns split and path (default: by hash).")] = None,
    licence: Annotated[list[str] | None, typer.Option(help="SOURCE=LICENCE, for the report and the models.")] = None,
    jobs: _Jobs = None,
    as_json: Json = False,
) -> None:
    """Make a corpus to train on from folders of MIDI.

    Goes on where it was broken off.

    Example: continuo-cli prepare my-midi -o corpus
    """
    from core.training.data.prepare import prepare as run

    with progress("Reading", long=True) as show:
        report = run(
            folders,
            output,
            splits=splits,
            licences=pairs(licence, "--licence"),
            jobs=jobs,
            progress=lambda done, total: show(done, total, f"{done} of {total} files"),
        )
    print_table(
        "Corpus",
        ["source", "licence", "files", "songs", "hours", "events", "train_hours", "validation_hours", "test_hours"],
        report.sources,
    )
    lists = ("unreadable", "too_short", "duplicates", "near_duplicates")
    counts = {name: len(getattr(report, name)) for name in lists}
    say(", ".join(f"{name.replace('_', ' ')}: {n}" for name, n in counts.items()) + f" (see {output / 'report.json'})")
    if as_json:
        totals = {key: sum(row[key] for row in report.sources) for key in ("files", "hours", "events")}
        give("", {"corpus": str(output), **totals, **counts, "sources": report.sources}, as_json)


def pack_corpus(
    corpus: Annotated[Path, typer.Argument(help="A corpus made by prepare.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    source: Annotated[list[str] | None, typer.Option(help="Only pieces of this source (may come again).")] = None,
    as_json: Json = False,
) -> None:
    """Make one small file of a corpus, to train from it on another machine.

    Example: continuo-cli pack-corpus corpus -o corpus.tar.xz
    """
    from core.training.data.corpus import Corpus
    from core.training.data.packed import pack as run

    pieces = run(Corpus(corpus), output, source or ())
    size = output.stat().st_size
    say(f"{pieces} pieces in {size / 1e6:.1f} MB: {output}")
    if as_json:
        give("", {"file": str(output), "pieces": pieces, "bytes": size}, as_json)


def train(
    corpus: Annotated[Path, typer.Argument(help="A corpus made by prepare, or a file made by pack-corpus.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run; a broken-off run goes on.")],
    preset: Annotated[str, typer.Option(help="book, small or base.")] = "small",
    minutes: Annotated[float | None, typer.Option(help="Length of the run in minutes.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Length of the run in epochs.")] = None,
    stop_after: Annotated[
        float | None, typer.Option(help="Minutes after which to stop, with a checkpoint; the same command goes on.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="MODEL", help="Go on from this model's weights, at gentler rates.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Times the preset's learning rates (default: 1; with --from 0.4).")
    ] = None,
    weight: Annotated[list[str] | None, typer.Option(help="SOURCE=WEIGHT; 0 leaves a source out.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Windows per step, over all processes.")] = None,
    dropout: Annotated[float | None, typer.Option(min=0.0, max=0.9, help="Default: the preset's.")] = None,
    symbols: Annotated[bool, typer.Option("--symbols", help="Teach it to fill in middles, too.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Device = "auto",
    compile: Annotated[bool | None, typer.Option(help="torch.compile (default: where it helps).")] = None,
    as_json: Json = False,
) -> None:
    """Train a model, from scratch or from another model on.

    Runs on the CPU or one GPU, and on many under torchrun. Ctrl-C ends it after the step, with a checkpoint; the same
    command goes on from it.

    Example: continuo-cli train corpus -o run --preset small --minutes 60
    """
    with interrupts.put_off():
        from core.training.data.corpus import Corpus
        from core.training.data.packed import unpacked
        from core.training.run.hardware import gathered, leave, processes
        from core.training.run.run_folder import RunFolder
        from core.training.run.train import Trainer, TrainingOptions
    network, info = _base(from_, symbols)
    recipe = _recipe(preset, batch, dropout, rate, network and network.config, symbols)
    settings = TrainingOptions(minutes, epochs, seed, source_weights(weight), device, compile, stop_after=stop_after)
    with processes() as rank, progress("Training", long=True, hidden=rank > 0) as show:
        if rank == 0:
            corpus = unpacked(corpus, output.with_name(f"{output.name}-corpus"))
        data, run = Corpus(gathered(corpus)[0]), RunFolder(output)
        if rank == 0:
            asked = {"preset": recipe.as_dict(), "corpus": data.digest, "weights": dict(settings.weights), "seed": seed}
            run.begin(asked if from_ is None else {**asked, "from": from_})
        trainer = Trainer(
            data, run, recipe, settings, initial=network, base=info, on_status=_status_shower(show), say=say
        )
        if rank == 0:
            say(f"Training on {trainer.hardware}.")
        with _stopping_on_signals(trainer) as signals:
            outcome = trainer.train()
        if rank == 0:
            _end_training(outcome, signals, as_json)
    leave(INTERRUPTED if signals else 0)
    if signals:
        raise typer.Exit(INTERRUPTED)


def _base(model: str | None, symbols: bool) -> "tuple[MusicTransformer | None, ModelInfo | None]":
    """The model to go on from, if there is one: with room for symbols where it is to learn them."""
    from core.model.checkpoint import find_model, load_model
    from core.model.transformer import with_symbols

    if model is None:
        return None, None
    network, info = load_model(find_model(model))
    return with_symbols(network) if symbols else network, info


def _recipe(
    preset: str,
    batch: int | None,
    dropout: float | None,
    rate: float | None,
    base: "ModelConfig | None",
    symbols: bool,
) -> "Recipe":
    """The preset with what is asked for instead of its own; `base` is the network that it goes on from."""
    from dataclasses import replace

    from core.training.recipes import RECIPES

    if preset not in RECIPES:
        raise UsageError(f'There is no preset "{preset}"; choose one of {", ".join(RECIPES)}.')
    recipe = RECIPES[preset] if batch is None else replace(RECIPES[preset], batch=batch)
    recipe = recipe if dropout is None else replace(recipe, dropout=dropout)
    if base is not None:
        recipe = recipe.going_on(base, rate)
    elif rate is not None:
        recipe = recipe.at_rate(rate)
    return recipe.with_symbols() if symbols else recipe


def _end_training(outcome: "Outcome", signals: list[int], as_json: bool) -> None:
    held_out = "" if outcome.best_validation is None else f", {outcome.best_validation:.3f} nats per event held out"
    if outcome.finished:
        say(f"Trained in {_clock_time(outcome.seconds)}{held_out}: {outcome.model}")
    else:
        say(f"Stopped after {_clock_time(outcome.seconds)}{held_out}; the same command goes on.")
    if as_json:
        give(
            "",
            {
                "finished": outcome.finished,
                "interrupted": bool(signals),
                "model": str(outcome.model),
                "steps": outcome.steps,
                "events": outcome.events,
                "seconds": round(outcome.seconds, 2),
                "events_per_second": round(outcome.events / max(outcome.seconds, 1e-9), 1),
                "loss": outcome.loss if math.isfinite(outcome.loss) else None,  # before the first step
                "validation": outcome.best_validation,
                "device": str(outcome.hardware.device),
                "precision": str(outcome.hardware.dtype).removeprefix("torch."),
            },
            as_json,
        )


def finetune(
    model: Annotated[str, typer.Argument(help="The model to start from: a name or a file.")],
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of your MIDI files.")],
    name: Annotated[str | None, typer.Option(help="Name of the new model (default: the folder's).")] = None,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to train at most.")] = 15.0,
    patience: Annotated[int, typer.Option(min=1, help="Checks without a better result before it stops.")] = 3,
    device: Device = "auto",
    jobs: _Jobs = None,
    as_json: Json = False,
) -> None:
    """Make a model of your own: train one further on your MIDI.

    Stops by itself when it gets no better; the new model is listed by `models` and the app at once.

    Example: continuo-cli finetune continuo-base my-midi --name mine
    """
    from contextlib import ExitStack

    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing:
        raise NotFound(f"There is no folder {missing}.")
    with interrupts.put_off():
        from core.training.run.finetune import Callbacks
        from core.training.run.finetune import finetune as run
    signals: list[int] = []
    with ExitStack() as stack:
        show = stack.enter_context(progress("Fine-tuning", long=True))

        def on_trainer(trainer: "Trainer") -> None:
            nonlocal signals
            signals = stack.enter_context(_stopping_on_signals(trainer))

        tuned = run(
            model,
            folders,
            name=name,
            minutes=minutes,
            patience=patience,
            device=device,
            jobs=jobs,
            callbacks=Callbacks(
                files=lambda done, total: show(done, total, f"{done} of {total} files"),
                trainer=on_trainer,
                status=_status_shower(show),
                say=say,
            ),
        )
    if signals:
        say("Stopped; the same command with the same --name goes on.")
    else:
        _tell_tuned(tuned)
    if as_json:
        give("", _tuned_as_json(tuned), as_json)
    if signals:
        raise typer.Exit(INTERRUPTED)


def _tuned_as_json(tuned: "FineTuned") -> dict[str, Any]:
    return {
        "finished": tuned.outcome.finished,
        "name": tuned.name,
        "model": str(tuned.path),
        "songs": tuned.songs,
        "held_out": tuned.held_out,
        "before": tuned.before,
        "after": tuned.after,
        "steps": tuned.outcome.steps,
        "seconds": round(tuned.outcome.seconds, 2),
    }


def _tell_tuned(tuned: "FineTuned") -> None:
    """Where the new model is, and how much better than the one it was made of."""
    if tuned.before is None or tuned.after is None:
        change = "too few songs to hold one out and tell how good it is"
    else:
        songs = f"{tuned.held_out} song{'s' * (tuned.held_out > 1)} held out"
        change = f"{tuned.before:.3f} before, {tuned.after:.3f} after, in nats per event on {songs}"
    steps = tuned.outcome.steps
    say(f'"{tuned.name}" is ready after {steps} step{"s" * (steps > 1)}: {tuned.path} ({change}).')
    if tuned.before is not None and tuned.after is not None and tuned.after >= tuned.before:
        say("On what was held out it is no better than before: give it more --minutes, or more songs.")
