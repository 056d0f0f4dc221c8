"""What the commands print: results on stdout (with --json one object, last), all else on stderr."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import UsageError, WriteError

if TYPE_CHECKING:
    from rich.console import Console

DRAW_EVERY = 0.05  # seconds between two pictures of a progress bar
LINE_EVERY = 60.0  # seconds between two lines of progress where there is no terminal

Show = Callable[[float, float | None, str], None]
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


@contextmanager
def progress(description: str, *, long: bool = False, hidden: bool = False) -> Iterator[Show]:
    """A progress bar on stderr, on a terminal alone: call what it gives with (done, total or None, text).

    `long` is work of minutes to hours: its bar tells the share and the time left and stays when all is done; where
    stderr is no terminal, a line comes now and then.
    """
    from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[text]}"),
    ]
    if long:
        columns = [*columns[:2], TaskProgressColumn(), columns[2], TimeRemainingColumn()]
    on_terminal = console().is_interactive
    # Drawn by the caller's thread: one that redraws by itself would take time from sampling and sound.
    with Progress(
        *columns,
        console=console(),
        transient=not long,
        auto_refresh=False,
        disable=hidden or not on_terminal,
    ) as bar:
        task = bar.add_task(description, total=None, text="")
        bar.refresh()
        drawn = line_at = time.monotonic()

        def show(done: float, total: float | None, text: str) -> None:
            nonlocal drawn, line_at
            now = time.monotonic()
            bar.update(task, completed=done, total=total, text=text)
            if now - drawn >= DRAW_EVERY:
                drawn = now
                bar.refresh()
            if long and not (hidden or on_terminal) and now - line_at >= LINE_EVERY:
                line_at = now
                say(f"{description}: {text}")

        yield show


def print_table(title: str, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """A table on stderr; numbers stand right."""
    from rich.table import Table

    table = Table(title=title)
    for column in columns:
        number = bool(rows) and isinstance(rows[0].get(column), (int, float))
        table.add_column(column.replace("_", " "), justify="right" if number else "left")
    for row in rows:
        table.add_row(*("" if (value := row.get(c)) is None else _number(value) for c in columns))
    console().print(table)


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def pairs(values: list[str] | None, option: str, form: str = "SOURCE=VALUE") -> dict[str, str]:
    """Options of the form NAME=VALUE. Raises UsageError."""
    read: dict[str, str] = {}
    for text in values or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f'{option} wants {form}, not "{text}".')
        read[name] = value
    return read


def numbers(values: Mapping[str, str], what: str) -> dict[str, float]:
    """The numbers that pairs give, each the `what` of its name. Raises UsageError."""
    read: dict[str, float] = {}
    for name, value in values.items():
        try:
            read[name] = float(value)
        except ValueError:
            raise UsageError(f'The {what} of {name} must be a number, not "{value}".') from None
    return read
