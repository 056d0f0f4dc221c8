"""One run of `continue`: samples, plays the first take meanwhile, and measures."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from core.cli.output import progress, say
from core.cli.prompt import Choice
from core.codec.events import encode_prompt
from core.errors import ContinuoError
from core.generation.continuation import Continuation, Step
from core.generation.engine import Engine, PreparedPrompt, open_engine
from core.generation.options import Options, Take
from core.live.player import Player
from core.live.scheduler import DEFAULT_CUSHION

FURTHEST_AHEAD = 60.0  # seconds of music sampled ahead of the playhead when there is no end
LOOK_AGAIN = 0.05  # seconds between two looks at the player while waiting for it


@dataclass
class Run:
    """What one `continue` does; `player` is None where nothing is played."""

    choice: Choice
    options: Options
    model: str | None
    device: str
    player: Player | None
    synth: bool
    fault: Exception | None = None
    prefill_seconds: float = 0.0
    first_event_seconds: float = 0.0
    sampling_seconds: float = 0.0
    events: int = 0  # sampled, of all takes
    takes: list[Take] = field(default_factory=list)

    def prepare(self) -> None:
        """Load the model and read the prompt into its cache."""
        with progress() as bar:
            task = bar.add_task("Loading the model", total=None, note="")
            bar.refresh()
            self.engine, self.model_info = open_engine(self.model, self.device, say)
            bar.update(task, description="Reading the prompt", refresh=True)
            conventions = self.engine.config.conventions
            choice = self.choice
            events = encode_prompt(choice.chosen, choice.marker, conventions, choice.start, choice.grid)
            started = time.perf_counter()
            self.prepared = self.engine.prepare(events)
            self.prefill_seconds = time.perf_counter() - started

    def sample(self, interrupted: Event) -> list[Take]:
        """Sample to the end or until interrupted: the takes, best first. That of the first seed is played meanwhile.

        A fault on the way, such as a port that is gone, stands in `fault`: what was sampled before it is kept.
        """
        continuation = Continuation(self.engine, self.prepared, self.options)
        try:
            if self.player:
                self._start(self.player, self.engine, self.prepared)
            with progress() as bar:
                task = bar.add_task("Sampling", total=self.options.seconds or self.options.events, note="")

                def show(note: str, done: float) -> None:
                    bar.update(task, note=note, completed=done, refresh=True)

                self._sample(continuation, interrupted, show)
            if self.player:
                self.player.finish(continuation.takes[0].seconds)
        except Exception as error:  # raised by `continue`, once what there is of the take is saved
            self.fault = error
        takes = continuation.takes
        self.takes = [takes[i] for i in continuation.ranking]
        return self.takes

    def _start(self, player: Player, engine: Engine, prepared: PreparedPrompt) -> None:
        """Start the player with enough music ahead to hide the pause when the window moves on."""
        pause = self.prefill_seconds * engine.config.block_size / 2 / len(prepared.events)
        player.start(0.0, self.options.seconds, max(DEFAULT_CUSHION, 2 * pause))
        if self.synth:
            main = max(self.choice.chosen, key=lambda track: len(track.notes))
            player.send_now(bytes((0xC0, main.program)))

    def _sample(self, continuation: Continuation, interrupted: Event, show: Callable[[str, float], None]) -> None:
        started = time.perf_counter()
        paused = shown = 0.0
        for count, step in enumerate(continuation, 1):
            now = time.perf_counter()
            if count == 1:
                self.first_event_seconds = now - started
            self.sampling_seconds = now - started - paused
            self.events += step.event is not None
            if step.take == 0:
                self._play(step)
            if interrupted.is_set():
                continuation.stop()
            if now - shown > 0.1:
                shown = now
                show(self._note(step.head), count if self.options.events else step.head)
                if self.player and self.options.seconds is None and self.options.events is None:
                    paused += self._let_catch_up(self.player, interrupted)

    def _play(self, step: Step) -> None:
        if self.player and (step.messages or step.event is None):
            wire = [(m.time, bytes((0x90 if m.velocity else 0x80, m.pitch, m.velocity))) for m in step.messages]
            self.player.feed(wire, step.head)

    def _note(self, head: float) -> str:
        words = f"{head:.1f} s, {head / max(self.sampling_seconds, 1e-9):.1f} times real time"
        if self.player:
            status = self.player.status()
            words += f", {status.ahead:.1f} s in hand"
        return words

    def _let_catch_up(self, player: Player, interrupted: Event) -> float:
        """Without an end, sample no further ahead than makes sense: seconds waited."""
        started = time.perf_counter()
        while player.status().ahead > FURTHEST_AHEAD and not interrupted.is_set():
            time.sleep(LOOK_AGAIN)
        return time.perf_counter() - started

    def listen_to_the_end(self, interrupted: Event) -> None:
        """Wait until the player has played what was sampled, or until interrupted."""
        if self.player is None or self.fault:
            return
        try:
            while not interrupted.is_set() and not self.player.wait_until_ended(LOOK_AGAIN):
                pass
            self.player.stop()
        except ContinuoError as error:
            self.fault = error

    def figures(self, outputs: list[str]) -> dict[str, Any]:
        """What `--json` prints. Seconds of music are those of the longest take."""
        music = max(take.seconds for take in self.takes)
        wall = max(self.sampling_seconds, 1e-9)
        status = self.player.status() if self.player else None
        return {
            "events": self.events,
            "notes": sum(len(take.notes) for take in self.takes),
            "music_seconds": round(music, 3),
            "wall_seconds": round(wall, 4),
            "prefill_seconds": round(self.prefill_seconds, 4),
            "first_event_seconds": round(self.first_event_seconds, 5),
            "events_per_second": round(self.events / wall, 1),
            "real_time_factor": round(music / wall, 2),
            "underruns": status.underruns if status else 0,
            "late_ms_p99": round(status.late_ms_p99, 3) if status else None,
            "device": str(self.engine.device),
            "model": self.model_info.name,
            "seed": self.options.seed,
            "seeds": [take.seed for take in self.takes],
            "grid": self.choice.grid.name if self.choice.grid else None,
            "outputs": outputs,
        }

    def words(self, outputs: list[str]) -> str:
        """The same for people."""
        figures = self.figures(outputs)
        lines = [
            f"{figures['music_seconds']:.1f} seconds, {figures['notes']} notes, "
            f"sampled {figures['real_time_factor']:.1f} times faster than real time "
            f"by {figures['model']} on {figures['device']}; seed {figures['seed']}"
            + (f"; on a grid of {figures['grid']}" if figures["grid"] else ""),
            *outputs,
        ]
        return "\n".join(lines)
