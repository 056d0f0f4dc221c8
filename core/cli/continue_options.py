"""ContinueOptions: what continuo-cli continue is asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.cli.output import Json
from core.errors import UsageError

RESTS = ("stretch", "rest", "beside")  # core.session.session.RestOfSong, which takes too long to import for --help


KNOB = typer.Option(
    metavar="busier|softer=2|...",
    help="How to differ from what comes before: calmer, busier; lower, higher; softer, louder; shorter, longer notes; "
    "thinner, fuller chords; darker, brighter mode; steadier, freer rhythm; each by one step or =2. May be repeated.",
)


@dataclass(frozen=True, slots=True)
class ContinueOptions:
    """What is asked for, each with the words that the command line has for it. Raises UsageError."""

    file: Annotated[Path, typer.Argument(metavar="PROMPT.mid", help="The MIDI file to go on from.")]
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT.mid", help="Where the file with the take goes.")
    ] = None
    seconds: Annotated[float | None, typer.Option(help="Length of the take; inf: until Ctrl-C.", show_default="30")] = (
        None
    )
    bars: Annotated[float | None, typer.Option(help="Length in bars instead.")] = None
    to: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Where the take ends, in the file's time: nothing sounds past it."),
    ] = None
    let_it_end: Annotated[
        bool, typer.Option("--let-it-end", help="Let the model end the piece, before the length is reached.")
    ] = False
    events: Annotated[int | None, typer.Option(help="Length in events instead.")] = None
    from_: Annotated[
        float | None,
        typer.Option("--from", metavar="SECONDS", help="Where the prompt ends.", show_default="the end of the music"),
    ] = None
    prompt_seconds: Annotated[float | None, typer.Option(help="Use only so much of the prompt's end.")] = None
    tracks: Annotated[str | None, typer.Option(metavar="1,3", help="Tracks of the prompt, numbered as info does.")] = (
        None
    )
    temperature: Annotated[float, typer.Option(help="Under 1 safer, over 1 bolder, 0 always the likeliest.")] = 1.0
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest events with this much probability.")] = 0.98
    top_k: Annotated[int, typer.Option(help="Draw from the k likeliest events; 0: from all.")] = 0
    min_p: Annotated[float, typer.Option(help="Leave out what is less likely than this share of the likeliest.")] = 0.0
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same take.", show_default="random")] = None
    takes: Annotated[int, typer.Option(help="How many takes to make: OUT-1.mid (the best), OUT-2.mid, ...")] = 1
    scale: Annotated[
        str | None, typer.Option(metavar='auto|"D minor"', help="Keep to a scale; auto finds the prompt's.")
    ] = None
    key_strength: Annotated[
        float, typer.Option(help="How strongly to keep to the prompt's key, if it has one; 0: not at all.")
    ] = 0.7
    low: Annotated[str, typer.Option(help="Lowest pitch, as a number or a name.")] = "0"
    high: Annotated[str, typer.Option(help="Highest pitch.")] = "127"
    grid: Annotated[
        str,
        typer.Option(
            metavar="auto|off|1/4|1/8|1/16|1/32|1/8t|1/16t",
            help="Where notes may begin: auto keeps to the grid of a prompt that is quantised; t means triplets.",
        ),
    ] = "auto"
    dynamics: Annotated[
        str,
        typer.Option(
            metavar="auto|flat|human",
            help="How loud: auto as the prompt is (one velocity stays one); flat; human accents a flat prompt gently.",
        ),
    ] = "auto"
    knob: Annotated[list[str] | None, KNOB] = None
    words: Annotated[
        str | None,
        typer.Option(
            metavar='"slow and sad, then wilder"',
            help="The same in English words; what was understood is said. --knob wins where both say something.",
        ),
    ] = None
    model: Annotated[str | None, typer.Option(help="A model by name (see models) or path.")] = None
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto"
    take_only: Annotated[bool, typer.Option("--take-only", help="Write the take without the original tracks.")] = False
    rest: Annotated[
        str,
        typer.Option(
            metavar="stretch|rest|beside",
            help="What the take replaces of its prompt's tracks: the stretch up to its end, behind which the original "
            "comes back; all the rest of them; or nothing, and it plays beside them.",
        ),
    ] = "stretch"
    into: Annotated[
        str,
        typer.Option(
            metavar="auto|one|2",
            help="What the take plays on: the prompt's tracks if they are several, one track of its own, or a track by "
            "its number, which is then the prompt, too.",
        ),
    ] = "auto"
    drums: Annotated[
        str, typer.Option(metavar="repeat|off", help="Whether drums that stop repeat their pattern under the take.")
    ] = "repeat"
    merge: Annotated[
        bool, typer.Option("--merge", help="Write the take's notes into the tracks they play on, not beside them.")
    ] = False
    keep_rest: Annotated[bool, typer.Option("--keep-rest", help="The same as --rest beside.")] = False
    live: Annotated[
        str | None,
        typer.Option(metavar="[PORT]", help="Play it while it is sampled: a virtual port Continuo, or part of a name."),
    ] = None
    wait: Annotated[bool, typer.Option("--wait", help="Begin when something is connected to the port.")] = False
    programs: Annotated[
        bool, typer.Option("--programs", help="With --live, choose the sounds of what it plays to; else they stay.")
    ] = False
    synth: Annotated[bool, typer.Option("--synth", help="Play it through the built-in synth.")] = False
    as_json: Json = False

    def __post_init__(self) -> None:
        if self.out is None and self.live is None and not self.synth:
            raise UsageError("Say where the take goes: -o OUT.mid, --live or --synth.")
        if self.wait and self.live is None:
            raise UsageError("--wait goes with --live: it waits for a connection to the port.")
        if self.rest not in RESTS:
            raise UsageError(f'--rest takes stretch, rest or beside, not "{self.rest}".')
        if self.into not in ("auto", "one") and not self.into.isdecimal():
            raise UsageError(f'--into takes auto, one or the number of a track (see info), not "{self.into}".')
        if self.drums not in ("repeat", "off"):
            raise UsageError(f'--drums takes repeat or off, not "{self.drums}".')
        if self.keep_rest and self.rest != "beside":
            object.__setattr__(self, "rest", "beside")
