"""A restless musician: the engine that window and command line share, a session, and wishes drawn by chance."""

import contextlib
import math
import os
import random
import signal
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from core.errors import UsageError
from core.generation.continuation import Step
from core.generation.options import Options
from core.live.outputs import ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.midi.region import Region
from core.model.checkpoint import save_model
from core.performance.events import PlaybackEvents
from core.performance.fill import plan_fill
from core.performance.fill_run import FillRun
from core.performance.generation import Generation, GenerationEvents
from core.performance.live_take import LiveTake, TakeStart
from core.performance.playback import Playback
from core.performance.prompts import PromptRequest
from core.performance.run import Run
from core.performance.song import PlayRequest
from core.performance.take_in_progress import TakeInProgress
from core.performance.take_plan import plan_take
from core.session.arrangement import continued_tracks
from core.session.edits import transpose
from core.session.forks import Fork, accept_take, fork_prompt
from core.session.history import History
from core.session.knobs import MOST_STEPS, Knobs
from core.session.session import Session, session_from_midi
from core.session.timeline import playing_range
from tests.reliability.fill import random_file, small_model
from tests.reliability.studio import SYNTH, Synth, players

FRAME = 1 / 60  # seconds
PATCHING = 0.1  # seconds between two looks at the patchbay
PATIENCE = 120.0  # seconds for what is sure to come
# How often a wish comes up, of all these.
WISHES = {
    **dict.fromkeys(("play", "stop", "seek", "continue_", "edit", "undo", "switch_output", "keys", "kill"), 4),
    **dict.fromkeys(("loop", "pause", "resume", "stop_sampling", "regenerate", "go_on_within", "redo", "turn"), 3),
    **dict.fromkeys(("panic", "accept", "audition", "suspend"), 1),
}
OUTPUTS: tuple[OutputChoice, ...] = (
    *(VirtualPort(), ExistingPort(SYNTH), ExistingPort(SYNTH), NoOutput()),
    ExistingPort("no such port"),
)


@dataclass(eq=False)
class Sampling:
    """A take on its way, as the window keeps it."""

    run: Run
    live: LiveTake
    in_progress: TakeInProgress
    fork: Fork | None
    steps: deque[Step]


@dataclass(eq=False)
class Diary:
    """What was wished, what the user was told, and what went wrong."""

    wishes: Counter[str] = field(default_factory=Counter)
    sentences: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, words: str) -> None:
        """Something is amiss: it is printed at once."""
        self.faults.append(words)
        print(words, flush=True)


class Musician:
    """Drives one engine. For one thread; needs a JACK server."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.diary = Diary()
        self.chance = random.Random(seed)
        self._ended: deque[Run | FillRun] = deque()  # told on the model's thread
        self.sampling: Sampling | None = None
        self.filling: FillRun | None = None
        self._suspended: list[tuple[float, BaseProcess]] = []  # players, and until when
        self._patch_at = 0.0
        self.synth = Synth()
        self.playback = Playback(PlaybackEvents(message=self._told, failed=self._failed))
        events = GenerationEvents(
            ended=self._ended.append,
            filled=self._ended.append,
            message=self._told,
            failed=self._failed,
            unlisted=self._failed,
        )
        self.generation = Generation(events)
        model = folder / "soak.safetensors"
        save_model(model, small_model(), {"name": "soak"})
        self.generation.want_model(str(model))
        self.generation.start()
        self.playback.output.open(VirtualPort())
        self.open_another_file()

    @property
    def session(self) -> Session:
        """What is worked on."""
        return self.history.session

    def _told(self, sentence: str) -> None:
        self.diary.sentences[sentence] += 1

    def _failed(self, error: BaseException, doing: str) -> None:
        self.diary.fault(f"{doing}: {''.join(traceback.format_exception(error))}")

    def close(self) -> None:
        """End all, in the order in which the window does."""
        for _, player in self._suspended:
            _send(player, signal.SIGCONT)
        for run in (self.sampling.run if self.sampling else None, self.filling):
            if run is not None:
                run.stop()
        self.playback.close()
        self.generation.close()
        self.synth.close()

    # Time

    def tick(self) -> None:
        """What the window does once a frame, and what the musician does with a port that came back."""
        state = self.playback.poll()
        if self.sampling is not None:
            self._take_in(self.sampling)
        while self._ended:
            self._end(self._ended.popleft())
        if state.has_ended and self.sampling is None:
            self.playback.stop()
        now = time.monotonic()
        for until, player in self._suspended:
            if now >= until:
                _send(player, signal.SIGCONT)
        self._suspended = [(until, player) for until, player in self._suspended if until > now and _lives(player)]
        if now >= self._patch_at:
            self._patch_at = now + PATCHING
            self.synth.connect()

    def wait(self, seconds: float) -> None:
        """Let it play on."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()
            time.sleep(FRAME)

    def until(self, is_so: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Let it play on until something is so. Raises AssertionError if it takes too long."""
        end = time.monotonic() + patience
        while not is_so():
            assert time.monotonic() < end, f"waited {patience:g} s in vain for {what}"
            self.wait(FRAME)

    def calm_down(self) -> None:
        """Stop sampling and sound, and let all that is under way come to its end."""
        self.stop_sampling()
        self.playback.stop()
        self.until(lambda: self.sampling is None and self.filling is None, "the model")
        self.playback.stop()  # what was sampled may have gone on with the sound
        self.until(lambda: not self._suspended, "the players that are stopped")
        self.until(lambda: not self.playback.output.is_busy, "the output")
        self.until(lambda: not self.playback._layout.is_busy, "what is laid out")

    # Wishes

    def wish(self, name: str) -> None:
        """One of WISHES; a sentence that refuses it is no fault."""
        self.diary.wishes[name] += 1
        try:
            getattr(self, name)()
        except UsageError as error:
            self._told(str(error))

    def open_another_file(self) -> None:
        """Another document in this one's place."""
        self.playback.stop()
        self.history = History(session_from_midi(random_file(self.chance), "soak.mid"))

    def _request(self, loop: tuple[float, float] | None = None) -> PlayRequest:
        start, end = playing_range(self.session, "both")
        at = self.chance.uniform(start, end)
        return PlayRequest(self.session, "both", at, loop, metronome=self.chance.random() < 0.3)

    def play(self) -> None:
        self.playback.play(self._request())

    def loop(self) -> None:
        start, end = playing_range(self.session, "both")
        place = self.chance.uniform(start, end)
        self.playback.play(self._request((place, place + self.chance.uniform(0.1, 2.0))))

    def pause(self) -> None:
        self.playback.pause()

    def resume(self) -> None:
        self.playback.resume()

    def stop(self) -> None:
        self.playback.stop()

    def panic(self) -> None:
        self.playback.panic()

    def seek(self) -> None:
        if self.playback.has_live_take:
            self.playback.seek_in_song(self._request().at)
        else:
            self.play()

    def keys(self) -> None:
        """Notes played on the keyboard beside the roll."""
        pitch, channel = self.chance.randint(30, 90), self.chance.choice((0, 3, 9))
        self.playback.note(pitch, self.chance.randint(1, 127), channel, [bytes((0xC0 | channel, 5))])
        self.wait(self.chance.choice((0.0, 0.05)))
        self.playback.note(pitch, 0, channel)

    def audition(self) -> None:
        """The chord of the sound check."""
        chord = [(0.0, bytes((0x90, pitch, 80))) for pitch in (60, 64, 67)]
        self.playback.play_messages([*chord, *((2.0, bytes((0x80, pitch, 64))) for pitch in (60, 64, 67))])

    def switch_output(self) -> None:
        self.playback.output.open(self.chance.choice(OUTPUTS))

    def kill(self) -> None:
        """One of the players is gone."""
        if there := players():
            _send(self.chance.choice(there), signal.SIGKILL)

    def suspend(self) -> None:
        """One of the players stands still for a moment, or for good."""
        if there := players():
            player = self.chance.choice(there)
            _send(player, signal.SIGSTOP)
            moment = self.chance.choice((0.2, 1.0, 2.5, math.inf))
            self._suspended = [(until, other) for until, other in self._suspended if other is not player]
            self._suspended.append((time.monotonic() + moment, player))

    def turn(self) -> None:
        """A knob, while it samples."""
        if self.sampling is not None:
            busy, loud = (self.chance.randint(-MOST_STEPS, MOST_STEPS) for _ in range(2))
            self.sampling.run.knobs = (Knobs(busy=busy, loud=loud),)

    # What changes the session

    def _change(self, name: str, session: Session) -> None:
        self.history.do(name, session)
        self._refresh()

    def _refresh(self) -> None:
        if not self.playback.has_live_take:
            self.playback.refresh(self._request())

    def edit(self) -> None:
        """Some notes of the take, or of the score, are transposed."""
        take, score = self.session.current_take, self.session.score
        assert score is not None
        part, count = (take.id, len(take.notes)) if take else (0, len(score.tracks[0].notes))
        chosen = self.chance.sample(range(count), min(count, 3))
        self._change("Transpose", transpose(self.session, {part: sorted(chosen)}, self.chance.choice((-1, 1))).session)

    def undo(self) -> None:
        self.history.undo()
        self._refresh()

    def redo(self) -> None:
        self.history.redo()
        self._refresh()

    def accept(self) -> None:
        """The take becomes a part of the score."""
        if take := self.session.current_take:
            self._change("Accept", accept_take(self.session, take.id))

    def continue_(self) -> None:
        session = self.session
        score = session.score
        tracks = tuple(score.tracks[i] for i in continued_tracks(session)) if score else ()
        marker, start = session.marker, session.prompt_start
        self._sample(PromptRequest(tracks, marker, start, session.tempo_map, "auto"), None, marker)

    def go_on_within(self) -> None:
        """Continue from within the take."""
        session = self.session
        if take := session.current_take:
            fork = fork_prompt(session, take.id, self.chance.uniform(0, take.seconds))
            self._sample(
                PromptRequest(fork.tracks, fork.marker, fork.start, session.tempo_map, "auto"), fork, take.marker
            )

    def _sample(self, prompt: PromptRequest, fork: Fork | None, marker: float) -> None:
        if self.sampling is not None or self.filling is not None:
            return
        begun = prompt.marker - marker
        seconds = self.chance.uniform(1.0, 8.0)
        plan = plan_take(self.session, marker, begun + seconds, fork)
        beside = plan.accompaniment(self.chance.random() < 0.3)
        rate = self.generation.rate(1)
        live = self.playback.begin_take(TakeStart(prompt.marker, seconds, plan.part_router, beside, rate))
        steps: deque[Step] = deque()
        pace = self.chance.choice((0.0, 0.002, 0.05))  # seconds an event: this model is faster than real ones

        def play(step: Step) -> None:
            live.feed(step.messages, step.head)
            time.sleep(pace)

        run = Run(play=play, show=steps.append, route=plan.route(1))
        in_progress = TakeInProgress(marker, begun, plan.take.notes)
        self.sampling = Sampling(run, live, in_progress, fork, steps)
        options = Options(seed=self.chance.randrange(2**31), seconds=seconds, ring=plan.ring(seconds))
        self.generation.want_run(run, prompt, lambda key: options)

    def stop_sampling(self) -> None:
        if self.sampling is not None:
            self.sampling.run.stop()
        if self.filling is not None:
            self.filling.stop()

    def regenerate(self) -> None:
        """Another choice for some seconds of the song."""
        if self.sampling is not None or self.filling is not None:
            return
        take = self.session.current_take
        start, end = playing_range(self.session, "take" if take else "both")
        begin = self.chance.uniform(start, end)
        plan = plan_fill(self.session, Region(begin, begin + self.chance.uniform(0.3, 3.0)), take.id if take else "")
        options = Options(seed=self.chance.randrange(2**31), takes=2)
        self.filling = FillRun(plan, lambda key: options)
        self.generation.want_fill(self.filling)

    # What was sampled

    def _take_in(self, sampling: Sampling) -> None:
        for _ in range(len(sampling.steps)):
            step = sampling.steps.popleft()
            sampling.in_progress.add(step.messages, step.head)

    def _end(self, run: Run | FillRun) -> None:
        if run.fault is not None and not run.stopped.is_set():
            self._failed(run.fault, "sampling")
        if isinstance(run, FillRun):
            self.filling = None
            if run.alternatives and self.session == run.plan.session:
                self._change("Regenerate", run.plan.with_placed(run.alternatives[0]))
            return
        sampling, self.sampling = self.sampling, None
        assert sampling is not None
        assert run is sampling.run
        self._take_in(sampling)
        if run.takes:
            sampling.live.finish(run.takes[0].seconds)
        record = sampling.in_progress.record()
        if sampling.fork is not None:
            record = replace(sampling.fork.joined(record), id=sampling.in_progress.id)
        if record.notes:
            self.history.do("Continue", self.session.with_take(record))


def _lives(player: BaseProcess) -> bool:
    try:
        return player.is_alive()
    except ValueError:  # it has ended and was let go of
        return False


def _send(player: BaseProcess, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, ValueError):
        if player.pid is not None and player.is_alive():
            os.kill(player.pid, number)
