"""continuo-cli continue: a MIDI file goes in, the model goes on from it, live and into a file."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import interrupts
from core.cli.output import Json, give, say
from core.cli.play import output_choice
from core.errors import UsageError

if TYPE_CHECKING:
    from core.cli.prompt import Choice
    from core.live.player import Player

LOOK_AGAIN = 0.05  # seconds between two looks at whether something is connected


def with_live_value(arguments: list[str]) -> list[str]:
    """`--live` alone means a virtual port: give it the empty value, since options here always take one."""
    result = []
    for i, argument in enumerate(arguments):
        following = arguments[i + 1] if i + 1 < len(arguments) else "-"
        alone = following.startswith("-") or following.lower().endswith((".mid", ".midi", ".kar", ".smf"))
        result.append("--live=" if argument == "--live" and alone else argument)
    return result


def continue_(
    file: Annotated[Path, typer.Argument(metavar="PROMPT.mid", help="The MIDI file to go on from.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT.mid", help="Where the file with the take goes.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Length of the take; inf: until Ctrl-C.", show_default="30")
    ] = None,
    bars: Annotated[float | None, typer.Option(help="Length in bars instead.")] = None,
    events: Annotated[int | None, typer.Option(help="Length in events instead.")] = None,
    from_: Annotated[
        float | None,
        typer.Option("--from", metavar="SECONDS", help="Where the prompt ends.", show_default="the end of the music"),
    ] = None,
    prompt_seconds: Annotated[float | None, typer.Option(help="Use only so much of the prompt's end.")] = None,
    tracks: Annotated[
        str | None, typer.Option(metavar="1,3", help="Tracks of the prompt, numbered as info does.")
    ] = None,
    temperature: Annotated[float, typer.Option(help="Under 1 safer, over 1 bolder, 0 always the likeliest.")] = 1.0,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest events with this much probability.")] = 0.98,
    top_k: Annotated[int, typer.Option(help="Draw from the k likeliest events; 0: from all.")] = 0,
    min_p: Annotated[float, typer.Option(help="Leave out what is less likely than this share of the likeliest.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same take.", show_default="random")] = None,
    takes: Annotated[int, typer.Option(help="How many takes to make: OUT-1.mid (the best), OUT-2.mid, ...")] = 1,
    scale: Annotated[
        str | None, typer.Option(metavar='auto|"D minor"', help="Keep to a scale; auto finds the prompt's.")
    ] = None,
    key_strength: Annotated[
        float, typer.Option(help="Lean to the prompt's key, as far as it has one; 0: not at all.")
    ] = 0.7,
    low: Annotated[str, typer.Option(help="Lowest pitch, as a number or a name.")] = "0",
    high: Annotated[str, typer.Option(help="Highest pitch.")] = "127",
    grid: Annotated[
        str,
        typer.Option(
            metavar="auto|off|1/4|1/8|1/16|1/32|1/8t|1/16t",
            help="Where notes may begin: auto keeps to the grid of a prompt that is quantised; t means triplets.",
        ),
    ] = "auto",
    dynamics: Annotated[
        str,
        typer.Option(
            metavar="auto|flat|human",
            help="How loud: auto as the prompt is (one velocity stays one); flat; human accents a flat prompt gently.",
        ),
    ] = "auto",
    model: Annotated[str | None, typer.Option(help="A model by name (see models) or path.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    take_only: Annotated[bool, typer.Option("--take-only", help="Write the take without the original tracks.")] = False,
    keep_rest: Annotated[bool, typer.Option("--keep-rest", help="Leave what the original plays after --from.")] = False,
    live: Annotated[
        str | None,
        typer.Option(metavar="[PORT]", help="Play it while it is sampled: a virtual port Continuo, or part of a name."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Begin when something is connected to the port.")] = False,
    synth: Annotated[bool, typer.Option("--synth", help="Play it through the built-in synth.")] = False,
    as_json: Json = False,
) -> None:
    """Go on from a MIDI file: into a new file, and live into a MIDI port or the built-in synth.

    Example: continuo-cli continue song.mid -o more.mid --live --wait
    """
    if out is None and live is None and not synth:
        raise UsageError("Say where the take goes: -o OUT.mid, --live or --synth.")
    if wait and live is None:
        raise UsageError("--wait goes with --live: it waits for a connection to the port.")
    # Imported here, for a quick --help.
    from core.cli import prompt
    from core.generation.constraints import Rules
    from core.generation.options import Options, Take
    from core.generation.sampler import Sampling
    from core.midi.write import save_take, save_take_alone

    choice = prompt.choose(file, tracks, from_, prompt_seconds, grid)
    for sentence in choice.score.repairs:
        say(sentence)
    options = Options(
        Sampling(temperature, top_k, top_p, min_p, key_strength),
        Rules(_scale(scale, choice), prompt.pitch(low), prompt.pitch(high)),
        secrets.randbelow(2**31) if seed is None else seed,
        prompt.length_in_seconds(choice.score, choice.marker, seconds, bars, events, keep_rest),
        events,
        takes,
        dynamics,  # type: ignore[arg-type]  # checked by Options
    )
    paths = prompt.numbered(out, takes, file) if out else []

    def save(made: list[Take]) -> None:
        for take, path in zip(made, paths, strict=bool(paths)):
            if take_only:
                save_take_alone(choice.score, take.notes, choice.marker, path, tracks=choice.tracks)
            else:
                save_take(choice.score, take.notes, choice.marker, path, keep_rest=keep_rest, tracks=choice.tracks)

    with _player(live, synth) as player:
        if player:
            say(f"Playing to {player.description}.")
        with interrupts.put_off():
            from core.cli.run import Run  # torch, only now that the port is open

        run = Run(choice, options, model, device, player, synth)
        run.prepare()
        if player and wait:
            _wait_for_connection(player)
        # From here on Ctrl-C breaks nothing off: what is sampled then is saved and reported.
        with interrupts.noted() as interrupted:
            save(run.sample(interrupted))
            run.listen_to_the_end(interrupted)
            give(run.words([str(path) for path in paths]), run.figures([str(path) for path in paths]), as_json)
    if run.fault:
        raise run.fault
    if interrupted.is_set():
        raise KeyboardInterrupt


def _scale(wanted: str | None, choice: "Choice") -> frozenset[int] | None:
    if wanted is None:
        return None
    from core.midi.key import detect_key, parse_key

    if wanted != "auto":
        return parse_key(wanted).pitch_classes
    start = choice.start or 0.0
    key = detect_key(n for t in choice.chosen for n in t.notes if start <= n.start < choice.marker)
    say(f"Keeping to {key.name}.")
    return key.pitch_classes


@contextmanager
def _player(live: str | None, synth: bool) -> "Iterator[Player | None]":
    """The player, its port open before any sampling starts; None without --live or --synth."""
    if live is None and not synth:
        yield None
        return
    from core.live.player import Player

    with Player(output_choice(live, synth)) as player:
        yield player


def _wait_for_connection(player: "Player") -> None:
    say("Waiting until something is connected to it (Ctrl-C to give up).")
    while not (connected := player.is_connected()):
        if connected is None:
            typer.prompt("This system cannot tell; press Enter when it is connected", default="", show_default=False,
                         err=True)  # fmt: skip
            return
        time.sleep(LOOK_AGAIN)
