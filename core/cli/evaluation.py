"""continuo-cli evaluate, average, pack: how good a model is, one of several, and weights in a quarter of the space."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import interrupts
from core.cli.output import Json, give, numbers, pairs, print_table, say
from core.cli.training import Device
from core.errors import UsageError

if TYPE_CHECKING:
    from core.training.evaluation.evaluate import Evaluation

Header = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An entry of the header, such as name=Mine.")
]


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name or file.")],
    paths: Annotated[list[Path], typer.Argument(help="Corpora made by prepare, folders of MIDI, or MIDI files.")],
    split: Annotated[str, typer.Option(help="train, validation or test, of corpora.")] = "test",
    pieces: Annotated[int, typer.Option(min=0, help="At most so many pieces of each source; 0 for all.")] = 20,
    continuations: Annotated[int, typer.Option(min=0, help="Prompts to continue.")] = 8,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each continuation.")] = 30.0,
    middles: Annotated[
        int, typer.Option(min=0, help="Regions whose middle a model that knows symbols tells from another piece's.")
    ] = 0,
    training: Annotated[Path | None, typer.Option(help="Corpus in which to look for copies.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for tables and plots.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Of the continuations (default: the app's).")] = None,
    top_p: Annotated[float | None, typer.Option(help="Of the continuations (default: the app's).")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Measure a model: likelihood of music it has not seen, and what its continuations are like.

    Example: continuo-cli evaluate continuo-base corpus -o evaluation
    """
    from dataclasses import replace

    with interrupts.put_off():
        from core.generation.options import Sampling
        from core.model.checkpoint import find_model
        from core.training.data.sources import parse_split
        from core.training.evaluation.evaluate import Asked, make_output, save_evaluation
        from core.training.evaluation.evaluate import evaluate as run

    chosen = parse_split(split)
    find_model(model)  # a folder is made only for a model that there is
    if output:
        make_output(output)
    named = {"temperature": temperature, "top_p": top_p}
    sampling = replace(Sampling(), **{name: value for name, value in named.items() if value is not None})
    result = run(
        model, paths, Asked(chosen, pieces, continuations, seconds, training, device, seed, sampling, middles), say
    )
    _show_evaluation(result)
    written = save_evaluation(result, output) if output else []
    if as_json:
        give("", {**result.as_dict(), "outputs": [str(path) for path in written]}, as_json)


def _show_evaluation(result: "Evaluation") -> None:
    rows = [{"source": s, "nats per event": nll, "events": result.events[s]} for s, nll in result.nll.items()]
    print_table(f"Likelihood of {result.model}", ["source", "nats per event", "events"], rows)
    if result.middles is not None:
        rows = [{"figure": name, "value": value} for name, value in asdict(result.middles).items()]
        print_table("True middles against those of other pieces", ["figure", "value"], rows)
    if result.comparison is None:
        return
    true, sampled = result.comparison.true, result.comparison.model
    if result.criteria is not None:
        rows = [{"measure": n.replace("_", " "), "value": v} for n, v in result.criteria.as_dict().items()]
        print_table("Takes against the true continuations", ["measure", "value"], rows)
    scalars = [{"statistic": n, "true": true[n], "model": sampled[n]} for n in true if sampled[n] is not None]
    print_table("Continuations", ["statistic", "true", "model"], scalars)
    distances = [{"histogram": n, "distance": d} for n, d in result.comparison.distances.items()]
    print_table("Distance to the true music (0 alike, 1 apart)", ["histogram", "distance"], distances)
    if result.copies:
        longest = max(result.copies, key=lambda copy: copy["seconds"])
        say(f"Longest copy from the training data: {longest['seconds']:.1f} s ({longest['notes']} notes).")


def average(
    models: Annotated[list[str], typer.Argument(metavar="MODEL=SHARE", help="Models of one beginning.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.safetensors", help="Where it goes.")],
    header: Header = None,
    as_json: Json = False,
) -> None:
    """Average models that were trained on from the same one: often better than each of them.

    Shares are 1 together; below 0 they take away what training has added.

    Example: continuo-cli average one=0.5 two=0.5 -o both.safetensors
    """
    entries = _entries(output, header)
    shares = numbers(pairs(models, "average", "MODEL=SHARE"), "share")
    with interrupts.put_off():
        from core.model.checkpoint import find_model, load_model, save_model
        from core.training.averaging import average as run
    network, provenance = run([(*load_model(find_model(model)), share) for model, share in shares.items()])
    save_model(output, network, {**provenance, **entries})
    give(f"{output}: {provenance['averaged']}.", {"model": str(output), **provenance}, as_json)


def pack(
    model: Annotated[str, typer.Argument(help="A model's name or file.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.safetensors", help="Where it goes.")],
    header: Header = None,
    as_json: Json = False,
) -> None:
    """Pack a model's weights in 8 bits: a quarter of float32's size, the likelihood all but the same.

    Example: continuo-cli pack run/best.safetensors -o mine.safetensors
    """
    entries = _entries(output, header)
    with interrupts.put_off():
        import torch

        from core.model.checkpoint import find_model, load_model, save_model

    network, info = load_model(find_model(model))
    save_model(output, network, {**info.provenance, **entries}, torch.int8)
    size = output.stat().st_size
    say(f"{output}: {size / 1e6:.1f} MB.")
    if as_json:
        give("", {"model": str(output), "bytes": size}, as_json)


def _entries(output: Path, header: list[str] | None) -> dict[str, str]:
    """What `--set` says of the header of a model that is written there. Raises UsageError."""
    if output.suffix != ".safetensors":
        raise UsageError(f"The model's name must end in .safetensors, which {output.name} does not.")
    entries = pairs(header, "--set", "KEY=VALUE")
    if "config" in entries:
        raise UsageError("The config belongs to the weights and cannot be set.")
    return entries
