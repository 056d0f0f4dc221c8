"""The commands of continuo-cli in one list, and what becomes of errors.

Exit codes: 0 done, 1 a file that could not be written or a fault of ours, 2 bad usage, 3 unreadable
input, 4 no such port, device or model, 130 interrupted.
"""

import gc
import io
import logging
import multiprocessing
import sys
from typing import Annotated

import typer

from core.cli import bench, continue_, evaluation, fill, interrupts, knobs, look, play, tracks, training, words
from core.errors import INTERRUPTED, ContinuoError
from core.logs import start_logging

TYPERS_WORDS = {  # and ours instead
    "Input should be a valid number, unable to parse string as a number": "it takes a number",
    "Input should be a valid integer, unable to parse string as an integer": "it takes a whole number",
    "Input should be": "it must be",
    "Value error, ": "",
}

app = typer.Typer(
    name="continuo-cli",
    help="Plays on from your MIDI: a Music Transformer on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"continuo-cli {version('continuo')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What holds for every command."""


for name, function in {
    "continue": continue_.continue_,
    "fill": fill.fill,
    "evaluate-fill": fill.evaluate_fill,
    "play": play.play,
    "ports": play.ports,
    "info": look.info,
    "models": look.models,
    "import-model": look.import_model,
    "encode": look.encode,
    "decode": look.decode,
    "bench": bench.bench,
    "evaluate-knobs": knobs.evaluate_knobs,
    "evaluate-tracks": tracks.evaluate_tracks,
    "evaluate-words": words.evaluate_words,
}.items():
    app.command(name)(function)
for function in (
    training.prepare,
    training.pack_corpus,
    training.train,
    training.finetune,
    evaluation.evaluate,
    evaluation.average,
    evaluation.pack,
    tracks.train_tracks,
):
    app.command(no_args_is_help=True)(function)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    multiprocessing.freeze_support()
    # Of the small objects that a file of very many notes becomes, none is garbage: look for it less often.
    gc.set_threshold(100_000, 10, 10)
    interrupts.raise_once()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A track or file name that the terminal cannot show must not end the command.
        sys.stdout.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    interrupts.ignore()
    gc.freeze()  # or Python would look through all there is for garbage, twice, before it ends
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command: its exit code. Errors become one sentence on stderr; what was not foreseen is logged."""
    try:
        return app(continue_.with_live_value(arguments), prog_name="continuo-cli", standalone_mode=False) or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except typer.TyperException as error:  # bad usage, found by Typer
        if error.format_message().startswith("Usage: "):  # nothing was given: its text is the help
            print(error.format_message(), file=sys.stderr)
            return error.exit_code
        return _fail(f"{_plain(error.format_message()).rstrip('.')}.", error.exit_code)
    except typer.Abort:
        return INTERRUPTED
    except ContinuoError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not try to flush it again.
        sys.stdout = None
        return 1
    except Exception:
        return _fail(f"Something went wrong inside Continuo; the details are in {_log()}.", 1)


def _plain(sentence: str) -> str:
    """What Typer says of a wrong value, without the words that only programmers read."""
    for theirs, ours in TYPERS_WORDS.items():
        sentence = sentence.replace(theirs, ours)
    return sentence


def _fail(sentence: str, code: int) -> int:
    print(f"continuo-cli: {sentence}", file=sys.stderr)
    return code


def _log() -> str:
    """Write the traceback of the error at hand to the log file, or to stderr where there can be none; where that is."""
    path = start_logging(otherwise=logging.StreamHandler())
    logging.getLogger("continuo").exception("unforeseen")
    return str(path or "the lines above")
