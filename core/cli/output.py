"""What the commands print: results on stdout (with --json one object, last), all else on stderr."""

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import WriteError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]


@cache
def console() -> "Console":
    """Where people read: stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(sentence: str) -> None:
    """A sentence for the user, on stderr."""
    console().print(sentence, markup=False, soft_wrap=True)


def give(lines: str, result: dict[str, Any], as_json: bool) -> None:
    """The result of a command: words, or the same as one JSON object; on stdout."""
    try:
        print(json.dumps(result, allow_nan=False) if as_json else lines, flush=True)
    except BrokenPipeError:
        raise  # whoever reads has had enough
    except OSError as error:
        sys.stdout = None  # nothing can be flushed at the end either
        raise WriteError(f"The result cannot be printed: {error.strerror}.") from error


def progress() -> "Progress":
    """A progress bar on stderr whose last column is the field `note`; drawn only on a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}"),
        console=console(),
        transient=True,
        auto_refresh=False,
        disable=not console().is_interactive,
    )
