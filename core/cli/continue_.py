"""continuo-cli continue: `run` does what its options ask for."""

import inspect
from typing import Any

from core.cli.continue_options import ContinueOptions


def with_live_value(arguments: list[str]) -> list[str]:
    """`--live` alone means a virtual port: give it the empty value, since options here always take one."""
    result = []
    for i, argument in enumerate(arguments):
        following = arguments[i + 1] if i + 1 < len(arguments) else "-"
        alone = following.startswith("-") or following.lower().endswith((".mid", ".midi", ".kar", ".smf"))
        result.append("--live=" if argument == "--live" and alone else argument)
    return result


def continue_(**given: Any) -> None:
    """Go on from a MIDI file: into a new file, and live into a MIDI port or the built-in synth.

    Example: continuo-cli continue song.mid -o more.mid --live --wait
    """
    options = ContinueOptions(**given)
    from core.cli.run import run  # here, for a quick --help

    run(options)


# Typer reads a command's options from its signature.
vars(continue_)["__signature__"] = inspect.signature(ContinueOptions)
continue_.__annotations__ = inspect.get_annotations(ContinueOptions)
