"""continuo-cli evaluate-words: how often lines of words set the right knobs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import Json, give
from core.resources import bundled
from core.session.knobs import knobs_words

if TYPE_CHECKING:
    from core.words.evaluation import LineOutcome


def evaluate_words(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="LINES.txt", help="Lines and the knobs they mean; without it those that come along."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure what is made of words: how often all knobs that are meant move their way, no other by more than a step.

    Example: continuo-cli evaluate-words
    """
    from core.words.evaluation import evaluate, read_lines
    from core.words.understanding import bundled_understanding

    outcomes = evaluate(bundled_understanding(), read_lines(file or bundled("words", "held-out.txt")))
    count = len(outcomes)
    right = sum(outcome.is_right for outcome in outcomes) / count
    beside = sum(outcome.beside for outcome in outcomes) / count
    wrong = [f"  {_telling(outcome)}" for outcome in outcomes if not outcome.is_right]
    words = f"{count} lines: {right:.1%} right, {beside:.2f} knobs moved beside those meant."
    error = (right * (1 - right) / count) ** 0.5
    figures = {"lines": count, "right": right, "standard_error": error, "beside": beside}
    give("\n".join([words, *wrong]), figures, as_json)


def _telling(outcome: "LineOutcome") -> str:
    meant, found = (knobs_words(parts) or "nothing" for parts in (outcome.line.meant, outcome.found))
    return f"{outcome.line.words}: {meant} was meant, {found} found"
