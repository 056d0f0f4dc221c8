"""continuo-cli fill: a region of a MIDI file, made anew between what lies around it."""

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import interrupts
from core.cli.continue_options import KNOB
from core.cli.output import Json, give, progress, say
from core.errors import UsageError

if TYPE_CHECKING:
    from core.generation.options import Options
    from core.performance.fill import FillPlan
    from core.performance.fill_run import FillRun


def fill(
    file: Annotated[Path, typer.Argument(metavar="SONG.mid", help="The MIDI file; it is not changed.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.mid", help="Where the whole song goes.")],
    from_: Annotated[float, typer.Option("--from", metavar="SECONDS", help="Where the region begins.")],
    to: Annotated[float, typer.Option("--to", metavar="SECONDS", help="Where it ends.")],
    tracks: Annotated[
        str | None,
        typer.Option(metavar="1,3", help="Tracks to make anew, numbered as info does.", show_default="all but drums"),
    ] = None,
    low: Annotated[str, typer.Option(help="Lowest pitch made anew, as a number or a name.")] = "0",
    high: Annotated[str, typer.Option(help="Highest pitch made anew.")] = "127",
    candidates: Annotated[int, typer.Option(min=1, max=16, help="How many are sampled.")] = 8,
    alternatives: Annotated[
        int, typer.Option(min=1, max=16, help="How many to write: OUT-1.mid (the best), OUT-2.mid, ...")
    ] = 1,
    temperature: Annotated[float, typer.Option(help="Under 1 safer, over 1 bolder, 0 always the likeliest.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same notes.", show_default="random")] = None,
    knob: Annotated[list[str] | None, KNOB] = None,
    words: Annotated[str | None, typer.Option(metavar='"slow, then wild"', help="The same in English words.")] = None,
    model: Annotated[str | None, typer.Option(help="A model by name (see models) or path.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    as_json: Json = False,
) -> None:
    """Make a region of a song anew, between what comes before it and what follows.

    Of several candidates the one is written that leads best to what follows. All else stays as it is in the file: notes
    before and behind, notes of other tracks and pitches within the region, and drums.

    Example: continuo-cli fill song.mid -o other.mid --from 20 --to 28
    """
    from core.cli import prompt
    from core.generation.options import Options, Sampling
    from core.midi.region import Region
    from core.performance.fill import plan_fill
    from core.session.session import open_midi

    if alternatives > candidates:
        raise UsageError(f"Of {candidates} candidates there are no {alternatives} alternatives to choose.")
    session = open_midi(file)
    assert session.score is not None
    for sentence in session.score.repairs:
        say(sentence)
    if to > session.score.end:
        raise UsageError(f"--to {to:g} lies outside the file, which ends at {session.score.end:.2f} seconds.")
    keys = None
    if tracks is not None:
        keys = frozenset(session.score.tracks[i].key for i in prompt.parse_tracks(session.score, tracks))
    plan = plan_fill(session, Region(from_, to, keys, prompt.pitch(low), prompt.pitch(high)))
    seed = secrets.randbelow(2**31) if seed is None else seed
    knobs, then = prompt.knobs(knob, words)
    options = Options(Sampling(temperature), seed=seed, seconds=to - from_, takes=candidates, knobs=knobs, then=then)
    paths = prompt.numbered(out, alternatives, file)
    run, figures = _sample(plan, options, alternatives, model, device)
    from core.session.export import save_midi

    for placed, path in zip(run.alternatives, paths, strict=True):
        save_midi(plan.with_placed(placed), path, "score")
    figures |= {"outputs": [str(path) for path in paths], "seed": seed}
    give(_words(figures), figures, as_json)


def evaluate_fill(
    model: Annotated[str, typer.Argument(help="A model's name or file.")],
    paths: Annotated[list[Path], typer.Argument(help="Corpora made by prepare, folders of MIDI, or MIDI files.")],
    split: Annotated[str, typer.Option(help="train, validation or test, of corpora.")] = "test",
    regions: Annotated[int, typer.Option(min=2, help="Regions to fill, of 2, 4, 8 and 16 seconds.")] = 200,
    candidates: Annotated[int, typer.Option(min=2, max=16, help="How many are sampled for each.")] = 8,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    as_json: Json = False,
) -> None:
    """Measure how regions of music that the model has not seen are filled, against what stands there.

    Example: continuo-cli evaluate-fill continuo-base corpus --json
    """
    with interrupts.put_off():
        from core.generation.engine import open_engine
        from core.generation.filling.middle_filler import filler_for
        from core.generation.options import Options
        from core.training.data.sources import parse_split
        from core.training.evaluation.evaluate import held_out
        from core.training.evaluation.fills import as_rows, choose_regions, fill_region, summary
    chosen = parse_split(split)
    engine, info = open_engine(model, device, say)
    places = choose_regions(held_out(paths, chosen, 0, say), regions, seed)
    if not places:
        raise UsageError("There is no piece of that split that is long enough.")
    filler, filled = filler_for(engine), []
    with progress("Filling") as show:
        for i, (piece, region) in enumerate(places):
            show(i, len(places), piece.title)
            options = Options(seed=seed + 100 * i, takes=candidates)
            filled.append(fill_region(filler, piece, region, options))
    figures = summary(filled)
    give(_table(figures), {"model": info.name, **figures, "filled": as_rows(filled)}, as_json)


def _table(figures: dict[str, dict[str, Any]]) -> str:
    """The figures, a line for each, a column for each length in seconds: mean and standard error."""
    lines = [" " * 18 + "".join(f"{length:>16}" for length in figures)]
    for name in next(iter(figures.values())):
        values = [some[name] for some in figures.values()]
        shown = [f"{v:>16}" if isinstance(v, int) else f"{v[0]:>9.3f} ({v[1]:.3f})" for v in values]
        lines.append(f"{name:<18}" + "".join(shown))
    return "\n".join(lines)


def _sample(
    plan: "FillPlan", options: "Options", count: int, model: str | None, device: str
) -> "tuple[FillRun, dict[str, Any]]":
    """The run with the alternatives to be written, and what `--json` prints."""
    with interrupts.put_off():
        from core.generation.engine import open_engine
        from core.generation.filling.fill_rounds import FillStep
        from core.performance.fill_run import FillRun

    seconds = plan.region.end - plan.region.start
    first_note: list[float] = []
    with progress("Loading the model"):
        engine, info = open_engine(model, device, say)
    with progress("Sampling") as draw:
        started = time.perf_counter()

        def show(step: FillStep) -> None:
            if step.messages and not first_note:
                first_note.append(time.perf_counter() - started)

        run = FillRun(plan, lambda key: options, count, show, lambda share: draw(share, 1.0, ""))
        run.sample(engine)
    wall = time.perf_counter() - started
    return run, {
        "notes": len(run.chosen[0].notes),
        "replaced": plan.replaced,
        "candidates": [
            {"seed": c.seed, "notes": len(c.notes), "score": round(c.score, 2), "chosen": c in run.chosen}
            for c in run.candidates
        ],
        "music_seconds": round(seconds, 3),
        "wall_seconds": round(wall, 3),
        "first_note_seconds": round(first_note[0], 3) if first_note else None,
        "grid": plan.grid.name if plan.grid else None,
        "device": str(engine.device),
        "model": info.name,
    }  # fmt: skip


def _words(figures: dict[str, Any]) -> str:
    """The same for people."""
    count = len(figures["candidates"])
    lines = [
        f"{figures['notes']} notes for {figures['replaced']} in {figures['music_seconds']:.1f} seconds, "
        f"the best of {count} candidate{'s' * (count > 1)} by {figures['model']} on {figures['device']}; "
        f"seed {figures['seed']}" + (f"; on a grid of {figures['grid']}" if figures["grid"] else ""),
        *figures["outputs"],
    ]
    return "\n".join(lines)
