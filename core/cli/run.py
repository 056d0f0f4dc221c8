"""What `continue` does: samples, plays the first take meanwhile, writes the takes, and tells what came of it."""

import math
import secrets
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import typer

from core.cli import interrupts, prompt
from core.cli.continue_options import ContinueOptions
from core.cli.output import give, progress, say
from core.cli.play import output_choice, playing
from core.cli.prompt import Choice
from core.errors import ContinuoError
from core.generation.constraints import Rules
from core.generation.options import Options, Sampling, Take
from core.midi.key import parse_key
from core.midi.ports import one_port_words
from core.performance.live_take import TakeStart
from core.performance.playback import Playback
from core.performance.prompts import find_key, read_prompt
from core.performance.run import Run
from core.performance.take_in_progress import TakeInProgress
from core.performance.take_plan import TakePlan, plan_take
from core.session.arrangement import end_on_bar_line, pitch_range, returns_at, take_stretch, tempo_map_of
from core.session.export import save_midi
from core.session.session import Session

if TYPE_CHECKING:
    from core.generation.continuation import Step
    from core.generation.engine import Engine, PreparedPrompt
    from core.model.checkpoint import ModelInfo

_LOOK_AGAIN = 0.05  # seconds between two looks at the player while waiting for it
LAID_OUT = 1800.0  # seconds that a take without a known end is laid out for
SHOW_EVERY = 0.1  # seconds between two pictures of the progress


def run(wanted: ContinueOptions) -> None:
    """Do what is asked for. Raises ContinuoError, and KeyboardInterrupt once what there is has been kept."""
    choice = prompt.choose(
        wanted.file,
        wanted.into if wanted.into.isdecimal() else wanted.tracks,
        wanted.from_,
        wanted.prompt_seconds,
        wanted.grid,
        wanted.rest,  # type: ignore[arg-type]  # checked by wanted
    )
    for sentence in choice.score.repairs:
        say(sentence)
    session = prompt.session_of(choice, wanted.rest, wanted.into, wanted.drums)
    options = _options(wanted, choice, session)
    paths = prompt.numbered(wanted.out, wanted.takes, wanted.file) if wanted.out else []
    with _playback(wanted) as playback:
        if playback:
            say(f"Playing to {playback.output.description}.")
            if sentence := one_port_words(choice.score):
                say(sentence)
        model = _load(wanted, choice)
        if playback and wanted.wait:
            _wait_for_connection(playback)
        # From here on Ctrl-C breaks nothing off: what is sampled then is saved and reported.
        with interrupts.noted() as interrupted:
            plan = _plan(wanted, session, options)
            options = replace(options, ring=plan.ring(options.seconds))
            for sentence in (_replaced(plan, options, wanted.take_only and playback is None), plan.channel_words):
                if sentence:
                    say(sentence)
            in_progress = [TakeInProgress(choice.marker, 0.0, plan.take.notes) for _ in range(options.takes)]
            done = _sample(model, plan, options, in_progress, playback, interrupted)
            takes = [done.takes[i] for i in done.ranking]
            if done.fault and not any(take.notes for take in takes):
                raise done.fault  # a file that is there already is worth more than nothing
            _save(wanted, plan, [(done.takes[i], in_progress[i]) for i in done.ranking], paths)
            if playback and not done.fault:
                _listen_to_the_end(playback, done, interrupted)
            figures = _figures(model, choice, options, playback, done, takes, paths)
            give(_words(figures), figures, wanted.as_json)
    if done.fault:
        raise done.fault
    if interrupted.is_set():
        raise KeyboardInterrupt


# Before


def _options(wanted: ContinueOptions, choice: Choice, session: Session) -> Options:
    bounds = replace(session.settings, low=prompt.pitch(wanted.low), high=prompt.pitch(wanted.high))
    with_range = session.with_settings(bounds)
    return Options(
        Sampling(wanted.temperature, wanted.top_k, wanted.top_p, wanted.min_p, wanted.key_strength),
        Rules(_scale(wanted.scale, choice), *pitch_range(with_range), ends=wanted.let_it_end),
        secrets.randbelow(2**31) if wanted.seed is None else wanted.seed,
        prompt.length_in_seconds(choice, wanted.seconds, wanted.bars, wanted.events, wanted.to, wanted.rest),  # type: ignore[arg-type]
        wanted.events,
        wanted.takes,
        wanted.dynamics,  # type: ignore[arg-type]  # checked by Options
        *prompt.knobs(wanted.knob, wanted.words),
    )


def _scale(wanted: str | None, choice: Choice) -> frozenset[int] | None:
    if wanted is None:
        return None
    if wanted != "auto":
        return parse_key(wanted).pitch_classes
    key = find_key(choice.chosen, choice.start or 0.0, choice.marker)
    assert key is not None  # or there would be no prompt
    say(f"Keeping to {key.name}.")
    return key.pitch_classes


def _playback(wanted: ContinueOptions) -> AbstractContextManager[Playback | None]:
    """What plays, its port open before any sampling starts; None without --live or --synth."""
    if wanted.live is None and not wanted.synth:
        return nullcontext()
    return playing(output_choice(wanted.live, wanted.synth), wanted.programs)


@dataclass(frozen=True, slots=True)
class _Model:
    """A model with the prompt in its cache."""

    engine: "Engine"
    info: "ModelInfo"
    prepared: "PreparedPrompt"
    prefill_seconds: float


def _load(wanted: ContinueOptions, choice: Choice) -> _Model:
    with interrupts.put_off():
        from core.generation.engine import open_engine  # torch, only now that the port is open

    with progress("Loading the model"):
        engine, info = open_engine(wanted.model, wanted.device, say)
    with progress("Reading the prompt"):
        started = time.perf_counter()
        prepared = read_prompt(engine, choice.chosen, choice.marker, choice.start, choice.grid)
        return _Model(engine, info, prepared, time.perf_counter() - started)


def _wait_for_connection(playback: Playback) -> None:
    say("Waiting until something is connected to it (Ctrl-C to give up).")
    while not (connected := playback.output.is_connected()):
        playback.output.check()
        if connected is None:
            typer.prompt("This system cannot tell; press Enter when it is connected", default="", show_default=False,
                         err=True)  # fmt: skip
            return
        time.sleep(_LOOK_AGAIN)


# Sampling and playing


def _plan(wanted: ContinueOptions, session: Session, options: Options) -> TakePlan:
    """The take as it will lie in its song; where nobody can know its end yet, it is laid out for long."""
    if wanted.to is not None and options.seconds is not None:
        return plan_take(session, session.marker, options.seconds, is_exact=True)
    tempo_map = tempo_map_of(session.score, session.marker, session.settings.rest)
    return plan_take(session, session.marker, end_on_bar_line(tempo_map, session.marker, options.seconds or LAID_OUT))


def _replaced(plan: TakePlan, options: Options, is_alone: bool) -> str:
    """What the take replaces of the prompt's tracks, in a sentence; empty if nothing."""
    stretch, score = take_stretch(plan.session, plan.take), plan.session.score
    assert score is not None
    tracks = [score.tracks[i] for i in stretch.tracks]
    count = sum(stretch.has(note.start_tick) for track in tracks for note in track.notes)
    if not count or is_alone:
        return ""
    marker, end = plan.take.marker, plan.take.marker + plan.take.end
    if stretch.end is None:
        return f"The take replaces all {count} notes that the prompt's tracks have behind {marker:.2f} seconds."
    if options.seconds is None:
        return f"The take replaces what the prompt's tracks play behind {marker:.2f} seconds, for as long as it lasts."
    returns = any(returns_at(track, stretch) is not None for track in tracks)
    notes = f"{count} note{'s'[: count > 1]} of the prompt's tracks"
    words = f"The take replaces {notes}, from {marker:.2f} to {end:.2f} seconds"
    return words + ("; there the original comes back." if returns else "; behind it they have no more.")


def _sample(
    model: _Model,
    plan: TakePlan,
    options: Options,
    in_progress: Sequence[TakeInProgress],
    playback: Playback | None,
    interrupted: Event,
) -> Run:
    """Sample to the end or until interrupted; the take of the first seed is played meanwhile."""
    run = Run(stopped=interrupted, route=plan.route(options.takes))
    try:
        if playback:
            start = TakeStart(plan.start, options.seconds, plan.part_router, plan.accompaniment(False))
            live = playback.begin_take(start)
            run.play = lambda step: live.feed(step.messages, step.head)
            run.ahead = playback.ahead  # which says so where the player is lost, or it would be waited for
            run.finished = lambda seconds: plan.finish(live, seconds, metronome=False)
        with progress("Sampling") as draw:
            shown = 0.0

            def show(step: "Step") -> None:
                nonlocal shown
                in_progress[step.take].add(step.messages, step.head)
                if run.seconds - shown > SHOW_EVERY:
                    shown = run.seconds
                    done = run.events if options.events else step.head
                    draw(done, options.seconds or options.events, _note(run, step.head, playback))

            run.show = show
            run.sample(model.engine, model.prepared, options)
    except ContinuoError as error:  # raised by `run`, once what there is of the take is saved
        run.fault = error
    return run


def _note(run: Run, head: float, playback: Playback | None) -> str:
    words = f"{head:.1f} s, {head / max(run.seconds, 1e-9):.1f} times real time"
    return words + (f", {playback.output.status().ahead:.1f} s in hand" if playback else "")


def _listen_to_the_end(playback: Playback, run: Run, interrupted: Event) -> None:
    """Wait until what was sampled has been played, or until interrupted."""
    try:
        while not playback.poll().has_ended and not interrupted.wait(_LOOK_AGAIN):
            pass
        playback.stop()
    except ContinuoError as error:
        run.fault = error


# Afterwards


def _save(
    wanted: ContinueOptions, plan: TakePlan, made: Sequence[tuple[Take, TakeInProgress]], paths: Sequence[Path]
) -> None:
    for i, ((take, in_progress), path) in enumerate(zip(made, paths, strict=bool(paths)), 1):
        name = "Continuo take" if len(made) == 1 else f"Continuo take {i}"
        record = replace(
            plan.take,
            notes=in_progress.record().notes,
            seconds=take.seconds,
            name=name,
            seed=take.seed,
            model=take.model,
            knobs=take.options.knobs,
            then=take.options.then,
        )
        session = plan.session.with_take(plan.cut_short(record))
        save_midi(session, path, "take" if wanted.take_only else "score and take", is_merged=wanted.merge)


def _figures(
    model: _Model,
    choice: Choice,
    options: Options,
    playback: Playback | None,
    run: Run,
    takes: Sequence[Take],
    paths: Sequence[Path],
) -> dict[str, Any]:
    """What `--json` prints. Seconds of music are those of the longest take."""
    music = min(max(take.seconds for take in takes), options.seconds or math.inf)  # what rings out is no more music
    wall = max(run.seconds, 1e-9)
    status = playback.output.status() if playback else None
    return {
        "events": run.events,
        "notes": sum(len(take.notes) for take in takes),
        "music_seconds": round(music, 3),
        "wall_seconds": round(wall, 4),
        "prefill_seconds": round(model.prefill_seconds, 4),
        "first_event_seconds": round(run.first_event_seconds, 5),
        "events_per_second": round(run.events / wall, 1),
        "real_time_factor": round(music / wall, 2),
        "underruns": status.underruns if status else 0,
        "late_ms_p99": round(status.late_ms_p99, 3) if status else None,
        "device": str(model.engine.device),
        "model": model.info.name,
        "seed": options.seed,
        "seeds": [take.seed for take in takes],
        "grid": choice.grid.name if choice.grid else None,
        "outputs": [str(path) for path in paths],
    }


def _words(figures: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"{figures['music_seconds']:.1f} seconds, {figures['notes']} notes, "
        f"sampled {figures['real_time_factor']:.1f} times faster than real time "
        f"by {figures['model']} on {figures['device']}; seed {figures['seed']}"
        + (f"; on a grid of {figures['grid']}" if figures["grid"] else ""),
        *figures["outputs"],
    ]
    return "\n".join(lines)
