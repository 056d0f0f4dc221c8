"""continuo-cli evaluate-knobs: whether the knobs of a take do what they say."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli import interrupts
from core.cli.output import Json, give, say
from core.errors import UsageError


def evaluate_knobs(
    model: Annotated[str, typer.Argument(help="A model's name or file.")],
    paths: Annotated[list[Path], typer.Argument(help="Corpora made by prepare, folders of MIDI, or MIDI files.")],
    split: Annotated[str, typer.Option(help="train, validation or test, of corpora.")] = "test",
    pieces: Annotated[int, typer.Option(min=0, help="At most so many pieces of each source; 0 for all.")] = 12,
    prompts: Annotated[int, typer.Option(min=1, help="Prompts to continue.")] = 100,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each continuation.")] = 12.0,
    as_json: Json = False,
) -> None:
    """Measure the knobs: each at both ends against its centre, after held-out prompts, with one seed.

    Fifteen continuations a prompt. Example: continuo-cli evaluate-knobs continuo-base corpus --prompts 20
    """
    with interrupts.put_off():
        from core.generation.engine import open_engine
        from core.training.data.sources import parse_split
        from core.training.evaluation.continuations import choose_places
        from core.training.evaluation.evaluate import held_out
        from core.training.evaluation.knobs import as_dict, table
        from core.training.evaluation.knobs import evaluate_knobs as run

    chosen = parse_split(split)
    engine, _ = open_engine(model)
    places = choose_places(held_out(paths, chosen, pieces, say), prompts)
    if not places:
        raise UsageError("No piece is long enough to be continued.")
    reports = run(engine, places, seconds, say)
    give("\n".join(table(reports)), as_dict(reports), as_json)
