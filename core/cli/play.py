"""continuo-cli play, ports: a file or nothing but the names of the ports."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import interrupts
from core.cli.output import Json, give, progress, say
from core.errors import UnreadableInput, UsageError
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort

if TYPE_CHECKING:
    from core.performance.playback import Playback

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
def playing(
    choice: OutputChoice, programs: bool, failed: Callable[[Exception, str], object] = lambda *_: None
) -> "Iterator[Playback]":
    """What plays, its output open; with `programs` a port gets program changes. Raises what `Player` raises.

    `failed` is told what broke off on a thread of the engine.
    """
    from core.performance.events import PlaybackEvents
    from core.performance.playback import Playback

    playback = Playback(PlaybackEvents(message=say, failed=failed), replaces_lost=False)
    playback.output.programs = programs
    try:
        playback.output.open_now(choice)
        yield playback
    finally:
        playback.close()


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
    from core.performance.song import PlayRequest
    from core.session.session import open_midi
    from core.session.timeline import playing_range

    session = open_midi(file)
    score = session.score
    assert score is not None
    for sentence in (*score.repairs, one_port_words(score)):
        if sentence:
            say(sentence)
    if not any(track.notes or track.controls for track in score.tracks):
        raise UnreadableInput(f"{file.name} has nothing to play.")
    _, end = playing_range(session, "prompt")
    choice = output_choice(port if port or synth else "", synth)
    faults: list[Exception] = []
    sound = playing(choice, programs=True, failed=lambda error, _: faults.append(error))
    with sound as playback, interrupts.noted() as interrupted:
        output = playback.output.description
        playback.play(PlayRequest(session, "prompt", 0.0))
        position = 0.0
        with progress(f"{file.name} to {output}") as show:
            while not (state := playback.poll()).has_ended and not interrupted.wait(_LOOK_AGAIN):
                if faults:  # or it would be waited for without end
                    raise faults[0]
                position = min(state.position or 0.0, end)
                show(position, end, f"{position:.1f} of {end:.1f} s")
        position = end if state.has_ended else position
        status = playback.output.status()
    result = {"seconds": end, "sent": status.sent, "late_ms_p99": status.late_ms_p99, "output": output}
    give(f"Played {position:.1f} seconds to {output}.", result, as_json)
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
