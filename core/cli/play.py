"""continuo-cli play, ports: a file or nothing but the names of the ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import interrupts
from core.cli.output import Json, give, progress, say
from core.errors import UnreadableInput, UsageError
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort

if TYPE_CHECKING:
    from core.live.player import Player

_LOOK_AGAIN = 0.05  # seconds between two looks at whether the user wants to stop


def output_choice(port: str | None, synth: bool) -> OutputChoice:
    """The output that options mean: `port` is None (no port), empty (a virtual one) or part of a name."""
    if synth and port is not None:
        raise UsageError("Choose one output: a port or --synth.")
    if synth:
        return BuiltInSynth()
    if port is None:
        return NoOutput()
    return ExistingPort(port) if port else VirtualPort()


@contextmanager
def playing(choice: OutputChoice) -> "Iterator[Player]":
    """A player, its port open; what it leaves sounding if it is lost is ended, or the user told."""
    from core.live.player import Player, release_left

    player = Player(choice)
    try:
        with player:
            yield player
    finally:
        if sentence := release_left(player.left_sounding(), choice):
            say(sentence)


def play(
    file: Annotated[Path, typer.Argument(metavar="FILE.mid", help="The MIDI file to play.")],
    port: Annotated[
        str | None, typer.Option("--port", metavar="NAME", help="An existing port, by part of its name.")
    ] = None,
    synth: Annotated[bool, typer.Option("--synth", help="The built-in synth.")] = False,
    as_json: Json = False,
) -> None:
    """Play a MIDI file: through a virtual port named Continuo, a port that is there, or the built-in synth.

    Example: continuo-cli play song.mid --port "FLUID"
    """
    from core.midi.ports import one_port_words
    from core.midi.read import read_score, score_messages

    score = read_score(file)
    for sentence in (*score.repairs, one_port_words(score)):
        if sentence:
            say(sentence)
    messages = score_messages(score)
    if not messages:
        raise UnreadableInput(f"{file.name} has nothing to play.")
    end = max(score.end, messages[-1][0])
    choice = output_choice(port if port or synth else "", synth)
    with playing(choice) as player, interrupts.noted() as interrupted:
        player.start(0.0, end)
        player.feed(messages, end)
        player.finish(end)
        with progress(f"{file.name} to {player.description}") as show:
            while not player.wait_until_ended(_LOOK_AGAIN) and not interrupted.is_set():
                position = player.status().position
                show(position, end, f"{position:.1f} of {end:.1f} s")
        status = player.status()
    result = {"seconds": end, "sent": status.sent, "late_ms_p99": status.late_ms_p99, "output": player.description}
    give(f"Played {min(status.position, end):.1f} seconds to {player.description}.", result, as_json)
    if interrupted.is_set():
        raise KeyboardInterrupt


def ports(as_json: Json = False) -> None:
    """List the MIDI ports that can be played to.

    Example: continuo-cli ports
    """
    from core.live.outputs import list_ports

    found = list_ports()
    lines = "\n".join(f"{port.name}  ({port.api})" for port in found)
    give(lines or "There are no MIDI ports.", {"ports": [{"name": p.name, "api": p.api} for p in found]}, as_json)
